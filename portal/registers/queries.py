"""Queries about registers: pages, year registers, versions, and the measures made from them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import and_, func, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from portal.db.work import tx
from portal.platform import clock
from portal.platform.refusals import must_exist
from portal.pupils.models import RollLine
from portal.pupils.queries import roll
from portal.registers.domain.counting import way_of_counting
from portal.registers.domain.measures import By, Measure, measured
from portal.registers.domain.pages import SESSIONS, Page, session_days, side_by_side, unpacked
from portal.registers.domain.year_register import YearRegister, marks_on_roll
from portal.registers.models import CountedYear, CurrentPage, MarkNote, RegisterPage
from portal.rules.calendar import register_year, week_of
from portal.rules.codes import CODES_BY_BYTE
from portal.rules.penalty_notices import WINDOW_WEEKS
from portal.rules.policy import Window
from portal.schools.models import School
from portal.schools.queries import calendar_of
from portal.settings.queries import policy_on

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from portal.pupils.domain.rolls import Roll
    from portal.registers.domain.pages import Marks
    from portal.rules.calendar import Calendar
    from portal.rules.policy import Policy

ONE_DAY, A_WEEK = timedelta(days=1), timedelta(days=7)
_IS_CURRENT = and_(
    CurrentPage.authority_id == RegisterPage.authority_id,
    CurrentPage.school_id == RegisterPage.school_id,
    CurrentPage.week == RegisterPage.week,
    CurrentPage.version == RegisterPage.version,
)

#: Weeks whose page has a mark. A reverted week keeps its page, and counts as never sent.
HAS_MARKS = CurrentPage.last_day >= CurrentPage.week


def lock_school(school_id: UUID) -> None:
    """Wait for any other write to this school's registers, then lock them until the transaction ends.

    FOR NO KEY UPDATE, so that rows which refer to the school can still be inserted. An upload refers to its school before
    it locks it: with a stronger lock, two uploads would each wait for the other.

    Raises:
        NotFoundError: when the school is not within scope.
    """
    must_exist(tx().scalar(select(School.id).where(School.id == school_id).with_for_update(key_share=True)))


def current_pages(school_id: UUID, weeks: Sequence[date]) -> dict[date, Page]:
    """The newest version of each of these weeks that has one."""
    rows = tx().execute(
        select(RegisterPage.week, RegisterPage.version, RegisterPage.upload_id, RegisterPage.marks)
        .join(CurrentPage, _IS_CURRENT)
        .where(RegisterPage.school_id == school_id, RegisterPage.week.in_(weeks))
    )
    return {week: Page(school_id, week, version, upload, unpacked(marks)) for week, version, upload, marks in rows}


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
    """Has the school any page in this academic year?"""
    in_year = CurrentPage.week.between(*year_bounds(academic_year))
    weeks = select(CurrentPage.week).where(CurrentPage.school_id == school_id, in_year)
    return tx().execute(weeks.limit(1)).first() is not None


def todays_policy() -> Policy:
    """The authority's settings as they are today. Stored totals follow them."""
    return policy_on(clock.today())


def todays_way_of_counting() -> str:
    """The way of counting that stored totals have to be made in."""
    return way_of_counting(todays_policy())


def years_to_recount() -> list[tuple[UUID, int]]:
    """Each school and academic year in scope whose totals were not made in today's way of counting."""
    counted = select(CountedYear.school_id, CountedYear.academic_year)
    up_to_date = set(map(tuple, tx().execute(counted.where(CountedYear.way_of_counting == todays_way_of_counting()))))
    pages = tx().execute(select(CurrentPage.school_id, CurrentPage.week))
    return sorted({(school_id, register_year(week)) for school_id, week in pages} - up_to_date)


def waits_for_recount(academic_year: int, school_id: UUID | None = None) -> bool:
    """Do totals of the year wait for a recount: a school's, or those of any school in scope?"""
    is_counted = (
        select(CountedYear.school_id)
        .where(
            CountedYear.authority_id == CurrentPage.authority_id,
            CountedYear.school_id == CurrentPage.school_id,
            CountedYear.academic_year == academic_year,
            CountedYear.way_of_counting == todays_way_of_counting(),
        )
        .exists()
    )
    query = select(CurrentPage.week).where(CurrentPage.week.between(*year_bounds(academic_year)), ~is_counted)
    if school_id is not None:
        query = query.where(CurrentPage.school_id == school_id)
    return tx().execute(query.limit(1)).first() is not None


