"""The production guide, followed step by step: its SQL, its settings, its migrations, and two web machines."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

import migrations
from config.revision import REPOSITORY
from config.settings import Settings
from local.child_processes import free_port
from local.postgres import EmbeddedPostgres
from local.valkey import EmbeddedValkey
from tests.local.conftest import temporary_data_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

GUIDE = (REPOSITORY / "docs" / "production.md").read_text()


def _code_block(language: str) -> str:
    """The first block of code in this language."""
    match = re.search(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    assert match is not None
    return match.group(1)


def _with_own_secrets(text: str) -> str:
    """The guide's text with secrets of one's own where it says CHANGE."""
    return re.sub(r"CHANGE-[\w-]+", lambda placeholder: sha256(placeholder[0].encode()).hexdigest()[:40], text)


APPS_PASSWORD, OWNERS_PASSWORD = _with_own_secrets("CHANGE-the-apps-password"), _with_own_secrets("CHANGE-the-owners-password")


def _settings_in_the_guide() -> dict[str, str]:
    return dict(line.split("=", 1) for line in _with_own_secrets(_code_block("sh")).splitlines())


class Installation:
    """A database prepared by the guide's SQL, a queue, and web machines."""

    def __init__(self, folder: Path) -> None:
        """Prepare everything but the web machines."""
        self.folder = folder
        self.postgres = EmbeddedPostgres(folder, durable=False)
        self.valkey = EmbeddedValkey(folder)
        self.postgres.start()
        self.valkey.start()
        self.machines: list[subprocess.Popen[bytes]] = []
        self.metrics_ports: dict[int, int] = {}
        with psycopg.connect(self.postgres.superuser_url, autocommit=True) as connection:
            # The embedded server comes with our roles; the guide starts without them.
            connection.execute("DROP DATABASE portal")
            connection.execute("DROP ROLE portal_app")
            connection.execute("DROP ROLE portal_sign_in")
            connection.execute("DROP ROLE portal_owner")
            for statement in _with_own_secrets(_code_block("sql")).split(";\n"):
                if statement.strip():
                    connection.execute(statement.encode())

    def url(self, role: str, password: str) -> str:
        """The database's address for a role, with a password from the guide."""
        return f"postgresql://{role}:{password}@{self.postgres.superuser_url.partition('@')[2].partition('/')[0]}/portal"

    def environ(self, port: int) -> dict[str, str]:
        """The guide's settings with this machine's addresses."""
        return {
            **_settings_in_the_guide(),
            "DATABASE_URL": self.url("portal_app", APPS_PASSWORD),
            "REDIS_URL": self.valkey.url,
            "PORTAL_SECRET_KEY": "a-key-made-for-this-test-only-0123456789",
            "PORTAL_HOST": "127.0.0.1",
            "PORTAL_METRICS_HOST": "127.0.0.1",
            "PORTAL_METRICS_PORT": str(self.metrics_ports.setdefault(port, free_port())),
            "PORTAL_WEB_WORKERS": "2",
            "PORTAL_PORT": str(port),
            "PORTAL_DATA_DIR": str(self.folder / f"machine-{port}"),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
        }

    def start_web(self) -> int:
        """Start a web machine with the guide's command: its port."""
        port = free_port()
        match = re.search(r"^ExecStart=\S+/python (.*gunicorn.*)$", GUIDE, re.MULTILINE)
        assert match is not None
        command = match.group(1).replace("portal.app:", "tests.run.small:").split()
        with (self.folder / f"web-{port}.log").open("wb") as log:
            self.machines.append(
                subprocess.Popen([sys.executable, *command], cwd=REPOSITORY, env=self.environ(port), stdout=log, stderr=log)
            )
        return port

    def close(self) -> None:
        """Stop everything."""
        for machine in self.machines:
            machine.send_signal(signal.SIGTERM)
        for machine in self.machines:
            machine.wait(20)
        self.valkey.stop()
        self.postgres.stop()


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """An installation after the guide's first step."""
    with temporary_data_folder() as folder:
        running = Installation(folder)
        yield running
        running.close()


