"""The national threshold at which a penalty notice must be considered: ten sessions in ten school weeks.

A session counts when its standing code is G, N, O or U, the pupil's own school met for it, the pupil was of compulsory
school age that day, and it is not already dealt with. Reaching the threshold decides nothing: support comes first, and
a named person considers each case on its facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.rules.calendar import DAYS_IN_A_WEEK, Calendar, Session, session_from_ordinal, session_ordinal, week_of
from portal.rules.codes import THRESHOLD_CODES
from portal.rules.date_words import date_in_words
from portal.rules.explanations import Fact, Source, join_with_and, pluralise, session_in_words
from portal.rules.framework import NATIONAL_2024, SECTION_444A, THRESHOLD_SOURCE
from portal.rules.policy import DEFAULT_POLICY, Policy, TwoSchools, Window
from portal.rules.school_age import compulsory_school_age

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from portal.rules.marks import Marks

#: From the framework, which names the source. Its fields are optional only for older rules.
THRESHOLD = NATIONAL_2024.threshold or 10
WINDOW_WEEKS = NATIONAL_2024.threshold_weeks or 10
CODES_SOURCE = Source("SI 2024/208", "regulation 10, Table 3: codes G, N, O and U")


class Outcome(StrEnum):
    """The answer: met, not met, or for a person to review."""

    MET = "met"
    NOT_MET = "not_met"
    REVIEW = "review"


class Reason(StrEnum):
    """Why a mark of G, N, O or U was left out."""

    NOT_A_SESSION = "the school was closed"
    AGE = "the pupil was not of compulsory school age"
    DEALT_WITH = "already the subject of a notice or prosecution"


@dataclass(frozen=True, slots=True)
class SchoolRecord:
    """A pupil at one school: when the school met, and the marks that stand."""

    school: str
    calendar: Calendar
    marks: Marks


@dataclass(frozen=True, slots=True)
class CountedSession:
    """A session that counts, with its standing code."""

    session: Session
    code: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A mark of G, N, O or U that does not count, and why."""

    session: Session
    code: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Met:
    """When ten sessions were first reached.

    `on` is the tenth session, and `counted` are the ten. `first_week` and `last_week` are the first days of the
    window's first and last school weeks.
    """

    on: Session
    first_week: date
    last_week: date
    counted: tuple[CountedSession, ...]


@dataclass(frozen=True, slots=True)
class SchoolCount:
    """The count at one school, on its own calendar.

    `counting` are all sessions that count, `left_out` the other marks of G, N, O or U. `best_count` is the most that
    count in any ten consecutive school weeks.
    """

    school: str
    counting: tuple[CountedSession, ...]
    left_out: tuple[LeftOut, ...]
    best_count: int
    met: Met | None


@dataclass(frozen=True, slots=True)
class WhatWouldChange:
    """Changes to the register that would have given another answer.

    `corrections`: the fewest counted sessions that, corrected to a code that does not count, leave the threshold never
    met. `without_unexplained`: the outcome if every N at the school were explained. `short_by`: how many more sessions
    in the fullest ten weeks would meet it. `left_out`: marks that were not counted, with the reason.
    """

    corrections: int
    unexplained: int
    without_unexplained: Outcome
    short_by: int
    left_out: tuple[LeftOut, ...]

    @property
    def sentence(self) -> str:
        """What would have changed the answer, in plain words."""
        sentences = []
        if self.corrections:
            sentences.append(f"It would not be met if {pluralise(self.corrections, 'counted session')} were corrected.")
        if self.unexplained and self.without_unexplained is not Outcome.MET:
            unexplained = pluralise(self.unexplained, "counted session")
            sentences.append(f"With a reason found for {unexplained} of N, it may not be met.")
        if not self.corrections and self.short_by:
            sentences.append(f"{pluralise(self.short_by, 'more session', 'more sessions').capitalize()} would meet it.")
        if self.left_out:
            sentences.append(f"{pluralise(len(self.left_out), 'mark').capitalize()} did not count.")
        return " ".join(sentences)


