"""A log of reads apart from the chain, and rights that stop where a part of the portal needs none."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0007_roles_and_read_log"
down_revision = "0006_school_records"

#: Frozen: made from the models of a later day, this revision would change with them.
STATEMENTS = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Create the log of reads."""
    op.get_bind().exec_driver_sql(STATEMENTS.read_text())


def downgrade() -> None:
    """Drop the log of reads, with its rows: an earlier version has no place for them."""
    op.execute("DROP TABLE read_log")
    op.execute("DROP INDEX ix_audit_event_at")
