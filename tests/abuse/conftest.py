"""Fixtures of the attacks: the running portal, Chromium, and the app of the accounts' tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.security.permissions import Role
from tests.accounts.conftest import demo_app, live_app
from tests.accounts.support import make_app, new_browser
from tests.journeys.conftest import chromium, portal

if TYPE_CHECKING:
    from config.settings import Settings
    from tests.support.browser import Browser
    from tests.support.world import World

__all__ = ["chromium", "demo_app", "live_app", "portal"]


@pytest.fixture
def demo_administrator(settings: Settings, world: World) -> Browser:
    """A browser signed in as the LA administrator, in the demonstration."""
    browser = new_browser(make_app(settings, demo=True))
    browser.post(
        "/demonstration/sign-in", {"membership": str(world.authority.people[Role.LA_ADMINISTRATOR][1])}, token_from="/sign-in"
    )
    return browser
