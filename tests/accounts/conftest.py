"""Fixtures of the accounts' tests: the app as it runs for real, and in the demonstration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.accounts.support import make_app

if TYPE_CHECKING:
    from flask import Flask

    from config.settings import Settings
    from tests.support.world import World


@pytest.fixture
def live_app(settings: Settings, world: World) -> Flask:
    """The app as it runs for real, with the second factor required."""
    return make_app(settings)


@pytest.fixture
def demo_app(settings: Settings, world: World) -> Flask:
    """The app of the demonstration."""
    return make_app(settings, demo=True)
