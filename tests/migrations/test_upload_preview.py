"""The migration that parts previews from columns and gives invitations a state, over rows of the version before."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from psycopg.rows import dict_row

import migrations
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASE = "portal_previews"
NOW = datetime.now(UTC)  # noqa: TID251  the migration asks PostgreSQL's clock, which no test can set
COLUMNS = {"columns": [{"header": "What", "meaning": None, "samples": ["I"]}], "fingerprint": "5a4e", "lacking": ["upn"]}
#: What an upload's preview was, and what is in `preview` and `file_columns` afterwards.
PREVIEWS: dict[str, tuple[dict[str, Any], dict[str, Any] | None, dict[str, Any] | None]] = {
    "received": ({}, None, None),
    "needs-mapping": (COLUMNS, None, COLUMNS),
    "previewed": ({"added": 3, "weeks": [], **COLUMNS}, {"kind": "marks", "added": 3, "weeks": []}, COLUMNS),
    "applied": ({"pupils": {"new": 1}, **COLUMNS}, {"kind": "pupils", "pupils": {"new": 1}}, COLUMNS),
    "cancelled": ({"totals": 2, **COLUMNS}, {"kind": "totals", "totals": 2}, COLUMNS),
}
INVITATIONS = {
    "sent": (None, None, timedelta(days=2)),
    "expired": (None, None, timedelta(days=-2)),
    "accepted": (NOW, None, timedelta(days=-2)),
    "withdrawn": (None, NOW, timedelta(days=2)),
}


@pytest.fixture
def earlier() -> Iterator[Config]:
    """Alembic, at a database of the version before."""
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{DATABASE}" OWNER portal_owner')
    config = Config()
    config.set_main_option("script_location", str(migrations.HERE))
    config.attributes["owner_url"] = os.environ[servers.OWNER].format(DATABASE)
    command.upgrade(config, "0008_upload_preview-1")
    yield config
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')


def _connect() -> psycopg.Connection[dict[str, Any]]:
    url = os.environ[servers.SUPER].rsplit("/", 1)[0]
    return psycopg.connect(f"{url}/{DATABASE}", row_factory=dict_row)


def _plant() -> tuple[dict[str, UUID], dict[str, UUID]]:
    """Rows of the version before: an upload and an invitation in each state."""
    uploads, invitations = {state: uuid4() for state in PREVIEWS}, {state: uuid4() for state in INVITATIONS}
    with _connect() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO school (authority_id, id, urn, name, phase) VALUES (%s, %s, '900001', 'Brook Lane', 'primary')",
            [UUID(int=1), UUID(int=2)],
        )
        for state, upload_id in uploads.items():
            connection.execute(
                "INSERT INTO upload (authority_id, id, school_id, kind, state, file_name, sha256, size, received_at, mapping,"
                " add_pupils, preview, rows_in, rows_stored, rows_rejected, applied_at)"
                " VALUES (%s, %s, %s, 'marks', %s, 'x', 'x', 1, '2026-11-25 23:30+00', '{}', false, %s, 0, 0, 0, %s)",
                [UUID(int=1), upload_id, UUID(int=2), state, json.dumps(PREVIEWS[state][0]), NOW if state == "applied" else None],
            )
        for state, invitation_id in invitations.items():
            accepted_at, withdrawn_at, left = INVITATIONS[state]
            connection.execute(
                "INSERT INTO invitation (id, authority_id, email, name, role, school_ids, token_hash, created_at, expires_at,"
                " accepted_at, withdrawn_at) VALUES (%s, %s, 'x', 'x', 'auditor', '{}', %s, now(), %s, %s, %s)",
                [invitation_id, UUID(int=1), state, NOW + left, accepted_at, withdrawn_at],
            )
    return uploads, invitations


def test_nothing_of_a_preview_is_lost_and_what_is_open_becomes_due(earlier: Config) -> None:
    uploads, invitations = _plant()
    command.upgrade(earlier, "0008_upload_preview")
    with _connect() as connection:
        rows = {row["state"]: row for row in connection.execute("SELECT id, state, preview, file_columns FROM upload")}
        assert {state: (row["preview"], row["file_columns"]) for state, row in rows.items()} == {
            state: (preview, columns) for state, (_, preview, columns) in PREVIEWS.items()
        }
        assert {row["id"]: row["state"] for row in connection.execute("SELECT id, state FROM invitation")} == {
            invitation_id: state for state, invitation_id in invitations.items()
        }
        due = {row["thing_id"]: row for row in connection.execute("SELECT * FROM due")}
        live = {uploads[state] for state in ("received", "needs-mapping", "previewed")} | {invitations["sent"]}
        assert set(due) == live
        assert due[uploads["received"]]["next_date"] is None
        assert due[uploads["previewed"]]["next_date"] == date(2026, 12, 2)
        assert (due[uploads["previewed"]]["owner"], due[invitations["sent"]]["owner"]) == ("school", "person")
    command.downgrade(earlier, "-1")
    with _connect() as connection:
        rows = {row["state"]: row["preview"] for row in connection.execute("SELECT state, preview FROM upload")}
    assert rows == {state: preview for state, (preview, _, _) in PREVIEWS.items()}
