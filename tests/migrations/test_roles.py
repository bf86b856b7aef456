"""Revision 0007 keeps a running portal's people, passwords and audit, there and back."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import select

import migrations
from local.postgres import EmbeddedPostgres
from portal.accounts.actions import people as people_actions
from portal.accounts.models import Person
from portal.accounts.queries.principals import account_by_email, command_line_scope
from portal.audit.domain.chain import GENESIS_HASH
from portal.audit.queries import check_chain
from portal.db.work import tx, unit_of_work
from portal.security.permissions import Role
from portal.security.scope import Actor, Scope
from tests.local.conftest import temporary_data_folder
from tests.support import forked_db, servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

NAME = "portal_roles"
HERE, NEIGHBOUR = UUID(int=91), UUID(int=92)
#: Somebody of two authorities, of one, and of none yet.
BOTH, ONE, NONE = UUID(int=1), UUID(int=2), UUID(int=3)
PEOPLE = "SELECT id, name, email, password_hash, totp_secret, totp_last_step FROM person ORDER BY id"


@pytest.fixture
def superuser() -> Iterator[Connection[Any]]:
    """A superuser's connection to a database of revision 0006 with rows in it."""
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{NAME}" WITH (FORCE)'.encode())
        server.execute(f'CREATE DATABASE "{NAME}" OWNER portal_owner'.encode())
        with psycopg.connect(os.environ[servers.SUPER], dbname=NAME, autocommit=True) as connection:
            _bring("0006_school_records")
            _fill(connection)
            yield connection
        server.execute(f'DROP DATABASE IF EXISTS "{NAME}" WITH (FORCE)'.encode())


def _bring(to: str, *, down: bool = False) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.HERE))
    config.attributes["owner_url"] = os.environ[servers.OWNER].format(NAME)
    (command.downgrade if down else command.upgrade)(config, to)


def _fill(connection: Connection[Any]) -> None:
    for number, authority in enumerate((HERE, NEIGHBOUR)):
        connection.execute(
            "INSERT INTO authority (id, slug, name, la_code, demonstration, created_at) VALUES (%s, %s, 'A', '', false, now())",
            [authority, f"authority-{number}"],
        )
    for person in (BOTH, ONE, NONE):
        connection.execute(
            "INSERT INTO person (id, name, email, email_folded, password_hash, totp_secret, totp_last_step, demonstration,"
            " created_at) VALUES (%s, 'P', %s, %s, %s, %s, %s, false, now())",
            [person, f"{person}@x", f"{person}@x", f"hash of {person}", b"secret" if person == BOTH else None, person.int],
        )
    for person, authority in ((BOTH, HERE), (BOTH, NEIGHBOUR), (BOTH, HERE), (ONE, HERE)):
        connection.execute(
            "INSERT INTO membership (id, person_id, authority_id, role, school_ids, created_at)"
            " VALUES (%s, %s, %s, 'la-officer', '{}', now())",
            [uuid4(), person, authority],
        )
    previous = GENESIS_HASH
    for sequence in (1, 2):
        previous = _add_event(connection, sequence, previous)
    connection.execute("INSERT INTO audit_head (authority_id, sequence, hash) VALUES (%s, 2, %s)", [HERE, previous])


def _add_event(connection: Connection[Any], sequence: int, previous: str) -> str:
    """Add an event as a portal of revision 0006 did: hashed by Python."""
    body = {"sequence": sequence, "authority": str(HERE), "at": "2026-01-05T09:00:00+00:00", "person": str(ONE)}
    body |= {
        "membership": "None",
        "role": "la-officer",
        "event": "test.done",
        "subject": "None",
        "facts": {"n": sequence, "é": ["x"]},
    }
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    digest = hashlib.sha256((previous + text).encode()).hexdigest()
    connection.execute(
        "INSERT INTO audit_event (authority_id, sequence, at, person_id, role, event, facts, hash)"
        " VALUES (%s, %s, '2026-01-05 09:00Z', %s, 'la-officer', 'test.done', %s, %s)",
        [HERE, sequence, ONE, json.dumps({"n": sequence, "é": ["x"]}), digest],
    )
    return digest


def test_people_passwords_and_factors_are_kept_there_and_back(superuser: Connection[Any]) -> None:
    before = superuser.execute(PEOPLE.encode()).fetchall()
    _bring("0007_roles_and_read_log")
    assert (
        superuser.execute(PEOPLE.replace("FROM person", "FROM person JOIN credential ON person_id = id").encode()).fetchall()
        == before
    )
    authorities = superuser.execute("SELECT id, authority_ids FROM person ORDER BY id").fetchall()
    assert authorities == [(BOTH, [HERE, NEIGHBOUR]), (ONE, [HERE]), (NONE, [])]
    _bring("0006_school_records", down=True)
    assert superuser.execute(PEOPLE.encode()).fetchall() == before
    assert superuser.execute("SELECT count(*) FROM membership").fetchone() == (4,)


def test_a_chain_that_python_hashed_goes_on_in_the_database(superuser: Connection[Any]) -> None:
    _bring("0007_roles_and_read_log")
    with psycopg.connect(os.environ[servers.APP].format(NAME), autocommit=True) as app:
        app.execute("SELECT set_config('app.authority', %s, false)", [str(HERE)])
        appended = app.execute("SELECT append_audit_event(now(), NULL, NULL, 'system', 'test.done', NULL, '{\"n\": 3}')").fetchone()
    assert appended == (3,)

    def the_chain_holds() -> None:
        with unit_of_work(Scope(HERE, None, Actor(None, None, "auditor"))):
            check = check_chain()
            assert (check.rows, check.first_bad) == (3, None)

    assert forked_db.run_forked(NAME, the_chain_holds) == 0


@pytest.mark.slow
def test_a_database_with_one_address_gets_its_roles_and_the_portal_runs_with_it() -> None:
    """A hosted database: its one user owns everything and may make roles, and is no superuser."""
    with temporary_data_folder() as folder:
        server = EmbeddedPostgres(folder, durable=False)
        server.start()
        try:
            with psycopg.connect(server.superuser_url, autocommit=True) as connection:
                connection.execute("DROP DATABASE portal")
                for role in ("portal_app", "portal_owner", "portal_sign_in"):
                    connection.execute(f"DROP ROLE {role}".encode())
                connection.execute("CREATE ROLE hosted LOGIN CREATEROLE PASSWORD 'hosted'")
                connection.execute("CREATE DATABASE portal OWNER hosted TEMPLATE template0")
            url = f"postgresql://hosted:hosted@{server.superuser_url.partition('@')[2].rpartition('/')[0]}/portal"
            migrations.upgrade(url)
            assert forked_db.run_forked(url, _signs_in_and_acts, url=url) == 0
        finally:
            server.stop()


def _signs_in_and_acts() -> None:
    with unit_of_work(command_line_scope(HERE)):
        people_actions.add_authority("here", "Here", "001")
        person = people_actions.add_person("Ann Officer", "ann@x.example", password_hash="hash")
        people_actions.add_membership(person.id, Role.LA_OFFICER)
    with unit_of_work(None):
        assert account_by_email("ann@x.example") is not None
    with unit_of_work(command_line_scope(NEIGHBOUR)):
        assert tx().scalars(select(Person)).all() == []
