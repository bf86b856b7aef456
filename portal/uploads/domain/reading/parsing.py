"""Parsing of cell text: codes, dates, year groups and yes/no flags."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from portal.rules.date_words import date_in_words
from portal.tabular.cells import clean_value, shortened
from portal.uploads.domain.reading.result import ReadingProblem

if TYPE_CHECKING:
    from collections.abc import Iterable

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTHS = {name: number for number, name in enumerate(_MONTHS, start=1)}
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ][0-9:.]{0,20}Z?)?$")
_MONTH_NAME = re.compile(r"(?:([A-Za-z]{3,9}),? )?(\d{1,2})[ -]([A-Za-z]{3,9})[ -](\d{4}|\d{2})$")
_YEAR_FIRST = re.compile(r"(\d{4})-([A-Za-z]{3})-(\d{1,2})(?: [0-9:]{0,10})?$")
_NUMERIC = re.compile(r"(?:([A-Za-z]{3,9}),? )?(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?: 0{1,2}:00(?::00)?)?$")
_SERIAL = re.compile(r"(\d{5})(?:\.0+)?$")
#: Excel serial days for 1 January 1980 and 31 December 2099: other five-digit numbers are not dates.
FIRST_SERIAL, LAST_SERIAL = 29_221, 73_050
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NOT_A_DATE = "“{}” is not a date we can read. Write it as 07/09/2026 or 2026-09-07."
MONTH_FIRST = "The dates look month first, such as 09/15/2026. Write them day first, or as 2026-09-15."
DAY_FIRST = "Dates were read as day/month: {} is {}. If that is wrong, cancel this upload and write its dates as 2026-11-03."
OTHER_DAY = "“{}” is a {}. Correct the day or the date."


@lru_cache(maxsize=1_024)
def code_text(text: str) -> str:
    """A code normalised to the form of the code list: plain characters, upper case. A file has few distinct codes."""
    return unicodedata.normalize("NFKC", clean_value(text)).strip().upper()


class Dates:
    """Parses all of a file's date texts together. A file is dd/mm or mm/dd throughout, so one cell cannot be judged alone."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Parse each distinct text once. If a date proves month first and none proves day first, numeric dates are rejected."""
        self.day_of: dict[str, date | None] = {}
        self.faults: dict[str, tuple[str, str]] = {}
        numeric: dict[str, tuple[int, int]] = {}
        for text in set(texts):
            self.day_of[text] = self._read(text, numeric)
        pairs = set(numeric.values())
        # Only a number over 12 is proof: 15/09 is day first, 09/15 month first, and 03/04 could be either.
        day_first = any(second <= 12 < first <= 31 for first, second in pairs)
        self.month_first = not day_first and any(first <= 12 < second <= 31 for first, second in pairs)
        unproven = [text for text, (first, second) in numeric.items() if first != second and self.day_of[text]]
        is_proven = any(max(pair) > 12 for pair in pairs)
        #: The latest date as written, if nothing in the file proves day first or month first; otherwise empty.
        self.ambiguous = "" if is_proven else max(unproven, key=lambda text: str(self.day_of[text]), default="")
        if self.month_first:
            self.day_of |= dict.fromkeys(numeric)
            self.faults |= dict.fromkeys(numeric, ("month-first", MONTH_FIRST))

    def problems(self) -> tuple[ReadingProblem, ...]:
        """A warning of how the dates were read, if the file itself does not prove it."""
        on = self.day_of.get(self.ambiguous)
        if not self.ambiguous or on is None:
            return ()
        text = clean_value(self.ambiguous)
        return (ReadingProblem(DAY_FIRST.format(text, date_in_words(on)), value=text, kind="day-first", count=0),)

    def _read(self, text: str, numeric: dict[str, tuple[int, int]]) -> date | None:
        cleaned = clean_value(text)
        try:
            if match := _ISO.match(cleaned):
                return date(*(int(part) for part in match.groups()))
            if match := _NUMERIC.match(cleaned):
                day, month, year = (int(part) for part in match.groups()[1:])
                numeric[text] = day, month
                on = self._if_weekday_agrees(text, match[1], date(_year(year), month, day))
                if on and match[1] and match[1][:3].title() == DAY_NAMES[on.weekday()][:3]:
                    del numeric[text]  # The weekday beside it proves day first, so it is no longer ambiguous.
                return on
            if match := _MONTH_NAME.match(cleaned):
                return self._if_weekday_agrees(
                    text, match[1], date(_year(int(match[4])), MONTHS[match[3][:3].lower()], int(match[2]))
                )
            if match := _YEAR_FIRST.match(cleaned):
                return date(int(match[1]), MONTHS[match[2].lower()], int(match[3]))
        except KeyError:
            return None
        except ValueError:
            self.faults[text] = "no-date", NOT_A_DATE.format(shortened(cleaned))
            return None
        match = _SERIAL.match(cleaned)
        if match and FIRST_SERIAL <= int(match[1]) <= LAST_SERIAL:
            return date(1899, 12, 30) + timedelta(days=int(match[1]))
        return None

    def _if_weekday_agrees(self, text: str, weekday: str | None, on: date) -> date | None:
        """The date, unless the weekday written beside it is wrong."""
        actual = DAY_NAMES[on.weekday()]
        if weekday and weekday[:3].title() != actual[:3] and any(weekday[:3].title() == name[:3] for name in DAY_NAMES):
            self.faults[text] = "other-weekday", OTHER_DAY.format(clean_value(text), actual)
            return None
        return on

    def __getitem__(self, text: str) -> date | None:
        """The date of a text, or None."""
        return self.day_of[text]

    def looks_like_date(self, text: str) -> bool:
        """Whether a text is written as a date, even a rejected one."""
        return self.day_of[text] is not None or text in self.faults

    def fault(self, text: str) -> tuple[str, str]:
        """Why a text is not a date: the kind of problem, and what to do."""
        return self.faults.get(text) or ("no-date", NOT_A_DATE.format(shortened(clean_value(text))))


def parse_date(text: str) -> date | None:
    """Parse one date on its own, day first; None if it is not a date."""
    return Dates([text])[text] if text else None


def _year(year: int) -> int:
    """The year of two digits: up to 59 in this century, otherwise in the last (dates of birth)."""
    return year if year > 99 else 2000 + year if year < 60 else 1900 + year


_YEAR_GROUP = re.compile(r"(?:year|yr|y|nc|ncy)?\s*0?(\d{1,2})$", re.IGNORECASE)


def year_group(text: str) -> str | None:
    """A year group as in the DfE code set (R, 1 to 14, N1 …), or None."""
    normalised = clean_value(text).upper().replace("NATIONAL CURRICULUM ", "").replace("NC YEAR", "YEAR")
    if normalised in {"R", "RECEPTION", "YR", "YEAR R", "FS2", "YEAR 0", "0"}:
        return "R"
    if normalised in {"N1", "N2", "M", "X", "E1", "E2"}:
        return normalised
    if normalised in {"NURSERY", "FS1"}:
        return "N2"
    match = _YEAR_GROUP.match(normalised)
    return str(int(match[1])) if match and 1 <= int(match[1]) <= 14 else None


def parse_yes_no(text: str) -> bool | None:
    """Parse yes or no as schools' systems write it; None for anything else."""
    normalised = clean_value(text).casefold()
    if normalised in {"y", "yes", "true", "1", "t", "x", "✓"}:
        return True
    return False if normalised in {"n", "no", "false", "0", "f"} else None
