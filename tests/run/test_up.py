"""The process tree: up with one line, down in order, nothing left behind whoever is killed."""

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
from portal.embedded.children import free_port
from portal.embedded.folder import Running
from tests.embedded.conftest import gone, new_folder, on_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

#: The tree with a small web application and a worker that does nothing; the demonstration says what was asked of it.
SUPERVISOR = """
import os, sys
from config.settings import Settings, SettingsError
from portal import up
python = (sys.executable, "-P", "-m")
says = (
    "import os, sys, time; open(os.environ['SAID'], 'a').write(sys.argv[1] + ' '); time.sleep(int(os.environ['DEMO_SECONDS'])); "
    "assert os.environ['DATABASE_OWNER_URL'].startswith('postgresql://portal_owner:'); sys.exit(int(os.environ['DEMO_ENDS']))"
)
demo = (sys.executable, "-c", says)
plan = up.Plan(
    web=(*python, "gunicorn", "--config", str(up.REPOSITORY / "config" / "gunicorn.py"), "tests.run.small:create_app()"),
    worker=(*python, "tests.run.small", os.environ["PORTAL_DATA_DIR"]),
    demonstration=(*demo, "first"),
    demonstration_again=(*demo, "again"),
)
sys.exit(up.main(Settings.from_environment(os.environ), plan))
"""


