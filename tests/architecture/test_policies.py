"""Policies are what the models say, read no other table, and read each setting once. Each planted flaw is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import psycopg
import pytest
from sqlalchemy import Column, MetaData, Table, Uuid

from migrations import owned
from portal.db.tables import VISIBLE, Owned
from portal.security.visibility import (
    Visibility,
    authority_only,
    by_agency,
    by_school,
    by_share,
    either,
    whole_authority,
)
from tests.architecture import planting, policies
from tests.architecture.planting import HERE, NAMES, NEIGHBOUR, set_role_and_scope, visible_rows

if TYPE_CHECKING:
    from psycopg import Connection

READ_ONCE = "authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid)"


def _table(visibility: Visibility | None = None) -> Table:
    """A planted table with every column a visibility may name."""
    keys = [Column(name, Uuid, primary_key=True) for name in ("authority_id", "id")]
    references = [Column(name, Uuid) for name in ("school_id", "case_part_id", "agency_id")]
    table = Table("planted", MetaData(), *keys, *references)
    if visibility is not None:
        table.info[VISIBLE] = visibility
    return table


def _id(name: str, number: int) -> str:
    return str(uuid5(NAMES, f"{name} {number}"))


def _plant(connection: Connection[Any], visibility: Visibility) -> Table:
    """Create the table with its policies, and a row of each school, part and agency."""
    table = _table(visibility)
    connection.execute(
        "CREATE TABLE planted (authority_id uuid, id uuid, school_id uuid, case_part_id uuid, agency_id uuid,"
        " PRIMARY KEY (authority_id, id))"
    )
    for number, authority in planting.AUTHORITIES.items():
        planting.insert_row(connection, table, _row(number, authority))
    owned.secure(lambda statement: connection.execute(statement.encode()), table)
    return table


def _row(number: int, authority: UUID) -> dict[str, Any]:
    keys = {"authority_id": authority, "id": uuid5(NAMES, f"planted {number}")}
    return keys | {f"{name}_id": _id(name, number) for name in ("school", "case_part", "agency")}


#: Who looks: the schools in reach, the agency and the shares of the scope.
AUTHORITY: dict[str, str] = {"schools": "*"}
SCHOOL = {"schools": _id("school", 1)}
NOBODY = str(UUID(int=0))
PARTNER = {"schools": NOBODY, "agency": _id("agency", 1), "shares": f"{_id('case_part', 1)},{_id('case_part', 3)}"}


@pytest.mark.parametrize(
    ("visibility", "authority", "school", "partner"),
    [
        (whole_authority(), {1, 2}, {1, 2}, {1, 2}),
        (authority_only(), {1, 2}, set(), set()),
        (by_school(), {1, 2}, {1}, set()),
        (by_share(), set(), set(), {1}),
        (by_agency(), {1, 2}, set(), {1}),
        (either(by_school(), by_share()), {1, 2}, {1}, {1}),
        (either(by_school(), by_agency()), {1, 2}, {1}, {1}),
        (either(by_school(), whole_authority()), {1, 2}, {1, 2}, {1, 2}),
    ],
    ids=["whole authority", "authority only", "school", "share", "agency", "school or share", "school or agency", "either whole"],
)
def test_each_way_of_seeing_shows_its_rows(
    superuser: Connection[Any], visibility: Visibility, authority: set[int], school: set[int], partner: set[int]
) -> None:
    table = _plant(superuser, visibility)
    for looker, expected in ((AUTHORITY, authority), (SCHOOL, school), (PARTNER, partner)):
        set_role_and_scope(superuser, HERE, **looker)
        assert visible_rows(superuser, table) == expected
    set_role_and_scope(superuser, NEIGHBOUR, **PARTNER)
    assert visible_rows(superuser, table) <= {3}
    set_role_and_scope(superuser, None)
    assert visible_rows(superuser, table) == set()


@pytest.mark.parametrize(
    "visibility", [by_share(), by_agency(), either(by_school(), by_share())], ids=["share", "agency", "either"]
)
def test_a_partner_adds_rows_of_their_own_alone(superuser: Connection[Any], visibility: Visibility) -> None:
    table = _plant(superuser, visibility)
    set_role_and_scope(superuser, HERE, **PARTNER)
    planting.insert_row(superuser, table, _row(1, HERE) | {"id": uuid5(NAMES, "added")})
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        planting.insert_row(superuser, table, _row(2, HERE) | {"id": uuid5(NAMES, "refused")})


def test_rows_of_no_school_are_seen_where_the_model_says_so(superuser: Connection[Any]) -> None:
    table = _plant(superuser, by_school(or_none=True))
    superuser.execute("UPDATE planted SET school_id = NULL WHERE school_id = %s", [_id("school", 2)])
    set_role_and_scope(superuser, HERE, **SCHOOL)
    assert visible_rows(superuser, table) == {1, 2}


def test_a_model_that_does_not_say_who_sees_it_is_refused() -> None:
    with pytest.raises(TypeError, match="Forgotten is owned: say who may see its rows"):
        type("Forgotten", (Owned,), {"__tablename__": "forgotten"})


@pytest.fixture
def as_declared(superuser: Connection[Any]) -> dict[str, list[Any]]:
    """The policies each table would have if they were written today, as PostgreSQL reads them back."""
    declared = {}
    for table in planting.owned():
        superuser.execute("SAVEPOINT declared")
        present = _policies(superuser, table.name)
        for name, *_ in present:
            superuser.execute(f'DROP POLICY {name} ON "{table.name}"'.encode())
        for statement in owned.policies(table, owned.visible(table).sql):
            superuser.execute(statement.encode())
        declared[table.name] = _policies(superuser, table.name)
        superuser.execute("ROLLBACK TO SAVEPOINT declared")
    return declared


def _policies(connection: Connection[Any], table: str) -> list[Any]:
    return connection.execute(
        "SELECT policyname, cmd, qual, with_check FROM pg_policies WHERE tablename = %s ORDER BY 1", [table]
    ).fetchall()


def test_the_migrations_policies_are_those_of_the_models(superuser: Connection[Any], as_declared: dict[str, list[Any]]) -> None:
    assert {table: _policies(superuser, table) for table in as_declared} == as_declared
    superuser.execute("ALTER POLICY term_seen ON term USING (true)")
    assert _policies(superuser, "term") != as_declared["term"]


def test_no_policy_reads_another_table_or_a_setting_twice(superuser: Connection[Any]) -> None:
    assert policies.faults(superuser) == []


@pytest.mark.parametrize(
    ("flaw", "expected"),
    [
        (
            "CREATE POLICY more ON planted USING (EXISTS (SELECT 1 FROM upload u WHERE u.id = planted.id))",
            "planted: its policy more reads the table upload",
        ),
        ("CREATE POLICY more ON planted USING (id IN (SELECT id FROM upload))", "planted: its policy more reads the table upload"),
        (
            "CREATE FUNCTION seen() RETURNS bool LANGUAGE sql AS 'SELECT true'; CREATE POLICY more ON planted USING (seen())",
            "planted: its policy more calls the function seen",
        ),
        (
            "CREATE POLICY more ON planted USING (authority_id = nullif(current_setting('app.authority', true), '')::uuid)",
            "planted: its policy more reads a setting for every row",
        ),
        (
            f"CREATE POLICY more ON planted FOR INSERT WITH CHECK ({READ_ONCE} AND current_setting('app.schools', true) = '*')",
            "planted: its policy more reads a setting for every row",
        ),
        (
            "CREATE POLICY more ON planted USING ((SELECT current_setting('app.authority', true) = authority_id::text))",
            "planted: its policy more runs a subquery for every row",
        ),
        (
            "CREATE FUNCTION reach() RETURNS text IMMUTABLE LANGUAGE sql AS $$SELECT current_setting('app.schools', true)$$",
            "reach: is IMMUTABLE and reads a setting",
        ),
    ],
)
def test_a_planted_flaw_of_a_policy_is_found(superuser: Connection[Any], flaw: str, expected: str) -> None:
    _plant(superuser, by_school())
    assert policies.faults(superuser) == []
    for statement in flaw.split("; "):
        superuser.execute(statement.encode())
    assert expected in policies.faults(superuser)
