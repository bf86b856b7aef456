"""The settings of each authority: a row for each value from a day on, added and never changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010_settings"
down_revision = "0009_counting_version"

VISIBLE = "authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid)"


def upgrade() -> None:
    """Make the table, empty: every authority has the defaults."""
    op.create_table(
        "authority_setting",
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("authority_id", "id", name="pk_authority_setting"),
    )
    op.create_index("ix_authority_setting_name", "authority_setting", ["authority_id", "name", "first_day"])
    op.execute("ALTER TABLE authority_setting ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE authority_setting FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY authority_setting_seen ON authority_setting FOR SELECT USING ({VISIBLE})")
    op.execute(f"CREATE POLICY authority_setting_added ON authority_setting FOR INSERT WITH CHECK ({VISIBLE})")
    op.execute("GRANT SELECT, INSERT ON authority_setting TO portal_app")


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("authority_setting")