class Portal:
    """One start of the tree."""

    def __init__(self, data_dir: Path, *, wait: bool = True, **environ: str) -> None:
        """Start it, and wait for its line unless told not to."""
        self.data_dir = data_dir
        self.port = int(environ.setdefault("PORTAL_PORT", str(free_port())))
        told = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "PORTAL_DATA_DIR": str(data_dir),
            "PORTAL_DEMO": "0",
            "PORTAL_WEB_WORKERS": "1",
            "PORTAL_REQUEST_DEADLINE": "1",
            "SAID": str(data_dir / "said"),
            "DEMO_ENDS": "0",
            "DEMO_SECONDS": "0",
        }
        self.program = subprocess.Popen(
            [sys.executable, "-P", "-c", SUPERVISOR],
            env={**told, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.program.stdout is not None
        self.line = self.program.stdout.readline() if wait else ""

    def ended(self, sign: signal.Signals | None = None) -> tuple[int, str]:
        """Signal it, wait for its end: its exit status and what it said on standard error."""
        if sign is not None:
            self.program.send_signal(sign)
        rest, errors = self.program.communicate(timeout=25)
        assert rest == ""
        return self.program.returncode, errors

    def processes(self, name: str) -> list[int]:
        """The numbers of its processes whose command line holds `name`."""
        return [pid for pid, command in on_folder(self.data_dir).items() if name in command] or [
            child for child in _children_of(self.program.pid) if name in _command(child)
        ]

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask for a page."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        line.request("GET", path)
        answer = line.getresponse()
        body = answer.read()
        line.close()
        return answer.status, body


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def _children_of(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _all_below(pid: int) -> list[int]:
    return [pid, *(deeper for child in _children_of(pid) for deeper in _all_below(child))]


def _alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if _state(pid) not in {"", "Z"}]


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


@pytest.fixture(scope="module")
def made_folder() -> Iterator[Path]:
    """A data folder whose database is made and migrated once, for the tests that only start on it."""
    with new_folder() as folder:
        first = Portal(folder)
        assert first.ended(signal.SIGINT)[0] == 0
        yield folder


def test_it_says_one_line_and_stops_in_order_when_told(made_folder: Path) -> None:
    """Address, seconds, folder; then nothing is left and nothing complained."""
    portal = Portal(made_folder)
    assert portal.line.startswith(f"The portal is ready at http://127.0.0.1:{portal.port} (")
    assert str(made_folder) in portal.line
    assert portal.get("/readyz")[0] == 200
    tree = _all_below(portal.program.pid)
    assert len(tree) > 5
    assert portal.ended(signal.SIGTERM) == (0, "")
    assert _alive(tree) == []
    assert not (made_folder / "servers.json").exists()
    assert "connection" not in (made_folder / "logs" / "worker-1.log").read_text().lower()


def test_killed_outright_it_leaves_nothing_behind_and_starts_again(made_folder: Path) -> None:
    """Kill -9 of the supervisor: no process, no lost row, no lock in the way."""
    portal = Portal(made_folder)
    running = Running.on(made_folder)
    assert running is not None
    with psycopg.connect(running.owner_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 7 AS n")
    tree = _all_below(portal.program.pid)
    portal.ended(signal.SIGKILL)
    until = time.monotonic() + 9
    while _alive(tree) and time.monotonic() < until:
        time.sleep(0.05)
    assert _alive(tree) == []
    assert gone(made_folder)
    again = Portal(made_folder, PORTAL_PORT=str(portal.port))
    running = Running.on(made_folder)
    assert running is not None
    with psycopg.connect(running.owner_url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
    assert again.ended(signal.SIGINT)[0] == 0


@pytest.mark.parametrize(
    ("killed", "named"),
    [
        ("-m tests.run.small /", "Worker 1"),
        ("gunicorn", "The web server"),
        ("valkey", "The queue server"),
        ("postgres -D", "The database"),
    ],
)
def test_when_one_part_dies_all_stop_and_say_which(made_folder: Path, killed: str, named: str) -> None:
    """Half a portal is worse than none: the exit status says so to whatever restarts it."""
    portal = Portal(made_folder)
    tree = _all_below(portal.program.pid)
    part = next(pid for pid in _children_of(portal.program.pid) if killed in _command(pid))
    os.kill(part, signal.SIGKILL)
    status, said = portal.ended()
    assert status == 1
    assert said.startswith(f"{named} stopped by itself (status -9), so everything was stopped.")
    assert _alive(tree) == []


def test_a_taken_port_is_named_before_anything_starts(made_folder: Path) -> None:
    """The commonest reason of all."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        portal = Portal(made_folder, PORTAL_PORT=str(port))
        assert portal.line == ""
        assert portal.ended() == (
            1,
            f"Set PORTAL_PORT to a free port, or stop what uses it: {port} on 127.0.0.1 cannot be used (address already in use).\n",
        )
    assert on_folder(made_folder) == {}


def test_a_database_out_of_reach_is_named(made_folder: Path) -> None:
    """A named database that does not answer."""
    url = f"postgresql://portal_app:secret-of-the-database@127.0.0.1:{free_port()}/portal"
    status, said = Portal(made_folder, DATABASE_URL=url).ended()
    assert status == 1
    assert said.startswith("Check DATABASE_URL and DATABASE_OWNER_URL")
    assert "secret-of-the-database" not in said


def test_web_and_workers_know_the_restricted_role_only(made_folder: Path) -> None:
    """The owner's address never reaches what strangers talk to."""
    portal = Portal(made_folder)
    running = Running.on(made_folder)
    assert running is not None
    owners_password = running.owner_url.split(":")[2].partition("@")[0]
    below = [pid for pid in _all_below(portal.program.pid)[1:] if _command(pid).startswith(sys.executable)]
    assert len(below) >= 3
    for pid in below:
        told = Path(f"/proc/{pid}/environ").read_bytes().decode()
        assert owners_password not in told
        assert "DATABASE_URL=postgresql://portal_app:" in told
    portal.ended(signal.SIGINT)


def test_a_request_without_end_is_given_up_and_others_are_served(made_folder: Path) -> None:
    """The deadline is ours: a threaded gunicorn worker has none."""
    portal = Portal(made_folder)
    began = time.monotonic()
    status, _ = portal.get("/stuck")
    assert status == 500
    assert 0.9 < time.monotonic() - began < 4
    assert portal.get("/livez")[0] == 200
    portal.ended(signal.SIGINT)
    assert "request.too_long" in (made_folder / "logs" / "web.log").read_text()


def test_the_demonstration_is_made_once_and_again_when_it_was_cut_short(made_folder: Path) -> None:
    """First start: made. Next: left alone. Cut short: begun afresh."""
    cut = Portal(made_folder, PORTAL_DEMO="1", DEMO_ENDS="3")
    status, said = cut.ended()
    assert (cut.line, status) == ("", 1)
    assert said.endswith("Start without it with PORTAL_DEMO=0.\n")
    for _ in range(2):
        assert Portal(made_folder, PORTAL_DEMO="1").ended(signal.SIGINT)[0] == 0
    assert (made_folder / "said").read_text() == "first again "
    assert Portal(made_folder, PORTAL_DEMO="0").ended(signal.SIGINT)[0] == 0
    assert (made_folder / "said").read_text() == "first again "


def test_killed_while_the_demonstration_is_made_it_leaves_nothing_behind(made_folder: Path) -> None:
    """The longest step of a first start, and the likeliest to be cut short."""
    (made_folder / "postgres" / "demonstration").unlink(missing_ok=True)
    portal = Portal(made_folder, wait=False, PORTAL_DEMO="1", DEMO_SECONDS="60")
    until = time.monotonic() + 10
    while "time.sleep" not in " ".join(_command(pid) for pid in _all_below(portal.program.pid)[1:]):
        assert time.monotonic() < until
        time.sleep(0.05)
    tree = _all_below(portal.program.pid)
    portal.ended(signal.SIGKILL)
    until = time.monotonic() + 5
    while _alive(tree) and time.monotonic() < until:
        time.sleep(0.05)
    assert _alive(tree) == []
