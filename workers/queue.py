"""The outbox: jobs promised in the transaction that needs them, and sent to the queue until they are done."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import Index, func, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock, scope
from portal.db import (
    NOT_PERSONAL,
    Id,
    Instant,
    MaybeInstant,
    MaybeRef,
    MaybeWord,
    Number,
    Ref,
    Shared,
    Word,
    after_commit,
    tx,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

log = structlog.get_logger()

#: How long a job that was sent and is not done is left before it is sent again. The row lock, not this, prevents doubling.
LEASE = timedelta(seconds=20)
TRIES = 3
#: Workers take from the first lane while it has anything. Of one school's waiting jobs only so many stand in it.
LANES = ("portal", "portal-crowded")
FEW = 5
TIME_LIMIT = 900
ID_LENGTH = 36


class OutboxJob(Shared):
    """A promised job: its kind and ids only. Shared, because the dispatcher serves every authority; holds nothing personal."""

    __tablename__ = "outbox_job"
    __bookkeeping__ = True
    __table_args__ = (Index("ix_outbox_job_waiting", "run_after", postgresql_where="done_at IS NULL AND failed_at IS NULL"),)

    id: Mapped[Id]
    authority_id: Mapped[Ref]
    kind: Mapped[Word]
    ids: Mapped[dict[str, str]] = mapped_column(JSONB, info=NOT_PERSONAL)
    person_id: Mapped[MaybeRef]
    membership_id: Mapped[MaybeRef]
    role: Mapped[Word]
    run_after: Mapped[Instant]
    attempts: Mapped[Number] = mapped_column(default=0, info=NOT_PERSONAL)
    sent_at: Mapped[MaybeInstant]
    done_at: Mapped[MaybeInstant]
    failed_at: Mapped[MaybeInstant]
    failure: Mapped[MaybeWord]
    #: What makes a promise of the timetable once only: task, authority and day.
    once: Mapped[str | None] = mapped_column(unique=True, info=NOT_PERSONAL)


_redis: Redis | None = None


def connect(url: str) -> Redis:
    """Connect this process to the queue server, once. It holds ids only and may be lost at any time."""
    global _redis  # noqa: PLW0603  one connection pool a process is the point
    _redis = Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2)
    return _redis


def queue(lane: str = LANES[0]) -> Queue:
    """A lane of the queue, JSON on the wire.

    Raises:
        RuntimeError: before `connect`.
    """
    if _redis is None:
        message = "The queue is not connected: call workers.queue.connect first."
        raise RuntimeError(message)
    return Queue(lane, connection=_redis, serializer=JSONSerializer)


def later(kind: str, **ids: UUID | str) -> UUID:
    """Promise a job in the running action's transaction; wake the queue once it has committed."""
    open_scope = scope.current()
    job = OutboxJob(
        id=uuid4(),
        authority_id=open_scope.authority_id,
        kind=kind,
        ids={name: str(value) for name, value in ids.items()},
        person_id=open_scope.actor.person_id,
        membership_id=open_scope.actor.membership_id,
        role=open_scope.actor.role,
        run_after=clock.now(),
    )
    lane = LANES[_crowd(job) >= FEW]
    tx().add(job)
    after_commit(lambda: _wake(job.id, lane))
    return job.id


def _crowd(job: OutboxJob) -> int:
    """How many jobs of the same school wait already."""
    if (school := _school_of(job)) is None:
        return 0
    waiting = OutboxJob.done_at.is_(None) & OutboxJob.failed_at.is_(None) & (OutboxJob.ids["school_id"].astext == school)
    return tx().scalar(select(func.count()).select_from(OutboxJob).where(waiting)) or 0


def _school_of(job: OutboxJob) -> str | None:
    return job.ids.get("school_id")


def promise_for_today(kind: str, authority_ids: Iterable[UUID], on: date) -> int:
    """Promise a timetabled job for each authority, once a day however many machines ask. Commits; returns how many were new."""
    rows = [
        {
            "id": uuid4(),
            "authority_id": one,
            "kind": kind,
            "ids": {},
            "role": "schedule",
            "run_after": clock.now(),
            "attempts": 0,
            "once": f"{kind} {one} {on}",
        }
        for one in authority_ids
    ]
    if not rows:
        return 0
    made = tx().execute(insert(OutboxJob).on_conflict_do_nothing(index_elements=["once"]).returning(OutboxJob.id), rows).all()
    tx().commit()
    return len(made)


def _wake(job_id: UUID, lane: str) -> None:
    """Best effort: what is missed here the dispatcher sends within a second."""
    if _redis is None:
        return
    try:
        _send(job_id, 0, lane)
    except RedisError:
        return


def _send(job_id: UUID, attempt: str | int, lane: str) -> None:
    queue(lane).enqueue_call(
        "workers.jobs.run",
        args=(str(job_id),),
        job_id=f"{job_id}-{attempt}",
        timeout=TIME_LIMIT,
        result_ttl=0,
        failure_ttl=3600,
    )


def waiting(limit: int = 200) -> Sequence[OutboxJob]:
    """Jobs that are due and not on their way: never sent, or sent longer ago than the lease. Locked against other dispatchers."""
    now = clock.now()
    found = (
        select(OutboxJob)
        .where(OutboxJob.done_at.is_(None), OutboxJob.failed_at.is_(None), OutboxJob.run_after <= now)
        .where(or_(OutboxJob.sent_at.is_(None), OutboxJob.sent_at < now - LEASE))
        .order_by(OutboxJob.run_after)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return tx().scalars(found).all()


def dispatch() -> int:
    """Send what is waiting; commits first, because a worker leaves a row that is held. Returns how many were sent.

    A job in hand holds its row's lock, so it is skipped here however long it takes. One that has been
    started `TRIES` times and never finished is set aside for a person (its worker died with it each time).
    """
    due: dict[UUID, tuple[str | int, str]] = {}
    of_school: Counter[str] = Counter()
    found = waiting()
    held = _held() if any(job.sent_at for job in found) else frozenset()
    for job in found:
        if job.attempts >= TRIES:
            job.failed_at, job.failure = clock.now(), "It was started three times and never finished."
            log.error("job.set_aside", job=str(job.id), kind=job.kind)
            continue
        if str(job.id) not in held:
            school = _school_of(job) or str(job.id)
            due[job.id] = sent_number(job), LANES[of_school[school] >= FEW]
            of_school[school] += 1
        job.sent_at = clock.now()
    tx().commit()
    try:
        for job_id, (number, lane) in due.items():
            _send(job_id, number, lane)
    except RedisError:
        tx().execute(update(OutboxJob).where(OutboxJob.id.in_(due)).values(sent_at=None))
        tx().commit()
        raise
    return len(due)


def _held() -> frozenset[str]:
    """Jobs the queue has still: a long queue is not a lost one, and sending again would only make it longer."""
    return frozenset(one[:ID_LENGTH] for lane in LANES for one in queue(lane).get_job_ids())


def sent_number(job: OutboxJob) -> str | int:
    """A queue id no earlier sending of this job has used, so that the queue never takes it for one it knows."""
    return f"{job.attempts}-{int(clock.now().timestamp())}"


def backlog() -> dict[str, Any]:
    """How many jobs wait, and since when the oldest has: for health and metrics."""
    found = (
        tx()
        .scalars(
            select(OutboxJob.run_after)
            .where(OutboxJob.done_at.is_(None), OutboxJob.failed_at.is_(None))
            .order_by(OutboxJob.run_after)
            .limit(1000)
        )
        .all()
    )
    return {"waiting": len(found), "oldest": found[0] if found else None}
