"""Faults in the middle of an upload: worker, web, queue or database killed (AVL-03, 06 and 07).

Nothing is lost and nothing is done twice.
"""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from portal.jobs import outbox
from tests.support.portal_parts import PortalProcesses
from tests.support.running_portal import MarksFile, copy_of_demonstration, wait_until
from tests.support.sending import Case, case_of, outcome
from tests.uploads.files import csv, row, upn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from rq.job import Job

pytestmark = pytest.mark.slow

#: Blocks a job halfway: its register pages are written, but their summaries are not and nothing is committed.
LOCK_SUMMARIES = "LOCK TABLE school_week_summary IN SHARE MODE"
LOCK_SCHOOL = "SELECT 1 FROM school WHERE id = %s FOR UPDATE"


@pytest.fixture(scope="module")
def module_parts() -> Iterator[PortalProcesses]:
    """The portal's processes on a copy of the demonstration, for all tests of the module."""
    with copy_of_demonstration() as folder:
        parts = PortalProcesses(folder)
        yield parts
        parts.stop()


@pytest.fixture
def parts(module_parts: PortalProcesses) -> Iterator[PortalProcesses]:
    """The portal's processes without a worker and without a waiting job."""
    if not module_parts.last_test_passed:
        pytest.fail("The previous test left some of the portal's processes stopped.")
    module_parts.last_test_passed = False
    yield module_parts
    module_parts.stop_workers()
    module_parts.database.change("DELETE FROM outbox_job WHERE done_at IS NULL")
    module_parts.redis.flushall()


@pytest.fixture
def case(parts: PortalProcesses) -> Case:
    """A file of two weeks of last year for one school, which no other test sends."""
    return case_of(parts)


def test_a_job_that_is_killed_halfway_twice_is_applied_exactly_once(case: Case, parts: PortalProcesses) -> None:
    """Attack AVL-07."""
    worker = parts.start_worker()
    path = case.rehearsed()
    stored_before = outcome(parts.database)
    with parts.holding(LOCK_SUMMARIES):
        case.visitor.post(f"{path}/apply", {})
        parts.waiter()
        os.kill(_job_process(worker.pid), signal.SIGKILL)
    parts.age_jobs()
    with parts.holding(LOCK_SUMMARIES):
        parts.waiter()
        worker.kill()
    assert outcome(parts.database) == stored_before
    parts.start_worker()
    parts.age_jobs()
    case.ends_well(path)
    assert case.job(path).attempts == 3


def test_a_job_whose_worker_died_finishes_and_a_second_worker_does_nothing(case: Case, parts: PortalProcesses) -> None:
    """Attack AVL-07."""
    worker = parts.start_worker()
    path = case.rehearsed()
    with parts.holding(LOCK_SUMMARIES):
        case.visitor.post(f"{path}/apply", {})
        parts.waiter()
        # RQ runs a job in a child of the worker. The child outlives the worker and holds the lock of the job's row.
        job_process = _job_process(worker.pid)
        os.kill(worker.pid, signal.SIGKILL)
        wait_until("the worker is gone", lambda: not worker.is_alive())
        os.kill(job_process, signal.SIGSTOP)
    parts.start_worker()
    job_before = case.job(path)
    second_run = _enqueue(parts, job_before.id, timeout=60)
    wait_until("a second worker has looked at the job", lambda: not parts.redis.exists(second_run.key))
    assert case.job(path) == job_before
    assert case.state(path) == "applying"
    os.kill(job_process, signal.SIGCONT)
    case.ends_well(path)
    assert case.job(path).attempts == 1


def _job_process(worker: int) -> int:
    """The worker's child that runs a job: a fork of it, and not the process that reads files."""
    (child,) = (child for child in _children_of(worker) if b"workers.run" in Path(f"/proc/{child}/cmdline").read_bytes())
    return child


def _children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _enqueue(parts: PortalProcesses, job_id: UUID, timeout: int) -> Job:
    """Put the job in the queue, as RQ's own maintenance does with a job whose worker died."""
    outbox.connect(parts.redis_url)
    return outbox.redis_queue().enqueue_call(
        outbox.ENTRY,
        args=(str(job_id),),
        job_id=f"{job_id}-0-{timeout}",
        timeout=timeout,
        result_ttl=outbox.RESULT_TTL,
        failure_ttl=outbox.FAILURE_TTL,
    )


