"""The supervisor: it starts everything, stops it in order, and leaves nothing running when a process is killed."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from config.revision import REPOSITORY
from local.child_processes import free_port
from local.folders import ServersState
from tests.local.conftest import processes_on, temporary_data_folder, wait_until_stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

#: The supervisor with a small web application and a worker that does nothing. The demonstration notes how it was called.
SUPERVISOR = """
import os, sys
from config.settings import Settings, SettingsError
from local import supervisor
python = (sys.executable, "-P", "-m")
says = (
    "import os, sys, time; open(os.environ['CALLS'], 'a').write(sys.argv[1] + ' '); time.sleep(int(os.environ['DEMO_SECONDS'])); "
    "assert os.environ['DATABASE_OWNER_URL'].startswith('postgresql://portal_owner:'); sys.exit(int(os.environ['DEMO_STATUS']))"
)
demo = (sys.executable, "-c", says)
plan = supervisor.ChildCommands(
    web=(*python, "gunicorn", "--config", str(supervisor.REPOSITORY / "config" / "gunicorn.py"), "tests.run.small:create_app()"),
    worker=(*python, "tests.run.small", os.environ["PORTAL_DATA_DIR"]),
    demonstration=(*demo, "first"),
    demonstration_again=(*demo, "again"),
)
sys.exit(supervisor.main(Settings.from_environment(os.environ), plan))
"""


class Portal:
    """One start of the supervisor."""

    def __init__(self, data_dir: Path, *, wait: bool = True, **environ: str) -> None:
        """Start it, and wait for its line unless `wait` is false."""
        self.data_dir = data_dir
        self.port = int(environ.setdefault("PORTAL_PORT", str(free_port())))
        base_environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "PORTAL_DATA_DIR": str(data_dir),
            "PORTAL_DEMO": "0",
            "PORTAL_WEB_WORKERS": "1",
            "PORTAL_REQUEST_DEADLINE": "1",
            "CALLS": str(data_dir / "said"),
            "DEMO_STATUS": "0",
            "DEMO_SECONDS": "0",
        }
        self.program = subprocess.Popen(
            [sys.executable, "-P", "-c", SUPERVISOR],
            env={**base_environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.program.stdout is not None
        self.line = self.program.stdout.readline() if wait else ""

    def wait_for_end(self, sign: signal.Signals | None = None) -> tuple[int, str]:
        """Send it a signal, wait for its end, and return its exit status and standard error."""
        if sign is not None:
            self.program.send_signal(sign)
        output, errors = self.program.communicate(timeout=25)
        assert output == ""
        return self.program.returncode, errors

    def processes(self, name: str) -> list[int]:
        """The ids of its processes whose command line contains `name`."""
        return [pid for pid, command in processes_on(self.data_dir).items() if name in command] or [
            child for child in _children_of(self.program.pid) if name in _command(child)
        ]

    def get(self, path: str) -> tuple[int, bytes]:
        """Request a page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, body


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def _children_of(pid: int) -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _process_tree(pid: int) -> list[int]:
    return [pid, *(descendant for child in _children_of(pid) for descendant in _process_tree(child))]


def _alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if _state(pid) not in {"", "Z"}]


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


@pytest.fixture(scope="module")
def migrated_folder() -> Iterator[Path]:
    """A data folder with a migrated database, made once for all tests."""
    with temporary_data_folder() as folder:
        first = Portal(folder)
        assert first.wait_for_end(signal.SIGINT)[0] == 0
        yield folder


def test_it_prints_one_line_and_stops_in_order_on_a_signal(migrated_folder: Path) -> None:
    """The line has the address, the seconds and the folder. Nothing is left running, and no log has a complaint."""
    portal = Portal(migrated_folder)
    assert portal.line.startswith(f"The portal is ready at http://127.0.0.1:{portal.port} (")
    assert str(migrated_folder) in portal.line
    assert portal.get("/readyz")[0] == 200
    tree = _process_tree(portal.program.pid)
    assert len(tree) > 5
    assert portal.wait_for_end(signal.SIGTERM) == (0, "")
    assert _alive(tree) == []
    assert not (migrated_folder / "servers.json").exists()
    assert "connection" not in (migrated_folder / "logs" / "worker-1.log").read_text().lower()


