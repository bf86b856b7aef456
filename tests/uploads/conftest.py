"""A primary school with six pupils on its roll and two whole weeks of marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.security.permissions import Role
from tests.uploads import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sqlalchemy.orm import Session

    from tests.support.world import World


@pytest.fixture
def school(world: World, as_role: Callable[..., Session]) -> UUID:
    """The primary school, seen by its office, with every pupil present on every day so far."""
    as_role(Role.SCHOOL_OFFICE)
    upload = files.import_rows(world.authority.primary, *files.rows(), add_pupils=True)
    assert (upload.state, upload.rows_rejected) == ("applied", 0)
    return world.authority.primary
