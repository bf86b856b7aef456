"""Two requests at the same moment, each on a connection of its own, against a committed database."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Barrier
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from config.settings import Settings
from portal.app import create_app
from portal.db import connection as database
from tests.support import forked_db, servers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask import Flask

    from tests.support.browser import Page


def with_app(name: str, data: Path, work: Callable[[Flask], object]) -> int:
    """Do `work` with the whole application on this database, in a forked process. Returns its exit code."""
    settings = Settings.from_environment(
        {
            "DATABASE_URL": os.environ[servers.APP].format(name),
            "DATABASE_OWNER_URL": os.environ[servers.OWNER].format(name),
            "REDIS_URL": os.environ[servers.REDIS],
            "PORTAL_DEMO": "1",
            "PORTAL_SECRET_KEY": "only-for-tests-0123456789-abcdefghij",
            "PORTAL_DATA_DIR": str(data),
        }
    )

    def run() -> None:
        app = create_app(settings)
        app.testing = True
        work(app)

    return forked_db.run_forked(name, run)


def send_together(table: str, *sends: Callable[[], Page], locked: bool = False) -> list[Page]:
    """Send requests that have all passed their own checks before one inserts its row.

    Where a lock lets only one go on at a time, they cannot wait for each other: `locked` makes each pause at its insert,
    long enough for another to pass its checks if the lock did not hold it.
    """
    at_the_insert = Barrier(len(sends), timeout=20)

    def wait(_connection: object, _cursor: object, statement: str, *_: Any) -> None:
        if statement.startswith(f"INSERT INTO {table} "):
            time.sleep(0.7) if locked else at_the_insert.wait()

    event.listen(database.engine(), "before_cursor_execute", wait)
    try:
        with ThreadPoolExecutor(len(sends)) as threads:
            # The clock's setting is a context variable, which a new thread does not have by itself.
            pages = [threads.submit(copy_context().run, send) for send in sends]
            return [page.result() for page in pages]
    finally:
        event.remove(database.engine(), "before_cursor_execute", wait)
