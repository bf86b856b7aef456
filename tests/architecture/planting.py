"""Three rows in every owned table: for two schools of one authority, and for a neighbour's."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import ARRAY, Boolean, Date, DateTime, LargeBinary, Numeric, Text, TypeDecorator, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from migrations.owned import APP_ROLE
from migrations.tables import METADATA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection
    from sqlalchemy import Column, Table

NAMES = UUID("5a1f0b8e-3c55-4a62-9d0e-6f1f7f3c2a01")
HERE, NEIGHBOUR = uuid5(NAMES, "here"), uuid5(NAMES, "neighbour")
#: Rows 1 and 2 belong to two schools of one authority, row 3 to a school of its neighbour.
AUTHORITIES = {1: HERE, 2: HERE, 3: NEIGHBOUR}
#: Values that a CHECK constraint of the table demands. All others are made from the column's type.
FIXED_VALUES: dict[tuple[str, str], object] = {
    ("school", "phase"): "primary",
    ("characteristic", "kind"): "fsm",
    ("upload", "state"): "received",
    ("upload", "kind"): "marks",
    ("child_link", "basis"): "first",
    ("possible_same_child", "other_pupil_id"): UUID(int=2**128 - 1),
}
KEY_TABLES = {"school_id": "school", "pupil_id": "pupil", "contact_id": "contact", "child_id": "child", "upload_id": "upload"}


def owned() -> list[Table]:
    """Every owned table, with referenced tables before those that reference them."""
    return [table for table in METADATA.sorted_tables if "authority_id" in table.primary_key.columns]


def row(table: Table, number: int) -> dict[str, Any]:
    """Row 1, 2 or 3 of a table. Columns that the database computes are left to it."""
    columns = [column for column in table.columns if column.computed is None]
    return {column.name: _value(table, column, number) for column in columns if not column.nullable or column.name in KEY_TABLES}


def _value(table: Table, column: Column[Any], number: int) -> object:
    name = column.name
    if name == "authority_id":
        return AUTHORITIES[number]
    if (name == "id" and isinstance(column.type, Uuid)) or name in KEY_TABLES:
        return uuid5(NAMES, f"{KEY_TABLES.get(name, table.name)} {number}")
    if (table.name, name) in FIXED_VALUES:
        return FIXED_VALUES[table.name, name]
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    values_by_type: list[tuple[type | tuple[type, ...], object]] = [
        (Uuid, uuid5(NAMES, f"other {number}")),
        (JSONB, Jsonb({})),
        (ARRAY, []),
        (DateTime, datetime(2026, 11, 25, 9, 5, tzinfo=UTC)),
        (Date, date(2026, 11, 23)),
        (Boolean, False),
        (LargeBinary, b""),
        (Text, f"{name} {number}"),
        (Numeric, 0),
    ]
    for kinds, value in values_by_type:
        if isinstance(kind, kinds):
            return value
    is_count = name.startswith("rows_")
    return 0 if is_count else number


def plant(connection: Connection[Any], tables: Sequence[Table]) -> None:
    """Insert the three rows into every table as a superuser, with foreign keys switched off."""
    connection.execute("SET LOCAL session_replication_role = replica")
    for table in tables:
        for number in AUTHORITIES:
            if not _exists(connection, table, row(table, number)):  # a table keyed by authority alone has one row for both schools
                insert_row(connection, table, row(table, number))


def insert_row(connection: Connection[Any], table: Table, values: dict[str, Any]) -> None:
    """Insert one row with the connection's current role and scope."""
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table.name),
        sql.SQL(", ").join(sql.Identifier(name) for name in values),
        sql.SQL(", ").join(sql.Placeholder() for _ in values),
    )
    connection.execute(statement, list(values.values()))


def set_role_and_scope(
    connection: Connection[Any], authority: UUID | None, schools: str = "*", *, agency: str = "", shares: str = ""
) -> None:
    """Be the portal's own role in this scope, until the transaction ends."""
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(APP_ROLE)))
    connection.execute(sql.SQL("SET LOCAL app.authority = {}").format(sql.Literal(str(authority or ""))))
    connection.execute(sql.SQL("SET LOCAL app.schools = {}").format(sql.Literal(schools if authority else "")))
    connection.execute(sql.SQL("SET LOCAL app.agency = {}").format(sql.Literal(agency)))
    connection.execute(sql.SQL("SET LOCAL app.shares = {}").format(sql.Literal(shares)))


def visible_rows(connection: Connection[Any], table: Table) -> set[int]:
    """Which of the three rows the connection sees."""
    return {number for number in AUTHORITIES if _exists(connection, table, row(table, number))}


def _exists(connection: Connection[Any], table: Table, values: dict[str, Any]) -> bool:
    return bool(connection.execute(*_by_key(sql.SQL("SELECT 1 FROM {} WHERE {}"), table, values)).fetchone())


def delete_row(connection: Connection[Any], table: Table, number: int) -> int:
    """How many rows go when the connection removes row `number`."""
    return connection.execute(*_by_key(sql.SQL("DELETE FROM {} WHERE {}"), table, row(table, number))).rowcount


def _by_key(statement: sql.SQL, table: Table, values: dict[str, Any]) -> tuple[sql.Composed, list[Any]]:
    key = [column.name for column in table.primary_key.columns]
    condition = sql.SQL(" AND ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in key)
    return statement.format(sql.Identifier(table.name), condition), [values[name] for name in key]