def year_pages(school_id: UUID, academic_year: int) -> dict[date, Marks]:
    """The current marks of every week of a school's academic year."""
    first, last = year_bounds(academic_year)
    rows = tx().execute(
        select(RegisterPage.week, RegisterPage.marks)
        .join(CurrentPage, _IS_CURRENT)
        .where(RegisterPage.school_id == school_id, RegisterPage.week.between(first, last))
        .order_by(RegisterPage.week)
    )
    return {week: unpacked(marks) for week, marks in rows}


def year_register(
    school_id: UUID,
    academic_year: int,
    *,
    instead: Mapping[date, Marks] | None = None,
    preloaded: tuple[Roll, Calendar] | None = None,
) -> YearRegister:
    """A school's year register. `instead` replaces weeks with marks that are not current yet.

    `preloaded` is the year's roll and the school's calendar, where the caller has already read them.
    """
    return _year_register(school_id, academic_year, {**year_pages(school_id, academic_year), **(instead or {})}, preloaded)


def tail_weeks(calendar: Calendar, academic_year: int, policy: Policy) -> tuple[date, ...]:
    """The school weeks before the academic year that a threshold window which ends in it can reach.

    A window of whole weeks reaches nine weeks back, and one that rolls to the day a tenth.
    """
    first, _ = year_bounds(academic_year)
    # The authority's weeks may start on another day than Monday, on which pages do.
    earlier = [week for week in calendar.week_numbers(starts_on=policy.week_starts_on) if week + A_WEEK <= first]
    reaching = earlier[(1 if policy.window is Window.WHOLE_WEEKS else 0) - WINDOW_WEEKS :]
    # A week across the new year's first Monday is reached as well, also where no earlier one is.
    reached_from = week_of(reaching[0] if reaching else first - ONE_DAY)
    return tuple(week for week in calendar.school_weeks() if reached_from <= week < first)


def tail(register: YearRegister, policy: Policy) -> tuple[Marks, tuple[date, ...]]:
    """The tail weeks' marks on the lines of this year's register, and the weeks with a page."""
    pages = current_pages(register.school_id, tail_weeks(register.calendar, register.academic_year, policy))
    weeks = tuple(sorted(pages))
    tail_marks = np.zeros((len(register.roll), SESSIONS * len(weeks)), dtype=np.uint8)
    if weeks:
        before = roll(register.school_id, register.academic_year - 1)
        marks = marks_on_roll(side_by_side([(week, pages[week].marks) for week in weeks], len(before)), session_days(weeks), before)
        row_by_pupil, on_roll_twice = before.rows_by_pupil, before.on_roll_twice
        for line, pupil_id in enumerate(register.roll.pupil_ids):
            if pupil_id in on_roll_twice:
                tail_marks[line] = marks[
                    [row for row, row_pupil_id in enumerate(before.pupil_ids) if row_pupil_id == pupil_id]
                ].max(axis=0)
            elif pupil_id in row_by_pupil:
                tail_marks[line] = marks[row_by_pupil[pupil_id]]
    return tail_marks, weeks


def year_register_as_at(school_id: UUID, academic_year: int, instant: datetime) -> YearRegister:
    """The year register at a past instant: the newest version of each week recorded by then."""
    first, last = year_bounds(academic_year)
    rows = tx().execute(
        select(RegisterPage.week, RegisterPage.marks)
        .ext(distinct_on(RegisterPage.week))
        .where(RegisterPage.school_id == school_id, RegisterPage.week.between(first, last), RegisterPage.recorded_at <= instant)
        .order_by(RegisterPage.week, RegisterPage.version.desc())
    )
    return _year_register(school_id, academic_year, {week: unpacked(marks) for week, marks in rows})


def _year_register(
    school_id: UUID, academic_year: int, pages: Mapping[date, Marks], preloaded: tuple[Roll, Calendar] | None = None
) -> YearRegister:
    year_roll, calendar = preloaded or (roll(school_id, academic_year), calendar_of(school_id))
    weeks = tuple(sorted(pages))
    marks = side_by_side([(week, pages[week]) for week in weeks], len(year_roll.pupil_ids))
    return YearRegister(school_id, academic_year, weeks, marks, year_roll, calendar)


