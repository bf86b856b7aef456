"""The table of an authority's settings."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.db.tables import Owned
from portal.db.types import NOT_PERSONAL, Day, Id, Instant, OptionalIdRef, Str
from portal.security.visibility import whole_authority


class AuthoritySetting(Owned):
    """A setting's value from a day on, who set it and why. Rows are added and never changed.

    Everyone in the authority may read them: the rules that a school's figures follow are the authority's.
    """

    __tablename__ = "authority_setting"
    __visible__ = whole_authority()
    __table_args__ = (Index("ix_authority_setting_name", "authority_id", "name", "first_day"),)

    id: Mapped[Id]
    name: Mapped[Str]
    value: Mapped[Any] = mapped_column(JSONB, info=NOT_PERSONAL)
    first_day: Mapped[Day]
    set_at: Mapped[Instant]
    membership_id: Mapped[OptionalIdRef]
    reason: Mapped[Str]