def test_after_kill_9_nothing_is_left_running_and_it_starts_again(migrated_folder: Path) -> None:
    """No process is left, no row is lost, and no lock blocks the next start."""
    portal = Portal(migrated_folder)
    running = ServersState.on(migrated_folder)
    assert running is not None
    with psycopg.connect(running.owner_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 7 AS n")
    tree = _process_tree(portal.program.pid)
    portal.wait_for_end(signal.SIGKILL)
    deadline = time.monotonic() + 9
    while _alive(tree) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _alive(tree) == []
    assert wait_until_stopped(migrated_folder)
    again = Portal(migrated_folder, PORTAL_PORT=str(portal.port))
    running = ServersState.on(migrated_folder)
    assert running is not None
    with psycopg.connect(running.owner_url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
    assert again.wait_for_end(signal.SIGINT)[0] == 0


@pytest.mark.parametrize(
    ("killed", "name"),
    [
        ("-m tests.run.small /", "Worker 1"),
        ("gunicorn", "The web server"),
        ("valkey", "The queue server"),
        ("postgres -D", "The database"),
    ],
)
def test_when_one_process_dies_all_stop_and_it_is_named(migrated_folder: Path, killed: str, name: str) -> None:
    """Half a portal is worse than none. The exit status tells the service manager to start it again."""
    portal = Portal(migrated_folder)
    tree = _process_tree(portal.program.pid)
    killed_pid = next(pid for pid in _children_of(portal.program.pid) if killed in _command(pid))
    os.kill(killed_pid, signal.SIGKILL)
    status, errors = portal.wait_for_end()
    assert status == 1
    assert errors.startswith(f"{name} stopped by itself (status -9), so everything was stopped.")
    assert _alive(tree) == []


def test_a_port_in_use_is_reported_before_anything_starts(migrated_folder: Path) -> None:
    """The most common reason why a start fails."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        portal = Portal(migrated_folder, PORTAL_PORT=str(port))
        assert portal.line == ""
        assert portal.wait_for_end() == (
            1,
            f"Set PORTAL_PORT to a free port, or stop what uses it: {port} on 127.0.0.1 cannot be used (address already in use).\n",
        )
    assert processes_on(migrated_folder) == {}


def test_a_database_that_does_not_answer_is_reported(migrated_folder: Path) -> None:
    """The message names the setting, without the password in it."""
    url = f"postgresql://portal_app:secret-of-the-database@127.0.0.1:{free_port()}/portal"
    status, errors = Portal(migrated_folder, DATABASE_URL=url).wait_for_end()
    assert status == 1
    assert errors.startswith("Check DATABASE_URL and DATABASE_OWNER_URL")
    assert "secret-of-the-database" not in errors


def test_web_and_workers_are_given_only_the_restricted_role(migrated_folder: Path) -> None:
    """The owner's address never reaches a process that answers requests."""
    portal = Portal(migrated_folder)
    running = ServersState.on(migrated_folder)
    assert running is not None
    owners_password = running.owner_url.split(":")[2].partition("@")[0]
    below = [pid for pid in _process_tree(portal.program.pid)[1:] if _command(pid).startswith(sys.executable)]
    assert len(below) >= 3
    for pid in below:
        environ = Path(f"/proc/{pid}/environ").read_bytes().decode()
        assert owners_password not in environ
        assert "DATABASE_URL=postgresql://portal_app:" in environ
    portal.wait_for_end(signal.SIGINT)


def test_an_endless_request_is_interrupted_and_others_are_served(migrated_folder: Path) -> None:
    """Gunicorn's threaded worker has no limit for a single request; the portal's deadline is one."""
    portal = Portal(migrated_folder)
    started = time.monotonic()
    status, _ = portal.get("/stuck")
    assert status == 500
    assert 0.9 < time.monotonic() - started < 4
    assert portal.get("/livez")[0] == 200
    portal.wait_for_end(signal.SIGINT)
    assert "request.too_long" in (migrated_folder / "logs" / "web.log").read_text()


def test_the_demonstration_is_made_once_and_again_after_a_failure(migrated_folder: Path) -> None:
    """A failed attempt is removed and made again; a complete demonstration is left alone."""
    cut = Portal(migrated_folder, PORTAL_DEMO="1", DEMO_STATUS="3")
    status, errors = cut.wait_for_end()
    assert (cut.line, status) == ("", 1)
    assert errors.endswith("Start without it with PORTAL_DEMO=0.\n")
    for _ in range(2):
        assert Portal(migrated_folder, PORTAL_DEMO="1").wait_for_end(signal.SIGINT)[0] == 0
    assert (migrated_folder / "said").read_text() == "first again "
    assert Portal(migrated_folder, PORTAL_DEMO="0").wait_for_end(signal.SIGINT)[0] == 0
    assert (migrated_folder / "said").read_text() == "first again "


def test_after_kill_9_during_the_demonstration_nothing_is_left_running(migrated_folder: Path) -> None:
    """It is the longest step of a first start, and so the likeliest to be killed."""
    (migrated_folder / "postgres" / "demonstration").unlink(missing_ok=True)
    portal = Portal(migrated_folder, wait=False, PORTAL_DEMO="1", DEMO_SECONDS="60")
    deadline = time.monotonic() + 10
    while "time.sleep" not in " ".join(_command(pid) for pid in _process_tree(portal.program.pid)[1:]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    tree = _process_tree(portal.program.pid)
    portal.wait_for_end(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while _alive(tree) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _alive(tree) == []
