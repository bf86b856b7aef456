"""Terms and half terms, found from the days a school meets, however its term dates are written.

A week belongs whole to the academic year of its Sunday. Autumn ends on 31 December. Summer begins with the first school
day after the longest run of days without a session that begins between 15 March and 30 April, the first of equals.
Spring lies between. A term falls into halves at a run of at least five weekdays without any session.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from portal.rules.calendar import DAYS_IN_A_WEEK, SATURDAY, SEPTEMBER, Span, register_year, week_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.rules.calendar import Calendar

#: The days between which the run of days begins that ends with the summer term, as (month, day).
EARLIEST_EASTER_BREAK = (3, 15)
LATEST_EASTER_BREAK = (4, 30)
#: The fewest weekdays in a row without a session that part a term into halves.
HALF_TERM_WEEKDAYS = 5
#: Year 11's last day in the headline figures where the summer term has no second half, as (month, day).
YEAR_11_ENDS = (5, 31)
ONE_DAY = timedelta(days=1)


class Term(StrEnum):
    """The three terms of an academic year, in order."""

    AUTUMN = "autumn"
    SPRING = "spring"
    SUMMER = "summer"


@dataclass(frozen=True, slots=True)
class HalfTerm:
    """Half of a term, from its first to its last school day. `half` is 1 or 2."""

    academic_year: int
    term: Term
    half: int
    first_day: date
    last_day: date

    @property
    def name(self) -> str:
        """The half term's name, such as 2026-summer-2 for June and July 2027."""
        return f"{self.academic_year}-{self.term}-{self.half}"

    def covers(self, on: date) -> bool:
        """Whether the day lies between the first and the last school day."""
        return self.first_day <= on <= self.last_day


def year_of_weeks(year: int) -> Span:
    """The days of the whole weeks that belong to an academic year: those whose Sunday lies in it."""
    first_day, after = (week_of(date(number, SEPTEMBER, 1)) for number in (year, year + 1))
    return Span(first_day, after - ONE_DAY)


def half_terms(calendar: Calendar, year: int) -> tuple[HalfTerm, ...]:
    """The half terms of an academic year in which the school meets, in order of time."""
    span = year_of_weeks(year)
    days = calendar.school_days((span.first_day, span.last_day))
    summer = _first_day_of_summer(days, year)
    terms: dict[Term, list[date]] = {term: [] for term in Term}
    for on in days:
        terms[_term_of(on, year, summer)].append(on)
    return tuple(
        HalfTerm(year, term, half, half_days[0], half_days[-1])
        for term, term_days in terms.items()
        for half, half_days in enumerate(_halves(term_days), 1)
    )


def half_term_of(on: date, calendar: Calendar) -> HalfTerm | None:
    """The half term in which a day lies. None outside the first and last school days of each."""
    halves = half_terms(calendar, register_year(week_of(on)))
    return next((half_term for half_term in halves if half_term.covers(on)), None)


def year_11_last_day(calendar: Calendar, year: int) -> date:
    """The last day on which DfE's headline figures count a pupil of Year 11.

    It is the last school day of the summer term's first half. Without a second half it is 31 May.
    """
    halves = {(half_term.term, half_term.half): half_term for half_term in half_terms(calendar, year)}
    if (Term.SUMMER, 2) in halves:
        return halves[Term.SUMMER, 1].last_day
    return date(year + 1, *YEAR_11_ENDS)


def _term_of(on: date, year: int, summer: date | None) -> Term:
    if on <= date(year, 12, 31):
        return Term.AUTUMN
    return Term.SPRING if summer is None or on < summer else Term.SUMMER


def _first_day_of_summer(days: Sequence[date], year: int) -> date | None:
    """The first day of the summer term; None when no run of free days leads to one.

    The run after the year's last school day is one of them. A calendar that ends in spring so has no summer term, where
    the weekend before would otherwise begin one.
    """
    earliest, latest = (date(year + 1, *day) for day in (EARLIEST_EASTER_BREAK, LATEST_EASTER_BREAK))
    runs: list[tuple[timedelta, date | None]] = []
    for on, back_on in pairwise((*days, None)):
        if on is None or back_on == on + ONE_DAY or not earliest <= on + ONE_DAY <= latest:
            continue
        runs.append((timedelta.max if back_on is None else back_on - on, back_on))
    # max keeps the first of equals.
    return max(runs, key=lambda run: run[0], default=(timedelta(0), None))[1]


def _halves(days: Sequence[date]) -> tuple[Sequence[date], ...]:
    """A term's school days in one part or two."""
    if not days:
        return ()
    middle = days[0].toordinal() + days[-1].toordinal()
    splits: list[tuple[int, int]] = []
    for index, (on, back_on) in enumerate(pairwise(days), 1):
        weekdays = _weekdays_between(on, back_on)
        if len(weekdays) >= HALF_TERM_WEEKDAYS:
            # Both middles are doubled, so that a half day decides as well as a whole one.
            splits.append((abs(weekdays[0] + weekdays[-1] - middle), index))
    if not splits:
        return (days,)
    # min of the pairs: of two runs equally near the middle, the earlier.
    _, split = min(splits)
    return (days[:split], days[split:])


def _weekdays_between(on: date, back_on: date) -> list[int]:
    """The ordinals of the Mondays to Fridays between two days, neither included."""
    between = range(on.toordinal() + 1, back_on.toordinal())
    # Ordinal 1 (1 January of year 1) was a Monday.
    return [ordinal for ordinal in between if (ordinal - 1) % DAYS_IN_A_WEEK < SATURDAY]
