"""gunicorn's configuration: threads, the end of a stuck worker, and a private port for metrics."""

from __future__ import annotations

import gc
import importlib
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

from config import logging as logs
from config.settings import Settings

_settings = Settings.from_environment(os.environ)

bind = [f"{_settings.host}:{_settings.port}"]
if _settings.metrics_port:
    _metrics = _settings.data_dir / f"metrics-{_settings.port}"
    # Set before the application is imported, because the client library reads it while it is imported.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_metrics)

#: gunicorn's threaded worker, without a heartbeat while one of its requests is stuck.
worker_class = "config.web_worker.Worker"
workers = _settings.web_workers
threads = _settings.web_threads
preload_app = False

# Longer than the proxy's own idle time: if the portal closed first, the proxy could send a request into a closed connection.
keepalive = 75
# Seconds without a heartbeat after which gunicorn kills a worker and starts another. It is also how long one may take to
# start, so it is never as short as a test's deadline.
timeout = _settings.request_deadline + 10
graceful_timeout = 12
max_requests = 20_000
max_requests_jitter = 2_000
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  gunicorn's own advice; holds no data

limit_request_line = 4_094
limit_request_fields = 60
limit_request_field_size = 8_190

# An access log would hold addresses, and with them ids and searches. The portal logs each request without its address.
accesslog = None
errorlog = "-"
loglevel = _settings.log_level
# The application decides which X-Forwarded headers to trust, by PORTAL_TRUSTED_PROXIES.
forwarded_allow_ips = ""
control_socket_disable = True


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn carries no types
    """gunicorn's own lines in the same JSON form as all others."""

    def setup(self, cfg: Any) -> None:
        """Let gunicorn prepare its loggers, then replace their handlers."""
        super().setup(cfg)
        logs.configure(_settings)


logger_class = JsonLogger


def on_starting(_arbiter: Any) -> None:
    """Start the metrics from zero: remove the files of earlier workers."""
    if _settings.metrics_port:
        shutil.rmtree(_metrics, ignore_errors=True)
        _metrics.mkdir(parents=True)


def when_ready(arbiter: Any) -> None:
    """Import the application's modules once, before the workers fork: it halves the start and shares memory.

    Nothing connects yet. Each worker makes its own application and connections: a socket shared by two processes would
    mix up their conversations.
    """
    importlib.import_module(arbiter.app.app_uri.partition(":")[0])
    if _settings.metrics_port:
        # Named, not imported: the settings are read before the application may be.
        arbiter.metrics_server = importlib.import_module("portal.platform.metrics").serve(_settings)
    gc.freeze()


def post_fork(arbiter: Any, _worker: Any) -> None:
    """Close the worker's copy of the metrics' socket.

    A worker that outlives its parent would otherwise keep the port taken.
    """
    if _settings.metrics_port:
        arbiter.metrics_server.socket.close()


def child_exit(_arbiter: Any, worker: Any) -> None:
    """Remove an ended worker from the metrics of live ones."""
    library = sys.modules.get("prometheus_client.multiprocess")
    if library is not None and _settings.metrics_port:
        library.mark_process_dead(worker.pid)
