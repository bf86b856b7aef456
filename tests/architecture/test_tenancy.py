"""Row security tried on every owned table: nothing without a scope, nothing of a neighbour's, and a school's own rows alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import Column, MetaData, Table, Uuid

from migrations.owned import APPEND_ONLY
from tests.architecture import planting
from tests.architecture.planting import HERE, NEIGHBOUR, become, owned, seen

if TYPE_CHECKING:
    from psycopg import Connection

#: Owned tables that a school sees whole: no row of theirs is about a school or a pupil.
WHOLE = {"audit_event", "audit_head", "trust"}
NARROWED = {table.name for table in owned()} - WHOLE
SCHOOL_1 = str(planting.row(next(table for table in owned() if table.name == "school"), 1)["id"])


@pytest.fixture
def planted(superuser: Connection[Any]) -> Connection[Any]:
    """Three rows in every owned table."""
    planting.plant(superuser, owned())
    return superuser


def leaks(connection: Connection[Any], expected: dict[str, set[int]]) -> dict[str, set[int]]:
    """Tables in which the connection sees other rows than expected, and which."""
    found = {table.name: seen(connection, table) for table in (*owned(), _PLANTED) if table.name in expected}
    return {name: rows for name, rows in found.items() if rows != expected[name]}


def _all(rows: set[int]) -> dict[str, set[int]]:
    return {table.name: rows for table in owned()}


def test_every_table_has_its_three_rows(planted: Connection[Any]) -> None:
    assert leaks(planted, _all({1, 2, 3})) == {}


def test_without_a_scope_every_table_is_empty(planted: Connection[Any]) -> None:
    become(planted, None)
    assert leaks(planted, _all(set())) == {}


def test_a_neighbour_is_not_there(planted: Connection[Any]) -> None:
    become(planted, HERE)
    assert leaks(planted, _all({1, 2})) == {}


def test_nor_are_we_for_the_neighbour(planted: Connection[Any]) -> None:
    become(planted, NEIGHBOUR)
    assert leaks(planted, _all({3})) == {}


def test_a_school_sees_its_own_rows_alone(planted: Connection[Any]) -> None:
    become(planted, HERE, SCHOOL_1)
    expected = {name: {1} for name in NARROWED} | {name: {1, 2} for name in WHOLE}
    assert leaks(planted, expected) == {}


@pytest.mark.parametrize("table", owned(), ids=str)
@pytest.mark.parametrize("authority", [None, HERE], ids=["without a scope", "for a neighbour"])
def test_a_row_cannot_be_added(superuser: Connection[Any], table: Table, authority: Any) -> None:
    superuser.execute("SET LOCAL session_replication_role = replica")
    become(superuser, authority)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        planting.add(superuser, table, planting.row(table, 3))


@pytest.mark.parametrize("table", [table for table in owned() if table.name not in APPEND_ONLY], ids=str)
def test_a_neighbours_row_cannot_be_removed(planted: Connection[Any], table: Table) -> None:
    become(planted, HERE)
    assert planting.removed(planted, table, 3) == 0


@pytest.mark.parametrize("name", sorted(APPEND_ONLY))
def test_what_is_only_added_to_cannot_be_removed(planted: Connection[Any], name: str) -> None:
    become(planted, HERE)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        planting.removed(planted, next(table for table in owned() if table.name == name), 1)


_PLANTED = Table(
    "planted",
    MetaData(),
    Column("authority_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("school_id", Uuid),
)


@pytest.mark.parametrize(
    "secured",
    ["", "ALTER TABLE planted ENABLE ROW LEVEL SECURITY; CREATE POLICY seen ON planted USING (true)"],
    ids=["no policy", "a policy that lets all through"],
)
def test_a_table_without_its_wall_is_found(superuser: Connection[Any], secured: str) -> None:
    superuser.execute("CREATE TABLE planted (authority_id uuid, id uuid, school_id uuid, PRIMARY KEY (authority_id, id))")
    superuser.execute("GRANT SELECT, INSERT ON planted TO portal_app")
    superuser.execute(secured.encode())
    planting.plant(superuser, [_PLANTED])
    become(superuser, None)
    assert leaks(superuser, {"planted": set()}) == {"planted": {1, 2, 3}}
    become(superuser, HERE, SCHOOL_1)
    assert leaks(superuser, {"planted": {1}}) == {"planted": {1, 2, 3}}
