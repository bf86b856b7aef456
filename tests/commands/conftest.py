"""A database for each test module of commands, and a terminal that captures what they print."""

from __future__ import annotations

import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from portal import cli
from portal.db import connection as database
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from config.settings import Settings

SLUG = "northshire"


@dataclass
class Terminal:
    """Runs commands within this process against the module's database, and writes their files."""

    folder: Path
    environment: dict[str, str]

    def run(self, *arguments: object) -> tuple[int, Any]:
        """Run a command, and return its exit status and its document. It must print nothing else."""
        output, errors = io.StringIO(), io.StringIO()
        with redirect_stdout(output), redirect_stderr(errors):
            status = cli.main([str(word) for word in arguments])
        assert "Traceback" not in errors.getvalue()
        return status, json.loads(output.getvalue())

    def succeed(self, *arguments: object) -> Any:
        """Run a command that must succeed, and return its document."""
        status, document = self.run(*arguments)
        assert status == 0, document
        return document

    def fail(self, *arguments: object) -> Any:
        """Run a command that must fail, and return its document."""
        status, document = self.run(*arguments)
        assert status == 1, document
        assert set(document) == {"error", "problems"}
        assert document["error"]
        return document

    def file(self, name: str, content: str | bytes) -> Path:
        """Write a file with this content."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


@pytest.fixture(scope="module")
def terminal(settings: Settings, engine: Engine, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal on an empty database of its own."""
    name, folder = f"portal_commands_{worker_id}", tmp_path_factory.mktemp("commands")
    database.engine().dispose()  # each command connects anew
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{servers.TEMPLATE}" OWNER portal_owner')
    environment_before = dict(os.environ)
    settings_of_commands = {
        "DATABASE_URL": os.environ[servers.APP].format(name),
        "DATABASE_OWNER_URL": os.environ[servers.OWNER].format(name),
        "REDIS_URL": os.environ[servers.REDIS],
        "PORTAL_DATA_DIR": str(folder / "data"),
    }
    os.environ.update(settings_of_commands)
    yield Terminal(folder, {**environment_before, **settings_of_commands})
    for key in settings_of_commands.keys() - environment_before.keys():
        del os.environ[key]
    os.environ.update({key: environment_before[key] for key in settings_of_commands.keys() & environment_before.keys()})
    database.connect(settings.database_url)
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
