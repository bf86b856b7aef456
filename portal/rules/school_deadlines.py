"""Dates counted in a school's own days: notices to improve, marks of N left unexplained, part-time timetables.

A date is None where the school's calendar ends before it, so that nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from portal.rules import bank_holidays
from portal.rules.calendar import DAYS_IN_A_WEEK, Calendar, Session, week_of
from portal.rules.date_words import date_in_words
from portal.rules.explanations import Fact, Source, pluralise, session_in_words
from portal.rules.marks import Marks, coded_sessions
from portal.rules.policy import (
    DEFAULT_POLICY,
    LONGEST_NOTICE_TO_IMPROVE,
    SHORTEST_NOTICE_TO_IMPROVE,
    DayKind,
    Policy,
)

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
    """The period of a notice to improve, from its first school day to its last.

    `last_day` is None when the school's term dates end before the period does.
    """

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
            f"The period runs from {date_in_words(self.first_day)} to {date_in_words(self.last_day)}: "
            f"{pluralise(self.school_weeks, 'school week')}, {pluralise(self.school_days, 'school day')}."
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The dates and lengths."""
        return (
            Fact("First day", date_in_words(self.first_day)),
            Fact("Last day", date_in_words(self.last_day) if self.last_day else "not known"),
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
    """The period of a notice to improve that starts on a day or the next school day.

    A period that starts on a week's first school day ends with its last school week. One that starts later in a week
    ends on the last school day before the same weekday that many school weeks later. Raises ValueError outside 3 to 6
    weeks.
    """
    length = policy.notice_to_improve_weeks if weeks is None else weeks
    if not SHORTEST_NOTICE_TO_IMPROVE <= length <= LONGEST_NOTICE_TO_IMPROVE:
        message = "A notice to improve runs for 3 to 6 school weeks."
        raise ValueError(message)
    first_day = calendar.school_day_after(starts_on - timedelta(days=1), 1)
    if first_day is None:
        return NoticeToImprove(starts_on, None, length, 0)
    day_after_end = _same_weekday_later(first_day, calendar, length)
    if day_after_end is None:
        return NoticeToImprove(first_day, None, length, 0)
    days = calendar.school_days((first_day, day_after_end - timedelta(days=1)))
    return NoticeToImprove(first_day, days[-1], length, len(days))


def _same_weekday_later(on: date, calendar: Calendar, weeks: int) -> date | None:
    mondays = calendar.school_weeks()
    week_number = mondays.index(week_of(on)) + weeks
    # From a week's first school day only whole weeks are needed, so the period may end with the calendar's last week.
    # Otherwise it ends inside the week after, which must exist.
    starts_a_week = on == calendar.school_days((week_of(on), on))[0]
    if starts_a_week and week_number <= len(mondays):
        return mondays[week_number - 1] + timedelta(days=DAYS_IN_A_WEEK)
    return mondays[week_number] + timedelta(days=on.weekday()) if week_number < len(mondays) else None


@dataclass(frozen=True, slots=True)
class Unexplained:
    """Marks of N that stand on a day.

    `marks` has each session with the last day to correct it, None where the calendar ends first.
    """

    as_at: date
    marks: tuple[tuple[Session, date | None], ...]

    @property
    def overdue(self) -> tuple[Session, ...]:
        """The sessions whose N should have been corrected by now; each becomes O if still unknown."""
        return tuple(session for session, last_day in self.marks if last_day is not None and last_day < self.as_at)

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        if not self.marks:
            return "No absence is waiting for a reason."
        return (
            f"{pluralise(len(self.marks), 'session').capitalize()} of absence with no reason yet, "
            f"{len(self.overdue)} past the time to find one."
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Each N and its last day."""
        return tuple(
            Fact(session_in_words(session).capitalize(), f"by {date_in_words(last_day)}" if last_day else "term dates end first")
            for session, last_day in self.marks
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The regulation."""
        return (UNEXPLAINED_SOURCE,)


def last_day_to_explain(on: date, calendar: Calendar, policy: Policy = DEFAULT_POLICY) -> date | None:
    """The last day to correct an N made on a day.

    It is the fifth school day after it, unless the policy says another number or kind of days.
    """
    if policy.unexplained_day_kind is DayKind.WORKING:
        return bank_holidays.working_day_after(on, policy.unexplained_days)
    return calendar.school_day_after(on, policy.unexplained_days)


def unexplained(marks: Marks, calendar: Calendar, as_at: date, policy: Policy = DEFAULT_POLICY) -> Unexplained:
    """The marks of N up to a day, oldest first, with the last day to correct each."""
    sessions = [session for session, code in coded_sessions(marks, calendar) if code.letters == "N" and session[0] <= as_at]
    return Unexplained(as_at, tuple((session, last_day_to_explain(session[0], calendar, policy)) for session in sessions))


class PartTimeState(StrEnum):
    """Whether a part-time timetable has started or ended."""

    NOT_STARTED = "not started"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class PartTime:
    """An agreed temporary part-time timetable, as at a day.

    `outside` are the sessions marked C2 outside its dates.
    """

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
        sentence = {
            PartTimeState.NOT_STARTED: f"The part-time timetable starts on {date_in_words(self.first_day)}.",
            PartTimeState.RUNNING: (
                f"The part-time timetable ends on {date_in_words(self.last_day)}, "
                f"{pluralise(self.school_days_left, 'school day')} from now."
            ),
            PartTimeState.ENDED: f"The part-time timetable ended on {date_in_words(self.last_day)}.",
        }[self.state]
        if not self.outside:
            return sentence
        return f"{sentence} {pluralise(len(self.outside), 'mark').capitalize()} of C2 outside its dates."

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The agreed dates."""
        return (
            Fact("First day", date_in_words(self.first_day)),
            Fact("Review", date_in_words(self.review_on)),
            Fact("Last day", date_in_words(self.last_day)),
            *(Fact("C2 outside these dates", session_in_words(session)) for session in self.outside),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The regulation."""
        return (PART_TIME_SOURCE,)


def part_time_timetable(agreed: tuple[date, date], review_on: date, as_at: date, calendar: Calendar, marks: Marks) -> PartTime:
    """The state of a timetable agreed from one day to another, both included."""
    first_day, last_day = agreed
    state = PartTimeState.RUNNING
    if as_at < first_day:
        state = PartTimeState.NOT_STARTED
    elif as_at > last_day:
        state = PartTimeState.ENDED
    sessions = (session for session, code in coded_sessions(marks, calendar) if code.letters == "C2")
    outside = tuple(session for session in sessions if session[0] <= as_at and not first_day <= session[0] <= last_day)
    days_left = calendar.school_days_since(as_at, last_day)
    return PartTime(state, first_day, last_day, review_on, as_at, days_left, outside)
