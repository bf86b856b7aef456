"""Revision 0005 keeps a running portal's rows: each row of an upload gets its upload's school."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest
from alembic import command
from alembic.config import Config

import migrations
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

NAME = "portal_visibility"
HERE, NEIGHBOUR = uuid4(), uuid4()
#: Two schools here and one of a neighbour, each with an upload. Both authorities have an upload of the same id.
SCHOOLS = {number: uuid4() for number in (1, 2, 3)}
UPLOADS = {1: UUID(int=1), 2: UUID(int=2), 3: UUID(int=1)}
AUTHORITIES = {1: HERE, 2: HERE, 3: NEIGHBOUR}
TABLES = ("upload_content", "finding", "upload_progress", "reported_total")


@pytest.fixture
def superuser() -> Iterator[Connection[Any]]:
    """A superuser's connection to an empty database."""
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{NAME}" WITH (FORCE)'.encode())
        server.execute(f'CREATE DATABASE "{NAME}" OWNER portal_owner'.encode())
        with psycopg.connect(os.environ[servers.SUPER], dbname=NAME, autocommit=True) as connection:
            yield connection
        server.execute(f'DROP DATABASE IF EXISTS "{NAME}" WITH (FORCE)'.encode())


def _bring(to: str, *, down: bool = False) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.HERE))
    config.attributes["owner_url"] = os.environ[servers.OWNER].format(NAME)
    (command.downgrade if down else command.upgrade)(config, to)


def _fill(connection: Connection[Any]) -> None:
    """What a portal of revision 0004 may hold: uploads with content, findings, progress and totals."""
    for number, authority in AUTHORITIES.items():
        school, upload = SCHOOLS[number], UPLOADS[number]
        connection.execute(
            "INSERT INTO school (authority_id, id, urn, name, phase) VALUES (%s, %s, '900001', 'S', 'primary')"
            if number != 2
            else "INSERT INTO school (authority_id, id, urn, name, phase) VALUES (%s, %s, '900002', 'S', 'primary')",
            [authority, school],
        )
        connection.execute(
            "INSERT INTO upload (authority_id, id, school_id, kind, state, file_name, sha256, size, received_at, mapping,"
            " add_pupils, preview, rows_in, rows_stored, rows_rejected)"
            " VALUES (%s, %s, %s, 'marks', 'previewed', 'f.csv', '', 1, now(), '{}', false, '{}', 0, 0, 0)",
            [authority, upload, school],
        )
        connection.execute("INSERT INTO upload_content VALUES (%s, %s, %s, NULL)", [authority, upload, f"bytes {number}".encode()])
        for finding in (1, 2):
            connection.execute(
                "INSERT INTO finding (authority_id, upload_id, number, kind, rejected, rows, sentence, count)"
                " VALUES (%s, %s, %s, 'k', true, '1', 's', 1)",
                [authority, upload, finding],
            )
        connection.execute("INSERT INTO upload_progress VALUES (%s, %s, 'Reading', 1, 2, now())", [authority, upload])
        connection.execute(
            "INSERT INTO reported_total (authority_id, id, upload_id, school_id, span) VALUES (%s, %s, %s, %s, '')",
            [authority, uuid4(), upload, school],
        )
    # Progress has no key to its upload, so that it may outlive one.
    connection.execute("INSERT INTO upload_progress VALUES (%s, %s, 'Reading', 1, 2, now())", [HERE, uuid4()])


def _schools_of(connection: Connection[Any], table: str) -> set[tuple[UUID, UUID, UUID]]:
    return {
        (authority, upload, school)
        for authority, upload, school in connection.execute(f"SELECT authority_id, upload_id, school_id FROM {table}".encode())  # noqa: S608  names of ours
    }


def test_rows_of_uploads_get_their_uploads_school_and_nothing_is_lost(superuser: Connection[Any]) -> None:
    _bring("0004_plain_names")
    _fill(superuser)
    _bring("0005_visibility")
    expected = {(AUTHORITIES[number], UPLOADS[number], SCHOOLS[number]) for number in SCHOOLS}
    assert {table: _schools_of(superuser, table) for table in TABLES} == dict.fromkeys(TABLES, expected)
    counts = [superuser.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() for table in TABLES]  # noqa: S608  names of ours
    assert counts == [(3,), (6,), (3,), (3,)]
    contents = superuser.execute("SELECT received FROM upload_content ORDER BY 1").fetchall()
    assert [bytes(received) for (received,) in contents] == [b"bytes 1", b"bytes 2", b"bytes 3"]


def test_a_row_cannot_name_another_school_than_its_uploads(superuser: Connection[Any]) -> None:
    _bring("0004_plain_names")
    _fill(superuser)
    _bring("0005_visibility")
    for table in ("upload_content", "finding", "reported_total"):
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            superuser.execute(f"UPDATE {table} SET school_id = %s WHERE school_id = %s".encode(), [SCHOOLS[2], SCHOOLS[1]])  # noqa: S608  names of ours


def test_the_rows_survive_going_back_and_forth(superuser: Connection[Any]) -> None:
    _bring("0004_plain_names")
    _fill(superuser)
    _bring("0005_visibility")
    _bring("0004_plain_names", down=True)
    assert superuser.execute("SELECT count(*) FROM finding").fetchone() == (6,)
    forced = superuser.execute(
        "SELECT count(*) FROM pg_class WHERE relname = ANY(%s) AND relforcerowsecurity", [["upload", *TABLES]]
    ).fetchone()
    assert forced == (5,)
    _bring("0005_visibility")
    assert len(_schools_of(superuser, "finding")) == 3
