"""Type previews by kind, give invitations a state, and write what is due of both.

Nothing is lost: what `upload.preview` held is in `preview` or in `file_columns` afterwards, and in one again on the way
back. Row security binds the owner too (FORCE), and without a scope it would see no row to change, so it is lifted for the
length of the migration's transaction.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

if TYPE_CHECKING:
    from collections.abc import Iterator

revision = "0008_upload_preview"
down_revision = "0007_roles_and_read_log"

INVITATION_CHECKS = {
    "state_known": "state IN ('sent', 'accepted', 'withdrawn', 'expired')",
    "accepted_when": "(state = 'accepted') = (accepted_at IS NOT NULL)",
    "withdrawn_when": "(state = 'withdrawn') = (withdrawn_at IS NOT NULL)",
}
COLUMNS = "ARRAY['columns', 'fingerprint', 'lacking']"
DAY_IN_ENGLAND = "({} AT TIME ZONE 'Europe/London')::date"


def upgrade() -> None:
    """Part the previews, give invitations their state, and write what is due."""
    with _seeing_every_row("upload", "invitation", "due"):
        _part_previews()
        _add_states_of_invitations()
        _write_due()
    # Whoever accepts an invitation has no role yet, so it is done with the rights of signing in.
    op.execute("GRANT SELECT, DELETE ON due TO portal_sign_in")


def downgrade() -> None:
    """Put previews and columns back into one, and take the states of invitations away."""
    op.execute("REVOKE SELECT, DELETE ON due FROM portal_sign_in")
    with _seeing_every_row("upload", "invitation", "due"):
        op.execute("DELETE FROM due WHERE kind IN ('upload', 'invitation')")
        op.execute("UPDATE upload SET preview = coalesce(preview - 'kind', '{}') || coalesce(file_columns, '{}')")
        op.alter_column("upload", "preview", nullable=False)
        op.drop_column("upload", "file_columns")
        op.drop_column("invitation", "state")


def _part_previews() -> None:
    op.add_column("upload", sa.Column("file_columns", JSONB()))
    op.alter_column("upload", "preview", nullable=True)
    # A file that was not previewed has no preview, rather than an empty one.
    op.execute(
        "UPDATE upload SET file_columns = CASE WHEN preview ? 'columns' THEN jsonb_build_object("
        "'columns', preview -> 'columns', 'fingerprint', preview -> 'fingerprint', 'lacking', preview -> 'lacking') END,"
        f" preview = CASE WHEN preview - {COLUMNS} = '{{}}' THEN NULL ELSE (preview - {COLUMNS}) || jsonb_build_object("
        "'kind', CASE WHEN preview ? 'pupils' THEN 'pupils' WHEN preview ? 'totals' THEN 'totals' ELSE 'marks' END) END"
    )


def _add_states_of_invitations() -> None:
    op.add_column("invitation", sa.Column("state", sa.Text()))
    op.execute(
        "UPDATE invitation SET state = CASE WHEN accepted_at IS NOT NULL THEN 'accepted' WHEN withdrawn_at IS NOT NULL"
        " THEN 'withdrawn' WHEN expires_at <= now() THEN 'expired' ELSE 'sent' END"
    )
    op.alter_column("invitation", "state", nullable=False)
    for name, condition in INVITATION_CHECKS.items():
        op.create_check_constraint(name, "invitation", condition)


def _write_due() -> None:
    """Write what is due of open files and invitations; from here on their steps do."""
    columns = "authority_id, id, kind, thing_id, school_id, state, owner, next_date, why, endpoint, since"
    decision_day = f"{DAY_IN_ENGLAND.format('received_at')} + 7"
    op.execute(
        f"INSERT INTO due ({columns}) SELECT authority_id, gen_random_uuid(), 'upload', id, school_id, state,"
        f" CASE WHEN state IN ('received', 'applying') THEN 'portal' ELSE 'school' END,"
        f" CASE WHEN state IN ('received', 'applying') THEN NULL ELSE {decision_day} END,"
        " CASE state WHEN 'needs-mapping' THEN 'Match the columns of the file, or cancel the upload'"
        " WHEN 'previewed' THEN 'Apply the file, or cancel the upload'"
        " ELSE 'The portal does it as soon as a worker is free.' END, 'uploads.show', now()"
        " FROM upload WHERE state IN ('received', 'needs-mapping', 'previewed', 'applying')"
    )
    op.execute(
        f"INSERT INTO due ({columns}) SELECT authority_id, gen_random_uuid(), 'invitation', id, NULL, state, 'person',"
        f" {DAY_IN_ENGLAND.format('expires_at')}, 'Not accepted yet: after this day it must be sent again',"
        " 'accounts.people', now() FROM invitation WHERE state = 'sent'"
    )


@contextmanager
def _seeing_every_row(*tables: str) -> Iterator[None]:
    """Lift forced row security while the block runs, so that the owner sees every row."""
    forced = op.get_bind().scalars(
        sa.text("SELECT relname FROM pg_class WHERE oid = ANY (CAST(:names AS regclass[])) AND relforcerowsecurity"),
        {"names": list(tables)},
    )
    names = forced.all()
    for name in names:
        op.execute(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
    yield
    for name in names:
        op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
