"""The function through which rows enter the audit, called with any SQL as the portal's own role."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from portal.audit.domain.chain import GENESIS_HASH, digest
from portal.audit.models import AuditEvent
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection
    from sqlalchemy import Engine

HERE, NEIGHBOUR = UUID(int=81), UUID(int=82)
AT = datetime(2026, 7, 1, 9, 5, 0, 250, tzinfo=UTC)
APPEND = "SELECT public.append_audit_event(%s, %s, %s, %s, %s, %s, %s)"


@pytest.fixture
def app(engine: Engine, database_name: str) -> Iterator[Connection[Any]]:
    """A connection as the portal's own role, in the scope of one authority, rolled back at the end."""
    with psycopg.connect(os.environ[servers.APP].format(database_name)) as connection:
        connection.execute("SET LOCAL TimeZone = 'UTC'")
        _enter(connection, HERE)
        yield connection
        connection.rollback()


@pytest.fixture
def superuser(engine: Engine, database_name: str) -> Iterator[Connection[Any]]:
    """A connection as the superuser, rolled back at the end."""
    with psycopg.connect(f"{os.environ[servers.SUPER].rsplit('/', 1)[0]}/{database_name}") as connection:
        yield connection
        connection.rollback()


def _enter(connection: Connection[Any], authority_id: UUID | None) -> None:
    connection.execute(
        "SELECT set_config('app.authority', %s, true), set_config('app.schools', '*', true)", [str(authority_id or "")]
    )


def _append(connection: Connection[Any], **changed: object) -> int:
    values = {"at": AT, "person": uuid4(), "membership": None, "role": "la-officer", "event": "test.done", "subject": uuid4()}
    values |= {"facts": {"count": 1}} | changed
    row = connection.execute(APPEND, [Jsonb(value) if name == "facts" else value for name, value in values.items()]).fetchone()
    assert row is not None
    return int(row[0])


def _chain_fits(connection: Connection[Any]) -> bool:
    """Do the rows of the scope fit together, as Python reads and hashes them?"""
    previous, columns = GENESIS_HASH, "authority_id, sequence, at, person_id, membership_id, role, event, subject_id, facts, hash"
    rows = connection.execute(f"SELECT {columns} FROM audit_event ORDER BY sequence".encode()).fetchall()  # noqa: S608  written above
    for number, values in enumerate(rows, 1):
        row = AuditEvent(**dict(zip(columns.split(", "), values, strict=True)))
        if row.sequence != number or row.hash != digest(previous, row):
            return False
        previous = row.hash
    return connection.execute("SELECT sequence, hash FROM audit_head").fetchall() == [(len(rows), previous)]


def test_events_are_numbered_and_hashed_as_the_check_expects(app: Connection[Any]) -> None:
    assert [_append(app), _append(app, person=None, subject=None, facts={}), _append(app, at=AT + timedelta(days=180))] == [1, 2, 3]
    assert _chain_fits(app)


@pytest.mark.parametrize(
    "statement",
    [
        (
            "INSERT INTO audit_event (authority_id, sequence, at, role, event, facts, hash)"
            " VALUES (current_setting('app.authority')::uuid, 2, now(), 'x', 'x', '{}', 'x')"
        ),
        "UPDATE audit_event SET event = 'test.other'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "UPDATE audit_head SET sequence = 0",
        "DELETE FROM audit_head",
        "INSERT INTO audit_head (authority_id, sequence, hash) VALUES (gen_random_uuid(), 0, '')",
        "SELECT 1 FROM audit_head FOR UPDATE",
        "UPDATE read_log SET event = 'test.other'",
        "DELETE FROM read_log",
        "TRUNCATE read_log",
        (
            "INSERT INTO read_log (authority_id, at, role, event, facts, id)"
            " VALUES (current_setting('app.authority')::uuid, now(), 'x', 'x', '{}', 7)"
        ),
        (
            "INSERT INTO read_log (authority_id, at, role, event, facts, transaction_id)"
            " VALUES (current_setting('app.authority')::uuid, now(), 'x', 'x', '{}', 7)"
        ),
        "SELECT setval(pg_get_serial_sequence('read_log', 'id'), 1)",
        "SELECT public.audit_json('{}', 1)",
        "ALTER FUNCTION public.append_audit_event RESET search_path",
    ],
)
def test_the_portals_own_role_may_do_nothing_else_to_the_audit(app: Connection[Any], statement: str) -> None:
    _append(app)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(statement.encode())


