"""The database: what a table is, the running unit of work, and the one way to write (`@action`)."""

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
    """A table every authority shares and no row of which belongs to one. The list is pinned by a test."""

    __abstract__ = True


def _authority_in_scope() -> UUID:
    return scopes.current().authority_id


class Owned(Base):
    """A table whose every row belongs to one authority: filled from the scope, first in every key, row-secured."""

    __abstract__ = True

    authority_id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, default=_authority_in_scope, info=NOT_PERSONAL, sort_order=-100
    )


def within(table: str, *columns: str, target: Sequence[str] = ("id",)) -> ForeignKeyConstraint:
    """A foreign key that cannot leave its authority: (authority_id, column…) to (authority_id, id)."""
    return ForeignKeyConstraint(["authority_id", *columns], [f"{table}.authority_id", *(f"{table}.{name}" for name in target)])


class WriteOutsideActionError(RuntimeError):
    """Rows were about to change with no action running."""


class UnauditedWriteError(RuntimeError):
    """An action changed rows and recorded nothing."""


@dataclass(slots=True)
class _Work:
    """One unit of work: its session, and what the running action has done so far."""

    session: Session
    depth: int = 0
    changed: bool = False
    recorded: bool = False
    before_commit: list[Callable[[], None]] = field(default_factory=list)
    after_commit: list[Callable[[], None]] = field(default_factory=list)


_engine: Engine | None = None
_work: ContextVar[_Work | None] = ContextVar("unit_of_work", default=None)
_bound: ContextVar[Connection | None] = ContextVar("bound_connection", default=None)


