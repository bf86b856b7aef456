"""The ground of a measurement: a PostgreSQL of its own, one authority, schools with rolls, and registers drawn at random."""

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

import migrations
from portal import clock, db
from portal.accounts import actions as accounts
from portal.accounts.models import PLATFORM
from portal.accounts.queries import command_line
from portal.audit.actions import record
from portal.audit.events import event
from portal.db import action, tx, unit_of_work
from portal.embedded.postgres import EmbeddedPostgres
from portal.pupils.actions import take_list
from portal.pupils.incoming import IncomingPupil, check_letter
from portal.registers.pages import SESSIONS
from portal.rules.codes import BY_LETTERS
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

#: Shares of marks, near the published ones: most plainly present, the rest in spells.
SPELL_STARTS, SPELL_DAYS = 0.03, 2.0
ABSENCES = np.array([BY_LETTERS[letters].byte for letters in ("I", "M", "C", "G", "O", "U", "B")], dtype=np.uint8)
SHARES = np.array([0.5, 0.12, 0.08, 0.08, 0.14, 0.03, 0.05])


@dataclass(frozen=True)
class Ground:
    """Where a measurement runs: the server, and the authority it works in."""

    server: EmbeddedPostgres
    authority_id: UUID

    def work(self) -> AbstractContextManager[Session]:
        """A unit of work with every school in reach."""
        return unit_of_work(command_line(self.authority_id))


@contextmanager
def ground() -> Iterator[Ground]:
    """A durable PostgreSQL in a folder of its own, migrated, with one empty authority; all gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="portal-bench-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder, durable=True)
    server.start()
    try:
        migrations.upgrade(server.owner_url)
        db.connect(server.app_url)
        authority_id = uuid4()
        with clock.at(NOW):
            with unit_of_work(command_line(PLATFORM)):
                accounts.ensure_platform()
            with unit_of_work(command_line(authority_id)):
                accounts.add_authority("bench", "Bench", "001", demonstration=True)
                _prepare(_add_terms)
            yield Ground(server, authority_id)
    finally:
        db.engine().dispose()
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


def add_school(where: Ground, number: int, pupils: int) -> UUID:
    """A secondary school with this many pupils on its roll, in the authority."""
    school_id = uuid4()
    with where.work():
        named = School(id=school_id, urn=f"9{number:05d}", laestab=f"001{number:04d}", name=f"School {number}", phase="secondary")
        _prepare(lambda: tx().add(named))
        take_list(school_id, [_pupil(number, place) for place in range(pupils)], academic_year=YEAR)
    return school_id


def upn(school: int, place: int) -> str:
    """A UPN no child can have: LA 001, and an establishment that is not one."""
    body = f"001{school:04d}{place:05d}"
    return f"{check_letter('A' + body)}{body}"


def _pupil(school: int, place: int) -> IncomingPupil:
    group = 7 + place % 5
    born = date(YEAR - 4 - group, 9, 1) + timedelta(days=place % 365)
    return IncomingPupil(
        f"Surname{school}x{place}",
        f"Forename{place}",
        born,
        upn=upn(school, place),
        year_group=str(group),
        admission_date=date(2019, 9, 2),
    )


def calendar(where: Ground, school_id: UUID) -> Calendar:
    """When a school met."""
    with where.work():
        return calendar_of(school_id)


def register(pupils: int, sessions: int, seed: int) -> NDArray[np.uint8]:
    """Marks of so many pupils over so many sessions side by side, mornings first: present but for spells of absence."""
    chance = np.random.default_rng(seed)
    marks = np.empty((pupils, sessions), dtype=np.uint8)
    marks[:, 0::2], marks[:, 1::2] = BY_LETTERS["/"].byte, BY_LETTERS["\\"].byte
    starts = np.flatnonzero(chance.random(pupils * sessions // 2) < SPELL_STARTS) * 2
    lengths = 2 * chance.geometric(1 / SPELL_DAYS, starts.size)
    codes = chance.choice(ABSENCES, starts.size, p=SHARES)
    flat = marks.reshape(-1)
    for ahead in range(int(lengths.max(initial=0))):
        going = lengths > ahead
        at = starts[going] + ahead
        flat[at[at < flat.size]] = codes[going][at < flat.size]
    return marks


def pages_of(marks: NDArray[np.uint8], days: tuple[date, ...]) -> dict[date, NDArray[np.uint8]]:
    """Marks of whole days (two columns each) as the pages of their weeks."""
    pages: dict[date, NDArray[np.uint8]] = {}
    for place, on in enumerate(days):
        monday = on - timedelta(days=on.weekday())
        page = pages.setdefault(monday, np.zeros((len(marks), SESSIONS), dtype=np.uint8))
        page[:, on.weekday() * 2 : on.weekday() * 2 + 2] = marks[:, place * 2 : place * 2 + 2]
    return pages


def best(call: Callable[[], object], times: int = 3) -> float:
    """The shortest of so many runs, in seconds: what the work costs when nothing else is in the way."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        found.append(time.perf_counter() - begun)
    return min(found)