def test_an_event_goes_into_the_chain_of_the_scope_alone(app: Connection[Any]) -> None:
    _append(app)
    _enter(app, NEIGHBOUR)
    assert _append(app, facts={"authority": str(HERE), "authority_id": str(HERE), "sequence": 99, "hash": "0" * 64}) == 1
    assert _chain_fits(app)
    _enter(app, HERE)
    assert app.execute("SELECT count(*) FROM audit_event").fetchone() == (1,)
    assert _chain_fits(app)
    _enter(app, None)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        _append(app)


@pytest.mark.parametrize(
    "forged",
    [
        {"event": 'x","sequence":1,"a":"'},
        {"role": '\\"\n\x01\x7fé\N{FLUSHED FACE}'},
        {"facts": {'"': "\\", "é": [None, True, {"b": 1, "a": -2}], "": "", "Z": "a", "a": "Z"}},
        {"at": datetime(2026, 10, 25, 1, 30, tzinfo=ZoneInfo("Europe/London"), fold=1)},
        {"at": datetime(2000, 1, 1, tzinfo=UTC)},
    ],
)
def test_whatever_is_put_into_an_event_the_chain_holds(app: Connection[Any], forged: dict[str, object]) -> None:
    _append(app)
    _append(app, **forged)
    _append(app)
    assert _chain_fits(app)


@pytest.mark.parametrize(
    "forged",
    [
        {"at": "infinity"},
        {"at": "1066-10-14 00:00Z"},
        {"at": None},
        {"role": None},
        {"event": None},
        {"facts": None},
        {"facts": []},
        {"facts": {"share": 0.5}},
        {"facts": {"count": 10**30}},
        {"facts": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}}}},
    ],
    ids=str,
)
def test_an_event_that_would_be_read_back_otherwise_is_refused(app: Connection[Any], forged: dict[str, object]) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        _append(app, **forged)


def test_a_function_of_the_callers_own_does_not_stand_in_for_one_the_audit_uses(app: Connection[Any]) -> None:
    app.execute("CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT $1'")
    app.execute("CREATE TEMPORARY TABLE audit_event (sequence int)")
    app.execute("SET LOCAL search_path = pg_temp, public")
    _append(app)
    app.execute("DROP TABLE pg_temp.audit_event")
    assert _chain_fits(app)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), children, max_size=4)
    ),
    max_leaves=6,
)


@given(facts=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), JSON, max_size=4))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_postgresql_and_python_write_the_same_json(superuser: Connection[Any], facts: dict[str, Any]) -> None:
    row = superuser.execute("SELECT public.audit_json(%s, 0)", [Jsonb(facts)]).fetchone()
    assert row == (json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True),)


@given(at=st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  made aware by `timezones`
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_postgresql_and_python_write_the_same_time(superuser: Connection[Any], at: datetime) -> None:
    row = superuser.execute("SELECT public.audit_time(%s)", [at]).fetchone()
    assert row == (at.astimezone(ZoneInfo("Europe/London")).isoformat(),)


def test_a_row_hashed_by_python_before_the_function_existed_still_fits(app: Connection[Any]) -> None:
    body = {"sequence": 1, "authority": str(HERE), "at": "2026-07-01T10:05:00.000250+01:00", "person": "None", "membership": "None"}
    body |= {"role": "la-officer", "event": "test.done", "subject": "None", "facts": {"count": 1}}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    _append(app, person=None, subject=None)
    expected = hashlib.sha256(GENESIS_HASH.encode() + text.encode()).hexdigest()
    assert app.execute("SELECT hash FROM audit_event").fetchone() == (expected,)
