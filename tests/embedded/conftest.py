"""A data folder of its own for each test, reachable by the servers' user, with whatever still runs on it ended afterwards."""

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


def on_folder(folder: Path) -> dict[int, str]:
    """The living processes whose command line or working folder names this data folder: number → command line."""
    found = {}
    for one in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            said = (one / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if said and (str(folder) in said or str(folder) in str((one / "cwd").readlink())):
                found[int(one.name)] = said.strip()
    found.pop(os.getpid(), None)
    return found


def gone(folder: Path, within: float = 8.0) -> bool:
    """Does everything on this folder end within so many seconds?"""
    until = time.monotonic() + within
    while on_folder(folder):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty data folder for one test."""
    with new_folder() as made:
        yield made


@contextmanager
def new_folder() -> Iterator[Path]:
    """An empty data folder; whatever still runs on it at the end is killed."""
    made = Path(tempfile.mkdtemp(prefix="portal-folder-"))
    yield made
    for pid in on_folder(made):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    gone(made)
    shutil.rmtree(made, ignore_errors=True)
