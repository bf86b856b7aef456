"""A database with the product's own releases in it, loaded once for the tests of this folder and taken back after them."""

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
    """A connection whose transaction holds the shipped releases; it is rolled back when the module ends."""
    with engine.connect() as connection, clock.frozen_at(NOW):
        outer = connection.begin()
        with bound_to(connection), unit_of_work(platform_scope()):
            people_actions.ensure_platform()
            actions.load_bundled()
        yield connection
        outer.rollback()


@pytest.fixture
def shipped_figures(loaded: Connection) -> Iterator[None]:
    """The shipped releases, seen by the platform; what a test adds is taken back at its end."""
    point = loaded.begin_nested()
    with clock.frozen_at(NOW), bound_to(loaded), unit_of_work(platform_scope()):
        yield
    if point.is_active:
        point.rollback()
