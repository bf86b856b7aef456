"""Reads a file in a forked child process with limits of memory, time and disk.

A file made to exhaust or crash the reader ends only the child. The worker goes on, and the file is rejected.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import resource
import select
import signal
import struct
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import structlog

from portal.tabular.limits import Limits
from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading.reader import NO_MAPPINGS, read
from portal.uploads.domain.reading.result import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.uploads.domain.reading.headings import ColumnMappings
    from portal.uploads.domain.reading.result import Reading

HEADER = struct.Struct("!cQ")
PROGRESS, ARRAY, RESULT, REJECTION, FAULT = b"P", b"A", b"R", b"F", b"X"
#: Bytes written to the pipe at a time, and frames of a fault that are logged.
CHUNK, LOGGED_FRAMES = 1 << 20, 3
IN_PARTS = "Send it in smaller parts, or save it again as CSV."
TOO_LONG = f"The file took too long to read. {IN_PARTS}"
TOO_MUCH = f"The file took too much memory to read. {IN_PARTS}"
STOPPED = f"The file took too long or too much memory to read. {IN_PARTS}"
OUR_FAULT = (
    "The portal could not read this file. Nothing is wrong with what you did. Save the file again as CSV and send that, or ask your"
    " authority for help and give the time it was received."
)

log = structlog.get_logger("portal.uploads")


def read_in_child(
    content: bytes,
    mappings: ColumnMappings = NO_MAPPINGS,
    *,
    limits: Limits | None = None,
    progress: Callable[[int], None] | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> Reading:
    """Call `read` in a forked child that cannot use more memory, time or disk than `limits`.

    The child answers over a pipe. `meanwhile` is called in the parent while the child reads.

    Raises:
        FileRejected: as `read` does, when a limit stops the child, and when the reader has a fault of its own (which is logged).
    """
    reader, writer = os.pipe()
    with contextlib.suppress(OSError):
        # A larger pipe means fewer switches between the processes. Where it is not allowed, the default works too.
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, CHUNK)
    limits = limits or Limits()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _run_child(writer, content, mappings, limits)
    os.close(writer)
    reading = None
    try:
        deadline = time.monotonic() + limits.seconds
        if meanwhile:
            meanwhile()
        reading = _receive(reader, progress or (lambda _rows: None), deadline)
    except EOFError:
        pass  # The child ended without an answer: its exit status says why.
    finally:
        os.close(reader)
        status = _stop(child)
    return reading or _reject_for_exit(os.waitstatus_to_exitcode(status))


def _run_child(writer: int, content: bytes, mappings: ColumnMappings, limits: Limits) -> None:
    """Read the file, send the answer and end the child process."""
    try:
        # Close all inherited files but standard input, output and errors. With a copy of the parent's database connection the
        # child would keep the parent's locks if the parent died.
        os.closerange(3, writer)
        os.closerange(writer + 1, os.sysconf("SC_OPEN_MAX"))
        # The parent's handlers belong to the worker: in the child a signal must end it.
        for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
            signal.signal(signal_number, signal.SIG_DFL)
        # The limit counts the whole address space, of which a forked child starts with all that its parent has.
        memory = _address_space() + limits.memory
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 1))
        # No files and no core dump: both could store pupils' details on disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        reading = read(content, mappings, limits=limits, progress=lambda rows: _send(writer, PROGRESS, str(rows).encode()))
        # The arrays are sent beside the pickle, without a copy in it.
        arrays: list[pickle.PickleBuffer] = []
        answer = pickle.dumps(reading, protocol=5, buffer_callback=arrays.append)
        for array in arrays:
            _send(writer, ARRAY, array.raw())
        _send(writer, RESULT, answer)
    except FileRejected as rejection:
        _send(writer, REJECTION, pickle.dumps((rejection.kind, rejection.message)))
    except MemoryError:
        _send(writer, REJECTION, pickle.dumps(("too-much", TOO_MUCH)))
    except BaseException as fault:  # noqa: BLE001  a panic of a Rust library is not an Exception
        _send(writer, FAULT, pickle.dumps((type(fault).__name__, _origin(fault))))
    finally:
        # Without clean-up: exit handlers and buffers are the parent's, and would run twice.
        os._exit(0)


def _origin(fault: BaseException) -> str:
    """The files and lines of a fault, innermost first. Its message is left out, as it may quote a cell."""
    frames = traceback.extract_tb(fault.__traceback__)[-LOGGED_FRAMES:]
    return ", ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))


def _address_space() -> int:
    """Bytes of address space this process has."""
    pages, *_ = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(pages) * resource.getpagesize()


def _send(writer: int, kind: bytes, body: bytes | memoryview) -> None:
    for view in (memoryview(HEADER.pack(kind, len(body))), memoryview(body)):
        sent = 0
        while sent < len(view):
            sent += os.write(writer, view[sent : sent + CHUNK])


def _receive(reader: int, show: Callable[[int], None], deadline: float) -> Reading:
    """The reading the child sends. Shows its progress meanwhile, and raises its rejection."""
    arrays = []
    while True:
        kind, length = HEADER.unpack(_read_exactly(reader, HEADER.size, deadline))
        body = _read_exactly(reader, length, deadline)
        if kind == PROGRESS:
            show(int(body))
        elif kind == ARRAY:
            arrays.append(body)
        elif kind == REJECTION:
            raise FileRejected(*pickle.loads(body))  # noqa: S301  our own child wrote it
        elif kind == FAULT:
            _reject_for_fault(*pickle.loads(body))  # noqa: S301  our own child wrote it
        else:
            reading: Reading = pickle.loads(body, buffers=arrays)  # noqa: S301  our own child wrote it
            return reading


def _read_exactly(reader: int, length: int, deadline: float) -> bytearray:
    """Read `length` bytes from the child.

    Raises:
        FileRejected: when they do not arrive before the deadline.
        EOFError: when the child has ended.
    """
    body, received = bytearray(length), 0
    view = memoryview(body)
    while received < length:
        # The limit of processor time does not stop a child that sleeps or waits: the deadline does.
        ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise FileRejected("too-much", TOO_LONG)
        count = os.readv(reader, [view[received : received + CHUNK]])
        if not count:
            raise EOFError
        received += count
    return body


def _reject_for_exit(code: int) -> NoReturn:
    """Reject the file of a child that ended without an answer, by the signal that ended it."""
    # SIGXCPU: its processor time was used up. SIGABRT: compiled code could not allocate memory. SIGKILL: the kernel was short of
    # memory, or the processor time was used up by code that ignores SIGXCPU.
    messages = {-signal.SIGXCPU: TOO_LONG, -signal.SIGABRT: TOO_MUCH, -signal.SIGKILL: STOPPED}
    if code in messages:
        raise FileRejected("too-much", messages[code])
    _reject_for_fault("ended", str(code))


def _reject_for_fault(kind: str, origin: str) -> NoReturn:
    """Log a fault of the reader itself, and reject the file without blaming it."""
    log.error("upload.reader_fault", why=kind, place=origin)
    raise FileRejected("our-fault", OUR_FAULT)


def _stop(child: int) -> int:
    """Kill the child if it still runs, and return its exit status. Waiting for it leaves no zombie process."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]
