"""Parsing of cell text: codes, dates, year groups and yes/no flags."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from portal.rules.date_words import date_in_words
from portal.tabular.cells import clean_value, shortened
from portal.tabular.written_times import LONGEST, NearMidnightError, day_in_london, day_of_moment, split_time
from portal.uploads.domain.reading.result import ReadingProblem

if TYPE_CHECKING:
    from collections.abc import Iterable

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTHS = {name: number for number, name in enumerate(_MONTHS, start=1)}
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})$")
_MONTH_NAME = re.compile(r"(?:([A-Za-z]{3,9}),? )?(\d{1,2})[ -]([A-Za-z]{3,9})[ -](\d{4}|\d{2})$")
_YEAR_FIRST = re.compile(r"(\d{4})-([A-Za-z]{3})-(\d{1,2})$")
_NUMERIC = re.compile(r"(?:([A-Za-z]{3,9}),? )?(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})$")
_SERIAL = re.compile(r"(\d{5})(\.\d{1,12})?$")
#: Excel serial days for 1 January 1980 and 31 December 2099: other five-digit numbers are not dates.
FIRST_SERIAL, LAST_SERIAL = 29_221, 73_050
SERIAL_START = datetime(1899, 12, 30)  # noqa: DTZ001  a serial day has no zone
FIRST_YEAR, LAST_YEAR = 1900, 2100
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NOT_A_DATE = "“{}” is not a date we can read. Write it as 07/09/2026 or 2026-09-07."
MONTH_FIRST = "The dates look month first, such as 09/15/2026. Write them day first, or as 2026-09-15."
DAY_FIRST = "Dates were read as day/month: {} is {}. If that is wrong, cancel this upload and write its dates as 2026-11-03."
NEAR_MIDNIGHT = "“{}” is in the last hour of a day, so its day cannot be told. Write the date without a time."
MIXED = "“{}” and “{}” are written in two ways in one column. Check that neither has day and month swapped."
HALF_TURNED = "“{}” and “{}” show that a spreadsheet swapped day and month in part of the column. Write all as 2026-09-15."
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
        self._mixed: list[ReadingProblem] = []
        #: The first and second number of each text such as 03/04/2026, which could be day first or month first.
        self.numeric: dict[str, tuple[int, int]] = {}
        for text in set(texts):
            self.day_of[text] = self._read(text)
        numeric = self.numeric
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
        """Warnings of how the dates were read, if the file itself does not prove it."""
        on = self.day_of.get(self.ambiguous)
        if not self.ambiguous or on is None:
            return tuple(self._mixed)
        text = clean_value(self.ambiguous)
        return (*self._mixed, ReadingProblem(DAY_FIRST.format(text, date_in_words(on)), value=text, kind="day-first", count=0))

    def compare_forms(self, column: Iterable[str]) -> None:
        """Look for dates of one column in two forms: real dates of a spreadsheet, and text.

        A spreadsheet that takes 09/10/2026 month first makes a wrong date of it, and leaves 13/10/2026 as text. Where the column
        shows this, its dates are refused. Any other mixture is a warning.
        """
        column = list(column)
        texts = [text for text in column if text in self.numeric and (self.month_first or self.day_of[text])]
        real = {text: on for text in column if _ISO.match(split_time(clean_value(text))[0]) and (on := self.day_of[text])}
        if not texts or not real:
            return
        is_half_turned = all(max(self.numeric[text]) > 12 for text in texts) and all(on.day <= 12 for on in real.values())
        examples = [shortened(clean_value(min(group))) for group in (texts, real)]
        if is_half_turned:
            self.day_of |= dict.fromkeys((*texts, *real))
            self.faults |= dict.fromkeys((*texts, *real), ("half-turned", HALF_TURNED.format(*examples)))
        elif not self.month_first:
            self._mixed.append(ReadingProblem(MIXED.format(*examples), value=examples[0], kind="mixed-dates", count=0))

    def _read(self, text: str) -> date | None:
        cleaned = clean_value(text)
        if len(cleaned) > LONGEST:
            return None
        written, time = split_time(cleaned)
        try:
            on = self._read_day(text, written)
            if on is None or time is None:
                return on
            return day_in_london(on, time)
        except KeyError:
            return None
        except NearMidnightError:
            self.faults[text] = "near-midnight", NEAR_MIDNIGHT.format(cleaned)
        except ValueError:
            self.faults[text] = "no-date", NOT_A_DATE.format(cleaned)
        return None

    def _read_day(self, text: str, written: str) -> date | None:
        """The day of what is written without a time, and whether its order is unproven.

        Raises:
            KeyError: for the name of no month.
            ValueError: for a day that is in no calendar.
        """
        if match := _ISO.match(written):
            return _day(int(match[1]), int(match[2]), int(match[3]))
        if match := _NUMERIC.match(written):
            day, month, year = match.groups()[1:]
            self.numeric[text] = int(day), int(month)
            on = self._if_weekday_agrees(text, match[1], _day(_year(year), int(month), int(day)))
            if on and match[1] and match[1][:3].title() == DAY_NAMES[on.weekday()][:3]:
                del self.numeric[text]  # The weekday beside it proves day first, so it is no longer ambiguous.
            return on
        if match := _MONTH_NAME.match(written):
            on = _day(_year(match[4]), MONTHS[match[3][:3].lower()], int(match[2]))
            return self._if_weekday_agrees(text, match[1], on)
        if match := _YEAR_FIRST.match(written):
            return _day(int(match[1]), MONTHS[match[2].lower()], int(match[3]))
        match = _SERIAL.match(written)
        if match and FIRST_SERIAL <= int(match[1]) <= LAST_SERIAL:
            return day_of_moment(SERIAL_START + timedelta(days=int(match[1]), seconds=86_400 * float(match[2] or 0)))
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


def _day(year: int, month: int, day: int) -> date:
    """A day of a year that a register can hold.

    Raises:
        ValueError: for any other.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(year)
    return date(year, month, day)


def _year(written: str) -> int:
    """The year as a number. Of two digits, up to 59 is in this century and the rest in the last (dates of birth)."""
    year = int(written)
    return year if len(written) > 2 else 2000 + year if year < 60 else 1900 + year


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


_MINUTES = re.compile(
    r"(?:(?P<hours>\d{1,2}):)?(?P<minutes>\d{1,3})(?:(?<=:\d\d):\d{2}| ?(?:m|mins?|minutes?)\.?)?$", re.IGNORECASE
)
#: More minutes than a school day has are a mistake, not a lateness.
MOST_MINUTES = 600


def parse_minutes(text: str) -> int | None:
    """A number of minutes, as 12, 12 mins or 00:12; None for anything else."""
    match = _MINUTES.match(clean_value(text))
    if match is None or not text.isascii():
        return None
    minutes = 60 * int(match["hours"] or 0) + int(match["minutes"])
    return minutes if minutes < MOST_MINUTES else None
