"""Fixtures of the web layer's tests: the small portal and a client of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.component_gallery import make_app

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient


@pytest.fixture(scope="session")
def gallery() -> Flask:
    """The small portal."""
    return make_app(TESTING=True)


@pytest.fixture
def client(gallery: Flask) -> FlaskClient:
    """A test client of the small portal, with its own cookie jar."""
    return gallery.test_client()
