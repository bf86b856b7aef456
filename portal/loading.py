"""Loading: many rows at once into a row-secured table, by COPY to a temporary one and INSERT … SELECT. The one home of COPY."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy.dialects import postgresql

from portal import scope as scopes
from portal.db import Base, tx, wrote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray


#: Rows up to which one INSERT is quicker than a temporary table.
FEW = 100


def load(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]] | bytes, *, on_conflict: str = "") -> int:
    """Insert many rows into a row-secured table, by COPY where they are more than a few. Returns rows inserted or changed.

    `columns` leaves out authority_id, which is filled from the scope. `rows` are sequences in the columns' order,
    or the body of a binary COPY already laid out (`binary_rows`). `on_conflict` is a fixed clause of ours.
    """
    wrote(table)
    raw = tx().connection().connection.driver_connection
    if raw is None:
        message = "The connection was lost."
        raise RuntimeError(message)
    given = rows if isinstance(rows, bytes) else list(rows)
    authority_id = scopes.current().authority_id
    names = ", ".join(f'"{name}"' for name in columns)
    into = f'INSERT INTO "{table}" (authority_id, {names})'
    with raw.cursor() as cursor:
        if isinstance(given, list) and len(given) <= FEW:
            if given:
                one = f"({', '.join(['%s'] * (len(columns) + 1))})"
                values = [value for row in given for value in (authority_id, *row)]
                cursor.execute(f"{into} VALUES {', '.join([one] * len(given))} {on_conflict}", values)
            return max(0, int(cursor.rowcount))
        cursor.execute('DROP TABLE IF EXISTS pg_temp."loading"')
        cursor.execute(f'CREATE TEMP TABLE "loading" ON COMMIT DROP AS SELECT {names} FROM "{table}" WITH NO DATA')  # noqa: S608  names of ours
        with cursor.copy(f'COPY "loading" ({names}) FROM STDIN (FORMAT BINARY)') as copy:
            if isinstance(given, bytes):
                copy.write(_COPY_HEADER + given + _COPY_TRAILER)
            else:
                copy.set_types(_types_of(table, columns))
                for row in given:
                    copy.write_row(row)
        cursor.execute(f'{into} SELECT %s, {names} FROM "loading" {on_conflict}', (authority_id,))  # noqa: S608  names of ours
        changed = int(cursor.rowcount)
        cursor.execute('DROP TABLE pg_temp."loading"')
    return changed


_COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_COPY_TRAILER = b"\xff\xff"


def binary_rows(columns: Mapping[str, NDArray[Any]]) -> bytes:
    """The body of a binary COPY from arrays of one length: integers as int2/int4/int8 by their width, V16 as uuid.

    Laid out in one piece by numpy: no row is touched in Python.
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
    described = Base.metadata.tables[table].columns
    names = {
        "INTEGER": "int4",
        "SMALLINT": "int2",
        "BIGINT": "int8",
        "BOOLEAN": "bool",
        "TIMESTAMP WITH TIME ZONE": "timestamptz",
        "INTEGER[]": "int4[]",
    }
    found = []
    for column in columns:
        kind = described[column].type
        compiled = kind.compile(dialect=_POSTGRESQL).split(" COLLATE")[0]
        found.append(names.get(compiled, compiled.lower()))
    return found
