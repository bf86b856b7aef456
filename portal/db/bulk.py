"""Bulk insert: many rows into a row-secured table. The only module that uses COPY.

PostgreSQL refuses COPY FROM on a table with row security, so rows go by COPY into a temporary table and from there by
INSERT … SELECT, which the policies check like any other insert.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy.dialects import postgresql

from portal.db.tables import Base
from portal.db.work import mark_written, tx
from portal.security import scope as scopes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray


#: Rows up to which one INSERT is quicker than a temporary table.
SMALL_BATCH = 100


def insert_many(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]] | bytes, *, on_conflict: str = "") -> int:
    """Insert many rows into a row-secured table, and return how many were inserted or changed.

    `columns` leaves out authority_id, which is filled from the scope. `rows` are sequences in the columns' order,
    or the body of a binary COPY already laid out (`binary_rows`). `on_conflict` is SQL text from the caller's source,
    never from a file or a form.
    """
    mark_written(table)
    raw = tx().connection().connection.driver_connection
    if raw is None:
        message = "The connection was lost."
        raise RuntimeError(message)
    rows_given = rows if isinstance(rows, bytes) else list(rows)
    authority_id = scopes.current().authority_id
    names = ", ".join(f'"{name}"' for name in columns)
    into = f'INSERT INTO "{table}" (authority_id, {names})'
    with raw.cursor() as cursor:
        if isinstance(rows_given, list) and len(rows_given) <= SMALL_BATCH:
            if rows_given:
                placeholders = f"({', '.join(['%s'] * (len(columns) + 1))})"
                values = [value for row in rows_given for value in (authority_id, *row)]
                cursor.execute(f"{into} VALUES {', '.join([placeholders] * len(rows_given))} {on_conflict}", values)
            return max(0, int(cursor.rowcount))
        cursor.execute('DROP TABLE IF EXISTS pg_temp."loading"')
        cursor.execute(f'CREATE TEMP TABLE "loading" ON COMMIT DROP AS SELECT {names} FROM "{table}" WITH NO DATA')  # noqa: S608  the names come from our source
        with cursor.copy(f'COPY "loading" ({names}) FROM STDIN (FORMAT BINARY)') as copy:
            if isinstance(rows_given, bytes):
                copy.write(_COPY_HEADER + rows_given + _COPY_TRAILER)
            else:
                copy.set_types(_types_of(table, columns))
                for row in rows_given:
                    copy.write_row(row)
        cursor.execute(f'{into} SELECT %s, {names} FROM "loading" {on_conflict}', (authority_id,))  # noqa: S608  the names come from our source
        changed = int(cursor.rowcount)
        cursor.execute('DROP TABLE pg_temp."loading"')
    return changed


# PostgreSQL's binary COPY format: a signature, flags and the length of an extension (both zero); then each row as the number
# of its fields (int16) and each field as its length in bytes (int32) and its value; then -1 in place of a number of
# fields. Everything is big-endian.
_COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_COPY_TRAILER = b"\xff\xff"


def binary_rows(columns: Mapping[str, NDArray[Any]]) -> bytes:
    """The body of a binary COPY, made from arrays of one length. V16 becomes uuid, and an integer int2, int4 or int8.

    The array's dtype is the format of a row, so numpy lays out all rows in one piece: a loop over half a million marks
    would take longer than PostgreSQL does.
    """
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, values in columns.items():
        kind = "V16" if values.dtype.kind == "V" else f">i{values.dtype.itemsize}"
        layout += [(f"{name} length", ">i4"), (name, kind)]
    length = len(next(iter(columns.values())))
    rows = np.empty(length, dtype=layout)
    rows["fields"] = len(columns)
    for name, values in columns.items():
        rows[f"{name} length"] = values.dtype.itemsize
        rows[name] = values
    return rows.tobytes()


_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves this one untyped


def _types_of(table: str, columns: Sequence[str]) -> list[str]:
    """PostgreSQL's names for the columns' types, as a binary COPY needs them."""
    columns_of_table = Base.metadata.tables[table].columns
    names = {
        "INTEGER": "int4",
        "SMALLINT": "int2",
        "BIGINT": "int8",
        "BOOLEAN": "bool",
        "TIMESTAMP WITH TIME ZONE": "timestamptz",
        "INTEGER[]": "int4[]",
    }
    types = []
    for column in columns:
        kind = columns_of_table[column].type
        compiled = kind.compile(dialect=_POSTGRESQL).split(" COLLATE")[0]
        types.append(names.get(compiled, compiled.lower()))
    return types
