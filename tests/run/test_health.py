"""The health pages and the metrics, with a real database and queue that the tests stop."""

from __future__ import annotations

import io
import json
import logging
import socket
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.request import urlopen

import psycopg
import pytest
import structlog

import migrations
from config import logging as logs
from config.revision import NEEDED
from config.settings import Settings
from local.child_processes import free_port
from local.postgres import EmbeddedPostgres
from local.valkey import EmbeddedValkey
from portal.db import connection as database
from portal.jobs import outbox
from portal.platform import metrics
from portal.security.permissions import OPEN, permission_of
from tests.local.conftest import temporary_data_folder
from tests.run.small import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from wsgiref.simple_server import WSGIServer

    from flask import Flask
    from werkzeug.test import TestResponse

pytestmark = pytest.mark.slow


class SmallPortal:
    """The small application on servers of its own, which the tests may stop."""

    def __init__(self, folder: Path) -> None:
        """Start the servers and make the application. `close` restores what this replaces in the process."""
        self._replaced = (database._engine, outbox._redis, logging.getLogger().handlers[:], logging.getLogger().level)  # noqa: SLF001  one of each a process
        self.postgres = EmbeddedPostgres(folder, durable=False)
        self.valkey = EmbeddedValkey(folder)
        self.postgres.start()
        self.valkey.start()
        migrations.upgrade(self.postgres.owner_url)
        self.settings = Settings(
            database_url=self.postgres.app_url,
            redis_url=self.valkey.url,
            data_dir=folder,
            metrics_port=free_port(),
            secret_key="k" * 40,
        )
        self.app: Flask = create_app(self.settings)

    def get(self, path: str) -> TestResponse:
        """Request a page."""
        return self.app.test_client().get(path)

    def close(self) -> None:
        """Stop the servers, and restore the process's own engine, queue and logging."""
        database.engine().dispose()
        connection = outbox._redis  # noqa: SLF001  as above
        if connection is not None:
            connection.close()
        database._engine, outbox._redis, logging.getLogger().handlers[:], level = self._replaced  # noqa: SLF001  as above
        logging.getLogger().setLevel(level)
        structlog.reset_defaults()
        self.valkey.stop()
        self.postgres.stop()


@pytest.fixture
def small() -> Iterator[SmallPortal]:
    """The small application, ready."""
    with temporary_data_folder() as folder:
        portal = SmallPortal(folder)
        yield portal
        portal.close()


def _checks(response: TestResponse) -> dict[str, str]:
    checks: dict[str, str] = response.get_json()["checks"]
    return checks


def test_ready_degraded_and_not_ready(small: SmallPortal) -> None:
    """Degraded without the queue; not ready without the database or at another revision."""
    assert small.get("/livez").get_json() == {"status": "alive"}
    ready = small.get("/readyz")
    assert (ready.status_code, ready.get_json()["status"]) == (200, "ready")
    assert _checks(ready) == {"database": "ok", "disk": "ok", "queue": "ok"}

    small.valkey.stop()
    degraded = small.get("/readyz")
    assert (degraded.status_code, degraded.get_json()["status"]) == (200, "degraded")

    with psycopg.connect(small.postgres.owner_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000_before'")
    behind = small.get("/readyz")
    assert (behind.status_code, _checks(behind)["database"]) == (503, "needs migrating")
    with psycopg.connect(small.postgres.owner_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", (NEEDED,))
        connection.execute("ALTER DATABASE portal SET default_transaction_read_only = on")
    database.engine().dispose()
    cannot_write = small.get("/readyz")
    assert (cannot_write.status_code, _checks(cannot_write)["database"]) == (503, "only reads")

    small.postgres.stop()
    down = small.get("/readyz")
    assert (down.status_code, _checks(down)["database"]) == (503, "does not answer")
    assert small.get("/livez").status_code == 200


def _metrics(server: WSGIServer) -> str:
    with urlopen(f"http://127.0.0.1:{server.server_port}/metrics", timeout=20) as response:
        return str(response.read().decode())


def test_metrics_are_served_at_the_private_port_only(small: SmallPortal) -> None:
    """The public port has no such page, and the private one no page of the portal."""
    assert small.get("/metrics").status_code == 404
    small.get("/livez")
    server = metrics.serve(small.settings)
    page = _metrics(server)
    assert 'portal_requests_total{endpoint="health.livez",method="GET",status="200"}' in page
    assert "portal_jobs_waiting 0.0" in page
    assert "portal_database_up 1.0" in page
    small.postgres.stop()
    assert "portal_database_up 0.0" in _metrics(server)
    server.shutdown()
    server.server_close()


def test_a_taken_metrics_port_is_said_in_a_sentence(small: SmallPortal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other_server:
        settings = replace(small.settings, metrics_port=other_server.getsockname()[1])
        with pytest.raises(SystemExit, match="Set PORTAL_METRICS_PORT to a free port"):
            metrics.serve(settings)


def test_the_health_pages_are_open_and_name_no_version_or_address(small: SmallPortal) -> None:
    """Anyone can ask for them before sign-in."""
    for name in ("health.livez", "health.readyz"):
        assert permission_of(small.app.view_functions[name]) == OPEN
    small.postgres.stop()
    for path in ("/livez", "/readyz"):
        page = small.get(path).get_data(as_text=True)
        assert "127.0.0.1" not in page
        assert NEEDED not in page


def test_a_request_is_logged_by_view_and_never_by_address(small: SmallPortal) -> None:
    """Searches and ids are in addresses; logs travel further than pages."""
    stream = io.StringIO()
    logs.configure(small.settings, stream)
    small.get("/nowhere/zyxwv?q=Canary")
    line = json.loads(stream.getvalue().splitlines()[-1])
    assert (line["event"], line["endpoint"], line["status"]) == ("request", "none", 404)
    assert len(line["request_id"]) == 32
    assert "zyxwv" not in stream.getvalue()
    assert "Canary" not in stream.getvalue()


def test_secrets_are_hidden_in_every_log_line(small: SmallPortal) -> None:
    """The portal's lines and the libraries', tracebacks included."""
    stream = io.StringIO()
    logs.configure(small.settings, stream)
    structlog.get_logger().warning("sign-in", password="hunter2", upn="A123")
    logging.getLogger("some.library").error("cannot reach %s", "postgresql://portal_app:hunter2@db/portal")
    try:
        message = "redis://:hunter2@queue/0 is away"
        raise RuntimeError(message)  # noqa: TRY301  a traceback is what is wanted
    except RuntimeError:
        logging.getLogger("some.library").exception("failed")
    name = "Zyxwv Canary"
    try:
        raise KeyError(name) from OSError("no such file")  # noqa: TRY301  a traceback is what is wanted
    except KeyError:
        logging.getLogger("some.library").exception("failed")
    output = stream.getvalue()
    assert "hunter2" not in output
    assert "Canary" not in output
    assert output.index("OSError: no such file") < output.index("builtins.KeyError")
    assert "A123" not in output
    assert [json.loads(line)["level"] for line in output.splitlines()] == ["warning", "error", "error", "error"]
