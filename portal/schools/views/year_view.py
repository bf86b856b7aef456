"""An academic year at a glance: weeks across, Monday to Friday down, each day open or closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from portal.rules.bank_holidays import is_bank_holiday
from portal.rules.calendar import academic_year_name, academic_year_span, week_of
from portal.rules.date_words import short_month, weekday_without_year

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from portal.rules.calendar import Calendar
    from portal.schools.queries import Dates

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


@dataclass(frozen=True, slots=True)
class DayCell:
    """One day, with a sentence for screen readers in `words`.

    `look` is open, half, closed (inside a term's weeks) or away.
    """

    on: date
    look: str
    words: str


@dataclass(frozen=True, slots=True)
class YearView:
    """A year's weeks as columns. `months` pairs each month with the number of weeks starting in it."""

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
    """The year of a calendar. Closed days are named from `dates`, the authority's and the school's."""
    span = academic_year_span(year)
    between = (span.first_day, span.last_day)
    closed_names = _closed_names(dates)
    mondays = []
    monday = week_of(span.first_day)
    while monday <= span.last_day:
        mondays.append(monday)
        monday += timedelta(days=7)
    # August and a late July have no sessions: weeks at the end without any are left off.
    while mondays and not calendar.count((mondays[-1], mondays[-1] + timedelta(days=6))):
        mondays.pop()
    rows = tuple(
        (name, tuple(_cell(calendar, closed_names, monday + timedelta(days=weekday)) for monday in mondays))
        for weekday, name in enumerate(WEEKDAYS)
    )
    months = tuple((short_month(month), len(list(group))) for month, group in groupby(mondays, lambda on: on.replace(day=1)))
    return YearView(year, months, tuple(mondays), rows, len(calendar.school_days(between)), calendar.count(between))


def _closed_names(dates: Iterable[Dates]) -> Mapping[date, str]:
    names: dict[date, str] = {}
    for level in dates:
        for run in level.closed:
            for offset in range((run.last_day - run.first_day).days + 1):
                names[run.first_day + timedelta(days=offset)] = run.name
    return names


def _cell(calendar: Calendar, closed_names: Mapping[date, str], on: date) -> DayCell:
    day_words = weekday_without_year(on)
    morning, afternoon = calendar.meets(on, "AM"), calendar.meets(on, "PM")
    if morning and afternoon:
        return DayCell(on, "open", f"{day_words}, school day")
    if morning or afternoon:
        reason = closed_names.get(on, "half day")
        return DayCell(on, "half", f"{day_words}, {'morning' if morning else 'afternoon'} only, {reason}")
    if is_bank_holiday(on):
        return DayCell(on, "closed", f"{day_words}, bank holiday")
    if on in closed_names:
        return DayCell(on, "closed", f"{day_words}, closed, {closed_names[on]}")
    return DayCell(on, "away", f"{day_words}, not in term")
