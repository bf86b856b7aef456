"""A data folder for each test. The servers' user can reach it, and what still runs on it is killed afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


def processes_on(folder: Path) -> dict[int, str]:
    """The running processes whose command line or working folder names this data folder: id → command line."""
    commands = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if command and (str(folder) in command or str(folder) in str((process / "cwd").readlink())):
                commands[int(process.name)] = command.strip()
    commands.pop(os.getpid(), None)
    return commands


def wait_until_stopped(folder: Path, within: float = 8.0) -> bool:
    """Do all processes on this folder end within so many seconds?"""
    deadline = time.monotonic() + within
    while processes_on(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty data folder for one test."""
    with temporary_data_folder() as folder:
        yield folder


@contextmanager
def temporary_data_folder() -> Iterator[Path]:
    """An empty data folder; what still runs on it at the end is killed."""
    folder = Path(tempfile.mkdtemp(prefix="portal-folder-"))
    yield folder
    for pid in processes_on(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until_stopped(folder)
    shutil.rmtree(folder, ignore_errors=True)
