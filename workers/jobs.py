"""The jobs: each kind, and the one way a job is run, once, in its originator's scope."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from portal import clock
from portal.accounts import actions as accounts
from portal.accounts.queries import membership_scope
from portal.db import action, tx, unit_of_work
from portal.registers import actions as registers
from portal.scope import Actor, Scope
from portal.uploads import actions as uploads
from workers.queue import OutboxJob

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Select

#: How long a job whose records others hold waits before it tries again.
PAUSE = timedelta(seconds=5)

#: What each kind of job does, given its ids. Every one is run twice in its test.
KINDS: Mapping[str, Callable[[Mapping[str, str]], object]] = {
    "uploads.check": lambda ids: uploads.check(UUID(ids["upload_id"])),
    "uploads.apply": lambda ids: uploads.apply(UUID(ids["upload_id"])),
    "registers.recount": lambda ids: registers.recount(UUID(ids["school_id"]), int(ids["academic_year"])),
    "accounts.deliver_mail": lambda ids: accounts.deliver_mail(UUID(ids["mail_id"])),
    "accounts.suspend_unused": lambda _ids: accounts.suspend_unused(),
    "accounts.forget_tries": lambda _ids: accounts.forget_tries(),
}

#: The kinds promised for every authority once a day.
DAILY = ("accounts.suspend_unused", "accounts.forget_tries")


def run(job_id: str) -> str:
    """Run one outbox job if nobody else has it and it is not done. Returns what became of it.

    The row lock is the lease: it dies with the connection, so a killed worker's job is free at once. A job whose
    records others hold for longer than a lock is waited for gives up its turn, and the start is not counted.
    """
    scope = _started(UUID(job_id))
    if scope is None:
        return "not waiting"
    try:
        with unit_of_work(scope):
            return _do(UUID(job_id))
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable | DeadlockDetected):
            raise
    _hand_back(UUID(job_id))
    return "handed back"


def _started(job_id: UUID) -> Scope | None:
    """Count one more start, in a transaction of its own so that a death later still counts. The scope to work in, if any."""
    with unit_of_work(None) as session:
        job = session.scalar(_waiting(job_id))
        if job is None:
            return None
        session.execute(update(OutboxJob).where(OutboxJob.id == job_id).values(attempts=OutboxJob.attempts + 1))
        session.commit()
        return _scope_of(job)


def _hand_back(job_id: UUID) -> None:
    again = {"attempts": OutboxJob.attempts - 1, "sent_at": None, "run_after": clock.now() + PAUSE}
    with unit_of_work(None) as session:
        session.execute(update(OutboxJob).where(OutboxJob.id == job_id).values(again))
        session.commit()


def _waiting(job_id: UUID) -> Select[OutboxJob]:
    waiting = select(OutboxJob).where(OutboxJob.id == job_id, OutboxJob.done_at.is_(None), OutboxJob.failed_at.is_(None))
    return waiting.with_for_update(skip_locked=True)


def _scope_of(job: OutboxJob) -> Scope:
    """The originator's scope as it is now: a membership that has ended reaches no school."""
    if job.membership_id is None:
        return Scope(job.authority_id, None, Actor(job.person_id, None, job.role))
    now = membership_scope(job.membership_id)
    if now is None:
        return Scope(job.authority_id, frozenset(), Actor(job.person_id, job.membership_id, job.role))
    return now[0]


@action
def _do(job_id: UUID) -> str:
    job = tx().scalar(_waiting(job_id))
    if job is None:
        return "not waiting"
    KINDS[job.kind](job.ids)
    job.done_at = clock.now()
    return "done"
