"""A reader that a file has taken over: it does what the file says. It stands in the reader's place in the tests."""

from __future__ import annotations

import ctypes
import errno
import gc
import json
import os
import pickle
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading import answers
from portal.uploads.domain.reading.isolated_reader import ANSWER, ARRAY, FAULT, HEADER, PROGRESS, REJECTION, TEXT, send
from portal.uploads.domain.reading.result import PupilKey, Reading

if TYPE_CHECKING:
    from collections.abc import Callable

LIBC = ctypes.CDLL(None, use_errno=True)
READING = Reading(
    "long", (PupilKey("A1"),), (), ("/",), pupil=np.zeros(3, np.int32), session=np.zeros(3, np.uint8), code=np.zeros(3, np.int16)
)


class Loot(Exception):  # noqa: N818  what an attack brings home
    """What the attack outcome; no Exception of the portal's."""


def read(content: bytes, *_: Any, **__: Any) -> Reading:
    """Do what the file says."""
    name, _, words = content.decode().partition(" ")
    try:
        outcome = ACTS[name](words)
    except OSError as error:
        outcome = f"refused {error.errno}"
    raise FileRejected("shown", str(outcome)[:1500])


def connect(kind: socket.AddressFamily, address: Any) -> str:
    with socket.socket(kind) as client:
        client.connect(address)
        return "connected"


def fork() -> str:
    child = os.fork()
    if child == 0:
        os._exit(0)
    return f"forked {child}"


def call(number: int, *arguments: int) -> str:
    """A system call by its number."""
    result = LIBC.syscall(ctypes.c_long(number), *(ctypes.c_long(argument) for argument in arguments))
    return "called" if result >= 0 else f"refused {ctypes.get_errno()}"


def x86_call(words: str) -> str:
    return call(*(int(word) for word in words.split()))


def everything(backwards: str) -> str:
    """Whether a secret is in the environment or in any object there is."""
    secret = backwards[::-1]
    texts = [str(dict(os.environ)), str(sys.argv)]
    # Frozen objects are not among those the collector names.
    gc.unfreeze()
    for container in gc.get_objects():
        if isinstance(container, dict | list | tuple | set | frozenset):
            values = list(container.values() if isinstance(container, dict) else container)
            texts += [value for value in values if type(value) is str]
            texts += [value.decode("latin-1") for value in values if type(value) in {bytes, bytearray}]
    return f"found {sum(secret in text for text in texts)} of {len(texts) > 1000}"


def descriptors(_: str) -> str:
    open_ones = []
    for number in range(256):
        try:
            os.lseek(number, 0, os.SEEK_CUR)
        except OSError as error:
            # A pipe has no place to be at, but is open.
            if error.errno == errno.EBADF:
                continue
        open_ones.append(number)
    return str(open_ones)


def raw(*frames: bytes) -> NoReturn:
    for frame in frames:
        os.write(ANSWER, frame)
    os._exit(0)


def frame(kind: bytes, body: bytes) -> bytes:
    return HEADER.pack(kind, len(body)) + body


def changed(**parts: Any) -> NoReturn:
    """An answer that is right but for these values."""
    text, arrays = answers.packed(READING)
    values = json.loads(text) | {"dates": [{"date": "2026-09-07"}]} | parts
    raw(frame(TEXT, json.dumps(values).encode()), *(frame(ARRAY, bytes(array)) for array in arrays))


def other_array(index: int, replaced: bytes) -> NoReturn:
    text, arrays = answers.packed(READING)
    values = json.loads(text) | {"dates": [{"date": "2026-09-07"}]}
    bodies = [bytes(array) for array in arrays]
    bodies[index] = replaced
    raw(frame(TEXT, json.dumps(values).encode()), *(frame(ARRAY, body) for body in bodies))


def declared(index: int, *entry: Any) -> NoReturn:
    text, _ = answers.packed(READING)
    arrays = json.loads(text)["arrays"]
    arrays[index] = list(entry)
    changed(arrays=arrays)


def without_end(_: str) -> NoReturn:
    while True:
        send(ANSWER, PROGRESS, b"1")


def silently(_: str) -> NoReturn:
    while True:
        LIBC.usleep(100_000)


