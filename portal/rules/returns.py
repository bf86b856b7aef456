"""Statutory returns from school to local authority: which are due, since when, and why.

Attendance (10 school days' continuous unauthorised absence), sickness (15 days of illness in a school year), joint
enquiries (20 school days; or no return within 10 school days of granted leave) and a new pupil (5 days). School days
are those of the pupil's own school, of compulsory school age.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.rules.consecutive_days import DayStatus, Run, day_statuses, runs_of
from portal.rules.date_words import date_in_words
from portal.rules.explanations import Fact, Source, pluralise
from portal.rules.policy import DEFAULT_POLICY, Policy
from portal.rules.school_age import compulsory_school_age

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.rules.calendar import Between, Calendar
    from portal.rules.codes import Code
    from portal.rules.marks import Marks

#: In school days. `SOURCES` names the regulation behind each.
ATTENDANCE_DAYS = 10
SICKNESS_DAYS = 15
ENQUIRY_DAYS = 20
AFTER_LEAVE_DAYS = 10


class Return(StrEnum):
    """A return to the local authority, or enquiries the school makes with it."""

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
    """Whether one return is due for a pupil, since when, and the days counted.

    `borderline`: it is not due, but counting days with mixed or missing marks would make it due, so a person checks.
    `expected`: it is due because the school expects the number of days to be reached.
    """

    kind: Return
    due_since: date | None
    needed: int
    days: tuple[date, ...]
    borderline: bool = False
    expected: bool = False

    @property
    def due(self) -> bool:
        """Whether the return is due."""
        return self.due_since is not None

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        name = self.kind.capitalize()
        if self.due_since is not None:
            why = "the school expects it to be reached" if self.expected else f"{pluralise(len(self.days), 'school day')}"
            return f"{name}: due since {date_in_words(self.due_since)} ({why})."
        check = " Days with mixed or missing marks would make it due, so a person checks." if self.borderline else ""
        return f"{name}: not due ({pluralise(len(self.days), 'school day')}; {self.needed} are needed).{check}"

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The days counted."""
        between = f"{date_in_words(self.days[0])} to {date_in_words(self.days[-1])}" if self.days else "none"
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


def _statuses(
    record: PupilRecord, between: Between, qualifies: Callable[[Code], bool], policy: Policy
) -> list[tuple[date, DayStatus]]:
    age = compulsory_school_age(record.dob, last_friday_inside=policy.last_friday_inside)
    days = [on for on in record.calendar.school_days(between) if age.covers(on)]
    return day_statuses(record.marks, record.calendar, days, qualifies, policy)


def _longest(runs: tuple[Run, ...]) -> Run:
    return max(runs, key=lambda run: run.length, default=Run(()))


def _continuous_absence(kind: Return, needed: int, statuses: list[tuple[date, DayStatus]]) -> ReturnDue:
    runs = runs_of(statuses)
    # The first run that is long enough, not the longest: the return has been due since that run reached the number.
    first = next((run for run in runs if run.length >= needed), None)
    if first is not None:
        return ReturnDue(kind, first.reached_on(needed), needed, first.days)
    is_borderline = _longest(runs_of(statuses, with_borderline=True)).length >= needed
    return ReturnDue(kind, None, needed, _longest(runs).days, borderline=is_borderline)


def attendance_return(record: PupilRecord, between: Between, policy: Policy = DEFAULT_POLICY) -> ReturnDue:
    """Whether ten school days in a row were all G, N, O or U.

    If so, the return is due at the next agreed interval. Irregular attendance is a second ground, for a person to
    judge; it is not worked out here.
    """
    return _continuous_absence(Return.ATTENDANCE, ATTENDANCE_DAYS, _statuses(record, between, _is_unauthorised, policy))


def joint_enquiries(record: PupilRecord, between: Between, policy: Policy = DEFAULT_POLICY) -> ReturnDue:
    """Whether twenty school days in a row were all unauthorised, so that school and authority enquire together.

    Persistent absence is never a ground to delete a name from the roll, and nothing here deletes one.
    """
    return _continuous_absence(Return.ENQUIRIES, ENQUIRY_DAYS, _statuses(record, between, _is_unauthorised, policy))


def sickness_return(
    record: PupilRecord,
    between: Between,
    policy: Policy = DEFAULT_POLICY,
    *,
    expected_since: date | None = None,
) -> ReturnDue:
    """Whether fifteen school days of illness (code I) fall in a school year, consecutive or not.

    `between` is the school year. `expected_since` is the day the school recorded that it expects fifteen days to be
    reached: the return is due from then.
    """
    statuses = _statuses(record, between, _is_ill, policy)
    ill_days = tuple(on for on, status in statuses if status is DayStatus.WHOLE)
    reached_on = ill_days[SICKNESS_DAYS - 1] if len(ill_days) >= SICKNESS_DAYS else None
    if expected_since is not None and (reached_on is None or expected_since < reached_on):
        return ReturnDue(Return.SICKNESS, expected_since, SICKNESS_DAYS, ill_days, expected=True)
    mixed_days = sum(status is DayStatus.BORDERLINE for _, status in statuses)
    is_borderline = reached_on is None and len(ill_days) + mixed_days >= SICKNESS_DAYS
    return ReturnDue(Return.SICKNESS, reached_on, SICKNESS_DAYS, ill_days, borderline=is_borderline)


def no_return_after_leave(record: PupilRecord, leave_ended_on: date, as_at: date, policy: Policy = DEFAULT_POLICY) -> ReturnDue:
    """Whether the pupil missed every one of the ten school days after granted leave, as at a day."""
    statuses = _statuses(record, (leave_ended_on + timedelta(days=1), as_at), _is_absent, policy)
    absence, possible_absence = _run_from_first_day(statuses), _run_from_first_day(statuses, with_borderline=True)
    reached_on = absence.reached_on(AFTER_LEAVE_DAYS)
    is_borderline = reached_on is None and possible_absence.length >= AFTER_LEAVE_DAYS
    return ReturnDue(Return.AFTER_LEAVE, reached_on, AFTER_LEAVE_DAYS, absence.days, borderline=is_borderline)


def _run_from_first_day(statuses: list[tuple[date, DayStatus]], *, with_borderline: bool = False) -> Run:
    # A run that starts later does not count, because the pupil came back first.
    possible_days = [on for on, status in statuses if status is not DayStatus.PASSED_OVER]
    run = next(iter(runs_of(statuses, with_borderline=with_borderline)), Run(()))
    return run if run.days and run.days[0] == possible_days[0] else Run(())


@dataclass(frozen=True, slots=True)
class NewPupilReturn:
    """The return for a pupil added to the register, and the day it is due.

    `due_by` is None for a pupil who joined at the normal start of the school's first year, where none is needed.
    """

    added_on: date
    due_by: date | None

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        if self.due_by is None:
            return "No return: the pupil joined at the normal start of the school's first year."
        return f"The new pupil return is due by {date_in_words(self.due_by)}."

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The day added and the day due."""
        return (
            Fact("Added to the register", date_in_words(self.added_on)),
            Fact("Due by", date_in_words(self.due_by) if self.due_by else "no return"),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The regulation."""
        return (SOURCES[Return.NEW_PUPIL],)


def new_pupil_return(added_on: date, *, at_normal_start: bool, policy: Policy = DEFAULT_POLICY) -> NewPupilReturn:
    """The return about a new pupil, due within five days unless the pupil joined at the normal start."""
    return NewPupilReturn(added_on, None if at_normal_start else added_on + timedelta(days=policy.new_pupil_days))