def test_an_upload_that_kills_every_worker_is_set_aside_and_the_others_go_on(case: Case, parts: PortalProcesses) -> None:
    """Attack AVL-06."""
    parts.start_worker()
    path = case.rehearsed()
    parts.stop_workers()
    case.visitor.post(f"{path}/apply", {})
    for _ in range(outbox.MAX_STARTS):
        with parts.holding(LOCK_SUMMARIES):
            worker = parts.start_worker()
            parts.age_jobs()
            parts.waiter()
            worker.kill()
    parts.start_worker()
    parts.age_jobs()
    wait_until("the job is set aside", lambda: case.job(path).failed_at)
    page = case.visitor.get(path).text
    assert "This file needs your attention" in page
    assert "Your file is safe and nothing was changed. Send the file again" in page
    other_school = case_of(parts, number=1)
    other_school.ends_well(other_school.send_and_request_apply())
    case.ends_well(case.send_and_request_apply())


def test_a_file_is_received_while_the_queue_is_down_and_applied_when_it_is_back(case: Case, parts: PortalProcesses) -> None:
    """Attack AVL-03."""
    program = parts.kill_valkey()
    path = case.send()
    assert "We have received your file" in case.visitor.get(path).text
    assert case.visitor.get("/readyz").status == 200
    worker = parts.start_worker()
    parts.restart_valkey(program)
    case.reaches(path, "previewed")
    with parts.holding(LOCK_SUMMARIES):
        case.visitor.post(f"{path}/apply", {})
        parts.waiter()
        parts.kill_valkey()
    case.ends_well(path)
    parts.restart_valkey(program)
    next_case = case_of(parts)
    next_case.ends_well(next_case.send_and_request_apply())
    assert worker.is_alive()


def test_a_queue_that_hangs_blocks_neither_page_nor_job(case: Case, parts: PortalProcesses) -> None:
    """Attack AVL-03."""
    case.visitor.get("/uploads/new")
    with _hanging_queue(parts):
        path = case.send()
        assert case.state(path) == "received"
        parts.start_worker()
        wait_until("the job is let go before it is sent", lambda: case.job(path, "uploads.check").sent_at, within=20)
    case.reaches(path, "previewed")
    case.visitor.post(f"{path}/apply", {})
    case.ends_well(path)


