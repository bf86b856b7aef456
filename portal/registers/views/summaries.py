"""Weekly sums from the summaries: for a school, its authority's average, and every school."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from portal.db.work import tx, whole_authority
from portal.registers.domain.summary_rows import HEADLINE, YEAR_GROUP
from portal.registers.models import CurrentPage, PupilYearSummary, SchoolWeekSummary
from portal.registers.queries import HAS_MARKS, year_bounds
from portal.rules.measures import PERSISTENT
from portal.schools.models import School

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement


@dataclass(frozen=True, slots=True)
class WeekSums:
    """Sessions counted over a week, or a group within it."""

    week: date
    group: str
    enrolments: int
    possible: int
    present: int
    approved: int
    authorised: int
    unauthorised: int


@dataclass(frozen=True, slots=True)
class AverageWeek:
    """A week's sums over the schools of a phase that have marks for it (n of N schools)."""

    week: date
    sums: WeekSums
    schools: int
    schools_in_phase: int


_COUNTS = (
    SchoolWeekSummary.enrolments,
    SchoolWeekSummary.possible,
    SchoolWeekSummary.present,
    SchoolWeekSummary.approved,
    SchoolWeekSummary.authorised,
    SchoolWeekSummary.unauthorised,
)


def _week_sums(row: Sequence[Any]) -> WeekSums:
    return WeekSums(*row)


def school_weeks(school_id: UUID, academic_year: int) -> list[WeekSums]:
    """A school's headline sums for each week of an academic year with marks, in order."""
    first, last = year_bounds(academic_year)
    rows = tx().execute(
        select(SchoolWeekSummary.week, SchoolWeekSummary.value, *_COUNTS)
        .where(
            SchoolWeekSummary.school_id == school_id,
            SchoolWeekSummary.week.between(first, last),
            SchoolWeekSummary.dimension == HEADLINE,
            SchoolWeekSummary.possible > 0,
        )
        .order_by(SchoolWeekSummary.week)
    )
    return [_week_sums(row) for row in rows]


def year_groups(school_id: UUID, academic_year: int) -> list[WeekSums]:
    """A school's sums for each year group over the academic year. `week` is the newest."""
    first, last = year_bounds(academic_year)
    counted = [func.sum(column) for column in _COUNTS[1:]]
    rows = tx().execute(
        select(func.max(SchoolWeekSummary.week), SchoolWeekSummary.value, func.max(SchoolWeekSummary.enrolments), *counted)
        .where(
            SchoolWeekSummary.school_id == school_id,
            SchoolWeekSummary.week.between(first, last),
            SchoolWeekSummary.dimension == YEAR_GROUP,
        )
        .group_by(SchoolWeekSummary.value)
    )
    return [_week_sums(row) for row in rows]


def authority_weeks(phase: str, academic_year: int) -> list[AverageWeek]:
    """The authority's headline sums for each week, over schools of a phase with marks for it.

    Looks across the authority whichever schools the reader may see, and returns sums only, never one school's own.
    """
    first, last = year_bounds(academic_year)
    counted = [func.sum(column) for column in _COUNTS]
    weekly = (
        select(SchoolWeekSummary.week, *counted, func.count())
        .join(School, (School.authority_id == SchoolWeekSummary.authority_id) & (School.id == SchoolWeekSummary.school_id))
        .where(
            SchoolWeekSummary.dimension == HEADLINE,
            SchoolWeekSummary.week.between(first, last),
            SchoolWeekSummary.possible > 0,
            School.phase == phase,
        )
        .group_by(SchoolWeekSummary.week)
        .order_by(SchoolWeekSummary.week)
    )
    with whole_authority():
        rows = tx().execute(weekly).all()
        in_phase = tx().scalar(select(func.count()).where(School.phase == phase, School.closed_on.is_(None))) or 0
    return [AverageWeek(row[0], WeekSums(row[0], "", *row[1:7]), row[7], in_phase) for row in rows]


@dataclass(frozen=True, slots=True)
class SchoolSummary:
    """One school in the list of all: how recent its registers are, and its headline sums."""

    school_id: UUID
    name: str
    phase: str
    last_day: date | None
    recorded_at: datetime | None
    year: WeekSums | None
    recent: WeekSums | None
    pupils: int
    persistently_absent: int
    weeks: frozenset[date]


