"""A sheet: one school's pages of one academic year side by side, with who is on each line and when the school met."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from portal.registers.pages import SESSIONS, Days, Marks, only, session_days, side_by_side
from portal.rules.calendar import SEPTEMBER
from portal.rules.school_age import FIFTH, SIXTEENTH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from portal.pupils.rolls import Roll
    from portal.rules.calendar import Calendar

Mask = NDArray[np.bool_]

YOUNGEST, OLDEST = 5, 15


@dataclass(frozen=True)
class Sheet:
    """`marks` is lines by (weeks x 14); row n is roll line n + 1; `weeks` are Mondays in order."""

    school_id: UUID
    academic_year: int
    weeks: tuple[date, ...]
    marks: Marks
    roll: Roll
    calendar: Calendar

    @cached_property
    def days(self) -> Days:
        """The day of each column."""
        return session_days(self.weeks)

    @cached_property
    def met(self) -> Mask:
        """For each column: does the school's calendar hold a session there?"""
        return met_in(self.calendar, self.weeks)

    @cached_property
    def counted(self) -> Marks:
        """The marks that count: those on the school's own sessions. The calendar alone decides what is a session."""
        return only(self.marks, self.met)

    @cached_property
    def week_numbers(self) -> NDArray[np.int64]:
        """For each column, its week's place among all the school's weeks (0, 1, …), or -1 where the school did not meet."""
        return week_places(self.calendar, self.weeks, self.met)

    @cached_property
    def on_roll(self) -> Mask:
        """Lines by columns: was this pupil on roll that day?"""
        return within(self.days, self.roll.on_from, self.roll.on_until)

    @cached_property
    def headline(self) -> Mask:
        """Lines of DfE's headline population: aged 5 to 15 on 31 August before the year."""
        return headline_lines(self.roll.date_of_birth, self.academic_year)

    @cached_property
    def headline_cells(self) -> Mask:
        """Lines by columns that count in headline figures: the population, less Year 11 after the May half term."""
        cells = np.repeat(self.headline[:, None], self.days.size, axis=1)
        lines, after = self.cut
        cells[np.ix_(lines, np.flatnonzero(after))] = False
        return cells

    @cached_property
    def cut(self) -> tuple[NDArray[np.intp], Mask]:
        """Lines of the headline population's Year 11, and the columns after the May half term, which do not count for them."""
        oldest = self.headline & (self.roll.date_of_birth <= _born(self.academic_year - OLDEST))
        return np.flatnonzero(oldest), self.days >= np.datetime64(second_half_of_summer(self.calendar, self.academic_year))

    @cached_property
    def headline_marks(self) -> Marks:
        """The marks that count in headline figures, 0 elsewhere."""
        return only(self.counted, self.headline_cells)

    def columns(self, between: tuple[date, date]) -> Mask:
        """Columns whose day lies within `between`, both ends included."""
        first, last = (np.datetime64(day) for day in between)
        return (self.days >= first) & (self.days <= last)


def with_weeks(sheet: Sheet, pages: Mapping[date, Marks]) -> Sheet:
    """The sheet as it would be with these pages in place of its own."""
    own = {week: sheet.marks[:, place * SESSIONS : (place + 1) * SESSIONS] for place, week in enumerate(sheet.weeks)}
    both = {**own, **pages}
    weeks = tuple(sorted(both))
    marks = side_by_side([(week, both[week]) for week in weeks], len(sheet.roll))
    return replace(sheet, weeks=weeks, marks=marks)


def within(days: Days, first: Days, last: Days) -> Mask:
    """Lines by columns: does the column's day lie between the line's first and last, both included? NaT as a last is no end."""
    begins, ends = np.searchsorted(days, first), np.searchsorted(days, last, side="right")
    inside = np.ones((begins.size, days.size), dtype=bool)
    partly, column = np.flatnonzero((begins > 0) | (ends < days.size)), np.arange(days.size)
    inside[partly] = (column >= begins[partly, None]) & (column < ends[partly, None])
    return inside


def week_places(calendar: Calendar, weeks: Sequence[date], met: Mask) -> NDArray[np.int64]:
    """For each column of weeks side by side, its week's place among the calendar's weeks, or -1 where the school did not meet."""
    numbers = calendar.week_numbers()
    places = np.array([numbers.get(week, -1) for week in weeks], dtype=np.int64)
    return np.where(met, np.repeat(places, SESSIONS), -1)


def met_in(calendar: Calendar, weeks: Sequence[date]) -> Mask:
    """For each column of weeks side by side: does the calendar hold a session there?"""
    places = np.array([week.toordinal() * 2 for week in weeks], dtype=np.int64)[:, None] + np.arange(SESSIONS)
    return np.isin(places.ravel(), np.array(calendar.places, dtype=np.int64))


def school_age(born: Days) -> tuple[Days, Days]:
    """The first and last days of compulsory school age for each date of birth: `rules.school_age`, for all lines at once."""
    month = born.astype("datetime64[M]").astype(np.int64)
    year, month = month // 12 + 1970, month % 12 + 1
    spring, summer = month <= 3, month <= 8  # noqa: PLR2004  31 March, 31 August, else 31 December
    fifth = year + FIFTH
    prescribed = np.select([spring, summer], [_day(fifth, 3, 31), _day(fifth, 8, 31)], _day(fifth, 12, 31))
    june = _day(year + SIXTEENTH + (month >= SEPTEMBER), 6, 30)
    return prescribed, june - (june.astype(np.int64) - 1) % 7


def _day(year: NDArray[np.int64], month: int, day: int) -> Days:
    months = (year - 1970) * 12 + month - 1
    return months.astype("datetime64[M]").astype("datetime64[D]") + (day - 1)


def _born(year: int) -> np.datetime64:
    return np.datetime64(date(year, 8, 31))


def headline_lines(born: Days, academic_year: int) -> Mask:
    """Aged 5 to 15 on 31 August before `academic_year` (DfE, Pupil absence in schools: methodology)."""
    return (born <= _born(academic_year - YOUNGEST)) & (born > _born(academic_year - OLDEST - 1))


def second_half_of_summer(calendar: Calendar, academic_year: int) -> date:
    """The school day after the May half term: the day that ends the longest gap around the spring bank holiday.

    With no school day in those weeks, 1 June.
    """
    fallback = date(academic_year + 1, 6, 1)
    days = calendar.school_days((date(academic_year + 1, 5, 18), date(academic_year + 1, 6, 12)))
    gaps = [(after - before, after) for before, after in itertools.pairwise(days)]
    if not gaps:
        return fallback
    longest = max(gap for gap, _ in gaps)
    return next(day for gap, day in gaps if gap == longest)
