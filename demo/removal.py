"""Removes a demonstration: every row of its authorities, as the database's owner, in one transaction."""

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
_FOREIGN_KEYS = """
SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conrelid <> confrelid
"""
#: People of the demonstration without a membership, once the memberships are deleted.
_PEOPLE_LEFT_OVER = (
    "SELECT p.id FROM person p WHERE p.demonstration AND NOT EXISTS (SELECT 1 FROM membership m WHERE m.person_id = p.id)"
)


def remove_demonstrations(owner_url: str) -> int:
    """Remove every authority that is marked as a demonstration, and its people. Returns how many authorities.

    Nothing that is not a demonstration is touched.

    Raises:
        ValueError: without the owner's URL.
    """
    if not owner_url:
        message = "Give the database owner's address (DATABASE_OWNER_URL) to remove the demonstration."
        raise ValueError(message)
    with psycopg.connect(owner_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM authority WHERE demonstration")
        authority_ids = [row[0] for row in cursor.fetchall()]
        if authority_ids:
            _remove(cursor, authority_ids)
        return len(authority_ids)


def _remove(cursor: Cursor[TupleRow], authority_ids: list[object]) -> None:
    cursor.execute(_TABLES)
    tables: dict[str, bool] = dict(cursor.fetchall())
    for table in _deletion_order(cursor, tables):
        # The portal's own role may not delete registers or audit, so the owner does. FORCE ROW LEVEL SECURITY binds the owner
        # too: it would delete no rows. Security is off for this table and this transaction only; a failure rolls it back.
        _set_row_security(cursor, table, has_row_security=tables[table], enable=False)
        cursor.execute(sql.SQL("DELETE FROM {} WHERE authority_id = ANY(%s)").format(sql.Identifier(table)), (authority_ids,))
        _set_row_security(cursor, table, has_row_security=tables[table], enable=True)
    cursor.execute("DELETE FROM authority WHERE id = ANY(%s)", (authority_ids,))
    for table in ("membership", "person"):
        _set_row_security(cursor, table, has_row_security=True, enable=False)
    cursor.execute(_PEOPLE_LEFT_OVER)
    people = [row[0] for row in cursor.fetchall()]
    for statement in (
        "DELETE FROM sign_in WHERE person_id = ANY(%s)",
        "DELETE FROM recovery_code WHERE person_id = ANY(%s)",
        "DELETE FROM person WHERE id = ANY(%s)",
    ):
        cursor.execute(statement, (people,))
    for table in ("membership", "person"):
        _set_row_security(cursor, table, has_row_security=True, enable=True)


def _set_row_security(cursor: Cursor[TupleRow], table: str, *, has_row_security: bool, enable: bool) -> None:
    if has_row_security:
        verb = sql.SQL("ENABLE" if enable else "DISABLE")
        cursor.execute(sql.SQL("ALTER TABLE {} {} ROW LEVEL SECURITY").format(sql.Identifier(table), verb))


def _deletion_order(cursor: Cursor[TupleRow], tables: dict[str, bool]) -> list[str]:
    """The tables in an order in which each is emptied after the tables that refer to it."""
    cursor.execute(_FOREIGN_KEYS)
    referenced_by: dict[str, set[str]] = {table: set() for table in tables}
    for table, target in cursor.fetchall():
        if table in tables and target in tables:
            referenced_by[target].add(table)
    return list(TopologicalSorter(referenced_by).static_order())
