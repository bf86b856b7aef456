"""The national threshold at which a penalty notice must be considered: ten sessions in ten school weeks.

A session counts when its standing code is G, N, O or U, the pupil's own school met for it, the pupil was of compulsory
school age that day, and it is not already dealt with. Reaching the threshold decides nothing: support comes first, and
a named person considers each case on its facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.rules.calendar import Calendar, Session, place_of, session_at, week_of
from portal.rules.codes import THRESHOLD_LETTERS
from portal.rules.explanations import Fact, Source, counted, in_words, listed, session_in_words
from portal.rules.framework import NATIONAL_2024, SECTION_444A, THRESHOLD_SOURCE
from portal.rules.policy import DEFAULT_POLICY, Policy, TwoSchools, Window
from portal.rules.school_age import compulsory_school_age

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from portal.rules.marks import Marks

THRESHOLD = NATIONAL_2024.threshold or 10
WEEKS = NATIONAL_2024.threshold_weeks or 10
DAYS = 7
CODES_SOURCE = Source("SI 2024/208", "regulation 10, Table 3: codes G, N, O and U")


class Outcome(StrEnum):
    """The answer: met, not met, or for a person to review."""

    MET = "met"
    NOT_MET = "not_met"
    REVIEW = "review"


class Reason(StrEnum):
    """Why a mark of G, N, O or U was left out."""

    NOT_A_SESSION = "the school did not meet"
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
    letters: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A mark of G, N, O or U that does not count, and why."""

    session: Session
    letters: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Met:
    """When ten was first reached: the tenth session, the first days of the window's two end weeks, and the ten."""

    on: Session
    first_week: date
    last_week: date
    counted: tuple[CountedSession, ...]


@dataclass(frozen=True, slots=True)
class SchoolCount:
    """One school worked out alone, on its own calendar."""

    school: str
    counting: tuple[CountedSession, ...]
    left_out: tuple[LeftOut, ...]
    best_count: int
    met: Met | None


