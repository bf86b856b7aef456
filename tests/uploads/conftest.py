"""A primary school with six pupils on its roll and two whole weeks of marks sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.permissions import Role
from tests.uploads import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sqlalchemy.orm import Session

    from tests.support.world import World


@pytest.fixture
def school(world: World, as_role: Callable[..., Session]) -> UUID:
    """The primary school, its office at work, with everyone present on every day so far."""
    as_role(Role.SCHOOL_OFFICE)
    sent = files.take(world.here.primary, *files.rows(), add_pupils=True)
    assert (sent.state, sent.rows_refused) == ("applied", 0)
    return world.here.primary
