"""Attacks and accidents between receiving a file and applying it (UPL-13 to 18)."""

from __future__ import annotations

import os
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy import event, select

from portal.db import connection as database
from portal.db.work import tx, unit_of_work
from portal.jobs import running
from portal.platform import clock
from portal.pupils.models import Pupil
from portal.pupils.queries import roll
from portal.registers.domain.pages import merged, unpacked
from portal.registers.queries import current_pages
from portal.registers.views.certificates import amendments, certificate
from portal.rules.codes import CODES_BY_SYMBOL
from portal.security.permissions import Role
from portal.uploads import actions, queries
from portal.uploads.domain.previews import EarlierUpload
from tests.support import forked_db
from tests.support import world as worlds
from tests.uploads.files import csv, import_rows, marks_preview, row, rows, upn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.orm import Session

    from tests.support.world import World

MONDAY = date(2026, 11, 2)
POINTS = 20
#: Selects every row an upload writes. The clock is stopped in these tests, so that two clean runs give equal rows.
STORED_ROWS = tuple(
    f"SELECT * FROM {table} ORDER BY {order}"  # noqa: S608  the names are written below
    for table, order in {
        "register_page": "school_id, week, version",
        "current_page": "school_id, week",
        "school_week_summary": "school_id, week, dimension, value",
        "pupil_year_summary": "school_id, academic_year, line",
        "finding": "upload_id, number",
        "upload": "id",
        "roll_line": "school_id, academic_year, line",
        "audit_event": "authority_id, sequence",
    }.items()
)


@pytest.fixture
def two_schools(world: World, as_role: Callable[..., Session]) -> World:
    """Six pupils at the primary school, and pupil 40 at the secondary."""
    as_role(Role.LA_MANAGER)
    import_rows(world.authority.primary, *rows(), add_pupils=True)
    import_rows(world.authority.secondary, row(40, "02/11/2026", "AM", "/"), add_pupils=True)
    return world


def test_rows_about_another_schools_pupils_are_rejected_and_reveal_nothing(
    two_schools: World, as_role: Callable[..., Session]
) -> None:
    """Attack UPL-13."""
    authority = two_schools.authority
    secondary_marks = current_pages(authority.secondary, [MONDAY])[MONDAY].marks.copy()
    as_role(Role.SCHOOL_OFFICE)
    upload = import_rows(
        authority.primary, row(0, "02/11/2026", "AM", "I"), row(40, "02/11/2026", "AM", "O"), row(41, "02/11/2026", "AM", "O")
    )
    assert (upload.rows_in, upload.rows_stored, upload.rows_rejected) == (3, 1, 2)
    unknown = [finding for finding in queries.findings_of(upload.id) if finding.kind == "unknown-pupil"]
    assert {(finding.sentence, finding.rejected) for finding in unknown} == {(unknown[0].sentence, True)}, (
        "a pupil of another school and a pupil of none get the same sentence"
    )
    as_role(Role.LA_MANAGER)
    assert (current_pages(authority.secondary, [MONDAY])[MONDAY].marks == secondary_marks).all()


def test_guessing_a_upn_opens_nothing_of_the_other_schools_pupil(two_schools: World, as_role: Callable[..., Session]) -> None:
    """Attack UPL-13. The row names another school's pupil by UPN, surname and date of birth.

    It becomes a record of the school's own. Of the other record nothing is seen, and nothing changes.
    """
    authority = two_schools.authority
    with unit_of_work(authority.scope()):
        before = [tuple(row) for row in tx().execute(select(Pupil.__table__).where(Pupil.school_id == authority.secondary))]
    as_role(Role.SCHOOL_OFFICE)
    upload = import_rows(authority.primary, row(40, "02/11/2026", "AM", "O"), add_pupils=True)
    assert (upload.rows_stored, upload.rows_rejected) == (1, 0)
    assert upn(40) in roll(authority.primary, 2026).upn
    assert tx().scalars(select(Pupil.school_id).distinct()).all() == [authority.primary]
    with unit_of_work(authority.scope()):
        after = [tuple(row) for row in tx().execute(select(Pupil.__table__).where(Pupil.school_id == authority.secondary))]
    assert after == before


