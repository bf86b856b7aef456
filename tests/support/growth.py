"""Counting SQL: the statements something asks, so that a test can show they do not grow with the rows."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from portal import db

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Connection

#: What a unit of work says to open and close itself is not a question.
HOUSEKEEPING = re.compile(r"\s*(?:SET LOCAL|SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT)\b", re.IGNORECASE)


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements asked of the database while the block runs, in order."""
    asked: list[str] = []

    def note(_connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not HOUSEKEEPING.match(statement):
            asked.append(statement)

    event.listen(db.engine(), "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(db.engine(), "before_cursor_execute", note)


def grown(ask: Callable[[], object], add_rows: Callable[[], object]) -> list[str]:
    """The statements `ask` needs once there are more rows, over those it needed before; empty where it does not grow.

    Asked once beforehand, so that what is only ever read once is not counted against either side.
    """
    ask()
    with statements() as before:
        ask()
    add_rows()
    with statements() as after:
        ask()
    return after[len(before) :]
