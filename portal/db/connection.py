"""The engine of this process, and the restricted role that every connection acts as."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from sqlalchemy import (
    Engine,
    create_engine,
    event,
)

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry


APP_ROLE = "portal_app"


_engine: Engine | None = None


def _on_connect(dbapi_connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Switch a new connection to the restricted role, when it signed in as another."""
    with closing(dbapi_connection.cursor()) as cursor:
        cursor.execute("SELECT current_user")
        signed_in_as = cursor.fetchone()
        if signed_in_as is not None and signed_in_as[0] != APP_ROLE:
            cursor.execute(f"SET SESSION ROLE {APP_ROLE}")
    # A rollback takes back a SET that was not committed: the first failed action would leave this connection, and
    # everyone who borrows it from the pool afterwards, acting as the owner.
    dbapi_connection.commit()


def connect(url: str, *, pool_size: int = 5, long_running: bool = False) -> Engine:
    """Make the engine for this process, once. A query may take 15 s, and a wait for a lock 3 s.

    A command is `long_running`: no page waits for it, so its queries may take two minutes, and its waits for a lock one.
    """
    global _engine  # noqa: PLW0603  one engine a process is the point
    statement_ms, lock_ms = (120_000, 60_000) if long_running else (15_000, 3_000)
    options = (
        f"-c statement_timeout={statement_ms} -c lock_timeout={lock_ms} "
        "-c idle_in_transaction_session_timeout=60000 -c TimeZone=UTC"
    )
    if url.startswith("postgres://"):
        url = "postgresql://" + url.removeprefix("postgres://")
    _engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=10,
        pool_pre_ping=True,
        # An error's text would otherwise quote the bound values, and with them pupils' names, in the log.
        hide_parameters=True,
        connect_args={"connect_timeout": 3, "tcp_user_timeout": 5000, "options": options},
    )
    event.listen(_engine, "connect", _on_connect)
    return _engine


def engine() -> Engine:
    """The engine of this process."""
    if _engine is None:
        message = "The database is not connected: call portal.db.connection.connect first."
        raise RuntimeError(message)
    return _engine
