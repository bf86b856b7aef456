"""Reading the audit: who did what to a subject, and whether the chain still holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.audit.actions import START, digest
from portal.audit.models import AuditEvent, AuditHead
from portal.db import tx

if TYPE_CHECKING:
    from uuid import UUID

#: Where the app keeps what turns memberships into the names of their people.
MEMBER_NAMES = "portal.member_names"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an authority's chain holds: rows read, and the first row that does not fit, if any."""

    rows: int
    first_bad: int | None
    why: str | None


def verification() -> Verdict:
    """Read the chain of the authority in scope from the start; names the first row changed, missing or added."""
    before, rows = START, 0
    for row in tx().scalars(select(AuditEvent).order_by(AuditEvent.sequence).execution_options(yield_per=1000)):
        rows += 1
        if row.sequence != rows:
            return Verdict(rows, rows, "a row is missing")
        if row.hash != digest(before, row):
            return Verdict(rows, row.sequence, "the row does not match its hash")
        before = row.hash
    head = tx().scalar(select(AuditHead))
    if (head.sequence if head else 0) != rows:
        return Verdict(rows, rows + 1, "the newest rows are missing")
    return Verdict(rows, None, None)


def recent_events(*, before: int | None = None, about: UUID | None = None, limit: int = 50) -> list[AuditEvent]:
    """The authority's events, or those about one subject, newest first, a page at a time by sequence."""
    found = select(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(limit)
    if about is not None:
        found = found.where(AuditEvent.subject_id == about)
    return list(tx().scalars(found if before is None else found.where(AuditEvent.sequence < before)))
