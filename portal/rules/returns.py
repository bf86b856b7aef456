"""Statutory returns from school to local authority, worked out from the marks: what is due, since when, and why.

Attendance (10 school days' continuous unauthorised absence), sickness (15 days of illness in a school year), joint
enquiries (20 school days; or no return within 10 school days of granted leave) and a new pupil (5 days). School days
are those of the pupil's own school, of compulsory school age.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.rules.explanations import Fact, Source, counted, in_words
from portal.rules.policy import DEFAULT_POLICY, Policy
from portal.rules.runs import Day, Run, days_of_kind, runs_of
from portal.rules.school_age import compulsory_school_age

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.rules.calendar import Between, Calendar
    from portal.rules.codes import Code
    from portal.rules.marks import Marks

ATTENDANCE_DAYS = 10
SICKNESS_DAYS = 15
ENQUIRY_DAYS = 20
AFTER_LEAVE_DAYS = 10


class Return(StrEnum):
    """What a school tells the local authority, or does with it."""

    ATTENDANCE = "attendance return"
    SICKNESS = "sickness return"
    ENQUIRIES = "joint reasonable enquiries"
    AFTER_LEAVE = "joint reasonable enquiries after leave"
    NEW_PUPIL = "new pupil return"


SOURCES = {
    Return.ATTENDANCE: Source("SI 2024/208", "attendance returns: at least monthly", note="Interval agreed locally."),
    Return.SICKNESS: Source("SI 2024/208", "sickness returns: 15 days, consecutive or cumulative, in a school year"),
    Return.ENQUIRIES: Source("SI 2024/208", "regulation 9: 20 school days' continuous unauthorised absence"),
    Return.AFTER_LEAVE: Source("SI 2024/208", "regulation 9: no return within 10 school days after granted leave"),
    Return.NEW_PUPIL: Source("SI 2024/208", "new pupils: within 5 days", note="Regulation number to be confirmed."),
}


@dataclass(frozen=True, slots=True)
class PupilRecord:
    """One pupil at one school: date of birth, the school's calendar, and the marks that stand."""

    dob: date
    calendar: Calendar
    marks: Marks


@dataclass(frozen=True, slots=True)
class ReturnDue:
    """Whether one return is due for a pupil, since when, and the days it rests on.

    `borderline` says that counting days with mixed or missing marks would make it due: a person looks.
    """

    kind: Return
    due_since: date | None
    needed: int
    days: tuple[date, ...]
    borderline: bool = False
    expected: bool = False

    @property
    def due(self) -> bool:
        """Whether it is due."""
        return self.due_since is not None

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        named = self.kind.capitalize()
        if self.due_since is not None:
            why = "the school expects it to be reached" if self.expected else f"{counted(len(self.days), 'school day')}"
            return f"{named}: due since {in_words(self.due_since)} ({why})."
        close = " Days with mixed or missing marks would make it due, so a person checks." if self.borderline else ""
        return f"{named}: not due ({counted(len(self.days), 'school day')}; {self.needed} are needed).{close}"

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The days counted."""
        between = f"{in_words(self.days[0])} to {in_words(self.days[-1])}" if self.days else "none"
        return (
            Fact("School days counted", str(len(self.days))),
            Fact("School days needed", str(self.needed)),
            Fact("From and to", between),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The regulation."""
        return (SOURCES[self.kind],)


def _is_unauthorised(code: Code) -> bool:
    return code.threshold


def _is_ill(code: Code) -> bool:
    return code.sickness


def _is_absent(code: Code) -> bool:
    return code.absent


def _days(record: PupilRecord, between: Between, qualifies: Callable[[Code], bool], policy: Policy) -> list[tuple[date, Day]]:
    age = compulsory_school_age(record.dob, last_friday_inside=policy.last_friday_inside)
    of_age = [on for on in record.calendar.school_days(between) if age.covers(on)]
    return days_of_kind(record.marks, record.calendar, of_age, qualifies, policy)


def _longest(runs: tuple[Run, ...]) -> Run:
    return max(runs, key=lambda run: run.length, default=Run(()))


