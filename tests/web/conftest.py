"""What the web layer's tests share: the small portal and a client of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.kitchen import make_app

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient


@pytest.fixture(scope="session")
def kitchen() -> Flask:
    """The small portal."""
    return make_app(TESTING=True)


@pytest.fixture
def client(kitchen: Flask) -> FlaskClient:
    """A browser's client of it, with a cookie jar of its own."""
    return kitchen.test_client()
