"""Health and measurement: is this process alive, may it be sent requests, and what has it done since it started."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import structlog
from flask import Blueprint, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from config.revision import NEEDED
from portal import clock, db
from portal.permissions import open_to_all
from workers import queue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from flask import Flask, Response
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue
    from prometheus_client import Metric

    from config.settings import Settings

bp = Blueprint("health", __name__)
log = structlog.get_logger("portal.request")

#: The longest the database may take to write and read, in seconds, and the least free space, in bytes.
LONGEST_ANSWER = 0.5
LEAST_FREE = 200_000_000

#: The methods counted by name; a stranger's inventions share one line.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_BEGAN = "portal.began"

REQUESTS = Counter("portal_requests", "Requests answered", ("endpoint", "method", "status"))
DURATIONS = Histogram(
    "portal_request_seconds", "Time to answer", ("endpoint",), buckets=(0.01, 0.03, 0.1, 0.3, 0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
)


@bp.get("/livez")
@open_to_all
def livez() -> ResponseReturnValue:
    """Is this process answering? Asks nothing of anything else."""
    return {"status": "alive"}


@bp.get("/readyz")
@open_to_all
def readyz() -> ResponseReturnValue:
    """May requests be sent here? 200 when the database writes and reads in time at the right revision, and there is room.

    Without the queue server the portal still takes files and shows pages, so that is 200 with "degraded".
    """
    settings: Settings = current_app.config["PORTAL"]
    checks = {"database": _database(), "disk": _disk(settings.data_dir)}
    ready = all(said == "ok" for said in checks.values())
    checks["queue"] = _queue()
    status = "not ready" if not ready else "ready" if checks["queue"] == "ok" else "degraded"
    return {"status": status, "checks": checks}, 200 if ready else 503


#: A read, and a write without a table: a message in the write-ahead log, on the disk before the commit returns.
_WRITE_AND_READ = (
    "SELECT version_num, current_setting('transaction_read_only'), pg_logical_emit_message(true, 'portal', 'ready') "
    "FROM alembic_version"
)


def _database() -> str:
    began = time.monotonic()
    try:
        with db.engine().begin() as connection:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(LONGEST_ANSWER * 1000)}")
            row = connection.exec_driver_sql(_WRITE_AND_READ).first()
    except ProgrammingError:
        # No table of revisions, or none we may read: a database nobody has migrated yet.
        return "needs migrating"
    except (SQLAlchemyError, RuntimeError) as error:
        log.warning("health.database", why=type(error).__name__)
        return "does not answer"
    if row is None or row[0] != NEEDED:
        return "needs migrating"
    if row[1] == "on":
        return "only reads"
    return "ok" if time.monotonic() - began <= LONGEST_ANSWER else "slow"


def _disk(folder: Path) -> str:
    return "ok" if _free(folder) >= LEAST_FREE else "full"


def _free(folder: Path) -> int:
    """Bytes free where the portal keeps its files, or where it would."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _queue() -> str:
    try:
        queue.queue().connection.ping()
    except Exception as error:  # noqa: BLE001  the client's own errors are known to workers.queue alone
        log.warning("health.queue", why=type(error).__name__)
        return "does not answer"
    return "ok"


class MetricsPort:
    """Before the application: what arrives at the private port is answered with metrics and never reaches a page."""

    def __init__(self, application: WSGIApplication, settings: Settings) -> None:
        """Stand before `application`; with no private port nothing is answered here."""
        self._application = application
        self._settings = settings

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer metrics at the private port, and start the clock of every other request."""
        if self._settings.metrics_port and environ.get("SERVER_PORT") == str(self._settings.metrics_port):
            return self._metrics(environ, start_response)
        environ[_BEGAN] = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=uuid4().hex)
        return self._application(environ, start_response)

    def _metrics(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"The metrics are at /metrics.\n"]
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST), ("Cache-Control", "no-store")])
        return [metrics(self._settings.data_dir)]


def metrics(data_dir: Path) -> bytes:
    """Everything measured, in Prometheus's text format: over every web worker, and the outbox as it stands."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library leaves this one untyped
    standing = CollectorRegistry()
    standing.register(_Standing(data_dir))
    return generate_latest(registry) + generate_latest(standing)


class _Standing:
    """What is read at the moment of asking: the outbox and the disk."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: asking what there is must not read the database."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Read the outbox and the disk."""
        yield GaugeMetricFamily("portal_disk_free_bytes", "Free space beside the data", value=_free(self._data_dir))
        try:
            with db.unit_of_work(None):
                found: dict[str, Any] = queue.backlog()
        except SQLAlchemyError:
            yield GaugeMetricFamily("portal_database_up", "Does the database answer?", value=0)
            return
        oldest = found["oldest"]
        age = max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0
        yield GaugeMetricFamily("portal_database_up", "Does the database answer?", value=1)
        yield GaugeMetricFamily("portal_jobs_waiting", "Jobs not done yet (at most 1,000 are counted)", value=found["waiting"])
        yield GaugeMetricFamily("portal_oldest_job_seconds", "How long the oldest of them has waited", value=age)


@bp.record_once
def _stand_before(state: BlueprintSetupState) -> None:
    app = cast("Flask", state.app)
    app.wsgi_app = MetricsPort(app.wsgi_app, app.config["PORTAL"])  # type: ignore[method-assign]  # Flask's documented way


@bp.after_app_request
def _measure(response: Response) -> Response:
    """Count and log the request: which view, how long, how it ended; never the address, which holds ids and searches."""
    endpoint = request.endpoint or "none"
    took = time.perf_counter() - request.environ.get(_BEGAN, time.perf_counter())
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(endpoint, method, str(response.status_code)).inc()
    DURATIONS.labels(endpoint).observe(took)
    if endpoint not in {"health.livez", "health.readyz", "web.static"}:
        log.info("request", endpoint=endpoint, method=method, status=response.status_code, ms=round(took * 1000, 1))
    return response