def versions_around(school_id: UUID, upload_id: UUID) -> dict[date, tuple[Marks, Marks]]:
    """For each week an upload wrote: the version before it, and its own."""
    own_versions = (
        tx()
        .execute(
            select(RegisterPage.week, RegisterPage.version, RegisterPage.marks).where(
                RegisterPage.school_id == school_id, RegisterPage.upload_id == upload_id, RegisterPage.reason != "undo"
            )
        )
        .all()
    )
    is_earlier = tuple_(RegisterPage.week, RegisterPage.version).in_([(week, version - 1) for week, version, _ in own_versions])
    rows = tx().execute(select(RegisterPage.week, RegisterPage.marks).where(RegisterPage.school_id == school_id, is_earlier))
    before = {week: unpacked(marks) for week, marks in rows}
    empty = np.zeros((0, SESSIONS), dtype=np.uint8)
    return {week: (before.get(week, empty), unpacked(marks)) for week, _, marks in own_versions}


def school_years(school_ids: Sequence[UUID], between: tuple[date, date]) -> list[tuple[UUID, int]]:
    """The academic years in the span for which each of these schools has marks."""
    weeks = tx().execute(
        select(CurrentPage.school_id, CurrentPage.week)
        .where(CurrentPage.school_id.in_(school_ids), CurrentPage.week <= between[1])
        .where(CurrentPage.last_day >= between[0], HAS_MARKS)
    )
    return sorted({(school, register_year(week)) for school, week in weeks})


def measures(school_ids: Sequence[UUID], *, between: tuple[date, date], by: By, everyone: bool = False) -> dict[str, Measure]:
    """DfE's measures over these schools and days.

    One year register at a time is in memory, however many schools there are.
    """
    registers = (year_register(school_id, year) for school_id, year in school_years(school_ids, between))
    return measured(registers, between=between, by=by, everyone=everyone)


def versions(school_id: UUID, academic_year: int) -> Sequence[RegisterPage]:
    """Every version of every page of a school's year, week by week, oldest first."""
    first, last = year_bounds(academic_year)
    pages = select(RegisterPage).where(RegisterPage.school_id == school_id, RegisterPage.week.between(first, last))
    return tx().scalars(pages.order_by(RegisterPage.week, RegisterPage.version)).all()


def roll_of(school_id: UUID, academic_year: int) -> Roll:
    """The roll of a school's pages in a year."""
    return roll(school_id, academic_year)


def marks_ever_recorded(pupil_ids: Collection[UUID]) -> list[dict[str, object]]:
    """These pupils' own line of every version of every page, and nothing of the lines around it.

    The line is cut out by PostgreSQL, so that no other child's marks are read.
    """
    lines = tx().execute(select(RollLine.school_id, RollLine.academic_year, RollLine.line).where(RollLine.pupil_id.in_(pupil_ids)))
    return [row for school_id, year, line in lines.all() for row in _line_ever_recorded(school_id, year, line)]


def _line_ever_recorded(school_id: UUID, academic_year: int, line: int) -> Iterator[dict[str, object]]:
    own_marks = func.substr(RegisterPage.marks, (line - 1) * SESSIONS + 1, SESSIONS)
    page = (RegisterPage.week, RegisterPage.version, RegisterPage.recorded_at, RegisterPage.reason)
    rows = tx().execute(
        select(*page, own_marks)
        .where(RegisterPage.school_id == school_id, RegisterPage.week.between(*year_bounds(academic_year)))
        .order_by(RegisterPage.week, RegisterPage.version)
    )
    for week, version, recorded_at, reason, marks in rows:
        codes = [CODES_BY_BYTE[byte].letters if byte else "" for byte in bytes(marks)]
        yield {
            "school_id": school_id,
            "week": week,
            "version": version,
            "recorded_at": recorded_at,
            "reason": reason,
            "marks": [*codes, *[""] * (SESSIONS - len(codes))],
        }


def notes_of(pupil_id: UUID) -> Sequence[MarkNote]:
    """A pupil's current minutes late and comments, newest first."""
    return (
        tx()
        .scalars(select(MarkNote).where(MarkNote.pupil_id == pupil_id, MarkNote.replaced_by.is_(None)).order_by(MarkNote.on.desc()))
        .all()
    )
