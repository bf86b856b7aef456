"""What registers know: pages, sheets, versions, and the measures made from them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import and_, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from portal.db import tx
from portal.pupils.queries import roll
from portal.registers.measures import By, Measure, measured
from portal.registers.models import CurrentPage, MarkNote, RegisterPage
from portal.registers.pages import SESSIONS, Page, side_by_side, unpacked
from portal.registers.sheets import Sheet
from portal.registers.sweep import THRESHOLD_WEEKS
from portal.rules.calendar import register_year, week_of
from portal.schools.models import School
from portal.schools.queries import calendar_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from portal.pupils.rolls import Roll
    from portal.registers.pages import Marks
    from portal.rules.calendar import Calendar

_IS_CURRENT = and_(
    CurrentPage.authority_id == RegisterPage.authority_id,
    CurrentPage.school_id == RegisterPage.school_id,
    CurrentPage.week == RegisterPage.week,
    CurrentPage.version == RegisterPage.version,
)

#: Weeks whose page has a mark: one that was taken back keeps its page, and reads as never sent.
HAS_MARKS = CurrentPage.last_day >= CurrentPage.week


def lock_school(school_id: UUID) -> None:
    """Wait until no other write to this school's registers is running, then hold them until the transaction ends.

    Rows that name the school may be added beside it (FOR NO KEY UPDATE): an upload names its school before it locks it,
    and two that did would otherwise each wait for the other.

    Raises:
        NoResultFound: when the school is not within scope.
    """
    tx().execute(select(School.id).where(School.id == school_id).with_for_update(key_share=True)).one()


def current_pages(school_id: UUID, weeks: Sequence[date]) -> dict[date, Page]:
    """The newest version of each of these weeks that has one."""
    found = tx().execute(
        select(RegisterPage.week, RegisterPage.version, RegisterPage.upload_id, RegisterPage.marks)
        .join(CurrentPage, _IS_CURRENT)
        .where(RegisterPage.school_id == school_id, RegisterPage.week.in_(weeks))
    )
    return {week: Page(school_id, week, version, upload, unpacked(marks)) for week, version, upload, marks in found}


def year_bounds(academic_year: int) -> tuple[date, date]:
    """The first and last Mondays whose pages belong to the academic year (see `rules.calendar.register_year`)."""
    first = week_of(date(academic_year, 9, 1))
    last = week_of(date(academic_year + 1, 9, 1))
    while register_year(first) < academic_year:
        first = date.fromordinal(first.toordinal() + 7)
    while register_year(last) > academic_year:
        last = date.fromordinal(last.toordinal() - 7)
    return first, last


def has_pages(school_id: UUID, academic_year: int) -> bool:
    """Has the school sent anything for this academic year?"""
    in_year = CurrentPage.week.between(*year_bounds(academic_year))
    found = select(CurrentPage.week).where(CurrentPage.school_id == school_id, in_year)
    return tx().execute(found.limit(1)).first() is not None


def year_pages(school_id: UUID, academic_year: int) -> dict[date, Marks]:
    """The current marks of every week of a school's academic year."""
    first, last = year_bounds(academic_year)
    found = tx().execute(
        select(RegisterPage.week, RegisterPage.marks)
        .join(CurrentPage, _IS_CURRENT)
        .where(RegisterPage.school_id == school_id, RegisterPage.week.between(first, last))
        .order_by(RegisterPage.week)
    )
    return {week: unpacked(marks) for week, marks in found}


def sheet(
    school_id: UUID,
    academic_year: int,
    *,
    instead: Mapping[date, Marks] | None = None,
    known: tuple[Roll, Calendar] | None = None,
) -> Sheet:
    """A school's academic year side by side; `instead` replaces weeks by marks not yet current.

    `known` spares reading the year's roll and the school's calendar again within one transaction.
    """
    return _sheet(school_id, academic_year, {**year_pages(school_id, academic_year), **(instead or {})}, known)


def tail_weeks(calendar: Calendar, academic_year: int) -> tuple[date, ...]:
    """The school weeks of the year before that ten school weeks ending in this year may reach back to: the last nine."""
    first, _ = year_bounds(academic_year)
    return tuple(week for week in calendar.school_weeks() if week < first)[1 - THRESHOLD_WEEKS :]


