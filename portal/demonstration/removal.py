"""Taking a demonstration away: every row of its authorities, as the database's owner, in one transaction."""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from psycopg import Cursor
    from psycopg.rows import TupleRow

_TABLES = """
SELECT c.oid::regclass::text, c.relrowsecurity FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attname = 'authority_id' AND NOT a.attisdropped
"""
_POINTS = """
SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conrelid <> confrelid
"""
#: People of the demonstration who belong nowhere any more, and what hangs on them.
_LONELY = "SELECT p.id FROM person p WHERE p.demonstration AND NOT EXISTS (SELECT 1 FROM membership m WHERE m.person_id = p.id)"


def remove(owner_url: str) -> int:
    """Remove every authority that is marked as a demonstration, and its people; answers how many authorities went.

    The portal's own role may not remove what was recorded (registers, audit), and row security binds the owner too:
    so the owner lifts it for the length of this one transaction. Nothing that is not a demonstration is touched.

    Raises:
        ValueError: without the owner's URL.
    """
    if not owner_url:
        message = "Give the database owner's address (DATABASE_OWNER_URL) to remove the demonstration."
        raise ValueError(message)
    with psycopg.connect(owner_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM authority WHERE demonstration")
        going = [row[0] for row in cursor.fetchall()]
        if going:
            _remove(cursor, going)
        return len(going)


def _remove(cursor: Cursor[TupleRow], going: list[object]) -> None:
    cursor.execute(_TABLES)
    tables: dict[str, bool] = dict(cursor.fetchall())
    ordered = _leaves_first(cursor, tables)
    for table in ordered:
        _lift(cursor, table, secured=tables[table], on=False)
        cursor.execute(sql.SQL("DELETE FROM {} WHERE authority_id = ANY(%s)").format(sql.Identifier(table)), (going,))
        _lift(cursor, table, secured=tables[table], on=True)
    cursor.execute("DELETE FROM authority WHERE id = ANY(%s)", (going,))
    cursor.execute(_LONELY)
    people = [row[0] for row in cursor.fetchall()]
    for statement in (
        "DELETE FROM sign_in WHERE person_id = ANY(%s)",
        "DELETE FROM recovery_code WHERE person_id = ANY(%s)",
        "DELETE FROM person WHERE id = ANY(%s)",
    ):
        cursor.execute(statement, (people,))


def _lift(cursor: Cursor[TupleRow], table: str, *, secured: bool, on: bool) -> None:
    if secured:
        word = sql.SQL("ENABLE" if on else "DISABLE")
        cursor.execute(sql.SQL("ALTER TABLE {} {} ROW LEVEL SECURITY").format(sql.Identifier(table), word))


def _leaves_first(cursor: Cursor[TupleRow], tables: dict[str, bool]) -> list[str]:
    """The tables in an order in which none is emptied before those that point at it."""
    cursor.execute(_POINTS)
    pointed_at: dict[str, set[str]] = {table: set() for table in tables}
    for table, target in cursor.fetchall():
        if table in tables and target in tables:
            pointed_at[target].add(table)
    return list(TopologicalSorter(pointed_at).static_order())
