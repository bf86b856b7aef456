"""Dates counted in a school's own days: notices to improve, marks of N left unexplained, part-time timetables.

Each answer is None where the school's calendar ends before the date, so that nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.rules import bank_holidays
from portal.rules.calendar import DAYS_IN_A_WEEK, Calendar, Session, week_of
from portal.rules.explanations import Fact, Source, counted, in_words, session_in_words
from portal.rules.marks import Marks, codes_held
from portal.rules.policy import (
    DEFAULT_POLICY,
    LONGEST_NOTICE_TO_IMPROVE,
    SHORTEST_NOTICE_TO_IMPROVE,
    DayKind,
    Policy,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

NOTICE_TO_IMPROVE_SOURCE = Source(
    "Working together to improve school attendance",
    "notices to improve: 3 to 6 school weeks",
    note="The authority's code sets the length and who issues it.",
)
UNEXPLAINED_SOURCE = Source(
    "SI 2024/208",
    "regulation 10(7) to (9): N is corrected within 5 school days",
    note="The July 2026 guidance also says 5 working days; the regulation is followed.",
)
PART_TIME_SOURCE = Source("SI 2024/208", "regulation 11(6): a temporary part-time timetable, agreed and dated")


@dataclass(frozen=True, slots=True)
class NoticeToImprove:
    """The period of a notice to improve: from its first school day to its last, in so many school weeks."""

    first_day: date
    last_day: date | None
    school_weeks: int
    school_days: int

    @property
    def sentence(self) -> str:
        """The period in plain words."""
        if self.last_day is None:
            return "The school's term dates end before this period would. Add the next term dates."
        return (
            f"The period runs from {in_words(self.first_day)} to {in_words(self.last_day)}: "
            f"{counted(self.school_weeks, 'school week')}, {counted(self.school_days, 'school day')}."
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The dates and lengths."""
        return (
            Fact("First day", in_words(self.first_day)),
            Fact("Last day", in_words(self.last_day) if self.last_day else "not known"),
            Fact("School weeks", str(self.school_weeks)),
            Fact("School days", str(self.school_days)),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The guidance."""
        return (NOTICE_TO_IMPROVE_SOURCE,)


def notice_to_improve(
    starts_on: date, calendar: Calendar, weeks: int | None = None, policy: Policy = DEFAULT_POLICY
) -> NoticeToImprove:
    """The period of a notice to improve that starts on a day, or on the first school day after it.

    Started on a week's first school day, it ends with the last of so many school weeks; started later in a week, on
    the last school day before the same weekday so many school weeks later. Raises ValueError outside 3 to 6 weeks.
    """
    length = policy.notice_to_improve_weeks if weeks is None else weeks
    if not SHORTEST_NOTICE_TO_IMPROVE <= length <= LONGEST_NOTICE_TO_IMPROVE:
        message = "A notice to improve runs for 3 to 6 school weeks."
        raise ValueError(message)
    first = calendar.school_day_after(starts_on - timedelta(days=1), 1)
    if first is None:
        return NoticeToImprove(starts_on, None, length, 0)
    ends_before = _same_weekday_later(first, calendar, length)
    if ends_before is None:
        return NoticeToImprove(first, None, length, 0)
    days = calendar.school_days((first, ends_before - timedelta(days=1)))
    return NoticeToImprove(first, days[-1], length, len(days))


def _same_weekday_later(on: date, calendar: Calendar, weeks: int) -> date | None:
    mondays = calendar.school_weeks()
    place = mondays.index(week_of(on)) + weeks
    # The last week of the calendar may be counted whole when the period starts on a week's first school day.
    starts_a_week = on == calendar.school_days((week_of(on), on))[0]
    if starts_a_week and place <= len(mondays):
        return mondays[place - 1] + timedelta(days=DAYS_IN_A_WEEK)
    return mondays[place] + timedelta(days=on.weekday()) if place < len(mondays) else None


@dataclass(frozen=True, slots=True)
class Unexplained:
    """Marks of N that stand on a day, each with the last day to correct it (None: beyond the calendar)."""

    as_at: date
    marks: tuple[tuple[Session, date | None], ...]

    @property
    def overdue(self) -> tuple[Session, ...]:
        """The sessions whose N should have been corrected by now; each becomes O if still unknown."""
        return tuple(session for session, last in self.marks if last is not None and last < self.as_at)

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        if not self.marks:
            return "No absence is waiting for a reason."
        return (
            f"{counted(len(self.marks), 'session').capitalize()} of absence with no reason yet, "
            f"{len(self.overdue)} past the time to find one."
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Each N and its last day."""
        return tuple(
            Fact(session_in_words(session).capitalize(), f"by {in_words(last)}" if last else "term dates end first")
            for session, last in self.marks
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The regulation."""
        return (UNEXPLAINED_SOURCE,)


def last_day_to_explain(on: date, calendar: Calendar, policy: Policy = DEFAULT_POLICY) -> date | None:
    """The last day to correct an N made on a day: the fifth school day after it, unless the policy counts otherwise."""
    if policy.unexplained_day_kind is DayKind.WORKING:
        return bank_holidays.working_day_after(on, policy.unexplained_days)
    return calendar.school_day_after(on, policy.unexplained_days)


def unexplained(marks: Marks, calendar: Calendar, as_at: date, policy: Policy = DEFAULT_POLICY) -> Unexplained:
    """The marks of N that stand up to a day, oldest first, and which are past their time."""
    found = [session for session, code in codes_held(marks, calendar) if code.letters == "N" and session[0] <= as_at]
    return Unexplained(as_at, tuple((session, last_day_to_explain(session[0], calendar, policy)) for session in found))


class PartTimeState(StrEnum):
    """Where a part-time timetable stands."""

    NOT_STARTED = "not started"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class PartTime:
    """An agreed temporary part-time timetable on a day: its state, school days left, and C2 marks outside its dates."""

    state: PartTimeState
    first_day: date
    last_day: date
    review_on: date
    as_at: date
    school_days_left: int
    outside: tuple[Session, ...]

    @property
    def review_due(self) -> bool:
        """Whether the review date has come while it runs."""
        return self.state is PartTimeState.RUNNING and self.as_at >= self.review_on

    @property
    def sentence(self) -> str:
        """The state in plain words."""
        said = {
            PartTimeState.NOT_STARTED: f"The part-time timetable starts on {in_words(self.first_day)}.",
            PartTimeState.RUNNING: (
                f"The part-time timetable ends on {in_words(self.last_day)}, "
                f"{counted(self.school_days_left, 'school day')} from now."
            ),
            PartTimeState.ENDED: f"The part-time timetable ended on {in_words(self.last_day)}.",
        }[self.state]
        if not self.outside:
            return said
        return f"{said} {counted(len(self.outside), 'mark').capitalize()} of C2 outside its dates."

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The agreed dates."""
        return (
            Fact("First day", in_words(self.first_day)),
            Fact("Review", in_words(self.review_on)),
            Fact("Last day", in_words(self.last_day)),
            *(Fact("C2 outside these dates", session_in_words(session)) for session in self.outside),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The regulation."""
        return (PART_TIME_SOURCE,)


def part_time_timetable(agreed: tuple[date, date], review_on: date, as_at: date, calendar: Calendar, marks: Marks) -> PartTime:
    """Where a timetable agreed from one day to another stands; both days are inside it."""
    first_day, last_day = agreed
    state = PartTimeState.RUNNING
    if as_at < first_day:
        state = PartTimeState.NOT_STARTED
    elif as_at > last_day:
        state = PartTimeState.ENDED
    used: Iterable[Session] = (session for session, code in codes_held(marks, calendar) if code.letters == "C2")
    outside = tuple(each for each in used if each[0] <= as_at and not first_day <= each[0] <= last_day)
    left = calendar.school_days_since(as_at, last_day)
    return PartTime(state, first_day, last_day, review_on, as_at, left, outside)
