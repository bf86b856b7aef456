"""Fifty people opening pupils' records at once: the log of reads against the authority's one chain."""

from __future__ import annotations

import multiprocessing
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

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

READERS, PAGES_EACH = 50, 60
OPENED = event("bench.opened", "A measurement opened a pupil's record")


@dataclass(frozen=True)
class Reading:
    """Records opened in a second, with each read in the log and with each read in the chain."""

    in_log: float
    in_chain: float


def measured(bench: BenchDatabase, note: Callable[[str], None]) -> Reading:
    """Open records in both ways, the better of two runs each."""
    note(f"{READERS} readers")
    with bench.work():
        pupil_id = select_text("SELECT id FROM pupil LIMIT 1")[0].id
    in_log = max(_pages_a_second(bench, pupil_id, record_alone) for _ in range(2))
    return Reading(in_log, max(_pages_a_second(bench, pupil_id, _record_in_chain) for _ in range(2)))


@action
def _record_in_chain(opened: Event, subject_id: UUID) -> None:
    """Record a read as every read was recorded before: as an event of the chain."""
    record(opened, subject_id)


def _pages_a_second(bench: BenchDatabase, pupil_id: UUID, recorded: Callable[..., object]) -> float:
    # Processes and not threads: fifty threads of one Python would wait for each other and not for the database.
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(READERS + 1)
    readers = [context.Process(target=_read, args=(bench, pupil_id, recorded, barrier)) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    barrier.wait()
    started = time.perf_counter()
    barrier.wait()
    seconds = time.perf_counter() - started
    for reader in readers:
        reader.join()
    return READERS * PAGES_EACH / seconds


def _read(bench: BenchDatabase, pupil_id: UUID, recorded: Callable[..., object], barrier: Barrier) -> None:
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
