"""How every answer of the rules explains itself: one or two plain sentences, its facts, and its sources.

The same value is shown on the page, kept with a decision and printed in a letter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from portal.rules.calendar import Half, Session

HALF_NAMES: dict[Half, str] = {"AM": "morning", "PM": "afternoon"}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule comes from, and the days for which it holds (None: no such end)."""

    name: str
    part: str = ""
    first_day: date | None = None
    last_day: date | None = None
    note: str = ""

    def holds(self, on: date) -> bool:
        """Whether the rule holds on a day."""
        return (self.first_day is None or on >= self.first_day) and (self.last_day is None or on <= self.last_day)

    def __str__(self) -> str:
        """Name the source as a reference does."""
        return f"{self.name}, {self.part}" if self.part else self.name


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing an answer rests on: a label and its value, both ready for a summary list."""

    label: str
    value: str


class Explained(Protocol):
    """What every answer can do."""

    @property
    def sentence(self) -> str:
        """The answer in one or two plain sentences."""

    @property
    def facts(self) -> tuple[Fact, ...]:
        """What the answer rests on."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """The law, guidance or local code it follows."""


def in_words(on: date) -> str:
    """A date as GOV.UK writes it: 19 September 2025."""
    return f"{on.day} {on:%B %Y}"


def session_in_words(session: Session) -> str:
    """A session as people say it: the afternoon of 19 September 2025."""
    return f"the {HALF_NAMES[session[1]]} of {in_words(session[0])}"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """A number with its noun: no sessions, 1 session, 10 sessions."""
    noun = singular if number == 1 else plural or f"{singular}s"
    return f"{number or 'no'} {noun}"


def listed(items: Sequence[str]) -> str:
    """Items as a sentence lists them: A, B and C."""
    if len(items) < 2:  # noqa: PLR2004 -- a list of one needs no "and"
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"
