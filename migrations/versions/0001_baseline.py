"""The first schema: every table, row security on every owned one, and the platform's own row."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from migrations.owned import APP_ROLE, secure, share
from migrations.tables import METADATA

revision = "0001_baseline"
down_revision = None


def upgrade() -> None:
    """Create the tables, secure the owned ones, share the rest."""
    bind = op.get_bind()
    if not bind.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": APP_ROLE}):
        bind.execute(text(f"CREATE ROLE {APP_ROLE} NOLOGIN"))
    METADATA.create_all(bind)
    for table in METADATA.sorted_tables:
        give = secure if "authority_id" in table.primary_key.columns else share
        give(lambda statement: bind.execute(text(statement)), table)
    bind.execute(text(f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}"))
    bind.execute(text(f"GRANT SELECT ON alembic_version TO {APP_ROLE}"))


def downgrade() -> None:
    """Remove every table."""
    METADATA.drop_all(op.get_bind())
