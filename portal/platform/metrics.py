"""The metrics: the exporter's own server on a private port, over all web workers of this machine."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy.exc import SQLAlchemyError

from portal.db import connection as database
from portal.db.work import unit_of_work
from portal.jobs import outbox
from portal.platform import clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from wsgiref.simple_server import WSGIServer

    from prometheus_client import Metric

    from config.settings import Settings


def serve(settings: Settings) -> WSGIServer:
    """Start the server in a thread of gunicorn's first process, which answers no page itself.

    It ends the process with a sentence when the port is taken.
    """
    database.connect(settings.database_url, pool_size=1, pooler=settings.database_pooler)
    try:
        server, _ = start_http_server(settings.metrics_port, settings.metrics_host, registry(settings.data_dir))
    except OSError as error:
        where = f"{settings.metrics_port} on {settings.metrics_host}"
        sys.exit(f"Set PORTAL_METRICS_PORT to a free port: {where} cannot be used ({error.strerror}).")
    return server


def registry(data_dir: Path) -> CollectorRegistry:
    """All metrics: the counts of every web worker, and the outbox and the disk at this moment."""
    metrics = CollectorRegistry()
    # Each worker counts in its own memory, so one alone would show a part of the requests: files are shared instead.
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(metrics)  # type: ignore[no-untyped-call]  # the library leaves this one untyped
    else:
        metrics.register(REGISTRY)
    metrics.register(_CurrentState(data_dir))
    return metrics


class _CurrentState:
    """Metrics read when they are asked for: the outbox and the disk."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def describe(self) -> Iterator[Metric]:
        """No metrics: registering the collector asks for them, and must not read the database."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Read the outbox and the disk."""
        yield GaugeMetricFamily("portal_disk_free_bytes", "Free space beside the data", value=free_bytes(self._data_dir))
        backlog = _backlog()
        if backlog is None:
            yield GaugeMetricFamily("portal_database_up", "Does the database answer?", value=0)
            return
        oldest = backlog["oldest"]
        age = max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0
        yield GaugeMetricFamily("portal_database_up", "Does the database answer?", value=1)
        yield GaugeMetricFamily("portal_jobs_waiting", "Jobs not done yet (at most 1,000 are counted)", value=backlog["waiting"])
        yield GaugeMetricFamily("portal_oldest_job_seconds", "How long the oldest of them has waited", value=age)


def _backlog() -> dict[str, Any] | None:
    """The jobs that wait, or None when the database does not answer."""
    try:
        with unit_of_work(None):
            backlog: dict[str, Any] = outbox.backlog()
    except SQLAlchemyError:
        return None
    finally:
        # A worker forked while a connection waits in the pool would share its socket with this process.
        database.engine().dispose()
    return backlog


def free_bytes(folder: Path) -> int:
    """Bytes free where the portal keeps its files, or would if the folder existed."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