def test_sending_the_same_file_twice_changes_the_register_once(two_schools: World, as_role: Callable[..., Session]) -> None:
    """Attack UPL-14."""
    authority = two_schools.authority
    as_role(Role.SCHOOL_OFFICE)
    first = import_rows(authority.primary, row(0, "02/11/2026", "AM", "I"))
    page = current_pages(authority.primary, [MONDAY])[MONDAY]
    second = import_rows(authority.primary, row(0, "02/11/2026", "AM", "I"))
    assert marks_preview(second).same_as == EarlierUpload(first.id, first.received_at)
    assert current_pages(authority.primary, [MONDAY])[MONDAY].version == page.version


def test_a_late_change_is_a_correction_and_the_earlier_register_can_still_be_read(
    two_schools: World, as_role: Callable[..., Session]
) -> None:
    """Attack UPL-17."""
    authority = two_schools.authority
    as_role(Role.SCHOOL_OFFICE)
    pupil_id = roll(authority.primary, 2026).pupil_ids[0]
    import_rows(authority.primary, row(0, "02/11/2026", "AM", "O"))
    with clock.frozen_at(datetime(2026, 12, 8, 10, tzinfo=clock.LONDON)):
        late_upload = import_rows(authority.primary, row(0, "02/11/2026", "AM", "C"))
        newest = amendments(authority.primary, pupil_id, 2026)[0]
        assert (newest.before, newest.after, newest.upload_id) == (CODES_BY_SYMBOL["O"], CODES_BY_SYMBOL["C"], late_upload.id)
        assert newest.membership_id == authority.people[Role.SCHOOL_OFFICE][1]
        earlier, current = (certificate(authority.primary, pupil_id, 2026, as_at=day) for day in (date(2026, 12, 7), None))
    assert earlier is not None
    assert current is not None
    assert (earlier.counts.count("O"), earlier.counts.count("C")) == (1, 0)
    assert (current.counts.count("O"), current.counts.count("C")) == (0, 1)


def test_wrong_codes_and_dates_are_rejected_row_by_row_and_none_is_dropped(
    two_schools: World, as_role: Callable[..., Session]
) -> None:
    """Attack UPL-18."""
    authority = two_schools.authority
    as_role(Role.SCHOOL_OFFICE)
    wrong_marks = [
        ("02/11/2026", "ZZ"),
        ("02/11/2026", "Y"),
        ("28/10/2026", "/"),
        ("07/11/2026", "/"),
        ("26/11/2026", "/"),
        ("02/11/2026", "X"),
    ]
    wrong_rows = [row(number, day, "AM", code) for number, (day, code) in enumerate(wrong_marks)]
    upload = import_rows(authority.primary, *wrong_rows, row(0, "03/11/2026", "AM", "I"))
    assert (upload.rows_in, upload.rows_stored, upload.rows_rejected) == (len(wrong_marks) + 1, 1, len(wrong_marks))
    rejections = [finding for finding in queries.findings_of(upload.id) if finding.rejected]
    assert sum(finding.count for finding in rejections) == upload.rows_rejected
    rejected_rows = (queries.rejected_rows_of(upload.id) or b"").decode()
    assert all(upn(number) in rejected_rows for number in range(len(wrong_marks)))


class Prepared:
    """A committed database: the primary school with marks, and a file whose job to apply it waits."""

    def __init__(self, name: str) -> None:
        self.name = name
        job_query = "SELECT id FROM outbox_job WHERE kind = 'uploads.apply'"
        ((self.job,),), ((self.school, self.authority),) = forked_db.rows(
            name, job_query, "SELECT school_id, authority_id FROM upload LIMIT 1"
        )

    def run_job(self) -> None:
        assert running.run(str(self.job)) == "done"

    def stored_rows(self) -> list[list[tuple[object, ...]]]:
        return forked_db.rows(self.name, *STORED_ROWS)


def _prepare() -> None:
    """Import two weeks of marks, then ask for a second file to be applied.

    The second file changes marks, adds a week and has a row that is rejected. Its job is not run yet.
    """
    authority = worlds.make_world().authority
    with unit_of_work(authority.scope(Role.SCHOOL_OFFICE)):
        import_rows(authority.primary, *rows(), add_pupils=True)
        new_week = [row(number, "16/11/2026", half, "O") for number in range(6) for half in ("AM", "PM")]
        second_file = [*new_week, row(0, "02/11/2026", "AM", "I"), row(0, "03/11/2026", "AM", "Z1")]
        upload_id = actions.preview(authority.primary, kind="marks", file_name="x.csv", content=csv(*second_file))
        actions.request_apply(upload_id)


