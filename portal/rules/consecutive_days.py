"""Consecutive school days on which every session had marks of one kind, such as unauthorised absence.

A school day counts when every session the school met for that day qualifies. Days on which no session was possible
(closures, D, Q, X, Y) are passed over: they neither add to a run nor end it. A day on which some sessions qualify and
others don't is borderline, and one with marks missing and none that qualifies is unmarked. Both end a run, but a
person is shown a run that would be longer with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from portal.rules.calendar import HALVES
from portal.rules.codes import CODES_BY_SYMBOL
from portal.rules.policy import MixedDays, Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from portal.rules.calendar import Calendar
    from portal.rules.codes import Code
    from portal.rules.marks import Marks


class DayStatus(IntEnum):
    """How a school day counts in a run."""

    WHOLE = 1
    BORDERLINE = 2
    UNMARKED = 3
    NO = 4
    PASSED_OVER = 5


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive school days, in order of time."""

    days: tuple[date, ...]

    @property
    def length(self) -> int:
        """The number of school days."""
        return len(self.days)

    def reached_on(self, number: int) -> date | None:
        """The day on which the run became `number` days long. None if it is shorter."""
        return self.days[number - 1] if len(self.days) >= number else None


def day_status(codes: list[Code | None], qualifies: Callable[[Code], bool], policy: Policy) -> DayStatus:
    """How a day counts, from the codes of the sessions the school met for (None: no mark)."""
    possible = [code for code in codes if code is None or code.possible]
    if not possible:
        return DayStatus.PASSED_OVER
    qualifying = sum(code is not None and qualifies(code) for code in possible)
    if qualifying == len(codes) or (qualifying and policy.mixed_days is MixedDays.ONE_SESSION):
        return DayStatus.WHOLE
    if qualifying:
        return DayStatus.BORDERLINE
    return DayStatus.UNMARKED if None in possible else DayStatus.NO


def day_statuses(
    marks: Marks, calendar: Calendar, days: Iterable[date], qualifies: Callable[[Code], bool], policy: Policy
) -> list[tuple[date, DayStatus]]:
    """Each of the school days, with how it counts."""
    statuses = []
    for on in days:
        symbols = [marks.get((on, half)) for half in HALVES if calendar.meets(on, half)]
        codes = [None if symbol is None else CODES_BY_SYMBOL[symbol] for symbol in symbols]
        statuses.append((on, day_status(codes, qualifies, policy)))
    return statuses


def runs_of(statuses: Iterable[tuple[date, DayStatus]], *, with_borderline: bool = False) -> tuple[Run, ...]:
    """The runs of whole days, in order of time.

    With `with_borderline`, borderline days count as whole, and so do unmarked days between other days of a run. Unmarked
    days at its ends do not: days still to come have no marks and say nothing.
    """
    joining = {DayStatus.WHOLE, DayStatus.BORDERLINE, DayStatus.UNMARKED} if with_borderline else {DayStatus.WHOLE}
    runs: list[Run] = []
    current: list[tuple[date, DayStatus]] = []
    # The last pair is a sentinel that ends the last run.
    for on, status in (*statuses, (None, DayStatus.NO)):
        if on is not None and status in joining:
            current.append((on, status))
        elif status is not DayStatus.PASSED_OVER:
            marked = [index for index, pair in enumerate(current) if pair[1] is not DayStatus.UNMARKED]
            if marked:
                runs.append(Run(tuple(day for day, _ in current[marked[0] : marked[-1] + 1])))
            current = []
    return tuple(runs)
