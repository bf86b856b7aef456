"""The hash chain: how each event's hash covers the event and the hash before it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from portal.platform import clock

if TYPE_CHECKING:
    from portal.audit.models import AuditEvent

#: The hash before an authority's first event.
GENESIS_HASH = "0" * 64


def digest(previous_hash: str, row: AuditEvent) -> str:
    """The SHA-256 of the previous row's hash and this row as canonical JSON, in hexadecimal."""
    # One form only: sorted keys, no spaces, London time. A row read back from the database must give the same bytes.
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
    return hashlib.sha256(previous_hash.encode() + text.encode()).hexdigest()
