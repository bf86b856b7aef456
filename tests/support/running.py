"""A real portal for tests: a small demonstration made once a run, a copy of it for each module, and its whole process tree."""

from __future__ import annotations

import csv
import fcntl
import io
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

from config.revision import REPOSITORY
from portal.embedded.children import free_port
from portal.embedded.folder import Running
from tests.embedded.conftest import gone, new_folder
from tests.support.servers import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date
    from uuid import UUID

T = TypeVar("T")

#: A busy machine with two cores: long enough never to be the reason.
PATIENCE = 120.0
PYTHON = (sys.executable, "-P", "-m")
SESSIONS = 14


def until(what: str, found: Callable[[], T], within: float = PATIENCE) -> T:
    """Wait until `found` answers with something true, and give it back.

    Raises:
        AssertionError: naming what was waited for.
    """
    end = time.monotonic() + within
    while True:
        answer = found()
        if answer:
            return answer
        if time.monotonic() > end:
            message = f"{what}: not within {within:.0f} s"
            raise AssertionError(message)
        time.sleep(0.05)


def environ_of(data_dir: Path, **more: str) -> dict[str, str]:
    """What a portal on this folder is told, whatever the person running the tests has set."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1", "PORTAL_DATA_DIR": str(data_dir), **more}


def made_demonstration() -> Path:
    """The folder of a small demonstration, stopped; made by whichever of the run's workers asks first."""
    kept = Path(os.environ[FOLDER]) / "made"
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (kept / "whole").exists():
            kept.mkdir(mode=0o755, exist_ok=True)
            for command in (("migrate",), ("demo", "--schools", "6", "--pupils", "400")):
                made = subprocess.run(
                    [*PYTHON, "portal", *command], env=environ_of(kept), cwd=REPOSITORY, capture_output=True, text=True, check=False
                )
                assert made.returncode == 0, made.stderr
            (kept / "postgres" / "demonstration").write_text("made")
            (kept / "whole").touch()
    return kept


@contextmanager
def copy_of_demonstration() -> Iterator[Path]:
    """A folder of one's own with the small demonstration in it."""
    with new_folder() as folder:
        folder.chmod(0o755)
        subprocess.run(["/bin/cp", "-a", f"{made_demonstration()}/.", str(folder)], check=True)
        yield folder


@dataclass(frozen=True)
class Member:
    """Somebody of the demonstration, and where they belong."""

    membership_id: UUID
    name: str
    authority: str
    schools: tuple[UUID, ...]


class Database:
    """The portal's database as its superuser sees it: to look, and to furnish what no page makes."""

    def __init__(self, url: str) -> None:
        """Keep the address; each question has a connection of its own."""
        self.url = url

    def rows(self, question: str, *given: object) -> list[Any]:
        """The rows of a question."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(question.encode(), given).fetchall()

    def one(self, question: str, *given: object) -> Any:
        """The only value of a question."""
        return self.rows(question, *given)[0][0]

    def change(self, statement: str, *given: object) -> int:
        """Change rows: how many."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(statement.encode(), given).rowcount

    def member(self, role: str, authority: str = "wrenfold", place: int = 0) -> Member:
        """Somebody of this role."""
        found = self.rows(
            "SELECT m.id, p.name, a.name, m.school_ids FROM membership m JOIN person p ON p.id = m.person_id "
            "LEFT JOIN authority a ON a.id = m.authority_id WHERE m.role = %s AND (a.slug = %s OR m.role = 'platform-operator') "
            "ORDER BY m.created_at, p.name",
            role,
            authority,
        )
        membership_id, name, where, schools = found[place]
        return Member(membership_id, name, where, tuple(schools or ()))


@dataclass(frozen=True)
class Sent:
    """A file of marks made from a school's own registers."""

    content: bytes
    rows: int
    bad: int


def term_of_presence(
    database: Database, school_id: UUID, academic_year: int, first: date, last: date, bad: tuple[tuple[str, ...], ...] = ()
) -> Sent:
    """Every mark the registers hold between two Mondays, sent again as a list in which everybody was there; bad rows last."""
    pupils = dict(
        database.rows(
            "SELECT r.line, p.upn FROM roll_line r JOIN pupil p ON p.id = r.pupil_id "
            "WHERE r.school_id = %s AND r.academic_year = %s",
            school_id,
            academic_year,
        )
    )
    pages = database.rows(
        "SELECT g.week, g.marks FROM register_page g JOIN current_page c USING (school_id, week, version) "
        "WHERE g.school_id = %s AND g.week BETWEEN %s AND %s ORDER BY g.week",
        school_id,
        first,
        last,
    )
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(("UPN", "Date", "Session", "Mark"))
    rows = 0
    for week, marks in pages:
        for place, mark in enumerate(bytes(marks)):
            line, session = divmod(place, SESSIONS)
            if mark and line + 1 in pupils:
                day = week + timedelta(days=session // 2)
                table.writerow((pupils[line + 1], f"{day:%d/%m/%Y}", ("AM", "PM")[session % 2], "/\\"[session % 2]))
                rows += 1
    table.writerows(bad)
    return Sent(written.getvalue().encode(), rows + len(bad), len(bad))


class RunningPortal:
    """The whole portal, started as a person starts it, on a folder and free ports."""

    def __init__(self, data_dir: Path, **environ: str) -> None:
        """Start it and wait for its line."""
        self.data_dir = data_dir
        self.port = free_port()
        told = environ_of(data_dir, PORTAL_PORT=str(self.port), PORTAL_DEMO="1", PORTAL_WEB_WORKERS="1", **environ)
        self._log = (data_dir / "up.log").open("w")
        self._program = subprocess.Popen(
            [*PYTHON, "portal", "up"],
            env=told,
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,
        )
        assert self._program.stdout is not None
        line = self._program.stdout.readline()
        assert "The portal is ready" in line, (data_dir / "up.log").read_text()
        running = Running.on(data_dir)
        assert running is not None
        self.database = Database(running.superuser_url)

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Hold the workers still: what is promised meanwhile is done afterwards."""
        begun = Path(f"/proc/{self._program.pid}/task/{self._program.pid}/children").read_text().split()
        workers = [int(one) for one in begun if b"workers.run" in Path(f"/proc/{one}/cmdline").read_bytes()]
        assert workers
        for one in workers:
            os.kill(one, signal.SIGSTOP)
        try:
            yield
        finally:
            for one in workers:
                os.kill(one, signal.SIGCONT)

    def stop(self) -> None:
        """Ask it to stop; it does so in order."""
        self._program.send_signal(signal.SIGTERM)
        self._program.communicate(timeout=PATIENCE)
        self._log.close()
        assert gone(self.data_dir)


@contextmanager
def running_portal() -> Iterator[RunningPortal]:
    """A portal on its own copy of the small demonstration."""
    with copy_of_demonstration() as folder:
        portal = RunningPortal(folder)
        try:
            yield portal
        finally:
            portal.stop()
