"""Steps: the one way to move a thing along its lifecycle, which also writes what is due next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from uuid import UUID, uuid4

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from portal.db.work import tx
from portal.platform import clock
from portal.platform.models import Due
from portal.security import scope

if TYPE_CHECKING:
    from typing import Any

    from portal.platform.lifecycle import Lifecycle


class Thing(Protocol):
    """A row with a lifecycle."""

    id: Any
    state: Any


@dataclass(frozen=True, slots=True)
class Where:
    """Where a thing belongs: its school if it has one, the membership that owns it, and the page it is on."""

    school_id: UUID | None = None
    owner_id: UUID | None = None
    endpoint: str | None = None


def begin(lifecycle: Lifecycle, thing: Thing, where: Where) -> None:
    """Write what is due of a new thing, which stands in one of its lifecycle's first states.

    Raises:
        ValueError: when a thing cannot begin in this state.
    """
    if thing.state not in lifecycle.initial:
        raise ValueError(f"A new {lifecycle.name} cannot be {thing.state}.")
    _write(lifecycle, thing, where)


def take_step(lifecycle: Lifecycle, thing: Thing, step: str, where: Where) -> None:
    """Move a thing along a step and write what is due next, in the running action's transaction.

    Raises:
        RefusedError: when the step cannot be taken from the thing's state.
    """
    lifecycle.take(thing, step)
    _write(lifecycle, thing, where)


def _write(lifecycle: Lifecycle, thing: Thing, where: Where) -> None:
    """Keep exactly one row for a live thing and none for a final one."""
    state = lifecycle.state(thing.state)
    if state.final or state.owner is None:
        tx().execute(delete(Due).where(Due.thing_id == thing.id))
        return
    values = {
        "kind": lifecycle.name,
        "school_id": where.school_id,
        "state": state.name,
        "owner": state.owner.value,
        "owner_id": where.owner_id,
        "next_date": state.next_date(thing) if state.next_date else None,
        "why": state.why_due or state.undated,
        "endpoint": where.endpoint,
        "since": clock.now(),
    }
    key = {"authority_id": scope.current().authority_id, "id": uuid4(), "thing_id": thing.id}
    statement = insert(Due).values(key | values)
    tx().execute(statement.on_conflict_do_update(index_elements=["authority_id", "thing_id"], set_=values))
