"""What a searched text may mean: names, a date of birth, a UPN, or a reference."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime

from portal.pupils.domain.incoming import folded

#: What a folded name still has and people leave out: spaces, and apostrophes that Unicode counts as letters (U+02BC).
LEFT_OUT = re.compile("[ \u02b9-\u02ff]")
_SEPARATORS = re.compile(r"[\s,./\-\u2010-\u2015]+")
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b")
_MONTHS = {name.casefold(): number for number, name in enumerate(calendar.month_abbr) if name}
#: Usual orders of a date in figures. Two figures of a year are tried last: %Y takes no year of two.
_DATE_FORMATS = ("%d/%m/%Y", "%Y/%m/%d", "%d/%m/%y", "%d%m%Y")
#: Letters that people write for the figures of a reference, which has no O, I or L.
_REFERENCE_FIGURES = str.maketrans("OIL", "011")


@dataclass(frozen=True, slots=True)
class SearchedName:
    """The beginnings of a surname and of a forename, in letters and figures alone. Either may be empty."""

    surname: str
    forename: str


@dataclass(frozen=True, slots=True)
class SearchedText:
    """What a text may mean. A pupil is found by any of these."""

    names: tuple[SearchedName, ...] = ()
    date_of_birth: date | None = None
    upn: str = ""
    reference: str = ""


def searched(text: str) -> SearchedText:
    """What this text may mean. A date means a date of birth and nothing else."""
    if date_of_birth := _date(text):
        return SearchedText(date_of_birth=date_of_birth)
    compact = re.sub(r"[\s-]", "", text).upper()
    return SearchedText(_names(text), upn=compact, reference=compact.translate(_REFERENCE_FIGURES))


def letters(text: str) -> str:
    """A name in letters and figures alone: O'Neil, O Neil and ONeil are the same."""
    return LEFT_OUT.sub("", folded(text))


def _date(text: str) -> date | None:
    parts = _SEPARATORS.sub("/", _ORDINAL.sub("", text.casefold().strip())).split("/")
    figures = "/".join(str(_MONTHS.get(part[:3], part)) if part.isalpha() else part for part in parts)
    for date_format in _DATE_FORMATS:
        try:
            return datetime.strptime(figures, date_format).date()  # noqa: DTZ007  a date of birth has no time
        except ValueError:
            continue
    return None


def _names(text: str) -> tuple[SearchedName, ...]:
    """The names a text may be.

    A comma parts surname and forename. Without one, any space may part them, and either may come first.
    """
    surname, comma, forename = text.partition(",")
    if comma:
        names = [SearchedName(letters(surname), letters(forename))]
    else:
        words = [word for word in map(letters, folded(text).split()) if word]
        parts = [("".join(words[:at]), "".join(words[at:])) for at in range(len(words) + 1)]
        names = [SearchedName(*name) for part in parts for name in (part, part[::-1])]
    return tuple(dict.fromkeys(name for name in names if name.surname or name.forename))
