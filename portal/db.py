"""The database: kinds of table and column, the unit of work, and `@action`, the only way to write."""

from __future__ import annotations

import functools
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import (
    DateTime,
    Engine,
    ForeignKeyConstraint,
    MetaData,
    Text,
    Uuid,
    create_engine,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, ORMExecuteState, Session, mapped_column
from sqlalchemy.types import Date

from portal import scope as scopes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy.engine import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.orm import UOWTransaction
    from sqlalchemy.pool import ConnectionPoolEntry

    from portal.scope import Scope

P = ParamSpec("P")
R = TypeVar("R")

APP_ROLE = "portal_app"

PERSONAL: dict[str, Any] = {"personal": True}
NOT_PERSONAL: dict[str, Any] = {"personal": False}

#: Kinds of column. Every column says whether it holds personal data; `tests/architecture` walks them all.
Id = Annotated[UUID, mapped_column(Uuid, primary_key=True, default=uuid4, info=NOT_PERSONAL)]
Ref = Annotated[UUID, mapped_column(Uuid, info=NOT_PERSONAL)]
MaybeRef = Annotated[UUID | None, mapped_column(Uuid, info=NOT_PERSONAL)]
Word = Annotated[str, mapped_column(Text, info=NOT_PERSONAL)]
MaybeWord = Annotated[str | None, mapped_column(Text, info=NOT_PERSONAL)]
Private = Annotated[str, mapped_column(Text, info=PERSONAL)]
MaybePrivate = Annotated[str | None, mapped_column(Text, info=PERSONAL)]
Number = Annotated[int, mapped_column(info=NOT_PERSONAL)]
MaybeNumber = Annotated[int | None, mapped_column(info=NOT_PERSONAL)]
Flag = Annotated[bool, mapped_column(info=NOT_PERSONAL)]
Day = Annotated[date, mapped_column(Date, info=NOT_PERSONAL)]
MaybeDay = Annotated[date | None, mapped_column(Date, info=NOT_PERSONAL)]
PrivateDay = Annotated[date, mapped_column(Date, info=PERSONAL)]
Instant = Annotated[datetime, mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)]
MaybeInstant = Annotated[datetime | None, mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)]
Facts = Annotated[dict[str, Any], mapped_column(JSONB, info=NOT_PERSONAL)]


class Base(DeclarativeBase):
    """The declarative base: one naming rule for every constraint."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Shared(Base):
    """A table whose rows belong to no single authority. A test pins the list."""

    __abstract__ = True


def _authority_in_scope() -> UUID:
    return scopes.current().authority_id


class Owned(Base):
    """A table whose every row belongs to one authority.

    `authority_id` is filled from the scope and comes first in every key, and row security is enabled on the table.
    """

    __abstract__ = True

    authority_id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, default=_authority_in_scope, info=NOT_PERSONAL, sort_order=-100
    )


def within(table: str, *columns: str, target: Sequence[str] = ("id",)) -> ForeignKeyConstraint:
    """A foreign key that cannot point into another authority: (authority_id, column…) to (authority_id, id).

    PostgreSQL checks foreign keys without row security, so a key on the id alone would accept another authority's row.
    """
    return ForeignKeyConstraint(["authority_id", *columns], [f"{table}.authority_id", *(f"{table}.{name}" for name in target)])


class WriteOutsideActionError(RuntimeError):
    """Rows were about to change with no action running."""


class UnauditedWriteError(RuntimeError):
    """An action changed rows and recorded nothing."""


@dataclass(slots=True)
class _Work:
    """One unit of work: its session, and what the running action has done so far."""

    session: Session
    #: How many actions are running, one inside another. Only the outermost commits.
    depth: int = 0
    changed: bool = False
    recorded: bool = False
    before_commit: list[Callable[[], None]] = field(default_factory=list)
    after_commit: list[Callable[[], None]] = field(default_factory=list)


_engine: Engine | None = None
_work: ContextVar[_Work | None] = ContextVar("unit_of_work", default=None)
_bound: ContextVar[Connection | None] = ContextVar("bound_connection", default=None)


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
        message = "The database is not connected: call portal.db.connect first."
        raise RuntimeError(message)
    return _engine


@contextmanager
def bound_to(connection: Connection) -> Iterator[None]:
    """Make every unit of work join this connection's transaction, which the caller rolls back. For tests only."""
    token = _bound.set(connection)
    try:
        yield
    finally:
        _bound.reset(token)


