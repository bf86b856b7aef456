"""The web worker: gunicorn's threaded one, which is replaced when a request is stuck."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from config.settings import Settings

log = logging.getLogger(__name__)


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn carries no types
    """A threaded worker whose heart stops while a request runs longer than PORTAL_REQUEST_DEADLINE.

    gunicorn's own worker beats as long as its main thread lives, and tells nothing of its requests. PostgreSQL ends a long query
    by itself; what is left is a loop or a lock, and no thread can be stopped from outside without leaving the locks it
    holds taken. So the worker takes no new request, lets its other requests finish, and is killed by gunicorn's timeout.
    """

    alive: bool

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Read the deadline."""
        super().__init__(*arguments, **options)
        self._deadline = Settings.from_environment(os.environ).request_deadline
        #: When the running request of each thread began.
        self._began: dict[int, float] = {}

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer one request, in a thread of the pool."""
        self._began[threading.get_ident()] = time.monotonic()
        try:
            return super().handle_request(req, conn)
        finally:
            del self._began[threading.get_ident()]

    def notify(self) -> None:
        """Tell gunicorn that this worker is well, unless a request is stuck. The main thread calls it every second."""
        if not self._is_stuck():
            super().notify()
        elif self.alive:
            log.error("request.stuck: the worker takes no more requests and another takes its place")
            self.alive = False

    def _is_stuck(self) -> bool:
        # A copy: the threads change the dictionary meanwhile.
        return any(time.monotonic() - began > self._deadline for began in tuple(self._began.values()))
