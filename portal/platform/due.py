"""Steps: the one way to move a subject along its lifecycle, which also writes what is due next."""

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


class Subject(Protocol):
    """A row with a lifecycle."""

    id: Any
    state: Any


@dataclass(frozen=True, slots=True)
class Where:
    """The school, the owner and the page of a subject, where it has them."""

    school_id: UUID | None = None
    owner_id: UUID | None = None
    endpoint: str | None = None


def begin(lifecycle: Lifecycle, subject: Subject, where: Where) -> None:
    """Write what is due of a new subject, which stands in one of its lifecycle's first states.

    Raises:
        ValueError: when a subject cannot begin in this state.
    """
    if subject.state not in lifecycle.initial:
        raise ValueError(f"A new {lifecycle.name} cannot be {subject.state}.")
    _write(lifecycle, subject, where)


def take_step(lifecycle: Lifecycle, subject: Subject, step: str, where: Where) -> None:
    """Move a subject along a step and write what is due next, in the running action's transaction.

    Raises:
        RefusedError: when the step cannot be taken from the subject's state.
    """
    lifecycle.take(subject, step)
    _write(lifecycle, subject, where)


def _write(lifecycle: Lifecycle, subject: Subject, where: Where) -> None:
    """Keep exactly one row for a live subject and none for a final one."""
    state = lifecycle.state(subject.state)
    if state.final or state.owner is None:
        tx().execute(delete(Due).where(Due.thing_id == subject.id))
        return
    values = {
        "kind": lifecycle.name,
        "school_id": where.school_id,
        "state": state.name,
        "owner": state.owner.value,
        "owner_id": where.owner_id,
        "next_date": state.next_date(subject) if state.next_date else None,
        "why": state.why_due or state.undated,
        "endpoint": where.endpoint,
        "since": clock.now(),
    }
    key = {"authority_id": scope.current().authority_id, "id": uuid4(), "thing_id": subject.id}
    statement = insert(Due).values(key | values)
    tx().execute(statement.on_conflict_do_update(index_elements=["authority_id", "thing_id"], set_=values))
