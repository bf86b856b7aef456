"""Registers on a real database: versions, undo, the certificate as it stood, and everything counted in step."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import NoResultFound

from portal import clock
from portal.db import tx
from portal.permissions import Role
from portal.pupils.actions import take_list
from portal.pupils.incoming import IncomingPupil
from portal.pupils.models import Pupil
from portal.registers import actions, overview, queries
from portal.registers.certificates import amendments, certificate
from portal.registers.models import CurrentPage, MarkNote, RegisterPage, Standing, Tally
from portal.registers.pages import SESSIONS
from portal.registers.tallies import EVERYONE, HEADLINE
from portal.rules.codes import BY_BYTE, BY_LETTERS
from portal.rules.school_age import age_at_start
from portal.schools.models import ClosedDays
from tests.support.world import furnish
from tests.uploads.files import upn

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sqlalchemy.orm import Session

    from tests.support.world import World

ONE, TWO = date(2026, 11, 2), date(2026, 11, 9)
#: Reception (4 at the start of the year), Years 1, 5 and 11, and a sixth-former.
BIRTHS = (date(2022, 3, 1), date(2021, 3, 1), date(2016, 10, 1), date(2011, 3, 1), date(2010, 3, 1))


@pytest.fixture
def school(world: World, as_role: Callable[..., Session]) -> UUID:
    """The primary school with five pupils on its roll for this year and the year before, and no marks."""
    as_role(Role.LA_MANAGER)
    people = [
        IncomingPupil(
            f"Colewood{'abcde'[place]}", "Ela", born, upn=upn(place), admission_date=date(2024, 9, 2), year_group=str(place + 1)
        )
        for place, born in enumerate(BIRTHS)
    ]
    for year in (2025, 2026):
        take_list(world.here.primary, people, academic_year=year)
    return world.here.primary


def page(code: str | None = None, lines: int = 5, days: int = 5) -> np.ndarray:
    """A week with everyone present, or with one code throughout."""
    marks = np.zeros((lines, SESSIONS), dtype=np.uint8)
    for place in range(2 * days):
        marks[:, place] = BY_LETTERS[code or ("/", "\\")[place % 2]].byte
    return marks


def cell(code: str, line: int, session: int) -> np.ndarray:
    """A page with one mark."""
    marks = np.zeros((5, SESSIONS), dtype=np.uint8)
    marks[line, session] = BY_LETTERS[code].byte
    return marks


def write(school: UUID, pages: dict[date, np.ndarray]) -> UUID:
    """Write as an upload would; its id."""
    upload_id = uuid4()
    actions.write_pages(school, pages, upload_id=upload_id)
    return upload_id


def standing(school: UUID, line: int, year: int = 2026) -> Standing:
    tx().expire_all()
    found = select(Standing).where(Standing.school_id == school, Standing.line == line, Standing.academic_year == year)
    return tx().scalars(found).one()


def test_each_change_is_a_version_and_the_newest_is_current(school: UUID) -> None:
    write(school, {ONE: page(), TWO: page()})
    write(school, {ONE: cell("I", 0, 0)})
    held = tx().execute(select(RegisterPage.week, RegisterPage.version).order_by(RegisterPage.week, RegisterPage.version)).all()
    assert [tuple(one) for one in held] == [(ONE, 1), (ONE, 2), (TWO, 1)]
    current = {row.week: row for row in tx().scalars(select(CurrentPage))}
    assert {week: row.version for week, row in current.items()} == {ONE: 2, TWO: 1}
    assert queries.current_pages(school, [ONE])[ONE].marks[0, 0] == BY_LETTERS["I"].byte


def test_writing_what_is_there_already_makes_no_version(school: UUID) -> None:
    write(school, {ONE: page()})
    again = actions.write_pages(school, {ONE: page()}, upload_id=uuid4())
    assert (again.weeks, again.cells) == ((), 0)
    assert len(tx().scalars(select(RegisterPage)).all()) == 1


def test_taking_an_upload_back_restores_every_page_and_count(school: UUID) -> None:
    write(school, {ONE: page()})
    before = _derived(school)
    upload_id = write(school, {ONE: page("O"), TWO: page("I")})
    assert _derived(school) != before
    written = actions.take_back(school, upload_id)
    assert written.weeks == (ONE, TWO)
    after = _derived(school)
    assert after["standing"] == before["standing"]
    assert after["tally"] == before["tally"]
    assert len(tx().scalars(select(RegisterPage)).all()) == 5
    assert not queries.current_pages(school, [TWO])[TWO].marks.any()


def _derived(school: UUID) -> dict[str, list[tuple[object, ...]]]:
    """What is kept beside the pages, weeks without a mark apart."""
    standings = select(*Standing.__table__.columns).where(Standing.school_id == school)
    tallies = select(*Tally.__table__.columns).where(Tally.school_id == school, Tally.possible > 0)
    found = {"standing": standings.order_by(Standing.line), "tally": tallies.order_by(Tally.week, Tally.dimension, Tally.value)}
    return {name: [tuple(map(str, row)) for row in tx().execute(question)] for name, question in found.items()}


def test_a_school_out_of_scope_cannot_be_written(school: UUID, world: World, as_role: Callable[..., Session]) -> None:
    as_role(Role.SCHOOL_OFFICE)
    with pytest.raises(NoResultFound):
        actions.write_pages(world.here.secondary, {ONE: page()}, upload_id=None)


def test_how_complete_a_week_is_counts_pupils_on_roll_and_days_met(school: UUID) -> None:
    write(school, {ONE: page(days=3)})
    current = tx().scalars(select(CurrentPage)).one()
    assert (current.expected, current.missing, current.last_day) == (5 * 6, 0, date(2026, 11, 4))
    write(school, {TWO: cell("/", 0, 0)})
    tx().expire_all()
    first = tx().scalars(select(CurrentPage).where(CurrentPage.week == ONE)).one()
    assert (first.expected, first.missing) == (5 * 10, 5 * 4)


def test_recounting_after_a_day_was_closed_leaves_its_marks_out_and_keeps_them_on_the_page(school: UUID) -> None:
    write(school, {ONE: page("I")})
    assert standing(school, 1).possible == 10
    closed = ClosedDays(school_id=school, name="Flood", first_day=ONE, last_day=ONE)
    furnish(lambda: tx().add(closed))
    actions.recount(school, 2026)
    assert standing(school, 1).possible == 8
    everyone = tx().scalars(select(Tally).where(Tally.dimension == EVERYONE).execution_options(populate_existing=True)).one()
    assert (everyone.possible, everyone.enrolments) == (40, 5)
    assert queries.current_pages(school, [ONE])[ONE].marks[0, 0] == BY_LETTERS["I"].byte
    found = certificate(school, queries.roll_of(school, 2026).pupil_ids[0], 2026)
    assert found is not None
    assert found.tally.possible == 8


def test_recounting_after_a_birthday_was_put_right_moves_a_pupil_into_the_headline(school: UUID) -> None:
    write(school, {ONE: page()})
    pupil = queries.roll_of(school, 2026).pupil_ids[0]
    assert _headline().enrolments == 3
    furnish(lambda: tx().execute(update(Pupil).where(Pupil.id == pupil).values(date_of_birth=date(2020, 3, 1))))
    actions.recount(school, 2026)
    assert _headline().enrolments == 4


def _headline() -> Tally:
    found = select(Tally).where(Tally.dimension == HEADLINE, Tally.week == ONE)
    return tx().scalars(found.execution_options(populate_existing=True)).one()


def test_ten_school_weeks_span_the_summer_and_a_late_change_to_july_reaches_september(school: UUID) -> None:
    july, september = date(2026, 7, 13), date(2026, 9, 7)
    write(school, {july: page("O", days=3)})
    write(school, {september: page("O", days=3)})
    assert [standing(school, line).threshold_best for line in (1, 2, 5)] == [0, 12, 0], (
        "below and above compulsory school age nothing counts"
    )
    write(school, {july: page("/", days=3)})
    assert standing(school, 2).threshold_best == 6
    assert standing(school, 2, 2025).threshold_best == 0


def test_measures_are_a_slow_recount_of_the_pages(school: UUID) -> None:
    chance = np.random.default_rng(3)
    codes = np.array([code.byte for code in BY_LETTERS.values() if not code.legacy], dtype=np.uint8)
    drawn = {}
    for week in (date(2026, 9, 7), date(2026, 10, 19), ONE, TWO):
        marks = np.where(chance.random((5, SESSIONS)) < 0.3, chance.choice(codes, (5, SESSIONS)), page())
        marks[:, 10:] = 0
        drawn[week] = marks.astype(np.uint8)
    write(school, drawn)
    between = (date(2026, 9, 8), date(2026, 11, 11))
    for everyone in (False, True):
        for by in ("none", "week", "month", "year-group", "code", "school"):
            found = queries.measures([school], between=between, by=by, everyone=everyone)
            own = _slow(drawn, between, by, school, everyone=everyone)
            assert {group: one.counts() for group, one in found.items()} == own, (by, everyone)
            for one in found.values():
                attendance, absence = one.rates()["attendance"], one.rates()["overall_absence"]
                assert attendance is None if absence is None else attendance + absence == Fraction(100)


def _slow(
    pages: dict[date, np.ndarray], between: tuple[date, date], by: str, school: UUID, *, everyone: bool
) -> dict[str, dict[str, int]]:
    """Mark by mark, pupil by pupil, with nothing of the portal's but the list of codes."""
    groups: dict[str, dict[int, list[int]]] = {}
    for week, marks in sorted(pages.items()):
        for line, born in enumerate(BIRTHS):
            if not everyone and not 5 <= age_at_start(born, 2026) <= 15:
                continue
            for place in range(SESSIONS):
                on = week + timedelta(days=place // 2)
                if not between[0] <= on <= between[1] or on.weekday() > 4:
                    continue
                group = {"week": week.isoformat(), "month": f"{on:%Y-%m}", "year-group": str(line + 1), "school": str(school)}.get(
                    by, "all"
                )
                groups.setdefault(group, {}).setdefault(line, []).append(int(marks[line, place]))
    if by == "year-group" and not everyone:
        groups |= {str(line + 1): {} for line, born in enumerate(BIRTHS) if not 5 <= age_at_start(born, 2026) <= 15}
    return {group: _counted(lines) for group, lines in groups.items()}


def _counted(lines: dict[int, list[int]]) -> dict[str, int]:
    def number(held: list[int], *categories: int) -> int:
        return sum(byte != 0 and int(BY_BYTE[byte].category) in categories for byte in held)

    every = [byte for held in lines.values() for byte in held]
    own = [(number(held, 3, 4), number(held, 1, 2, 3, 4)) for held in lines.values()]
    return {
        "possible": number(every, 1, 2, 3, 4),
        "present": number(every, 1),
        "approved_educational_activity": number(every, 2),
        "authorised": number(every, 3),
        "unauthorised": number(every, 4),
        "late": sum(byte != 0 and BY_BYTE[byte].letters in {"L", "U"} for byte in every),
        "enrolments": sum(possible > 0 for _, possible in own),
        "persistently_absent": sum(possible > 0 and absent / possible >= 0.1 for absent, possible in own),
        "severely_absent": sum(possible > 0 and absent / possible >= 0.5 for absent, possible in own),
    }


def test_overviews_are_sums_of_tallies(school: UUID) -> None:
    write(school, {ONE: page(), TWO: page("I")})
    (summary,) = [one for one in overview.every_school(2026, recent_from=TWO) if one.school_id == school]
    assert summary.year is not None
    assert summary.recent is not None
    assert (summary.year.possible, summary.year.authorised, summary.recent.possible) == (60, 30, 30)
    assert (summary.last_day, summary.pupils, summary.persistently_absent) == (date(2026, 11, 13), 3, 3)
    assert [one.possible for one in overview.school_weeks(school, 2026)] == [30, 30]


def test_the_certificate_stands_as_it_stood_on_any_past_day(school: UUID) -> None:
    pupil = queries.roll_of(school, 2026).pupil_ids[1]
    with clock.at(datetime(2026, 11, 10, 9, tzinfo=clock.LONDON)):
        write(school, {ONE: page()})
    with clock.at(datetime(2026, 11, 17, 9, tzinfo=clock.LONDON)):
        changed = write(school, {ONE: cell("O", 1, 0)})
    with clock.at(datetime(2026, 11, 24, 9, tzinfo=clock.LONDON)):
        actions.take_back(school, changed)
    unauthorised = []
    for day in (9, 10, 16, 17, 23, 24):
        found = certificate(school, pupil, 2026, as_at=date(2026, 11, day))
        assert found is not None
        unauthorised.append((found.tally.possible, found.tally.unauthorised))
    assert unauthorised == [(0, 0), (10, 0), (10, 0), (10, 1), (10, 1), (10, 0)]


def test_every_version_of_a_mark_is_told_newest_first_with_who_sent_it(school: UUID, world: World) -> None:
    pupil = queries.roll_of(school, 2026).pupil_ids[1]
    write(school, {ONE: page()})
    changed = write(school, {ONE: cell("O", 1, 2)})
    actions.take_back(school, changed)
    told = [(one.on, one.half, one.before.letters, one.after.letters, one.reason) for one in amendments(school, pupil, 2026)]
    assert sorted(told) == [(date(2026, 11, 3), "AM", "/", "O", "upload"), (date(2026, 11, 3), "AM", "O", "/", "undo")]
    assert {one.membership_id for one in amendments(school, pupil, 2026)} == {world.here.people[Role.LA_MANAGER][1]}
    assert amendments(school, queries.roll_of(school, 2026).pupil_ids[2], 2026) == []


def test_a_newer_note_replaces_the_one_of_its_session_and_no_other(school: UUID) -> None:
    pupil = queries.roll_of(school, 2026).pupil_ids[0]
    first, second = write(school, {ONE: page("L"), TWO: page("L")}), write(school, {ONE: page("U")})
    actions.keep_notes(school, first, [(pupil, ONE, "AM", 5, None), (pupil, ONE, "PM", 6, None), (pupil, TWO, "AM", 7, None)])
    actions.keep_notes(school, second, [(pupil, ONE, "AM", 9, "Bus")])
    kept = [(one.on, one.session, one.minutes_late, one.comment) for one in queries.notes_of(pupil)]
    assert sorted(kept) == [(ONE, "AM", 9, "Bus"), (ONE, "PM", 6, None), (TWO, "AM", 7, None)]


@pytest.mark.parametrize(
    ("undone", "stands"), [((2,), [9]), ((1,), [12]), ((1, 2), [5]), ((2, 1), [5]), ((0, 1, 2), []), ((0, 2), [9])]
)
def test_what_an_undone_note_replaced_comes_back(school: UUID, undone: tuple[int, ...], stands: list[int]) -> None:
    pupil = queries.roll_of(school, 2026).pupil_ids[0]
    uploads = [write(school, {ONE: cell("L", 0, session)}) for session in range(3)]
    for upload, minutes in zip(uploads, (5, 9, 12), strict=True):
        actions.keep_notes(school, upload, [(pupil, ONE, "AM", minutes, None)])
    for place in undone:
        actions.take_back(school, uploads[place])
    assert [one.minutes_late for one in queries.notes_of(pupil)] == stands
    assert tx().scalar(select(func.count()).select_from(MarkNote)) == len(uploads), "all stay in the history"


def test_notes_of_an_upload_go_with_it_and_others_stay(school: UUID) -> None:
    pupil = queries.roll_of(school, 2026).pupil_ids[0]
    kept, taken = write(school, {ONE: page("L")}), write(school, {TWO: page("L")})
    actions.keep_notes(school, kept, [(pupil, ONE, "AM", 5, None)])
    actions.keep_notes(school, taken, [(pupil, TWO, "AM", 7, "Another child's")])
    actions.take_back(school, taken)
    assert [one.upload_id for one in queries.notes_of(pupil)] == [kept]
