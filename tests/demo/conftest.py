"""Plans for the tests: a small demonstration authority, and its neighbour."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from demo.authorities import plan_authority, plan_neighbour

if TYPE_CHECKING:
    from demo.plans import Plan

TODAY = date(2026, 11, 25)


@pytest.fixture(scope="session")
def plan() -> Plan:
    """Twelve schools and about 3,600 pupils on 25 November 2026."""
    return plan_authority(7, today=TODAY, schools=12, pupils=3600)


@pytest.fixture(scope="session")
def next_door(plan: Plan) -> Plan:
    """The neighbouring authority on the same day."""
    return plan_neighbour(plan)
