"""Every unique key declares a sentence for its conflict, or is the portal's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import migrations.tables  # noqa: F401  every model, so that every declaration is known
from portal.db.tables import declared_conflicts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

_RANDOM = "the value is random, made by the portal"
_LOCKED = "written only under the school's lock, which the second waits for"
_LOCKED_UPLOAD = "written by the upload's one job, which locks the upload"
_HOLDS_ID = "holds the id, which is random; other rows name the record's school by it"
_ONE_OWNER = "one row of the portal's own for each thing, inserted with it or by ON CONFLICT"
#: Keys that two people cannot both reach, and why.
MACHINE_MADE = {
    "audit_event": {"pk_audit_event": "numbered under the lock of the chain's head"},
    "audit_head": {"pk_audit_head": _ONE_OWNER},
    "credential": {"pk_credential": "added with its person, whose id is random"},
    "child_link": {"uq_child_link_live": "written under the lock of the authority's links"},
    "contact": {"uq_contact_authority_id_school_id_id": _HOLDS_ID},
    "counted_year": {"pk_counted_year": _LOCKED},
    "current_page": {"pk_current_page": _LOCKED},
    "due": {"uq_due_authority_id_thing_id": _ONE_OWNER},
    "finding": {"pk_finding": _LOCKED_UPLOAD},
    "invitation": {"uq_invitation_token_hash": _RANDOM},
    "outbox_job": {"uq_outbox_job_once": "inserted by ON CONFLICT DO NOTHING"},
    "password_reset": {"uq_password_reset_token_hash": _RANDOM},
    "possible_same_child": {"uq_possible_same_child_authority_id_pupil_id_other_pupil_id": "inserted by ON CONFLICT"},
    "pupil": {"uq_pupil_authority_id_school_id_id": _HOLDS_ID},
    "pupil_contact": {"uq_pupil_contact_authority_id_pupil_id_contact_id": _LOCKED},
    "published_figure": {"uq_published_figure_place_phase_period": "loaded under one advisory lock, after the file was checked"},
    "pupil_year_summary": {"pk_pupil_year_summary": _LOCKED},
    "register_page": {"pk_register_page": _LOCKED},
    "roll_line": {"uq_roll_line_authority_id_school_id_academic_year_line": _LOCKED},
    "school_week_summary": {"pk_school_week_summary": _LOCKED},
    "sign_in": {"uq_sign_in_token_hash": _RANDOM},
    "upload": {"uq_upload_authority_id_school_id_id": _HOLDS_ID},
    "upload_content": {"pk_upload_content": _ONE_OWNER},
    "upload_progress": {"pk_upload_progress": _ONE_OWNER},
}
_KEYS = """
    SELECT t.relname, i.relname, x.indisprimary,
           array(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = ANY(x.indkey))
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    WHERE x.indisunique AND t.relnamespace = 'public'::regnamespace AND t.relname <> 'alembic_version'
    ORDER BY 1, 2
"""


def faults(connection: Connection[Any]) -> Iterator[str]:
    """Unique keys nobody answered for, and answers for keys that are not there."""
    answered = {*declared_conflicts(), *(name for names in MACHINE_MADE.values() for name in names)}
    names = set()
    for table, name, is_primary, columns in connection.execute(_KEYS.encode()):
        names.add(name)
        # An id is a random UUID: two people never make the same one.
        if name not in answered and not (is_primary and set(columns) <= {"authority_id", "id"}):
            yield f"{table}: {name} ({', '.join(columns)}) declares no conflict and is not listed as machine-made"
    yield from (f"{name} is declared and not in the database" for name in sorted(set(declared_conflicts()) - names))


def test_every_unique_key_declares_its_conflict_or_is_machine_made(superuser: Connection[Any]) -> None:
    assert list(faults(superuser)) == []


def test_a_key_nobody_answered_for_is_named(superuser: Connection[Any]) -> None:
    superuser.execute("CREATE UNIQUE INDEX planted ON school (authority_id, name)")
    assert list(faults(superuser)) == [
        "school: planted (authority_id, name) declares no conflict and is not listed as machine-made"
    ]
