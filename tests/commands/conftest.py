"""A database for each module of commands, and a terminal that keeps what was printed."""

from __future__ import annotations

import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from portal import cli, db
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from config.settings import Settings

SLUG = "northshire"


@dataclass
class Terminal:
    """Runs commands within this process, in a folder for files, against the module's database."""

    folder: Path
    environment: dict[str, str]

    def run(self, *words: object) -> tuple[int, Any]:
        """The exit status and the one document; anything else on standard output is a failure."""
        printed, said = io.StringIO(), io.StringIO()
        with redirect_stdout(printed), redirect_stderr(said):
            status = cli.main([str(word) for word in words])
        assert "Traceback" not in said.getvalue()
        return status, json.loads(printed.getvalue())

    def done(self, *words: object) -> Any:
        """The document of a command that must do its work."""
        status, document = self.run(*words)
        assert status == 0, document
        return document

    def refused(self, *words: object) -> Any:
        """The document of a command that must not."""
        status, document = self.run(*words)
        assert status == 1, document
        assert set(document) == {"error", "problems"}
        assert document["error"]
        return document

    def file(self, name: str, content: str | bytes) -> Path:
        """A file of this content."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


@pytest.fixture(scope="module")
def terminal(settings: Settings, engine: Engine, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal on an empty database of its own."""
    name, folder = f"portal_commands_{worker_id}", tmp_path_factory.mktemp("commands")
    db.engine().dispose()  # each command connects anew
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{servers.TEMPLATE}" OWNER portal_owner')
    before = dict(os.environ)
    own = {
        "DATABASE_URL": os.environ[servers.APP].format(name),
        "DATABASE_OWNER_URL": os.environ[servers.OWNER].format(name),
        "REDIS_URL": os.environ[servers.REDIS],
        "PORTAL_DATA_DIR": str(folder / "data"),
    }
    os.environ.update(own)
    yield Terminal(folder, {**before, **own})
    for key in own.keys() - before.keys():
        del os.environ[key]
    os.environ.update({key: before[key] for key in own.keys() & before.keys()})
    db.connect(settings.database_url)
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
