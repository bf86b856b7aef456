"""Health checks, /livez and /readyz, and the counting of requests. portal.platform.metrics serves the counts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import structlog
from flask import Blueprint, current_app, request, request_started
from prometheus_client import Counter, Histogram
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from config.revision import NEEDED
from portal.db import connection as database
from portal.jobs import outbox
from portal.platform.metrics import free_bytes
from portal.security.permissions import open_to_all

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask, Response
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

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
    return "ok" if free_bytes(folder) >= LEAST_FREE else "full"


def _queue() -> str:
    try:
        outbox.redis_queue().connection.ping()
    except Exception as error:  # noqa: BLE001  the client's own errors are known to portal.jobs.outbox alone
        log.warning("health.queue", why=type(error).__name__)
        return "does not answer"
    return "ok"


@bp.record_once
def _watch_requests(state: BlueprintSetupState) -> None:
    # A signal, because it comes before every other part of the request: the gate's time and its log lines count too.
    request_started.connect(_begin, cast("Flask", state.app))


def _begin(_app: Flask, **_: object) -> None:
    """Note when the request began, and give its log lines an id."""
    request.environ[_STARTED_AT] = time.perf_counter()
    # A thread serves one request after another: without this a line could carry the last one's id.
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=uuid4().hex)


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
