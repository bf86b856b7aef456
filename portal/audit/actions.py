"""Recording: an event joins the running action's transaction and is chained as it commits."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal import clock, scope
from portal.audit.models import AuditEvent, AuditHead
from portal.db import action, noted, tx

if TYPE_CHECKING:
    from portal.audit.events import Event

START = "0" * 64


def record(event: Event, subject_id: UUID | None, **facts: object) -> None:
    """Record that `event` happened to the subject, with exactly the facts it declares.

    Raises:
        ValueError: when a declared fact is missing or an undeclared one is given.
    """
    if set(facts) != event.facts:
        message = f"{event.name} carries {sorted(event.facts)}, not {sorted(facts)}."
        raise ValueError(message)
    at, open_scope, plain = clock.now(), scope.current(), {name: _plain(value) for name, value in facts.items()}
    row = AuditEvent(
        authority_id=open_scope.authority_id,
        at=at,
        person_id=open_scope.actor.person_id,
        membership_id=open_scope.actor.membership_id,
        role=open_scope.actor.role,
        event=event.name,
        subject_id=subject_id,
        facts=plain,
    )
    noted(lambda: _chain(row))


@action
def record_alone(event: Event, subject_id: UUID | None, **facts: object) -> None:
    """Record an act that changes nothing: a read of a pupil's record, a refusal."""
    record(event, subject_id, **facts)


def digest(before: str, row: AuditEvent) -> str:
    """SHA-256 of the hash before and the row as canonical JSON, in hexadecimal."""
    body: dict[str, Any] = {
        "sequence": row.sequence,
        "authority": str(row.authority_id),
        "at": row.at.astimezone(clock.LONDON).isoformat(),
        "person": str(row.person_id),
        "membership": str(row.membership_id),
        "role": row.role,
        "event": row.event,
        "subject": str(row.subject_id),
        "facts": row.facts,
    }
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(before.encode() + text.encode()).hexdigest()


def _chain(row: AuditEvent) -> None:
    session = tx()
    values = {"authority_id": row.authority_id, "sequence": 0, "hash": START}
    find = select(AuditHead).where(AuditHead.authority_id == row.authority_id).with_for_update()
    head = session.scalar(find.execution_options(populate_existing=True))
    if head is None:
        session.execute(insert(AuditHead).values(values).on_conflict_do_nothing())
        head = session.scalars(find.execution_options(populate_existing=True)).one()
    row.sequence = head.sequence + 1
    row.hash = digest(head.hash, row)
    head.sequence, head.hash = row.sequence, row.hash
    session.add(row)
    session.flush()


def _plain(value: object) -> object:
    if isinstance(value, UUID | date | datetime):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return value
