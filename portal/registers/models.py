"""Tables of registers: pages of marks, never overwritten, and the summaries counted from them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ARRAY, Date, Index, Integer, LargeBinary, SmallInteger, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from portal.db.tables import Owned, same_school_fk, tenant_fk
from portal.db.types import NOT_PERSONAL, PERSONAL, Day, Id, IdRef, Instant, Int, OptionalIdRef, Str
from portal.security.visibility import by_school


class RegisterPage(Owned):
    """One version of a school's week: lines x 14 sessions, Monday AM to Sunday PM.

    Each mark is a byte; 0 is an empty cell.
    """

    __tablename__ = "register_page"
    __visible__ = by_school()
    __table_args__ = (tenant_fk("school", "school_id"), Index("ix_register_page_upload_id", "authority_id", "upload_id"))

    school_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, info=NOT_PERSONAL)
    week: Mapped[Day] = mapped_column(Date, primary_key=True, info=NOT_PERSONAL)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, info=NOT_PERSONAL)
    upload_id: Mapped[OptionalIdRef]
    membership_id: Mapped[OptionalIdRef]
    recorded_at: Mapped[Instant]
    reason: Mapped[Str]
    marks: Mapped[bytes] = mapped_column(LargeBinary, info=PERSONAL)


class CurrentPage(Owned):
    """The newest version of each page, with the marks expected of it and those missing.

    Most queries read this table and never open a page.
    """

    __tablename__ = "current_page"
    __visible__ = by_school()
    __table_args__ = (tenant_fk("school", "school_id"),)

    school_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, info=NOT_PERSONAL)
    week: Mapped[Day] = mapped_column(Date, primary_key=True, info=NOT_PERSONAL)
    version: Mapped[Int]
    expected: Mapped[Int]
    missing: Mapped[Int]
    last_day: Mapped[Day]
    recorded_at: Mapped[Instant]


class SchoolWeekSummary(Owned):
    """A school's week counted for one group of pupils: the sums from which every rate is made.

    The counts of `by_code` are in the order of `pages.CODE_BYTES`.
    """

    __tablename__ = "school_week_summary"
    __visible__ = by_school()
    __table_args__ = (tenant_fk("school", "school_id"), Index("ix_school_week_summary_week", "authority_id", "dimension", "week"))

    school_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, info=NOT_PERSONAL)
    week: Mapped[Day] = mapped_column(Date, primary_key=True, info=NOT_PERSONAL)
    dimension: Mapped[Str] = mapped_column(Text, primary_key=True, info=NOT_PERSONAL)
    value: Mapped[Str] = mapped_column(Text, primary_key=True, info=NOT_PERSONAL)
    enrolments: Mapped[Int]
    possible: Mapped[Int]
    present: Mapped[Int]
    approved: Mapped[Int]
    authorised: Mapped[Int]
    unauthorised: Mapped[Int]
    late_before: Mapped[Int]
    late_after: Mapped[Int]
    by_code: Mapped[list[int]] = mapped_column(ARRAY(Integer), info=NOT_PERSONAL)


class PupilYearSummary(Owned):
    """One roll line's counts for its academic year, updated on every apply.

    `headline_*` follow DfE's headline population. The table's pages keep half their space free (migration 0003), so that
    PostgreSQL updates a row in place and touches no index.
    """

    __tablename__ = "pupil_year_summary"
    __visible__ = by_school()
    __table_args__ = (
        tenant_fk("school", "school_id"),
        same_school_fk("pupil", "pupil_id"),
    )

    school_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, info=NOT_PERSONAL)
    academic_year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, info=NOT_PERSONAL)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True, info=NOT_PERSONAL)
    pupil_id: Mapped[IdRef]
    possible: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)
    present: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)
    approved: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)
    authorised: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)
    unauthorised: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)
    late_before: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)
    late_after: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)
    missing: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)
    unexplained: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)
    absence_periods: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)
    longest_absence: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)
    recent_possible: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)
    recent_absent: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)
    last_week_possible: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)
    last_week_absent: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)
    threshold_window: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)
    threshold_best: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)
    headline_possible: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)
    headline_absent: Mapped[int] = mapped_column(SmallInteger, info=PERSONAL)


class CountedYear(Owned):
    """The way in which a school's year was last counted whole.

    Where it is not today's way, or there is no row, the year's totals are out of date and wait for a recount.
    """

    __tablename__ = "counted_year"
    __visible__ = by_school()
    __table_args__ = (tenant_fk("school", "school_id"),)

    school_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, info=NOT_PERSONAL)
    academic_year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, info=NOT_PERSONAL)
    way_of_counting: Mapped[Str]


class MarkNote(Owned):
    """Minutes late or a comment, for the few marks that have one.

    `replaced_by` is the upload whose note replaced this one, or its own upload where that was reverted. None while the note
    is current.
    """

    __tablename__ = "mark_note"
    __visible__ = by_school()
    __table_args__ = (
        tenant_fk("school", "school_id"),
        same_school_fk("pupil", "pupil_id"),
        Index("ix_mark_note_pupil_id", "authority_id", "pupil_id"),
    )

    id: Mapped[Id]
    school_id: Mapped[IdRef]
    pupil_id: Mapped[IdRef]
    on: Mapped[Day]
    session: Mapped[Str]
    minutes_late: Mapped[int | None] = mapped_column(info=PERSONAL)
    comment: Mapped[str | None] = mapped_column(Text, info=PERSONAL)
    upload_id: Mapped[OptionalIdRef]
    replaced_by: Mapped[OptionalIdRef]