@dataclass(frozen=True, slots=True)
class Threshold:
    """The answer for one pupil, with the count at each school.

    `together` is set when no school reaches ten alone but the schools' sessions together do.
    """

    outcome: Outcome
    school: str | None
    met: Met | None
    schools: tuple[SchoolCount, ...]
    together: Met | None
    what_would_change: WhatWouldChange

    @property
    def best_count(self) -> int:
        """The most counting sessions in any ten consecutive school weeks, at any one school."""
        return max((count.best_count for count in self.schools), default=0)

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        if self.outcome is Outcome.MET and self.met is not None:
            where = f" at {self.school}" if self.school else ""
            return (
                f"The threshold was met{where} on {session_in_words(self.met.on)}: "
                "ten sessions of unauthorised absence "
                f"in the school weeks from {date_in_words(self.met.first_week)} to {date_in_words(self.met.last_week)}. "
                "The case is now considered on its facts; a notice is not automatic."
            )
        if self.outcome is Outcome.REVIEW:
            shares = join_with_and([f"{count.school} ({len(count.counting)})" for count in self.schools if count.counting])
            return f"No school reaches ten alone, but together their sessions do: {shares}. A person decides."
        return f"The threshold was not met. The most in any ten school weeks is {pluralise(self.best_count, 'session')}."

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The ten sessions, each school's count, and what would have changed the answer."""
        met = self.met or self.together
        ten = join_with_and([f"{session_in_words(counted.session)} ({counted.code})" for counted in met.counted]) if met else ""
        return (
            Fact("Outcome", self.outcome.replace("_", " ")),
            *((Fact("Sessions counted", ten),) if met else ()),
            Fact("Most in any ten school weeks", str(self.best_count)),
            *(Fact(f"Counting sessions at {count.school}", str(len(count.counting))) for count in self.schools),
            *(
                Fact("Not counted", f"{session_in_words(mark.session)} ({mark.code}): {mark.reason}")
                for mark in self.what_would_change.left_out
            ),
            Fact("What would have changed it", self.what_would_change.sentence or "Nothing in the register."),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The guidance and law the threshold rests on."""
        return (THRESHOLD_SOURCE, CODES_SOURCE, SECTION_444A)


def _split_marks(
    record: SchoolRecord, dob: date, dealt_with: frozenset[Session], policy: Policy
) -> tuple[tuple[CountedSession, ...], tuple[LeftOut, ...]]:
    age = compulsory_school_age(dob, last_friday_inside=policy.last_friday_inside)
    counting, left_out = [], []
    unauthorised = (session for session, code in record.marks.items() if code in THRESHOLD_CODES)
    for session in sorted(unauthorised, key=session_ordinal):
        code = record.marks[session]
        if not record.calendar.meets(*session):
            left_out.append(LeftOut(session, code, Reason.NOT_A_SESSION))
        elif not age.covers(session[0]):
            left_out.append(LeftOut(session, code, Reason.AGE))
        elif session in dealt_with:
            left_out.append(LeftOut(session, code, Reason.DEALT_WITH))
        else:
            counting.append(CountedSession(session, code))
    return tuple(counting), tuple(left_out)


def counting_sessions(
    record: SchoolRecord, dob: date, dealt_with: frozenset[Session], policy: Policy = DEFAULT_POLICY
) -> tuple[CountedSession, ...]:
    """The sessions at one school that count towards the threshold, in order of time."""
    return _split_marks(record, dob, dealt_with, policy)[0]


@dataclass(frozen=True, slots=True)
class _Timeline:
    """Maps sessions to whole numbers on which ten school weeks have a fixed width.

    Weeks in which the school did not meet have no number, so a window slides over them without a special case. The
    unit is the school week, or the day within school weeks when the window rolls back from the day.
    """

    week_numbers: Mapping[date, int]
    window: Window
    week_starts_on: int

    @property
    def width(self) -> int:
        return WINDOW_WEEKS if self.window is Window.WHOLE_WEEKS else WINDOW_WEEKS * DAYS_IN_A_WEEK

    def position(self, session: Session) -> int:
        first_day = week_of(session[0], starts_on=self.week_starts_on)
        number = self.week_numbers[first_day]
        if self.window is Window.WHOLE_WEEKS:
            return number
        return number * DAYS_IN_A_WEEK + (session[0] - first_day).days

    def window_ending(self, session: Session) -> tuple[date, date]:
        """The first days of the first and last school weeks of the window that ends with this session."""
        number = self.week_numbers[week_of(session[0], starts_on=self.week_starts_on)]
        # A window that rolls back from the day may begin inside an eleventh week.
        weeks_back = WINDOW_WEEKS - 1 if self.window is Window.WHOLE_WEEKS else WINDOW_WEEKS
        first_days = tuple(self.week_numbers)
        return first_days[max(0, number - weeks_back)], first_days[number]


def _timeline(calendar: Calendar, policy: Policy) -> _Timeline:
    return _Timeline(calendar.week_numbers(starts_on=policy.week_starts_on), policy.window, policy.week_starts_on)


def _largest_count(positions: Sequence[int], width: int) -> int:
    # A sliding window over sorted positions: each end moves forward once, so a whole year costs one pass.
    largest = start = 0
    for end, position in enumerate(positions):
        while positions[start] <= position - width:
            start += 1
        largest = max(largest, end - start + 1)
    return largest


def _index_of_tenth(positions: Sequence[int], width: int) -> int | None:
    # Ten fall in one window exactly when the session nine before the last of them is less than its width away.
    for index in range(THRESHOLD - 1, len(positions)):
        if positions[index - THRESHOLD + 1] > positions[index] - width:
            return index
    return None


def _met_and_best(counting: Sequence[CountedSession], timeline: _Timeline) -> tuple[Met | None, int]:
    positions = [timeline.position(counted.session) for counted in counting]
    best = _largest_count(positions, timeline.width)
    index = _index_of_tenth(positions, timeline.width)
    if index is None:
        return None, best
    tenth = counting[index].session
    first_week, last_week = timeline.window_ending(tenth)
    ten = tuple(counting[index - THRESHOLD + 1 : index + 1])
    return Met(tenth, first_week, last_week, ten), best


def _fewest_corrections(counting: Sequence[CountedSession], timeline: _Timeline) -> int:
    # Leaving out each session that would make ten is the fewest: it is the one that stays longest in later windows.
    remaining: list[int] = []
    for position in (timeline.position(counted.session) for counted in counting):
        if len(remaining) < THRESHOLD - 1 or remaining[-THRESHOLD + 1] <= position - timeline.width:
            remaining.append(position)
    return len(counting) - len(remaining)


def _met_together(schools: Sequence[SchoolCount], records: Sequence[SchoolRecord], policy: Policy) -> Met | None:
    # Keyed by session, because a session recorded at two schools is one session. The first school's code stands.
    codes: dict[int, str] = {}
    for school in schools:
        for counted in school.counting:
            codes.setdefault(session_ordinal(counted.session), counted.code)
    merged = [CountedSession(session_from_ordinal(ordinal), code) for ordinal, code in sorted(codes.items())]
    calendar = Calendar.together(record.calendar for record in records)
    return _met_and_best(merged, _timeline(calendar, policy))[0]


def _what_would_change(count: SchoolCount | None, record: SchoolRecord | None, policy: Policy) -> WhatWouldChange:
    if count is None or record is None:
        return WhatWouldChange(0, 0, Outcome.NOT_MET, THRESHOLD, ())
    timeline = _timeline(record.calendar, policy)
    explained = [counted for counted in count.counting if counted.code != "N"]
    met_without_n = _met_and_best(explained, timeline)[0]
    return WhatWouldChange(
        corrections=_fewest_corrections(count.counting, timeline),
        unexplained=len(count.counting) - len(explained),
        without_unexplained=Outcome.NOT_MET if met_without_n is None else Outcome.MET,
        short_by=max(0, THRESHOLD - count.best_count),
        left_out=count.left_out,
    )


def _counts(dob: date, records: Sequence[SchoolRecord], dealt_with: frozenset[Session], policy: Policy) -> tuple[SchoolCount, ...]:
    counts = []
    for record in records:
        counting, left_out = _split_marks(record, dob, dealt_with, policy)
        met, best_count = _met_and_best(counting, _timeline(record.calendar, policy))
        counts.append(SchoolCount(record.school, counting, left_out, best_count, met))
    return tuple(counts)


def threshold(
    dob: date,
    records: Sequence[SchoolRecord],
    dealt_with: Collection[Session] = (),
    policy: Policy = DEFAULT_POLICY,
) -> Threshold:
    """Whether, when and on which sessions the threshold was met, for a pupil at one or more schools.

    Each school is worked out alone on its own calendar; the earliest that reaches ten is named. If none does but their
    sessions together reach ten within ten weeks in which any of them met, a person decides; a session recorded at two
    schools is one session. `dealt_with` holds sessions already the subject of a notice that stands, or a prosecution.
    """
    counts = _counts(dob, records, frozenset(dealt_with), policy)
    reached = [count for count in counts if count.met is not None]
    earliest = min(reached, key=lambda count: session_ordinal(count.met.on) if count.met else 0, default=None)
    together = None if earliest or len(records) < 2 else _met_together(counts, records, policy)
    main_count = earliest or max(counts, key=lambda count: count.best_count, default=None)
    what_would_change = _what_would_change(main_count, records[counts.index(main_count)] if main_count else None, policy)
    if earliest:
        return Threshold(Outcome.MET, earliest.school, earliest.met, counts, together, what_would_change)
    if together and policy.two_schools is TwoSchools.COMBINE:
        return Threshold(Outcome.MET, None, together, counts, together, what_would_change)
    outcome = Outcome.REVIEW if together else Outcome.NOT_MET
    return Threshold(outcome, None, None, counts, together, what_would_change)
