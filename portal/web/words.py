"""How values are put into words on screens: dates, times, percentages, numbers, plurals and register codes."""

from __future__ import annotations

import math
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from portal.clock import LONDON
from portal.rules.codes import BY_LETTERS, CATEGORY_NAMES, Code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NOTHING_TO_SHOW = "no data"
NOON = 12
Number = int | float | Decimal | Fraction


def long_date(on: date | datetime) -> str:
    """A day as staff and families read it: "Monday 7 September 2026". An instant is taken in England's own time."""
    day = _local(on)
    return f"{day:%A} {day.day} {day:%B %Y}"


def short_date(on: date | datetime) -> str:
    """A day for tables: "7 Sep 2026"."""
    day = _local(on)
    return f"{day.day} {day:%b %Y}"


def clock_time(at: datetime | time) -> str:
    """A time of day: "9:05am", "midday", "midnight". An instant is taken in England's own time."""
    local = at.astimezone(LONDON).time() if isinstance(at, datetime) and at.tzinfo else at
    if local.minute == 0 and local.hour % NOON == 0:
        return "midday" if local.hour else "midnight"
    return f"{local.hour % NOON or NOON}:{local.minute:02}{'am' if local.hour < NOON else 'pm'}"


def moment(at: datetime) -> str:
    """A day and a time: "9:05am on Monday 7 September 2026"."""
    return f"{clock_time(at)} on {long_date(at)}"


def rounded(number: Number, places: int = 1) -> Decimal:
    """A number rounded half up, away from zero at the half, as DfE's published figures are.

    Raises:
        ValueError: for a number that is not finite.
    """
    exact = Fraction(str(number)) if isinstance(number, float) else Fraction(number)
    scaled = abs(exact) * 10**places
    whole = math.floor(scaled + Fraction(1, 2))
    return Decimal(whole if exact >= 0 else -whole).scaleb(-places)


def percentage(share: Number | None, places: int = 1) -> str:
    """A share of 1 as a percentage, half up: 0.9345 is "93.5%". None reads "no data"."""
    if share is None:
        return NOTHING_TO_SHOW
    exact = Fraction(str(share)) if isinstance(share, float) else Fraction(share)
    return f"{rounded(exact * 100, places)}%"


def rate(percent: Number | None, places: int = 1) -> str:
    """A rate already in percent, as `portal.rules` gives it, half up: 93.45 is "93.5%". None reads "no data"."""
    return NOTHING_TO_SHOW if percent is None else f"{rounded(percent, places)}%"


def points(difference: Number | None, places: int = 1) -> str:
    """A difference of two shares in percentage points, without its sign: 0.021 is "2.1 percentage points"."""
    if difference is None:
        return NOTHING_TO_SHOW
    exact = Fraction(str(difference)) if isinstance(difference, float) else Fraction(difference)
    value = rounded(abs(exact) * 100, places)
    return f"{value} percentage {'point' if value == 1 else 'points'}"


def with_commas(number: Number | None, places: int = 0) -> str:
    """A number with a comma between thousands: "12,345". None reads "no data"."""
    return NOTHING_TO_SHOW if number is None else f"{rounded(number, places):,}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """A count and its noun: "1 pupil", "2 pupils", "1,200 people" when the plural is given."""
    return f"{count:,} {noun(count, one, many)}"


def noun(count: int, one: str, many: str | None = None) -> str:
    """The noun alone, agreeing with a count that stands elsewhere: 1 → "pupil", 2 → "pupils"."""
    return one if count == 1 else many or f"{one}s"


def file_size(count: int) -> str:
    """A number of bytes as a person reads it: "812 bytes", "40 KB", "1.2 MB"."""
    for limit, unit, places in ((1_000, "", 0), (1_000_000, "KB", 0), (10**9, "MB", 1)):
        if count < limit:
            return plural(count, "byte") if not unit else f"{rounded(Fraction(count * 1_000, limit), places)} {unit}"
    return f"{rounded(Fraction(count, 10**9), 1)} GB"


def code_in_words(code: Code | str | None) -> str:
    """A register code for a listener: "code O, unauthorised absence". None and an empty code read "no mark"."""
    if not code:
        return "no mark"
    known = BY_LETTERS.get(code) if isinstance(code, str) else code
    if known is None:
        return f"code {code}, not a register code"
    if known.letters in {"/", "\\"}:
        return "present"
    category = "not counted" if known.administrative else _lower(CATEGORY_NAMES[known.category])
    return f"code {known.letters}, {category}"


def meaning_of_code(code: Code | str) -> str:
    """What a register code means, as the guidance says it; unknown codes read "not a register code"."""
    known = BY_LETTERS.get(code) if isinstance(code, str) else code
    return known.meaning if known else "not a register code"


def mark_class(code: Code | str | None) -> str:
    """The style of a register's cell: by the class the code counts in, lateness on its own, nothing for no mark."""
    known = BY_LETTERS.get(code) if isinstance(code, str) else code
    if known is None:
        return "portal-mark--none"
    return "portal-mark--late" if known.letters == "L" else f"portal-mark--{known.category.value}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _local(on: date | datetime) -> date:
    if isinstance(on, datetime):
        return on.astimezone(LONDON).date() if on.tzinfo else on.date()
    return on


#: The names templates know them by.
FILTERS: Mapping[str, Callable[..., str]] = {
    "date": long_date,
    "short_date": short_date,
    "time": clock_time,
    "moment": moment,
    "percentage": percentage,
    "rate": rate,
    "points": points,
    "number": with_commas,
    "plural": plural,
    "noun": noun,
    "file_size": file_size,
    "code_words": code_in_words,
    "code_meaning": meaning_of_code,
    "mark_class": mark_class,
}
