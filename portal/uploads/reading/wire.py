"""The wire between the portal and the child that reads: small frames, and a reading's arrays as they lie in memory."""

from __future__ import annotations

import io
import json
import os
import pickle
import select
import struct
import time
from dataclasses import fields
from typing import Any

import numpy as np

from portal.uploads.reading.limits import FileRefused
from portal.uploads.reading.results import PupilKey, Reading

_FRAME = struct.Struct("<cQ")
PROGRESS, REFUSED, READING, BUFFER = b"P", b"F", b"R", b"B"
_CONSTANT = ("column", "sheet")
_NAMES = tuple(one.name for one in fields(Reading))
_PUPIL = tuple(one.name for one in fields(PupilKey))
_GRAIN = 1 << 20


class ChildStoppedError(RuntimeError):
    """The child ended, or was ended, before it had answered."""


def send(to: int, tag: bytes, body: bytes | memoryview) -> None:
    """Write one frame."""
    _write(to, _FRAME.pack(tag, len(body)))
    _write(to, body)


def _write(to: int, body: bytes | memoryview) -> None:
    left = memoryview(body)
    while left:
        left = left[os.write(to, left[:_GRAIN]) :]


def send_refusal(to: int, refusal: FileRefused) -> None:
    """Send why a file was refused."""
    send(to, REFUSED, json.dumps([refusal.kind, refusal.message]).encode())


def send_reading(to: int, reading: Reading) -> None:
    """Send a reading: its arrays raw, one that is the same all through as one number, the rest pickled (the child is ours)."""
    said: dict[str, Any] = {name: getattr(reading, name) for name in _NAMES}
    said["pupils"] = [tuple(getattr(pupil, name) for name in _PUPIL) for pupil in reading.pupils]
    for name in _CONSTANT:
        array = said[name]
        if array.size and (array == array[0]).all():
            said[name] = (int(array[0]), int(array.size))
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(said, protocol=5, buffer_callback=buffers.append)
    for one in buffers:
        send(to, BUFFER, one.raw().cast("B"))
    send(to, READING, body)


def _reading(body: bytearray, buffers: list[bytearray]) -> Reading:
    # Only our own child, made from this very code, writes to this pipe.
    said = pickle.Unpickler(io.BytesIO(body), buffers=buffers).load()  # noqa: S301  see above
    said["pupils"] = tuple(PupilKey(*pupil) for pupil in said["pupils"])
    for name in _CONSTANT:
        if isinstance(said[name], tuple):
            said[name] = np.full(said[name][1], said[name][0], dtype=np.int16)
    return Reading(**said)


class Receiver:
    """The portal's end: frames until the reading or the refusal, within a time."""

    def __init__(self, source: int, seconds: float) -> None:
        self.source = source
        self.until = time.monotonic() + seconds
        self.buffers: list[bytearray] = []

    def answer(self, progress: Any) -> Reading:
        """Wait for the reading.

        Raises:
            FileRefused: as the child said, or too-slow.
            ChildStoppedError: when the child ended without a word.
        """
        while True:
            tag, size = _FRAME.unpack(self._exactly(_FRAME.size))
            body = self._exactly(size)
            if tag == PROGRESS:
                if progress is not None:
                    progress(int.from_bytes(body, "little"))
            elif tag == REFUSED:
                raise FileRefused(*json.loads(bytes(body)))
            elif tag == BUFFER:
                self.buffers.append(body)
            else:
                return _reading(body, self.buffers)

    def _exactly(self, size: int) -> bytearray:
        body = bytearray(size)
        left = memoryview(body)
        while left:
            ready, _, _ = select.select([self.source], [], [], max(self.until - time.monotonic(), 0))
            if not ready:
                raise too_slow()
            count = os.readv(self.source, [left[:_GRAIN]])
            if not count:
                raise ChildStoppedError
            left = left[count:]
        return body


def too_slow() -> FileRefused:
    """The refusal of a file that takes too long."""
    return FileRefused("too-slow", "The file takes too long to read. Send one term, or one year group, at a time.")
