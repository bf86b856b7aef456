"""Fixtures for every test: a fixed clock, a rolled-back database, a small world and a browser."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import settings

from config.settings import Settings
from portal.app import create_app
from portal.db import connection as database
from portal.db.work import bound_to, unit_of_work
from portal.platform import clock
from portal.security.permissions import Role
from tests.support import servers
from tests.support import world as worlds
from tests.support.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

pytest_plugins = ("tests.support.fast",)

# A busy machine must not fail a property test.
settings.register_profile("without-deadline", deadline=None)
settings.load_profile("without-deadline")

_servers: servers.Servers | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Start the run's servers in the first process, unless the run is a fast one."""
    global _servers  # noqa: PLW0603  pytest has no place for a run's own state before its fixtures
    if not hasattr(config, "workerinput") and not (config.option.collectonly or config.option.fast):
        _servers = servers.Servers()
        _servers.start()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the run's servers when the first process ends."""
    if _servers is not None and not hasattr(config, "workerinput"):
        _servers.stop()


@pytest.fixture(scope="session")
def database_name(worker_id: str, server_allowed: None) -> Iterator[str]:
    """The database of this test worker, copied from the migrated template."""
    name = f"portal_{worker_id}"
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{servers.TEMPLATE}" OWNER portal_owner')
    yield name
    database.engine().dispose()
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def settings(database_name: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a demonstration portal on this worker's database."""
    return Settings.from_environment(
        {
            "DATABASE_URL": os.environ[servers.APP].format(database_name),
            "DATABASE_OWNER_URL": os.environ[servers.OWNER].format(database_name),
            "REDIS_URL": os.environ[servers.REDIS],
            "PORTAL_DEMO": "1",
            "PORTAL_SECRET_KEY": "only-for-tests-0123456789-abcdefghij",
            "PORTAL_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        }
    )


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Iterator[Engine]:
    """The engine of the restricted database role. The app makes a second engine, so this one is disposed of here."""
    connected = database.connect(settings.database_url)
    yield connected
    connected.dispose()


@pytest.fixture(scope="session")
def app(settings: Settings, engine: Engine) -> Flask:
    """The whole application."""
    flask_app = create_app(settings)
    flask_app.testing = True
    return flask_app


@pytest.fixture
def rolled_back(engine: Engine) -> Iterator[None]:
    """Roll back everything the test writes, with the clock fixed at `world.NOW`."""
    with database.engine().connect() as connection, clock.frozen_at(worlds.NOW):
        outer = connection.begin()
        # Commits inside the block end savepoints only, so this outer transaction can undo them all.
        with bound_to(connection):
            yield
        outer.rollback()


@pytest.fixture
def world(rolled_back: None) -> worlds.World:
    """Two authorities with look-alike schools and people."""
    return worlds.make_world()


@pytest.fixture
def as_role(world: worlds.World) -> Iterator[Callable[[Role], Session]]:
    """Open a unit of work in the scope of a role of the authority under test."""
    open_units = []

    def open_as(role: Role = Role.LA_MANAGER) -> Session:
        work = unit_of_work(world.authority.scope(role))
        session = work.__enter__()
        open_units.append(work)
        return session

    yield open_as
    for work in reversed(open_units):
        work.__exit__(None, None, None)


@pytest.fixture
def browser(app: Flask, world: worlds.World) -> Browser:
    """A browser before sign-in."""
    return Browser(app.test_client())


@pytest.fixture
def signed_in(app: Flask, world: worlds.World) -> Callable[..., Browser]:
    """Sign in a new browser as a role, through the demonstration's one-press sign-in."""

    def sign_in(role: Role, authority: worlds.AuthorityWorld | None = None) -> Browser:
        authority = authority or world.authority
        new_browser = Browser(app.test_client())
        new_browser.get("/sign-in")
        new_browser.post("/demonstration/sign-in", {"membership": str(authority.people[role][1])})
        return new_browser

    return sign_in
