"""The declared events: each names the facts it must carry, so that nothing is recorded half."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of thing that is recorded: a dotted name in the past participle, its sentence and its facts."""

    name: str
    sentence: str
    facts: frozenset[str]


_declared: dict[str, Event] = {}


def event(name: str, sentence: str, *facts: str) -> Event:
    """Declare an event at module level. Facts are ids, counts, dates and words of ours: never a name or a note.

    Raises:
        ValueError: when the name is taken.
    """
    if name in _declared:
        message = f"The audit event {name} is declared twice."
        raise ValueError(message)
    _declared[name] = Event(name, sentence, frozenset(facts))
    return _declared[name]


def declared() -> dict[str, Event]:
    """Every declared event by name."""
    return dict(_declared)
