"""The tables of the audit: one chain of events per authority, and the chain's newest link."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
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
    __table_args__ = (Index("ix_audit_event_subject_id", "authority_id", "subject_id"),)

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
