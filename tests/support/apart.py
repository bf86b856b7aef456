"""A database apart: committed, copied from the template, and worked on by forked processes with engines of their own."""

from __future__ import annotations

import os
import signal
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from sqlalchemy import event

from portal import clock, db
from tests.support import servers
from tests.support.world import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KILLED = -signal.SIGKILL


@contextmanager
def database(name: str, template: str = servers.TEMPLATE) -> Iterator[str]:
    """Make a database as a copy of another; gone afterwards. Nobody may be connected to the template."""
    copied = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER portal_owner").format(sql.Identifier(name), sql.Identifier(template))
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(copied)
    try:
        yield name
    finally:
        with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def begun(name: str, work: Callable[[], object]) -> int:
    """Fork a process that does `work` on the database with the clock standing at `NOW`; its process id."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            db.connect(os.environ[servers.APP].format(name))
            with clock.at(NOW):
                work()
            code = 0
        except BaseException:  # noqa: BLE001  the process ends here, and says why first
            traceback.print_exc()
        finally:
            os._exit(code)
    return process


def ended(process: int) -> int:
    """Wait for a process: 0 when its work was done, `KILLED` when it was killed."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def done(name: str, work: Callable[[], object]) -> int:
    """Do `work` in a process of its own and wait."""
    return ended(begun(name, work))


def dying_at(place: int, work: Callable[[], object]) -> Callable[[], None]:
    """`work`, killed by the system just before its statement number `place` (the commit counts as one) goes out."""

    def run() -> None:
        count = 0

        def next_one(*_: Any) -> None:
            nonlocal count
            count += 1
            if count == place:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(db.engine(), "before_cursor_execute", next_one)
        event.listen(db.engine(), "commit", next_one)
        work()

    return run


def rows(name: str, *questions: str) -> list[list[tuple[Any, ...]]]:
    """What is committed, as the superuser sees it."""
    address = os.environ[servers.SUPER].rsplit("/", 1)[0]
    with psycopg.connect(f"{address}/{name}") as connection:
        return [connection.execute(question.encode()).fetchall() for question in questions]
