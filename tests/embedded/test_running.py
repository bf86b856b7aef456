"""Two starts on one data folder: one owns the servers, the other uses them, and neither is left without."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from config.revision import REPOSITORY
from config.settings import Settings
from portal.embedded.children import CannotStartError
from portal.embedded.running import owned, servers
from portal.embedded.valkey import EmbeddedValkey, answers
from tests.embedded.conftest import gone, on_folder

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

#: A command: it says which database it was given, and stays until its input ends.
COMMAND = """
import sys
from config.settings import Settings
from portal.embedded.running import servers
with servers(Settings.from_environment({"PORTAL_DATA_DIR": sys.argv[1]})) as given:
    print(given.app_url, flush=True)
    sys.stdin.read()
print("stopped", flush=True)
"""


def _settings(data_dir: Path) -> Settings:
    return Settings.from_environment({"PORTAL_DATA_DIR": str(data_dir)})


def _command(data_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", COMMAND, str(data_dir)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _line(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    return program.stdout.readline().strip()


def _end(program: subprocess.Popen[str]) -> None:
    assert program.stdin is not None
    program.stdin.close()


def _closed(program: subprocess.Popen[str]) -> None:
    program.wait(15)
    for pipe in (program.stdin, program.stdout):
        if pipe is not None and not pipe.closed:
            pipe.close()


def test_two_commands_at_once_share_and_the_first_waits_for_the_second(data_dir: Path) -> None:
    """Both started in the same moment on an empty folder: one cluster is made, and it outlives whoever leaves first."""
    one, two = _command(data_dir), _command(data_dir)
    assert _line(one) == _line(two) != ""
    assert sum("postgres -D" in command for command in on_folder(data_dir).values()) == 1
    owner = one if (data_dir / "servers.json").read_text().find(f'"starter_pid": {one.pid}') > 0 else two
    guest = two if owner is one else one
    _end(owner)
    with pytest.raises(subprocess.TimeoutExpired):
        owner.wait(0.7)
    _end(guest)
    assert _line(guest) == "stopped"
    assert _line(owner) == "stopped"
    for program in (one, two):
        _closed(program)
    assert on_folder(data_dir) == {}
    assert not (data_dir / "servers.json").exists()


def test_a_command_uses_the_running_portal_and_leaves_it_running(data_dir: Path) -> None:
    """The command line works on the same database as the pages."""
    own, given = owned(_settings(data_dir))
    with servers(_settings(data_dir)) as used:
        assert used == given
    assert all(child.is_alive() for child in own.children())
    own.stop(after_others=False)
    assert on_folder(data_dir) == {}


def test_a_second_portal_on_the_folder_is_told_so(data_dir: Path) -> None:
    """Never two servers on one cluster."""
    own, _ = owned(_settings(data_dir))
    with pytest.raises(CannotStartError, match=r"already runs on .* PORTAL_DATA_DIR"):
        owned(_settings(data_dir))
    own.stop(after_others=False)


def test_the_state_file_is_private_and_goes_with_the_servers(data_dir: Path) -> None:
    """It holds passwords."""
    own, _ = owned(_settings(data_dir))
    assert (data_dir / "servers.json").stat().st_mode & 0o077 == 0
    own.stop(after_others=False)
    assert not (data_dir / "servers.json").exists()


def test_a_state_file_left_by_a_killed_start_is_no_hindrance(data_dir: Path) -> None:
    """Kill -9 of the starter: servers gone, folder free, next start as usual."""
    killed = _command(data_dir)
    first = _line(killed)
    killed.send_signal(signal.SIGKILL)
    _closed(killed)
    assert (data_dir / "servers.json").exists()
    with servers(_settings(data_dir)) as given:
        assert given.app_url != first
    assert gone(data_dir), on_folder(data_dir)


def test_named_servers_are_used_and_nothing_is_started(data_dir: Path) -> None:
    """With both addresses given the data folder is not even made."""
    absent = data_dir / "absent"
    named = Settings(database_url="postgresql://a@b/c", redis_url="redis://d/0", secret_key="k" * 40, data_dir=absent)
    with servers(named) as given:
        assert (given.owner_url, given.app_url, given.redis_url) == ("postgresql://a@b/c", "postgresql://a@b/c", "redis://d/0")
    assert not absent.exists()


def test_the_queue_server_wants_its_password_and_keeps_it_out_of_the_process_list(data_dir: Path) -> None:
    """Anyone on the machine can list processes and open local ports."""
    valkey = EmbeddedValkey(data_dir)
    valkey.start()
    password = valkey.url.split(":")[2].partition("@")[0]
    port = int(valkey.url.rpartition(":")[2].partition("/")[0])
    assert answers(port, password)
    assert not answers(port, "guess")
    assert password not in " ".join(on_folder(data_dir).values())
    valkey.stop()
    assert on_folder(data_dir) == {}


def test_a_queue_server_left_running_is_ended_before_the_next(data_dir: Path) -> None:
    """Two of them appending to one file would spoil it."""
    left = EmbeddedValkey(data_dir)
    left.start()
    assert left.child is not None
    following = EmbeddedValkey(data_dir)
    following.start(left.child.pid)
    assert not left.child.is_alive()
    following.stop()
