"""The outbox: jobs are rows of the database first, and messages in Redis second.

An action that sent a job to Redis itself would have two ways to go wrong. Sent before the commit, a worker could start on
rows that are not there yet, or are rolled back; sent after it, the job would be lost when the process dies or Redis is
away between the two. So the job's row commits with the action, and the dispatcher sends every row to Redis until it is
done. Redis may forget everything at any time: it only makes jobs start at once.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
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

from portal.db.tables import Shared
from portal.db.types import NOT_PERSONAL, Id, IdRef, Instant, Int, OptionalIdRef, OptionalInstant, OptionalStr, Str
from portal.db.work import after_commit, tx
from portal.platform import clock
from portal.security import scope
from portal.security.scope import Actor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, time

    from sqlalchemy import ColumnElement

log = structlog.get_logger()

#: After how long a job that was sent and is not done is sent again. The row's lock, not this, stops it from running twice.
LEASE = timedelta(seconds=20)
MAX_STARTS = 3
#: Workers take from the first queue while it has anything. Of one school's waiting jobs only so many may be in it: a school
#: that sends a hundred files would otherwise make every other school wait for them.
PRIORITY_QUEUES = ("portal", "portal-crowded")
SCHOOL_SHARE = 5
UUID_LENGTH = 36
#: The role in which someone who acted in another authority stands in this one's audit.
ELSEWHERE = "another authority"
#: The one function that a worker calls, and what stands beside it in Redis. A worker refuses a job with anything else.
ENTRY = "portal.jobs.running.run"
JOB_TIMEOUT = 900
RESULT_TTL = 0
FAILURE_TTL = 3600


class OutboxJob(Shared):
    """A job: its kind and ids, nothing personal. The table is shared, because the dispatcher serves every authority."""

    __tablename__ = "outbox_job"
    __bookkeeping__ = True
    __table_args__ = (Index("ix_outbox_job_waiting", "run_after", postgresql_where="done_at IS NULL AND failed_at IS NULL"),)

    id: Mapped[Id]
    authority_id: Mapped[IdRef]
    kind: Mapped[Str]
    ids: Mapped[dict[str, str]] = mapped_column(JSONB, info=NOT_PERSONAL)
    person_id: Mapped[OptionalIdRef]
    membership_id: Mapped[OptionalIdRef]
    role: Mapped[Str]
    run_after: Mapped[Instant]
    attempts: Mapped[Int] = mapped_column(default=0, info=NOT_PERSONAL)
    sent_at: Mapped[OptionalInstant]
    done_at: Mapped[OptionalInstant]
    failed_at: Mapped[OptionalInstant]
    failure: Mapped[OptionalStr]
    #: Makes a scheduled job unique: kind, authority and, of a daily one, the day.
    once: Mapped[str | None] = mapped_column(unique=True, info=NOT_PERSONAL)


_redis: Redis | None = None


def connect(url: str) -> Redis:
    """Connect this process to the queue server, once."""
    global _redis  # noqa: PLW0603  one connection pool a process is the point
    _redis = Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2)
    return _redis


def redis_queue(name: str = PRIORITY_QUEUES[0]) -> Queue:
    """A queue in Redis. Jobs are JSON, not RQ's pickles: reading a pickle runs any code that was written into Redis.

    Raises:
        RuntimeError: before `connect`.
    """
    if _redis is None:
        message = "The queue is not connected: call portal.jobs.outbox.connect first."
        raise RuntimeError(message)
    return Queue(name, connection=_redis, serializer=JSONSerializer)


def enqueue(kind: str, **ids: UUID | str) -> UUID:
    """Add a job in the running action's transaction, and send it once that has committed."""
    return _add(kind, ids, scope.current().actor)


def enqueue_for_authority(kind: str, **ids: UUID | str) -> UUID:
    """Add a job that runs with the reach of the whole authority.

    It is the portal that acts, not the person: what the job sees and does, they may neither see nor do. A test pins the
    callers.
    """
    return _add(kind, ids, Actor(None, None, "portal"))


