"""How screens show values: dates, times, percentages, numbers, plurals and register codes."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from markupsafe import Markup

from portal.platform.clock import LONDON
from portal.rules import date_words
from portal.rules.codes import CATEGORY_NAMES, CODES_BY_SYMBOL, Code
from portal.rules.session_counts import rounded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NOTHING_TO_SHOW = "no data"
Number = int | float | Decimal | Fraction


def long_date(on: date | datetime) -> str:
    """A day as staff and families read it: "Monday 7 September 2026". An instant is shown in UK time."""
    return date_words.weekday_and_date(_local(on))


def short_date(on: date | datetime) -> str:
    """A day for tables: "7 Sep 2026"."""
    return date_words.short_date(_local(on))


def clock_time(at: datetime | time) -> str:
    """A time of day: "9:05am", "midday", "midnight". An instant is shown in UK time."""
    local = at.astimezone(LONDON).time() if isinstance(at, datetime) and at.tzinfo else at
    if local.minute == 0 and local.hour % 12 == 0:
        return "midday" if local.hour else "midnight"
    return f"{local.hour % 12 or 12}:{local.minute:02}{'am' if local.hour < 12 else 'pm'}"


def date_and_time(at: datetime) -> str:
    """A day and a time: "9:05am on Monday 7 September 2026"."""
    return f"{clock_time(at)} on {long_date(at)}"


def percentage(share: Number | None, decimals: int = 1) -> str:
    """A share of 1 as a percentage: 0.9345 is "93.5%". None reads "no data"."""
    if share is None:
        return NOTHING_TO_SHOW
    return f"{rounded(_exact(share) * 100, decimals)}%"


def rate(percent: Number | None, decimals: int = 1) -> str:
    """A rate already in percent, as `portal.rules` gives it: 93.45 is "93.5%". None reads "no data"."""
    return NOTHING_TO_SHOW if percent is None else f"{rounded(_exact(percent), decimals)}%"


def percentage_points(difference: Number | None, decimals: int = 1) -> str:
    """A difference of two shares, without its sign: 0.021 is "2.1 percentage points"."""
    if difference is None:
        return NOTHING_TO_SHOW
    difference_in_points = rounded(abs(_exact(difference)) * 100, decimals)
    return f"{difference_in_points} percentage {'point' if difference_in_points == 1 else 'points'}"


def with_commas(number: Number | None, decimals: int = 0) -> str:
    """A number with a comma between thousands: "12,345". None reads "no data"."""
    return NOTHING_TO_SHOW if number is None else f"{rounded(_exact(number), decimals):,}"


def plural(count: int, singular: str, many: str | None = None) -> str:
    """A count and its noun: "1 pupil", "2 pupils", "1,200 people" when the plural is given."""
    return f"{count:,} {noun(count, singular, many)}"


def noun(count: int, singular: str, many: str | None = None) -> str:
    """The noun alone, in the number a count needs: 1 → "pupil", 2 → "pupils"."""
    return singular if count == 1 else many or f"{singular}s"


def file_size(count: int) -> str:
    """A number of bytes as people read it: "812 bytes", "40 KB", "1.2 MB"."""
    for limit, unit, decimals in ((1_000, "", 0), (1_000_000, "KB", 0), (10**9, "MB", 1)):
        if count < limit:
            return plural(count, "byte") if not unit else f"{rounded(Fraction(count * 1_000, limit), decimals)} {unit}"
    return f"{rounded(Fraction(count, 10**9), 1)} GB"


def spoken_code(code: Code | str | None) -> str:
    """A register code for screen readers: "code O, unauthorised absence". None and "" read "no mark"."""
    if not code:
        return "no mark"
    register_code = CODES_BY_SYMBOL.get(code) if isinstance(code, str) else code
    if register_code is None:
        return f"code {code}, not a register code"
    if register_code.letters in {"/", "\\"}:
        return "present"
    category = "not counted" if register_code.administrative else _lower(CATEGORY_NAMES[register_code.category])
    return f"code {register_code.letters}, {category}"


def code_meaning(code: Code | str) -> str:
    """The meaning of a register code in the guidance. An unknown code reads "not a register code"."""
    register_code = CODES_BY_SYMBOL.get(code) if isinstance(code, str) else code
    return register_code.meaning if register_code else "not a register code"


def year_group_in_words(group: str | None) -> str:
    """A year group as schools say it: R is "Reception", N2 is "Nursery (N2)", 7 is "Year 7". None reads ""."""
    if not group:
        return ""
    if group == "R":
        return "Reception"
    if group.isdigit():
        return f"Year {group}"
    return f"Nursery ({group})" if group.startswith("N") else f"Year group {group}"


def mark_class(code: Code | str | None) -> str:
    """The CSS class of a register cell, by the category its code counts in.

    Late marks have their own class, and so have cells without a mark.
    """
    register_code = CODES_BY_SYMBOL.get(code) if isinstance(code, str) else code
    if register_code is None:
        return "portal-mark--none"
    return "portal-mark--late" if register_code.letters == "L" else f"portal-mark--{register_code.category.value}"


def _exact(number: Number) -> Fraction:
    """The number as a fraction; a float is the shortest decimal that stands for it.

    Raises:
        ValueError: for a number that is not finite.
    """
    return Fraction(str(number)) if isinstance(number, float) else Fraction(number)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _local(on: date | datetime) -> date:
    if isinstance(on, datetime):
        return on.astimezone(LONDON).date() if on.tzinfo else on.date()
    return on


def file_name_shown(name: str) -> Markup:
    """A file's name on a page, as it was sent but for signs that hide or turn letters.

    Isolated, so that letters of another direction cannot move what stands beside it: `gpj.exe` could read as `exe.jpg`.
    """
    visible = "".join(sign for sign in name if unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Zl", "Zp"})
    return Markup("<bdi>{}</bdi>").format(visible or "no name")


#: The Jinja filters, by name.
FILTERS: Mapping[str, Callable[..., str]] = {
    "date": long_date,
    "short_date": short_date,
    "time": clock_time,
    "moment": date_and_time,
    "percentage": percentage,
    "rate": rate,
    "points": percentage_points,
    "number": with_commas,
    "plural": plural,
    "noun": noun,
    "file_size": file_size,
    "file_name": file_name_shown,
    "code_words": spoken_code,
    "code_meaning": code_meaning,
    "mark_class": mark_class,
    "year_group": year_group_in_words,
}
