"""Row security on every owned table: no scope sees no rows, and a school sees only its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import Column, MetaData, Table, Uuid

from migrations.owned import APPEND_ONLY, READ_ONLY
from portal.db.tables import VISIBLE
from portal.security.visibility import whole_authority
from tests.architecture import planting
from tests.architecture.planting import HERE, NEIGHBOUR, owned, set_role_and_scope, visible_rows

if TYPE_CHECKING:
    from psycopg import Connection

#: Owned tables whose rows every school of the authority sees: they are about no school and no pupil.
WHOLE_AUTHORITY_TABLES = {"audit_event", "audit_head", "authority_setting", "read_log", "trust"}
#: Owned tables whose rows no school sees: they link and compare the records of several schools.
AUTHORITY_ONLY_TABLES = {"child", "child_link", "possible_same_child"}
SCHOOL_TABLES = {table.name for table in owned()} - WHOLE_AUTHORITY_TABLES - AUTHORITY_ONLY_TABLES
SCHOOL_1 = str(planting.row(next(table for table in owned() if table.name == "school"), 1)["id"])


@pytest.fixture
def planted(superuser: Connection[Any]) -> Connection[Any]:
    """Three rows in every owned table."""
    planting.plant(superuser, owned())
    return superuser


def leaks(connection: Connection[Any], expected: dict[str, set[int]]) -> dict[str, set[int]]:
    """Tables in which the connection sees other rows than expected, and which rows it sees."""
    visible = {table.name: visible_rows(connection, table) for table in (*owned(), _PLANTED) if table.name in expected}
    return {name: rows for name, rows in visible.items() if rows != expected[name]}


def test_the_tables_that_a_whole_authority_sees_are_those_that_say_so() -> None:
    assert {table.name for table in owned() if table.info[VISIBLE] == whole_authority()} == WHOLE_AUTHORITY_TABLES


def _expect_everywhere(rows: set[int]) -> dict[str, set[int]]:
    return {table.name: rows for table in owned()}


def test_every_table_has_its_three_rows(planted: Connection[Any]) -> None:
    assert leaks(planted, _expect_everywhere({1, 2, 3})) == {}


def test_without_a_scope_no_row_is_visible(planted: Connection[Any]) -> None:
    set_role_and_scope(planted, None)
    assert leaks(planted, _expect_everywhere(set())) == {}


def test_a_neighbours_rows_are_not_visible(planted: Connection[Any]) -> None:
    set_role_and_scope(planted, HERE)
    assert leaks(planted, _expect_everywhere({1, 2})) == {}


def test_the_neighbour_sees_only_its_own_rows(planted: Connection[Any]) -> None:
    set_role_and_scope(planted, NEIGHBOUR)
    assert leaks(planted, _expect_everywhere({3})) == {}


def test_a_school_sees_its_own_rows_alone(planted: Connection[Any]) -> None:
    set_role_and_scope(planted, HERE, SCHOOL_1)
    expected = {name: {1} for name in SCHOOL_TABLES} | {name: {1, 2} for name in WHOLE_AUTHORITY_TABLES}
    expected |= {name: set() for name in AUTHORITY_ONLY_TABLES}
    assert leaks(planted, expected) == {}


@pytest.mark.parametrize("table", owned(), ids=str)
@pytest.mark.parametrize("authority", [None, HERE], ids=["without a scope", "for a neighbour"])
def test_a_row_cannot_be_added(superuser: Connection[Any], table: Table, authority: Any) -> None:
    superuser.execute("SET LOCAL session_replication_role = replica")
    set_role_and_scope(superuser, authority)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        planting.insert_row(superuser, table, planting.row(table, 3))


@pytest.mark.parametrize("table", [table for table in owned() if table.name not in APPEND_ONLY | READ_ONLY], ids=str)
def test_a_neighbours_row_cannot_be_removed(planted: Connection[Any], table: Table) -> None:
    set_role_and_scope(planted, HERE)
    assert planting.delete_row(planted, table, 3) == 0


@pytest.mark.parametrize("name", sorted(APPEND_ONLY | READ_ONLY))
def test_a_row_of_an_insert_only_table_cannot_be_removed(planted: Connection[Any], name: str) -> None:
    set_role_and_scope(planted, HERE)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        planting.delete_row(planted, next(table for table in owned() if table.name == name), 1)


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
def test_a_table_without_a_policy_is_found(superuser: Connection[Any], secured: str) -> None:
    superuser.execute("CREATE TABLE planted (authority_id uuid, id uuid, school_id uuid, PRIMARY KEY (authority_id, id))")
    superuser.execute("GRANT SELECT, INSERT ON planted TO portal_app")
    superuser.execute(secured.encode())
    planting.plant(superuser, [_PLANTED])
    set_role_and_scope(superuser, None)
    assert leaks(superuser, {"planted": set()}) == {"planted": {1, 2, 3}}
    set_role_and_scope(superuser, HERE, SCHOOL_1)
    assert leaks(superuser, {"planted": {1}}) == {"planted": {1, 2, 3}}
