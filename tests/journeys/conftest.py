"""Fixtures of the journeys: one running portal, and Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import chromium as browsers
from tests.support.running_portal import running_portal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.support.running_portal import RunningPortal


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def portal(chromium: Browser) -> Iterator[RunningPortal]:
    """A running portal for this module. It needs `chromium`, so that it is not started where tests are skipped."""
    with running_portal() as running:
        yield running