def _get_when_up(port: int, path: str = "/readyz", within: float = 10.0) -> tuple[int, bytes]:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with suppress(OSError):
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
            connection.close()
            return response.status, body
        connection.close()
        time.sleep(0.05)
    return 0, b""


def test_every_setting_in_the_guide_exists_and_is_accepted() -> None:
    """A misspelt setting in the guide would be ignored without a word."""
    settings_shown = _settings_in_the_guide()
    settings = Settings.from_environment(settings_shown)
    assert settings.production
    assert settings.secure_cookies
    assert set(settings_shown) <= {field.metadata["name"] for field in Settings.__dataclass_fields__.values()}
    assert "DATABASE_OWNER_URL" not in settings_shown


def test_a_missing_role_that_the_owner_may_not_make_is_named(installation: Installation) -> None:
    """An installation of an earlier release has one role less; nothing is migrated until it is made."""
    with psycopg.connect(installation.postgres.superuser_url, autocommit=True) as connection:
        connection.execute("ALTER ROLE portal_sign_in RENAME TO elsewhere")
        with pytest.raises(RuntimeError, match="Make the role portal_sign_in first"):
            migrations.upgrade(installation.url("portal_owner", OWNERS_PASSWORD))
        connection.execute("ALTER ROLE elsewhere RENAME TO portal_sign_in")


def test_machines_wait_for_the_migration_and_then_serve_together(installation: Installation) -> None:
    """A machine gets no requests before the migration. Afterwards two of them share one database and queue."""
    first = installation.start_web()
    status, body = _get_when_up(first)
    assert (status, b'"needs migrating"' in body) == (503, True)
    migrations.upgrade(installation.url("portal_owner", OWNERS_PASSWORD))
    second = installation.start_web()
    for port in (first, second):
        status, body = _get_when_up(port)
        assert (status, b'"ready"' in body) == (200, True)
        assert _get_when_up(port, "/metrics")[0] == 404


def test_the_private_port_counts_the_requests_of_every_web_worker(installation: Installation) -> None:
    """Each of the two workers counts in its own memory; one that is killed and replaced loses nothing."""
    migrations.upgrade(installation.url("portal_owner", OWNERS_PASSWORD))
    port = installation.start_web()
    assert _get_when_up(port)[0] == 200
    for _ in range(20):
        assert _get_when_up(port, "/livez")[0] == 200
    workers = _workers_of(installation.machines[-1].pid)
    os.kill(workers[0], signal.SIGTERM)
    while workers[0] in _workers_of(installation.machines[-1].pid):
        time.sleep(0.05)
    for _ in range(20):
        assert _get_when_up(port, "/livez")[0] == 200
    status, body = _get_when_up(installation.metrics_ports[port], "/metrics")
    assert status == 200
    assert b'portal_requests_total{endpoint="health.livez",method="GET",status="200"} 40.0' in body
    assert b"portal_database_up 1.0" in body


def _workers_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_the_restricted_role_cannot_change_the_schema_or_look_past_row_security(installation: Installation) -> None:
    """The guide's roles are as narrow as the portal expects."""
    migrations.upgrade(installation.url("portal_owner", OWNERS_PASSWORD))
    with psycopg.connect(installation.url("portal_app", APPS_PASSWORD), autocommit=True) as connection:
        for statement in ("CREATE TABLE public.mine ()", "TRUNCATE audit_event", "DROP TABLE school", "SET ROLE portal_owner"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        for table in ("credential", "sign_in", "password_reset"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT * FROM {table}".encode())  # noqa: S608  names of ours
        with connection.transaction():
            connection.execute("SET LOCAL ROLE portal_sign_in")
            connection.execute("SELECT * FROM credential")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SET row_security = off; SELECT * FROM school")
        assert connection.execute("SHOW statement_timeout").fetchone() == ("15s",)
        connection.execute("CREATE TEMPORARY TABLE loading (n int)")
