"""Dates as schools write them: day before month always, proven where the file can prove it, and never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from portal.uploads.reading.synonyms import WEEKDAYS
from portal.uploads.reading.texts import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

_TIME = r"(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?(?: ?[AP]M)?)?"
_ISO = re.compile(rf"(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_TIME}")
_COMPACT = re.compile(r"(20\d{2})(\d{2})(\d{2})")
_SLASHED = re.compile(rf"(\d{{1,2}})([-/. ])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_TIME}")
_NAMED = re.compile(rf"(\d{{1,2}})(?:ST|ND|RD|TH)?[-/ ]?([A-Z]{{3,9}})[-/ ]?(\d{{4}}|\d{{2}})?{_TIME}")
_YEAR_NAMED = re.compile(rf"(\d{{4}})[-/ ]([A-Z]{{3,9}})[-/ ](\d{{1,2}}){_TIME}")
_SHORT = re.compile(r"(\d{1,2})/(\d{1,2})")
_SERIAL = re.compile(r"(\d{5})(?:\.\d{1,12})?")
_WEEKDAY = re.compile(r"(MON|TUE|WED|THU|FRI|SAT|SUN)[A-Z]{0,6}\.?,?[ -]*(?=\d)")
_MONTH_NAMES = {
    name[:length]: month
    for month, name in enumerate(
        ("JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"), 1
    )
    for length in (3, len(name))
} | {"SEPT": 9}
#: Day 0 of a spreadsheet's calendar (its 29 February 1900 never was).
_SPREADSHEET_ZERO = date(1899, 12, 30)
_SERIALS = (32_874, 73_050)  # 1990 to 2099
_LONGEST = 40
_CENTURY_TURN = 70
_TWELVE = 12
_SEPTEMBER = 9

UNREADABLE = "Enter the date as day, month and year, such as 07/09/2026."
MONTH_FIRST = "This date has the month first. Enter the day first, such as 07/09/2026."
WRONG_WEEKDAY = "The weekday does not fit the date. Check which of the two is right."
NO_YEAR = "This date has no year. Enter the year too, such as 07/09/2026."


@dataclass(frozen=True, slots=True)
class DateFound:
    """A text as a date, or why it is none: `problem` is a sentence, `kind` its slug. All empty: the text says nothing."""

    on: date | None = None
    kind: str | None = None
    problem: str | None = None


@dataclass(slots=True)
class DateReader:
    """Reads the dates of one column. Show it every text first, as one 25/09/2026 proves that all have the day first."""

    day_first: bool = False
    month_first: bool = False
    slashed: bool = False
    academic_year: int | None = None
    known: dict[str, DateFound] = field(default_factory=dict)

    def see(self, texts: Iterable[str]) -> None:
        """Learn from texts which part comes first."""
        for text in texts:
            found = _SLASHED.fullmatch(_bare(text)[0])
            if found:
                first, second = int(found[1]), int(found[3])
                self.slashed = True
                self.day_first |= first > _TWELVE
                self.month_first |= second > _TWELVE >= first

    @property
    def ambiguous(self) -> bool:
        """True when no date showed whether the day comes first; day first was then assumed."""
        return self.slashed and not self.day_first

    def read(self, text: str) -> DateFound:
        """The date a text stands for; the same text is worked out once."""
        if text not in self.known:
            self.known[text] = self._read(text)
        return self.known[text]

    def _read(self, text: str) -> DateFound:
        bare, weekday = _bare(text)
        if not bare or bare == "-":
            return DateFound()
        found = self._worked_out(bare)
        if found.on is not None and weekday is not None and found.on.weekday() != weekday:
            return DateFound(kind="weekday", problem=WRONG_WEEKDAY)
        return found

    def _worked_out(self, bare: str) -> DateFound:
        slashed = _SLASHED.fullmatch(bare)
        if slashed:
            first, second = int(slashed[1]), int(slashed[3])
            if second > _TWELVE >= first or (self.month_first and not self.day_first):
                return DateFound(kind="month-first-date", problem=MONTH_FIRST)
            return _date(_year(slashed[4]), second, first)
        iso = _ISO.fullmatch(bare) or _COMPACT.fullmatch(bare)
        if iso:
            return _date(int(iso[1]), int(iso[2]), int(iso[3]))
        serial = _SERIAL.fullmatch(bare)
        if serial and _SERIALS[0] <= int(serial[1]) <= _SERIALS[1]:
            return DateFound(_SPREADSHEET_ZERO + timedelta(days=int(serial[1])))
        return self._named(bare)

    def _named(self, bare: str) -> DateFound:
        turned = _YEAR_NAMED.fullmatch(bare)
        if turned:
            return _date(int(turned[1]), _MONTH_NAMES.get(turned[2], 0), int(turned[3]))
        named = _NAMED.fullmatch(bare)
        if named:
            month, year = _MONTH_NAMES.get(named[2], 0), named[3]
            return _date(_year(year), month, int(named[1])) if year else self._without_year(month, int(named[1]))
        short = _SHORT.fullmatch(bare)
        if short:
            return self._without_year(int(short[2]), int(short[1]))
        return DateFound(kind="unreadable-date", problem=UNREADABLE)

    def _without_year(self, month: int, day: int) -> DateFound:
        """A day and month, in the academic year the file's title names; without one there is no knowing."""
        if not 1 <= month <= _TWELVE:
            return DateFound(kind="unreadable-date", problem=UNREADABLE)
        if self.academic_year is None:
            return DateFound(kind="no-year", problem=NO_YEAR)
        return _date(self.academic_year + (month < _SEPTEMBER), month, day)


