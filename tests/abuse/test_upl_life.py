"""Abuse of an upload's life: other schools' pupils, a file twice, two at once, processes killed, late changes, wrong codes."""

from __future__ import annotations

import os
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy import event, select

from portal import clock, db
from portal.db import tx, unit_of_work
from portal.permissions import Role
from portal.pupils.models import MatchQuestion
from portal.pupils.queries import roll
from portal.registers.certificates import amendments, certificate
from portal.registers.pages import merged, unpacked
from portal.registers.queries import current_pages
from portal.rules.codes import BY_LETTERS
from portal.uploads import actions, queries
from tests.support import apart
from tests.support import world as worlds
from tests.uploads.files import csv, findings, row, rows, take, upn
from workers import jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.orm import Session

    from tests.support.world import World

MONDAY = date(2026, 11, 2)
POINTS = 20
#: Everything an upload leaves behind. The clock stands still, so that two clean runs are equal to the last byte.
KEPT = tuple(
    f"SELECT * FROM {table} ORDER BY {order}"  # noqa: S608  names of our own, written below
    for table, order in {
        "register_page": "school_id, week, version",
        "current_page": "school_id, week",
        "tally": "school_id, week, dimension, value",
        "standing": "school_id, academic_year, line",
        "finding": "upload_id, number",
        "upload": "id",
        "roll_line": "school_id, academic_year, line",
        "audit_event": "authority_id, sequence",
    }.items()
)


@pytest.fixture
def two_schools(world: World, as_role: Callable[..., Session]) -> World:
    """Six pupils at the primary school, and one of another number at the secondary."""
    as_role(Role.LA_MANAGER)
    take(world.here.primary, *rows(), add_pupils=True)
    take(world.here.secondary, row(40, "02/11/2026", "AM", "/"), add_pupils=True)
    return world


def test_upl_13_another_schools_pupils_are_refused_and_nothing_of_theirs_is_told_or_changed(
    two_schools: World, as_role: Callable[..., Session]
) -> None:
    here = two_schools.here
    theirs = current_pages(here.secondary, [MONDAY])[MONDAY].marks.copy()
    as_role(Role.SCHOOL_OFFICE)
    sent = take(here.primary, row(0, "02/11/2026", "AM", "I"), row(40, "02/11/2026", "AM", "O"), row(41, "02/11/2026", "AM", "O"))
    assert (sent.rows_in, sent.rows_stored, sent.rows_refused) == (3, 1, 2)
    told = [one for one in queries.findings_of(sent.id) if one.kind == "unknown-pupil"]
    assert {(one.sentence, one.refused) for one in told} == {(told[0].sentence, True)}, "held and unknown pupils read alike"
    as_role(Role.LA_MANAGER)
    assert (current_pages(here.secondary, [MONDAY])[MONDAY].marks == theirs).all()


def test_upl_13_a_guessed_pupil_never_joins_the_school_that_guesses(two_schools: World, as_role: Callable[..., Session]) -> None:
    """With the UPN of another school's pupil and the wrong birthday: a question for the authority, no line, no mark."""
    here = two_schools.here
    as_role(Role.SCHOOL_OFFICE)
    sent = take(here.primary, row(40, "02/11/2026", "AM", "O", dob="01/01/2017"), add_pupils=True)
    assert (sent.rows_stored, findings(sent)["unknown-pupil"].count) == (0, 1)
    assert upn(40) not in roll(here.primary, 2026).upn
    asked = tx().scalars(select(MatchQuestion)).all()
    assert [one.across_schools for one in asked] == [True]


