"""The parts of an explanation: one or two plain sentences, facts, and sources.

Every answer of the rules has them. The same answer is shown on a page, stored with a decision and printed in a letter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from portal.rules.date_words import date_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from portal.rules.calendar import Half, Session

HALF_NAMES: dict[Half, str] = {"AM": "morning", "PM": "afternoon"}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule comes from, and the days on which it is in force (None: no bound)."""

    name: str
    part: str = ""
    first_day: date | None = None
    last_day: date | None = None
    note: str = ""

    def is_in_force(self, on: date) -> bool:
        """Whether the rule is in force on a day."""
        return (self.first_day is None or on >= self.first_day) and (self.last_day is None or on <= self.last_day)

    def __str__(self) -> str:
        """The source as a reference."""
        return f"{self.name}, {self.part}" if self.part else self.name


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact an answer rests on: a label and its value, both ready for a summary list."""

    label: str
    value: str


class Explained(Protocol):
    """An answer that can explain itself."""

    @property
    def sentence(self) -> str:
        """The answer in one or two plain sentences."""

    @property
    def facts(self) -> tuple[Fact, ...]:
        """What the answer rests on."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """The law, guidance or local code it follows."""


def session_in_words(session: Session) -> str:
    """A session in words: the afternoon of 19 September 2025."""
    return f"the {HALF_NAMES[session[1]]} of {date_in_words(session[0])}"


def pluralise(number: int, singular: str, plural: str | None = None) -> str:
    """A number with its noun: no sessions, 1 session, 10 sessions."""
    noun = singular if number == 1 else plural or f"{singular}s"
    return f"{number or 'no'} {noun}"


def join_with_and(phrases: Sequence[str]) -> str:
    """Phrases joined as in a sentence: A, B and C."""
    if len(phrases) < 2:
        return "".join(phrases)
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}"
