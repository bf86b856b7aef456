"""Spells of absence: how many, how long, and how often, on one pupil's own sessions.

A spell is an unbroken run of absence. Only a session attended ends one, so weekends, holidays, closures, sessions that
are not possible and sessions with no mark neither end a spell nor add to it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.rules.explanations import Fact, Source, counted, session_in_words
from portal.rules.marks import Marks, codes_held

if TYPE_CHECKING:
    from portal.rules.calendar import Between, Calendar, Session

FOUNDING = Source(
    "Working together to improve school attendance",
    "number, length and frequency of absences are considered, not percentages alone",
)


@dataclass(frozen=True, slots=True)
class Spell:
    """One unbroken run of absence, from the first session missed to the last."""

    first: Session
    last: Session
    sessions: int
    authorised: int
    unauthorised: int
    codes: tuple[tuple[str, int], ...]

    @property
    def sentence(self) -> str:
        """The spell in plain words."""
        if self.first == self.last:
            return f"Missed {session_in_words(self.first)}."
        return f"Missed {counted(self.sessions, 'session')} from {session_in_words(self.first)} to {session_in_words(self.last)}."


@dataclass(frozen=True, slots=True)
class Spells:
    """A pupil's spells in order of time, over so many school weeks."""

    spells: tuple[Spell, ...]
    school_weeks: int

    @property
    def number(self) -> int:
        """How many spells."""
        return len(self.spells)

    @property
    def longest(self) -> int:
        """Sessions missed in the longest spell."""
        return max((spell.sessions for spell in self.spells), default=0)

    @property
    def sessions(self) -> int:
        """Sessions missed in all."""
        return sum(spell.sessions for spell in self.spells)

    @property
    def single_sessions(self) -> int:
        """Spells of one session."""
        return sum(spell.sessions == 1 for spell in self.spells)

    @property
    def sentence(self) -> str:
        """The spells in plain words."""
        if not self.spells:
            return f"No absence in {counted(self.school_weeks, 'school week')}."
        return (
            f"{counted(self.number, 'spell').capitalize()} of absence in {counted(self.school_weeks, 'school week')}: "
            f"{counted(self.sessions, 'session')} missed, {self.longest} in the longest spell."
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The counts, then each spell."""
        return (
            Fact("Spells of absence", str(self.number)),
            Fact("Sessions missed", str(self.sessions)),
            Fact("Longest spell", counted(self.longest, "session")),
            Fact("Spells of one session", str(self.single_sessions)),
            *(Fact(f"Spell {place}", spell.sentence) for place, spell in enumerate(self.spells, 1)),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """Why spells are looked at."""
        return (FOUNDING,)


def _spell(run: list[tuple[Session, str, bool]]) -> Spell:
    unauthorised = sum(without_leave for _, _, without_leave in run)
    return Spell(
        first=run[0][0],
        last=run[-1][0],
        sessions=len(run),
        authorised=len(run) - unauthorised,
        unauthorised=unauthorised,
        codes=tuple(sorted(Counter(letters for _, letters, _ in run).items())),
    )


def spells(marks: Marks, calendar: Calendar, between: Between | None = None) -> Spells:
    """The spells of absence in a pupil's marks, on the sessions the school met between two days."""
    found: list[Spell] = []
    run: list[tuple[Session, str, bool]] = []
    for session, code in codes_held(marks, calendar, between):
        if code.absent:
            run.append((session, code.letters, code.threshold))
        elif code.attended and run:
            found.append(_spell(run))
            run = []
    if run:
        found.append(_spell(run))
    return Spells(tuple(found), len(calendar.school_weeks(between)))
