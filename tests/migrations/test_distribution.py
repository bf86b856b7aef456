"""The statements of `./run portal distribute`, run on PostgreSQL with stand-ins for the two functions of Citus."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from migrations import distribution
from migrations.tables import METADATA
from tests.architecture import catalogue
from tests.architecture.test_catalogue import OWNED, SHARED
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection
    from sqlalchemy import Engine

STAND_INS = """
CREATE TABLE spread (number int GENERATED ALWAYS AS IDENTITY, name text, by_column text, beside text);
CREATE FUNCTION create_distributed_table(name text, by_column text, colocate_with text DEFAULT NULL) RETURNS void
    LANGUAGE sql AS 'INSERT INTO spread (name, by_column, beside) VALUES (name, by_column, colocate_with)';
CREATE FUNCTION create_reference_table(name text) RETURNS void
    LANGUAGE sql AS 'INSERT INTO spread (name) VALUES (name)';
"""


@pytest.fixture
def superuser(engine: Engine, database_name: str) -> Iterator[Connection[Any]]:
    """One transaction as the server's superuser, rolled back at the end."""
    with psycopg.connect(os.environ[servers.SUPER], dbname=database_name) as connection:
        connection.execute(STAND_INS)
        yield connection
        connection.rollback()


def _run(connection: Connection[Any]) -> None:
    for statement in distribution.statements():
        connection.execute(statement.encode())


def _foreign_keys(connection: Connection[Any]) -> list[Any]:
    return connection.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' ORDER BY 1, 2"
    ).fetchall()


def test_owned_tables_are_spread_by_authority_and_shared_ones_are_on_every_machine(superuser: Connection[Any]) -> None:
    _run(superuser)
    rows = superuser.execute("SELECT name, by_column, beside FROM spread ORDER BY number").fetchall()
    assert {name for name, by_column, _ in rows if by_column == "authority_id"} == OWNED
    assert {name for name, by_column, _ in rows if by_column is None} == SHARED
    owned = [row for row in rows if row[1]]
    assert {row[2] for row in owned[1:]} == {owned[0][0]}


def test_keys_and_guards_are_as_before_and_no_policy_has_a_subquery(superuser: Connection[Any]) -> None:
    keys = _foreign_keys(superuser)
    _run(superuser)
    assert _foreign_keys(superuser) == keys
    superuser.execute("DROP TABLE spread CASCADE")
    assert catalogue.faults(superuser, owned=OWNED, shared=SHARED) == []
    conditions = superuser.execute("SELECT coalesce(qual, '') || coalesce(with_check, '') FROM pg_policies").fetchall()
    assert [condition for (condition,) in conditions if "SELECT" in condition] == []


def test_no_table_stands_without_policies_while_the_portal_may_see_it(superuser: Connection[Any]) -> None:
    """Between the first and the last statement, row security stays enabled: without policies the portal sees no row."""
    assert not any("DISABLE ROW LEVEL SECURITY" in statement for statement in distribution.statements())


def test_every_key_is_dropped_before_the_first_table_is_spread_and_added_after_the_last() -> None:
    kinds = [
        kind
        for statement in distribution.statements()
        for kind in ("DROP CONSTRAINT", "create_", "ADD CONSTRAINT")
        if kind in statement
    ]
    assert [kind for number, kind in enumerate(kinds) if kind != kinds[number - 1]] == [
        "DROP CONSTRAINT",
        "create_",
        "ADD CONSTRAINT",
    ]
    assert kinds.count("create_") == len(METADATA.tables)


def test_the_command_prints_a_statement_a_line() -> None:
    lines = [f"{statement};" for statement in distribution.statements()]
    assert lines[0] == "ALTER ROLE portal_app SET citus.propagate_set_commands = 'local';"
    assert len(lines) == len(distribution.statements())
    assert all(line.endswith(";") and "\n" not in line for line in lines)
