"""The engine of this process, and the restricted role that each of its transactions acts as."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from sqlalchemy import (
    Engine,
    create_engine,
    event,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry


APP_ROLE = "portal_app"
#: The role of the tables of signing in. The app's role may take it on (`portal.db.work.sign_in_rights`), and has none of
#: its rights until it does.
SIGN_IN_ROLE = "portal_sign_in"

#: What a pooler in transaction mode cannot keep for us, since the next transaction may run on another connection.
#: Production gives the app's role these settings with ALTER ROLE.
_OPTIONS = "-c idle_in_transaction_session_timeout=60000 -c TimeZone=UTC"


_engine: Engine | None = None


class _Rights:
    """Lowers each transaction of an address that signs in as another role than the app's: the database's owner.

    By SET LOCAL at the beginning of each transaction, never by SET for the session: a pooler in transaction mode hands
    the session to others, who would then run in our role.
    """

    def __init__(self) -> None:
        self._is_lowered = False

    def note_role(self, dbapi_connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        """Ask a new connection as whom it signed in."""
        with closing(dbapi_connection.cursor()) as cursor:
            cursor.execute("SELECT session_user")
            signed_in_as = cursor.fetchone()
            self._is_lowered = signed_in_as is None or signed_in_as[0] != APP_ROLE
        dbapi_connection.commit()

    def lower(self, connection: Connection) -> None:
        """Begin a transaction in the app's role."""
        if self._is_lowered:
            with closing(connection.connection.cursor()) as cursor:
                cursor.execute(f"SET LOCAL ROLE {APP_ROLE}")


def connect(url: str, *, pool_size: int = 5, long_running: bool = False, pooler: bool = False) -> Engine:
    """Make the engine for this process, once. A query may take 15 s, and a wait for a lock 3 s.

    A command is `long_running`: no page waits for it, so its queries may take two minutes, and its waits for a lock one.
    Behind a `pooler` in transaction mode no statement is prepared and nothing is set for a session.
    """
    global _engine  # noqa: PLW0603  one engine a process is the point
    statement_ms, lock_ms = (120_000, 60_000) if long_running else (15_000, 3_000)
    options = f"-c statement_timeout={statement_ms} -c lock_timeout={lock_ms} {_OPTIONS}"
    if url.startswith("postgres://"):
        url = "postgresql://" + url.removeprefix("postgres://")
    _engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=10,
        pool_pre_ping=True,
        # An error's text would otherwise quote the bound values, and with them pupils' names, in the log.
        hide_parameters=True,
        connect_args={
            "connect_timeout": 3,
            "tcp_user_timeout": 5000,
            **({"prepare_threshold": None} if pooler else {"options": options}),
        },
    )
    rights = _Rights()
    event.listen(_engine, "connect", rights.note_role)
    event.listen(_engine, "begin", rights.lower)
    return _engine


def engine() -> Engine:
    """The engine of this process."""
    if _engine is None:
        message = "The database is not connected: call portal.db.connection.connect first."
        raise RuntimeError(message)
    return _engine
