"""A log of reads, one way into the audit, and a role for the tables of signing in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import op
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

if TYPE_CHECKING:
    from sqlalchemy import Connection

revision = "0007_roles_and_read_log"
down_revision = "0006_school_records"

#: Frozen: made from the models of a later day, this revision would change with them.
STATEMENTS = Path(__file__).with_suffix(".sql")
APP_ROLE, SIGN_IN_ROLE = "portal_app", "portal_sign_in"
SHARED = ("invitation", "membership", "person")
OF_SIGNING_IN = ("recovery_code", "password_reset", "sign_in", "sign_in_attempt")
#: From this version on a membership itself says whether it inherits; before, only the member as a whole.
INHERIT_BY_GRANT = 160_000


def upgrade() -> None:
    """Make the role where it is missing, and create and change everything else. Every row is kept."""
    bind = op.get_bind()
    try:
        _make_role(bind)
    except ProgrammingError as error:
        message = (
            f"Make the role {SIGN_IN_ROLE} first: the owner may not. A superuser runs the statements that name it in "
            "docs/production.md, section 1; then migrate again."
        )
        raise RuntimeError(message) from error
    bind.exec_driver_sql(STATEMENTS.read_text(encoding="utf-8"))


def _make_role(bind: Connection) -> None:
    """Make the role of signing in, which the app's role may take on without having its rights otherwise."""
    if not bind.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": SIGN_IN_ROLE}):
        bind.execute(text(f"CREATE ROLE {SIGN_IN_ROLE} NOLOGIN"))
        # So that a portal that signs in as the owner can take it on.
        bind.execute(text(f"GRANT {SIGN_IN_ROLE} TO CURRENT_USER"))
    can_set = text("SELECT 1 FROM pg_auth_members WHERE roleid = CAST(:role AS regrole) AND member = CAST(:member AS regrole)")
    if bind.scalar(can_set, {"role": SIGN_IN_ROLE, "member": APP_ROLE}):
        return
    if int(bind.scalar(text("SHOW server_version_num")) or 0) >= INHERIT_BY_GRANT:
        bind.execute(text(f"GRANT {SIGN_IN_ROLE} TO {APP_ROLE} WITH INHERIT FALSE"))
    else:
        bind.execute(text(f"ALTER ROLE {APP_ROLE} NOINHERIT"))
        bind.execute(text(f"GRANT {SIGN_IN_ROLE} TO {APP_ROLE}"))


def downgrade() -> None:
    """Give every right back and put passwords on the person again. The log of reads goes, with its rows."""
    for table in SHARED:
        for policy in ("seen", "added", "changed", "signing_in"):
            op.execute(f"DROP POLICY {table}_{policy} ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE person ADD COLUMN password_hash TEXT, ADD COLUMN totp_secret BYTEA, ADD COLUMN totp_last_step INTEGER")
    op.execute(
        "UPDATE person SET (password_hash, totp_secret, totp_last_step) ="
        " (SELECT password_hash, totp_secret, totp_last_step FROM credential WHERE person_id = person.id)"
    )
    op.execute("DROP TABLE credential")
    op.execute("ALTER TABLE person DROP COLUMN authority_ids")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join((*SHARED, *OF_SIGNING_IN))} TO {APP_ROLE}")
    op.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {SIGN_IN_ROLE}")
    op.execute(f"REVOKE USAGE ON SCHEMA public FROM {SIGN_IN_ROLE}")
    op.execute(f"GRANT INSERT ON audit_event TO {APP_ROLE}")
    op.execute(f"GRANT INSERT, UPDATE, DELETE ON audit_head TO {APP_ROLE}")
    op.execute("DROP FUNCTION append_audit_event, audit_json, audit_json_string, audit_time")
    op.execute("DROP TABLE read_log")
    op.execute("DROP INDEX ix_audit_event_at")
