"""gunicorn's configuration: threads behind a buffering proxy, a deadline for each request, metrics on a port of their own."""

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
    # Set before the application is imported: the client library chooses there and then to count across workers.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_metrics)

worker_class = "gthread"
workers = _settings.web_workers
threads = _settings.web_threads
preload_app = False

# Longer than any proxy's idle time in front, so that it is never the portal that closes a connection just chosen for use.
keepalive = 75
# Heartbeat of a whole worker; a single request has its deadline.
timeout = 60
graceful_timeout = 12
max_requests = 20_000
max_requests_jitter = 2_000
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  gunicorn's own advice; holds no data

limit_request_line = 4_094
limit_request_fields = 60
limit_request_field_size = 8_190

# Addresses hold ids and searches; the portal writes its own line for each request without them.
accesslog = None
errorlog = "-"
loglevel = _settings.log_level
# Whose X-Forwarded headers count is decided by PORTAL_TRUSTED_PROXIES, in the application.
forwarded_allow_ips = ""
control_socket_disable = True


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn carries no types
    """gunicorn's own lines, like every other line of ours."""

    def setup(self, cfg: Any) -> None:
        """Let gunicorn prepare its loggers, then send them our way."""
        super().setup(cfg)
        logs.configure(_settings)


logger_class = JsonLogger


def on_starting(_arbiter: Any) -> None:
    """Begin counting afresh: the files of workers long gone are removed."""
    if _settings.metrics_port:
        shutil.rmtree(_metrics, ignore_errors=True)
        _metrics.mkdir(parents=True)


def when_ready(arbiter: Any) -> None:
    """Import the application's modules once, before the workers part from us: it halves the start and shares memory.

    Nothing is connected yet: each worker makes its own application, and with it its own connections.
    """
    importlib.import_module(arbiter.app.app_uri.partition(":")[0])
    gc.freeze()


def post_worker_init(_worker: Any) -> None:
    """Watch the requests of this worker."""
    _deadline.watch()


def pre_request(_worker: Any, _request: Any) -> None:
    """Start a request's time."""
    _deadline.began()


def post_request(_worker: Any, _request: Any, _environ: Any, _response: Any) -> None:
    """Stop it."""
    _deadline.ended()


def child_exit(_arbiter: Any, worker: Any) -> None:
    """Stop counting a worker that has gone as one that lives."""
    library = sys.modules.get("prometheus_client.multiprocess")
    if library is not None and _settings.metrics_port:
        library.mark_process_dead(worker.pid)
