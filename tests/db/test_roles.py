"""The roles of the database: what the app's own cannot reach, and when it acts as the other."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from portal.accounts.actions import people as people_actions
from portal.accounts.actions.invitations import invite
from portal.accounts.domain.roles import Reach
from portal.accounts.models import Credential, Invitation, Membership, Person
from portal.accounts.queries.principals import account, command_line_scope
from portal.db import connection as database
from portal.db.work import action, sign_in_rights, tx, unit_of_work
from portal.security.permissions import Role
from tests.support import forked_db, servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection
    from sqlalchemy import Engine

    from tests.support.world import World

TABLES_OF_SIGNING_IN = ("credential", "recovery_code", "password_reset", "sign_in", "sign_in_attempt")


@pytest.fixture
def app(engine: Engine, database_name: str) -> Iterator[Connection[Any]]:
    """A connection of the app's own role, rolled back at the end."""
    with psycopg.connect(os.environ[servers.APP].format(database_name)) as connection:
        yield connection
        connection.rollback()


def _role_now() -> str:
    return str(tx().scalar(text("SELECT current_user")))


@pytest.mark.parametrize("table", TABLES_OF_SIGNING_IN)
def test_the_apps_own_role_cannot_read_the_tables_of_signing_in(app: Connection[Any], table: str) -> None:
    statement = f"SELECT count(*) FROM {table}".encode()  # noqa: S608  names of ours
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(statement)
    app.rollback()
    app.execute("SET LOCAL ROLE portal_sign_in")
    assert app.execute(statement).fetchone()
    app.commit()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(statement)


def test_a_unit_of_work_acts_as_the_app_and_a_block_of_signing_in_as_the_other_role(world: World) -> None:
    with unit_of_work(world.authority.scope()):
        assert _role_now() == "portal_app"
        with sign_in_rights():
            assert _role_now() == "portal_sign_in"
            with sign_in_rights():
                assert _role_now() == "portal_sign_in"
            assert _role_now() == "portal_sign_in"
        assert _role_now() == "portal_app"
    with sign_in_rights(), unit_of_work(None):
        assert _role_now() == "portal_sign_in"
    with unit_of_work(None):
        assert _role_now() == "portal_app"


def test_the_rights_of_signing_in_end_with_an_error_a_commit_or_a_rollback(world: World) -> None:
    person_id = world.authority.people[Role.LA_OFFICER][0]
    with unit_of_work(world.authority.scope()) as session:
        with pytest.raises(ZeroDivisionError), sign_in_rights():
            _ = 1 / 0
        assert _role_now() == "portal_app"
        with sign_in_rights():
            session.rollback()
            assert _role_now() == "portal_sign_in"
        assert _role_now() == "portal_app"
        assert account(person_id) is not None
        with pytest.raises(ProgrammingError, match="permission denied"):
            session.scalars(select(Credential)).all()
        session.rollback()
        assert _role_now() == "portal_app"


def test_what_a_block_of_signing_in_changed_is_written_before_its_rights_go(world: World) -> None:
    person_id = world.authority.people[Role.LA_OFFICER][0]
    with unit_of_work(world.authority.scope(Role.LA_ADMINISTRATOR)):
        _reinstate_with_password(person_id, "not a hash")
        changed = account(person_id)
        assert changed is not None
        assert changed.password_hash == "not a hash"


@action
def _reinstate_with_password(person_id: UUID, password_hash: str) -> None:
    with sign_in_rights():
        tx().get_one(Credential, person_id).password_hash = password_hash
    people_actions.reinstate(person_id)


@pytest.mark.parametrize("model", [Person, Membership, Invitation], ids=lambda model: model.__tablename__)
def test_people_and_memberships_of_another_authority_are_not_there(world: World, model: Any) -> None:
    def ids(scope: Any) -> set[UUID]:
        with unit_of_work(scope):
            return set(tx().scalars(select(model.id)))

    for authority in (world.authority, world.neighbour):
        with unit_of_work(authority.scope(Role.LA_ADMINISTRATOR)):
            _invite(authority.id)
    own, next_door = ids(command_line_scope(world.authority.id)), ids(command_line_scope(world.neighbour.id))
    assert own
    assert next_door
    assert not own & next_door
    assert ids(None) == set()
    with sign_in_rights():
        assert ids(None) == own | next_door


