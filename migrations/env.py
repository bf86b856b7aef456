"""Alembic's entry: one transaction, one machine at a time, never waiting long for a lock."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

import migrations
from migrations.tables import METADATA

ONE_AT_A_TIME = 5_720_250_819


def run() -> None:
    """Run the pending revisions as the owner."""
    engine = migrations.owner_engine(context.config.attributes["owner_url"])
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ONE_AT_A_TIME})
        connection.execute(text("SET lock_timeout = '2s'"))
        connection.commit()
        try:
            context.configure(connection=connection, target_metadata=METADATA, compare_type=True)
            with context.begin_transaction():
                context.run_migrations()
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ONE_AT_A_TIME})
            connection.commit()
    engine.dispose()


run()