def _add(kind: str, ids: Mapping[str, UUID | str], actor: Actor) -> UUID:
    job = OutboxJob(
        id=uuid4(),
        authority_id=scope.current().authority_id,
        kind=kind,
        ids={name: str(value) for name, value in ids.items()},
        person_id=actor.person_id,
        membership_id=actor.membership_id,
        role=actor.role,
        run_after=clock.now(),
    )
    queue_name = PRIORITY_QUEUES[_count_waiting_for_school(job) >= SCHOOL_SHARE]
    tx().add(job)
    after_commit(lambda: _wake(job.id, queue_name))
    return job.id


def waiting(kind: str) -> list[dict[str, str]]:
    """The ids of the authority's jobs of this kind that are not done and not set aside."""
    is_waiting = OutboxJob.done_at.is_(None) & OutboxJob.failed_at.is_(None)
    of_authority = OutboxJob.authority_id == scope.current().authority_id
    return list(tx().scalars(select(OutboxJob.ids).where(of_authority, OutboxJob.kind == kind, is_waiting)))


def enqueue_in(authority_id: UUID, kind: str, **ids: UUID | str) -> UUID:
    """Add a job of another authority in the running action's transaction. It reaches no school there.

    For what one act has to leave in the audit of every authority it concerns: each chain is written in its own scope.
    """
    open_scope = scope.current()
    job = OutboxJob(
        id=uuid4(),
        authority_id=authority_id,
        kind=kind,
        ids={name: str(value) for name, value in ids.items()},
        person_id=open_scope.actor.person_id,
        role=ELSEWHERE,
        run_after=clock.now(),
    )
    tx().add(job)
    after_commit(lambda: _wake(job.id, PRIORITY_QUEUES[0]))
    return job.id


def _count_waiting_for_school(job: OutboxJob) -> int:
    """How many jobs of the same school are waiting already."""
    if (school := _school_of(job)) is None:
        return 0
    is_waiting = OutboxJob.done_at.is_(None) & OutboxJob.failed_at.is_(None) & (OutboxJob.ids["school_id"].astext == school)
    return tx().scalar(select(func.count()).select_from(OutboxJob).where(is_waiting)) or 0


def _school_of(job: OutboxJob) -> str | None:
    return job.ids.get("school_id")


def enqueue_daily(kind: str, authority_ids: Iterable[UUID], on: date, at: time) -> int:
    """Add a daily job for each authority, to run from that time on in England. Commits, and returns how many were new.

    However many workers do so, each authority gets the job once a day.
    """
    run_after = datetime.combine(on, at, clock.LONDON)
    rows = [
        {
            "id": uuid4(),
            "authority_id": authority_id,
            "kind": kind,
            "ids": {},
            "role": "schedule",
            "run_after": run_after,
            "attempts": 0,
            "once": f"{kind} {authority_id} {on}",
        }
        for authority_id in authority_ids
    ]
    if not rows:
        return 0
    new_ids = tx().execute(insert(OutboxJob).on_conflict_do_nothing(index_elements=["once"]).returning(OutboxJob.id), rows).all()
    tx().commit()
    return len(new_ids)


def enqueue_repeating(kind: str, authority_ids: Iterable[UUID], every: timedelta) -> int:
    """Make a job due again for each authority whose last run is `every` ago. Commits, and returns how many are due.

    An authority has one row, which is used again and again: a new one each minute would make half a million a year. A job
    that was set aside is tried again too, since nobody would notice that it had stopped.
    """
    now, names = clock.now(), {f"{kind} {authority_id}": authority_id for authority_id in authority_ids}
    existing = tx().execute(select(OutboxJob.once, _ended_at()).where(OutboxJob.once.in_(names))).all()
    due = {name for name, ended_at in existing if ended_at is not None and ended_at <= now - every}
    missing = names.keys() - {name for name, _ in existing}
    rows = [
        {"id": uuid4(), "authority_id": names[name], "kind": kind, "ids": {}, "role": "schedule", "run_after": now, "attempts": 0}
        | {"once": name}
        for name in sorted(missing)
    ]
    if rows:
        tx().execute(insert(OutboxJob).on_conflict_do_nothing(index_elements=["once"]), rows)
    if due:
        # A row that another dispatcher has just made due, or a worker runs, is locked or no longer ended: it is left alone.
        ended = select(OutboxJob.id).where(OutboxJob.once.in_(due), _ended_at() <= now - every).with_for_update(skip_locked=True)
        again = {"run_after": now, "attempts": 0, "sent_at": None, "done_at": None, "failed_at": None, "failure": None}
        tx().execute(update(OutboxJob).where(OutboxJob.id.in_(ended.scalar_subquery())).values(again))
    tx().commit()
    return len(rows) + len(due)


