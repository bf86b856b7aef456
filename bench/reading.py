"""Fifty people opening pupils' records at once: the log of reads against the authority's one chain."""

from __future__ import annotations

import multiprocessing
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from portal.audit.actions import record, record_alone
from portal.audit.events import event
from portal.db import connection as database
from portal.db.work import action, select_text
from portal.pupils.queries import pupil

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.synchronize import Barrier
    from uuid import UUID

    from bench.database import BenchDatabase
    from portal.audit.events import Event

READERS, PAGES_EACH, COMMITS_EACH = 50, 60, 100
OPENED = event("bench.opened", "A measurement opened a pupil's record")

_IN_LOG = (
    "INSERT INTO read_log (authority_id, at, role, event, subject_id, facts)"
    " VALUES (current_setting('app.authority')::uuid, now(), 'la-officer', 'bench.opened', gen_random_uuid(), '{}')"
)
_IN_CHAIN = "SELECT append_audit_event(now(), NULL, NULL, 'la-officer', 'bench.opened', gen_random_uuid(), '{}')"


@dataclass(frozen=True)
class Rates:
    """How many in a second, with each read in the log and with each read in the chain."""

    in_log: float
    in_chain: float


@dataclass(frozen=True)
class Reading:
    """Records opened by the portal's code, and reads recorded by plain SQL, which leaves Python's own time out."""

    pages: Rates
    commits: Rates


def measured(bench: BenchDatabase, note: Callable[[str], None]) -> Reading:
    """Measure in both ways, the better of two runs each."""
    note(f"{READERS} readers")
    with bench.work():
        pupil_id: UUID = select_text("SELECT id FROM pupil LIMIT 1")[0].id

    def best(times: int, reader: Callable[..., None], *arguments: object) -> float:
        return max(_a_second(times, reader, bench, *arguments) for _ in range(2))

    return Reading(
        Rates(best(PAGES_EACH, _open, pupil_id, record_alone), best(PAGES_EACH, _open, pupil_id, _record_in_chain)),
        Rates(best(COMMITS_EACH, _commit, _IN_LOG), best(COMMITS_EACH, _commit, _IN_CHAIN)),
    )


@action
def _record_in_chain(opened: Event, subject_id: UUID) -> None:
    """Record a read as every read was recorded before: as an event of the chain."""
    record(opened, subject_id)


def _a_second(times: int, reader: Callable[..., None], *arguments: object) -> float:
    # Processes and not threads: fifty threads of one Python would wait for each other and not for the database.
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(READERS + 1)
    readers = [context.Process(target=reader, args=(barrier, *arguments)) for _ in range(READERS)]
    for process in readers:
        process.start()
    barrier.wait()
    started = time.perf_counter()
    barrier.wait()
    seconds = time.perf_counter() - started
    for process in readers:
        process.join()
    return READERS * times / seconds


def _open(barrier: Barrier, bench: BenchDatabase, pupil_id: UUID, recorded: Callable[..., object]) -> None:
    database.connect(bench.server.app_url, pool_size=1, long_running=True)
    with bench.work():
        pupil(pupil_id)
    barrier.wait()
    for _ in range(PAGES_EACH):
        with bench.work():
            pupil(pupil_id)
            recorded(OPENED, pupil_id)
    barrier.wait()
    os._exit(0)


def _commit(barrier: Barrier, bench: BenchDatabase, statement: str) -> None:
    with psycopg.connect(bench.server.app_url, autocommit=True) as connection:
        connection.execute("SELECT set_config('app.authority', %s, false)", [str(bench.authority_id)])
        barrier.wait()
        for _ in range(COMMITS_EACH):
            connection.execute(statement.encode())
        barrier.wait()
    os._exit(0)
