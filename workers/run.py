"""The worker process: forks a child for each job, and dispatches the outbox in a thread beside it."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog
from redis.exceptions import RedisError
from rq import Worker, worker_registration
from rq.serializers import JSONSerializer
from rq.utils import now
from sqlalchemy.exc import DBAPIError

from config import logging as logs
from config.settings import Settings
from portal import capabilities
from portal.accounts.actions import mail
from portal.accounts.actions.mail import Smtp
from portal.accounts.queries.people import authorities, every_authority_id
from portal.db import connection as database
from portal.db.work import unit_of_work
from portal.jobs import outbox
from portal.platform import clock, upload_limit
from portal.uploads.domain.reading import sandbox
from workers.portal_jobs import PortalJob, PortalQueue, forget_abandoned_jobs, own_queues

if TYPE_CHECKING:
    from datetime import date

    from redis import Redis

log = structlog.get_logger()
DISPATCH_INTERVAL = 1.0
#: How often the dispatcher looks for jobs that are to run again, in seconds.
REPEAT_INTERVAL = 5.0


class PortalWorker(Worker):
    """RQ's forking worker, with database connections of its own in each child.

    Errors go to the log, which leaves their texts out, and never to Redis: an error's text may quote a row.
    """

    stop_requested = False
    #: Whether files are read only where the reader's system calls can be filtered.
    must_filter = False

    def main_work_horse(self, job: Any, queue: Any) -> Any:
        """Drop the connections inherited by the fork, then work.

        Two processes writing to one socket would mix up their conversations with PostgreSQL. They are dropped without
        being closed (`close=False`): closing would say goodbye to PostgreSQL on the parent's behalf.
        """
        database.engine().dispose(close=False)
        return super().main_work_horse(job, queue)

    def execute_job(self, job: Any, queue: Any) -> None:
        """Run a job of the portal's own in a child. Any other fails here, before anything is started for it."""
        if not job.refusal:
            # Here, because what the job's own child starts ends with it.
            sandbox.start(must_filter=self.must_filter)
            super().execute_job(job, queue)
            return
        log.warning("job.foreign", why=job.refusal)
        self.handle_job_failure(job, queue)

    def run_maintenance_tasks(self) -> None:
        """Forget the jobs whose worker died: the outbox sends them again.

        RQ's own maintenance would start what waits in its registries, and run callbacks.
        """
        for queue in self.queues:
            forget_abandoned_jobs(queue)
            worker_registration.clean_worker_registry(queue)
        self.last_cleaned_at = now()  # type: ignore[assignment]  # the library declares it as None alone

    def subscribe(self) -> None:
        """Take no commands from Redis. Nothing of the portal's sends any."""

    def check_for_suspension(self, burst: bool) -> None:  # noqa: FBT001  as the library declares it
        """Never be suspended through Redis."""

    def handle_job_failure(self, *args: Any, **kwargs: Any) -> None:
        """Mark the job as failed, without the error's text."""
        super().handle_job_failure(*args, **{**kwargs, "exc_string": ""})

    def handle_exception(self, job: Any, *exc_info: Any) -> None:
        """Log that a job raised an error."""
        log.error("job.raised", job=job.id, exc_info=exc_info)

    def handle_warm_shutdown_request(self) -> None:
        """Note that a signal asked for the end. When `work` returns without one, Redis went away, and `main` starts again."""
        PortalWorker.stop_requested = True
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]  # the library leaves this one untyped


def dispatch_forever(stop: threading.Event) -> None:
    """Send the waiting jobs every second, also after Redis or the database was away.

    Logs the first failure and the recovery, not every second between them.
    """
    failing, enqueued_on, repeated_at = False, None, 0.0
    while not stop.wait(DISPATCH_INTERVAL):
        try:
            with unit_of_work(None):
                if time.monotonic() >= repeated_at + REPEAT_INTERVAL:
                    repeated_at = time.monotonic()
                    _enqueue_repeating_jobs()
                if enqueued_on != clock.today():
                    enqueued_on = _enqueue_daily_jobs()
                outbox.send_due_jobs()
        except (RedisError, DBAPIError) as error:
            if not failing:
                log.warning("dispatcher.waiting", why=type(error).__name__)
            failing = True
        else:
            if failing:
                log.info("dispatcher.recovered")
            failing = False


def _enqueue_daily_jobs() -> date:
    """Add the day's jobs, one for each authority. Every worker does so; the outbox keeps each once."""
    today, authority_ids = clock.today(), [authority.id for authority in authorities()]
    for job in capabilities.jobs().values():
        if job.daily is not None:
            outbox.enqueue_daily(job.kind, authority_ids, today, job.daily)
    return today


def _enqueue_repeating_jobs() -> None:
    """Make the jobs that run over and over due again, one for each authority."""
    authority_ids = every_authority_id()
    for job in capabilities.jobs().values():
        if job.every is not None:
            outbox.enqueue_repeating(job.kind, authority_ids, job.every)


def _mail_server(settings: Settings) -> Smtp | None:
    if not settings.smtp_host:
        return None
    encryption = "starttls" if settings.smtp_starttls else "none"
    return Smtp(settings.smtp_host, settings.smtp_port, settings.mail_from, encryption, settings.smtp_user, settings.smtp_password)


def new_worker(connection: Redis) -> PortalWorker:
    """A worker of the portal's queues."""
    return PortalWorker(
        own_queues(outbox.redis_queue(name) for name in outbox.PRIORITY_QUEUES),
        connection=connection,
        job_class=PortalJob,
        queue_class=PortalQueue,
        serializer=JSONSerializer,
        worker_ttl=30,
        maintenance_interval=10,
    )


def main() -> None:
    """Run one worker with its dispatcher until a signal stops it."""
    settings = Settings.from_environment(os.environ)
    logs.configure(settings)
    upload_limit.follow(settings)
    database.connect(settings.database_url, pooler=settings.database_pooler)
    connection = outbox.connect(settings.redis_url)
    mail.set_server(_mail_server(settings))
    PortalWorker.must_filter = settings.production
    try:
        sandbox.start(must_filter=settings.production)
    except sandbox.UnfilteredError as error:
        sys.exit(str(error))
    # The collector would otherwise go through every module again, here and in each child, whose copy-on-write pages it
    # would make real copies of.
    gc.freeze()
    stop = threading.Event()
    threading.Thread(target=dispatch_forever, args=(stop,), daemon=True).start()
    while True:
        # RQ installs its own handlers inside `work`; this one ends the process while it waits for Redis.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with suppress(RedisError):
            new_worker(connection).work(logging_level="WARNING", with_scheduler=False)
        if PortalWorker.stop_requested:
            break
        time.sleep(DISPATCH_INTERVAL)
    stop.set()


if __name__ == "__main__":
    main()
