"""Children: a file is read in a process of its own, with little memory, little time, no files to open and no network."""

from __future__ import annotations

import codecs
import fcntl
import gc
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING


from portal.uploads.reading.limits import DEFAULT, FileRefused, Limits, refuse_if_too_big
from portal.uploads.reading.recognition import read
from portal.uploads.reading.wire import PROGRESS, ChildStoppedError, Receiver, send, send_reading, send_refusal, too_slow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from portal.uploads.reading.results import Reading

_PIPE_SIZE = 1 << 20
_SET_PIPE_SIZE = getattr(fcntl, "F_SETPIPE_SZ", 1031)
_PAGE = resource.getpagesize()
_START = "import sys; from portal.uploads.reading.children import main; main(sys.argv[1])"
#: Looked up once, as the child may open no file: not even one that holds a character set.
for _encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "iso-8859-1", "ascii"):
    codecs.lookup(_encoding)


def read_in_child(
    path_or_bytes: str | Path | bytes,
    *,
    mapping: Mapping[str, str] | None = None,
    limits: Limits = DEFAULT,
    progress: Callable[[int], None] | None = None,
) -> Reading:
    """Read a file in a child process that is ended when it takes too much memory or time. As `read` in every other way.

    The child is a fork of this process when no other thread runs in it, else a fresh interpreter. Nothing is written to
    a named file.

    Raises:
        FileRefused: when the whole file cannot be read; the message says what to do.
    """
    content = path_or_bytes if isinstance(path_or_bytes, bytes) else _content(Path(path_or_bytes), limits)
    refuse_if_too_big(len(content), limits)
    if threading.active_count() == 1 and hasattr(os, "fork"):
        return _forked(content, mapping, limits, progress)
    return _spawned(content, mapping, limits, progress)


def _content(path: Path, limits: Limits) -> bytes:
    with path.open("rb") as file:
        return file.read(limits.size + 1)


def _forked(content: bytes, mapping: Mapping[str, str] | None, limits: Limits, progress: Callable[[int], None] | None) -> Reading:
    source, to = os.pipe()
    child = os.fork()
    if not child:
        _be_the_child(to, content, mapping, limits)
    os.close(to)
    try:
        return _answer(source, limits, progress, lambda: _ended(child))
    finally:
        os.close(source)
        _end(child)


def _spawned(content: bytes, mapping: Mapping[str, str] | None, limits: Limits, progress: Callable[[int], None] | None) -> Reading:
    source, to = os.pipe()
    told = json.dumps([to, dict(mapping) if mapping is not None else None, asdict(limits)])
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ.get("PATH", "")}
        command = [sys.executable, "-c", _START, told]
        child = subprocess.Popen(command, stdin=file, pass_fds=[to], env=environment)  # noqa: S603  our own interpreter and module
        os.close(to)
        try:
            return _answer(source, limits, progress, child.wait)
        finally:
            os.close(source)
            child.kill()
            child.wait()


def _answer(source: int, limits: Limits, progress: Callable[[int], None] | None, ended: Callable[[], int]) -> Reading:
    with suppress(OSError):
        fcntl.fcntl(source, _SET_PIPE_SIZE, _PIPE_SIZE)
    try:
        return Receiver(source, limits.seconds).answer(progress)
    except ChildStoppedError:
        if ended() in {-signal.SIGXCPU, -signal.SIGKILL}:
            raise too_slow() from None
        raise _too_much() from None


def _ended(child: int) -> int:
    """How the child ended, as `subprocess` tells it: below 0 for a signal."""
    # Left unreaped, so that it is reaped in one place only.
    found = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    if found is None:
        return 0
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def _end(child: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _too_much() -> FileRefused:
    return FileRefused("too-much-memory", "The file holds far more than a register should. Send one term, or one year group, at a time.")


def _be_the_child(to: int, content: bytes, mapping: Mapping[str, str] | None, limits: Limits) -> None:
    """In the fork: let go of everything that was open, read, answer, and leave without tidying up what is the parent's."""
    status = 1
    try:
        gc.disable()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.closerange(3, to)
        os.closerange(to + 1, _highest_open() + 1)
        answer(to, content, mapping, limits)
        status = 0
    finally:
        os._exit(status)


def _highest_open() -> int:
    try:
        return max(int(name) for name in os.listdir("/proc/self/fd"))
    except OSError:
        return 4096


def answer(to: int, content: bytes, mapping: Mapping[str, str] | None, limits: Limits) -> None:
    """Read within limits and send the reading, or the refusal, down a pipe."""
    _limit(limits)
    shown = time.monotonic()

    def told(rows: int) -> None:
        nonlocal shown
        if time.monotonic() - shown > 0.2:  # noqa: PLR2004  five times a second is enough to see it move
            shown = time.monotonic()
            send(to, PROGRESS, rows.to_bytes(8, "little"))

    try:
        reading = read(content, mapping=mapping, limits=limits, progress=told)
    except FileRefused as refusal:
        send_refusal(to, refusal)
    except MemoryError:
        send_refusal(to, _too_much())
    else:
        send_reading(to, reading)


def _limit(limits: Limits) -> None:
    """Memory above what is mapped already, processor time, no file to write, and no further file or socket to open."""
    try:
        mapped = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * _PAGE
        resource.setrlimit(resource.RLIMIT_AS, (mapped + limits.memory,) * 2)
    except OSError:
        pass
    used = int(time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (used + limits.processor_seconds,) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def main(told: str) -> None:
    """In a fresh interpreter: the file is standard input; `told` is the pipe to answer to, the mapping and the limits as JSON."""
    to, mapping, limits = json.loads(told)
    with open(0, "rb", closefd=False) as file:
        content = file.read()
    answer(to, content, mapping, Limits(**limits))

