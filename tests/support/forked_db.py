"""A separate, committed database for tests of forked processes.

It is copied from the template, and each process has an engine of its own.
"""

from __future__ import annotations

import os
import signal
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from sqlalchemy import event

from portal.db import connection as database
from portal.platform import clock
from tests.support import servers
from tests.support.world import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KILLED = -signal.SIGKILL


@contextmanager
def copied_database(name: str, template: str = servers.TEMPLATE) -> Iterator[str]:
    """Make a database as a copy of another, and drop it afterwards. Nobody may be connected to the template."""
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER portal_owner").format(sql.Identifier(name), sql.Identifier(template))
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(create)
    try:
        yield name
    finally:
        with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def fork(name: str, work: Callable[[], object], url: str = "") -> int:
    """Fork a process that does `work` on the database, with the clock at `NOW`. Returns its process id.

    `url` is the database's address where it is not one of the run's own server.
    """
    process = os.fork()
    if process == 0:
        code = 1
        try:
            database.connect(url or os.environ[servers.APP].format(name))
            with clock.frozen_at(NOW):
                work()
            code = 0
        except BaseException:  # noqa: BLE001  the forked process must end here, and print why first
            traceback.print_exc()
        finally:
            # sys.exit would run the fixtures' clean-up of the parent process a second time.
            os._exit(code)
    return process


def wait_for(process: int) -> int:
    """Wait for a process and return its exit code: 0 after success, `KILLED` after a kill."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def run_forked(name: str, work: Callable[[], object], url: str = "") -> int:
    """Do `work` in a process of its own and return its exit code."""
    return wait_for(fork(name, work, url))


def killed_before_statement(number: int, work: Callable[[], object]) -> Callable[[], None]:
    """`work`, killed by SIGKILL just before it sends statement `number`. A commit counts as a statement."""

    def run() -> None:
        count = 0

        def count_statement(*_: Any) -> None:
            nonlocal count
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(database.engine(), "before_cursor_execute", count_statement)
        event.listen(database.engine(), "commit", count_statement)
        work()

    return run


def rows(name: str, *queries: str) -> list[list[tuple[Any, ...]]]:
    """The committed rows of each query, as the superuser sees them."""
    address = os.environ[servers.SUPER].rsplit("/", 1)[0]
    with psycopg.connect(f"{address}/{name}") as connection:
        return [connection.execute(query.encode()).fetchall() for query in queries]
