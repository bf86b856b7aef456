"""Tables of schools: trusts, schools, terms and closed days."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db.tables import Owned, tenant_fk
from portal.db.types import NOT_PERSONAL, Day, Id, OptionalDay, OptionalIdRef, OptionalInt, OptionalStr, Str
from portal.platform.refusals import conflict
from portal.security.visibility import by_school, whole_authority

PHASES = ("primary", "secondary", "special", "all-through", "alternative", "nursery")
#: The phases as screens name them.
PHASE_NAMES = {
    "primary": "Primary",
    "secondary": "Secondary",
    "special": "Special",
    "all-through": "All-through",
    "alternative": "Alternative provision",
    "nursery": "Nursery",
}
URN_TAKEN = "Enter a URN no other school of the authority has."
TRUST_TAKEN = "Somebody else added this trust at the same time. Send the form again."


class Trust(Owned):
    """A multi-academy trust with schools in the authority."""

    __tablename__ = "trust"
    __visible__ = whole_authority()
    __table_args__ = (UniqueConstraint("authority_id", "name", info=conflict(TRUST_TAKEN, "trust")),)

    id: Mapped[Id]
    name: Mapped[Str]


class School(Owned):
    """A school of the authority. The id is the key; `urn` and `laestab` are for cross-checks."""

    __tablename__ = "school"
    __visible__ = by_school("id")
    __table_args__ = (
        UniqueConstraint("authority_id", "urn", info=conflict(URN_TAKEN, "urn")),
        tenant_fk("trust", "trust_id"),
        CheckConstraint(f"phase IN {PHASES}", name="phase_known"),
    )

    id: Mapped[Id]
    urn: Mapped[Str]
    laestab: Mapped[OptionalStr]
    name: Mapped[Str]
    phase: Mapped[Str]
    lowest_age: Mapped[OptionalInt]
    highest_age: Mapped[OptionalInt]
    trust_id: Mapped[OptionalIdRef]
    opened_on: Mapped[OptionalDay]
    closed_on: Mapped[OptionalDay]


class Term(Owned):
    """A term: school days from the first to the last day, both included.

    It belongs to the authority, or to a school, whose own terms replace the authority's for that year.
    """

    __tablename__ = "term"
    __visible__ = by_school(or_none=True)
    __table_args__ = (
        tenant_fk("school", "school_id"),
        CheckConstraint("first_day <= last_day", name="in_order"),
        Index("ix_term_school_id", "authority_id", "school_id"),
    )

    id: Mapped[Id]
    school_id: Mapped[OptionalIdRef]
    name: Mapped[Str]
    first_day: Mapped[Day]
    last_day: Mapped[Day]


class ClosedDays(Owned):
    """Days in term on which no school, or one school, meets: half term, INSET, polling day.

    `session` limits them to mornings (AM) or afternoons (PM).
    """

    __tablename__ = "closed_days"
    __visible__ = by_school(or_none=True)
    __table_args__ = (
        tenant_fk("school", "school_id"),
        CheckConstraint("first_day <= last_day", name="in_order"),
        CheckConstraint("session IN ('AM', 'PM')", name="session_known"),
        Index("ix_closed_days_school_id", "authority_id", "school_id"),
    )

    id: Mapped[Id]
    school_id: Mapped[OptionalIdRef]
    name: Mapped[Str]
    first_day: Mapped[Day]
    last_day: Mapped[Day]
    session: Mapped[str | None] = mapped_column(info=NOT_PERSONAL)