def _on_connect(dbapi_connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """A connection never acts as more than the restricted role, whatever it signed in as."""
    with closing(dbapi_connection.cursor()) as cursor:
        cursor.execute("SELECT current_user")
        signed_in_as = cursor.fetchone()
        if signed_in_as is not None and signed_in_as[0] != APP_ROLE:
            cursor.execute(f"SET SESSION ROLE {APP_ROLE}")
    dbapi_connection.commit()


def connect(url: str, *, pool_size: int = 5, patient: bool = False) -> Engine:
    """Make the engine for this process, once. Timeouts are stack-wide: no query outlives 15 s, no lock wait 3 s.

    A command is `patient`: nobody waits at a page for it, so it waits its turn behind other writes for up to a minute.
    """
    global _engine  # noqa: PLW0603  one engine a process is the point
    longest, wait = (120_000, 60_000) if patient else (15_000, 3_000)
    options = f"-c statement_timeout={longest} -c lock_timeout={wait} -c idle_in_transaction_session_timeout=60000 -c TimeZone=UTC"
    if url.startswith("postgres://"):
        url = "postgresql://" + url.removeprefix("postgres://")
    _engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=10,
        pool_pre_ping=True,
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
    """Every unit of work joins this connection's transaction, whose owner rolls it back: for tests only."""
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


#: A school id no school has: the reach of a person bound to schools but to none yet.
_NO_SCHOOL = UUID(int=0)


def _settings_of(scope: Scope | None) -> str:
    """The SET LOCAL statements for a scope, rendered from typed UUIDs, never from text. No scope clears both."""
    if scope is None:
        return "SET LOCAL app.authority = ''; SET LOCAL app.schools = ''"
    schools = "*" if scope.schools is None else ",".join(sorted(str(UUID(str(one))) for one in scope.schools))
    return f"SET LOCAL app.authority = '{UUID(str(scope.authority_id))}'; SET LOCAL app.schools = '{schools or _NO_SCHOOL}'"


@event.listens_for(Session, "after_begin")
def _open_in_postgres(_session: Session, _transaction: object, connection: Connection) -> None:
    connection.exec_driver_sql(_settings_of(scopes.maybe()))


def _is_bookkeeping(row: object) -> bool:
    return bool(getattr(row, "__bookkeeping__", False))


@event.listens_for(Session, "before_flush")
def _only_in_actions(session: Session, _context: UOWTransaction, _instances: object) -> None:
    rows = [row for row in (*session.new, *session.dirty, *session.deleted) if not _is_bookkeeping(row)]
    if rows:
        wrote(", ".join(sorted({type(row).__name__ for row in rows})))


@event.listens_for(Session, "do_orm_execute")
def _only_in_actions_in_bulk(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        mapper = state.bind_mapper
        if mapper is None or not getattr(mapper.class_, "__bookkeeping__", False):
            wrote("rows in bulk")


def wrote(what: str) -> None:
    """Note that rows changed.

    Raises:
        WriteOutsideActionError: when no action is running.
    """
    work = _running()
    if work.depth == 0:
        message = f"{what}: rows change only inside an @action."
        raise WriteOutsideActionError(message)
    work.changed = True


def noted(seal: Callable[[], None]) -> None:
    """The audit notes that the running action has recorded what it did; `seal` runs just before the commit.

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
    """Run `call` once the running action has committed; best effort, never before."""
    _running().after_commit.append(call)


@contextmanager
def unit_of_work(scope: Scope | None) -> Iterator[Session]:
    """Open one session in one scope. What no action committed is rolled back at the end."""
    bind = _bound.get() or engine()
    with scopes.opened(scope), Session(bind, expire_on_commit=False, join_transaction_mode="create_savepoint") as session:
        token = _work.set(_Work(session))
        try:
            yield session
        finally:
            # Closing takes back what no action committed, and lets rows that were read stay readable.
            session.close()
            _work.reset(token)


@contextmanager
def whole_authority() -> Iterator[None]:
    """Look across the authority's schools inside the running unit of work: for matching a pupil who moves school."""
    scope = scopes.current()
    session = tx()
    with scopes.opened(scope.whole_authority()):
        session.connection().exec_driver_sql("SET LOCAL app.schools = '*'")
        try:
            yield
            session.flush()
        finally:
            if session.is_active:
                session.connection().exec_driver_sql(_settings_of(scope))


@contextmanager
def rehearsing() -> Iterator[None]:
    """Do inside the running action what will not be kept: rows, promises and audit alike are taken back at the end."""
    work = _running()
    before, after, changed, recorded = len(work.before_commit), len(work.after_commit), work.changed, work.recorded
    savepoint = work.session.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()
        del work.before_commit[before:], work.after_commit[after:]
        work.changed, work.recorded = changed, recorded


def action(verb: Callable[P, R]) -> Callable[P, R]:
    """Make `verb` the way to write: one transaction, audited or refused, its jobs in the outbox with it.

    Joins an action already running. At the outermost: flushes, refuses rows changed but not recorded, commits,
    then wakes the queue. Whatever is raised rolls everything back.
    """

    @functools.wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        work = _running()
        if work.depth == 0:
            work.changed = work.recorded = False
            work.before_commit.clear()
            work.after_commit.clear()
        work.depth += 1
        try:
            answer = verb(*args, **kwargs)
            if work.depth == 1:
                _commit(work)
        except BaseException:
            work.session.rollback()
            raise
        finally:
            work.depth -= 1
        for call in _taken(work):
            call()
        return answer

    run.is_action = True  # type: ignore[attr-defined]  # read by tests/architecture
    return run


def _taken(work: _Work) -> list[Callable[[], None]]:
    if work.depth:
        return []
    calls = list(work.after_commit)
    work.after_commit.clear()
    return calls


def _commit(work: _Work) -> None:
    work.session.flush()
    if work.changed and not work.recorded:
        message = "Rows changed and nothing was recorded in the audit."
        raise UnauditedWriteError(message)
    for seal in work.before_commit:
        seal()
    work.session.flush()
    work.session.commit()


def rows_by_text(statement: str, **values: object) -> list[Any]:
    """Run one of our own SQL texts with bound values and return its rows. For queries the ORM says badly."""
    return list(tx().execute(text(statement), values))
