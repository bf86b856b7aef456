"""Periods of absence: how many, how long, and how often, on one pupil's own sessions.

A period of absence (a spell) is an unbroken run of absence. Only a session attended ends one, so weekends, holidays,
closures, sessions that are not possible and sessions with no mark neither end a period nor add to it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.rules.explanations import Fact, Source, pluralise, session_in_words
from portal.rules.marks import Marks, coded_sessions

if TYPE_CHECKING:
    from portal.rules.calendar import Between, Calendar, Session

GUIDANCE = Source(
    "Working together to improve school attendance",
    "number, length and frequency of absences are considered, not percentages alone",
)


@dataclass(frozen=True, slots=True)
class AbsencePeriod:
    """One period of absence, from the first session missed to the last."""

    first: Session
    last: Session
    sessions: int
    authorised: int
    unauthorised: int
    codes: tuple[tuple[str, int], ...]

    @property
    def sentence(self) -> str:
        """The period in plain words."""
        if self.first == self.last:
            return f"Missed {session_in_words(self.first)}."
        return f"Missed {pluralise(self.sessions, 'session')} from {session_in_words(self.first)} to {session_in_words(self.last)}."


@dataclass(frozen=True, slots=True)
class AbsencePeriods:
    """A pupil's periods of absence in order of time, and the school weeks they are counted over."""

    spells: tuple[AbsencePeriod, ...]
    school_weeks: int

    @property
    def number(self) -> int:
        """The number of periods."""
        return len(self.spells)

    @property
    def longest(self) -> int:
        """Sessions missed in the longest period."""
        return max((spell.sessions for spell in self.spells), default=0)

    @property
    def sessions(self) -> int:
        """Sessions missed in total."""
        return sum(spell.sessions for spell in self.spells)

    @property
    def single_sessions(self) -> int:
        """Periods of one session."""
        return sum(spell.sessions == 1 for spell in self.spells)

    @property
    def sentence(self) -> str:
        """The periods in plain words."""
        if not self.spells:
            return f"No absence in {pluralise(self.school_weeks, 'school week')}."
        return (
            f"{pluralise(self.number, 'period').capitalize()} of absence in {pluralise(self.school_weeks, 'school week')}: "
            f"{pluralise(self.sessions, 'session')} missed, {self.longest} in the longest period."
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The counts, then each period."""
        return (
            Fact("Periods of absence", str(self.number)),
            Fact("Sessions missed", str(self.sessions)),
            Fact("Longest absence", pluralise(self.longest, "session")),
            Fact("Periods of one session", str(self.single_sessions)),
            *(Fact(f"Period {number}", spell.sentence) for number, spell in enumerate(self.spells, 1)),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The guidance that asks schools to look at them."""
        return (GUIDANCE,)


def _spell(run: list[tuple[Session, str, bool]]) -> AbsencePeriod:
    unauthorised = sum(is_unauthorised for _, _, is_unauthorised in run)
    return AbsencePeriod(
        first=run[0][0],
        last=run[-1][0],
        sessions=len(run),
        authorised=len(run) - unauthorised,
        unauthorised=unauthorised,
        codes=tuple(sorted(Counter(symbol for _, symbol, _ in run).items())),
    )


def absence_periods(marks: Marks, calendar: Calendar, between: Between | None = None) -> AbsencePeriods:
    """The periods of absence in a pupil's marks, on the sessions the school met between two days."""
    periods: list[AbsencePeriod] = []
    run: list[tuple[Session, str, bool]] = []
    for session, code in coded_sessions(marks, calendar, between):
        if code.absent:
            run.append((session, code.letters, code.threshold))
        elif code.attended and run:
            periods.append(_spell(run))
            run = []
    # A period that has not ended yet counts too.
    if run:
        periods.append(_spell(run))
    return AbsencePeriods(tuple(periods), len(calendar.school_weeks(between)))
