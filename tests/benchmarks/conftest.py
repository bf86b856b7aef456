"""A database with the bundled releases: loaded once for a module's tests, and rolled back after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.accounts.actions import people as people_actions
from portal.accounts.queries.principals import platform_scope
from portal.benchmarks import actions
from portal.db.work import bound_to, unit_of_work
from portal.platform import clock
from tests.support.world import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine


@pytest.fixture(scope="module")
def loaded(engine: Engine) -> Iterator[Connection]:
    """A connection whose transaction holds the bundled releases. It is rolled back when the module ends."""
    with engine.connect() as connection, clock.frozen_at(NOW):
        transaction = connection.begin()
        with bound_to(connection), unit_of_work(platform_scope()):
            people_actions.ensure_platform()
            actions.load_bundled()
        yield connection
        transaction.rollback()


@pytest.fixture
def bundled_figures(loaded: Connection) -> Iterator[None]:
    """The bundled releases, seen by the platform. What a test adds is rolled back at its end."""
    savepoint = loaded.begin_nested()
    with clock.frozen_at(NOW), bound_to(loaded), unit_of_work(platform_scope()):
        yield
    if savepoint.is_active:
        savepoint.rollback()
