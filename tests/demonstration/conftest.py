"""Plans the tests look at: one of the demonstration's own shape but smaller, and its neighbour."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from portal.demonstration.authorities import authority, neighbour

if TYPE_CHECKING:
    from portal.demonstration.plans import Plan

TODAY = date(2026, 11, 25)


@pytest.fixture(scope="session")
def plan() -> Plan:
    """Twelve schools and about 3,600 pupils on 25 November 2026."""
    return authority(7, today=TODAY, schools=12, pupils=3600)


@pytest.fixture(scope="session")
def next_door(plan: Plan) -> Plan:
    """The neighbouring authority of the same day."""
    return neighbour(plan)
