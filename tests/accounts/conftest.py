"""Fixtures of the accounts' tests: the portal outside the demonstration, and inside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.accounts.support import portal

if TYPE_CHECKING:
    from flask import Flask

    from config.settings import Settings
    from tests.support.world import World


@pytest.fixture
def strict(settings: Settings, world: World) -> Flask:
    """The portal as it runs for real: second factor and all."""
    return portal(settings)


@pytest.fixture
def demo(settings: Settings, world: World) -> Flask:
    """The portal of the demonstration."""
    return portal(settings, demo=True)
