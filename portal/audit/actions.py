"""Recording what was done and what was read, and sealing the reads into the chain."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.dialects.postgresql import JSONB

from portal.audit.domain.chain import Seal, SealTally
from portal.audit.events import SEALED
from portal.audit.models import ReadLog
from portal.audit.queries import highest_sealed_id, newest_seal, sealable_reads, transaction_horizon
from portal.db.work import action, mark_recorded, tx
from portal.platform import clock
from portal.security import scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.audit.events import Event


def record(event: Event, subject_id: UUID | None, **facts: object) -> None:
    """Record an event about a subject, with exactly the facts the event declares.

    It joins the running action's transaction and is chained as that commits.

    Raises:
        ValueError: when a declared fact is missing or an undeclared one is given.
    """
    values = _values(event, subject_id, facts)
    # Chained only as the action commits: chaining locks the authority's newest link, and every other action of the
    # authority would wait for it as long as this one runs.
    mark_recorded(lambda: _append(values))


@action
def record_alone(event: Event, subject_id: UUID | None, **facts: object) -> None:
    """Record an act that changes nothing: a read of a pupil's record, a refused page. It is committed on return.

    The row goes to the log of reads and not to the chain. There every reader of the authority would wait for the one
    row that is the chain's newest link.

    Raises:
        ValueError: when a declared fact is missing or an undeclared one is given.
    """
    tx().add(ReadLog(**_values(event, subject_id, facts)))


def _values(event: Event, subject_id: UUID | None, facts: Mapping[str, object]) -> dict[str, Any]:
    if set(facts) != event.facts:
        message = f"{event.name} carries {sorted(event.facts)}, not {sorted(facts)}."
        raise ValueError(message)
    current_scope = scope.current()
    return {
        "at": clock.now(),
        "person_id": current_scope.actor.person_id,
        "membership_id": current_scope.actor.membership_id,
        "role": str(current_scope.actor.role),
        "event": event.name,
        "subject_id": subject_id,
        "facts": {name: _as_json(fact) for name, fact in facts.items()},
    }


@action
def seal_reads() -> int:
    """Seal the authority's finished reads into its chain, as one event. Returns how many rows were sealed.

    A job runs it every minute. Run again it finds nothing left to seal.
    """
    # Two seals at once would both follow the same earlier one and cover the same rows twice.
    tx().execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"seal {scope.current().authority_id}", 0))))
    horizon = transaction_horizon()
    previous = newest_seal()
    after, since = (previous.after, previous.until) if previous else (0, 0)
    seals = []
    if horizon.upper < since:
        # The database was restored on a server whose transactions are numbered from lower down. What the old server
        # had not sealed is sealed as it is; the new server's rows are told from the old ones by their ids.
        seals.append(_seal(after, since, until=None))
        after, since = max(highest_sealed_id(), *(seal.last for seal in seals if seal), 0), 0
    seals.append(_seal(after, since, until=horizon.lower))
    return sum(seal.count for seal in seals if seal)


def _seal(after: int, since: int, until: int | None) -> Seal | None:
    """Record one seal over the reads of these transactions. Nothing is recorded where there are none."""
    tally = SealTally()
    for row in sealable_reads(after, since, until):
        tally.add(row)
    if tally.count == 0:
        return None
    seal = tally.seal(after, since, until)
    record(SEALED, None, **asdict(seal))
    return seal


# The function numbers and hashes the event and moves the head of the scope's authority: the portal's own role may not.
_APPEND = text(
    "SELECT append_audit_event(:at, :person_id, :membership_id, :role, :event, :subject_id, :facts)",
).bindparams(bindparam("facts", type_=JSONB))


def _append(values: Mapping[str, Any]) -> None:
    tx().execute(_APPEND, values)


def _as_json(fact: object) -> object:
    """A fact as JSON can hold it: ids and dates as text, collections as lists."""
    if isinstance(fact, UUID | date | datetime):
        return str(fact)
    if isinstance(fact, list | tuple | set | frozenset):
        return [_as_json(member) for member in fact]
    return fact