def test_upl_14_the_same_file_twice_is_one_change_and_the_second_is_told_of_the_first(
    two_schools: World, as_role: Callable[..., Session]
) -> None:
    here = two_schools.here
    as_role(Role.SCHOOL_OFFICE)
    first = take(here.primary, row(0, "02/11/2026", "AM", "I"))
    page = current_pages(here.primary, [MONDAY])[MONDAY]
    second = take(here.primary, row(0, "02/11/2026", "AM", "I"))
    assert second.rehearsal["same_as"] == str(first.id)
    assert second.rehearsal["same_as_received_at"] == first.received_at.isoformat()
    assert current_pages(here.primary, [MONDAY])[MONDAY].version == page.version


def test_upl_17_a_late_change_is_a_correction_and_the_page_still_stands_as_it_stood(
    two_schools: World, as_role: Callable[..., Session]
) -> None:
    here = two_schools.here
    as_role(Role.SCHOOL_OFFICE)
    pupil = roll(here.primary, 2026).pupil_ids[0]
    take(here.primary, row(0, "02/11/2026", "AM", "O"))
    with clock.at(datetime(2026, 12, 8, 10, tzinfo=clock.LONDON)):
        late = take(here.primary, row(0, "02/11/2026", "AM", "C"))
        newest = amendments(here.primary, pupil, 2026)[0]
        assert (newest.before, newest.after, newest.upload_id) == (BY_LETTERS["O"], BY_LETTERS["C"], late.id)
        assert newest.membership_id == here.people[Role.SCHOOL_OFFICE][1]
        then, now = (certificate(here.primary, pupil, 2026, as_at=day) for day in (date(2026, 12, 7), None))
    assert then is not None
    assert now is not None
    assert (then.tally.count("O"), then.tally.count("C")) == (1, 0)
    assert (now.tally.count("O"), now.tally.count("C")) == (0, 1)


def test_upl_18_wrong_codes_and_days_are_refused_one_by_one_and_none_is_dropped(
    two_schools: World, as_role: Callable[..., Session]
) -> None:
    here = two_schools.here
    as_role(Role.SCHOOL_OFFICE)
    bad = [
        ("02/11/2026", "ZZ"),
        ("02/11/2026", "Y"),
        ("28/10/2026", "/"),
        ("07/11/2026", "/"),
        ("26/11/2026", "/"),
        ("02/11/2026", "X"),
    ]
    lines = [row(place, on, "AM", code) for place, (on, code) in enumerate(bad)]
    sent = take(here.primary, *lines, row(0, "03/11/2026", "AM", "I"))
    assert (sent.rows_in, sent.rows_stored, sent.rows_refused) == (len(bad) + 1, 1, len(bad))
    told = [one for one in queries.findings_of(sent.id) if one.refused]
    assert sum(one.count for one in told) == sent.rows_refused
    mended = (queries.refused_rows_of(sent.id) or b"").decode()
    assert all(upn(place) in mended for place in range(len(bad)))


class Prepared:
    """A committed database: the primary school with marks, and a file asked to be applied whose job waits."""

    def __init__(self, name: str) -> None:
        self.name = name
        promised = "SELECT id FROM outbox_job WHERE kind = 'uploads.apply'"
        ((self.job,),), ((self.school, self.authority),) = apart.rows(
            name, promised, "SELECT school_id, authority_id FROM upload LIMIT 1"
        )

    def work(self) -> None:
        assert jobs.run(str(self.job)) == "done"

    def kept(self) -> list[list[tuple[object, ...]]]:
        return apart.rows(self.name, *KEPT)


def _prepare() -> None:
    """Two weeks of marks; then a file that changes some, adds a week and has rows refused, up to the promise to apply it."""
    here = worlds.made().here
    with unit_of_work(here.scope(Role.SCHOOL_OFFICE)):
        take(here.primary, *rows(), add_pupils=True)
        lines = [row(one, "16/11/2026", half, "O") for one in range(6) for half in ("AM", "PM")]
        mixed = [*lines, row(0, "02/11/2026", "AM", "I"), row(0, "03/11/2026", "AM", "Z1")]
        sent = actions.rehearse(here.primary, kind="marks", file_name="x.csv", content=csv(*mixed))
        actions.ask_to_apply(sent)


