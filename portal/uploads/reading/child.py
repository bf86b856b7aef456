"""Reading in a child process: a file that attacks the reader meets limits of memory, time and files, and nothing else falls."""

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
from typing import TYPE_CHECKING, NoReturn

import structlog

from portal.uploads.reading.files import read
from portal.uploads.reading.shapes import DEFAULT, FileRefused, Limits, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HEADER = struct.Struct("!cQ")
PROGRESS, ARRAY, RESULT, REFUSAL, FAULT = b"P", b"A", b"R", b"F", b"X"
CHUNK, DEEP_ENOUGH = 1 << 20, 3
#: Input, output and errors: the first files of every process.
STANDARD = 3
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
    *,
    mapping: Mapping[str, str] | None = None,
    limits: Limits = DEFAULT,
    progress: Callable[[int], None] | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> Reading:
    """`read`, in a forked child that cannot take more memory, time or disk than `limits` allow.

    The child lets go of every open file and connection it inherits (a row its parent has locked stays locked no longer
    than its parent lives), answers over a pipe, and ends without clean-up.
    `meanwhile` is done here while it reads.

    Raises:
        FileRefused: as `read` does, when the child is stopped by its limits, and when the reader itself is at fault (then logged).
    """
    reader, writer = os.pipe()
    with contextlib.suppress(OSError):
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, CHUNK)
    child = os.fork()
    if child == 0:
        os.close(reader)
        _work(writer, content, mapping, limits)
    os.close(writer)
    found = None
    try:
        deadline = time.monotonic() + limits.seconds
        if meanwhile:
            meanwhile()
        found = _answer(reader, progress or (lambda _rows: None), deadline)
    except EOFError:
        pass  # It ended without an answer: how it ended is asked below.
    finally:
        os.close(reader)
        status = _ended(child)
    return found or _refuse_ended(os.waitstatus_to_exitcode(status))


def _work(writer: int, content: bytes, mapping: Mapping[str, str] | None, limits: Limits) -> None:
    """The child's whole life."""
    try:
        os.closerange(STANDARD, writer)
        os.closerange(writer + 1, os.sysconf("SC_OPEN_MAX"))
        for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
            signal.signal(signal_number, signal.SIG_DFL)
        held = _held_memory()
        resource.setrlimit(resource.RLIMIT_AS, (held + limits.memory, held + limits.memory))
        resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        found = read(content, mapping=mapping, limits=limits, progress=lambda rows: _send(writer, PROGRESS, str(rows).encode()))
        arrays: list[pickle.PickleBuffer] = []
        answer = pickle.dumps(found, protocol=5, buffer_callback=arrays.append)
        for array in arrays:
            _send(writer, ARRAY, array.raw())
        _send(writer, RESULT, answer)
    except FileRefused as refusal:
        _send(writer, REFUSAL, pickle.dumps((refusal.kind, refusal.message)))
    except MemoryError:
        _send(writer, REFUSAL, pickle.dumps(("too-much", TOO_MUCH)))
    except BaseException as fault:  # noqa: BLE001  a panic of compiled code is no Exception, and no limit either
        _send(writer, FAULT, pickle.dumps((type(fault).__name__, _place(fault))))
    finally:
        os._exit(0)


def _place(fault: BaseException) -> str:
    """Where a fault came from, innermost first: files and lines, never what was in a cell."""
    frames = traceback.extract_tb(fault.__traceback__)[-DEEP_ENOUGH:]
    return ", ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))


def _held_memory() -> int:
    """Bytes of address space this process has already."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  a kernel file, read in the child
        return int(file.read().split()[0]) * resource.getpagesize()


def _send(writer: int, kind: bytes, body: bytes | memoryview) -> None:
    for view in (memoryview(HEADER.pack(kind, len(body))), memoryview(body)):
        sent = 0
        while sent < len(view):
            sent += os.write(writer, view[sent : sent + CHUNK])


def _answer(reader: int, show: Callable[[int], None], deadline: float) -> Reading:
    arrays = []
    while True:
        kind, length = HEADER.unpack(_exactly(reader, HEADER.size, deadline))
        body = _exactly(reader, length, deadline)
        if kind == PROGRESS:
            show(int(body))
        elif kind == ARRAY:
            arrays.append(body)
        elif kind == REFUSAL:
            raise FileRefused(*pickle.loads(body))  # noqa: S301  our own child wrote it
        elif kind == FAULT:
            _refuse_fault(*pickle.loads(body))  # noqa: S301  our own child wrote it
        else:
            found: Reading = pickle.loads(body, buffers=arrays)  # noqa: S301  our own child wrote it
            return found


def _exactly(reader: int, length: int, deadline: float) -> bytearray:
    """So many bytes from the child, which may not dawdle; EOFError when it has ended."""
    body, got = bytearray(length), 0
    view = memoryview(body)
    while got < length:
        ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise FileRefused("too-much", TOO_LONG)
        read_now = os.readv(reader, [view[got : got + CHUNK]])
        if not read_now:
            raise EOFError
        got += read_now
    return body


def _refuse_ended(code: int) -> NoReturn:
    """A child that ended without an answer: its processor time was up, compiled code found no memory, or something killed it."""
    stopped = {-signal.SIGXCPU: TOO_LONG, -signal.SIGABRT: TOO_MUCH, -signal.SIGKILL: STOPPED}
    if code in stopped:
        raise FileRefused("too-much", stopped[code])
    _refuse_fault("ended", str(code))


def _refuse_fault(why: str, place: str) -> NoReturn:
    """A fault of the reader's own: logged for whoever runs the portal, and told as what it is."""
    log.error("upload.reader_fault", why=why, place=place)
    raise FileRefused("our-fault", OUR_FAULT)


def _ended(child: int) -> int:
    """Whatever the child was doing, it is over: its status."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]
