"""Registers in a real database: versions, reverting, past certificates and summaries."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import func, select, update

from portal.db.work import tx
from portal.jobs import outbox
from portal.platform import clock
from portal.platform.refusals import NotFoundError
from portal.pupils.actions.lists import import_pupil_list
from portal.pupils.domain.incoming import IncomingPupil
from portal.pupils.models import Pupil
from portal.registers import actions, queries
from portal.registers.domain.pages import SESSIONS
from portal.registers.domain.summary_rows import EVERYONE, HEADLINE
from portal.registers.models import CountedYear, CurrentPage, MarkNote, PupilYearSummary, RegisterPage, SchoolWeekSummary
from portal.registers.views import summaries
from portal.registers.views.certificates import amendments, certificate
from portal.rules.codes import CODES_BY_BYTE, CODES_BY_SYMBOL
from portal.rules.school_age import age_at_start
from portal.schools.models import ClosedDays
from portal.security.permissions import Role
from tests.support.world import write_rows
from tests.uploads.files import upn

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sqlalchemy.orm import Session

    from tests.support.world import World

WEEK_1, WEEK_2 = date(2026, 11, 2), date(2026, 11, 9)
#: Reception (4 at the start of the year), Years 1, 5 and 11, and a sixth-former.
BIRTHS = (date(2022, 3, 1), date(2021, 3, 1), date(2016, 10, 1), date(2011, 3, 1), date(2010, 3, 1))


@pytest.fixture
def school(world: World, as_role: Callable[..., Session]) -> UUID:
    """The primary school: five pupils on its roll for this year and the last, and no marks."""
    as_role(Role.LA_MANAGER)
    pupils = [
        IncomingPupil(
            f"Colewood{'abcde'[number]}", "Ela", born, upn=upn(number), admission_date=date(2024, 9, 2), year_group=str(number + 1)
        )
        for number, born in enumerate(BIRTHS)
    ]
    for year in (2025, 2026):
        import_pupil_list(world.authority.primary, pupils, academic_year=year)
    return world.authority.primary


def page(code: str | None = None, lines: int = 5, days: int = 5) -> np.ndarray:
    """A week with everyone present, or with one code throughout."""
    marks = np.zeros((lines, SESSIONS), dtype=np.uint8)
    for session in range(2 * days):
        marks[:, session] = CODES_BY_SYMBOL[code or ("/", "\\")[session % 2]].byte
    return marks


def cell(code: str, line: int, session: int) -> np.ndarray:
    """A page with one mark."""
    marks = np.zeros((5, SESSIONS), dtype=np.uint8)
    marks[line, session] = CODES_BY_SYMBOL[code].byte
    return marks


def write(school: UUID, pages: dict[date, np.ndarray]) -> UUID:
    """Write pages as an upload does; returns its id."""
    upload_id = uuid4()
    actions.write_pages(school, pages, upload_id=upload_id)
    return upload_id


def pupil_summary(school: UUID, line: int, year: int = 2026) -> PupilYearSummary:
    """A line's stored summary, read from the database again."""
    tx().expire_all()
    query = select(PupilYearSummary).where(
        PupilYearSummary.school_id == school, PupilYearSummary.line == line, PupilYearSummary.academic_year == year
    )
    return tx().scalars(query).one()


def test_each_change_is_a_version_and_the_newest_is_current(school: UUID) -> None:
    write(school, {WEEK_1: page(), WEEK_2: page()})
    write(school, {WEEK_1: cell("I", 0, 0)})
    versions = tx().execute(select(RegisterPage.week, RegisterPage.version).order_by(RegisterPage.week, RegisterPage.version)).all()
    assert [tuple(version) for version in versions] == [(WEEK_1, 1), (WEEK_1, 2), (WEEK_2, 1)]
    current = {row.week: row for row in tx().scalars(select(CurrentPage))}
    assert {week: row.version for week, row in current.items()} == {WEEK_1: 2, WEEK_2: 1}
    assert queries.current_pages(school, [WEEK_1])[WEEK_1].marks[0, 0] == CODES_BY_SYMBOL["I"].byte