def _ended_at() -> ColumnElement[datetime | None]:
    return func.coalesce(OutboxJob.done_at, OutboxJob.failed_at)


def _wake(job_id: UUID, queue_name: str) -> None:
    """Send a job at once, if Redis answers. The dispatcher sends any that this misses within a second."""
    if _redis is None:
        return
    try:
        _send(job_id, 0, queue_name)
    except RedisError:
        return


def _send(job_id: UUID, suffix: str | int, queue_name: str) -> None:
    redis_queue(queue_name).enqueue_call(
        ENTRY,
        args=(str(job_id),),
        job_id=f"{job_id}-{suffix}",
        timeout=JOB_TIMEOUT,
        result_ttl=RESULT_TTL,
        failure_ttl=FAILURE_TTL,
    )


def due_jobs(limit: int = 200) -> Sequence[OutboxJob]:
    """Jobs that are due, and were never sent or were sent longer ago than the lease. Locked against other dispatchers."""
    now = clock.now()
    statement = (
        select(OutboxJob)
        .where(OutboxJob.done_at.is_(None), OutboxJob.failed_at.is_(None), OutboxJob.run_after <= now)
        .where(or_(OutboxJob.sent_at.is_(None), OutboxJob.sent_at < now - LEASE))
        .order_by(OutboxJob.run_after)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return tx().scalars(statement).all()


def send_due_jobs() -> int:
    """Send the waiting jobs, and return how many were sent.

    A job that is running holds its row's lock, so it is skipped here however long it takes. One that was started
    `MAX_STARTS` times and never finished killed its worker each time; it is set aside for a person to look at.
    """
    due: dict[UUID, tuple[str | int, str]] = {}
    due_by_school: Counter[str] = Counter()
    jobs = due_jobs()
    still_queued = _still_queued() if any(job.sent_at for job in jobs) else frozenset()
    for job in jobs:
        if job.attempts >= MAX_STARTS:
            job.failed_at, job.failure = clock.now(), "It was started three times and never finished."
            log.error("job.set_aside", job=str(job.id), kind=job.kind)
            continue
        if str(job.id) not in still_queued:
            school = _school_of(job) or str(job.id)
            due[job.id] = _queue_suffix(job), PRIORITY_QUEUES[due_by_school[school] >= SCHOOL_SHARE]
            due_by_school[school] += 1
        job.sent_at = clock.now()
    # Before sending, because it releases the rows' locks: a worker quicker than this commit would find its row locked,
    # skip it, and the job would wait for a whole lease.
    tx().commit()
    try:
        for job_id, (suffix, queue_name) in due.items():
            _send(job_id, suffix, queue_name)
    except RedisError:
        tx().execute(update(OutboxJob).where(OutboxJob.id.in_(due)).values(sent_at=None))
        tx().commit()
        raise
    return len(due)


def _still_queued() -> frozenset[str]:
    """Ids of jobs still in Redis. They are late, not lost, so the dispatcher must not send them again."""
    return frozenset(queue_id[:UUID_LENGTH] for name in PRIORITY_QUEUES for queue_id in redis_queue(name).get_job_ids())


def _queue_suffix(job: OutboxJob) -> str | int:
    """A suffix that makes the queue id new: RQ would take an old one for the earlier sending."""
    return f"{job.attempts}-{int(clock.now().timestamp())}"


def backlog() -> dict[str, Any]:
    """How many jobs are waiting, and since when the oldest has been: for the metrics."""
    waiting_since = (
        tx()
        .scalars(
            select(OutboxJob.run_after)
            .where(OutboxJob.done_at.is_(None), OutboxJob.failed_at.is_(None))
            .order_by(OutboxJob.run_after)
            .limit(1000)
        )
        .all()
    )
    return {"waiting": len(waiting_since), "oldest": waiting_since[0] if waiting_since else None}
