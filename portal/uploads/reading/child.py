"""Reading in a child process: a file that attacks the reader meets limits of memory, time and files, and nothing else falls."""

from __future__ import annotations

import os
import pickle
import resource
import select
import signal
import struct
import time
from typing import TYPE_CHECKING

from portal.uploads.reading.files import read
from portal.uploads.reading.shapes import DEFAULT, FileRefused, Limits, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HEADER = struct.Struct("!cQ")
PROGRESS, RESULT, REFUSAL = b"P", b"R", b"F"
CHUNK = 1 << 20
TOO_MUCH = "The file took too long or too much memory to read. Send it in smaller parts, or save it again as CSV."


def read_in_child(
    content: bytes,
    *,
    mapping: Mapping[str, str] | None = None,
    limits: Limits = DEFAULT,
    progress: Callable[[int], None] | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> Reading:
    """`read`, in a forked child that cannot take more memory, time or disk than `limits` allow.

    The child inherits open connections and never touches them: it answers over a pipe and ends without clean-up.
    `meanwhile` is done here while it reads.

    Raises:
        FileRefused: as `read` does, and when the child is stopped by its limits.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _work(writer, content, mapping, limits)
    os.close(writer)
    try:
        deadline = time.monotonic() + limits.seconds
        if meanwhile:
            meanwhile()
        return _answer(reader, progress or (lambda _rows: None), deadline)
    finally:
        os.close(reader)
        _ended(child)


def _work(writer: int, content: bytes, mapping: Mapping[str, str] | None, limits: Limits) -> None:
    """The child's whole life."""
    try:
        for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
            signal.signal(signal_number, signal.SIG_DFL)
        held = _held_memory()
        resource.setrlimit(resource.RLIMIT_AS, (held + limits.memory, held + limits.memory))
        resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        found = read(content, mapping=mapping, limits=limits, progress=lambda rows: _send(writer, PROGRESS, str(rows).encode()))
        _send(writer, RESULT, pickle.dumps(found, protocol=5))
    except FileRefused as refusal:
        _send(writer, REFUSAL, pickle.dumps((refusal.kind, refusal.message)))
    except (MemoryError, RecursionError):
        _send(writer, REFUSAL, pickle.dumps(("too-much", TOO_MUCH)))
    finally:
        os._exit(0)


def _held_memory() -> int:
    """Bytes of address space this process has already."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  a kernel file, read in the child
        return int(file.read().split()[0]) * resource.getpagesize()


def _send(writer: int, kind: bytes, body: bytes) -> None:
    view = memoryview(HEADER.pack(kind, len(body)) + body)
    while view:
        view = view[os.write(writer, view[:CHUNK]) :]


def _answer(reader: int, show: Callable[[int], None], deadline: float) -> Reading:
    while True:
        kind, length = HEADER.unpack(_exactly(reader, HEADER.size, deadline))
        body = _exactly(reader, length, deadline)
        if kind == PROGRESS:
            show(int(body))
        elif kind == REFUSAL:
            raise FileRefused(*pickle.loads(body))  # noqa: S301  our own child wrote it
        else:
            found: Reading = pickle.loads(body)  # noqa: S301  our own child wrote it
            return found


def _exactly(reader: int, length: int, deadline: float) -> bytes:
    """So many bytes from the child; a child that ended or dawdles means a file that was too much."""
    parts, left = [], length
    while left:
        ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
        part = os.read(reader, min(left, CHUNK)) if ready else b""
        if not part:
            raise FileRefused("too-much", TOO_MUCH)
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _ended(child: int) -> None:
    """Whatever the child was doing, it is over."""
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        os.waitpid(child, 0)
