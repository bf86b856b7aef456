"""The first schema: every table, with row security on every owned one.

The statements are frozen in the SQL file of the same name: made from today's models, an old migration would change with them.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op
from sqlalchemy import text

from migrations.owned import APP_ROLE

revision = "0001_baseline"
down_revision = None

STATEMENTS = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Create the restricted role if it does not exist, create the tables, and grant it its rights."""
    bind = op.get_bind()
    if not bind.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": APP_ROLE}):
        bind.execute(text(f"CREATE ROLE {APP_ROLE} NOLOGIN"))
        # So that a portal that signs in as the owner can switch to this role.
        bind.execute(text(f"GRANT {APP_ROLE} TO CURRENT_USER"))
    bind.exec_driver_sql(STATEMENTS.read_text())
    bind.execute(text(f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}"))
    bind.execute(text(f"GRANT SELECT ON alembic_version TO {APP_ROLE}"))


def downgrade() -> None:
    """Remove every table of the baseline."""
    bind = op.get_bind()
    names = [line.split()[2] for line in STATEMENTS.read_text().splitlines() if line.startswith("CREATE TABLE ")]
    bind.exec_driver_sql(f"DROP TABLE {', '.join(names)} CASCADE")
