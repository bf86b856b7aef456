"""The tables of the audit: each authority's chain of events, its newest link, and its log of reads."""

from __future__ import annotations

from sqlalchemy import BigInteger, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.db.tables import Owned
from portal.db.types import NOT_PERSONAL, Instant, OptionalIdRef, Str
from portal.security.visibility import whole_authority


class AuditEvent(Owned):
    """An event in an authority's chain. It holds ids, no names.

    `hash` covers every other column and the previous row's hash, so a change to any row breaks the chain after it.
    """

    __tablename__ = "audit_event"
    __bookkeeping__ = True
    __visible__ = whole_authority()
    __table_args__ = (
        Index("ix_audit_event_subject_id", "authority_id", "subject_id"),
        Index("ix_audit_event_at", "authority_id", "at"),
    )

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, info=NOT_PERSONAL)
    at: Mapped[Instant]
    person_id: Mapped[OptionalIdRef]
    membership_id: Mapped[OptionalIdRef]
    role: Mapped[Str]
    event: Mapped[Str]
    subject_id: Mapped[OptionalIdRef]
    facts: Mapped[dict[str, object]] = mapped_column(JSONB, info=NOT_PERSONAL)
    hash: Mapped[Str]


class AuditHead(Owned):
    """The newest link of an authority's chain, locked while an event is added."""

    __tablename__ = "audit_head"
    __bookkeeping__ = True
    __visible__ = whole_authority()

    sequence: Mapped[int] = mapped_column(BigInteger, info=NOT_PERSONAL)
    hash: Mapped[Str]


class ReadLog(Owned):
    """A page that was read, or refused. Rows stand beside the chain until an event of it seals them.

    The database gives the number: a number of the portal's own would need a row that every reader waits for.
    `transaction_id` is PostgreSQL's number of the transaction that wrote the row. It tells the seal which rows can be
    joined by no other any more, which `id` and `at` cannot: both are given before the commit, in any order.
    """

    __tablename__ = "read_log"
    __bookkeeping__ = True
    __visible__ = whole_authority()
    __table_args__ = (
        Index("ix_read_log_subject_id", "authority_id", "subject_id"),
        Index("ix_read_log_at", "authority_id", "at"),
        Index("ix_read_log_transaction_id", "authority_id", "transaction_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True, info=NOT_PERSONAL)
    at: Mapped[Instant]
    person_id: Mapped[OptionalIdRef]
    membership_id: Mapped[OptionalIdRef]
    role: Mapped[Str]
    event: Mapped[Str]
    subject_id: Mapped[OptionalIdRef]
    facts: Mapped[dict[str, object]] = mapped_column(JSONB, info=NOT_PERSONAL)
    transaction_id: Mapped[int] = mapped_column(
        BigInteger, server_default=text("(pg_current_xact_id()::text)::bigint"), info=NOT_PERSONAL
    )
