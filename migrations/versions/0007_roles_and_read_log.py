"""A log of reads apart from the chain, and rights that stop where a part of the portal needs none."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0007_roles_and_read_log"
down_revision = "0006_school_records"

#: Frozen: made from the models of a later day, this revision would change with them.
STATEMENTS = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Create the log of reads and the audit's function, and take from the app the rights that these replace."""
    op.get_bind().exec_driver_sql(STATEMENTS.read_text())


def downgrade() -> None:
    """Drop the log of reads, with its rows: an earlier version has no place for them."""
    op.execute("GRANT INSERT ON audit_event TO portal_app")
    op.execute("GRANT INSERT, UPDATE, DELETE ON audit_head TO portal_app")
    op.execute("DROP FUNCTION append_audit_event, audit_json, audit_json_string, audit_time")
    op.execute("DROP TABLE read_log")
    op.execute("DROP INDEX ix_audit_event_at")
