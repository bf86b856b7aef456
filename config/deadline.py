"""The request deadline: a request that runs too long is interrupted, and so frees its thread."""

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
    """Raised inside a request past its deadline, which is then rolled back and answered with status 500."""


@dataclass(slots=True)
class _RunningRequest:
    began: float
    interrupted: bool = False


@dataclass(slots=True)
class Deadline:
    """Watches the requests of one web worker, because gunicorn's threaded worker has no limit for a single request.

    A request is interrupted `seconds` after it began. If it still runs `grace` seconds later, because it is stuck outside
    Python, the worker is told to stop and another takes its place.
    """

    seconds: float
    grace: float = 5.0
    interval: float = 0.25
    _running: dict[int, _RunningRequest] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def began(self) -> None:
        """Note that this thread has begun a request."""
        with self._lock:
            self._running[threading.get_ident()] = _RunningRequest(time.monotonic())

    def ended(self) -> None:
        """Note that this thread's request has ended, and cancel an interruption that came too late.

        An exception set for the thread would otherwise be raised in the next request it serves.
        """
        thread_id = threading.get_ident()
        with self._lock:
            request = self._running.pop(thread_id, None)
            if request is not None and request.interrupted:
                _raise_in(ctypes.c_ulong(thread_id), None)

    def watch(self) -> threading.Thread:
        """Start watching, in a thread that ends with the worker."""
        thread = threading.Thread(target=self._watch, name="deadline", daemon=True)
        thread.start()
        return thread

    def _watch(self) -> None:
        while True:
            time.sleep(self.interval)
            if self.check():
                return

    def check(self) -> bool:
        """Interrupt the requests over their time. True when the worker had to be told to stop."""
        now = time.monotonic()
        with self._lock:
            for thread_id, request in self._running.items():
                over = now - request.began - self.seconds
                if over > self.grace and request.interrupted:
                    log.error("request.stuck: the worker stops and another takes its place")
                    os.kill(os.getpid(), signal.SIGTERM)
                    return True
                if over > 0 and not request.interrupted:
                    request.interrupted = True
                    log.error("request.too_long: interrupted after %s s", self.seconds)
                    _raise_in(ctypes.c_ulong(thread_id), ctypes.py_object(RequestTooLongError))
        return False
