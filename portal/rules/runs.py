"""School days one after another: runs of days on which every session of a kind was missed.

A school day counts when every session the school met for that day qualifies. Days on which no session was possible
(closures, D, Q, X, Y) are passed over: they neither add to a run nor end it. A day on which some sessions qualify and
others don't is borderline, and one with marks missing and none that qualifies is unmarked: both end a run, and a run
that would be longer with them is shown to a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from portal.rules.calendar import HALVES
from portal.rules.codes import BY_LETTERS
from portal.rules.policy import MixedDays, Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from portal.rules.calendar import Calendar
    from portal.rules.codes import Code
    from portal.rules.marks import Marks


class Day(IntEnum):
    """What a school day is to a run."""

    WHOLE = 1
    BORDERLINE = 2
    UNMARKED = 3
    NO = 4
    PASSED_OVER = 5


@dataclass(frozen=True, slots=True)
class Run:
    """School days one after another, in order of time."""

    days: tuple[date, ...]

    @property
    def length(self) -> int:
        """How many school days."""
        return len(self.days)

    def reached_on(self, number: int) -> date | None:
        """The day on which the run became so many days long; None if it is shorter."""
        return self.days[number - 1] if len(self.days) >= number else None


def day_kind(codes: list[Code | None], qualifies: Callable[[Code], bool], policy: Policy) -> Day:
    """What a day is to a run, from the codes of the sessions the school met for (None: no mark)."""
    possible = [code for code in codes if code is None or code.possible]
    if not possible:
        return Day.PASSED_OVER
    qualifying = sum(code is not None and qualifies(code) for code in possible)
    if qualifying == len(codes) or (qualifying and policy.mixed_days is MixedDays.ONE_SESSION):
        return Day.WHOLE
    if qualifying:
        return Day.BORDERLINE
    return Day.UNMARKED if None in possible else Day.NO


def days_of_kind(
    marks: Marks, calendar: Calendar, days: Iterable[date], qualifies: Callable[[Code], bool], policy: Policy
) -> list[tuple[date, Day]]:
    """Each school day given, with what it is to a run."""
    found = []
    for on in days:
        letters = [marks.get((on, half)) for half in HALVES if calendar.meets(on, half)]
        codes = [None if each is None else BY_LETTERS[each] for each in letters]
        found.append((on, day_kind(codes, qualifies, policy)))
    return found


def runs_of(days: Iterable[tuple[date, Day]], *, with_borderline: bool = False) -> tuple[Run, ...]:
    """The runs of whole days, in order of time.

    When asked, borderline days are taken as whole, and so are unmarked days between others of a run, but not at its
    ends: days still to come have no marks and say nothing.
    """
    inside = {Day.WHOLE, Day.BORDERLINE, Day.UNMARKED} if with_borderline else {Day.WHOLE}
    runs: list[Run] = []
    current: list[tuple[date, Day]] = []
    for on, kind in (*days, (None, Day.NO)):
        if on is not None and kind in inside:
            current.append((on, kind))
        elif kind is not Day.PASSED_OVER:
            marked = [place for place, (_, each) in enumerate(current) if each is not Day.UNMARKED]
            if marked:
                runs.append(Run(tuple(each for each, _ in current[marked[0] : marked[-1] + 1])))
            current = []
    return tuple(runs)
