"""A database with the product's own releases in it, loaded once for the tests of this folder and taken back after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal import clock, db
from portal.accounts import actions as accounts
from portal.accounts.queries import platform_scope
from portal.benchmarks import actions
from portal.db import unit_of_work
from tests.support.world import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine


@pytest.fixture(scope="module")
def loaded(engine: Engine) -> Iterator[Connection]:
    """A connection whose transaction holds the shipped releases; it is rolled back when the module ends."""
    with engine.connect() as connection, clock.at(NOW):
        outer = connection.begin()
        with db.bound_to(connection), unit_of_work(platform_scope()):
            accounts.ensure_platform()
            actions.load_shipped()
        yield connection
        outer.rollback()


@pytest.fixture
def shipped_figures(loaded: Connection) -> Iterator[None]:
    """The shipped releases, seen by the platform; what a test adds is taken back at its end."""
    point = loaded.begin_nested()
    with clock.at(NOW), db.bound_to(loaded), unit_of_work(platform_scope()):
        yield
    if point.is_active:
        point.rollback()
