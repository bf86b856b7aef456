"""The first schema: every table, row security on every owned one. Its statements stand beside it, frozen."""

from __future__ import annotations

from pathlib import Path

from alembic import op
from sqlalchemy import text

from migrations.owned import APP_ROLE

revision = "0001_baseline"
down_revision = None

STATEMENTS = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Make the restricted role where it is not there, create the tables, and give it its rights."""
    bind = op.get_bind()
    if not bind.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": APP_ROLE}):
        bind.execute(text(f"CREATE ROLE {APP_ROLE} NOLOGIN"))
        # So that an owner who is all a machine has can step down to it.
        bind.execute(text(f"GRANT {APP_ROLE} TO CURRENT_USER"))
    bind.exec_driver_sql(STATEMENTS.read_text())
    bind.execute(text(f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}"))
    bind.execute(text(f"GRANT SELECT ON alembic_version TO {APP_ROLE}"))


def downgrade() -> None:
    """Remove every table of the baseline."""
    bind = op.get_bind()
    names = [line.split()[2] for line in STATEMENTS.read_text().splitlines() if line.startswith("CREATE TABLE ")]
    bind.exec_driver_sql(f"DROP TABLE {', '.join(names)} CASCADE")
