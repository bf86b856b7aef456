"""The database of a measurement: a PostgreSQL of its own, one authority, schools with rolls, and random registers."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import numpy as np
import psycopg

import migrations
from local.postgres import EmbeddedPostgres
from portal.accounts.actions import people as people_actions
from portal.accounts.models import PLATFORM
from portal.accounts.queries.principals import command_line_scope
from portal.audit.actions import record
from portal.audit.events import event
from portal.db import connection as database
from portal.db.work import action, tx, unit_of_work
from portal.platform import clock
from portal.pupils.actions.lists import import_pupil_list
from portal.pupils.domain.incoming import IncomingPupil, check_letter
from portal.registers.domain.pages import SESSIONS
from portal.rules.codes import CODES_BY_SYMBOL
from portal.schools.models import ClosedDays, School, Term
from portal.schools.queries import calendar_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from portal.rules.calendar import Calendar

YEAR = 2025
NOW = datetime(2026, 8, 3, 9, 0, tzinfo=UTC)
TERMS = (
    ("Autumn term", date(2025, 9, 1), date(2025, 12, 19)),
    ("Spring term", date(2026, 1, 5), date(2026, 3, 27)),
    ("Summer term", date(2026, 4, 13), date(2026, 7, 22)),
)
HALF_TERMS = (
    (date(2025, 10, 27), date(2025, 10, 31)),
    (date(2026, 2, 16), date(2026, 2, 20)),
    (date(2026, 5, 25), date(2026, 5, 29)),
)
PREPARED = event("bench.prepared", "A measurement prepared its schools")

#: Shares of marks, near the published ones: most are present, and absences come in periods of several days.
SPELL_STARTS, SPELL_DAYS = 0.03, 2.0
ABSENCES = np.array([CODES_BY_SYMBOL[letters].byte for letters in ("I", "M", "C", "G", "O", "U", "B")], dtype=np.uint8)
SHARES = np.array([0.5, 0.12, 0.08, 0.08, 0.14, 0.03, 0.05])


@dataclass(frozen=True)
class BenchDatabase:
    """The server and the authority a measurement works in."""

    server: EmbeddedPostgres
    authority_id: UUID

    def work(self) -> AbstractContextManager[Session]:
        """A unit of work with every school in reach."""
        return unit_of_work(command_line_scope(self.authority_id))

    def vacuum(self) -> None:
        """Do now what autovacuum would otherwise do in the middle of a measurement."""
        with psycopg.connect(self.server.url("portal_owner"), autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")


@contextmanager
def bench_database() -> Iterator[BenchDatabase]:
    """A durable, migrated PostgreSQL in a temporary folder, with one empty authority."""
    folder = Path(tempfile.mkdtemp(prefix="portal-bench-"))
    # As root the server runs as another user, who must be able to reach its folder.
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder, durable=True)
    server.start()
    try:
        migrations.upgrade(server.owner_url)
        database.connect(server.app_url)
        authority_id = uuid4()
        with clock.frozen_at(NOW):
            with unit_of_work(command_line_scope(PLATFORM)):
                people_actions.ensure_platform()
            with unit_of_work(command_line_scope(authority_id)):
                people_actions.add_authority("bench", "Bench", "001", demonstration=True)
                _prepare(_add_terms)
            yield BenchDatabase(server, authority_id)
    finally:
        database.engine().dispose()
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@action
def _prepare(change: Callable[[], None]) -> None:
    change()
    tx().flush()
    record(PREPARED, None)


def _add_terms() -> None:
    tx().add_all(Term(school_id=None, name=name, first_day=first, last_day=last) for name, first, last in TERMS)
    tx().add_all(ClosedDays(school_id=None, name="Half term", first_day=first, last_day=last) for first, last in HALF_TERMS)


def add_school(bench: BenchDatabase, number: int, pupils: int) -> UUID:
    """Add a secondary school with this many pupils on its roll."""
    school_id = uuid4()
    with bench.work():
        school = School(id=school_id, urn=f"9{number:05d}", laestab=f"001{number:04d}", name=f"School {number}", phase="secondary")
        _prepare(lambda: tx().add(school))
        import_pupil_list(school_id, [_pupil(number, index) for index in range(pupils)], academic_year=YEAR)
    return school_id


def upn(school: int, index: int) -> str:
    """A UPN that no child can have: there is no local authority 001."""
    body = f"001{school:04d}{index:05d}"
    return f"{check_letter('A' + body)}{body}"


def _pupil(school: int, index: int) -> IncomingPupil:
    group = 7 + index % 5
    date_of_birth = date(YEAR - 4 - group, 9, 1) + timedelta(days=index % 365)
    return IncomingPupil(
        f"Surname{school}x{index}",
        f"Forename{index}",
        date_of_birth,
        upn=upn(school, index),
        year_group=str(group),
        admission_date=date(2019, 9, 2),
    )


def calendar(bench: BenchDatabase, school_id: UUID) -> Calendar:
    """The school's calendar."""
    with bench.work():
        return calendar_of(school_id)


def register(pupils: int, sessions: int, seed: int) -> NDArray[np.uint8]:
    """Random marks, a row a pupil and a column a session: present except for periods of absence.

    All days of all pupils lie in one flat array, and each period is written at its offsets, one offset at a time: a loop
    over the longest period instead of one over a million marks.
    """
    rng = np.random.default_rng(seed)
    marks = np.empty((pupils, sessions), dtype=np.uint8)
    marks[:, 0::2], marks[:, 1::2] = CODES_BY_SYMBOL["/"].byte, CODES_BY_SYMBOL["\\"].byte
    starts = np.flatnonzero(rng.random(pupils * sessions // 2) < SPELL_STARTS) * 2
    lengths = 2 * rng.geometric(1 / SPELL_DAYS, starts.size)
    codes = rng.choice(ABSENCES, starts.size, p=SHARES)
    flat = marks.reshape(-1)
    for offset in range(int(lengths.max(initial=0))):
        is_ongoing = lengths > offset
        positions = starts[is_ongoing] + offset
        flat[positions[positions < flat.size]] = codes[is_ongoing][positions < flat.size]
    return marks


def pages_of(marks: NDArray[np.uint8], days: tuple[date, ...]) -> dict[date, NDArray[np.uint8]]:
    """Marks of whole days, two columns each, as one page for each week."""
    pages: dict[date, NDArray[np.uint8]] = {}
    for index, day in enumerate(days):
        monday = day - timedelta(days=day.weekday())
        page = pages.setdefault(monday, np.zeros((len(marks), SESSIONS), dtype=np.uint8))
        page[:, day.weekday() * 2 : day.weekday() * 2 + 2] = marks[:, index * 2 : index * 2 + 2]
    return pages


def best(call: Callable[[], object], repeats: int = 3) -> float:
    """The shortest of several runs, in seconds. The shortest is the one least disturbed by other processes."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times)
