"""gunicorn's configuration: threads, a deadline for each request, and a private port for metrics."""

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
from config.deadline import Deadline
from config.settings import Settings

_settings = Settings.from_environment(os.environ)
_deadline = Deadline(_settings.request_deadline)

bind = [f"{_settings.host}:{_settings.port}"]
if _settings.metrics_port:
    bind.append(f"{_settings.metrics_host}:{_settings.metrics_port}")
    _metrics = _settings.data_dir / f"metrics-{_settings.port}"
    # Set before the application is imported, because the client library reads it while it is imported.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_metrics)

worker_class = "gthread"
workers = _settings.web_workers
threads = _settings.web_threads
preload_app = False

# Longer than the proxy's own idle time: if the portal closed first, the proxy could send a request into a closed connection.
keepalive = 75
# For the heartbeat of a whole worker. A single request has its own deadline.
timeout = 60
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
    gc.freeze()


def post_worker_init(_worker: Any) -> None:
    """Start the deadline thread of this worker."""
    _deadline.watch()


def pre_request(_worker: Any, _request: Any) -> None:
    """Note that a request has begun."""
    _deadline.began()


def post_request(_worker: Any, _request: Any, _environ: Any, _response: Any) -> None:
    """Note that it has ended."""
    _deadline.ended()


def child_exit(_arbiter: Any, worker: Any) -> None:
    """Remove an ended worker from the metrics of live ones."""
    library = sys.modules.get("prometheus_client.multiprocess")
    if library is not None and _settings.metrics_port:
        library.mark_process_dead(worker.pid)
