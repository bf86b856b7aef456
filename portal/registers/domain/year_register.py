"""A year register: a school's pages of one academic year side by side.

It joins the marks with the roll (who is on each line) and the calendar (when the school met).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from portal.registers.domain.pages import SESSIONS, Days, Marks, is_mark, masked, session_days, side_by_side
from portal.rules.calendar import SEPTEMBER
from portal.rules.half_terms import year_11_last_day
from portal.rules.measures import HEADLINE_AGES
from portal.rules.school_age import LEAVING_BIRTHDAY, START_BIRTHDAY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from portal.pupils.domain.rolls import Roll
    from portal.rules.calendar import Calendar

Mask = NDArray[np.bool_]

YOUNGEST, OLDEST = HEADLINE_AGES[0], HEADLINE_AGES[-1]


@dataclass(frozen=True)
class YearRegister:
    """`marks` is lines by (weeks x 14). Row n is roll line n + 1.

    `weeks` are Mondays in order, those with a page only.
    """

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
        """For each column: does the school's calendar have a session there?"""
        return meets_in(self.calendar, self.weeks)

    @cached_property
    def counted(self) -> Marks:
        """The marks that count: those on the school's own sessions, within the pupil's days on roll.

        The calendar alone decides what is a session. Other marks stay on the page and are never counted, # and Z too.
        """
        return masked(self.marks, is_mark(self.marks) & self.on_roll & self.met)

    @cached_property
    def week_numbers(self) -> NDArray[np.int64]:
        """For each column, the index of its week among all the school's weeks (0, 1, …).

        -1 where the school did not meet. Weeks without a page are numbered too.
        """
        return week_indices(self.calendar, self.days, self.met)

    @cached_property
    def on_roll(self) -> Mask:
        """Lines by columns: was the pupil on roll that day?"""
        return days_within(self.days, self.roll.on_from, self.roll.on_until)

    @cached_property
    def headline(self) -> Mask:
        """The lines of DfE's headline population: aged 5 to 15 on 31 August before the year."""
        return headline_lines(self.roll.date_of_birth, self.academic_year)

    @cached_property
    def headline_cells(self) -> Mask:
        """The cells that count in headline figures, lines by columns."""
        cells = np.repeat(self.headline[:, None], self.days.size, axis=1)
        lines, after_last_day = self.year_11_cut
        cells[np.ix_(lines, np.flatnonzero(after_last_day))] = False
        return cells

    @cached_property
    def year_11_cut(self) -> tuple[NDArray[np.intp], Mask]:
        """The headline lines of Year 11, and the columns in which DfE does not count them.

        They are those after the first half of the summer term (`rules.half_terms`).
        """
        oldest = self.headline & (self.roll.date_of_birth <= _end_of_august(self.academic_year - OLDEST))
        return np.flatnonzero(oldest), self.days > np.datetime64(year_11_last_day(self.calendar, self.academic_year))

    @cached_property
    def headline_marks(self) -> Marks:
        """The marks that count in headline figures, 0 elsewhere."""
        return masked(self.counted, self.headline_cells)

    def columns(self, between: tuple[date, date]) -> Mask:
        """The columns whose day lies in `between`, both ends included."""
        first, last = (np.datetime64(day) for day in between)
        return (self.days >= first) & (self.days <= last)


def with_weeks(register: YearRegister, replacements: Mapping[date, Marks]) -> YearRegister:
    """The year register as it would be with these pages in place of its own."""
    own_pages = {week: register.marks[:, index * SESSIONS : (index + 1) * SESSIONS] for index, week in enumerate(register.weeks)}
    merged = {**own_pages, **replacements}
    weeks = tuple(sorted(merged))
    marks = side_by_side([(week, merged[week]) for week in weeks], len(register.roll))
    return replace(register, weeks=weeks, marks=marks)


def days_within(days: Days, first: Days, last: Days) -> Mask:
    """Lines by columns: does the column's day lie between the line's first and last day?

    Both ends are included, and NaT as the last day means no end.
    """
    start, stop = np.searchsorted(days, first), np.searchsorted(days, last, side="right")
    # Most lines cover every day of the year: only the others are compared cell by cell.
    inside = np.ones((start.size, days.size), dtype=bool)
    partial, column = np.flatnonzero((start > 0) | (stop < days.size)), np.arange(days.size)
    inside[partial] = (column >= start[partial, None]) & (column < stop[partial, None])
    return inside


def marks_on_roll(marks: Marks, days: Days, roll: Roll) -> Marks:
    """The marks made while each line's pupil was on roll. # and Z are no marks."""
    return masked(marks, is_mark(marks) & days_within(days, roll.on_from, roll.on_until))


def week_indices(calendar: Calendar, days: Days, met: Mask, *, starts_on: int = 0) -> NDArray[np.int64]:
    """For each column, the index of its day's week among all the school's weeks.

    -1 where the school did not meet.
    """
    firsts = np.array([first.toordinal() for first in calendar.week_numbers(starts_on=starts_on)], dtype=np.int64)
    indices = np.searchsorted(firsts, ordinals(days), side="right") - 1
    return np.where(met, indices, -1)


def ordinals(days: Days) -> NDArray[np.int64]:
    """Each day as `date.toordinal` numbers it."""
    return days.astype(np.int64) + date(1970, 1, 1).toordinal()


def meets_in(calendar: Calendar, weeks: Sequence[date]) -> Mask:
    """For each column of weeks side by side: does the calendar have a session there?"""
    half_days = np.array([week.toordinal() * 2 for week in weeks], dtype=np.int64)[:, None] + np.arange(SESSIONS)
    return np.isin(half_days.ravel(), np.array(calendar.ordinals, dtype=np.int64))


def school_age(born: Days, *, last_friday_inside: bool = True) -> tuple[Days, Days]:
    """The first and last day of compulsory school age for each date of birth.

    The rule is `rules.school_age`, here for all lines at once.
    """
    month = born.astype("datetime64[M]").astype(np.int64)
    year, month = month // 12 + 1970, month % 12 + 1
    spring, summer = month <= 3, month <= 8  # until 31 March, until 31 August, else until 31 December
    fifth = year + START_BIRTHDAY
    prescribed = np.select([spring, summer], [_day(fifth, 3, 31), _day(fifth, 8, 31)], _day(fifth, 12, 31))
    june = _day(year + LEAVING_BIRTHDAY + (month >= SEPTEMBER), 6, 30)
    last_friday = june - (june.astype(np.int64) - 1) % 7  # day 1 (2 January 1970) was a Friday
    return prescribed, last_friday if last_friday_inside else last_friday - 1


def _day(year: NDArray[np.int64], month: int, day: int) -> Days:
    months = (year - 1970) * 12 + month - 1
    return months.astype("datetime64[M]").astype("datetime64[D]") + (day - 1)


def _end_of_august(year: int) -> np.datetime64:
    return np.datetime64(date(year, 8, 31))


def headline_lines(born: Days, academic_year: int) -> Mask:
    """Aged 5 to 15 on 31 August before `academic_year` (DfE, Pupil absence in schools: methodology)."""
    return (born <= _end_of_august(academic_year - YOUNGEST)) & (born > _end_of_august(academic_year - OLDEST - 1))
