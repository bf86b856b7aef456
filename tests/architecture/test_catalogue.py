"""Tenancy as the database enforces it. Each flaw planted in the schema is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from migrations.tables import METADATA
from portal.db.tables import Base, Owned, Shared
from tests.architecture import catalogue

if TYPE_CHECKING:
    from psycopg import Connection

#: Tables shared by every authority: people and sign-ins, the outbox, which holds ids only, and published figures.
SHARED = {
    "authority",
    "credential",
    "invitation",
    "mail",
    "membership",
    "outbox_job",
    "password_reset",
    "person",
    "published_figure",
    "recovery_code",
    "release",
    "sign_in",
    "sign_in_attempt",
}


def tables_of(kind: type[Base]) -> set[str]:
    """The names of the tables of one kind."""
    return {
        str(mapper.local_table.name)
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, kind) and mapper.local_table is not None
    }


OWNED = tables_of(Owned)


def owned_classes() -> set[str]:
    """The names of the owned models' classes."""
    return {mapper.class_.__name__ for mapper in Base.registry.mappers if issubclass(mapper.class_, Owned)}


def faults(connection: Connection[Any]) -> list[str]:
    """The faults of the schema in the catalogue."""
    return catalogue.faults(connection, owned=OWNED, shared=SHARED)


def test_the_shared_tables_are_pinned() -> None:
    assert tables_of(Shared) == SHARED
    assert {*METADATA.tables} == OWNED | SHARED


def test_the_schema_has_no_faults(superuser: Connection[Any]) -> None:
    assert faults(superuser) == []


@pytest.mark.parametrize(
    ("flaw", "expected"),
    [
        ("CREATE TABLE planted (id uuid PRIMARY KEY)", "planted: neither owned nor shared"),
        ("DROP TABLE mark_note CASCADE", "mark_note: not in the database"),
        ("ALTER TABLE pupil DISABLE ROW LEVEL SECURITY", "pupil: row security is not enabled"),
        ("ALTER TABLE pupil NO FORCE ROW LEVEL SECURITY", "pupil: row security is not forced"),
        ("DROP POLICY pupil_seen ON pupil", "pupil: has policies for"),
        ("CREATE POLICY more ON audit_event FOR UPDATE USING (true)", "audit_event: has policies for"),
        ("ALTER POLICY pupil_seen ON pupil USING (true)", "pupil: its policy for SELECT does not read"),
        ("ALTER POLICY pupil_changed ON pupil WITH CHECK (true)", "pupil: its policy for UPDATE does not read"),
        ("CREATE UNIQUE INDEX planted ON pupil (upn)", "pupil: the unique key planted begins with upn"),
        ("ALTER TABLE pupil ADD CONSTRAINT planted UNIQUE (id)", "pupil: the unique key planted begins with id"),
        (
            (
                "ALTER TABLE school ADD UNIQUE (id);"
                " ALTER TABLE term ADD CONSTRAINT planted FOREIGN KEY (school_id) REFERENCES school (id)"
            ),
            "term: the foreign key planted begins with school_id",
        ),
        ("ALTER ROLE portal_app BYPASSRLS", "portal_app: bypasses row security"),
        ("ALTER ROLE portal_app SUPERUSER", "portal_app: is a superuser"),
        ("GRANT pg_read_all_data TO portal_app", "portal_app: is a member of pg_read_all_data"),
        ("GRANT TRUNCATE ON pupil TO portal_app", "pupil: portal_app may TRUNCATE"),
        ("GRANT UPDATE ON register_page TO portal_app", "register_page: portal_app may UPDATE"),
        ("GRANT DELETE ON audit_event TO PUBLIC", "audit_event: portal_app may DELETE"),
        ("GRANT INSERT ON audit_event TO portal_app", "audit_event: portal_app may INSERT"),
        ("GRANT UPDATE ON audit_head TO portal_app", "audit_head: portal_app may UPDATE"),
        ("GRANT UPDATE ON read_log TO portal_app", "read_log: portal_app may UPDATE"),
        ("ALTER FUNCTION append_audit_event RESET search_path", "append_audit_event: runs with its owner's rights"),
        ("GRANT EXECUTE ON FUNCTION append_audit_event TO PUBLIC", "append_audit_event: runs with its owner's rights"),
        ("GRANT SELECT ON credential TO portal_app", "credential: portal_app may SELECT"),
        ("GRANT UPDATE ON sign_in TO PUBLIC", "sign_in: portal_app may UPDATE"),
        ("GRANT portal_sign_in TO portal_app WITH INHERIT TRUE", "portal_app: has the rights of portal_sign_in at all times"),
        ("ALTER TABLE person NO FORCE ROW LEVEL SECURITY", "person: row security is not forced"),
        ("ALTER POLICY membership_seen ON membership USING (true)", "membership: its policy membership_seen does not read"),
        ("ALTER POLICY person_signing_in ON person TO PUBLIC", "person: its policy person_signing_in does not read"),
        ("ALTER TABLE pupil OWNER TO portal_app", "pupil: is owned by portal_app"),
        ("GRANT CREATE ON SCHEMA public TO portal_app", "portal_app: makes tables"),
        ("CREATE VIEW planted AS SELECT * FROM pupil", "planted: is a view"),
        ("CREATE MATERIALIZED VIEW planted AS SELECT * FROM pupil", "planted: is a materialised view"),
        ("CREATE FUNCTION planted() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'", "planted: a function that runs"),
        ("ALTER TABLE term ADD number int GENERATED ALWAYS AS IDENTITY", "term: number is numbered by the database"),
    ],
)
def test_a_planted_flaw_is_found(superuser: Connection[Any], flaw: str, expected: str) -> None:
    for statement in flaw.split("; "):
        superuser.execute(statement.encode())
    assert any(fault.startswith(expected) for fault in faults(superuser))
