"""The tests of breakfasts. They run in a copy of the portal that has them, as `tests/breakfasts/test_breakfasts.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from portal.audit.models import AuditEvent
from portal.breakfasts import actions, queries
from portal.db.work import tx, unit_of_work
from portal.jobs import running
from portal.jobs.outbox import OutboxJob
from portal.platform.capability import KeptAsSet, Subject, declared
from portal.platform.refusals import ConflictError, NotFoundError, RefusedError
from portal.platform.retention import due_rows
from portal.platform.subject_access import collect
from portal.security.permissions import Role
from tests.support import objects
from tests.support.world import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.browser import Browser
    from tests.support.world import AuthorityWorld, World

READERS = {
    *(Role.LA_ADMINISTRATOR, Role.LA_MANAGER, Role.LA_OFFICER, Role.LA_LEGAL),
    *(Role.SCHOOL_ADMINISTRATOR, Role.ATTENDANCE_LEAD, Role.HEADTEACHER, Role.SCHOOL_OFFICE),
}
SIGNED_IN = [role for role in Role if role is not Role.PLATFORM_OPERATOR]


@pytest.fixture
def ids(world: World) -> dict[str, UUID]:
    """The objects of the primary school, a breakfast among them; the neighbour has the same."""
    objects.make_objects(world.neighbour)
    return objects.make_objects(world.authority)


def _events(authority: AuthorityWorld) -> list[str]:
    with unit_of_work(authority.scope(Role.AUDITOR)):
        names = select(AuditEvent.event).where(AuditEvent.event.like("breakfast.%")).order_by(AuditEvent.sequence)
        return list(tx().scalars(names))


@pytest.mark.parametrize("role", SIGNED_IN)
def test_its_page_and_its_link_are_for_the_roles_it_declares(
    ids: dict[str, UUID], signed_in: Callable[..., Browser], role: Role
) -> None:
    browser = signed_in(role)
    page = browser.get(f"/breakfasts/{ids['breakfast_id']}", status=200 if role in READERS else 403)
    assert ("Breakfasts" in browser.get("/").links()) is (role in READERS)
    assert ("Confirmed" in page.text) is (role in READERS)


@pytest.mark.parametrize("elsewhere", ["another school", "another authority", "nowhere"])
def test_a_breakfast_out_of_scope_is_not_found(
    world: World, ids: dict[str, UUID], signed_in: Callable[..., Browser], elsewhere: str
) -> None:
    breakfast_id = {
        "another school": lambda: objects.make_objects(world.authority, school=world.authority.secondary)["breakfast_id"],
        "another authority": lambda: objects.make_objects(world.neighbour, school=world.neighbour.secondary)["breakfast_id"],
        "nowhere": uuid4,
    }[elsewhere]()
    browser = signed_in(Role.HEADTEACHER)
    browser.get(f"/breakfasts/{breakfast_id}", status=404)
    assert str(breakfast_id) not in browser.get("/breakfasts").html


def test_its_panel_is_on_the_pupils_page(ids: dict[str, UUID], signed_in: Callable[..., Browser]) -> None:
    page = signed_in(Role.HEADTEACHER).get(f"/pupils/{ids['pupil_id']}")
    assert page.links()["May come from Wednesday 25 November 2026"] == f"/breakfasts/{ids['breakfast_id']}"


def test_its_form_offers_a_breakfast_and_refuses_a_day_that_is_past(
    world: World, ids: dict[str, UUID], signed_in: Callable[..., Browser]
) -> None:
    browser, address = signed_in(Role.SCHOOL_OFFICE), f"/pupils/{ids['pupil_id']}/breakfasts/new"
    day: dict[str, object] = {"first_day-day": "1", "first_day-month": "12", "first_day-year": "2026"}
    assert browser.post(address, day, token_from=address).h1 == "Breakfasts"
    assert "Enter today or a later day." in browser.post(address, {**day, "first_day-month": "1"}, token_from=address).text
    assert "offered breakfast from that day already" in browser.post(address, day, token_from=address, status=200).text
    assert _events(world.authority) == ["breakfast.offered"] * 2


def test_its_job_is_run_once_by_the_worker_and_audited(world: World, ids: dict[str, UUID]) -> None:
    with unit_of_work(None):
        waiting = tx().scalars(select(OutboxJob.id).where(OutboxJob.kind == "breakfasts.confirm").order_by(OutboxJob.run_after))
        job_ids = [str(job_id) for job_id in waiting]
    assert len(job_ids) == 2
    assert [running.run(job_id) for job_id in job_ids for _ in range(2)] == ["done", "not waiting"] * 2
    with unit_of_work(world.authority.scope(Role.HEADTEACHER)):
        confirmed = queries.breakfast(ids["breakfast_id"])
        assert confirmed is not None
        assert confirmed.confirmed_at == NOW
        actions.confirm(ids["breakfast_id"])
    assert _events(world.authority) == ["breakfast.offered", "breakfast.confirmed"]


def test_its_actions_refuse_what_is_out_of_scope_past_or_there_already(world: World, ids: dict[str, UUID]) -> None:
    with unit_of_work(world.authority.scope(Role.HEADTEACHER)):
        with pytest.raises(RefusedError):
            actions.offer(ids["pupil_id"], first_day=NOW.date().replace(month=1))
        with pytest.raises(ConflictError, match="already"):
            actions.offer(ids["pupil_id"], first_day=NOW.date())
    with unit_of_work(world.neighbour.scope(Role.HEADTEACHER)), pytest.raises(NotFoundError):
        actions.offer(ids["pupil_id"], first_day=NOW.date())


def test_its_rows_are_among_what_is_held_about_a_pupil(world: World, ids: dict[str, UUID]) -> None:
    with unit_of_work(world.authority.scope(Role.HEADTEACHER)):
        parts = {part.holding.heading: part.rows for part in collect(Subject.PUPIL, ids["pupil_id"]).parts}
        assert [row["id"] for row in parts["Breakfasts"]] == [ids["breakfast_id"]]
    with unit_of_work(world.neighbour.scope(Role.HEADTEACHER)), pytest.raises(NotFoundError):
        collect(Subject.PUPIL, ids["pupil_id"])


def test_how_long_it_is_kept_is_listed(world: World, ids: dict[str, UUID]) -> None:
    with unit_of_work(world.authority.scope(Role.LA_ADMINISTRATOR)):
        (row,) = [row for row in due_rows(NOW.date()) if row.table == "breakfast"]
    assert row.due is None
    periods = [rule.period for capability in declared() for rule in capability.retention if rule.table == "breakfast"]
    assert periods == [KeptAsSet("breakfasts.kept", since="first_day")]
