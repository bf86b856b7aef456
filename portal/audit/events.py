"""Declaring audit events. Each names the facts it must carry, so that no event is recorded incomplete."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """A kind of event: its dotted name, its sentence for screens, and the names of its facts."""

    name: str
    sentence: str
    facts: frozenset[str]


_declared: dict[str, Event] = {}


def event(name: str, sentence: str, *facts: str) -> Event:
    """Declare an event, at module level.

    Facts are ids, counts, dates and fixed words of this program, never a name or typed text: the audit cannot be
    changed, so nothing personal in it could ever be corrected or erased.

    Raises:
        ValueError: when an event of this name is declared already.
    """
    if name in _declared:
        message = f"The audit event {name} is declared twice."
        raise ValueError(message)
    _declared[name] = Event(name, sentence, frozenset(facts))
    return _declared[name]


def declared() -> dict[str, Event]:
    """Every declared event by name."""
    return dict(_declared)


SEALED = event(
    "audit.reads_sealed",
    "The log of reads was sealed up to here",
    *("after", "since", "until", "first", "last", "count", "digest"),
)
