"""Columns and indexes that a search of pupils reads. PostgreSQL fills the columns from the folded names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011_pupil_search"
down_revision = "0010_settings"

COLUMNS = ("surname", "forename")
INDEXES = {
    "ix_pupil_surname_letters": ["authority_id", "surname_letters", "forename_letters"],
    "ix_pupil_forename_letters": ["authority_id", "forename_letters"],
    "ix_pupil_date_of_birth": ["authority_id", "date_of_birth"],
    "ix_pupil_reference": ["authority_id", "reference"],
}


def upgrade() -> None:
    """Add the columns, filled for the pupils there are, and the indexes."""
    for column in COLUMNS:
        letters = sa.Computed(f"regexp_replace({column}_folded, '[ \u02b9-\u02ff]', '', 'g')", persisted=True)
        op.add_column("pupil", sa.Column(f"{column}_letters", sa.Text(collation="C"), letters, nullable=False))
    for name, columns in INDEXES.items():
        op.create_index(name, "pupil", columns)


def downgrade() -> None:
    """Remove the indexes and the columns."""
    for name in INDEXES:
        op.drop_index(name, "pupil")
    for column in COLUMNS:
        op.drop_column("pupil", f"{column}_letters")
