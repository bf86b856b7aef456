"""Measuring an attack: how long reading a file takes and how much memory it takes, in a process of its own."""

from __future__ import annotations

import os
import pickle
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from portal.uploads.reading import DEFAULT, FileRefused
from portal.uploads.reading.guard import recognised

if TYPE_CHECKING:
    from collections.abc import Callable

MEGABYTE = 1_000_000
MOST_MEMORY = 200


@dataclass(frozen=True, slots=True)
class Cost:
    """What came of it ("read", or the kind and sentence of the refusal), in seconds and megabytes."""

    kind: str
    message: str
    seconds: float
    megabytes: float


def measured(act: Callable[[bytes], object], content: bytes) -> Cost:
    """Do it in a fork of this process and say what it cost. Its peak is that of the fork or of the fork's own child."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            os.write(writer, pickle.dumps(_cost(act, content)))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        told = answer.read()
    os.waitpid(child, 0)
    cost: Cost = pickle.loads(told)  # noqa: S301  our own child wrote it
    return cost


def _cost(act: Callable[[bytes], object], content: bytes) -> Cost:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before, started = _held("VmRSS"), time.perf_counter()
    kind, message = "read", ""
    try:
        act(content)
    except FileRefused as refusal:
        kind, message = refusal.kind, refusal.message
    except BaseException as error:  # noqa: BLE001  whatever it is, the test is to see it
        kind, message = type(error).__name__, str(error)[:2_000]
    taken = time.perf_counter() - started
    of_child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return Cost(kind, message, taken, (max(_held("VmHWM"), of_child) - before) / MEGABYTE)


def _held(name: str) -> int:
    """A line of this process's status, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def guarded(content: bytes) -> object:
    """The guard alone."""
    return recognised(content, DEFAULT)


def cheap(cost: Cost, *, seconds: float = 2, megabytes: float = MOST_MEMORY) -> str:
    """What came of it, having asserted that it was cheap."""
    assert cost.seconds < seconds, cost
    assert cost.megabytes <= megabytes, cost
    return cost.kind
