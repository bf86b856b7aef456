"""Inside one school's scope, the portal's role reaches no other school's child by any SQL.

An attacker who finds an injection in a school's page has this scope and this role.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import CheckViolation, FeatureNotSupported, ForeignKeyViolation, InsufficientPrivilege

from migrations.tables import METADATA
from tests.architecture import planting
from tests.architecture.planting import HERE, owned, set_role_and_scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import Connection

#: Refused by the wall, and by nothing that happens to be wrong with the statement.
REFUSED = (InsufficientPrivilege, ForeignKeyViolation)


def planted_id(table: str, number: int) -> str:
    """The id of a planted row: 1 is the school's own, 2 another school's of the authority."""
    return str(planting.row(METADATA.tables[table], number)["id"])


OWN_SCHOOL, OTHER_SCHOOL = planted_id("school", 1), planted_id("school", 2)
OWN_PUPIL, OTHER_PUPIL = planted_id("pupil", 1), planted_id("pupil", 2)
OTHER_CONTACT = planted_id("contact", 2)
NEW = "00000000-0000-4000-8000-000000000001"
#: Tables in which a row names a pupil and its school.
ABOUT_PUPILS = sorted(
    table.name for table in owned() if {"pupil_id", "school_id"} <= set(table.columns.keys()) and table.name != "child_link"
)


@pytest.fixture
def school(superuser: Connection[Any]) -> Connection[Any]:
    """The portal's role in the scope of the first school. Foreign keys are checked again."""
    planting.plant(superuser, owned())
    superuser.execute("SET LOCAL session_replication_role = origin")
    set_role_and_scope(superuser, HERE, OWN_SCHOOL)
    return superuser


def new_row(table: str, **values: object) -> Mapping[str, Any]:
    """A new row of a table, like the school's own, with `values` in place of the usual ones."""
    row = planting.row(METADATA.tables[table], 1)
    if "id" in row:
        row["id"] = NEW
    if "line" in row:
        row["line"] = 99
    return {**row, **values}


def insert(connection: Connection[Any], table: str, **values: object) -> None:
    """Insert that row."""
    planting.insert_row(connection, METADATA.tables[table], dict(new_row(table, **values)))


def run(connection: Connection[Any], statement: LiteralString, table: str, *values: object) -> int:
    """Run a statement on a table, and return how many rows it found."""
    return connection.execute(sql.SQL(statement).format(sql.Identifier(table)), values).rowcount


@pytest.mark.parametrize("table", [table for table in ABOUT_PUPILS if table not in {"pupil_contact", "possible_same_child"}])
def test_a_row_about_the_schools_own_pupil_is_taken(school: Connection[Any], table: str) -> None:
    """Without this, the refusals below would prove nothing."""
    insert(school, table)


@pytest.mark.parametrize("table", ABOUT_PUPILS)
@pytest.mark.parametrize("school_id", [OWN_SCHOOL, OTHER_SCHOOL], ids=["as its own", "as the other school's"])
def test_no_row_about_another_schools_pupil_is_added(school: Connection[Any], table: str, school_id: str) -> None:
    with pytest.raises(REFUSED):
        insert(school, table, pupil_id=OTHER_PUPIL, school_id=school_id)


@pytest.mark.parametrize("table", [table for table in ABOUT_PUPILS if table != "possible_same_child"])
def test_no_row_is_moved_to_another_schools_pupil(school: Connection[Any], table: str) -> None:
    with pytest.raises(REFUSED):
        run(school, "UPDATE {} SET pupil_id = %s", table, OTHER_PUPIL)


@pytest.mark.parametrize("table", ["pupil", "contact", *ABOUT_PUPILS])
def test_no_row_is_given_to_another_school_or_taken_from_one(school: Connection[Any], table: str) -> None:
    assert run(school, "UPDATE {} SET school_id = %s WHERE school_id = %s", table, OWN_SCHOOL, OTHER_SCHOOL) == 0
    if table == "possible_same_child":  # of which a school sees no row at all
        return
    with pytest.raises(REFUSED):
        run(school, "UPDATE {} SET school_id = %s", table, OTHER_SCHOOL)


def test_another_schools_record_is_neither_read_changed_nor_removed(school: Connection[Any]) -> None:
    for statement in (
        "SELECT 1 FROM pupil WHERE id = %s",
        "UPDATE pupil SET surname = 'Changed' WHERE id = %s",
        "DELETE FROM pupil WHERE id = %s",
        "SELECT 1 FROM roll_line WHERE pupil_id = %s FOR UPDATE",
    ):
        assert school.execute(statement.encode(), (OTHER_PUPIL,)).rowcount == 0, statement


def test_another_schools_contact_is_not_tied_to_an_own_pupil(school: Connection[Any]) -> None:
    for school_id in (OWN_SCHOOL, OTHER_SCHOOL):
        with pytest.raises(REFUSED), school.transaction():
            insert(school, "pupil_contact", contact_id=OTHER_CONTACT, school_id=school_id)
    with pytest.raises(REFUSED):
        school.execute("UPDATE pupil_contact SET contact_id = %s", (OTHER_CONTACT,))


def test_no_record_of_another_school_is_overwritten_by_its_id(school: Connection[Any]) -> None:
    """An upsert that guesses the id meets a row it may not see."""
    upsert = (
        "INSERT INTO pupil (authority_id, id, school_id, surname, forename, surname_folded, forename_folded, date_of_birth,"
        " reference)"
        " VALUES (%s, %s, %s, 'A', 'B', 'a', 'b', '2016-01-15', '') ON CONFLICT (authority_id, id) DO UPDATE SET surname = 'A'"
    )
    with pytest.raises(InsufficientPrivilege):
        school.execute(upsert, (HERE, OTHER_PUPIL, OWN_SCHOOL))


@pytest.mark.parametrize("table", ["child", "child_link", "possible_same_child"])
def test_a_school_neither_sees_nor_makes_nor_changes_a_link(school: Connection[Any], table: str) -> None:
    assert run(school, "SELECT 1 FROM {}", table) == 0
    with pytest.raises((*REFUSED, CheckViolation)), school.transaction():
        insert(school, table)
    assert run(school, "UPDATE {} SET id = %s", table, NEW) == 0
    assert run(school, "DELETE FROM {}", table) == 0


@pytest.mark.parametrize("table", ["pupil", "contact", "roll_line", "child_link"])
def test_copy_into_a_secured_table_is_refused(school: Connection[Any], table: str) -> None:
    with pytest.raises(FeatureNotSupported), school.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
        copy.write(b"")


def test_the_scope_cannot_be_left_by_another_role(school: Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        school.execute("SET session_replication_role = replica")


@pytest.mark.parametrize(
    "flaw",
    [
        "ALTER TABLE roll_line DROP CONSTRAINT fk_roll_line_authority_id_school_id_pupil_id_pupil",
        "ALTER POLICY child_link_added ON child_link WITH CHECK (current_setting('app.authority'::text, true) <> '')",
    ],
)
def test_a_planted_hole_is_found(superuser: Connection[Any], flaw: str) -> None:
    planting.plant(superuser, owned())
    superuser.execute(flaw.encode())
    superuser.execute("SET LOCAL session_replication_role = origin")
    set_role_and_scope(superuser, HERE, OWN_SCHOOL)
    if "roll_line" in flaw:
        insert(superuser, "roll_line", pupil_id=OTHER_PUPIL)
    else:
        insert(superuser, "child_link", unlinked_at="2026-01-01")
