"""Which way of counting each school's year was made by. Years without a row wait for their recount."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_counting_version"
down_revision = "0008_upload_preview"

_AUTHORITY = "authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid)"
_REACHED = (
    "(SELECT current_setting('app.schools', true) = '*') OR school_id = "
    "ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])"
)
VISIBLE = f"{_AUTHORITY} AND ({_REACHED})"


def upgrade() -> None:
    """Make the table, empty: every year counted before is out of date."""
    op.create_table(
        "counted_year",
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("academic_year", sa.SmallInteger(), nullable=False),
        sa.Column("way_of_counting", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("authority_id", "school_id", "academic_year", name="pk_counted_year"),
        sa.ForeignKeyConstraint(
            ["authority_id", "school_id"],
            ["school.authority_id", "school.id"],
            name="fk_counted_year_authority_id_school_id_school",
        ),
    )
    op.execute("ALTER TABLE counted_year ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE counted_year FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY counted_year_seen ON counted_year FOR SELECT USING ({VISIBLE})")
    op.execute(f"CREATE POLICY counted_year_added ON counted_year FOR INSERT WITH CHECK ({VISIBLE})")
    op.execute(f"CREATE POLICY counted_year_changed ON counted_year FOR UPDATE USING ({VISIBLE}) WITH CHECK ({VISIBLE})")
    op.execute(f"CREATE POLICY counted_year_removed ON counted_year FOR DELETE USING ({VISIBLE})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON counted_year TO portal_app")


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("counted_year")