def test_writing_the_same_marks_makes_no_version(school: UUID) -> None:
    write(school, {WEEK_1: page()})
    again = actions.write_pages(school, {WEEK_1: page()}, upload_id=uuid4())
    assert (again.weeks, again.cells) == ((), 0)
    assert len(tx().scalars(select(RegisterPage)).all()) == 1


def test_reverting_an_upload_restores_every_page_and_count(school: UUID) -> None:
    write(school, {WEEK_1: page()})
    before = _stored_summaries(school)
    upload_id = write(school, {WEEK_1: page("O"), WEEK_2: page("I")})
    assert _stored_summaries(school) != before
    summary = actions.revert_pages(school, upload_id)
    assert summary.weeks == (WEEK_1, WEEK_2)
    after = _stored_summaries(school)
    assert after["pupil_year_summary"] == before["pupil_year_summary"]
    assert after["school_week_summary"] == before["school_week_summary"]
    assert len(tx().scalars(select(RegisterPage)).all()) == 5
    assert not queries.current_pages(school, [WEEK_2])[WEEK_2].marks.any()


def _stored_summaries(school: UUID) -> dict[str, list[tuple[object, ...]]]:
    """The stored summaries, without weeks that have no mark."""
    pupil_years = select(*PupilYearSummary.__table__.columns).where(PupilYearSummary.school_id == school)
    school_weeks = select(*SchoolWeekSummary.__table__.columns).where(
        SchoolWeekSummary.school_id == school, SchoolWeekSummary.possible > 0
    )
    statements = {
        "pupil_year_summary": pupil_years.order_by(PupilYearSummary.line),
        "school_week_summary": school_weeks.order_by(SchoolWeekSummary.week, SchoolWeekSummary.dimension, SchoolWeekSummary.value),
    }
    return {name: [tuple(map(str, row)) for row in tx().execute(statement)] for name, statement in statements.items()}


def test_a_school_out_of_scope_cannot_be_written(school: UUID, world: World, as_role: Callable[..., Session]) -> None:
    as_role(Role.SCHOOL_OFFICE)
    with pytest.raises(NotFoundError):
        actions.write_pages(world.authority.secondary, {WEEK_1: page()}, upload_id=None)


def test_completeness_counts_pupils_on_roll_and_days_met(school: UUID) -> None:
    write(school, {WEEK_1: page(days=3)})
    current = tx().scalars(select(CurrentPage)).one()
    assert (current.expected, current.missing, current.last_day) == (5 * 6, 0, date(2026, 11, 4))
    write(school, {WEEK_2: cell("/", 0, 0)})
    tx().expire_all()
    first = tx().scalars(select(CurrentPage).where(CurrentPage.week == WEEK_1)).one()
    assert (first.expected, first.missing) == (5 * 10, 5 * 4)


def test_a_recount_leaves_out_the_marks_of_a_closed_day(school: UUID) -> None:
    write(school, {WEEK_1: page("I")})
    assert pupil_summary(school, 1).possible == 10
    closed = ClosedDays(school_id=school, name="Flood", first_day=WEEK_1, last_day=WEEK_1)
    write_rows(lambda: tx().add(closed))
    actions.recount(school, 2026)
    assert pupil_summary(school, 1).possible == 8
    everyone = (
        tx()
        .scalars(select(SchoolWeekSummary).where(SchoolWeekSummary.dimension == EVERYONE).execution_options(populate_existing=True))
        .one()
    )
    assert (everyone.possible, everyone.enrolments) == (40, 5)
    assert queries.current_pages(school, [WEEK_1])[WEEK_1].marks[0, 0] == CODES_BY_SYMBOL["I"].byte
    pupil_certificate = certificate(school, queries.roll_of(school, 2026).pupil_ids[0], 2026)
    assert pupil_certificate is not None
    assert pupil_certificate.counts.possible == 8