@dataclass(frozen=True, slots=True)
class WhatWouldChange:
    """What would have given another answer.

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
        said = []
        if self.corrections:
            said.append(f"It would not be met if {counted(self.corrections, 'counted session')} were corrected.")
        if self.unexplained and self.without_unexplained is not Outcome.MET:
            waiting = counted(self.unexplained, "counted session")
            said.append(f"With a reason found for {waiting} of N, it may not be met.")
        if not self.corrections and self.short_by:
            said.append(f"{counted(self.short_by, 'more session', 'more sessions').capitalize()} would meet it.")
        if self.left_out:
            said.append(f"{counted(len(self.left_out), 'mark').capitalize()} did not count.")
        return " ".join(said)


@dataclass(frozen=True, slots=True)
class Threshold:
    """The answer for one pupil, with each school's count, and the ten when only two schools' sessions make them."""

    outcome: Outcome
    school: str | None
    met: Met | None
    schools: tuple[SchoolCount, ...]
    together: Met | None
    change: WhatWouldChange

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
                f"in the school weeks from {in_words(self.met.first_week)} to {in_words(self.met.last_week)}. "
                "The case is now considered on its facts; a notice is not automatic."
            )
        if self.outcome is Outcome.REVIEW:
            shares = listed([f"{count.school} ({len(count.counting)})" for count in self.schools if count.counting])
            return f"No school reaches ten alone, but together their sessions do: {shares}. A person decides."
        return f"The threshold was not met. The most in any ten school weeks is {counted(self.best_count, 'session')}."

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The ten sessions, each school's count, and what would have changed the answer."""
        met = self.met or self.together
        ten = listed([f"{session_in_words(each.session)} ({each.letters})" for each in met.counted]) if met else ""
        return (
            Fact("Outcome", self.outcome.replace("_", " ")),
            *((Fact("Sessions counted", ten),) if met else ()),
            Fact("Most in any ten school weeks", str(self.best_count)),
            *(Fact(f"Counting sessions at {count.school}", str(len(count.counting))) for count in self.schools),
            *(
                Fact("Not counted", f"{session_in_words(each.session)} ({each.letters}): {each.reason}")
                for each in self.change.left_out
            ),
            Fact("What would have changed it", self.change.sentence or "Nothing in the register."),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The guidance and law the threshold rests on."""
        return (THRESHOLD_SOURCE, CODES_SOURCE, SECTION_444A)


def _sorted_out(
    record: SchoolRecord, dob: date, dealt_with: frozenset[Session], policy: Policy
) -> tuple[tuple[CountedSession, ...], tuple[LeftOut, ...]]:
    age = compulsory_school_age(dob, last_friday_inside=policy.last_friday_inside)
    counting, left_out = [], []
    found = (session for session, letters in record.marks.items() if letters in THRESHOLD_LETTERS)
    for session in sorted(found, key=place_of):
        letters = record.marks[session]
        if not record.calendar.meets(*session):
            left_out.append(LeftOut(session, letters, Reason.NOT_A_SESSION))
        elif not age.covers(session[0]):
            left_out.append(LeftOut(session, letters, Reason.AGE))
        elif session in dealt_with:
            left_out.append(LeftOut(session, letters, Reason.DEALT_WITH))
        else:
            counting.append(CountedSession(session, letters))
    return tuple(counting), tuple(left_out)


def counting_sessions(
    record: SchoolRecord, dob: date, dealt_with: frozenset[Session], policy: Policy = DEFAULT_POLICY
) -> tuple[CountedSession, ...]:
    """The sessions at one school that count towards the threshold, in order of time."""
    return _sorted_out(record, dob, dealt_with, policy)[0]


@dataclass(frozen=True, slots=True)
class _Ruler:
    """Places sessions on a line of school weeks, on which ten school weeks are a fixed width."""

    numbers: Mapping[date, int]
    window: Window
    starts_on: int

    @property
    def width(self) -> int:
        return WEEKS if self.window is Window.WHOLE_WEEKS else WEEKS * DAYS

    def key(self, session: Session) -> int:
        first = week_of(session[0], starts_on=self.starts_on)
        number = self.numbers[first]
        return number if self.window is Window.WHOLE_WEEKS else number * DAYS + (session[0] - first).days

    def weeks(self, last: Session) -> tuple[date, date]:
        """The first days of the first and last school weeks of the window that ends with this session."""
        number = self.numbers[week_of(last[0], starts_on=self.starts_on)]
        back = WEEKS - 1 if self.window is Window.WHOLE_WEEKS else WEEKS
        firsts = tuple(self.numbers)
        return firsts[max(0, number - back)], firsts[number]


def _ruler(calendar: Calendar, policy: Policy) -> _Ruler:
    return _Ruler(calendar.week_numbers(starts_on=policy.week_starts_on), policy.window, policy.week_starts_on)


def _best(keys: Sequence[int], width: int) -> int:
    best = first = 0
    for place, key in enumerate(keys):
        while keys[first] <= key - width:
            first += 1
        best = max(best, place - first + 1)
    return best


def _tenth(keys: Sequence[int], width: int) -> int | None:
    for place in range(THRESHOLD - 1, len(keys)):
        if keys[place - THRESHOLD + 1] > keys[place] - width:
            return place
    return None


def _met(counting: Sequence[CountedSession], ruler: _Ruler) -> tuple[Met | None, int]:
    keys = [ruler.key(each.session) for each in counting]
    place = _tenth(keys, ruler.width)
    if place is None:
        return None, _best(keys, ruler.width)
    first_week, last_week = ruler.weeks(counting[place].session)
    ten = tuple(counting[place - THRESHOLD + 1 : place + 1])
    return Met(counting[place].session, first_week, last_week, ten), _best(keys, ruler.width)


def _fewest_corrections(counting: Sequence[CountedSession], ruler: _Ruler) -> int:
    # Leaving out each session that would make ten is the fewest: it is the one that stays longest in later windows.
    kept: list[int] = []
    for key in (ruler.key(each.session) for each in counting):
        if len(kept) < THRESHOLD - 1 or kept[-THRESHOLD + 1] <= key - ruler.width:
            kept.append(key)
    return len(counting) - len(kept)


def _together(schools: Sequence[SchoolCount], records: Sequence[SchoolRecord], policy: Policy) -> Met | None:
    sessions: dict[int, str] = {}
    for count in schools:
        for each in count.counting:
            sessions.setdefault(place_of(each.session), each.letters)
    merged = [CountedSession(session_at(place), letters) for place, letters in sorted(sessions.items())]
    return _met(merged, _ruler(Calendar.together(record.calendar for record in records), policy))[0]


def _change(count: SchoolCount | None, record: SchoolRecord | None, policy: Policy) -> WhatWouldChange:
    if count is None or record is None:
        return WhatWouldChange(0, 0, Outcome.NOT_MET, THRESHOLD, ())
    ruler = _ruler(record.calendar, policy)
    explained = [each for each in count.counting if each.letters != "N"]
    still = _met(explained, ruler)[0]
    return WhatWouldChange(
        corrections=_fewest_corrections(count.counting, ruler),
        unexplained=len(count.counting) - len(explained),
        without_unexplained=Outcome.NOT_MET if still is None else Outcome.MET,
        short_by=max(0, THRESHOLD - count.best_count),
        left_out=count.left_out,
    )


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
    gone = frozenset(dealt_with)
    schools = []
    for record in records:
        counting, left_out = _sorted_out(record, dob, gone, policy)
        met, best = _met(counting, _ruler(record.calendar, policy))
        schools.append(SchoolCount(record.school, counting, left_out, best, met))
    reached = [count for count in schools if count.met is not None]
    named = min(reached, key=lambda count: place_of(count.met.on) if count.met else 0, default=None)
    together = None if named or len(records) < 2 else _together(schools, records, policy)  # noqa: PLR2004 -- two schools
    fullest = named or max(schools, key=lambda count: count.best_count, default=None)
    change = _change(fullest, records[schools.index(fullest)] if fullest else None, policy)
    if named is None and together and policy.two_schools is TwoSchools.COMBINE:
        return Threshold(Outcome.MET, None, together, tuple(schools), together, change)
    outcome = Outcome.MET if named else Outcome.REVIEW if together else Outcome.NOT_MET
    return Threshold(outcome, named.school if named else None, named.met if named else None, tuple(schools), together, change)