def every_school(academic_year: int, *, recent_from: date) -> list[SchoolSummary]:
    """Each school in scope by name, with its sums for the year and since `recent_from`.

    Takes the same number of queries however many marks there are.
    """
    first, last = year_bounds(academic_year)
    year = _sums_by_school(first, last)
    recent = _sums_by_school(recent_from, last)
    newest = _newest_by_school(first, last)
    absent = _persistence_by_school(academic_year)
    weeks = _weeks_by_school(first, last)
    schools = tx().execute(select(School.id, School.name, School.phase).where(School.closed_on.is_(None)).order_by(School.name))
    return [
        SchoolSummary(
            school_id,
            name,
            phase,
            *newest.get(school_id, (None, None)),
            year.get(school_id),
            recent.get(school_id),
            *absent.get(school_id, (0, 0)),
            weeks.get(school_id, frozenset()),
        )
        for school_id, name, phase in schools
    ]


def _newest_by_school(first: date, last: date) -> dict[UUID, tuple[Any, Any]]:
    """Each school's last day with a mark, and when its registers were last written."""
    query = (
        select(CurrentPage.school_id, func.max(CurrentPage.last_day), func.max(CurrentPage.recorded_at))
        .where(CurrentPage.week.between(first, last), HAS_MARKS)
        .group_by(CurrentPage.school_id)
    )
    return {school_id: (day, recorded_at) for school_id, day, recorded_at in tx().execute(query)}


def _persistence_by_school(academic_year: int) -> dict[UUID, tuple[int, int]]:
    """Each school's enrolments in headline figures, and how many of them are persistently absent."""
    is_enrolled = PupilYearSummary.headline_possible > 0
    query = (
        select(
            PupilYearSummary.school_id,
            func.count().filter(is_enrolled),
            func.count().filter(is_enrolled, _is_persistent()),
        )
        .where(PupilYearSummary.academic_year == academic_year)
        .group_by(PupilYearSummary.school_id)
    )
    return {school_id: (pupils, persistent) for school_id, pupils, persistent in tx().execute(query)}


def _is_persistent() -> ColumnElement[bool]:
    """The rules' line of persistent absence, asked of the stored counts."""
    return PupilYearSummary.headline_absent * PERSISTENT.out_of >= PupilYearSummary.headline_possible * PERSISTENT.parts


def _weeks_by_school(first: date, last: date) -> dict[UUID, frozenset[date]]:
    query = (
        select(SchoolWeekSummary.school_id, func.array_agg(SchoolWeekSummary.week))
        .where(SchoolWeekSummary.dimension == HEADLINE, SchoolWeekSummary.week.between(first, last), SchoolWeekSummary.possible > 0)
        .group_by(SchoolWeekSummary.school_id)
    )
    return {school: frozenset(weeks) for school, weeks in tx().execute(query)}


def _sums_by_school(first: date, last: date) -> dict[UUID, WeekSums]:
    counted = [func.sum(column) for column in _COUNTS[1:]]
    query = (
        select(SchoolWeekSummary.school_id, func.max(SchoolWeekSummary.week), func.max(SchoolWeekSummary.enrolments), *counted)
        .where(SchoolWeekSummary.dimension == HEADLINE, SchoolWeekSummary.week.between(first, last))
        .group_by(SchoolWeekSummary.school_id)
    )
    return {school: WeekSums(week, "", *sums) for school, week, *sums in map(tuple, tx().execute(query))}


@dataclass(frozen=True, slots=True)
class PupilAbsence:
    """One pupil in a school's list: sessions this year and in the last ten school weeks."""

    pupil_id: UUID
    possible: int
    absent: int
    absence_periods: int
    longest_absence: int
    recent_possible: int
    recent_absent: int


def pupil_absences(school_id: UUID, academic_year: int, pupil_ids: Sequence[UUID] | None = None) -> list[PupilAbsence]:
    """A school's pupils with a possible session this year, most sessions missed first."""
    absent = PupilYearSummary.authorised + PupilYearSummary.unauthorised
    query = (
        select(
            PupilYearSummary.pupil_id,
            PupilYearSummary.possible,
            absent,
            PupilYearSummary.absence_periods,
            PupilYearSummary.longest_absence,
            PupilYearSummary.recent_possible,
            PupilYearSummary.recent_absent,
        )
        .where(
            PupilYearSummary.school_id == school_id, PupilYearSummary.academic_year == academic_year, PupilYearSummary.possible > 0
        )
        .order_by(absent.desc(), PupilYearSummary.line)
    )
    if pupil_ids is not None:
        query = query.where(PupilYearSummary.pupil_id.in_(pupil_ids))
    return [PupilAbsence(*row) for row in tx().execute(query)]
