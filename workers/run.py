"""The worker process: forks a horse for each job, and dispatches the outbox beside it."""

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
from rq import Worker
from rq.serializers import JSONSerializer
from sqlalchemy.exc import DBAPIError

import workers.jobs
from config import logging as logs
from config.settings import Settings
from portal import clock, db
from portal.accounts.actions import mail
from portal.accounts.actions.mail import Smtp
from portal.accounts.queries import authorities
from workers import queue

if TYPE_CHECKING:
    from datetime import date

log = structlog.get_logger()
EVERY = 1.0


class PortalWorker(Worker):
    """RQ's forking worker with our database in each horse: the parent's connections are never used in a child.

    What went wrong is logged as everything of ours is, and never kept in the queue: an error's words may quote a row.
    """

    told_to_stop = False

    def main_work_horse(self, job: Any, queue: Any) -> Any:
        """Let go of connections inherited over the fork, then work."""
        db.engine().dispose(close=False)
        return super().main_work_horse(job, queue)

    def handle_job_failure(self, *args: Any, **kwargs: Any) -> None:
        """Mark it failed, without a word of why."""
        super().handle_job_failure(*args, **{**kwargs, "exc_string": ""})

    def handle_exception(self, job: Any, *exc_info: Any) -> None:
        """Say that a job raised."""
        log.error("job.raised", job=job.id, exc_info=exc_info)

    def handle_warm_shutdown_request(self) -> None:
        """Remember that the end was asked for: any other end is the queue server's doing."""
        PortalWorker.told_to_stop = True
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]  # the library leaves this one untyped


def dispatch_for_ever(stop: threading.Event) -> None:
    """Send what waits, every second, whatever is down; says so once when it starts failing and once when it recovers."""
    failing, promised = False, None
    while not stop.wait(EVERY):
        try:
            with db.unit_of_work(None):
                if promised != clock.today():
                    promised = _timetable()
                queue.dispatch()
        except (RedisError, DBAPIError) as error:
            if not failing:
                log.warning("dispatcher.waiting", why=type(error).__name__)
            failing = True
        else:
            if failing:
                log.info("dispatcher.recovered")
            failing = False


def _timetable() -> date:
    """Promise the day's timetabled jobs, one for each authority; asked again by every worker, kept once."""
    today, everyone = clock.today(), [one.id for one in authorities()]
    for kind in workers.jobs.DAILY:
        queue.promise_for_today(kind, everyone, today)
    return today


def _mail_server(settings: Settings) -> Smtp | None:
    if not settings.smtp_host:
        return None
    encryption = "starttls" if settings.smtp_starttls else "none"
    return Smtp(settings.smtp_host, settings.smtp_port, settings.mail_from, encryption, settings.smtp_user, settings.smtp_password)


def main() -> None:
    """Run one worker with its dispatcher until told to stop."""
    settings = Settings.from_environment(os.environ)
    logs.configure(settings)
    db.connect(settings.database_url)
    connection = queue.connect(settings.redis_url)
    mail.connect(_mail_server(settings))
    gc.freeze()  # What is loaded once is never looked through again, here or in a horse.
    stop = threading.Event()
    threading.Thread(target=dispatch_for_ever, args=(stop,), daemon=True).start()
    while True:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with suppress(RedisError):
            worker = PortalWorker(
                [queue.queue(lane) for lane in queue.LANES],
                connection=connection,
                serializer=JSONSerializer,
                worker_ttl=30,
                maintenance_interval=10,
            )
            worker.work(logging_level="WARNING", with_scheduler=False)
        if PortalWorker.told_to_stop:
            break
        time.sleep(EVERY)
    stop.set()


if __name__ == "__main__":
    main()
