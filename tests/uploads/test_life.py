"""The states of an upload: received, previewed, applied, reverted, rejected or cancelled."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from portal.db.work import tx
from portal.jobs import running
from portal.jobs.outbox import OutboxJob
from portal.platform.refusals import NotFoundError, RefusedError
from portal.pupils.queries import roll
from portal.registers.models import MarkNote, PupilYearSummary, RegisterPage, SchoolWeekSummary
from portal.registers.queries import current_pages, school_years, year_register
from portal.registers.views.summaries import every_school
from portal.rules.codes import CODES_BY_SYMBOL
from portal.security.permissions import Role
from portal.uploads import actions, queries
from portal.uploads.domain.previews import CodeChange, EarlierUpload
from portal.uploads.models import UploadContent
from tests.support.world import write_rows
from tests.uploads.files import PUPILS, csv, get_upload, import_rows, marks_preview, row, rows, upn

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sqlalchemy.orm import Session

    from tests.support.world import World

MONDAY = date(2026, 11, 2)


def pending_jobs(kind: str) -> list[UUID]:
    """The jobs of this kind that are not done."""
    statement = select(OutboxJob.id).where(OutboxJob.kind == kind, OutboxJob.done_at.is_(None))
    return list(tx().scalars(statement.order_by(OutboxJob.run_after)))


def snapshot(school_id: UUID) -> tuple[object, ...]:
    """The roll, pages and summaries of the school: all that an upload may change."""
    pages = tx().execute(
        select(RegisterPage.week, RegisterPage.version, RegisterPage.marks).where(RegisterPage.school_id == school_id)
    )
    year_summaries = tx().execute(
        select(PupilYearSummary.line, PupilYearSummary.possible, PupilYearSummary.present).where(
            PupilYearSummary.school_id == school_id
        )
    )
    week_summaries = tx().execute(
        select(SchoolWeekSummary.week, SchoolWeekSummary.dimension, SchoolWeekSummary.value, SchoolWeekSummary.by_code).where(
            SchoolWeekSummary.school_id == school_id
        )
    )
    pupil_ids = tuple(roll(school_id, 2026).pupil_ids)
    tables = (pages, year_summaries, week_summaries)
    return (pupil_ids, *(sorted(tuple(map(str, row)) for row in table.all()) for table in tables))


def test_jobs_check_and_apply_a_file_and_a_second_run_does_nothing(school: UUID) -> None:
    upload_id = actions.receive(school, kind="marks", file_name="week.csv", content=csv(row(0, "16/11/2026", "AM", "I")))
    assert get_upload(upload_id).state == "received"
    check_job = pending_jobs("uploads.check")[-1]
    assert running.run(str(check_job)) == "done"
    tx().expire_all()
    assert get_upload(upload_id).state == "previewed"
    before = snapshot(school)
    assert running.run(str(check_job)) == "not waiting"
    actions.check(upload_id)
    assert snapshot(school) == before
    actions.request_apply(upload_id)
    actions.request_apply(upload_id)
    apply_jobs = pending_jobs("uploads.apply")
    assert len(apply_jobs) == 1
    assert running.run(str(apply_jobs[0])) == "done"
    tx().expire_all()
    assert get_upload(upload_id).state == "applied"
    after = snapshot(school)
    assert after != before
    assert running.run(str(apply_jobs[0])) == "not waiting"
    actions.apply(upload_id)
    assert snapshot(school) == after


def test_a_preview_counts_changes_and_changes_nothing(school: UUID) -> None:
    before = snapshot(school)
    lines = [
        row(0, "02/11/2026", "AM", "I"),
        row(1, "02/11/2026", "AM", "/"),
        row(2, "16/11/2026", "AM", "/"),
        row(77, "16/11/2026", "AM", "/"),
    ]
    upload = get_upload(actions.preview(school, kind="marks", file_name="x.csv", content=csv(*lines), add_pupils=True))
    preview = marks_preview(upload)
    assert (preview.added, preview.changed, preview.unchanged, preview.rejected) == (2, 1, 1, 0)
    assert preview.changes == (CodeChange("/", "I", 1),)
    assert snapshot(school) == before
    assert upn(77) not in roll(school, 2026).upn


def test_a_preview_names_the_weeks_that_become_complete(school: UUID) -> None:
    monday = date(2026, 11, 16)
    lines = rows([monday + timedelta(days=offset) for offset in range(5)])
    first = import_rows(school, *lines[:-1])
    assert marks_preview(first).complete_weeks == ()
    last = import_rows(school, lines[-1])
    assert marks_preview(last).complete_weeks == (monday,)


def test_rows_in_are_rows_stored_and_rows_rejected(school: UUID) -> None:
    upload = import_rows(
        school,
        row(0, "02/11/2026", "AM", "I"),
        row(0, "02/11/2026", "PM", "Z1"),
        row(88, "02/11/2026", "PM", "/"),
        row(1, "03/11/2026", "AM", ""),
    )
    assert (upload.rows_in, upload.rows_stored, upload.rows_rejected) == (3, 1, 2)
    assert marks_preview(upload).missing == 1


def test_a_blank_never_erases_a_mark(school: UUID) -> None:
    before = current_pages(school, [MONDAY])[MONDAY].marks.copy()
    import_rows(school, row(0, "02/11/2026", "AM", ""), row(1, "02/11/2026", "AM", "-"), row(2, "02/11/2026", "AM", "/"))
    assert (current_pages(school, [MONDAY])[MONDAY].marks == before).all()


def test_reverting_restores_every_page_and_both_versions_stay_in_the_history(school: UUID) -> None:
    before = year_register(school, 2026).marks.copy()
    versions = tx().scalar(select(func.count()).select_from(RegisterPage))
    upload = import_rows(school, *rows(code=lambda *_: "O"))
    assert not (year_register(school, 2026).marks == before).all()
    actions.revert(upload.id, "Sent for the wrong school")
    assert (year_register(school, 2026).marks == before).all()
    assert tx().scalar(select(func.count()).select_from(RegisterPage)) == versions + 4
    assert (get_upload(upload.id).state, get_upload(upload.id).revert_reason) == ("reverted", "Sent for the wrong school")
    with pytest.raises(RefusedError):
        actions.revert(upload.id, "again")


def test_a_school_whose_only_file_was_reverted_has_sent_nothing(world: World, as_role: Callable[..., Session]) -> None:
    as_role(Role.SCHOOL_OFFICE)
    upload = import_rows(world.authority.primary, *rows(), add_pupils=True)
    actions.revert(upload.id, "The wrong year.")
    [board] = [row for row in queries.registers_received(date(2026, 9, 1)) if row.school_id == world.authority.primary]
    assert (board.last_day, board.school_days_behind, board.weeks, board.expected, board.missing) == (None, 0, 0, 0, 0)
    [summary] = [row for row in every_school(2026, recent_from=MONDAY) if row.school_id == world.authority.primary]
    assert (summary.last_day, summary.recorded_at) == (None, None)
    assert school_years([world.authority.primary], (date(2026, 9, 1), date(2026, 11, 30))) == []
    again = import_rows(world.authority.primary, row(0, "02/11/2026", "AM", "/"))
    assert again.rows_stored == 1
    [board] = [row for row in queries.registers_received(date(2026, 9, 1)) if row.school_id == world.authority.primary]
    assert (board.last_day, board.weeks) == (MONDAY, 1)


def test_registers_received_start_with_the_week_of_1_september(school: UUID) -> None:
    import_rows(school, row(0, "01/09/2026", "AM", "/"))
    [board] = [row for row in queries.registers_received(date(2026, 9, 1)) if row.school_id == school]
    assert board.weeks == 3


def test_reverting_does_not_change_marks_that_a_later_file_changed(school: UUID) -> None:
    first = import_rows(school, row(0, "02/11/2026", "AM", "I"), row(1, "02/11/2026", "AM", "I"))
    import_rows(school, row(0, "02/11/2026", "AM", "M"))
    actions.revert(first.id, "Wrong file")
    page = current_pages(school, [MONDAY])[MONDAY].marks
    assert [int(page[line, 0]) for line in (0, 1)] == [_byte("M"), _byte("/")]


def test_a_file_sent_twice_names_the_first_upload(school: UUID) -> None:
    first = import_rows(school, row(0, "02/11/2026", "AM", "I"))
    second = import_rows(school, row(0, "02/11/2026", "AM", "I"))
    assert marks_preview(first).same_as is None
    preview = marks_preview(second)
    assert preview.same_as == EarlierUpload(first.id, first.received_at)
    assert (preview.added, preview.changed, preview.unchanged) == (0, 0, 1)


def test_a_file_that_cannot_be_read_is_rejected_and_says_what_to_do(school: UUID) -> None:
    upload = get_upload(actions.import_file(school, kind="marks", file_name="x.pdf", content=b"%PDF-1.7 something"))
    assert upload.state == "rejected"
    assert upload.rejection
    assert upload.rejection.endswith(".")
    with pytest.raises(RefusedError):
        actions.request_apply(upload.id)


def test_a_file_that_can_no_longer_be_read_when_it_is_applied_is_rejected_with_the_reason(school: UUID) -> None:
    before = snapshot(school)
    upload_id = actions.preview(school, kind="marks", file_name="week.csv", content=csv(row(0, "02/11/2026", "AM", "I")))
    actions.request_apply(upload_id)
    damaged = update(UploadContent).where(UploadContent.upload_id == upload_id).values(received=b"%PDF-1.7 damaged")
    write_rows(lambda: tx().execute(damaged))
    actions.apply(upload_id)
    assert (get_upload(upload_id).state, bool(get_upload(upload_id).rejection)) == ("rejected", True)
    assert snapshot(school) == before


def test_a_column_mapping_is_remembered_for_the_school(school: UUID) -> None:
    content = f"UPN,Date,Session,What\n{upn(0)},02/11/2026,AM,I\n".encode()
    unmapped = get_upload(actions.preview(school, kind="marks", file_name="x.csv", content=content))
    assert unmapped.state == "needs-mapping"
    mapping = {"UPN": "upn", "Date": "date", "Session": "session", "What": "code"}
    actions.set_column_mapping(unmapped.id, mapping)
    actions.check(unmapped.id)
    assert get_upload(unmapped.id).state == "previewed"
    again = content.replace(b",I\n", b",M\n")
    assert get_upload(actions.import_file(school, kind="marks", file_name="y.csv", content=again)).state == "applied"
    assert int(current_pages(school, [MONDAY])[MONDAY].marks[0, 0]) == _byte("M")


def test_a_schools_own_mark_is_read_as_its_code(school: UUID) -> None:
    actions.set_local_code(school, "q9", "I")
    upload = import_rows(school, row(0, "02/11/2026", "AM", "Q9"))
    assert upload.rows_rejected == 0
    assert int(current_pages(school, [MONDAY])[MONDAY].marks[0, 0]) == _byte("I")
    actions.delete_local_code(queries.local_codes(school)[0].id)
    assert import_rows(school, row(0, "02/11/2026", "AM", "Q9")).rows_rejected == 1


def test_minutes_late_are_stored_only_for_accepted_marks(school: UUID) -> None:
    lines = [f"{upn(0)},02/11/2026,AM,L,12", f"{upn(1)},07/11/2026,AM,L,15", f"{upn(2)},03/11/2026,AM,L,"]
    content = ("UPN,Date,Session,Code,Minutes late\n" + "\n".join(lines) + "\n").encode()
    upload = get_upload(actions.import_file(school, kind="marks", file_name="late.csv", content=content))
    assert (upload.rows_stored, upload.rows_rejected) == (2, 1)
    notes = tx().execute(select(MarkNote.on, MarkNote.session, MarkNote.minutes_late)).all()
    assert [tuple(note) for note in notes] == [(MONDAY, "AM", 12)]


def test_a_cancelled_file_changes_nothing_and_stays_in_the_history(school: UUID) -> None:
    upload_id = actions.preview(school, kind="marks", file_name="x.csv", content=csv(row(0, "02/11/2026", "AM", "I")))
    before = snapshot(school)
    actions.cancel(upload_id)
    with pytest.raises(RefusedError):
        actions.request_apply(upload_id)
    assert snapshot(school) == before
    assert get_upload(upload_id).state == "cancelled"


def test_new_pupils_in_a_file_are_added_to_the_roll_if_asked(school: UUID) -> None:
    upload = import_rows(school, row(9, "02/11/2026", "AM", "/"), add_pupils=True)
    assert upload.rows_rejected == 0
    assert len(roll(school, 2026)) == PUPILS + 1
    assert import_rows(school, row(8, "02/11/2026", "AM", "/")).rows_rejected == 1


def test_an_upload_for_a_school_out_of_scope_is_not_found(school: UUID, world: World) -> None:
    with pytest.raises(NotFoundError):
        actions.import_file(
            world.authority.secondary, kind="marks", file_name="x.csv", content=csv(row(0, "02/11/2026", "AM", "I"))
        )
    assert queries.upload(uuid4()) is None


def _byte(letters: str) -> int:
    return CODES_BY_SYMBOL[letters].byte
