"""Counts SQL statements, so that a test can show that they do not grow with the rows."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from portal.db import connection as database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Connection

#: Statements that open and close transactions, which are not counted.
TRANSACTION_STATEMENT = re.compile(r"\s*(?:SET LOCAL|SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT)\b", re.IGNORECASE)


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements sent to the database while the block runs, in order."""
    sent: list[str] = []

    def record(_connection: Connection, _cursor: Any, statement: str, *_args: Any) -> None:
        if not TRANSACTION_STATEMENT.match(statement):
            sent.append(statement)

    event.listen(database.engine(), "before_cursor_execute", record)
    try:
        yield sent
    finally:
        event.remove(database.engine(), "before_cursor_execute", record)


def extra_statements(ask: Callable[[], object], add_rows: Callable[[], object]) -> list[str]:
    """The statements `ask` sends beyond its earlier number once rows were added. Empty where it does not grow."""
    # A statement sent only by the first call, to fill a cache, must count on neither side.
    ask()
    with statements() as before:
        ask()
    add_rows()
    with statements() as after:
        ask()
    return after[len(before) :]
