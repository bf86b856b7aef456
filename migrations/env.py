"""Alembic's entry: runs the pending revisions in one transaction, on one machine at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context
from sqlalchemy import text

import migrations
from migrations.tables import METADATA

if TYPE_CHECKING:
    from sqlalchemy import Connection

LOCK_KEY = 5_720_250_819


def run() -> None:
    """Run the pending revisions as the owner."""
    engine = migrations.owner_engine(context.config.attributes["owner_url"])
    try:
        with engine.connect() as connection:
            _run_pending(connection)
    finally:
        engine.dispose()


def _run_pending(connection: Connection) -> None:
    # Several machines start at once after a release. The second one waits here, and then finds nothing to do; without
    # the lock both would run the same ALTER TABLE.
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
    # A migration that waits for a table's lock makes every query behind it wait too, and the portal stands still. It
    # had better fail and be run again.
    connection.execute(text("SET lock_timeout = '2s'"))
    connection.commit()
    try:
        context.configure(connection=connection, target_metadata=METADATA, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    finally:
        # A failed transaction accepts no statement, not even the unlock.
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK_KEY})
        connection.commit()


run()