def _bare(text: str) -> tuple[str, int | None]:
    """The text in capitals without a weekday's name, and that weekday."""
    if len(text) > _LONGEST:
        return text[:_LONGEST] + "…", None
    bare = plain(text).upper()
    found = _WEEKDAY.match(bare)
    if not found:
        return bare, None
    return bare[found.end() :], [day.upper() for day in WEEKDAYS].index(found[1])


def _year(text: str) -> int:
    year = int(text)
    if len(text) > 2:  # noqa: PLR2004  two digits or four
        return year
    return year + (1900 if year >= _CENTURY_TURN else 2000)


def _date(year: int, month: int, day: int) -> DateFound:
    try:
        return DateFound(date(year, month, day))
    except ValueError:
        return DateFound(kind="unreadable-date", problem=UNREADABLE)


_ACADEMIC_YEAR = re.compile(r"\b(20\d{2}) ?[-/\u2013] ?(?:20)?(\d{2})\b(?![-/]\d)")
_ANY_DATE = re.compile(r"\b\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b|\b20\d{2}-\d{2}-\d{2}\b|\b\d{1,2}(?:st|nd|rd|th)? [A-Za-z]{3,9} 20\d{2}\b")
_LONGEST_TITLE = 400


def academic_year_in(titles: Iterable[str]) -> int | None:
    """The academic year that title rows name ("2026/27"), or the one the dates in them fall in; None when they do not agree."""
    years: set[int] = set()
    days: set[int] = set()
    for title in titles:
        short = title[:_LONGEST_TITLE]
        years |= {int(one[1]) for one in _ACADEMIC_YEAR.finditer(short) if (int(one[1]) + 1) % 100 == int(one[2])}
        days |= {on.year - (on.month < _SEPTEMBER) for on in dates_in(short)}
    chosen = years or days
    return chosen.pop() if len(chosen) == 1 else None


def dates_in(title: str) -> list[date]:
    """Every full date in a title row, in order."""
    reader = DateReader()
    texts = [one[0] for one in _ANY_DATE.finditer(title[:_LONGEST_TITLE])]
    reader.see(texts)
    return [found.on for found in map(reader.read, texts) if found.on is not None]
