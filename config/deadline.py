"""The request deadline: a request that runs too long is given up, so that one stuck page never holds a thread for good."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import threading
import time
from dataclasses import dataclass, field

_raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
log = logging.getLogger(__name__)


class RequestTooLongError(Exception):
    """Raised inside a request that has passed its deadline: rolled back and answered as a problem of ours."""


@dataclass(slots=True)
class _Request:
    began: float
    told: bool = False


@dataclass(slots=True)
class Deadline:
    """Watches the requests of one web worker. A threaded gunicorn worker has no limit of its own for a single request.

    `seconds` after its beginning a request is interrupted. Where that does not help within `grace` seconds more,
    because it is stuck outside Python, the worker is asked to stop and another takes its place.
    """

    seconds: float
    grace: float = 5.0
    every: float = 0.25
    _running: dict[int, _Request] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def began(self) -> None:
        """Note that this thread has begun a request."""
        with self._lock:
            self._running[threading.get_ident()] = _Request(time.monotonic())

    def ended(self) -> None:
        """Note that it has ended one; an interruption that came too late is taken back."""
        me = threading.get_ident()
        with self._lock:
            one = self._running.pop(me, None)
            if one is not None and one.told:
                _raise_in(ctypes.c_ulong(me), None)

    def watch(self) -> threading.Thread:
        """Start watching, in a thread that ends with the worker."""
        thread = threading.Thread(target=self._watch, name="deadline", daemon=True)
        thread.start()
        return thread

    def _watch(self) -> None:
        while True:
            time.sleep(self.every)
            if self.check():
                return

    def check(self) -> bool:
        """Interrupt what is over its time. True when the worker had to be asked to stop."""
        now = time.monotonic()
        with self._lock:
            for thread, one in self._running.items():
                over = now - one.began - self.seconds
                if over > self.grace and one.told:
                    log.error("request.stuck: the worker stops and another takes its place")
                    os.kill(os.getpid(), signal.SIGTERM)
                    return True
                if over > 0 and not one.told:
                    one.told = True
                    log.error("request.too_long: interrupted after %s s", self.seconds)
                    _raise_in(ctypes.c_ulong(thread), ctypes.py_object(RequestTooLongError))
        return False
