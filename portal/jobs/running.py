"""Running a job once, in its originator's scope, also when a worker dies."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from portal import capabilities
from portal.accounts.queries.principals import membership_scope
from portal.db.work import action, tx, unit_of_work
from portal.jobs.outbox import ELSEWHERE, OutboxJob
from portal.platform import clock
from portal.platform.capability import load
from portal.security.scope import Actor, Scope

if TYPE_CHECKING:
    from sqlalchemy import Select

#: How long a job waits before it tries again, when another transaction held its records locked for too long.
PAUSE = timedelta(seconds=5)


def run(job_id: str) -> str:
    """Run one outbox job, unless it is done or another worker is running it. Returns what happened.

    The row's lock says that a worker is running the job. It ends with the connection, so a killed worker's job is free
    at once; a time stamp would keep it waiting, or free it while it still runs. When another transaction holds the job's
    records for too long, the job is returned to the outbox and this start is not counted: nothing is wrong with it.
    """
    scope = _count_start(UUID(job_id))
    if scope is None:
        return "not waiting"
    try:
        with unit_of_work(scope):
            return _run_in_action(UUID(job_id))
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable | DeadlockDetected):
            raise
    _return_to_outbox(UUID(job_id))
    return "handed back"


def _count_start(job_id: UUID) -> Scope | None:
    """Count one more start, and return the scope to work in; None when the job is not waiting.

    In a transaction of its own: counted in the job's, the start would be rolled back with it, and a job that kills its
    worker each time would be started for ever.
    """
    with unit_of_work(None) as session:
        job = session.scalar(_lock_if_waiting(job_id))
        if job is None:
            return None
        session.execute(update(OutboxJob).where(OutboxJob.id == job_id).values(attempts=OutboxJob.attempts + 1))
        session.commit()
        return _scope_of(job)


def _return_to_outbox(job_id: UUID) -> None:
    values = {"attempts": OutboxJob.attempts - 1, "sent_at": None, "run_after": clock.now() + PAUSE}
    with unit_of_work(None) as session:
        session.execute(update(OutboxJob).where(OutboxJob.id == job_id).values(values))
        session.commit()


def _lock_if_waiting(job_id: UUID) -> Select[OutboxJob]:
    # SKIP LOCKED: a second worker would otherwise stand at the lock until the first is done, only to find nothing to do.
    statement = select(OutboxJob).where(OutboxJob.id == job_id, OutboxJob.done_at.is_(None), OutboxJob.failed_at.is_(None))
    return statement.with_for_update(skip_locked=True)


def _scope_of(job: OutboxJob) -> Scope:
    """The originator's scope as it is now. A membership that has ended since reaches no school."""
    if job.role == ELSEWHERE:
        return Scope(job.authority_id, frozenset(), Actor(job.person_id, None, job.role))
    if job.membership_id is None:
        return Scope(job.authority_id, None, Actor(job.person_id, None, job.role))
    membership = membership_scope(job.membership_id)
    if membership is None:
        return Scope(job.authority_id, frozenset(), Actor(job.person_id, job.membership_id, job.role))
    return membership[0]


@action
def _run_in_action(job_id: UUID) -> str:
    job = tx().scalar(_lock_if_waiting(job_id))
    if job is None:
        return "not waiting"
    declared = capabilities.jobs()[job.kind]
    arguments = {name: read(job.ids[name]) for name, read in declared.arguments.items()}
    load(declared.run)(**arguments)
    job.done_at = clock.now()
    return "done"