def _continuous(kind: Return, needed: int, days: list[tuple[date, Day]]) -> ReturnDue:
    runs = runs_of(days)
    first = next((run for run in runs if run.length >= needed), None)
    if first is not None:
        return ReturnDue(kind, first.reached_on(needed), needed, first.days)
    close = _longest(runs_of(days, with_borderline=True)).length >= needed
    return ReturnDue(kind, None, needed, _longest(runs).days, borderline=close)


def attendance_return(record: PupilRecord, between: Between, policy: Policy = DEFAULT_POLICY) -> ReturnDue:
    """Whether ten school days one after another were all G, N, O or U: due at the next agreed interval.

    Irregular attendance is a second ground, for a person to judge; it is not worked out here.
    """
    days = _days(record, between, _is_unauthorised, policy)
    return _continuous(Return.ATTENDANCE, ATTENDANCE_DAYS, days)


def joint_enquiries(record: PupilRecord, between: Between, policy: Policy = DEFAULT_POLICY) -> ReturnDue:
    """Whether twenty school days one after another were all unauthorised: school and authority enquire together.

    Being persistently absent is never a ground to delete a name, and nothing here deletes one.
    """
    days = _days(record, between, _is_unauthorised, policy)
    return _continuous(Return.ENQUIRIES, ENQUIRY_DAYS, days)


def sickness_return(
    record: PupilRecord,
    between: Between,
    policy: Policy = DEFAULT_POLICY,
    *,
    expected_since: date | None = None,
) -> ReturnDue:
    """Whether fifteen school days of illness (code I), together or apart, fall in the days given: one school year.

    `expected_since` is the day the school recorded that it expects fifteen days to be reached: due from then.
    """
    days = _days(record, between, _is_ill, policy)
    whole = tuple(on for on, kind in days if kind is Day.WHOLE)
    reached = whole[SICKNESS_DAYS - 1] if len(whole) >= SICKNESS_DAYS else None
    if expected_since is not None and (reached is None or expected_since < reached):
        return ReturnDue(Return.SICKNESS, expected_since, SICKNESS_DAYS, whole, expected=True)
    part = sum(kind is Day.BORDERLINE for _, kind in days)
    close = reached is None and len(whole) + part >= SICKNESS_DAYS
    return ReturnDue(Return.SICKNESS, reached, SICKNESS_DAYS, whole, borderline=close)


def no_return_after_leave(record: PupilRecord, leave_ended_on: date, as_at: date, policy: Policy = DEFAULT_POLICY) -> ReturnDue:
    """Whether the pupil has missed each of the ten school days after granted leave ended, up to a day."""
    days = _days(record, (leave_ended_on + timedelta(days=1), as_at), _is_absent, policy)
    away, perhaps = _from_the_first(days), _from_the_first(days, with_borderline=True)
    reached = away.reached_on(AFTER_LEAVE_DAYS)
    close = reached is None and perhaps.length >= AFTER_LEAVE_DAYS
    return ReturnDue(Return.AFTER_LEAVE, reached, AFTER_LEAVE_DAYS, away.days, borderline=close)


def _from_the_first(days: list[tuple[date, Day]], *, with_borderline: bool = False) -> Run:
    counted_days = [on for on, kind in days if kind is not Day.PASSED_OVER]
    run = next(iter(runs_of(days, with_borderline=with_borderline)), Run(()))
    return run if run.days and run.days[0] == counted_days[0] else Run(())


@dataclass(frozen=True, slots=True)
class NewPupilReturn:
    """The return for a name added outside the normal start of the school's first year."""

    added_on: date
    due_by: date | None

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        if self.due_by is None:
            return "No return: the pupil joined at the normal start of the school's first year."
        return f"The new pupil return is due by {in_words(self.due_by)}."

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The day added and the day due."""
        return (
            Fact("Added to the register", in_words(self.added_on)),
            Fact("Due by", in_words(self.due_by) if self.due_by else "no return"),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The regulation."""
        return (SOURCES[Return.NEW_PUPIL],)


def new_pupil_return(added_on: date, *, at_normal_start: bool, policy: Policy = DEFAULT_POLICY) -> NewPupilReturn:
    """By when the authority is told of a new pupil: within five days, unless the pupil joined at the normal start."""
    return NewPupilReturn(added_on, None if at_normal_start else added_on + timedelta(days=policy.new_pupil_days))
