"""Reads a file in a child process that has limits, and no network, files or secrets.

A file made to exhaust, crash or take over the reader reaches only the child. The worker goes on, and the file is rejected.
The child is forked from a process of its own (`isolated_reader`), and its answer is checked before it is believed.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

import structlog

from portal.tabular.limits import Limits
from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading import answers
from portal.uploads.domain.reading.headings import NO_MAPPINGS
from portal.uploads.domain.reading.isolated_reader import (
    ARRAY,
    CHUNK,
    FAULT,
    FILTERED,
    HEADER,
    PROGRESS,
    READER,
    REJECTION,
    REQUEST,
    STATUS,
    TEXT,
    TOO_MUCH,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.uploads.domain.reading.headings import ColumnMappings
    from portal.uploads.domain.reading.result import Reading

IN_PARTS = "Send it in smaller parts, or save it again as CSV."
TOO_LONG = f"The file took too long to read. {IN_PARTS}"
STOPPED = f"The file took too long or too much memory to read. {IN_PARTS}"
OUR_FAULT = (
    "The portal could not read this file. Nothing is wrong with what you did. Save the file again as CSV and send that, or ask your"
    " authority for help and give the time it was received."
)
REPOSITORY = Path(__file__).resolve().parents[4]
#: Without the variables of Python, and without writing compiled files: the process has no environment and changes nothing.
READER_COMMAND = (sys.executable, "-E", "-s", "-B", "-X", "utf8", "-m", "portal.uploads.domain.reading.isolated_reader")
#: Seconds that the process may take to import what it needs, and to say how a killed child ended.
START_TIMEOUT, END_TIMEOUT = 60.0, 10.0
LONGEST_WORDS, MOST_PROGRESS = 2_000, 100_000
_KIND, _ORIGIN = re.compile(r"[a-z-]{1,40}"), re.compile(r"[\w.:, <>-]{1,300}")

log = structlog.get_logger("portal.uploads")


class UnfilteredError(RuntimeError):
    """The reader's system calls cannot be filtered, so files must not be read here."""


class _LostError(Exception):
    """The reading process ended."""