def _running() -> _Work:
    work = _work.get()
    if work is None:
        message = "No unit of work is open."
        raise RuntimeError(message)
    return work


def tx() -> Session:
    """The session of the running unit of work. Queries read through it; only actions write."""
    return _running().session


#: A school id no school has. It stands for “no school”: an empty setting is what a transaction without a scope has.
_NO_SCHOOL = UUID(int=0)


def _scope_statements(scope: Scope | None) -> str:
    """The SET LOCAL statements for a scope; without one they clear both settings.

    SET takes no bound values, so each id passes through `UUID`: text that is not an id can never become part of a statement.
    """
    if scope is None:
        return "SET LOCAL app.authority = ''; SET LOCAL app.schools = ''"
    schools = "*" if scope.schools is None else ",".join(sorted(str(UUID(str(school_id))) for school_id in scope.schools))
    return f"SET LOCAL app.authority = '{UUID(str(scope.authority_id))}'; SET LOCAL app.schools = '{schools or _NO_SCHOOL}'"


# Row security reads the scope from two settings of the transaction. They are SET LOCAL, so that they end with it: a
# session's setting would stay on the pooled connection and show one authority's rows to whoever borrows it next. And they
# are set each time a transaction begins, not once when the unit of work opens: after a commit or a rollback the session
# begins a new transaction by itself, which without its scope would see no rows at all.
@event.listens_for(Session, "after_begin")
def _set_scope_in_postgres(_session: Session, _transaction: object, connection: Connection) -> None:
    connection.exec_driver_sql(_scope_statements(scopes.maybe()))


def _is_bookkeeping(row: object) -> bool:
    return bool(getattr(row, "__bookkeeping__", False))


# The two guards stand where rows reach the database. A guard on `add()` would miss a changed attribute, a cascade and a
# relationship; every one of them passes through the flush. Bulk INSERT, UPDATE and DELETE statements never flush, so
# they are caught when they are executed.
@event.listens_for(Session, "before_flush")
def _refuse_flush_outside_actions(session: Session, _context: UOWTransaction, _instances: object) -> None:
    rows = [row for row in (*session.new, *session.dirty, *session.deleted) if not _is_bookkeeping(row)]
    if rows:
        wrote(", ".join(sorted({type(row).__name__ for row in rows})))