def test_a_recount_follows_a_corrected_date_of_birth(school: UUID) -> None:
    write(school, {WEEK_1: page()})
    pupil = queries.roll_of(school, 2026).pupil_ids[0]
    assert _headline().enrolments == 3
    write_rows(lambda: tx().execute(update(Pupil).where(Pupil.id == pupil).values(date_of_birth=date(2020, 3, 1))))
    actions.recount(school, 2026)
    assert _headline().enrolments == 4


def _headline() -> SchoolWeekSummary:
    query = select(SchoolWeekSummary).where(SchoolWeekSummary.dimension == HEADLINE, SchoolWeekSummary.week == WEEK_1)
    return tx().scalars(query.execution_options(populate_existing=True)).one()


def test_a_change_in_july_is_counted_in_september(school: UUID) -> None:
    july, september = date(2026, 7, 13), date(2026, 9, 7)
    write(school, {july: page("O", days=3)})
    write(school, {september: page("O", days=3)})
    assert [pupil_summary(school, line).threshold_best for line in (1, 2, 5)] == [0, 12, 0], (
        "nothing counts below and above compulsory school age"
    )
    write(school, {july: page("/", days=3)})
    assert pupil_summary(school, 2).threshold_best == 6
    assert pupil_summary(school, 2, 2025).threshold_best == 0


def test_measures_equal_a_recount_mark_by_mark(school: UUID) -> None:
    rng = np.random.default_rng(3)
    codes = np.array([code.byte for code in CODES_BY_SYMBOL.values() if not code.legacy], dtype=np.uint8)
    pages = {}
    for week in (date(2026, 9, 7), date(2026, 10, 19), WEEK_1, WEEK_2):
        marks = np.where(rng.random((5, SESSIONS)) < 0.3, rng.choice(codes, (5, SESSIONS)), page())
        marks[:, 10:] = 0
        pages[week] = marks.astype(np.uint8)
    write(school, pages)
    between = (date(2026, 9, 8), date(2026, 11, 11))
    for everyone in (False, True):
        for by in ("none", "week", "month", "year-group", "code", "school"):
            measures = queries.measures([school], between=between, by=by, everyone=everyone)
            expected = _recount(pages, between, by, school, everyone=everyone)
            assert {group: measure.counts() for group, measure in measures.items()} == expected, (by, everyone)
            for measure in measures.values():
                attendance, absence = measure.rates()["attendance"], measure.rates()["overall_absence"]
                assert attendance is None if absence is None else attendance + absence == Fraction(100)