class ReaderProcess:
    """The process that forks the children. Forks of its starter use it too."""

    def __init__(self, reader: str = READER, *, must_filter: bool = False) -> None:
        """Start it, and wait until it has imported what it needs.

        Raises:
            UnfilteredError: when the children must be filtered and cannot be.
        """
        self.owner = os.getpid()
        self._control, childs_control = socket.socketpair()
        with childs_control:
            self._process = subprocess.Popen(
                (*READER_COMMAND, str(childs_control.fileno()), reader),
                env={},
                cwd=REPOSITORY,
                pass_fds=(childs_control.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self.pid = self._process.pid
        self.unfiltered_because = self._first_line()
        if self.unfiltered_because and must_filter:
            self.stop()
            message = (
                f"Run this on Linux (x86-64 or 64-bit ARM) with seccomp: files are not read without it, and"
                f" {self.unfiltered_because}."
            )
            raise UnfilteredError(message)

    def _first_line(self) -> str:
        """Why the children cannot be filtered, as the process says once it is ready; empty when they are."""
        self._control.settimeout(START_TIMEOUT)
        line = b""
        while not line.endswith(b"\n"):
            received = self._control.recv(256)
            if not received:
                message = "The process that reads files did not start."
                raise RuntimeError(message)
            line += received
        self._control.settimeout(None)
        return "" if line[:1] == FILTERED else line[1:-1].decode(errors="replace")

    def is_alive(self) -> bool:
        """Does it still serve? Asked of its socket, because only its starter can ask for its exit status."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        return not poll.poll(0)

    def stop(self) -> None:
        """Let it end, and wait for it. In a fork of its starter, only let go of it."""
        self._control.close()
        if os.getpid() != self.owner:
            return
        try:
            self._process.wait(END_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """End it at once. For tests of what happens then."""
        self._process.kill()
        self._process.wait()

    def begin(self, request_file: int) -> tuple[int, socket.socket]:
        """Have a child forked to read the file of this descriptor.

        Returns the pipe of its answer, and the socket on which the process says how it ended.

        Raises:
            _LostError: when the process has ended.
        """
        answer, childs_answer = os.pipe()
        with contextlib.suppress(OSError, AttributeError):
            # A larger pipe means fewer switches between the processes. Where it is not allowed, the default works too.
            fcntl.fcntl(childs_answer, fcntl.F_SETPIPE_SZ, CHUNK)
        status, childs_status = socket.socketpair()
        try:
            socket.send_fds(self._control, [b"r"], [request_file, childs_answer, childs_status.fileno()])
        except OSError as error:
            os.close(answer)
            status.close()
            raise _LostError from error
        finally:
            os.close(childs_answer)
            childs_status.close()
        return answer, status


_running: ReaderProcess | None = None
_must_filter = False


def start(*, must_filter: bool) -> None:
    """Start the reading process of this process and its forks, or start it again if it has ended.

    Raises:
        UnfilteredError: when the children must be filtered and cannot be.
    """
    global _must_filter  # noqa: PLW0603  one reading process a process is the point
    _must_filter = must_filter
    current()


def current() -> ReaderProcess:
    """The reading process of this process, started if it is not running."""
    global _running  # noqa: PLW0603  as above
    if _running is not None and _running.is_alive():
        return _running
    if _running is not None:
        _running.stop()
    _running = ReaderProcess(must_filter=_must_filter)
    if _running.unfiltered_because:
        log.warning("upload.reader_unfiltered", why=_running.unfiltered_because)
    return _running


@atexit.register
def _stop_at_exit() -> None:
    if _running is not None:
        _running.stop()


def read_in_child(
    content: bytes,
    mappings: ColumnMappings = NO_MAPPINGS,
    *,
    limits: Limits | None = None,
    progress: Callable[[int], None] | None = None,
    meanwhile: Callable[[], object] | None = None,
    process: ReaderProcess | None = None,
) -> Reading:
    """Call `read` in a child that is held to `limits` and can open nothing.

    `meanwhile` is called in the parent while the child reads.

    Raises:
        FileRejected: as `read` does, when a limit stops the child, and when the reader has a fault of its own (which is logged).
    """
    limits = limits or Limits()
    request = json.dumps({"mappings": asdict(mappings), "limits": asdict(limits)}).encode()
    for _ in range(2):
        with contextlib.suppress(_LostError):
            return _read_once(process or current(), request, content, limits, progress or (lambda _rows: None), meanwhile)
        # Reading has no effect but its answer. What is done meanwhile is not done again.
        meanwhile = None
    raise FileRejected("too-much", STOPPED)


def _read_once(
    process: ReaderProcess,
    request: bytes,
    content: bytes,
    limits: Limits,
    show: Callable[[int], None],
    meanwhile: Callable[[], object] | None,
) -> Reading:
    deadline = time.monotonic() + limits.seconds
    with _written(REQUEST.pack(len(request), len(content)), request, content) as request_file:
        answer, status = process.begin(request_file.fileno())
    reading = None
    with status:
        try:
            if meanwhile:
                meanwhile()
            reading = _receive(answer, show, deadline)
        except EOFError:
            pass  # The child ended without an answer: its exit status says why.
        except answers.MalformedAnswerError as error:
            _reject_for_fault("malformed", str(error))
        finally:
            os.close(answer)
            code = _end(status)
    return reading or _reject_for_exit(code)


def _written(*parts: bytes) -> IO[bytes]:
    """An open file of these bytes, in memory and without a name. The child maps it: nothing is sent through a socket."""
    if hasattr(os, "memfd_create"):
        file: IO[bytes] = os.fdopen(os.memfd_create("upload"), "w+b")
    else:
        file = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
    file.writelines(parts)
    file.flush()
    return file


def _end(status: socket.socket) -> int:
    """Have the child killed if it still runs, and return its exit code.

    Raises:
        _LostError: when the process that forked it is gone.
    """
    with contextlib.suppress(OSError):
        status.shutdown(socket.SHUT_WR)
    status.settimeout(END_TIMEOUT)
    received = b""
    with contextlib.suppress(OSError):
        while len(received) < STATUS.size and (part := status.recv(STATUS.size)):
            received += part
    if len(received) < STATUS.size:
        raise _LostError
    return os.waitstatus_to_exitcode(STATUS.unpack(received)[0])


def _receive(data: int, show: Callable[[int], None], deadline: float) -> Reading:
    """The reading the child sends. Shows its progress meanwhile, and raises its rejection."""
    for _ in range(MOST_PROGRESS):
        kind, length = HEADER.unpack(_read_exactly(data, HEADER.size, deadline))
        largest = answers.LARGEST_TEXT if kind == TEXT else LONGEST_WORDS
        if length > largest:
            raise answers.MalformedAnswerError("too large")
        body = _read_exactly(data, length, deadline)
        if kind == PROGRESS:
            show(_rows(body))
        elif kind == REJECTION:
            raise _rejection(body)
        elif kind == FAULT:
            _reject_for_fault(*_words(body))
        elif kind == TEXT:
            values = answers.text_of(body)
            return answers.unpacked(values, [_array(data, size, deadline) for size in answers.array_sizes(values)])
        else:
            raise answers.MalformedAnswerError("a frame of no kind")
    raise answers.MalformedAnswerError("too many frames")


def _array(data: int, size: int, deadline: float) -> bytearray:
    if _read_exactly(data, HEADER.size, deadline) != HEADER.pack(ARRAY, size):
        raise answers.MalformedAnswerError("an array of another length")
    return _read_exactly(data, size, deadline)


def _rows(body: bytearray) -> int:
    if not 1 <= len(body) <= 9 or not body.isdigit():
        raise answers.MalformedAnswerError("no number of rows")
    return int(body)


def _rejection(body: bytearray) -> FileRejected:
    """The rejection that the child sent: kind and sentence, and the row and column it is about."""
    kind, sentence, row, column = _values(body, 4)
    texts = [kind, sentence] + ([] if column is None else [column])
    if not all(type(text) is str and text.isprintable() for text in texts) or not _KIND.fullmatch(kind):
        raise answers.MalformedAnswerError("no words")
    if row is not None and (type(row) is not int or not 0 <= row <= answers.LARGEST_NUMBER):
        raise answers.MalformedAnswerError("no row")
    return FileRejected(kind, sentence, row, column)


def _words(body: bytearray) -> tuple[str, str]:
    """The two texts of a fault: its kind and its origin."""
    kind, origin = _values(body, 2)
    if type(kind) is not str or type(origin) is not str:
        raise answers.MalformedAnswerError("no words")
    return kind, origin


def _values(body: bytearray, count: int) -> list[Any]:
    try:
        values = json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise answers.MalformedAnswerError("not JSON") from error
    if not isinstance(values, list) or len(values) != count:
        raise answers.MalformedAnswerError("other values")
    return values


def _read_exactly(data: int, length: int, deadline: float) -> bytearray:
    """Read `length` bytes from the child.

    Raises:
        FileRejected: when they do not arrive before the deadline.
        EOFError: when the child has ended.
    """
    body, received = bytearray(length), 0
    view = memoryview(body)
    while received < length:
        # The limit of processor time does not stop a child that sleeps or waits: the deadline does.
        ready, _, _ = select.select([data], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise FileRejected("too-much", TOO_LONG)
        count = os.readv(data, [view[received : received + CHUNK]])
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
    # SIGSYS: it asked the kernel for something that no reader needs. Somebody sent a file to take it over.
    _reject_for_fault("forbidden call" if code == -signal.SIGSYS else "ended", str(code))


def _reject_for_fault(kind: str, origin: str) -> NoReturn:
    """Log a fault of the reader itself, and reject the file without blaming it."""
    # The child's words may quote a cell, or be made up: only what a type and a line look like is logged.
    log.error("upload.reader_fault", why=kind if _ORIGIN.fullmatch(kind) else "", place=origin if _ORIGIN.fullmatch(origin) else "")
    raise FileRejected("our-fault", OUR_FAULT)