@event.listens_for(Session, "do_orm_execute")
def _refuse_bulk_write_outside_actions(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        mapper = state.bind_mapper
        if mapper is None or not getattr(mapper.class_, "__bookkeeping__", False):
            wrote("rows in bulk")


def wrote(rows: str) -> None:
    """Note that the running action changed rows; COPY and SQL texts, which pass neither guard, say so here.

    Raises:
        WriteOutsideActionError: when no action is running.
    """
    work = _running()
    if work.depth == 0:
        message = f"{rows}: rows change only inside an @action."
        raise WriteOutsideActionError(message)
    work.changed = True


def noted(seal: Callable[[], None]) -> None:
    """Note that the running action recorded its event; `seal` runs just before the commit.

    The seal locks the head of the authority's audit chain. Run last, it makes other actions wait for the commit alone,
    not for the work before it.

    Raises:
        WriteOutsideActionError: when no action is running.
    """
    work = _running()
    if work.depth == 0:
        message = "The audit is written only inside an @action."
        raise WriteOutsideActionError(message)
    work.recorded = True
    work.before_commit.append(seal)


def after_commit(call: Callable[[], None]) -> None:
    """Run `call` once the running action has committed, never before. It is lost if the process dies between the two."""
    _running().after_commit.append(call)


@contextmanager
def unit_of_work(scope: Scope | None) -> Iterator[Session]:
    """Open one session in one scope. What no action committed is rolled back at the end."""
    bind = _bound.get() or engine()
    # A test binds a connection whose transaction it rolls back itself. With "create_savepoint" the session works in a
    # savepoint of it, so that an action may commit and roll back as always; the default mode would let a rollback here
    # end the test's own transaction, and the rows its fixtures made with it. On an engine the mode changes nothing.
    with scopes.opened(scope), Session(bind, expire_on_commit=False, join_transaction_mode="create_savepoint") as session:
        token = _work.set(_Work(session))
        try:
            yield session
        finally:
            # Closing rolls back what no action committed. Rows that were read stay readable: they are detached, not expired.
            session.close()
            _work.reset(token)


@contextmanager
def whole_authority() -> Iterator[None]:
    """Bring every school of the authority into reach while the block runs.

    Two callers may: the matching of a pupil who moves school, and the averages of the authority (a test pins them).
    """
    scope = scopes.current()
    session = tx()
    with scopes.opened(scope.whole_authority()):
        session.connection().exec_driver_sql("SET LOCAL app.schools = '*'")
        try:
            yield
            # What the block added must reach the database before the scope narrows, or row security refuses it.
            session.flush()
        finally:
            # A failed transaction accepts no statement: SET would hide the first error behind a second, and the
            # rollback that follows takes the setting back anyway.
            if session.is_active:
                session.connection().exec_driver_sql(_scope_statements(scope))


@contextmanager
def rehearsing() -> Iterator[None]:
    """Roll back at the end what the block does: rows, promised jobs and audit alike.

    A savepoint, because the action goes on and commits its own rows: a rollback would take those back too.
    """
    work = _running()
    before, after, changed, recorded = len(work.before_commit), len(work.after_commit), work.changed, work.recorded
    savepoint = work.session.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()
        del work.before_commit[before:], work.after_commit[after:]
        work.changed, work.recorded = changed, recorded


def action(function: Callable[P, R]) -> Callable[P, R]:
    """Make `function` a way to write: one transaction, refused unless audited, with its jobs in the outbox.

    An action called by another joins it. The outermost flushes, refuses rows changed but not recorded, commits,
    and then wakes the queue. Any exception rolls everything back.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        work = _running()
        if work.depth == 0:
            work.changed = work.recorded = False
            work.before_commit.clear()
            work.after_commit.clear()
        work.depth += 1
        try:
            returned = function(*args, **kwargs)
            if work.depth == 1:
                _commit(work)
        except BaseException:
            # Session.rollback() ends the whole transaction, also when this action joined another: there is no rolling
            # back the inner one alone. So an outer action must not catch the error and go on. It would commit what it
            # writes afterwards without what it wrote before, and its audit event may be among what was lost.
            work.session.rollback()
            raise
        finally:
            work.depth -= 1
        for call in _take_after_commit_calls(work):
            call()
        return returned

    run.is_action = True  # type: ignore[attr-defined]  # read by tests/architecture
    return run


def _take_after_commit_calls(work: _Work) -> list[Callable[[], None]]:
    if work.depth:
        return []
    calls = list(work.after_commit)
    work.after_commit.clear()
    return calls


def _commit(work: _Work) -> None:
    # Rows added but not flushed have not passed the guards yet, so `changed` is not known before this.
    work.session.flush()
    if work.changed and not work.recorded:
        message = "Rows changed and nothing was recorded in the audit."
        raise UnauditedWriteError(message)
    for seal in work.before_commit:
        seal()
    work.session.flush()
    work.session.commit()


def rows_by_text(statement: str, **values: object) -> list[Any]:
    """Run a SQL text with bound values, for queries the ORM expresses badly. The text is never made from input."""
    return list(tx().execute(text(statement), values))
