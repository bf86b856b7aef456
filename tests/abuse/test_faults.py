"""Faults: worker, web, queue and database killed in the middle of an upload. Nothing is lost and nothing is done twice."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.parts import Parts
from tests.support.running import Sent, copy_of_demonstration, until
from tests.support.sending import Case, case_of, kept
from tests.uploads.files import csv, row, upn
from workers import queue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from rq.job import Job

pytestmark = pytest.mark.slow

#: Held before the first week is counted: the pages are written, and neither counted nor committed.
MIDWAY = "LOCK TABLE tally IN SHARE MODE"
THE_SCHOOL = "SELECT 1 FROM school WHERE id = %s FOR UPDATE"


@pytest.fixture(scope="module")
def made() -> Iterator[Parts]:
    with copy_of_demonstration() as folder:
        made = Parts(folder)
        yield made
        made.stop()


@pytest.fixture
def parts(made: Parts) -> Iterator[Parts]:
    """Everything but a worker, and nothing waiting."""
    if not made.whole:
        pytest.fail("The test before this one left the portal in pieces.")
    made.whole = False
    yield made
    made.stop_workers()
    made.database.change("DELETE FROM outbox_job WHERE done_at IS NULL")
    made.redis.flushall()


@pytest.fixture
def case(parts: Parts) -> Case:
    """Two weeks of last year in one school, which no other test sends."""
    return case_of(parts)


def test_avl_07_a_killed_job_and_a_killed_worker_leave_nothing_half_done_and_one_effect(case: Case, parts: Parts) -> None:
    worker = parts.start_worker()
    path = case.rehearsed()
    before = kept(parts.database)
    with parts.holding(MIDWAY):
        case.visitor.post(f"{path}/apply", {})
        parts.waiter()
        os.kill(_children_of(worker.pid)[0], signal.SIGKILL)
    parts.age_jobs()
    with parts.holding(MIDWAY):
        parts.waiter()
        worker.kill()
    assert kept(parts.database) == before
    parts.start_worker()
    parts.age_jobs()
    case.ends_well(path)
    assert case.job(path).attempts == 3


def test_avl_07_an_orphan_goes_on_and_whoever_is_sent_after_it_does_nothing(case: Case, parts: Parts) -> None:
    worker = parts.start_worker()
    path = case.rehearsed()
    with parts.holding(MIDWAY):
        case.visitor.post(f"{path}/apply", {})
        parts.waiter()
        horse = _children_of(worker.pid)[0]
        os.kill(worker.pid, signal.SIGKILL)
        until("the worker is gone", lambda: not worker.is_alive())
        os.kill(horse, signal.SIGSTOP)
    parts.start_worker()
    before = case.job(path)
    again = _sent_by_hand(parts, before.id, timeout=60)
    until("a second worker has looked at the job", lambda: again.is_finished or again.is_failed)
    assert again.return_value() == "not waiting"
    assert case.job(path) == before
    assert case.state(path) == "applying"
    os.kill(horse, signal.SIGCONT)
    case.ends_well(path)
    assert case.job(path).attempts == 1


def _children_of(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _sent_by_hand(parts: Parts, job_id: UUID, timeout: int) -> Job:
    """Put the job in the queue, as the queue's own caretaker would."""
    queue.connect(parts.redis_url)
    return queue.queue().enqueue_call("workers.jobs.run", args=(str(job_id),), timeout=timeout)


def test_avl_06_an_upload_that_ends_every_worker_is_set_aside_and_the_others_go_on(case: Case, parts: Parts) -> None:
    parts.start_worker()
    path = case.rehearsed()
    parts.stop_workers()
    case.visitor.post(f"{path}/apply", {})
    for _ in range(queue.TRIES):
        with parts.holding(MIDWAY):
            worker = parts.start_worker()
            parts.age_jobs()
            parts.waiter()
            worker.kill()
    parts.start_worker()
    parts.age_jobs()
    until("the job is set aside", lambda: case.job(path).failed_at)
    page = case.visitor.get(path).text
    assert "This file needs your attention" in page
    assert "Your file is safe and nothing was changed. Send the file again" in page
    other = case_of(parts, place=1)
    other.ends_well(other.asked())
    case.ends_well(case.asked())


