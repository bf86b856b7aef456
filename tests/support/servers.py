"""The servers of a test run: one PostgreSQL, one Valkey and one migrated template database."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import migrations
from local.postgres import EmbeddedPostgres
from local.valkey import EmbeddedValkey

TEMPLATE = "portal_template"
OWNER, APP, SUPER, REDIS = "PORTAL_TEST_OWNER_URL", "PORTAL_TEST_APP_URL", "PORTAL_TEST_SUPER_URL", "PORTAL_TEST_REDIS_URL"
FOLDER = "PORTAL_TEST_FOLDER"


class Servers:
    """The servers of a run. The first process starts them, and test workers find them in the environment."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="portal-tests-"))
        self.folder.chmod(0o755)
        self.postgres = EmbeddedPostgres(self.folder, durable=False)
        self.valkey = EmbeddedValkey(self.folder)

    def start(self) -> None:
        """Start both servers, migrate the template, and put the addresses into the environment."""
        self.postgres.start()
        self.valkey.start()
        self.postgres.create_database(TEMPLATE)
        migrations.upgrade(self.postgres.url("portal_owner", TEMPLATE))
        os.environ[OWNER] = self.postgres.url("portal_owner", "{}")
        os.environ[APP] = self.postgres.url("portal_app", "{}")
        os.environ[SUPER] = self.postgres.superuser_url
        os.environ[REDIS] = self.valkey.url
        os.environ[FOLDER] = str(self.folder)

    def stop(self) -> None:
        """Stop both servers and remove their folder."""
        self.valkey.stop()
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
