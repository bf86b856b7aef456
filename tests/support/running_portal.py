"""A real portal for tests, started as a process tree on a copy of a small demonstration.

The demonstration is made once a run, and each module gets a copy.
"""

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
from local.child_processes import free_port
from local.folders import ServersState
from tests.local.conftest import temporary_data_folder, wait_until_stopped
from tests.support.servers import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date
    from uuid import UUID

T = TypeVar("T")

#: The default timeout in seconds, long enough that a busy machine with two cores does not fail a test.
DEFAULT_TIMEOUT = 120.0
PYTHON = (sys.executable, "-P", "-m")
SESSIONS = 14


def wait_until(description: str, condition: Callable[[], T], within: float = DEFAULT_TIMEOUT) -> T:
    """Call `condition` until it returns something true, and return that.

    Raises:
        AssertionError: after `within` seconds, naming the `description`.
    """
    deadline = time.monotonic() + within
    while True:
        outcome = condition()
        if outcome:
            return outcome
        if time.monotonic() > deadline:
            message = f"{description}: not within {within:.0f} s"
            raise AssertionError(message)
        time.sleep(0.05)


def environ_for(data_dir: Path, **settings: str) -> dict[str, str]:
    """The environment of a portal on this folder.

    Only a few variables are inherited, so that the settings of the person running the tests do not change them.
    """
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    return {**inherited, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1", "PORTAL_DATA_DIR": str(data_dir), **settings}


def demonstration_folder() -> Path:
    """The folder of a small, stopped demonstration, made by the first test worker that needs it."""
    folder = Path(os.environ[FOLDER]) / "made"
    # The workers are separate processes: without the lock two of them would make it at once.
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # The file "whole" comes last: a folder without it was left half made.
        if not (folder / "whole").exists():
            folder.mkdir(mode=0o755, exist_ok=True)
            for command in (("migrate",), ("demo", "--schools", "6", "--pupils", "400")):
                finished = subprocess.run(
                    [*PYTHON, "portal", *command],
                    env=environ_for(folder),
                    cwd=REPOSITORY,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert finished.returncode == 0, finished.stderr
            (folder / "postgres" / "demonstration").write_text("made")
            (folder / "whole").touch()
    return folder


@contextmanager
def copy_of_demonstration() -> Iterator[Path]:
    """A new folder with a copy of the small demonstration."""
    with temporary_data_folder() as folder:
        folder.chmod(0o755)
        subprocess.run(["/bin/cp", "-a", f"{demonstration_folder()}/.", str(folder)], check=True)
        yield folder


@dataclass(frozen=True)
class Member:
    """A person of the demonstration, with their authority and schools."""

    membership_id: UUID
    name: str
    authority: str
    schools: tuple[UUID, ...]


class Database:
    """The portal's database, read and changed as its superuser."""

    def __init__(self, url: str) -> None:
        """Store the URL. Each query opens its own connection."""
        self.url = url

    def rows(self, query: str, *parameters: object) -> list[Any]:
        """The rows of a query."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def value(self, query: str, *parameters: object) -> Any:
        """The only value of a query."""
        return self.rows(query, *parameters)[0][0]

    def change(self, statement: str, *parameters: object) -> int:
        """Change rows, and return their number."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(statement.encode(), parameters).rowcount

    def member(self, role: str, authority: str = "wrenfold", number: int = 0) -> Member:
        """The person number `number` in this role, by the time they joined."""
        members = self.rows(
            "SELECT m.id, p.name, a.name, m.school_ids FROM membership m JOIN person p ON p.id = m.person_id "
            "LEFT JOIN authority a ON a.id = m.authority_id WHERE m.role = %s AND (a.slug = %s OR m.role = 'platform-operator') "
            "ORDER BY m.created_at, p.name",
            role,
            authority,
        )
        membership_id, name, authority_name, schools = members[number]
        return Member(membership_id, name, authority_name, tuple(schools or ()))


@dataclass(frozen=True)
class MarksFile:
    """A file of marks, with its numbers of rows and of bad rows."""

    content: bytes
    rows: int
    bad: int


def all_present_file(
    database: Database, school_id: UUID, academic_year: int, first: date, last: date, bad: tuple[tuple[str, ...], ...] = ()
) -> MarksFile:
    """A file with every mark between two Mondays, all present, and the bad rows last."""
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
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(("UPN", "Date", "Session", "Mark"))
    rows = 0
    for week, marks in pages:
        # A page holds one byte a session, 14 for each line, and lines count from 1 in the roll.
        for index, mark in enumerate(bytes(marks)):
            line, session = divmod(index, SESSIONS)
            if mark and line + 1 in pupils:
                day = week + timedelta(days=session // 2)
                writer.writerow((pupils[line + 1], f"{day:%d/%m/%Y}", ("AM", "PM")[session % 2], "/\\"[session % 2]))
                rows += 1
    writer.writerows(bad)
    return MarksFile(file.getvalue().encode(), rows + len(bad), len(bad))


class RunningPortal:
    """The whole portal, started with `portal up` on a folder and a free port."""

    def __init__(self, data_dir: Path, **environ: str) -> None:
        """Start the portal, and wait until it prints that it is ready."""
        self.data_dir = data_dir
        self.port = free_port()
        environ_up = environ_for(data_dir, PORTAL_PORT=str(self.port), PORTAL_DEMO="1", PORTAL_WEB_WORKERS="1", **environ)
        self._log = (data_dir / "up.log").open("w")
        self._process = subprocess.Popen(
            [*PYTHON, "portal", "up"],
            env=environ_up,
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        first_line = self._process.stdout.readline()
        assert "The portal is ready" in first_line, (data_dir / "up.log").read_text()
        running = ServersState.on(data_dir)
        assert running is not None
        self.database = Database(running.superuser_url)

    @property
    def address(self) -> str:
        """The portal's address."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Stop the workers while the block runs. Jobs enqueued meanwhile are done afterwards."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        workers = [int(pid) for pid in children if b"workers.run" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        assert workers
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in workers:
                os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        """Ask the portal to stop, and check that no process is left."""
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=DEFAULT_TIMEOUT)
        self._log.close()
        assert wait_until_stopped(self.data_dir)


@contextmanager
def running_portal() -> Iterator[RunningPortal]:
    """A portal on its own copy of the small demonstration."""
    with copy_of_demonstration() as folder:
        portal = RunningPortal(folder)
        try:
            yield portal
        finally:
            portal.stop()
