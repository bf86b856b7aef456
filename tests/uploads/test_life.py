"""The life of an upload: received, rehearsed, applied, undone; refused whole; its columns asked once; the same bytes told."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import NoResultFound

from portal.db import tx
from portal.permissions import Role
from portal.pupils.queries import roll
from portal.registers.models import MarkNote, RegisterPage, Standing, Tally
from portal.registers.overview import every_school
from portal.registers.queries import current_pages, school_years, sheet
from portal.rules.codes import BY_LETTERS
from portal.uploads import actions, queries
from portal.uploads.actions import NotNowError
from portal.uploads.models import UploadContent
from tests.support.world import furnish
from tests.uploads.files import PUPILS, csv, found, row, rows, take, upn
from workers import jobs
from workers.queue import OutboxJob

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sqlalchemy.orm import Session

    from tests.support.world import World

MONDAY = date(2026, 11, 2)


def promised(kind: str) -> list[UUID]:
    """The jobs of this kind that wait."""
    waiting = select(OutboxJob.id).where(OutboxJob.kind == kind, OutboxJob.done_at.is_(None))
    return list(tx().scalars(waiting.order_by(OutboxJob.run_after)))


def everything(school_id: UUID) -> tuple[object, ...]:
    """All that an upload may change in the registers."""
    pages = tx().execute(
        select(RegisterPage.week, RegisterPage.version, RegisterPage.marks).where(RegisterPage.school_id == school_id)
    )
    standings = tx().execute(select(Standing.line, Standing.possible, Standing.present).where(Standing.school_id == school_id))
    tallies = tx().execute(select(Tally.week, Tally.dimension, Tally.value, Tally.by_code).where(Tally.school_id == school_id))
    counted = {"pages": pages, "standings": standings, "tallies": tallies}
    rolled = tuple(roll(school_id, 2026).pupil_ids)
    return (rolled, *(sorted(tuple(map(str, one)) for one in held.all()) for held in counted.values()))


def test_from_received_to_applied_by_its_jobs_and_each_job_twice_is_once(school: UUID) -> None:
    upload_id = actions.receive(school, kind="marks", file_name="week.csv", content=csv(row(0, "16/11/2026", "AM", "I")))
    assert found(upload_id).state == "received"
    check = promised("uploads.check")[-1]
    assert jobs.run(str(check)) == "done"
    tx().expire_all()
    assert found(upload_id).state == "rehearsed"
    before = everything(school)
    assert jobs.run(str(check)) == "not waiting"
    actions.check(upload_id)
    assert everything(school) == before
    actions.ask_to_apply(upload_id)
    actions.ask_to_apply(upload_id)
    asked = promised("uploads.apply")
    assert len(asked) == 1
    assert jobs.run(str(asked[0])) == "done"
    tx().expire_all()
    assert found(upload_id).state == "applied"
    after = everything(school)
    assert after != before
    assert jobs.run(str(asked[0])) == "not waiting"
    actions.apply(upload_id)
    assert everything(school) == after


def test_a_rehearsal_says_what_would_happen_and_leaves_nothing_behind(school: UUID) -> None:
    before = everything(school)
    lines = [
        row(0, "02/11/2026", "AM", "I"),
        row(1, "02/11/2026", "AM", "/"),
        row(2, "16/11/2026", "AM", "/"),
        row(77, "16/11/2026", "AM", "/"),
    ]
    sent = found(actions.rehearse(school, kind="marks", file_name="x.csv", content=csv(*lines), add_pupils=True))
    told = sent.rehearsal
    assert (told["added"], told["changed"], told["unchanged"], told["refused"]) == (2, 1, 1, 0)
    assert told["changes"] == [{"from": "/", "to": "I", "count": 1}]
    assert everything(school) == before
    assert upn(77) not in roll(school, 2026).upn


def test_a_rehearsal_names_the_weeks_that_become_complete(school: UUID) -> None:
    monday = date(2026, 11, 16)
    lines = rows([monday + timedelta(days=ahead) for ahead in range(5)])
    half = take(school, *lines[:-1])
    assert half.rehearsal["complete_weeks"] == []
    whole = take(school, lines[-1])
    assert whole.rehearsal["complete_weeks"] == [monday.isoformat()]


def test_rows_in_are_rows_stored_and_rows_refused(school: UUID) -> None:
    sent = take(
        school,
        row(0, "02/11/2026", "AM", "I"),
        row(0, "02/11/2026", "PM", "Z1"),
        row(88, "02/11/2026", "PM", "/"),
        row(1, "03/11/2026", "AM", ""),
    )
    assert (sent.rows_in, sent.rows_stored, sent.rows_refused) == (3, 1, 2)
    assert sent.rehearsal["missing"] == 1


def test_a_blank_never_erases_a_mark(school: UUID) -> None:
    before = current_pages(school, [MONDAY])[MONDAY].marks.copy()
    take(school, row(0, "02/11/2026", "AM", ""), row(1, "02/11/2026", "AM", "-"), row(2, "02/11/2026", "AM", "/"))
    assert (current_pages(school, [MONDAY])[MONDAY].marks == before).all()


def test_undo_restores_every_page_and_keeps_both_in_the_history(school: UUID) -> None:
    before = sheet(school, 2026).marks.copy()
    versions = tx().scalar(select(func.count()).select_from(RegisterPage))
    sent = take(school, *rows(code=lambda *_: "O"))
    assert not (sheet(school, 2026).marks == before).all()
    actions.undo(sent.id, "Sent for the wrong school")
    assert (sheet(school, 2026).marks == before).all()
    assert tx().scalar(select(func.count()).select_from(RegisterPage)) == versions + 4
    assert (found(sent.id).state, found(sent.id).undo_reason) == ("undone", "Sent for the wrong school")
    with pytest.raises(NotNowError):
        actions.undo(sent.id, "again")


def test_a_school_whose_only_file_was_undone_reads_as_having_sent_nothing(world: World, as_role: Callable[..., Session]) -> None:
    as_role(Role.SCHOOL_OFFICE)
    sent = take(world.here.primary, *rows(), add_pupils=True)
    actions.undo(sent.id, "The wrong year.")
    [board] = [one for one in queries.board(date(2026, 9, 1)) if one.school_id == world.here.primary]
    assert (board.last_day, board.school_days_behind, board.weeks, board.expected, board.missing) == (None, 0, 0, 0, 0)
    [summary] = [one for one in every_school(2026, recent_from=MONDAY) if one.school_id == world.here.primary]
    assert (summary.last_day, summary.recorded_at) == (None, None)
    assert school_years([world.here.primary], (date(2026, 9, 1), date(2026, 11, 30))) == []
    again = take(world.here.primary, row(0, "02/11/2026", "AM", "/"))
    assert again.rows_stored == 1
    [board] = [one for one in queries.board(date(2026, 9, 1)) if one.school_id == world.here.primary]
    assert (board.last_day, board.weeks) == (MONDAY, 1)


def test_the_board_begins_with_the_week_of_1_september(school: UUID) -> None:
    take(school, row(0, "01/09/2026", "AM", "/"))
    [board] = [one for one in queries.board(date(2026, 9, 1)) if one.school_id == school]
    assert board.weeks == 3


def test_undo_keeps_what_a_later_file_changed(school: UUID) -> None:
    first = take(school, row(0, "02/11/2026", "AM", "I"), row(1, "02/11/2026", "AM", "I"))
    take(school, row(0, "02/11/2026", "AM", "M"))
    actions.undo(first.id, "Wrong file")
    page = current_pages(school, [MONDAY])[MONDAY].marks
    assert [int(page[line, 0]) for line in (0, 1)] == [_byte("M"), _byte("/")]


def test_the_same_bytes_twice_are_told_of_the_first(school: UUID) -> None:
    first = take(school, row(0, "02/11/2026", "AM", "I"))
    second = take(school, row(0, "02/11/2026", "AM", "I"))
    assert first.rehearsal["same_as"] is None
    assert second.rehearsal["same_as"] == str(first.id)
    assert (second.rehearsal["added"], second.rehearsal["changed"], second.rehearsal["unchanged"]) == (0, 0, 1)


def test_a_file_that_cannot_be_read_is_refused_whole_and_says_what_to_do(school: UUID) -> None:
    sent = found(actions.take(school, kind="marks", file_name="x.pdf", content=b"%PDF-1.7 something"))
    assert sent.state == "refused"
    assert sent.refusal
    assert sent.refusal.endswith(".")
    with pytest.raises(NotNowError):
        actions.ask_to_apply(sent.id)


def test_a_file_that_can_no_longer_be_read_when_it_is_applied_is_refused_with_the_reason(school: UUID) -> None:
    before = everything(school)
    sent = actions.rehearse(school, kind="marks", file_name="week.csv", content=csv(row(0, "02/11/2026", "AM", "I")))
    actions.ask_to_apply(sent)
    damaged = update(UploadContent).where(UploadContent.upload_id == sent).values(received=b"%PDF-1.7 damaged")
    furnish(lambda: tx().execute(damaged))
    actions.apply(sent)
    assert (found(sent).state, bool(found(sent).refusal)) == ("refused", True)
    assert everything(school) == before


def test_columns_are_asked_once_and_remembered_for_the_school(school: UUID) -> None:
    content = f"UPN,Date,Session,What\n{upn(0)},02/11/2026,AM,I\n".encode()
    asked = found(actions.rehearse(school, kind="marks", file_name="x.csv", content=content))
    assert asked.state == "needs-mapping"
    mapping = {"UPN": "upn", "Date": "date", "Session": "session", "What": "code"}
    actions.say_what_columns_mean(asked.id, mapping)
    actions.check(asked.id)
    assert found(asked.id).state == "rehearsed"
    again = content.replace(b",I\n", b",M\n")
    assert found(actions.take(school, kind="marks", file_name="y.csv", content=again)).state == "applied"
    assert int(current_pages(school, [MONDAY])[MONDAY].marks[0, 0]) == _byte("M")


def test_a_schools_own_mark_is_read_as_the_code_it_stands_for(school: UUID) -> None:
    actions.map_own_mark(school, "q9", "I")
    sent = take(school, row(0, "02/11/2026", "AM", "Q9"))
    assert sent.rows_refused == 0
    assert int(current_pages(school, [MONDAY])[MONDAY].marks[0, 0]) == _byte("I")
    actions.forget_own_mark(queries.local_codes(school)[0].id)
    assert take(school, row(0, "02/11/2026", "AM", "Q9")).rows_refused == 1


def test_minutes_late_are_kept_for_marks_that_were_kept_and_no_others(school: UUID) -> None:
    lines = [f"{upn(0)},02/11/2026,AM,L,12", f"{upn(1)},07/11/2026,AM,L,15", f"{upn(2)},03/11/2026,AM,L,"]
    content = ("UPN,Date,Session,Code,Minutes late\n" + "\n".join(lines) + "\n").encode()
    sent = found(actions.take(school, kind="marks", file_name="late.csv", content=content))
    assert (sent.rows_stored, sent.rows_refused) == (2, 1)
    kept = tx().execute(select(MarkNote.on, MarkNote.session, MarkNote.minutes_late)).all()
    assert [tuple(one) for one in kept] == [(MONDAY, "AM", 12)]


def test_a_withdrawn_file_changes_nothing_and_stays_in_the_history(school: UUID) -> None:
    sent = actions.rehearse(school, kind="marks", file_name="x.csv", content=csv(row(0, "02/11/2026", "AM", "I")))
    before = everything(school)
    actions.withdraw(sent)
    with pytest.raises(NotNowError):
        actions.ask_to_apply(sent)
    assert everything(school) == before
    assert found(sent).state == "withdrawn"


def test_new_pupils_join_the_roll_with_the_file_that_names_them(school: UUID) -> None:
    sent = take(school, row(9, "02/11/2026", "AM", "/"), add_pupils=True)
    assert sent.rows_refused == 0
    assert len(roll(school, 2026)) == PUPILS + 1
    assert take(school, row(8, "02/11/2026", "AM", "/")).rows_refused == 1


def test_another_schools_upload_is_not_there(school: UUID, world: World) -> None:
    with pytest.raises(NoResultFound):
        actions.take(world.here.secondary, kind="marks", file_name="x.csv", content=csv(row(0, "02/11/2026", "AM", "I")))
    assert queries.upload(uuid4()) is None


def _byte(letters: str) -> int:
    return BY_LETTERS[letters].byte