def tail(of: Sheet) -> tuple[Marks, tuple[date, ...]]:
    """Those weeks' marks on the lines of this year's sheet, with the weeks that have a page."""
    pages = current_pages(of.school_id, tail_weeks(of.calendar, of.academic_year))
    weeks = tuple(sorted(pages))
    found = np.zeros((len(of.roll), SESSIONS * len(weeks)), dtype=np.uint8)
    if weeks:
        before = roll(of.school_id, of.academic_year - 1)
        marks = side_by_side([(week, pages[week].marks) for week in weeks], len(before))
        here, there = before.rows_by_pupil, before.on_roll_twice
        for line, pupil in enumerate(of.roll.pupil_ids):
            if pupil in there:
                found[line] = marks[[place for place, one in enumerate(before.pupil_ids) if one == pupil]].max(axis=0)
            elif pupil in here:
                found[line] = marks[here[pupil]]
    return found, weeks


def sheet_as_it_stood(school_id: UUID, academic_year: int, at: datetime) -> Sheet:
    """The sheet as it stood at an instant: of each week the newest version recorded by then."""
    first, last = year_bounds(academic_year)
    found = tx().execute(
        select(RegisterPage.week, RegisterPage.marks)
        .ext(distinct_on(RegisterPage.week))
        .where(RegisterPage.school_id == school_id, RegisterPage.week.between(first, last), RegisterPage.recorded_at <= at)
        .order_by(RegisterPage.week, RegisterPage.version.desc())
    )
    return _sheet(school_id, academic_year, {week: unpacked(marks) for week, marks in found})


def _sheet(school_id: UUID, academic_year: int, pages: Mapping[date, Marks], known: tuple[Roll, Calendar] | None = None) -> Sheet:
    on_it, calendar = known or (roll(school_id, academic_year), calendar_of(school_id))
    weeks = tuple(sorted(pages))
    marks = side_by_side([(week, pages[week]) for week in weeks], len(on_it.pupil_ids))
    return Sheet(school_id, academic_year, weeks, marks, on_it, calendar)


def versions_around(school_id: UUID, upload_id: UUID) -> dict[date, tuple[Marks, Marks]]:
    """For each week an upload wrote: the version before it and its own."""
    its = (
        tx()
        .execute(
            select(RegisterPage.week, RegisterPage.version, RegisterPage.marks).where(
                RegisterPage.school_id == school_id, RegisterPage.upload_id == upload_id, RegisterPage.reason != "undo"
            )
        )
        .all()
    )
    earlier = tuple_(RegisterPage.week, RegisterPage.version).in_([(week, version - 1) for week, version, _ in its])
    found = tx().execute(select(RegisterPage.week, RegisterPage.marks).where(RegisterPage.school_id == school_id, earlier))
    before = {week: unpacked(marks) for week, marks in found}
    nothing = np.zeros((0, SESSIONS), dtype=np.uint8)
    return {week: (before.get(week, nothing), unpacked(marks)) for week, _, marks in its}


def school_years(school_ids: Sequence[UUID], between: tuple[date, date]) -> list[tuple[UUID, int]]:
    """The academic years each of these schools has pages for, within the span."""
    found = tx().execute(
        select(CurrentPage.school_id, CurrentPage.week)
        .where(CurrentPage.school_id.in_(school_ids), CurrentPage.week <= between[1])
        .where(CurrentPage.last_day >= between[0], HAS_MARKS)
    )
    return sorted({(school, register_year(week)) for school, week in found})


def measures(school_ids: Sequence[UUID], *, between: tuple[date, date], by: By, everyone: bool = False) -> dict[str, Measure]:
    """DfE's measures over these schools and days, one sheet at a time: memory does not grow with the county."""
    sheets = (sheet(school, year) for school, year in school_years(school_ids, between))
    return measured(sheets, between=between, by=by, everyone=everyone)


def versions(school_id: UUID, academic_year: int) -> Sequence[RegisterPage]:
    """Every version of every page of a school's year, oldest first."""
    first, last = year_bounds(academic_year)
    found = select(RegisterPage).where(RegisterPage.school_id == school_id, RegisterPage.week.between(first, last))
    return tx().scalars(found.order_by(RegisterPage.week, RegisterPage.version)).all()


def roll_of(school_id: UUID, academic_year: int) -> Roll:
    """Who is on which line of a school's pages in a year."""
    return roll(school_id, academic_year)


def notes_of(pupil_id: UUID) -> Sequence[MarkNote]:
    """Minutes late and comments kept for a pupil, newest first."""
    return (
        tx()
        .scalars(select(MarkNote).where(MarkNote.pupil_id == pupil_id, MarkNote.replaced_by.is_(None)).order_by(MarkNote.on.desc()))
        .all()
    )
