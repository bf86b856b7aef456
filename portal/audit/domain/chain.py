"""The hashes of the audit: each event covers the event before it, and each seal its reads."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

from portal.platform import clock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.audit.models import AuditEvent, ReadLog

#: The hash before an authority's first event.
GENESIS_HASH = "0" * 64


def digest(previous_hash: str, row: AuditEvent) -> str:
    """The SHA-256 of the previous row's hash and this row as canonical JSON, in hexadecimal."""
    text = _canonical({"sequence": row.sequence, **_body(row)})
    return hashlib.sha256(previous_hash.encode() + text.encode()).hexdigest()


def _body(row: AuditEvent | ReadLog) -> dict[str, Any]:
    # One form only: sorted keys, no spaces, London time. A row read back from the database must give the same bytes, and
    # the function of the database that hashes new events (revision 0007) makes them too.
    return {
        "authority": str(row.authority_id),
        "at": row.at.astimezone(clock.LONDON).isoformat(),
        "person": str(row.person_id),
        "membership": str(row.membership_id),
        "role": row.role,
        "event": row.event,
        "subject": str(row.subject_id),
        "facts": row.facts,
    }


def _canonical(body: Mapping[str, Any]) -> str:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


@dataclass(frozen=True, slots=True)
class Seal:
    """The reads that an event seals: rows above `after` of the transactions `since` to before `until`.

    `after` is 0 until the database moves to another server, which numbers its transactions from its own beginning: from
    then on it is the highest id that was given before. `first` and `last` are the lowest and the highest id of the sealed rows.
    """

    after: int
    since: int
    until: int
    first: int
    last: int
    count: int
    digest: str

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """The seal that an event's facts describe.

        Raises:
            ValueError: for facts that no seal has.
        """
        types = {field.name: str if field.name == "digest" else int for field in fields(cls)}
        if facts.keys() != types.keys() or any(type(facts[name]) is not kind for name, kind in types.items()):
            message = "These are not the facts of a seal."
            raise ValueError(message)
        return cls(**facts)


@dataclass(slots=True)
class SealTally:
    """The reads counted so far, in the order of their transactions, on the way to a seal."""

    first: int = 0
    last: int = 0
    count: int = 0
    newest_transaction: int = 0
    hashed: hashlib._Hash = field(default_factory=hashlib.sha256)

    def add(self, row: ReadLog) -> None:
        """Count one more read, and take it into the digest."""
        self.first = min(self.first or row.id, row.id)
        self.last = max(self.last, row.id)
        self.count += 1
        self.newest_transaction = row.transaction_id
        body = {"id": row.id, "transaction": row.transaction_id, **_body(row)}
        self.hashed.update(f"{_canonical(body)}\n".encode())

    def seal(self, after: int, since: int, until: int | None) -> Seal:
        """The seal over what was counted. Without `until` it ends with the newest transaction counted."""
        end = self.newest_transaction + 1 if until is None else until
        return Seal(after, since, end, self.first, self.last, self.count, self.hashed.hexdigest())
