"""Recording audit events. An event joins the running action's transaction and is chained as it commits."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.audit.domain.chain import GENESIS_HASH, digest
from portal.audit.models import AuditEvent, AuditHead
from portal.db.work import action, mark_recorded, tx
from portal.platform import clock
from portal.security import scope

if TYPE_CHECKING:
    from portal.audit.events import Event


def record(event: Event, subject_id: UUID | None, **facts: object) -> None:
    """Record an event about a subject, with exactly the facts the event declares.

    Raises:
        ValueError: when a declared fact is missing or an undeclared one is given.
    """
    if set(facts) != event.facts:
        message = f"{event.name} carries {sorted(event.facts)}, not {sorted(facts)}."
        raise ValueError(message)
    current_scope = scope.current()
    row = AuditEvent(
        authority_id=current_scope.authority_id,
        at=clock.now(),
        person_id=current_scope.actor.person_id,
        membership_id=current_scope.actor.membership_id,
        role=current_scope.actor.role,
        event=event.name,
        subject_id=subject_id,
        facts={name: _as_json(fact) for name, fact in facts.items()},
    )
    # Chained only as the action commits: chaining locks the authority's newest link, and every other action of the
    # authority would wait for it as long as this one runs.
    mark_recorded(lambda: _chain(row))


@action
def record_alone(event: Event, subject_id: UUID | None, **facts: object) -> None:
    """Record an act that changes nothing else: a read of a pupil's record, a refused page."""
    record(event, subject_id, **facts)


def _chain(row: AuditEvent) -> None:
    """Give a row its sequence number and hash, and make it the newest link of its authority's chain."""
    database = tx()
    # The head is locked, so that two transactions cannot both follow the same row. `populate_existing` reads it again
    # after the wait: the copy this session holds may be older than the one another transaction has just committed.
    locked_head = (
        select(AuditHead)
        .where(AuditHead.authority_id == row.authority_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    head = database.scalar(locked_head)
    if head is None:
        # Two transactions may both find no head; one of them inserts it and the other must not fail.
        first = insert(AuditHead).values(authority_id=row.authority_id, sequence=0, hash=GENESIS_HASH)
        database.execute(first.on_conflict_do_nothing())
        head = database.scalars(locked_head).one()
    row.sequence = head.sequence + 1
    row.hash = digest(head.hash, row)
    head.sequence, head.hash = row.sequence, row.hash
    database.add(row)
    database.flush()


def _as_json(fact: object) -> object:
    """A fact as JSON can hold it: ids and dates as text, collections as lists."""
    if isinstance(fact, UUID | date | datetime):
        return str(fact)
    if isinstance(fact, list | tuple | set | frozenset):
        return [_as_json(member) for member in fact]
    return fact
