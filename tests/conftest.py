"""Fixtures every test may use: a clock that stands still, a database that forgets, a world of two authorities, a browser."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psycopg
import pytest

from config.settings import Settings
from portal import clock, db
from portal.app import create_app
from portal.db import unit_of_work
from portal.permissions import Role
from tests.support import servers
from tests.support import world as worlds
from tests.support.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

pytest_plugins = ("tests.support.fast",)

_servers: servers.Servers | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Start the run's servers in the first process, unless the run is a fast one."""
    global _servers  # noqa: PLW0603  the run's own servers
    if not hasattr(config, "workerinput") and not (config.option.collectonly or config.option.fast):
        _servers = servers.Servers()
        _servers.start()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop them when the first process ends."""
    if _servers is not None and not hasattr(config, "workerinput"):
        _servers.stop()


@pytest.fixture(scope="session")
def database_name(worker_id: str, server_allowed: None) -> Iterator[str]:
    """This worker's own database, copied from the migrated template."""
    name = f"portal_{worker_id}"
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{servers.TEMPLATE}" OWNER portal_owner')
    yield name
    db.engine().dispose()
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def settings(database_name: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a portal on this worker's database, as in the demonstration."""
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
    """The engine of the restricted role. The application connects anew, so this one is let go here."""
    made = db.connect(settings.database_url)
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def app(settings: Settings, engine: Engine) -> Flask:
    """The whole application."""
    made = create_app(settings)
    made.testing = True
    return made


@pytest.fixture
def rolled_back(engine: Engine) -> Iterator[None]:
    """Everything this test writes is taken back; the clock stands still at `world.NOW`."""
    with db.engine().connect() as connection, clock.at(worlds.NOW):
        outer = connection.begin()
        with db.bound_to(connection):
            yield
        outer.rollback()


@pytest.fixture
def world(rolled_back: None) -> worlds.World:
    """Two authorities with look-alike schools and people."""
    return worlds.made()


@pytest.fixture
def as_role(world: worlds.World) -> Iterator[Callable[[Role], Session]]:
    """Open a unit of work in the scope of a role of the authority under test."""
    opened = []

    def open_as(role: Role = Role.LA_MANAGER) -> Session:
        work = unit_of_work(world.here.scope(role))
        session = work.__enter__()
        opened.append(work)
        return session

    yield open_as
    for work in reversed(opened):
        work.__exit__(None, None, None)


@pytest.fixture
def browser(app: Flask, world: worlds.World) -> Browser:
    """A browser nobody has signed in with yet."""
    return Browser(app.test_client())


@pytest.fixture
def signed_in(app: Flask, world: worlds.World) -> Callable[..., Browser]:
    """A browser signed in as a role, through the demonstration's one-press sign-in."""

    def sign_in(role: Role, place: worlds.Place | None = None) -> Browser:
        place = place or world.here
        fresh = Browser(app.test_client())
        fresh.get("/sign-in")
        fresh.post("/demonstration/sign-in", {"membership": str(place.people[role][1])})
        return fresh

    return sign_in
