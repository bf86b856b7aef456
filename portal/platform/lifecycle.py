"""Lifecycles: the states of a thing, who may take which step, and what is due in each state.

One declaration gives the enum, the CHECK constraint, the guard in the action, the buttons and tag of the page, the diagram
in `docs/lifecycles.md` and the exhaustive tests. It knows no table: `portal.platform.due` writes what is due.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import CheckConstraint

from portal.platform.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date
    from typing import Any


WRITTEN_BY = "Written from the code by `python -m tests.platform.lifecycles --write`; do not edit by hand."


class Owner(StrEnum):
    """Who acts next on a thing in some state."""

    SCHOOL = "school"
    AUTHORITY = "authority"
    PERSON = "person"
    PORTAL = "portal"


class HasState(Protocol):
    """Anything with a state: a row of the table the lifecycle is for."""

    state: Any


@dataclass(frozen=True, slots=True)
class State:
    """One state, as screens name it and as the next person finds it.

    `owner` acts next; `next_date` works out by when, from the thing. A live state without a next date says in
    `undated` why nothing is due. A final state has neither. `refusal` is what someone reads who tries a step this
    state does not allow.
    """

    name: str
    words: str
    colour: str = "grey"
    owner: Owner | None = None
    next_date: Callable[[Any], date] | None = None
    why_due: str = ""
    undated: str = ""
    final: bool = False
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step between states: its button, the permission it needs, and the states it may leave from.

    A step without a permission is the portal's own: a job takes it, no person has a button for it. `endpoint` takes the
    step by POST, and declares the same permission. With `opens_page` it first shows a page, which asks for more.
    `look` is the button's: "secondary" or "warning".
    """

    name: str
    words: str
    sources: tuple[str, ...]
    target: str
    permission: str | None = None
    endpoint: str | None = None
    opens_page: bool = False
    look: str = ""


@dataclass(frozen=True)
class Lifecycle:
    """The states and steps of one kind of thing. `initial` are the states in which a thing may begin."""

    name: str
    initial: tuple[str, ...]
    states: tuple[State, ...]
    steps: tuple[Step, ...]
    _states: Mapping[str, State] = field(init=False, repr=False, compare=False)
    _steps: Mapping[str, Step] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the states and steps by name, and refuse a declaration that does not hold together.

        Raises:
            ValueError: naming every fault.
        """
        object.__setattr__(self, "_states", {state.name: state for state in self.states})
        object.__setattr__(self, "_steps", {step.name: step for step in self.steps})
        if faults := list(self.faults()):
            raise ValueError(f"Lifecycle {self.name}: {'; '.join(faults)}.")

    def faults(self) -> Iterator[str]:
        """What is wrong with the declaration: unknown or unreachable states, dead ends, states nobody owns."""
        if len(self._states) != len(self.states):
            yield "two states share a name"
        if len(self._steps) != len(self.steps):
            yield "two steps share a name"
        used = {name for step in self.steps for name in (*step.sources, step.target)} | set(self.initial)
        yield from (f"no state is called {name}" for name in sorted(used - set(self._states)))
        reached = self.reachable()
        for state in self.states:
            leaves = any(state.name in step.sources for step in self.steps)
            if state.name not in reached:
                yield f"nothing leads to {state.name}"
            if not state.final and not leaves:
                yield f"{state.name} is a dead end"
            yield from _owner_faults(state)
        for step in self.steps:
            if (step.permission is None) != (step.endpoint is None):
                yield f"{step.name} needs both a permission and an endpoint, or neither"

    def reachable(self) -> frozenset[str]:
        """Every state a thing can come to be in."""
        reached = set(self.initial)
        while new := {step.target for step in self.steps if reached & set(step.sources)} - reached:
            reached |= new
        return frozenset(reached)

    def live(self) -> tuple[str, ...]:
        """The states in which something is still to be done, in the order declared."""
        return tuple(state.name for state in self.states if not state.final)

    def state(self, name: str) -> State:
        """The state of this name."""
        return self._states[name]

    def step(self, name: str) -> Step:
        """The step of this name."""
        return self._steps[name]

    def allows(self, state: str, step: str) -> bool:
        """Can this step be taken from this state?"""
        return state in self._steps[step].sources

    def take(self, subject: HasState, step: str) -> State:
        """Move a thing along a step, or refuse.

        Raises:
            RefusedError: with the state's own sentence, when the step cannot be taken from it.
        """
        if not self.allows(subject.state, step):
            raise RefusedError(self._states[subject.state].refusal or "This cannot be done with it as it stands.")
        subject.state = self._steps[step].target
        return self._states[subject.state]

    def steps_from(self, state: str, can: Callable[[str], bool]) -> list[Step]:
        """The steps a person may take from this state: its buttons, in the order declared."""
        return [step for step in self.steps if state in step.sources and step.permission is not None and can(step.permission)]

    def constraint(self) -> CheckConstraint:
        """The CHECK constraint that keeps every other word out of the `state` column."""
        names = ", ".join(f"'{state.name}'" for state in self.states)
        return CheckConstraint(f"state IN ({names})", name="state_known")

    def diagram(self) -> str:
        """The lifecycle as a Mermaid state diagram, for the documentation."""
        lines = ["stateDiagram-v2"]
        lines += [f'    state "{state.words}" as {_plain(state.name)}' for state in self.states]
        lines += [f"    [*] --> {_plain(name)}" for name in self.initial]
        for step in self.steps:
            lines += [f"    {_plain(source)} --> {_plain(step.target)}: {step.words}" for source in step.sources]
        lines += [f"    {_plain(state.name)} --> [*]" for state in self.states if state.final]
        return "\n".join(lines)


def _owner_faults(state: State) -> Iterator[str]:
    if state.final:
        if state.owner or state.next_date:
            yield f"{state.name} is final, so nobody owns it and nothing is due"
        return
    if state.owner is None:
        yield f"nobody owns {state.name}"
    if (state.next_date is None) == (not state.undated):
        yield f"{state.name} needs a next date, or the reason why it has none"
    if state.next_date and not state.why_due:
        yield f"{state.name} has a next date and does not say why"


def _plain(name: str) -> str:
    """A state's name as Mermaid takes it: hyphens have a meaning there."""
    return name.replace("-", "_")


def diagrams(lifecycles: Iterable[Lifecycle]) -> str:
    """All lifecycles as one page of documentation: a picture of each, and a table of its states."""
    parts = [
        f"## {lifecycle.name.capitalize()}\n\n```mermaid\n{lifecycle.diagram()}\n```\n\n{_table(lifecycle)}"
        for lifecycle in lifecycles
    ]
    return f"# Lifecycles\n\n{WRITTEN_BY}\n\n" + "\n".join(parts)


def _table(lifecycle: Lifecycle) -> str:
    """The states as a table: who acts next, and what is due. A final state has neither."""
    rows = ["| State | Acts next | What is due |", "|---|---|---|"]
    for state in lifecycle.states:
        by_a_day = "" if state.final or state.undated else ", by a day"
        rows.append(f"| {state.words} | {state.owner or '–'} | {state.why_due or state.undated or '–'}{by_a_day} |")
    return "\n".join(rows) + "\n"
