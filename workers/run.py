"""The worker process: forks a horse for each job, and dispatches the outbox beside it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
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
    """RQ's forking worker with our database in each horse: the parent's connections are never used in a child."""

    def main_work_horse(self, job: Any, queue: Any) -> Any:
        """Let go of connections inherited over the fork, then work."""
        db.engine().dispose(close=False)
        return super().main_work_horse(job, queue)


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
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Thread(target=dispatch_for_ever, args=(stop,), daemon=True).start()
    while True:
        try:
            worker = PortalWorker(
                [queue.queue()], connection=connection, serializer=JSONSerializer, worker_ttl=30, maintenance_interval=10
            )
            worker.work(logging_level="WARNING", with_scheduler=False)
        except RedisError:
            time.sleep(EVERY)
        else:
            break
    stop.set()


if __name__ == "__main__":
    main()
