"""Faults while pupils' records are read: web, sealing job or database killed. No read that was shown is lost."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from portal.audit.queries import check_chain, check_reads
from tests.support.portal_parts import HttpVisitor, PortalProcesses
from tests.support.running_portal import copy_of_demonstration, wait_until
from tests.support.sending import in_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from tests.support.running_portal import Member

pytestmark = pytest.mark.slow

READERS = 50
NEWEST_LINKS = "SELECT 1 FROM audit_head FOR UPDATE"
READS = "SELECT count(*) FROM read_log WHERE event = 'pupil.read'"
UNSEALED = (
    "SELECT count(*) FROM read_log r WHERE transaction_id >= coalesce((SELECT max((facts->>'until')::bigint) FROM audit_event e"
    " WHERE e.event = 'audit.reads_sealed' AND e.authority_id = r.authority_id), 0)"
)


@pytest.fixture(scope="module")
def parts() -> Iterator[PortalProcesses]:
    """The portal's processes on a copy of the demonstration, without a worker."""
    with copy_of_demonstration() as folder:
        processes = PortalProcesses(folder)
        yield processes
        processes.stop()


@pytest.fixture
def reader(parts: PortalProcesses) -> Iterator[Reader]:
    """An officer of the authority, signed in. Afterwards every read they were shown is sealed, and fits."""
    officer = Reader(parts)
    yield officer
    parts.stop_workers()
    parts.start_worker()
    _make_due(parts)
    wait_until("every read is sealed", lambda: parts.database.value(UNSEALED) == 0, within=60)
    parts.stop_workers()
    in_process(parts.app_url, officer.member, _check_audit)
    assert parts.database.value(READS) - officer.reads_before >= officer.pages_shown


def _check_audit() -> None:
    assert check_chain().first_bad is None
    reads = check_reads()
    assert (reads.first_bad, reads.unsealed) == (None, 0)
    assert reads.rows > 0


def _make_due(parts: PortalProcesses) -> None:
    """Let a minute pass since the sealing job last ran, and since an unfinished one was sent."""
    parts.database.change("UPDATE outbox_job SET done_at = done_at - interval '1 hour' WHERE kind = 'audit.seal_reads'")
    parts.age_jobs()


class Reader:
    """A person who opens pupils' records, and counts the pages they were shown."""

    def __init__(self, parts: PortalProcesses) -> None:
        """Sign in."""
        self.parts = parts
        self.member: Member = parts.database.member("la-officer")
        self._visitor = HttpVisitor(parts.address, self.member.membership_id)
        pupils = parts.database.rows(
            "SELECT p.id FROM pupil p JOIN authority a ON a.id = p.authority_id WHERE a.name = %s LIMIT 20", self.member.authority
        )
        self._pupils: list[UUID] = [pupil_id for (pupil_id,) in pupils]
        self.reads_before: int = parts.database.value(READS)
        self.pages_shown = 0

    def open_one(self, number: int) -> int:
        """Open a pupil's details, and return the status: 0 when no answer came."""
        try:
            status = self._visitor.get(f"/pupils/{self._pupils[number % len(self._pupils)]}/details").status
        except (OSError, HTTPException):
            return 0
        self.pages_shown += status == 200
        return status

    def opens_many_while(self, fault: Callable[[], object]) -> None:
        """Open records from many threads, and let the fault happen once some pages were shown."""
        with ThreadPoolExecutor(8) as pool:
            answers = [pool.submit(self.open_one, number) for number in range(200)]
            wait_until("some pages are shown", lambda: self.pages_shown >= 10)
            fault()
            statuses = {answer.result() for answer in answers}
        assert self.pages_shown < len(answers), "the fault came too late to matter"
        assert statuses <= {200, 503, 0}


def test_fifty_readers_wait_for_nobody_who_holds_the_newest_link(parts: PortalProcesses, reader: Reader) -> None:
    with parts.holding(NEWEST_LINKS), ThreadPoolExecutor(READERS) as pool:
        assert set(pool.map(reader.open_one, range(READERS))) == {200}
        assert parts.database.value("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0
    assert parts.database.value(READS) - reader.reads_before == READERS


def test_no_read_that_was_shown_is_lost_when_the_web_is_killed(parts: PortalProcesses, reader: Reader) -> None:
    reader.opens_many_while(parts.web.kill)
    parts.start_web()


def test_no_read_that_was_shown_is_lost_when_the_database_is_killed(parts: PortalProcesses, reader: Reader) -> None:
    commands: list[list[str]] = []
    reader.opens_many_while(lambda: commands.append(parts.kill_postgres()))
    parts.restart_postgres(commands[0])


def test_a_sealing_job_killed_before_its_commit_seals_nothing_and_the_next_one_everything(
    parts: PortalProcesses, reader: Reader
) -> None:
    for number in range(5):
        assert reader.open_one(number) == 200
    _make_due(parts)
    unsealed = parts.database.value(UNSEALED)
    assert unsealed >= 5
    with parts.holding(NEWEST_LINKS):
        worker = parts.start_worker()
        parts.waiter()
        for job_process in Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split():
            os.kill(int(job_process), signal.SIGKILL)
        worker.kill()
    assert parts.database.value(UNSEALED) == unsealed