@action
def _invite(authority_id: UUID) -> None:
    invite("New Person", f"new@{authority_id}.example", Reach(Role.LA_OFFICER), lambda token: token)


def test_a_person_with_roles_in_two_authorities_is_seen_in_both_and_in_no_third(world: World) -> None:
    person_id = world.authority.people[Role.LA_OFFICER][0]
    with unit_of_work(world.neighbour.scope(Role.LA_ADMINISTRATOR)):
        assert tx().get(Person, person_id) is None
        membership = people_actions.add_membership(person_id, Role.LA_OFFICER)
        assert tx().get(Person, person_id) is not None
        people_actions.end_membership(membership.id)
        # The authority's audit goes on naming them.
        assert tx().get(Person, person_id) is not None
    with unit_of_work(world.authority.scope()):
        assert tx().get_one(Person, person_id).authority_ids == [world.authority.id, world.neighbour.id]
    with unit_of_work(command_line_scope(uuid4())):
        assert tx().get(Person, person_id) is None


PERSON_OF_TWO_AUTHORITIES = (
    "INSERT INTO person (id, name, email, email_folded, authority_ids, demonstration, created_at) VALUES"
    " (gen_random_uuid(), 'N', 'e', 'e', ARRAY[current_setting('app.authority')::uuid, gen_random_uuid()], false, now())"
)
MEMBERSHIP_ELSEWHERE = (
    "INSERT INTO membership (id, person_id, authority_id, role, school_ids, created_at)"
    " VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'la-administrator', '{}', now())"
)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE person SET email = 'attacker@evil.example', email_folded = 'attacker@evil.example'",
        "UPDATE person SET authority_ids = '{}'",
        "DELETE FROM person",
        "DELETE FROM membership",
        "DELETE FROM invitation",
        PERSON_OF_TWO_AUTHORITIES,
        MEMBERSHIP_ELSEWHERE,
        "UPDATE membership SET authority_id = gen_random_uuid()",
    ],
)
def test_sql_as_the_apps_own_role_can_neither_take_over_a_person_nor_give_a_role_elsewhere(world: World, statement: str) -> None:
    with (
        unit_of_work(world.authority.scope()) as session,
        pytest.raises(ProgrammingError, match=r"permission denied|row-level security"),
    ):
        session.connection().exec_driver_sql(statement)


def _as_owner(name: str, work: Callable[[Engine], None]) -> None:
    """Do `work` in a process of its own whose database address is the owner's."""

    def connected() -> None:
        engine = database.connect(os.environ[servers.OWNER].format(name))
        work(engine)

    assert forked_db.run_forked(name, connected) == 0


def test_each_transaction_of_an_owners_address_is_lowered_and_the_session_is_not(worker_id: str, engine: Engine) -> None:
    def work(owners_engine: Engine) -> None:
        for _ in range(2):
            with owners_engine.connect() as connection:
                assert connection.scalar(text("SELECT current_user")) == "portal_app"
                connection.rollback()
                assert connection.scalar(text("SELECT current_user")) == "portal_app"
                connection.commit()
                raw = connection.connection.driver_connection
                assert raw is not None
                # What the next client of a pooler would find.
                assert raw.execute("SELECT current_user").fetchone() == ("portal_owner",)
                raw.rollback()
            with unit_of_work(None), sign_in_rights():
                assert _role_now() == "portal_sign_in"

    with forked_db.copied_database(f"portal_owner_{worker_id}") as name:
        _as_owner(name, work)


def test_behind_a_pooler_nothing_is_prepared_and_nothing_set_for_the_session(worker_id: str, engine: Engine) -> None:
    def work() -> None:
        pooled = database.connect(os.environ[servers.APP].format(name), pooler=True)
        with pooled.connect() as connection:
            for _ in range(20):
                connection.execute(text("SELECT 1"))
            assert connection.scalar(text("SELECT count(*) FROM pg_prepared_statements")) == 0
            assert connection.scalar(text("SHOW statement_timeout")) == "0", "ALTER ROLE gives it, as the guide says"
        direct = database.connect(os.environ[servers.APP].format(name))
        with direct.connect() as connection:
            assert connection.scalar(text("SHOW statement_timeout")) == "15s"

    with forked_db.copied_database(f"portal_pooler_{worker_id}") as name:
        assert forked_db.run_forked(name, work) == 0
