"""Health checks and metrics: /livez, /readyz, and the private port for Prometheus."""

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
from portal.db import connection as database
from portal.db.work import unit_of_work
from portal.jobs import outbox
from portal.platform import clock
from portal.security.permissions import open_to_all

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
SLOWEST_DATABASE = 0.5
LEAST_FREE = 200_000_000

#: The methods counted by name. All others share one label, or a stranger could make a new time series with each request.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_STARTED_AT = "portal.began"

REQUESTS = Counter("portal_requests", "Requests answered", ("endpoint", "method", "status"))
DURATIONS = Histogram(
    "portal_request_seconds", "Time to answer", ("endpoint",), buckets=(0.01, 0.03, 0.1, 0.3, 0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
)


@bp.get("/livez")
@open_to_all
def livez() -> ResponseReturnValue:
    """Is this process answering? Asks no other server."""
    return {"status": "alive"}


@bp.get("/readyz")
@open_to_all
def readyz() -> ResponseReturnValue:
    """May requests be sent here?

    200 when the database reads and writes in time, is at the right revision, and the disk has room. Without the queue
    server the portal still receives files and shows pages, so that is 200 with "degraded".
    """
    settings: Settings = current_app.config["PORTAL"]
    checks = {"database": _database(), "disk": _disk(settings.data_dir)}
    ready = all(answer == "ok" for answer in checks.values())
    checks["queue"] = _queue()
    status = "not ready" if not ready else "ready" if checks["queue"] == "ok" else "degraded"
    return {"status": status, "checks": checks}, 200 if ready else 503


#: A read, and a write that needs no table: a message in the write-ahead log, on the disk before the commit returns. A
#: database whose disk is full, or that has become a replica, still answers a SELECT.
_WRITE_AND_READ = (
    "SELECT version_num, current_setting('transaction_read_only'), pg_logical_emit_message(true, 'portal', 'ready') "
    "FROM alembic_version"
)


def _database() -> str:
    started = time.monotonic()
    try:
        with database.engine().begin() as connection:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(SLOWEST_DATABASE * 1000)}")
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
    return "ok" if time.monotonic() - started <= SLOWEST_DATABASE else "slow"


def _disk(folder: Path) -> str:
    return "ok" if _free(folder) >= LEAST_FREE else "full"


def _free(folder: Path) -> int:
    """Bytes free where the portal keeps its files, or would if the folder existed."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _queue() -> str:
    try:
        outbox.redis_queue().connection.ping()
    except Exception as error:  # noqa: BLE001  the client's own errors are known to portal.jobs.outbox alone
        log.warning("health.queue", why=type(error).__name__)
        return "does not answer"
    return "ok"


class MetricsPort:
    """WSGI middleware that answers the private port with metrics, so that nothing arriving there reaches a page."""

    def __init__(self, application: WSGIApplication, settings: Settings) -> None:
        """Wrap `application`; without a private port every request passes through."""
        self._application = application
        self._settings = settings

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer metrics at the private port, and note the starting time of every other request."""
        if self._settings.metrics_port and environ.get("SERVER_PORT") == str(self._settings.metrics_port):
            return self._metrics(environ, start_response)
        environ[_STARTED_AT] = time.perf_counter()
        # A thread serves one request after another: without this a line could carry the last one's id.
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
    """All metrics in Prometheus's text format: the counts of every web worker, and the outbox at this moment."""
    registry = REGISTRY
    # Each worker counts in its own memory, so one alone would show a part of the requests: files are shared instead.
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library leaves this one untyped
    current_state = CollectorRegistry()
    current_state.register(_CurrentState(data_dir))
    return generate_latest(registry) + generate_latest(current_state)


class _CurrentState:
    """Metrics read when they are asked for: the outbox and the disk."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def describe(self) -> Iterator[Metric]:
        """No metrics: registering the collector asks for them, and must not read the database."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Read the outbox and the disk."""
        yield GaugeMetricFamily("portal_disk_free_bytes", "Free space beside the data", value=_free(self._data_dir))
        try:
            with unit_of_work(None):
                backlog: dict[str, Any] = outbox.backlog()
        except SQLAlchemyError:
            yield GaugeMetricFamily("portal_database_up", "Does the database answer?", value=0)
            return
        oldest = backlog["oldest"]
        age = max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0
        yield GaugeMetricFamily("portal_database_up", "Does the database answer?", value=1)
        yield GaugeMetricFamily("portal_jobs_waiting", "Jobs not done yet (at most 1,000 are counted)", value=backlog["waiting"])
        yield GaugeMetricFamily("portal_oldest_job_seconds", "How long the oldest of them has waited", value=age)


@bp.record_once
def _add_metrics_port(state: BlueprintSetupState) -> None:
    app = cast("Flask", state.app)
    app.wsgi_app = MetricsPort(app.wsgi_app, app.config["PORTAL"])  # type: ignore[method-assign]  # Flask's documented way


@bp.after_app_request
def _measure(response: Response) -> Response:
    """Count and log the request by view, time and status. Its address holds ids and searches, and is never logged."""
    endpoint = request.endpoint or "none"
    seconds = time.perf_counter() - request.environ.get(_STARTED_AT, time.perf_counter())
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(endpoint, method, str(response.status_code)).inc()
    DURATIONS.labels(endpoint).observe(seconds)
    if endpoint not in {"health.livez", "health.readyz", "web.static"}:
        log.info("request", endpoint=endpoint, method=method, status=response.status_code, ms=round(seconds * 1000, 1))
    return response
