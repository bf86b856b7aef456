"""What RQ may take from Redis: the portal's own jobs, each of which is one id.

RQ calls any dotted name that stands in Redis, with any arguments, and imports callbacks, sends webhooks and obeys
commands that stand there too. A person with the queue's password could so run code in the worker, which holds the database's
and the mail server's secrets. Nothing of a job is therefore used but its own id, and only if everything else is as the
portal writes it; any other job fails without being run.
"""

from __future__ import annotations

import json
import re
import zlib
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from redis.exceptions import ConnectionError as LostConnectionError
from redis.exceptions import TimeoutError as SlowConnectionError
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import current_timestamp

from portal.jobs import running
from portal.jobs.outbox import ENTRY, FAILURE_TTL, JOB_TIMEOUT, PRIORITY_QUEUES, RESULT_TTL, UUID_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

log = structlog.get_logger()

#: The id of a job in the outbox, and a suffix for each time it was sent.
QUEUE_ID = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-[0-9]{1,12}){1,2}")
STATES = frozenset({b"queued", b"started", b"finished", b"failed", b"stopped", b"canceled"})
#: A job as the portal writes it is about 120 bytes. Unpacking stops here: a few bytes could unpack to gigabytes.
LARGEST_CALL = 1000
#: What RQ itself notes of a job. None of it is used.
NOTED = frozenset({b"created_at", b"enqueued_at", b"started_at", b"ended_at", b"last_heartbeat", b"description", b"worker_name"})
#: Fields that may only be there without a value: RQ writes them so.
EMPTY = frozenset({b"success_callback_name", b"failure_callback_name", b"stopped_callback_name", b"group_id"})
FIXED = {b"result_ttl": str(RESULT_TTL).encode(), b"failure_ttl": str(FAILURE_TTL).encode()}


class ForeignJobError(Exception):
    """A job in Redis is not one of the portal's own."""


class PortalJob(Job):
    """A job that can do one thing: run the outbox's job with its own id."""

    #: Why this job is not run; empty when it is the portal's own.
    refusal = "it was not read"

    def restore(self, raw_data: Mapping[bytes, bytes]) -> None:
        """Check what stands in Redis, and take over nothing of it but the state and the queue's name."""
        fields = {bytes(name): bytes(value) for name, value in raw_data.items()}
        self.refusal = why_foreign(str(self.id), fields)
        origin, state = fields.get(b"origin", b""), fields.get(b"status", b"")
        safe = {
            b"data": json.dumps([ENTRY, None, [str(self.id)[:UUID_LENGTH]], {}]).encode(),
            b"origin": origin if origin.decode("latin-1") in PRIORITY_QUEUES else PRIORITY_QUEUES[0].encode(),
            b"status": state if state in STATES else b"queued",
            b"description": ENTRY.encode(),
            b"timeout": str(_timeout(fields) or JOB_TIMEOUT).encode(),
            **FIXED,
        }
        super().restore(safe)

    @property
    def func(self) -> Any:
        """The one function a job may be. It is never looked up by the name that stands in Redis.

        Raises:
            ForeignJobError: for any other job.
        """
        if self.refusal:
            raise ForeignJobError(self.refusal)
        return running.run


def why_foreign(queue_id: str, fields: Mapping[bytes, bytes]) -> str:
    """Why this is not a job of the portal's own; empty when it is. The words repeat nothing of it."""
    written_fields = NOTED | EMPTY | FIXED.keys() | {b"data", b"origin", b"status", b"timeout"}
    reasons = (
        (not QUEUE_ID.fullmatch(queue_id), "its id is not one of the outbox"),
        (not fields.keys() <= written_fields, "it has a field that the portal never writes"),
        (any(fields.get(name) for name in EMPTY), "it has a callback or a group"),
        (not _timeout(fields) or any(fields.get(name) != value for name, value in FIXED.items()), "its times are not the portal's"),
        (fields.get(b"status") not in STATES, "its state is unknown"),
        (fields.get(b"origin", b"").decode("latin-1") not in PRIORITY_QUEUES, "it is of another queue"),
        (not _is_own_call(queue_id, fields.get(b"data", b"")), "it calls something else"),
    )
    return next((reason for applies, reason in reasons if applies), "")


def _timeout(fields: Mapping[bytes, bytes]) -> int:
    """The seconds the job may take; 0 when the portal would not allow them."""
    text = fields.get(b"timeout", b"")
    seconds = int(text) if text.isdigit() and len(text) <= len(str(JOB_TIMEOUT)) else 0
    return seconds if seconds <= JOB_TIMEOUT else 0


def _is_own_call(queue_id: str, packed: bytes) -> bool:
    """Whether the data is a call of the portal's entry with the job's own id."""
    try:
        unpacking = zlib.decompressobj()
        data = unpacking.decompress(packed, LARGEST_CALL)
        if unpacking.unconsumed_tail or unpacking.unused_data:
            return False
        call = json.loads(data)
        return bool(call == [ENTRY, None, [str(UUID(queue_id[:UUID_LENGTH]))], {}])
    except (zlib.error, ValueError, RecursionError):
        return False


class PortalQueue(Queue):
    """A queue of the portal's jobs, which starts no other job when one ends."""

    job_class = PortalJob

    @classmethod
    def _fetch_dequeued_job(cls, connection: Any, queue_key: str, job_id: str, *_: Any, **options: Any) -> Any:
        """Read the job that was taken from the queue. One whose id or record cannot be read is left out.

        RQ would let the error through, and the worker would end with it.
        """
        try:
            return super()._fetch_dequeued_job(connection, queue_key, job_id, **{**options, "job_class": PortalJob})
        except (LostConnectionError, SlowConnectionError):
            raise
        except Exception as error:  # noqa: BLE001  the worker works on, with anything in Redis
            log.warning("job.foreign", why="it cannot be read", error=type(error).__name__)
            return None

    def move_dependents_to_ready(self, *_: Any, **__: Any) -> dict[str, list[str]]:
        """Nothing waits for a job of the portal's."""
        return {}

    def enqueue_ready_jobs_by_queue(self, *_: Any, **__: Any) -> None:
        """Nothing waits for a job of the portal's."""

    def enqueue_dependents(self, *_: Any, **__: Any) -> dict[str, list[str]]:
        """Nothing waits for a job of the portal's."""
        return {}


def own_queues(queues: Iterable[Queue]) -> list[PortalQueue]:
    """The same queues, taking the portal's jobs only."""
    return [
        PortalQueue(queue.name, connection=queue.connection, job_class=PortalJob, serializer=JSONSerializer) for queue in queues
    ]


def forget_abandoned_jobs(queue: Queue) -> None:
    """Remove jobs that were started and never ended, and the names of those that ended long ago."""
    connection, registry = queue.connection, queue.started_job_registry
    moment = current_timestamp()
    entries: Any = connection.zrangebyscore(registry.key, 0, moment)
    for entry in entries:
        queue_id = entry.partition(b":")[0].decode("latin-1")
        if QUEUE_ID.fullmatch(queue_id):
            connection.delete(PortalJob.key_for(queue_id))
    for key in (registry.key, queue.failed_job_registry.key, queue.finished_job_registry.key):
        connection.zremrangebyscore(key, 0, moment)
