"""What the platform stores for every capability: what is due, by whom and when."""

from __future__ import annotations

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from portal.db.tables import Owned
from portal.db.types import Id, IdRef, Instant, OptionalDay, OptionalIdRef, OptionalStr, Str
from portal.security.visibility import by_school


class Due(Owned):
    """What is due next of one live subject, a case or an upload say: one row for each.

    The step that brought it to its state writes the row.

    Start pages, boards and digests read this table alone. `next_date` is empty where nothing is due by a day; the
    lifecycle says why. It holds ids, states and the lifecycle's words, nothing about a child.
    """

    __tablename__ = "due"
    __bookkeeping__ = True
    __visible__ = by_school(or_none=True)
    __table_args__ = (
        UniqueConstraint("authority_id", "thing_id"),
        Index("ix_due_next_date", "authority_id", "school_id", "next_date"),
        Index("ix_due_owner_id", "authority_id", "owner_id", "next_date"),
    )

    id: Mapped[Id]
    kind: Mapped[Str]
    thing_id: Mapped[IdRef]
    school_id: Mapped[OptionalIdRef]
    state: Mapped[Str]
    owner: Mapped[Str]
    owner_id: Mapped[OptionalIdRef]
    next_date: Mapped[OptionalDay]
    why: Mapped[Str]
    endpoint: Mapped[OptionalStr]
    since: Mapped[Instant]
