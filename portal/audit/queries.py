"""Queries on the audit: the events about a subject, and whether the chain is intact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.audit.domain.chain import GENESIS_HASH, digest
from portal.audit.models import AuditEvent, AuditHead
from portal.db.work import tx
from portal.web.paging import select_page

if TYPE_CHECKING:
    from uuid import UUID

    from portal.web.paging import Page, Position

#: The key in `app.extensions` of the function that returns the names of the people behind memberships.
MEMBER_NAMES = "portal.member_names"


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """The outcome of checking a chain: the rows read, and the first wrong one."""

    rows: int
    first_bad: int | None
    why: str | None


def check_chain() -> ChainCheck:
    """Check the authority's chain from its start. Names the first row changed, missing or added."""
    previous_hash, rows = GENESIS_HASH, 0
    for row in tx().scalars(select(AuditEvent).order_by(AuditEvent.sequence).execution_options(yield_per=1000)):
        rows += 1
        if row.sequence != rows:
            return ChainCheck(rows, rows, "a row is missing")
        if row.hash != digest(previous_hash, row):
            return ChainCheck(rows, row.sequence, "the row was changed after it was written")
        previous_hash = row.hash
    # Rows cut off at the end leave a chain that fits; only the head still tells how many there were.
    head = tx().scalar(select(AuditHead))
    if (head.sequence if head else 0) != rows:
        return ChainCheck(rows, rows + 1, "the newest rows are missing")
    return ChainCheck(rows, None, None)


def recent_events(position: Position, *, about: UUID | None = None) -> Page[AuditEvent]:
    """A page of the events of the authority, or of one subject in it, newest first."""
    query = select(AuditEvent)
    if about is not None:
        query = query.where(AuditEvent.subject_id == about)
    return select_page(query, AuditEvent.sequence, position=position, descending=True)
