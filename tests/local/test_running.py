"""Two starts on one data folder: one owns the servers, and the other uses them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from config.revision import REPOSITORY
from config.settings import Settings
from local.child_processes import CannotStartError
from local.locks import servers_for_command, start_for_portal
from local.valkey import EmbeddedValkey, answers
from tests.local.conftest import processes_on, wait_until_stopped

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

#: A command that prints its database's address, and runs until its input ends.
COMMAND = """
import sys
from config.settings import Settings
from local.locks import servers_for_command
with servers_for_command(Settings.from_environment({"PORTAL_DATA_DIR": sys.argv[1]})) as given:
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


def _read_line(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    return program.stdout.readline().strip()


def _close_input(program: subprocess.Popen[str]) -> None:
    assert program.stdin is not None
    program.stdin.close()


def _wait_and_close(program: subprocess.Popen[str]) -> None:
    program.wait(15)
    for pipe in (program.stdin, program.stdout):
        if pipe is not None and not pipe.closed:
            pipe.close()


def test_two_commands_at_once_share_servers_and_the_owner_waits(data_dir: Path) -> None:
    """Both start at once on an empty folder. One cluster is made, and its owner waits for the other to finish."""
    first, second = _command(data_dir), _command(data_dir)
    assert _read_line(first) == _read_line(second) != ""
    assert sum("postgres -D" in command for command in processes_on(data_dir).values()) == 1
    owner = first if (data_dir / "servers.json").read_text().find(f'"starter_pid": {first.pid}') > 0 else second
    guest = second if owner is first else first
    _close_input(owner)
    with pytest.raises(subprocess.TimeoutExpired):
        owner.wait(0.7)
    _close_input(guest)
    assert _read_line(guest) == "stopped"
    assert _read_line(owner) == "stopped"
    for program in (first, second):
        _wait_and_close(program)
    assert processes_on(data_dir) == {}
    assert not (data_dir / "servers.json").exists()


def test_a_command_uses_the_running_portal_and_leaves_it_running(data_dir: Path) -> None:
    """A command works on the same database as the pages."""
    own, owned_servers = start_for_portal(_settings(data_dir))
    with servers_for_command(_settings(data_dir)) as used:
        assert used == owned_servers
    assert all(child.is_alive() for child in own.children())
    own.stop(after_others=False)
    assert processes_on(data_dir) == {}


def test_a_second_portal_on_the_folder_is_refused(data_dir: Path) -> None:
    """Two servers on one cluster would ruin it."""
    own, _ = start_for_portal(_settings(data_dir))
    with pytest.raises(CannotStartError, match=r"already runs on .* PORTAL_DATA_DIR"):
        start_for_portal(_settings(data_dir))
    own.stop(after_others=False)


def test_the_state_file_is_private_and_removed_with_the_servers(data_dir: Path) -> None:
    """It holds passwords."""
    own, _ = start_for_portal(_settings(data_dir))
    assert (data_dir / "servers.json").stat().st_mode & 0o077 == 0
    own.stop(after_others=False)
    assert not (data_dir / "servers.json").exists()


def test_a_state_file_of_a_killed_start_does_not_stop_the_next(data_dir: Path) -> None:
    """After kill -9 of the starter its servers end, and the next start works as usual."""
    killed = _command(data_dir)
    first_url = _read_line(killed)
    killed.send_signal(signal.SIGKILL)
    _wait_and_close(killed)
    assert (data_dir / "servers.json").exists()
    with servers_for_command(_settings(data_dir)) as new_servers:
        assert new_servers.app_url != first_url
    assert wait_until_stopped(data_dir), processes_on(data_dir)


def test_with_both_urls_set_nothing_is_started(data_dir: Path) -> None:
    """The data folder is not even made."""
    absent = data_dir / "absent"
    settings = Settings(database_url="postgresql://a@b/c", redis_url="redis://d/0", secret_key="k" * 40, data_dir=absent)
    with servers_for_command(settings) as used:
        assert (used.owner_url, used.app_url, used.redis_url) == ("postgresql://a@b/c", "postgresql://a@b/c", "redis://d/0")
    assert not absent.exists()


def test_the_queue_server_needs_a_password_that_is_not_in_the_process_list(data_dir: Path) -> None:
    """Anyone on the machine can list processes and open local ports."""
    valkey = EmbeddedValkey(data_dir)
    valkey.start()
    password = valkey.url.split(":")[2].partition("@")[0]
    port = int(valkey.url.rpartition(":")[2].partition("/")[0])
    assert answers(port, password)
    assert not answers(port, "guess")
    assert password not in " ".join(processes_on(data_dir).values())
    valkey.stop()
    assert processes_on(data_dir) == {}


def test_an_orphaned_queue_server_is_stopped_before_the_next_starts(data_dir: Path) -> None:
    """Two servers appending to one file would spoil it."""
    left = EmbeddedValkey(data_dir)
    left.start()
    assert left.child is not None
    second = EmbeddedValkey(data_dir)
    second.start(left.child.pid)
    assert not left.child.is_alive()
    second.stop()
