"""The unit of work: one session in one scope, and `@action`, the one way to write."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import (
    event,
    text,
)
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import ORMExecuteState, Session

from portal.db import criteria
from portal.db.connection import APP_ROLE, SIGN_IN_ROLE, engine
from portal.db.tables import declared_conflicts
from portal.platform.refusals import ConflictError
from portal.security import scope as scopes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sqlalchemy.engine import Connection
    from sqlalchemy.orm import UOWTransaction

    from portal.security.scope import Scope

P = ParamSpec("P")
R = TypeVar("R")


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


_work: ContextVar[_Work | None] = ContextVar("unit_of_work", default=None)
_bound: ContextVar[Connection | None] = ContextVar("bound_connection", default=None)
_role: ContextVar[str] = ContextVar("database_role", default=APP_ROLE)


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


#: An id no row has. It stands for "none": an empty setting is what a transaction without a scope has.
_NONE = UUID(int=0)


def _scope_statements(scope: Scope | None) -> str:
    """The SET LOCAL statements for a scope; without one they clear every setting.

    SET takes no bound values, so each id passes through `UUID`: text that is not an id can never become part of a statement.
    """
    values = dict.fromkeys(("authority", "schools", "agency", "shares"), "")
    if scope is not None:
        values = {
            "authority": _id_list([scope.authority_id]),
            "schools": "*" if scope.schools is None else _id_list(scope.schools) or str(_NONE),
            "agency": _id_list([scope.agency] if scope.agency else []),
            "shares": _id_list(scope.shares),
        }
    return "; ".join(f"SET LOCAL app.{name} = '{value}'" for name, value in values.items())


def _id_list(ids: Iterable[UUID]) -> str:
    return ",".join(sorted(str(UUID(str(each_id))) for each_id in ids))


# Row security reads the scope from four settings of the transaction. They are SET LOCAL, so that they end with it: a
# session's setting would stay on the pooled connection and show one authority's rows to whoever borrows it next. And they
# are set each time a transaction begins, not once when the unit of work opens: after a commit or a rollback the session
# begins a new transaction by itself, which without its scope would see no rows at all. The role is set with them.
@event.listens_for(Session, "after_begin")
def _set_scope_in_postgres(_session: Session, _transaction: object, connection: Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL ROLE {_role.get()}; {_scope_statements(scopes.current_or_none())}")


event.listen(Session, "do_orm_execute", criteria.name_authority_and_schools)


def _is_bookkeeping(row: object) -> bool:
    return bool(getattr(row, "__bookkeeping__", False))


# The two guards stand where rows reach the database. A guard on `add()` would miss a changed attribute, a cascade and a
# relationship; every one of them passes through the flush. Bulk INSERT, UPDATE and DELETE statements never flush, so
# they are caught when they are executed.
@event.listens_for(Session, "before_flush")
def _refuse_flush_outside_actions(session: Session, _context: UOWTransaction, _instances: object) -> None:
    rows = [row for row in (*session.new, *session.dirty, *session.deleted) if not _is_bookkeeping(row)]
    if rows:
        mark_written(", ".join(sorted({type(row).__name__ for row in rows})))


@event.listens_for(Session, "do_orm_execute")
def _refuse_bulk_write_outside_actions(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        mapper = state.bind_mapper
        if mapper is None or not getattr(mapper.class_, "__bookkeeping__", False):
            mark_written("rows in bulk")


def mark_written(rows: str) -> None:
    """Note that the running action changed rows; COPY and SQL texts, which pass neither guard, say so here.

    Raises:
        WriteOutsideActionError: when no action is running.
    """
    work = _running()
    if work.depth == 0:
        message = f"{rows}: rows change only inside an @action."
        raise WriteOutsideActionError(message)
    work.changed = True


def mark_recorded(seal: Callable[[], None]) -> None:
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
            _close(session)
            _work.reset(token)


@contextmanager
def sign_in_rights() -> Iterator[None]:
    """Act as the role of the tables of signing in while the block runs.

    Passwords, factors and sign-ins are out of the app's reach otherwise, so that SQL that got into a list or a search
    cannot read them. Only the code of signing in may call it (a test pins the callers).
    """
    if _role.get() == SIGN_IN_ROLE:
        yield
        return
    work = _work.get()
    _set_role(work, SIGN_IN_ROLE)
    token = _role.set(SIGN_IN_ROLE)
    try:
        yield
        if work is not None:
            # What the block changed is written before the rights for it go.
            work.session.flush()
    finally:
        _role.reset(token)
        _set_role(work, APP_ROLE)


def _set_role(work: _Work | None, role: str) -> None:
    # Only in a transaction that is running and has not failed: the next one begins in the right role anyway, and a failed
    # one accepts no statement.
    if work is not None and work.session.is_active and work.session.in_transaction():
        work.session.flush()
        work.session.connection().exec_driver_sql(f"SET LOCAL ROLE {role}")


def needs_sign_in_rights(function: Callable[P, R]) -> Callable[P, R]:
    """Run a query or an action with the rights on the tables of signing in.

    It stands above `@action`, so that the commit has them too.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with sign_in_rights():
            return function(*args, **kwargs)

    return run


def _close(session: Session) -> None:
    try:
        session.close()
    except DBAPIError:
        # The connection was lost since its last statement, and the server has rolled back by itself. An error from here
        # would answer 500 in place of a page that is finished and whose read is committed.
        session.invalidate()


@contextmanager
def planned_for_many_rows() -> Iterator[None]:
    """Join without nested loops until the block ends, for a query over all rows of an authority.

    PostgreSQL takes an authority that it has not analysed yet for one with a single row, and would read every row for every
    other.
    """
    tx().execute(text("SET LOCAL enable_nestloop = off"))
    yield
    # After an error the transaction is over, and the setting with it.
    tx().execute(text("SET LOCAL enable_nestloop = on"))


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
def dry_run() -> Iterator[None]:
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
    and then wakes the queue. Any exception rolls everything back. A unique constraint that declares a `conflict` becomes
    a ConflictError: the action's own check ran before another transaction added the same thing.
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
        except BaseException as error:
            # Session.rollback() ends the whole transaction, also when this action joined another: there is no rolling
            # back the inner one alone. So an outer action must not catch the error and go on. It would commit what it
            # writes afterwards without what it wrote before, and its audit event may be among what was lost.
            work.session.rollback()
            if (conflict := _declared_conflict(error)) is not None:
                raise conflict from error
            raise
        finally:
            work.depth -= 1
        for call in _take_after_commit_calls(work):
            call()
        return returned

    run.is_action = True  # type: ignore[attr-defined]  # read by tests/architecture
    return run


def _declared_conflict(error: BaseException) -> ConflictError | None:
    """What a violated unique constraint says to the person; None for any other error."""
    if not isinstance(error, IntegrityError) or not isinstance(error.orig, UniqueViolation):
        return None
    declared = declared_conflicts().get(error.orig.diag.constraint_name or "")
    return None if declared is None else ConflictError(*declared)


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


def select_text(statement: str, **values: object) -> list[Any]:
    """Run a SQL text with bound values, for queries the ORM expresses badly. The text is never made from input."""
    return list(tx().execute(text(statement), values))
