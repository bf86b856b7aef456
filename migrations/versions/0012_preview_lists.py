"""The lists beside a preview: changes by pupil, and pupils left out or new."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012_preview_lists"
down_revision = "0011_pupil_search"


def upgrade() -> None:
    """Add the column, empty: a file checked before has its counts alone."""
    op.add_column("upload_content", sa.Column("preview_lists", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    """Remove the column."""
    op.drop_column("upload_content", "preview_lists")