def _recount(
    pages: dict[date, np.ndarray], between: tuple[date, date], by: str, school: UUID, *, everyone: bool
) -> dict[str, dict[str, int]]:
    """Count mark by mark and pupil by pupil, using only the portal's list of codes."""
    groups: dict[str, dict[int, list[int]]] = {}
    for week, marks in sorted(pages.items()):
        for line, born in enumerate(BIRTHS):
            if not everyone and not 5 <= age_at_start(born, 2026) <= 15:
                continue
            for session in range(SESSIONS):
                on = week + timedelta(days=session // 2)
                if not between[0] <= on <= between[1] or on.weekday() > 4:
                    continue
                group = {"week": week.isoformat(), "month": f"{on:%Y-%m}", "year-group": str(line + 1), "school": str(school)}.get(
                    by, "all"
                )
                groups.setdefault(group, {}).setdefault(line, []).append(int(marks[line, session]))
    if by == "year-group" and not everyone:
        groups |= {str(line + 1): {} for line, born in enumerate(BIRTHS) if not 5 <= age_at_start(born, 2026) <= 15}
    return {group: _counts(lines) for group, lines in groups.items()}


def _counts(lines: dict[int, list[int]]) -> dict[str, int]:
    def number(codes: list[int], *categories: int) -> int:
        return sum(byte != 0 and int(CODES_BY_BYTE[byte].category) in categories for byte in codes)

    all_codes = [byte for codes in lines.values() for byte in codes]
    absent_and_possible = [(number(codes, 3, 4), number(codes, 1, 2, 3, 4)) for codes in lines.values()]
    return {
        "possible": number(all_codes, 1, 2, 3, 4),
        "present": number(all_codes, 1),
        "approved_educational_activity": number(all_codes, 2),
        "authorised": number(all_codes, 3),
        "unauthorised": number(all_codes, 4),
        "late": sum(byte != 0 and CODES_BY_BYTE[byte].letters in {"L", "U"} for byte in all_codes),
        "enrolments": sum(possible > 0 for _, possible in absent_and_possible),
        "persistently_absent": sum(possible > 0 and absent / possible >= 0.1 for absent, possible in absent_and_possible),
        "severely_absent": sum(possible > 0 and absent / possible >= 0.5 for absent, possible in absent_and_possible),
    }


def test_overviews_add_up_the_week_summaries(school: UUID) -> None:
    write(school, {WEEK_1: page(), WEEK_2: page("I")})
    (summary,) = [row for row in summaries.every_school(2026, recent_from=WEEK_2) if row.school_id == school]
    assert summary.year is not None
    assert summary.recent is not None
    assert (summary.year.possible, summary.year.authorised, summary.recent.possible) == (60, 30, 30)
    assert (summary.last_day, summary.pupils, summary.persistently_absent) == (date(2026, 11, 13), 3, 3)
    assert [row.possible for row in summaries.school_weeks(school, 2026)] == [30, 30]


def test_the_certificate_shows_any_past_day(school: UUID) -> None:
    pupil = queries.roll_of(school, 2026).pupil_ids[1]
    with clock.frozen_at(datetime(2026, 11, 10, 9, tzinfo=clock.LONDON)):
        write(school, {WEEK_1: page()})
    with clock.frozen_at(datetime(2026, 11, 17, 9, tzinfo=clock.LONDON)):
        upload_id = write(school, {WEEK_1: cell("O", 1, 0)})
    with clock.frozen_at(datetime(2026, 11, 24, 9, tzinfo=clock.LONDON)):
        actions.revert_pages(school, upload_id)
    unauthorised = []
    for day in (9, 10, 16, 17, 23, 24):
        pupil_certificate = certificate(school, pupil, 2026, as_at=date(2026, 11, day))
        assert pupil_certificate is not None
        unauthorised.append((pupil_certificate.counts.possible, pupil_certificate.counts.unauthorised))
    assert unauthorised == [(0, 0), (10, 0), (10, 0), (10, 1), (10, 1), (10, 0)]


def test_unauthorised_sessions_are_named_by_code_and_the_unexplained_come_last(school: UUID) -> None:
    pupil = queries.roll_of(school, 2026).pupil_ids[1]
    write(school, {WEEK_1: page()})
    for session, code in enumerate("NGUG"):
        write(school, {WEEK_1: cell(code, 1, session)})
    pupil_certificate = certificate(school, pupil, 2026)
    assert pupil_certificate is not None
    assert pupil_certificate.unauthorised_codes == "G 2, U 1; N 1 not yet explained"


def test_amendments_list_every_change_with_its_sender(school: UUID, world: World) -> None:
    pupil = queries.roll_of(school, 2026).pupil_ids[1]
    write(school, {WEEK_1: page()})
    upload_id = write(school, {WEEK_1: cell("O", 1, 2)})
    actions.revert_pages(school, upload_id)
    changes = [
        (change.on, change.half, change.before.letters, change.after.letters, change.reason)
        for change in amendments(school, pupil, 2026)
    ]
    assert sorted(changes) == [(date(2026, 11, 3), "AM", "/", "O", "upload"), (date(2026, 11, 3), "AM", "O", "/", "undo")]
    assert {change.membership_id for change in amendments(school, pupil, 2026)} == {world.authority.people[Role.LA_MANAGER][1]}
    assert amendments(school, queries.roll_of(school, 2026).pupil_ids[2], 2026) == []


def test_a_newer_note_replaces_only_that_of_its_session(school: UUID) -> None:
    pupil = queries.roll_of(school, 2026).pupil_ids[0]
    first, second = write(school, {WEEK_1: page("L"), WEEK_2: page("L")}), write(school, {WEEK_1: page("U")})
    actions.save_notes(
        school, first, [(pupil, WEEK_1, "AM", 5, None), (pupil, WEEK_1, "PM", 6, None), (pupil, WEEK_2, "AM", 7, None)]
    )
    actions.save_notes(school, second, [(pupil, WEEK_1, "AM", 9, "Bus")])
    notes = [(note.on, note.session, note.minutes_late, note.comment) for note in queries.notes_of(pupil)]
    assert sorted(notes) == [(WEEK_1, "AM", 9, "Bus"), (WEEK_1, "PM", 6, None), (WEEK_2, "AM", 7, None)]


@pytest.mark.parametrize(
    ("reverted", "current_minutes"), [((2,), [9]), ((1,), [12]), ((1, 2), [5]), ((2, 1), [5]), ((0, 1, 2), []), ((0, 2), [9])]
)
def test_reverting_a_note_brings_back_the_one_it_replaced(
    school: UUID, reverted: tuple[int, ...], current_minutes: list[int]
) -> None:
    pupil = queries.roll_of(school, 2026).pupil_ids[0]
    uploads = [write(school, {WEEK_1: cell("L", 0, session)}) for session in range(3)]
    for upload, minutes in zip(uploads, (5, 9, 12), strict=True):
        actions.save_notes(school, upload, [(pupil, WEEK_1, "AM", minutes, None)])
    for number in reverted:
        actions.revert_pages(school, uploads[number])
    assert [note.minutes_late for note in queries.notes_of(pupil)] == current_minutes
    assert tx().scalar(select(func.count()).select_from(MarkNote)) == len(uploads), "all stay in the history"


def test_reverting_an_upload_removes_only_its_notes(school: UUID) -> None:
    pupil = queries.roll_of(school, 2026).pupil_ids[0]
    remaining, reverted = write(school, {WEEK_1: page("L")}), write(school, {WEEK_2: page("L")})
    actions.save_notes(school, remaining, [(pupil, WEEK_1, "AM", 5, None)])
    actions.save_notes(school, reverted, [(pupil, WEEK_2, "AM", 7, "Another child's")])
    actions.revert_pages(school, reverted)
    assert [note.upload_id for note in queries.notes_of(pupil)] == [remaining]


def _count_as_an_earlier_version(school: UUID) -> None:
    """Leave totals as an earlier version of the portal might have made them."""

    def change() -> None:
        tx().execute(update(CountedYear).where(CountedYear.school_id == school).values(way_of_counting="1"))
        tx().execute(update(PupilYearSummary).where(PupilYearSummary.school_id == school).values(possible=99))

    write_rows(change)


def test_a_year_is_recounted_once_after_the_way_of_counting_changed(school: UUID) -> None:
    """Totals that an earlier version made wait for one recount; then none is out of date."""
    write(school, {WEEK_1: page("#"), WEEK_2: page()})
    assert not queries.waits_for_recount(2026)
    _count_as_an_earlier_version(school)
    assert queries.waits_for_recount(2026)
    assert queries.waits_for_recount(2026, school)
    assert not queries.waits_for_recount(2025)
    assert [actions.recount_out_of_date(), actions.recount_out_of_date()] == [1, 0], "a recount that waits is not enqueued again"
    assert outbox.waiting(actions.RECOUNT) == [{"school_id": str(school), "academic_year": "2026"}]
    actions.recount(school, 2026)
    assert not queries.waits_for_recount(2026)
    assert queries.years_to_recount() == []
    assert pupil_summary(school, 1).possible == 10


def test_writing_one_week_does_not_make_an_old_year_look_recounted(school: UUID) -> None:
    write(school, {WEEK_1: page()})
    _count_as_an_earlier_version(school)
    write(school, {WEEK_2: page()})
    assert queries.waits_for_recount(2026, school)


def test_a_week_of_planned_closures_alone_counts_as_never_sent(school: UUID) -> None:
    write(school, {WEEK_1: page("#")})
    assert queries.school_years([school], (WEEK_1, WEEK_2)) == []
    (current,) = tx().scalars(select(CurrentPage))
    assert current.expected == 0
    assert queries.measures([school], between=(WEEK_1, WEEK_2), by="code", everyone=True) == {}