class Bomb:
    """Unpickles by running a command."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def memory(pid: int) -> str:
    with Path(f"/proc/{pid}/mem").open("rb") as file:
        return str(len(file.read(0)))


def fault(_: str) -> NoReturn:
    message = "A999999922001 Zyxwv"
    raise ZeroDivisionError(message)


def leave(_: str) -> NoReturn:
    raise SystemExit


def loop(_: str) -> NoReturn:
    while True:
        pass


MEGABYTE = b" " * (1 << 20)
ACTS: dict[str, Callable[[str], Any]] = {
    "tcp": lambda words: connect(socket.AF_INET, ("127.0.0.1", int(words))),
    "udp": lambda _: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "unix": lambda words: connect(socket.AF_UNIX, words),
    "pair": lambda _: socket.socketpair(),
    "fork": lambda _: fork(),
    "exec": lambda words: os.execv("/bin/sh", ["sh", "-c", f"touch {words}"]),  # noqa: S606  so starts an attacker one
    "spawn": lambda words: os.system(f"touch {words}"),  # noqa: S605  so starts an attacker one
    "kill": lambda words: os.kill(int(words), 0),
    "kill-group": lambda _: os.killpg(0, 0),
    "ptrace": lambda words: LIBC.ptrace(16, int(words), 0, 0),
    "prctl": lambda _: LIBC.prctl(4, 1, 0, 0, 0),
    "call": x86_call,
    "open": lambda words: Path(words).read_text(encoding="utf-8"),
    "write": lambda words: Path(words).touch(),
    "append": lambda words: os.open(words, os.O_WRONLY),
    "stat": lambda words: Path(words).stat(),
    "list": os.listdir,
    "remove": os.remove,
    "memory": lambda words: memory(int(words)),
    "memfd": lambda _: os.memfd_create("x"),
    "everything": everything,
    "descriptors": descriptors,
    "executable": lambda _: __import__("mmap").mmap(-1, 4096, prot=7),
    "loop": loop,
    "fault": fault,
    "leave": leave,
    "abort": lambda _: os.abort(),
    "memory-error": lambda _: bytes(10**11),
    "signal": lambda words: signal.raise_signal(int(words)),
    "silently": silently,
    "two-gigabytes": lambda _: raw(HEADER.pack(TEXT, 2 << 30), *[MEGABYTE] * 2048),
    "two-gigabytes-of-words": lambda _: raw(HEADER.pack(REJECTION, 2 << 30), *[MEGABYTE] * 2048),
    "without-end": without_end,
    "negative": lambda _: raw(struct.pack("!cq", TEXT, -1)),
    "short": lambda _: raw(HEADER.pack(TEXT, 100), b"{}"),
    "nothing": lambda _: raw(),
    "half-a-header": lambda _: raw(b"R\0\0"),
    "no-kind": lambda _: raw(frame(b"Z", b"1")),
    "array-first": lambda _: raw(frame(ARRAY, b"1234")),
    "progress-of-words": lambda _: raw(frame(PROGRESS, b"-1e9")),
    "progress-of-digits": lambda _: raw(frame(PROGRESS, "٣".encode())),
    "not-json": lambda _: raw(frame(TEXT, b"{]")),
    "not-text": lambda _: raw(frame(TEXT, b'"\xff"')),
    "not-an-object": lambda _: raw(frame(TEXT, b"[1]")),
    "nested": lambda _: raw(frame(TEXT, b"[" * 1_000_000)),
    "nested-objects": lambda _: raw(frame(TEXT, b'{"a":' * 500_000)),
    "many-values": lambda _: raw(HEADER.pack(TEXT, 32 << 20), *[b"[],[]," * 174_762 + b"    "] * 32),
    "constant": lambda _: changed(missing=float("nan")),
    "large-number": lambda _: changed(missing=10**30),
    "negative-number": lambda _: changed(missing=-1),
    "yes-for-a-number": lambda _: changed(missing=True),
    "nested-total": lambda _: changed(totals=[{"a": [[[[[[[[[[[[1]]]]]]]]]]]]}]),
    "missing-part": lambda _: raw(frame(TEXT, b'{"arrays":[]}')),
    "day-there-is-not": lambda _: changed(dates=[{"date": "2026-02-31"}]),
    "pupil-of-numbers": lambda _: changed(pupils=[[1] * 9]),
    "pupil-points-nowhere": lambda _: other_array(0, struct.pack("=iii", 0, 1, 0)),
    "pupil-points-back": lambda _: other_array(0, struct.pack("=iii", 0, -1, 0)),
    "session-of-three": lambda _: other_array(2, b"\0\2\0"),
    "long-array": lambda _: other_array(0, b"\0" * 16),
    "other-type": lambda _: declared(0, "pupil", "|O", 3),
    "type-of-fields": lambda _: declared(0, "pupil", [["a", "<i4"]], 3),
    "other-name": lambda _: declared(0, "__class__", "<i4", 3),
    "negative-length": lambda _: declared(0, "pupil", "<i4", -3),
    "length-past-all": lambda _: declared(0, "pupil", "<i4", 1 << 40),
    "other-lengths": lambda _: declared(0, "pupil", "<i4", 2),
    "pickle": lambda words: raw(frame(TEXT, pickle.dumps(Bomb(words)))),
    "pickled-rejection": lambda words: raw(frame(REJECTION, pickle.dumps(Bomb(words)))),
    "pickled-fault": lambda words: raw(frame(FAULT, pickle.dumps(Bomb(words)))),
    "words-of-markup": lambda _: raw(frame(REJECTION, json.dumps(["<b>", "x", None, None]).encode())),
    "words-of-control": lambda _: raw(frame(REJECTION, json.dumps(["x", "\x1b[31m\n", None, None]).encode())),
    "column-of-control": lambda _: raw(frame(REJECTION, json.dumps(["x", "x", 1, "\x1b[31m"]).encode())),
    "row-of-words": lambda _: raw(frame(REJECTION, json.dumps(["x", "x", "1", None]).encode())),
    "row-of-truth": lambda _: raw(frame(REJECTION, json.dumps(["x", "x", True, None]).encode())),
    "rejection-of-two": lambda _: raw(frame(REJECTION, json.dumps(["x", "x"]).encode())),
}
