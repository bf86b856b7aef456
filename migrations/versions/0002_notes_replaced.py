"""Keep a note on a mark that another upload replaced, so that reverting that upload restores it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_notes_replaced"
down_revision = "0001_baseline"


def upgrade() -> None:
    """Add the upload that replaced a note; it is empty for a current note."""
    op.add_column("mark_note", sa.Column("replaced_by", sa.Uuid(), nullable=True))


def downgrade() -> None:
    """Delete replaced notes, which an earlier version would show."""
    op.execute("DELETE FROM mark_note WHERE replaced_by IS NOT NULL")
    op.drop_column("mark_note", "replaced_by")
