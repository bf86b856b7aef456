"""Tenancy and object access: every route, role and object of one's own, another school's and another authority's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.accounts.models import Membership
from portal.audit.models import AuditEvent
from portal.db import tx, unit_of_work
from portal.permissions import ANYONE_SIGNED_IN, LA_ROLES, OPEN, PERMISSIONS, Role, permission_of
from tests.support import objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from flask import Flask
    from werkzeug.routing import Rule

    from tests.support.browser import Browser
    from tests.support.world import World

SIGNED_IN = [role for role in Role if role != Role.PLATFORM_OPERATOR]
#: Addresses whose ids belong to nobody's tenant: published figures are shared, and a switch names one's own membership.
SHARED = {"benchmarks.show"}


def _named(app: Flask) -> Iterator[Rule]:
    """Every rule that names an object."""
    for rule in app.url_map.iter_rules():
        if rule.arguments and all(rule._converters[name].__class__.__name__ == "UUIDConverter" for name in rule.arguments):  # noqa: SLF001  werkzeug keeps converters here
            yield rule


def _address(app: Flask, rule: Rule, ids: dict[str, UUID]) -> str:
    with app.test_request_context():
        return str(app.url_map.bind("localhost").build(rule.endpoint, {name: ids[name] for name in rule.arguments}))


def _may(role: Role, permission: str) -> bool:
    return permission == ANYONE_SIGNED_IN or (permission != OPEN and role in PERMISSIONS[permission])


def _answer(browser: Browser, rule: Rule, path: str) -> int:
    methods = rule.methods or set()
    if "GET" in methods:
        return browser.client.get(path).status_code
    token = browser.get("/help").document.xpath("string(//input[@name='csrf_token']/@value)")
    return browser.client.post(
        path, data={"csrf_token": token, "decision": "same"}, headers={"Origin": "http://localhost"}
    ).status_code


@pytest.mark.parametrize("role", SIGNED_IN)
def test_ten_01_another_authoritys_objects_are_not_there_for_any_role(
    app: Flask, world: World, signed_in: Callable[..., Browser], role: Role
) -> None:
    theirs = {**objects.made(world.neighbour), "release_id": world.neighbour.id}
    browser = signed_in(role)
    wrong = {}
    for rule in _named(app):
        if rule.endpoint in SHARED:
            continue
        permission = permission_of(app.view_functions[rule.endpoint]) or ""
        expected = {404} if _may(role, permission) else {403}
        status = _answer(browser, rule, _address(app, rule, theirs))
        if status not in expected:
            wrong[rule.endpoint] = status
    assert not wrong


@pytest.mark.parametrize(
    "role", [Role.SCHOOL_ADMINISTRATOR, Role.ATTENDANCE_LEAD, Role.HEADTEACHER, Role.SCHOOL_OFFICE, Role.TRUST_LEAD]
)
def test_ten_01_another_schools_objects_are_not_there_for_school_roles(
    app: Flask, world: World, signed_in: Callable[..., Browser], role: Role
) -> None:
    sibling = {**objects.made(world.here, school=world.here.secondary)}
    with unit_of_work(None):
        sibling["membership_id"] = (
            tx().scalars(select(Membership.id).where(Membership.id == world.here.people[Role.LA_OFFICER][1])).one()
        )
    browser, wrong = signed_in(role), {}
    for rule in _named(app):
        permission = permission_of(app.view_functions[rule.endpoint]) or ""
        if rule.endpoint in SHARED or {"invitation_id", "sign_in_id"} & rule.arguments or not _may(role, permission):
            continue
        if any(name not in sibling for name in rule.arguments):
            continue
        status = _answer(browser, rule, _address(app, rule, sibling))
        if status != 404:
            wrong[rule.endpoint] = status
    assert not wrong


@pytest.mark.parametrize("role", SIGNED_IN)
def test_ten_01_ones_own_pages_open_for_who_may_and_for_nobody_else(
    app: Flask, world: World, signed_in: Callable[..., Browser], role: Role
) -> None:
    own, browser, wrong = objects.made(world.here), signed_in(role), {}
    for rule in app.url_map.iter_rules():
        permission = permission_of(app.view_functions[rule.endpoint]) or ""
        plain = all(name in own for name in rule.arguments)
        if "GET" not in (rule.methods or ()) or permission in {OPEN, ANYONE_SIGNED_IN} or not plain or "/dashboards/_" in rule.rule:
            continue
        status = browser.client.get(_address(app, rule, own)).status_code
        expected = {200, 302} if _may(role, permission) else {403}
        if status not in expected and not (status == 404 and rule.endpoint in NOT_FOR_THIS_OBJECT):
            wrong[rule.endpoint] = status
    assert not wrong


#: Pages whose object here is not one they are about: the sweep's parent is not hidden, so there is nothing to show again.
NOT_FOR_THIS_OBJECT = {"pupils.show_address", "benchmarks.show"}


def test_ten_02_another_schools_pupil_is_404_and_audited(world: World, signed_in: Callable[..., Browser]) -> None:
    sibling = objects.made(world.here, school=world.here.secondary)
    browser = signed_in(Role.HEADTEACHER)
    browser.get(f"/pupils/{sibling['pupil_id']}", status=404)
    with unit_of_work(world.here.scope(Role.AUDITOR)):
        denied = tx().scalars(select(AuditEvent.facts).where(AuditEvent.event == "access.denied")).all()
    assert [(facts["endpoint"], facts["status"]) for facts in denied] == [("registers.show", 404)]
    assert str(sibling["pupil_id"]) in str(denied[0]["ids"])


def _draw(browser: Browser, path: object, *, token: str, search: object = "") -> int:
    inputs = [{"id": "address", "property": "pathname", "value": path}, {"id": "address", "property": "search", "value": search}]
    body = {
        "output": "chart.children",
        "outputs": {"id": "chart", "property": "children"},
        "inputs": inputs,
        "changedPropIds": ["address.pathname"],
    }
    sent = browser.client.post(
        "/dashboards/_dash-update-component", json=body, headers={"X-CSRFToken": token, "Origin": "http://localhost"}
    )
    return sent.status_code


def _token(browser: Browser) -> str:
    return str(browser.get("/help").document.xpath("string(//input[@name='csrf_token']/@value)"))


def test_ten_20_a_callback_by_anonymous_post_is_401(world: World, browser: Browser) -> None:
    ids = objects.made(world.here)
    assert _draw(browser, f"/dashboards/schools/{ids['school_id']}", token="") == 401


def test_ten_21_a_callback_draws_ones_own_school_and_no_other(world: World, signed_in: Callable[..., Browser]) -> None:
    own, sibling = objects.made(world.here), world.here.secondary
    theirs = objects.made(world.neighbour)
    browser = signed_in(Role.HEADTEACHER)
    token = _token(browser)
    assert _draw(browser, f"/dashboards/schools/{own['school_id']}", token=token) == 200
    assert _draw(browser, f"/dashboards/schools/{sibling}", token=token) == 404
    assert _draw(browser, f"/dashboards/schools/{theirs['school_id']}", token=token) == 404


@pytest.mark.parametrize("role", [role for role in SIGNED_IN if role not in PERMISSIONS["measures.view"]])
def test_ten_21_a_callback_asks_the_policy(world: World, signed_in: Callable[..., Browser], role: Role) -> None:
    ids = objects.made(world.here)
    browser = signed_in(role)
    assert _draw(browser, f"/dashboards/schools/{ids['school_id']}", token=_token(browser)) == 403


@pytest.mark.parametrize("path", [None, 7, ["x"], {"a": 1}, "/uploads", "/dashboards/nothing"])
def test_ten_22_a_callback_with_the_wrong_input_is_refused_without_a_trace(
    world: World, signed_in: Callable[..., Browser], path: object
) -> None:
    browser = signed_in(Role.HEADTEACHER)
    assert _draw(browser, path, token=_token(browser)) in {400, 404}


@pytest.mark.parametrize("address", ["_dash-layout", "_dash-dependencies", "_reload-hash", "anything"])
def test_ten_23_dashs_own_addresses_need_a_session(browser: Browser, address: str) -> None:
    assert browser.client.get(f"/dashboards/{address}").status_code in {302, 401}


def test_ten_25_a_callback_needs_the_forgery_token(world: World, signed_in: Callable[..., Browser]) -> None:
    ids = objects.made(world.here)
    assert _draw(signed_in(Role.HEADTEACHER), f"/dashboards/schools/{ids['school_id']}", token="") == 400


def test_ten_08_a_schools_reader_sees_no_average_that_rests_on_too_few_schools(
    world: World, signed_in: Callable[..., Browser]
) -> None:
    ids = objects.made(world.here)
    page = signed_in(Role.HEADTEACHER).get(f"/dashboards/schools/{ids['school_id']}")
    assert "too few schools" in page.text
    assert Role.LA_OFFICER in LA_ROLES