@pytest.fixture(scope="module")
def base(worker_id: str) -> Iterator[str]:
    """The prepared database, which no test changes."""
    with apart.database(f"portal_life_{worker_id}") as name:
        assert apart.done(name, _prepare) == 0
        yield name


@pytest.mark.slow
def test_upl_16_killed_at_twenty_points_nothing_is_half_done_and_the_next_run_equals_a_clean_one(base: str, worker_id: str) -> None:
    with apart.database(f"portal_clean_{worker_id}", base) as clean, apart.database(f"portal_killed_{worker_id}", base) as killed:
        unhurt, hurt = Prepared(clean), Prepared(killed)
        before = hurt.kept()
        statements = _statements(unhurt)
        assert statements > POINTS
        assert unhurt.kept() != before
        points = sorted({int(place) for place in np.linspace(4, statements, POINTS)})
        assert len(points) == POINTS
        for place in points:
            assert apart.done(killed, apart.dying_at(place, hurt.work)) == apart.KILLED, place
            assert hurt.kept() == before, f"killed before statement {place} of {statements}"
        assert apart.done(killed, hurt.work) == 0
        assert hurt.kept() == unhurt.kept()


def _statements(prepared: Prepared) -> int:
    """Run the job whole, and count what it sends up to its last commit."""
    reader, writer = os.pipe()

    def counted() -> None:
        count = 0

        def next_one(*_: object) -> None:
            nonlocal count
            count += 1

        event.listen(db.engine(), "before_cursor_execute", next_one)
        event.listen(db.engine(), "commit", next_one)
        prepared.work()
        os.write(writer, str(count).encode())

    assert apart.done(prepared.name, counted) == 0
    return int(os.read(reader, 16))


@pytest.mark.slow
def test_upl_15_two_files_of_one_week_at_once_are_taken_one_after_the_other_and_both_kept(base: str, worker_id: str) -> None:
    with apart.database(f"portal_two_{worker_id}", base) as name:
        prepared = Prepared(name)
        reader, writer = os.pipe()

        def send(code: str, pupils: range, *, waits: bool) -> None:
            with unit_of_work(worlds.Scope(prepared.authority, None, worlds.Actor(None, None, "command-line"))):
                if waits:
                    event.listen(db.engine(), "commit", lambda _connection: (os.write(writer, b"."), os.read(slow_reader, 1)))
                take(prepared.school, *(row(one, "02/11/2026", "AM", code) for one in pupils))

        slow_reader, slow_writer = os.pipe()
        first = apart.begun(name, lambda: send("I", range(4), waits=True))
        os.read(reader, 1)
        second = apart.begun(name, lambda: send("M", range(2, 6), waits=False))
        _waits_for_the_first(name)
        os.write(slow_writer, b"..")
        assert [apart.ended(first), apart.ended(second)] == [0, 0]
        (pages,) = apart.rows(name, "SELECT version, marks FROM register_page WHERE week = '2026-11-02' ORDER BY version")
        assert [version for version, _ in pages] == [1, 2, 3]
        was, one, two = (unpacked(bytes(marks)) for _, marks in pages)
        assert (one == merged(was, _column("I", range(4)))).all()
        assert (two == merged(one, _column("M", range(2, 6)))).all(), (
            "the later one wins, cell by cell, over the whole of the first"
        )


def _waits_for_the_first(name: str) -> None:
    """Look until the second process stands at the school's lock."""
    for _ in range(200):
        (waiting,) = apart.rows(name, "SELECT pg_sleep(0.02), count(*) FROM pg_locks WHERE NOT granted")
        if waiting[0][1]:
            return
    pytest.fail("The second upload never waited for the first.")


def _column(code: str, pupils: range) -> np.ndarray:
    marks = np.zeros((6, 14), dtype=np.uint8)
    marks[list(pupils), 0] = BY_LETTERS[code].byte
    return marks
