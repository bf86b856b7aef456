"""Tables of published releases and their figures: shared by every authority, and never personal."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, SmallInteger, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.benchmarks.domain.figures import (
    AUTHORITY,
    NATIONAL,
    PERIOD_KINDS,
    PHASES,
    PUBLISHED,
    REGION,
    SERIES,
    SUPPRESSED,
    UNAVAILABLE,
)
from portal.db.tables import Shared
from portal.db.types import NOT_PERSONAL, Bool, Day, Id, Instant, Int, OptionalDay, OptionalIdRef, OptionalStr, Str
from portal.platform.refusals import conflict


class PublishedRelease(Shared):
    """One file as published: its name, its date, what it covers, and who sees it.

    `audience` is the authority whose people loaded it; only they see it. None means it is bundled or from the platform, and
    everyone sees it. `is_copy_date`: the publication date is not known, and `published_on` is the day of the copy.
    """

    __tablename__ = "release"
    __table_args__ = (
        UniqueConstraint(
            "sha256", "audience", postgresql_nulls_not_distinct=True, info=conflict("This file is here already.", "file")
        ),
        CheckConstraint(f"series IN {tuple(SERIES)}", name="series_known"),
    )

    id: Mapped[Id]
    name: Mapped[Str]
    series: Mapped[Str]
    published_on: Mapped[Day]
    is_copy_date: Mapped[Bool]
    sha256: Mapped[Str]
    file_name: Mapped[Str]
    decimal_places: Mapped[Int]
    figures: Mapped[Int]
    left_out: Mapped[Int]
    notes: Mapped[list[str]] = mapped_column(JSONB, info=NOT_PERSONAL)
    bundled: Mapped[Bool]
    audience: Mapped[OptionalIdRef]
    loaded_at: Mapped[Instant]


class PublishedFigure(Shared):
    """One figure of a release, for a place, a phase and a period. Its numbers are exactly as published.

    `by_code` holds sessions by register code and `rates` the percentages as published, in the file's own digits.
    `symbols` names each measure that was published as a symbol (c, x, z, low): such a measure has no number here.
    """

    __tablename__ = "published_figure"
    __table_args__ = (
        UniqueConstraint(
            "release_id",
            "level",
            "geography",
            "phase",
            "period_kind",
            "academic_year",
            "week",
            "term",
            name="uq_published_figure_place_phase_period",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint(f"level IN {(NATIONAL, REGION, AUTHORITY)}", name="level_known"),
        CheckConstraint(f"phase IN {tuple(PHASES)}", name="phase_known"),
        CheckConstraint(f"period_kind IN {PERIOD_KINDS}", name="period_kind_known"),
        CheckConstraint(f"status IN {(PUBLISHED, SUPPRESSED, UNAVAILABLE)}", name="status_known"),
        Index("ix_published_figure_place", "geography", "phase", "academic_year", "period_kind"),
    )

    id: Mapped[Id]
    release_id: Mapped[UUID] = mapped_column(ForeignKey("release.id", ondelete="CASCADE"), info=NOT_PERSONAL)
    level: Mapped[Str]
    geography: Mapped[Str]
    geography_name: Mapped[Str]
    phase: Mapped[Str]
    period_kind: Mapped[Str]
    academic_year: Mapped[int] = mapped_column(SmallInteger, info=NOT_PERSONAL)
    week: Mapped[OptionalDay]
    term: Mapped[OptionalStr]
    first_day: Mapped[OptionalDay]
    last_day: Mapped[OptionalDay]
    status: Mapped[Str]
    total_basis: Mapped[Str]
    possible: Mapped[int | None] = mapped_column(BigInteger, info=NOT_PERSONAL)
    present: Mapped[int | None] = mapped_column(BigInteger, info=NOT_PERSONAL)
    approved: Mapped[int | None] = mapped_column(BigInteger, info=NOT_PERSONAL)
    authorised: Mapped[int | None] = mapped_column(BigInteger, info=NOT_PERSONAL)
    unauthorised: Mapped[int | None] = mapped_column(BigInteger, info=NOT_PERSONAL)
    late: Mapped[int | None] = mapped_column(BigInteger, info=NOT_PERSONAL)
    pa_count: Mapped[int | None] = mapped_column(BigInteger, info=NOT_PERSONAL)
    sa_count: Mapped[int | None] = mapped_column(BigInteger, info=NOT_PERSONAL)
    enrolments: Mapped[Decimal | None] = mapped_column(Numeric, info=NOT_PERSONAL)
    schools: Mapped[Decimal | None] = mapped_column(Numeric, info=NOT_PERSONAL)
    schools_in_all: Mapped[Decimal | None] = mapped_column(Numeric, info=NOT_PERSONAL)
    by_code: Mapped[dict[str, int]] = mapped_column(JSONB, info=NOT_PERSONAL)
    rates: Mapped[dict[str, str]] = mapped_column(JSONB, info=NOT_PERSONAL)
    symbols: Mapped[dict[str, str]] = mapped_column(JSONB, info=NOT_PERSONAL)
