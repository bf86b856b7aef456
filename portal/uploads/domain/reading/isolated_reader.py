"""The process that reads strangers' files. It forks a limited child for each file.

It is started with `exec`, an empty environment and one socket. So there is nothing in its memory that a file which takes
over its reader could send on: no password, no key and no other file. It imports what a reader needs before the first file,
because a child can open no file and so import nothing.
"""

from __future__ import annotations

import codecs
import contextlib
import ctypes
import gc
import importlib
import json
import mmap
import os
import resource
import selectors
import signal
import socket
import struct
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from portal.tabular.limits import Limits
from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading import answers
from portal.uploads.domain.reading.headings import ColumnMappings
from portal.uploads.domain.reading.system_calls import CannotFilterError, die_with_parent, restrict

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.uploads.domain.reading.result import Reading

#: A frame of the answer: its kind and its length. The kinds, and what a request and an exit status are.
HEADER, REQUEST, STATUS = struct.Struct("!cQ"), struct.Struct("!QQ"), struct.Struct("!i")
PROGRESS, TEXT, ARRAY, REJECTION, FAULT = b"P", b"R", b"A", b"F", b"X"
#: The one open file of a child, but for the three standard ones, which lead nowhere.
ANSWER = 3
NOBODY = 65534
READER = "portal.uploads.domain.reading.reader:read"
#: The first byte from the process: whether its children are filtered. Words follow where they are not.
FILTERED, UNFILTERED = b"F", b"U"
#: Bytes written at a time, and frames of a fault that are logged.
CHUNK, LOGGED_FRAMES = 1 << 20, 3
TOO_MUCH = "The file took too much memory to read. Send it in smaller parts, or save it again as CSV."
M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_TOP_PAD = -3, -1, -2
#: Modules that the standard library imports only once they are needed.
LATE_MODULES = (
    "_strptime",
    "stringprep",
    "unicodedata",
    "zoneinfo",
    "numpy.ma",
    "numpy._core._dtype_ctypes",
    "numpy._core._methods",
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1", "ascii", "cp437", "idna")
#: Files that take each way through the readers once, so that what they import late is there.
REHEARSALS = (
    b"UPN,Surname,Forename,Date,Session,Code\nA999999922001,Zyxwv,Canary,2026-09-07,AM,/\n",
    b"UPN;Name;Date;AM;PM\nA999999922001;Zyxwv, Canary;07/09/2026;/;L (12)\n",
    b"Surname,Forename,DOB\nZyxwv,Canary,07/09/2015\n",
    "UPN,Date,Session,Code\nÄ,7 September 2026,AM,/\n".encode("utf-16"),
    "UPN,Date,Session,Code\nÄ,7 September 2026,AM,/\n".encode("cp1252"),
    b"<CTfile><Header/></CTfile>",
    b"<Message><Header/></Message>",
    b'{"data": [{"date": "2026-09-07"}]}',
    b"PK\x03\x04",
)


def main(control: socket.socket, reader: str) -> None:
    """Import the reader, say whether children can be filtered, and serve until nobody holds the other end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # Sent to the whole terminal or unit. The process ends with the last one that can send it a file.
        signal.signal(number, signal.SIG_IGN)
    read = _preloaded(reader)
    refusal = _try_filter()
    control.sendall(UNFILTERED + refusal.encode()[:200] + b"\n" if refusal else FILTERED + b"\n")
    # What goes wrong in a child is sent as its answer. Its errors, written by whatever took it over, go nowhere.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.close(nowhere)
    _keep_memory()
    gc.collect()
    # The collector would make copies of the pages of all that was imported, in each child.
    gc.freeze()
    _Server(control, read, is_filtered=not refusal).serve()


def _keep_memory() -> None:
    """Have large blocks taken from memory already held, where the C library can.

    Otherwise each array is mapped and unmapped, and the kernel clears its pages every time.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        for option, size in ((M_MMAP_THRESHOLD, 1 << 30), (M_TRIM_THRESHOLD, 1 << 30), (M_TOP_PAD, 1 << 24)):
            library.mallopt(option, size)


def _preloaded(reader: str) -> Callable[..., Reading]:
    """The function that reads, with all it imports. A dot-and-colon name, because tests put hostile ones here."""
    module, _, name = reader.partition(":")
    read: Callable[..., Reading] = getattr(importlib.import_module(module), name)
    for late in LATE_MODULES:
        with contextlib.suppress(ImportError):
            importlib.import_module(late)
    for encoding in ENCODINGS:
        codecs.lookup(encoding)
    if reader == READER:
        for content in REHEARSALS:
            with contextlib.suppress(FileRejected):
                answers.packed(read(content))
    return read


def _try_filter() -> str:
    """Set the filter in a child that does nothing else. Why it cannot be set; empty when it can."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            try:
                restrict()
            except CannotFilterError as error:
                os.write(writing, str(error).encode())
            else:
                os.write(writing, b"set")
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        words = answer.read().decode()
    os.waitpid(child, 0)
    return "" if words == "set" else words or "the trial ended without a word"


class _Server:
    """Forks a child for each file, and says how it ended to the one who request."""

    def __init__(self, control: socket.socket, read: Callable[..., Reading], *, is_filtered: bool) -> None:
        self.control, self.read, self.is_filtered = control, read, is_filtered
        self.asking: dict[int, socket.socket] = {}
        self.selector = selectors.DefaultSelector()
        # Reading the wake-up socket is how a single thread waits for a child and for a request at once.
        self.woken, self.waking = socket.socketpair()
        self.waking.settimeout(0)
        self.woken.settimeout(0)
        signal.set_wakeup_fd(self.waking.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        """Serve until nobody is left to ask."""
        self.selector.register(self.control, selectors.EVENT_READ, 0)
        self.selector.register(self.woken, selectors.EVENT_READ, 0)
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.control:
                    if not self._take_request():
                        return
                elif key.fileobj is self.woken:
                    with contextlib.suppress(BlockingIOError):
                        self.woken.recv(4096)
                    self._reap()
                elif key.data in self.asking:
                    # The one who request closed its end: it wants no more, or is dead. Its child may have ended in this very round,
                    # and its number be another's by now.
                    self.selector.unregister(key.fileobj)
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(key.data, signal.SIGKILL)

    def _take_request(self) -> bool:
        """Start a child for the next request. False when nobody is left to ask."""
        message, descriptors, _, _ = socket.recv_fds(self.control, 1, 3)
        if not message:
            return False
        request, answer, status = descriptors
        child = os.fork()
        if child == 0:
            _run_child(request, answer, self.read, is_filtered=self.is_filtered)
        os.close(request)
        os.close(answer)
        self.asking[child] = socket.socket(fileno=status)
        self.selector.register(self.asking[child], selectors.EVENT_READ, child)
        return True

    def _reap(self) -> None:
        """Say of each child that has ended how it ended."""
        while True:
            try:
                child, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not child:
                return
            asking = self.asking.pop(child, None)
            if asking is None:
                continue
            with contextlib.suppress(KeyError, ValueError):
                self.selector.unregister(asking)
            with contextlib.suppress(OSError):
                asking.sendall(STATUS.pack(status))
            asking.close()


def _run_child(request: int, answer: int, read: Callable[..., Reading], *, is_filtered: bool) -> NoReturn:
    """Read one file, send the answer and end the child process."""
    try:
        mappings, limits, content = _request(request)
        # The sockets of other files and of the process itself. With them a child could ask for more, or answer for another.
        os.dup2(answer, ANSWER)
        os.closerange(ANSWER + 1, os.sysconf("SC_OPEN_MAX"))
        _leave_root()
        die_with_parent()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        _set_limits(limits)
        if is_filtered:
            restrict()
        _answer(ANSWER, read, content, mappings, limits)
    except BaseException:  # noqa: BLE001, S110  there is nobody left to tell; the missing answer says it
        pass
    finally:
        # Without clean-up: exit handlers and buffers are the parent's, and would run twice.
        os._exit(0)


def _leave_root() -> None:
    """Go on as nobody, where root started the portal. A child that is taken over then owns no file."""
    if os.geteuid() == 0:
        # Root in a container may have no right to change.
        with contextlib.suppress(PermissionError):
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)


def _answer(data: int, read: Callable[..., Reading], content: bytes, mappings: ColumnMappings, limits: Limits) -> None:
    """Read the content and send what it is, or why it is not read."""
    try:
        reading = read(content, mappings, limits=limits, progress=lambda rows: send(data, PROGRESS, str(int(rows)).encode()))
        text, arrays = answers.packed(reading)
        if len(text) > answers.LARGEST_TEXT:
            raise FileRejected("too-much", TOO_MUCH)  # noqa: TRY301  sent as every rejection is
        send(data, TEXT, text)
        for array in arrays:
            send(data, ARRAY, array)
    except FileRejected as rejection:
        _send_rejection(data, rejection)
    except MemoryError:
        _send_rejection(data, FileRejected("too-much", TOO_MUCH))
    except BaseException as fault:  # noqa: BLE001  a panic of a Rust library is not an Exception
        send(data, FAULT, json.dumps([type(fault).__name__, _origin(fault)]).encode())


def _send_rejection(data: int, rejection: FileRejected) -> None:
    """Send why the file is not read: the one problem, with its place apart from its sentence."""
    [problem] = rejection.problems
    send(data, REJECTION, json.dumps([rejection.kind, problem.sentence, problem.row, problem.column]).encode())


def _set_limits(limits: Limits) -> None:
    """Limit memory and processor time, and forbid files, core dumps and further processes."""
    # The limit counts the whole address space, of which a forked child starts with all that its parent has.
    memory = _address_space() + limits.memory
    for kind, soft, hard in (
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_CPU, limits.seconds, limits.seconds + 1),
        # Files and core dumps could store pupils' details on disk.
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, 4, 4),
        (resource.RLIMIT_NPROC, 0, 0),
    ):
        resource.setrlimit(kind, (soft, hard))


def _request(request: int) -> tuple[ColumnMappings, Limits, bytes]:
    """What is asked, and the file's content, as the portal's own process wrote them."""
    with mmap.mmap(request, 0, access=mmap.ACCESS_READ) as written:
        text_length, content_length = REQUEST.unpack_from(written)
        start = REQUEST.size + text_length
        options = json.loads(written[REQUEST.size : start])
        content = written[start : start + content_length]
    return ColumnMappings(**options["mappings"]), Limits(**options["limits"]), content


def send(data: int, kind: bytes, body: bytes | memoryview) -> None:
    """Send one frame of the answer."""
    for view in (memoryview(HEADER.pack(kind, len(body))), memoryview(body)):
        sent = 0
        while sent < len(view):
            sent += os.write(data, view[sent : sent + CHUNK])


def _origin(fault: BaseException) -> str:
    """The files and lines of a fault, innermost first. Its message is left out, as it may quote a cell."""
    frames = list(traceback.walk_tb(fault.__traceback__))[-LOGGED_FRAMES:]
    return ", ".join(f"{frame.f_code.co_filename.rpartition('/')[2]}:{line}" for frame, line in reversed(frames))


def _address_space() -> int:
    """Bytes of address space this process has."""
    pages, *_ = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(pages) * resource.getpagesize()


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), sys.argv[2])
