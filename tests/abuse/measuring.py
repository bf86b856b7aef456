"""Measuring the processor time and memory that reading a hostile file takes, in processes of its own."""

from __future__ import annotations

import os
import pickle
import resource
import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from portal.tabular.file_guard import file_kind
from portal.tabular.limits import Limits
from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading.sandbox import ReaderProcess, read_in_child

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.uploads.domain.reading.result import Reading

MEGABYTE = 1_000_000
MAX_MEGABYTES = 200


@dataclass(frozen=True, slots=True)
class Cost:
    """The outcome of reading a file, with its processor seconds and megabytes.

    `kind` is "read", or the kind of the rejection; `message` is the rejection's sentence.
    """

    kind: str
    message: str
    seconds: float
    megabytes: float
    children_seconds: float
    children_megabytes: float


def measured(act: Callable[[bytes], object], content: bytes) -> Cost:
    """Call `act` with the content in a fork of this process, and return its cost.

    The memory is the peak of the fork, or of the reader that it started where that is larger.
    """
    cost = _in_a_fork(act, content)
    reader = _idle_reader()
    return replace(
        cost,
        seconds=cost.seconds + max(0, cost.children_seconds - reader.children_seconds),
        megabytes=max(cost.megabytes, cost.children_megabytes - reader.children_megabytes),
    )


@cache
def _idle_reader() -> Cost:
    """What a reader takes before it reads anything to speak of."""
    return _in_a_fork(read_apart, b"UPN,Date,Session,Code\n")


def _in_a_fork(act: Callable[[bytes], object], content: bytes) -> Cost:
    # A fork of its own, because a process's memory peak counts everything it did before.
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            os.write(writer, pickle.dumps(_cost(act, content)))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        pickled = pipe.read()
    os.waitpid(child, 0)
    cost: Cost = pickle.loads(pickled)  # noqa: S301  our own child wrote it
    return cost


def _cost(act: Callable[[bytes], object], content: bytes) -> Cost:
    # Writing 5 resets the kernel's record of the highest memory use (VmHWM).
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    bytes_before, started = _status_bytes("VmRSS"), time.process_time()
    kind, message = "read", ""
    try:
        act(content)
    except FileRejected as rejection:
        kind, message = rejection.kind, rejection.message
    except BaseException as error:  # noqa: BLE001  whatever it is, it becomes the outcome that the test compares
        kind, message = type(error).__name__, str(error)[:2_000]
    seconds, megabytes = time.process_time() - started, (_status_bytes("VmHWM") - bytes_before) / MEGABYTE
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(kind, message, seconds, megabytes, children.ru_utime + children.ru_stime, children.ru_maxrss * 1024 / MEGABYTE)


def read_apart(content: bytes, limits: Limits | None = None) -> Reading:
    """Read as the portal does, with a reader that has ended afterwards, so that its cost is known."""
    process = ReaderProcess()
    try:
        return read_in_child(content, limits=limits, process=process)
    finally:
        process.stop()


def _status_bytes(name: str) -> int:
    """A line of this process's status in /proc, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def run_guard(content: bytes) -> object:
    """Run only the guard, which looks at a file before anything reads it."""
    return file_kind(content, Limits())


def cheap_outcome(cost: Cost, *, seconds: float = 2, megabytes: float = MAX_MEGABYTES) -> str:
    """Assert that the cost was within these limits, and return the outcome's kind."""
    assert cost.seconds < seconds, cost
    assert cost.megabytes <= megabytes, cost
    return cost.kind