def test_avl_03_without_a_queue_a_file_is_received_and_the_jobs_run_when_it_is_back(case: Case, parts: Parts) -> None:
    program = parts.kill_valkey()
    path = case.send()
    assert "We have received your file" in case.visitor.get(path).text
    assert case.visitor.get("/readyz").status == 200
    worker = parts.start_worker()
    parts.restart_valkey(program)
    case.reaches(path, "rehearsed")
    with parts.holding(MIDWAY):
        case.visitor.post(f"{path}/apply", {})
        parts.waiter()
        parts.kill_valkey()
    case.ends_well(path)
    parts.restart_valkey(program)
    other = case_of(parts)
    other.ends_well(other.asked())
    assert worker.is_alive()


def test_avl_03_a_queue_that_hangs_keeps_neither_page_nor_job_waiting(case: Case, parts: Parts) -> None:
    case.visitor.get("/uploads/new")
    with _stopped(parts):
        path = case.send()
        assert case.state(path) == "received"
        parts.start_worker()
        until("the job is let go before it is sent", lambda: case.job(path, "uploads.check").sent_at, within=20)
    case.reaches(path, "rehearsed")
    case.visitor.post(f"{path}/apply", {})
    case.ends_well(path)


@contextmanager
def _stopped(parts: Parts) -> Iterator[None]:
    """The queue server takes connections and never answers."""
    assert parts.valkey.child is not None
    os.kill(parts.valkey.child.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(parts.valkey.child.pid, signal.SIGCONT)


def test_avl_03_a_queue_that_forgets_is_told_again(case: Case, parts: Parts) -> None:
    path = case.send()
    parts.redis.flushall()
    parts.database.change("UPDATE outbox_job SET sent_at = now() WHERE done_at IS NULL")
    worker = parts.start_worker()
    parts.age_jobs()
    case.reaches(path, "rehearsed")
    with parts.holding(MIDWAY):
        case.visitor.post(f"{path}/apply", {})
        parts.waiter()
        parts.redis.flushall()
    case.ends_well(path)
    other = case_of(parts)
    other.ends_well(other.asked())
    assert worker.is_alive()


def test_a_web_process_killed_before_the_commit_keeps_nothing(case: Case, parts: Parts) -> None:
    had = parts.database.one("SELECT count(*) FROM upload")
    case.visitor.get("/uploads/new")
    with ThreadPoolExecutor() as pool, parts.holding("LOCK TABLE upload_content IN SHARE MODE"):
        answer = pool.submit(case.posted)
        parts.waiter()
        parts.web.kill()
        assert isinstance(answer.exception(), OSError)
    parts.start_web()
    assert parts.database.one("SELECT count(*) FROM upload") == had
    parts.start_worker()
    case.ends_well(case.asked())


def test_a_web_process_killed_after_the_commit_has_kept_the_file_and_sending_it_again_doubles_nothing(
    case: Case, parts: Parts
) -> None:
    had = parts.database.one("SELECT count(*) FROM upload")
    case.visitor.get("/uploads/new")
    with ThreadPoolExecutor() as pool, _stopped(parts):
        answer = pool.submit(case.posted)
        until("the file is kept", lambda: parts.database.one("SELECT count(*) FROM upload") == had + 1)
        parts.web.kill()
        assert isinstance(answer.exception(), OSError)
    parts.start_web()
    parts.start_worker()
    newest = parts.database.one("SELECT id FROM upload ORDER BY received_at DESC LIMIT 1")
    path = f"/uploads/{newest}"
    case.reaches(path, "rehearsed")
    again = case.rehearsed()
    assert "We received exactly this file before" in case.visitor.get(again).text
    case.visitor.post(f"{path}/apply", {})
    case.reaches(path, "applied")
    case.visitor.post(f"{again}/apply", {})
    case.reaches(again, "applied")
    assert parts.database.one("SELECT count(*) FROM register_page WHERE upload_id = %s", again.rsplit("/", 1)[1]) == 0
    case.ends_well(path, applied=2)


def test_a_killed_database_is_said_plainly_and_all_recover_by_themselves(case: Case, parts: Parts) -> None:
    worker = parts.start_worker()
    path = case.rehearsed()
    with parts.holding(MIDWAY):
        case.visitor.post(f"{path}/apply", {})
        parts.waiter()
        said, command = len(parts.log("worker.log")), parts.kill_postgres()
        for page in (case.visitor.get(path), case.visitor.get("/"), case.visitor.post(f"{path}/apply", {}), case.posted()):
            assert page.status == 503, page.text
            assert "The service is not available" in page.text
            assert "Traceback" not in page.html
        assert case.visitor.get("/readyz").status == 503
        assert parts.alive()
        until("the dispatcher has noticed", lambda: "dispatcher.waiting" in parts.log("worker.log")[said:])
        parts.restart_postgres(command)
    assert case.visitor.get(path).status == 200
    parts.age_jobs()
    case.ends_well(path)
    assert worker.is_alive()
    assert parts.web.is_alive()


def test_a_job_past_its_time_is_given_up_and_begun_again(case: Case, parts: Parts) -> None:
    parts.start_worker()
    path = case.rehearsed()
    parts.stop_workers()
    case.visitor.post(f"{path}/apply", {})
    parts.redis.flushall()
    parts.database.change("UPDATE outbox_job SET sent_at = now() WHERE done_at IS NULL")
    with parts.holding(MIDWAY):
        sent = _sent_by_hand(parts, case.job(path).id, timeout=1)
        parts.start_worker()
        parts.waiter()
        until("the job is given up", lambda: sent.is_failed)
    assert case.state(path) == "applying"
    parts.age_jobs()
    case.ends_well(path)


def test_a_job_whose_school_is_busy_waits_its_turn_and_is_never_set_aside_for_it(case: Case, parts: Parts) -> None:
    parts.start_worker()
    path = case.rehearsed()
    with parts.holding(THE_SCHOOL, case.school):
        case.visitor.post(f"{path}/apply", {})
        parts.waiter()
        until("the job has given its turn up", lambda: parts.database.one("SELECT bool_and(granted) FROM pg_locks"))
        until("the start is not counted", lambda: case.job(path).attempts == 0, within=10)
    parts.age_jobs()
    case.ends_well(path)


def test_avl_06_a_job_that_always_raises_is_set_aside_and_nothing_tells_whom_it_was_about(case: Case, parts: Parts) -> None:
    # Only the search for pupils like those of a file asks for this column, with their names and numbers beside it.
    others = "SELECT column_name FROM information_schema.columns WHERE table_name = 'pupil' AND column_name <> 'surname_folded'"
    columns = ", ".join(name for (name,) in parts.database.rows(others))
    parts.database.change("REVOKE SELECT ON pupil FROM portal_app")
    parts.database.change(f"GRANT SELECT ({columns}) ON pupil TO portal_app")
    stranger = replace(case, sent=Sent(csv(row(77, f"{case.monday:%d/%m/%Y}", "AM", "/")), 1, 0), add_pupils="yes")
    path = stranger.send()
    parts.start_worker()

    def set_aside() -> bool:
        parts.age_jobs()
        return bool(case.job(path, "uploads.check").failed_at)

    until("the job is set aside", set_aside)
    page = case.visitor.get(path).text
    assert "This file needs your attention" in page
    assert "Send the file again" in page
    queue.connect(parts.redis_url)
    failed = [queue.queue().fetch_job(one) for one in queue.queue().failed_job_registry.get_job_ids()]
    results = [one.latest_result() for one in failed if one is not None]
    assert {one.exc_string for one in results if one is not None} == {""}
    assert "psycopg.errors.InsufficientPrivilege" in parts.log("worker.log")
    for log in ("worker.log", "web.log", "postgres.log", "valkey.log"):
        assert not [one for one in (upn(77), "Ashdown77") if one in parts.log(log)], log
    parts.database.change("GRANT SELECT ON pupil TO portal_app")
    case.ends_well(case.asked())