@pytest.fixture(scope="module")
def base(worker_id: str) -> Iterator[str]:
    """The prepared database, which no test changes."""
    with forked_db.copied_database(f"portal_life_{worker_id}") as name:
        assert forked_db.run_forked(name, _prepare) == 0
        yield name


@pytest.mark.slow
def test_a_job_killed_at_twenty_points_leaves_nothing_half_done(base: str, worker_id: str) -> None:
    """Attack UPL-16."""
    with (
        forked_db.copied_database(f"portal_clean_{worker_id}", base) as clean,
        forked_db.copied_database(f"portal_killed_{worker_id}", base) as killed,
    ):
        clean_run, killed_run = Prepared(clean), Prepared(killed)
        rows_before = killed_run.stored_rows()
        statements = _count_statements(clean_run)
        assert statements > POINTS
        assert clean_run.stored_rows() != rows_before
        points = sorted({int(point) for point in np.linspace(4, statements, POINTS)})
        assert len(points) == POINTS
        for point in points:
            assert forked_db.run_forked(killed, forked_db.killed_before_statement(point, killed_run.run_job)) == forked_db.KILLED, (
                point
            )
            assert killed_run.stored_rows() == rows_before, f"killed before statement {point} of {statements}"
        assert forked_db.run_forked(killed, killed_run.run_job) == 0
        assert killed_run.stored_rows() == clean_run.stored_rows()


def _count_statements(prepared: Prepared) -> int:
    """Run the whole job and count its statements and commits."""
    # Counted in a process of its own, which sends the number through a pipe.
    reader, writer = os.pipe()

    def run_and_count() -> None:
        count = 0

        def increment(*_: object) -> None:
            nonlocal count
            count += 1

        event.listen(database.engine(), "before_cursor_execute", increment)
        event.listen(database.engine(), "commit", increment)
        prepared.run_job()
        os.write(writer, str(count).encode())

    assert forked_db.run_forked(prepared.name, run_and_count) == 0
    return int(os.read(reader, 16))


@pytest.mark.slow
def test_two_files_of_one_week_sent_at_once_are_applied_one_after_the_other(base: str, worker_id: str) -> None:
    """Attack UPL-15."""
    with forked_db.copied_database(f"portal_two_{worker_id}", base) as name:
        prepared = Prepared(name)
        reader, writer = os.pipe()

        def send(code: str, pupils: range, *, waits: bool) -> None:
            with unit_of_work(worlds.Scope(prepared.authority, None, worlds.Actor(None, None, "command-line"))):
                if waits:
                    # Before its commit it says so through one pipe and waits at the other, holding the school's lock.
                    event.listen(database.engine(), "commit", lambda _connection: (os.write(writer, b"."), os.read(slow_reader, 1)))
                import_rows(prepared.school, *(row(number, "02/11/2026", "AM", code) for number in pupils))

        slow_reader, slow_writer = os.pipe()
        first = forked_db.fork(name, lambda: send("I", range(4), waits=True))
        os.read(reader, 1)
        second = forked_db.fork(name, lambda: send("M", range(2, 6), waits=False))
        _wait_until_blocked(name)
        os.write(slow_writer, b"..")
        assert [forked_db.wait_for(first), forked_db.wait_for(second)] == [0, 0]
        (pages,) = forked_db.rows(name, "SELECT version, marks FROM register_page WHERE week = '2026-11-02' ORDER BY version")
        assert [version for version, _ in pages] == [1, 2, 3]
        original, after_first, after_second = (unpacked(bytes(marks)) for _, marks in pages)
        assert (after_first == merged(original, _monday_morning("I", range(4)))).all()
        assert (after_second == merged(after_first, _monday_morning("M", range(2, 6)))).all(), (
            "the second file's cells are laid over all of the first file's"
        )


def _wait_until_blocked(name: str) -> None:
    """Wait until the second process is blocked by the school's lock."""
    for _ in range(200):
        (waiting,) = forked_db.rows(name, "SELECT pg_sleep(0.02), count(*) FROM pg_locks WHERE NOT granted")
        if waiting[0][1]:
            return
    pytest.fail("The second upload never waited for the first.")


def _monday_morning(code: str, pupils: range) -> np.ndarray:
    """A register page with this code for these pupils on Monday morning, and nothing else."""
    marks = np.zeros((6, 14), dtype=np.uint8)
    marks[list(pupils), 0] = CODES_BY_SYMBOL[code].byte
    return marks
