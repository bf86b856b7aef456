"""A sheet: one school's pages of one academic year side by side, with who is on each line and when the school met."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from portal.registers.pages import SESSIONS, Days, Marks, session_days
from portal.rules.calendar import HALVES

if TYPE_CHECKING:
    from uuid import UUID

    from portal.pupils.queries import Roll
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
        every = [week + timedelta(days=ahead) for week in self.weeks for ahead in range(SESSIONS // 2)]
        return np.array([self.calendar.meets(day, half) for day in every for half in HALVES], dtype=bool)

    @cached_property
    def on_roll(self) -> Mask:
        """Lines by columns: was this pupil on roll that day?"""
        start, end = self.roll.on_from[:, None], self.roll.on_until[:, None]
        return (start <= self.days) & (np.isnat(end) | (end >= self.days))

    @cached_property
    def headline(self) -> Mask:
        """Lines of DfE's headline population: aged 5 to 15 on 31 August before the year."""
        return headline_lines(self.roll.date_of_birth, self.academic_year)

    @cached_property
    def headline_cells(self) -> Mask:
        """Lines by columns that count in headline figures: the population, less Year 11 after the May half term."""
        oldest = self.roll.date_of_birth <= _born(self.academic_year - OLDEST)
        after = self.days >= np.datetime64(second_half_of_summer(self.calendar, self.academic_year))
        return self.headline[:, None] & ~(oldest[:, None] & after)

    def columns(self, between: tuple[date, date]) -> Mask:
        """Columns whose day lies within `between`, both ends included."""
        first, last = (np.datetime64(day) for day in between)
        return (self.days >= first) & (self.days <= last)


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
