"""An academic year at a glance: weeks side by side, Monday to Friday down, each day open, half open or closed, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from portal.rules.bank_holidays import is_bank_holiday
from portal.rules.calendar import academic_year_name, academic_year_span, week_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from portal.rules.calendar import Calendar
    from portal.schools.queries import Dates

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


@dataclass(frozen=True, slots=True)
class DayCell:
    """One day: `look` is open, half, closed (inside a term's weeks) or away; `words` say it aloud."""

    on: date
    look: str
    words: str


@dataclass(frozen=True, slots=True)
class YearView:
    """A year's weeks as columns. `months` pair a month's name with the number of weeks that begin in it."""

    year: int
    months: tuple[tuple[str, int], ...]
    mondays: tuple[date, ...]
    rows: tuple[tuple[str, tuple[DayCell, ...]], ...]
    school_days: int
    sessions: int

    @property
    def name(self) -> str:
        """The academic year: 2026/27."""
        return academic_year_name(self.year)


def year_view(calendar: Calendar, dates: Iterable[Dates], year: int) -> YearView:
    """The year as a calendar has it; the names of closed days come from `dates`, the authority's and the school's."""
    span = academic_year_span(year)
    between = (span.first_day, span.last_day)
    named = _closed_names(dates)
    mondays = []
    monday = week_of(span.first_day)
    while monday <= span.last_day:
        mondays.append(monday)
        monday += timedelta(days=7)
    while mondays and not calendar.count((mondays[-1], mondays[-1] + timedelta(days=6))):
        mondays.pop()
    rows = tuple(
        (name, tuple(_cell(calendar, named, monday + timedelta(days=place)) for monday in mondays))
        for place, name in enumerate(WEEKDAYS)
    )
    months = tuple((f"{month:%b}", len(list(group))) for month, group in groupby(mondays, lambda on: on.replace(day=1)))
    return YearView(year, months, tuple(mondays), rows, len(calendar.school_days(between)), calendar.count(between))


def _closed_names(dates: Iterable[Dates]) -> Mapping[date, str]:
    names: dict[date, str] = {}
    for level in dates:
        for run in level.closed:
            for ahead in range((run.last_day - run.first_day).days + 1):
                names[run.first_day + timedelta(days=ahead)] = run.name
    return names


def _cell(calendar: Calendar, named: Mapping[date, str], on: date) -> DayCell:
    said = f"{on:%A} {on.day} {on:%B}"
    morning, afternoon = calendar.meets(on, "AM"), calendar.meets(on, "PM")
    if morning and afternoon:
        return DayCell(on, "open", f"{said}, school day")
    if morning or afternoon:
        why = named.get(on, "half day")
        return DayCell(on, "half", f"{said}, {'morning' if morning else 'afternoon'} only, {why}")
    if is_bank_holiday(on):
        return DayCell(on, "closed", f"{said}, bank holiday")
    if on in named:
        return DayCell(on, "closed", f"{said}, closed, {named[on]}")
    return DayCell(on, "away", f"{said}, not in term")
