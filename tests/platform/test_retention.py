"""The list of what is kept for how long counts what is past it, in the scope alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from portal.db.work import tx, unit_of_work
from portal.platform.retention import DueRows, due_rows
from portal.registers.models import RegisterPage
from portal.security.permissions import Role
from tests.support import objects
from tests.support.world import NOW

if TYPE_CHECKING:
    from tests.support.world import AuthorityWorld, World


def _listed(authority: AuthorityWorld, today: date) -> dict[str, DueRows]:
    with unit_of_work(authority.scope(Role.LA_ADMINISTRATOR)):
        return {row.table: row for row in due_rows(today)}


@pytest.mark.parametrize(("today", "is_due"), [(date(2032, 11, 25), False), (date(2032, 11, 26), True)])
def test_register_pages_are_due_after_six_years_and_no_day_before(world: World, today: date, is_due: bool) -> None:
    objects.make_objects(world.authority)
    objects.make_objects(world.neighbour)
    with unit_of_work(world.authority.scope()):
        pages = tx().scalar(select(func.count()).select_from(RegisterPage))
    assert datetime(2026, 11, 25, 9, 5, tzinfo=UTC) == NOW
    assert pages
    assert _listed(world.authority, today)["register_page"].due == (pages if is_due else 0)


def test_a_line_still_on_the_roll_is_never_due(world: World) -> None:
    objects.make_objects(world.authority)
    assert _listed(world.authority, date(2090, 1, 1))["roll_line"].due == 0


def test_what_no_rule_settles_is_said_to_be_the_authoritys_and_never_due(world: World) -> None:
    content = _listed(world.authority, date(2090, 1, 1))["upload_content"]
    assert content.period == "as the authority sets (uploads.files), from upload.received_at"
    assert content.due is None
    assert _listed(world.authority, date(2090, 1, 1))["audit_event"].period == "for good"