@contextmanager
def _hanging_queue(parts: PortalProcesses) -> Iterator[None]:
    """Suspend the queue server: it accepts connections and never answers."""
    assert parts.valkey.child is not None
    os.kill(parts.valkey.child.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(parts.valkey.child.pid, signal.SIGCONT)


def test_jobs_the_queue_has_lost_are_sent_again(case: Case, parts: PortalProcesses) -> None:
    """Attack AVL-03."""
    path = case.send()
    parts.redis.flushall()
    parts.database.change("UPDATE outbox_job SET sent_at = now() WHERE done_at IS NULL")
    worker = parts.start_worker()
    parts.age_jobs()
    case.reaches(path, "previewed")
    with parts.holding(LOCK_SUMMARIES):
        case.visitor.post(f"{path}/apply", {})
        parts.waiter()
        parts.redis.flushall()
    case.ends_well(path)
    next_case = case_of(parts)
    next_case.ends_well(next_case.send_and_request_apply())
    assert worker.is_alive()


def test_a_web_process_killed_before_the_commit_stores_nothing(case: Case, parts: PortalProcesses) -> None:
    count_before = parts.database.value("SELECT count(*) FROM upload")
    case.visitor.get("/uploads/new")
    with ThreadPoolExecutor() as pool, parts.holding("LOCK TABLE upload_content IN SHARE MODE"):
        answer = pool.submit(case.posted)
        parts.waiter()
        parts.web.kill()
        assert isinstance(answer.exception(), OSError)
    parts.start_web()
    assert parts.database.value("SELECT count(*) FROM upload") == count_before
    parts.start_worker()
    case.ends_well(case.send_and_request_apply())


def test_a_web_process_killed_after_the_commit_has_stored_the_file_and_a_second_try_changes_nothing(
    case: Case, parts: PortalProcesses
) -> None:
    count_before = parts.database.value("SELECT count(*) FROM upload")
    case.visitor.get("/uploads/new")
    with ThreadPoolExecutor() as pool, _hanging_queue(parts):
        answer = pool.submit(case.posted)
        wait_until("the file is stored", lambda: parts.database.value("SELECT count(*) FROM upload") == count_before + 1)
        parts.web.kill()
        assert isinstance(answer.exception(), OSError)
    parts.start_web()
    parts.start_worker()
    newest = parts.database.value("SELECT id FROM upload ORDER BY received_at DESC LIMIT 1")
    path = f"/uploads/{newest}"
    case.reaches(path, "previewed")
    second_path = case.rehearsed()
    assert "We received exactly this file before" in case.visitor.get(second_path).text
    case.visitor.post(f"{path}/apply", {})
    case.reaches(path, "applied")
    case.visitor.post(f"{second_path}/apply", {})
    case.reaches(second_path, "applied")
    assert parts.database.value("SELECT count(*) FROM register_page WHERE upload_id = %s", second_path.rsplit("/", 1)[1]) == 0
    case.ends_well(path, applied=2)


def test_every_process_recovers_from_a_killed_database(case: Case, parts: PortalProcesses) -> None:
    worker = parts.start_worker()
    path = case.rehearsed()
    with parts.holding(LOCK_SUMMARIES):
        case.visitor.post(f"{path}/apply", {})
        parts.waiter()
        log_length, command = len(parts.log("worker.log")), parts.kill_postgres()
        for page in (case.visitor.get(path), case.visitor.get("/"), case.visitor.post(f"{path}/apply", {}), case.posted()):
            assert page.status == 503, page.text
            assert "The service is not available" in page.text
            assert "Traceback" not in page.html
        assert case.visitor.get("/readyz").status == 503
        assert parts.alive()
        wait_until("the dispatcher has noticed", lambda: "dispatcher.waiting" in parts.log("worker.log")[log_length:])
        parts.restart_postgres(command)
    assert case.visitor.get(path).status == 200
    parts.age_jobs()
    case.ends_well(path)
    assert worker.is_alive()
    assert parts.web.is_alive()


def test_a_job_over_its_time_limit_is_stopped_and_started_again(case: Case, parts: PortalProcesses) -> None:
    parts.start_worker()
    path = case.rehearsed()
    parts.stop_workers()
    case.visitor.post(f"{path}/apply", {})
    parts.redis.flushall()
    parts.database.change("UPDATE outbox_job SET sent_at = now() WHERE done_at IS NULL")
    with parts.holding(LOCK_SUMMARIES):
        run = _enqueue(parts, case.job(path).id, timeout=1)
        parts.start_worker()
        parts.waiter()
        wait_until("the job is given up", lambda: run.is_failed)
    assert case.state(path) == "applying"
    parts.age_jobs()
    case.ends_well(path)


def test_a_job_that_waits_for_a_busy_school_is_not_set_aside(case: Case, parts: PortalProcesses) -> None:
    parts.start_worker()
    path = case.rehearsed()
    with parts.holding(LOCK_SCHOOL, case.school):
        case.visitor.post(f"{path}/apply", {})
        parts.waiter()
        wait_until(
            "the job has stopped waiting for the lock", lambda: parts.database.value("SELECT bool_and(granted) FROM pg_locks")
        )
        wait_until("the start is not counted", lambda: case.job(path).attempts == 0)
    parts.age_jobs()
    case.ends_well(path)


def test_a_job_that_always_fails_is_set_aside_and_no_log_names_the_pupil(case: Case, parts: PortalProcesses) -> None:
    """Attack AVL-06."""
    # Only the search for possible duplicates reads this column. Its statement carries names and UPNs of pupils, which a
    # database error would quote.
    remaining = "SELECT column_name FROM information_schema.columns WHERE table_name = 'pupil' AND column_name <> 'surname_folded'"
    columns = ", ".join(name for (name,) in parts.database.rows(remaining))
    parts.database.change("REVOKE SELECT ON pupil FROM portal_app")
    parts.database.change(f"GRANT SELECT ({columns}) ON pupil TO portal_app")
    new_pupil_case = replace(case, sent=MarksFile(csv(row(77, f"{case.monday:%d/%m/%Y}", "AM", "/")), 1, 0), add_pupils="yes")
    path = new_pupil_case.send()
    parts.start_worker()

    def is_set_aside() -> bool:
        parts.age_jobs()
        return bool(case.job(path, "uploads.check").failed_at)

    wait_until("the job is set aside", is_set_aside)
    page = case.visitor.get(path).text
    assert "This file needs your attention" in page
    assert "Send the file again" in page
    outbox.connect(parts.redis_url)
    failed = [outbox.redis_queue().fetch_job(job_id) for job_id in outbox.redis_queue().failed_job_registry.get_job_ids()]
    results = [job.latest_result() for job in failed if job is not None]
    assert {result.exc_string for result in results if result is not None} == {""}
    assert "psycopg.errors.InsufficientPrivilege" in parts.log("worker.log")
    for log in ("worker.log", "web.log", "postgres.log", "valkey.log"):
        assert not [secret for secret in (upn(77), "Ashdown77") if secret in parts.log(log)], log
    parts.database.change("GRANT SELECT ON pupil TO portal_app")
    case.ends_well(case.send_and_request_apply())
