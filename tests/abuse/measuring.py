"""Measuring the processor time and memory that reading a hostile file takes, in processes of its own."""

from __future__ import annotations

import json
import os
import pickle
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from portal.tabular.file_guard import file_kind
from portal.tabular.limits import Limits
from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading.sandbox import ReaderProcess, read_in_child

if TYPE_CHECKING:
    from collections.abc import Callable

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


def measured(act: Callable[[bytes], object], content: bytes) -> Cost:
    """Call `act` with the content in a fork of this process, and return its cost."""
    # A fork of its own, because a process's memory peak counts everything it did before.
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            # Writing 5 resets the kernel's record of the highest memory use (VmHWM).
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
            bytes_before = _status_bytes("VmRSS")
            kind, message, seconds = _outcome(lambda: act(content))
            os.write(writer, pickle.dumps(Cost(kind, message, seconds, (_status_bytes("VmHWM") - bytes_before) / MEGABYTE)))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        pickled = pipe.read()
    os.waitpid(child, 0)
    cost: Cost = pickle.loads(pickled)  # noqa: S301  our own child wrote it
    return cost


def measured_reading(content: bytes, limits: Limits | None = None) -> Cost:
    """Read as the portal does, in the reader's own process. Returns what it cost beyond an idle reader."""
    # A new program, not a fork: the kernel counts a large starter's memory as a peak of whatever it starts.
    command = [sys.executable, "-m", "tests.abuse.measuring", json.dumps(asdict(limits or Limits()))]
    answer = subprocess.run(command, input=content, stdout=subprocess.PIPE, check=True)
    return Cost(*json.loads(answer.stdout))


def main() -> None:
    """Measure the reading of what stands on standard input, under the limits given as JSON."""
    content, limits = sys.stdin.buffer.read(), Limits(**json.loads(sys.argv[1]))
    _outcome(lambda: _read_apart(b"", Limits()))
    idle_seconds, idle_bytes = _children()
    kind, message, _seconds = _outcome(lambda: _read_apart(content, limits))
    seconds, peak_bytes = _children()
    sys.stdout.write(json.dumps([kind, message, seconds - 2 * idle_seconds, (peak_bytes - idle_bytes) / MEGABYTE]))


def _outcome(act: Callable[[], object]) -> tuple[str, str, float]:
    """The kind and the sentence of what the call came to, and its processor seconds."""
    started, kind, message = time.process_time(), "read", ""
    try:
        act()
    except FileRejected as rejection:
        kind, message = rejection.kind, rejection.message
    except BaseException as error:  # noqa: BLE001  whatever it is, it becomes the outcome that the test compares
        kind, message = type(error).__name__, str(error)[:2_000]
    return kind, message, time.process_time() - started


def _children() -> tuple[float, int]:
    """The processor seconds of all programs started that have ended, and the highest memory of any."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def _read_apart(content: bytes, limits: Limits) -> None:
    process = ReaderProcess()
    try:
        read_in_child(content, limits=limits, process=process)
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


if __name__ == "__main__":
    main()
