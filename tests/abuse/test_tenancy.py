"""Attacks on tenancy (TEN-01, 02, 08, 20 to 23 and 25).

Every route is opened by every role, for its own objects, another school's and another authority's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.audit.models import ReadLog
from portal.db.work import tx, unit_of_work
from portal.security.permissions import ANYONE_SIGNED_IN, LA_ROLES, OPEN, Role, permission_of, role_has
from tests.support import objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from flask import Flask
    from werkzeug.routing import Rule

    from tests.support.browser import Browser
    from tests.support.world import World

SIGNED_IN = [role for role in Role if role != Role.PLATFORM_OPERATOR]
#: Endpoints whose objects belong to no authority: published figures are shared.
SHARED = {"benchmarks.show"}


def _rules_with_ids(app: Flask) -> Iterator[Rule]:
    """Every rule whose arguments are all ids of objects."""
    for rule in app.url_map.iter_rules():
        if rule.arguments and all(rule._converters[name].__class__.__name__ == "UUIDConverter" for name in rule.arguments):  # noqa: SLF001  werkzeug keeps converters here
            yield rule


def _address(app: Flask, rule: Rule, ids: dict[str, UUID]) -> str:
    with app.test_request_context():
        return str(app.url_map.bind("localhost").build(rule.endpoint, {name: ids[name] for name in rule.arguments}))


def _is_allowed(role: Role, permission: str) -> bool:
    return permission == ANYONE_SIGNED_IN or (permission != OPEN and role_has(role, permission))


def _status(browser: Browser, rule: Rule, path: str) -> int:
    """The status of a GET. A rule without GET is sent a POST with a valid token."""
    methods = rule.methods or set()
    if "GET" in methods:
        return browser.client.get(path).status_code
    token = browser.get("/help").document.xpath("string(//input[@name='csrf_token']/@value)")
    return browser.client.post(
        path, data={"csrf_token": token, "decision": "same"}, headers={"Origin": "http://localhost"}
    ).status_code


@pytest.mark.parametrize("role", SIGNED_IN)
def test_objects_of_another_authority_are_not_found_by_any_role(
    app: Flask, world: World, signed_in: Callable[..., Browser], role: Role
) -> None:
    """Attack TEN-01."""
    neighbour_ids = {**objects.make_objects(world.neighbour), "release_id": world.neighbour.id}
    browser = signed_in(role)
    wrong_statuses = {}
    for rule in _rules_with_ids(app):
        if rule.endpoint in SHARED:
            continue
        permission = permission_of(app.view_functions[rule.endpoint]) or ""
        expected = {404} if _is_allowed(role, permission) else {403}
        status = _status(browser, rule, _address(app, rule, neighbour_ids))
        if status not in expected:
            wrong_statuses[rule.endpoint] = status
    assert not wrong_statuses


@pytest.mark.parametrize(
    "role", [Role.SCHOOL_ADMINISTRATOR, Role.ATTENDANCE_LEAD, Role.HEADTEACHER, Role.SCHOOL_OFFICE, Role.TRUST_LEAD]
)
def test_objects_of_another_school_are_not_found_by_school_roles(
    app: Flask, world: World, signed_in: Callable[..., Browser], role: Role
) -> None:
    """Attack TEN-01."""
    sibling_ids = {**objects.make_objects(world.authority, school=world.authority.secondary)}
    sibling_ids["membership_id"] = world.authority.people[Role.LA_OFFICER][1]
    browser, wrong_statuses = signed_in(role), {}
    for rule in _rules_with_ids(app):
        permission = permission_of(app.view_functions[rule.endpoint]) or ""
        if rule.endpoint in SHARED or {"invitation_id", "sign_in_id"} & rule.arguments or not _is_allowed(role, permission):
            continue
        if any(name not in sibling_ids for name in rule.arguments):
            continue
        status = _status(browser, rule, _address(app, rule, sibling_ids))
        if status != 404:
            wrong_statuses[rule.endpoint] = status
    assert not wrong_statuses


@pytest.mark.parametrize("role", SIGNED_IN)
def test_own_pages_open_only_for_roles_with_the_permission(
    app: Flask, world: World, signed_in: Callable[..., Browser], role: Role
) -> None:
    """Attack TEN-01."""
    own_ids, browser, wrong_statuses = objects.make_objects(world.authority), signed_in(role), {}
    for rule in app.url_map.iter_rules():
        permission = permission_of(app.view_functions[rule.endpoint]) or ""
        has_objects = all(name in own_ids for name in rule.arguments)
        if (
            "GET" not in (rule.methods or ())
            or permission in {OPEN, ANYONE_SIGNED_IN}
            or not has_objects
            or "/dashboards/_" in rule.rule
        ):
            continue
        status = browser.client.get(_address(app, rule, own_ids)).status_code
        expected = {200, 302} if _is_allowed(role, permission) else {403}
        if status not in expected and not (status == 404 and rule.endpoint in NOT_FOR_THIS_OBJECT):
            wrong_statuses[rule.endpoint] = status
    assert not wrong_statuses


#: Endpoints that answer 404 for the objects of this test: the parent's address is not hidden, so there is none to show, and
#: the record is linked to no other.
NOT_FOR_THIS_OBJECT = {"pupils.show_address", "pupils.unlink"}


def test_a_pupil_of_another_school_is_not_found_and_the_try_is_audited(world: World, signed_in: Callable[..., Browser]) -> None:
    """Attack TEN-02."""
    sibling_ids = objects.make_objects(world.authority, school=world.authority.secondary)
    browser = signed_in(Role.HEADTEACHER)
    browser.get(f"/pupils/{sibling_ids['pupil_id']}", status=404)
    with unit_of_work(world.authority.scope(Role.AUDITOR)):
        denied = tx().scalars(select(ReadLog.facts).where(ReadLog.event == "access.denied")).all()
    assert [(facts["endpoint"], facts["status"]) for facts in denied] == [("registers.show", 404)]
    assert str(sibling_ids["pupil_id"]) in str(denied[0]["ids"])


def _callback_status(browser: Browser, path: object, *, token: str, search: object = "") -> int:
    """The status of a POST to Dash's callback that draws the chart of a page."""
    inputs = [{"id": "address", "property": "pathname", "value": path}, {"id": "address", "property": "search", "value": search}]
    body = {
        "output": "chart.children",
        "outputs": {"id": "chart", "property": "children"},
        "inputs": inputs,
        "changedPropIds": ["address.pathname"],
    }
    answer = browser.client.post(
        "/dashboards/_dash-update-component", json=body, headers={"X-CSRFToken": token, "Origin": "http://localhost"}
    )
    return answer.status_code


def _token(browser: Browser) -> str:
    return str(browser.get("/help").document.xpath("string(//input[@name='csrf_token']/@value)"))


def test_an_anonymous_callback_is_rejected(world: World, browser: Browser) -> None:
    """Attack TEN-20."""
    ids = objects.make_objects(world.authority)
    assert _callback_status(browser, f"/dashboards/schools/{ids['school_id']}", token="") == 401


def test_a_callback_draws_no_other_school(world: World, signed_in: Callable[..., Browser]) -> None:
    """Attack TEN-21."""
    own_ids, sibling_school = objects.make_objects(world.authority), world.authority.secondary
    neighbour_ids = objects.make_objects(world.neighbour)
    browser = signed_in(Role.HEADTEACHER)
    token = _token(browser)
    assert _callback_status(browser, f"/dashboards/schools/{own_ids['school_id']}", token=token) == 200
    assert _callback_status(browser, f"/dashboards/schools/{sibling_school}", token=token) == 404
    assert _callback_status(browser, f"/dashboards/schools/{neighbour_ids['school_id']}", token=token) == 404


@pytest.mark.parametrize("role", [role for role in SIGNED_IN if not role_has(role, "measures.view")])
def test_a_callback_is_forbidden_to_a_role_without_the_permission(
    world: World, signed_in: Callable[..., Browser], role: Role
) -> None:
    """Attack TEN-21."""
    ids = objects.make_objects(world.authority)
    browser = signed_in(role)
    assert _callback_status(browser, f"/dashboards/schools/{ids['school_id']}", token=_token(browser)) == 403


@pytest.mark.parametrize("path", [None, 7, ["x"], {"a": 1}, "/uploads", "/dashboards/nothing"])
def test_a_callback_with_wrong_input_is_rejected(world: World, signed_in: Callable[..., Browser], path: object) -> None:
    """Attack TEN-22."""
    browser = signed_in(Role.HEADTEACHER)
    assert _callback_status(browser, path, token=_token(browser)) in {400, 404}


@pytest.mark.parametrize("address", ["_dash-layout", "_dash-dependencies", "_reload-hash", "anything"])
def test_dash_addresses_need_a_sign_in(browser: Browser, address: str) -> None:
    """Attack TEN-23."""
    assert browser.client.get(f"/dashboards/{address}").status_code in {302, 401}


def test_a_callback_needs_the_forgery_token(world: World, signed_in: Callable[..., Browser]) -> None:
    """Attack TEN-25."""
    ids = objects.make_objects(world.authority)
    assert _callback_status(signed_in(Role.HEADTEACHER), f"/dashboards/schools/{ids['school_id']}", token="") == 400


def test_an_average_over_too_few_schools_is_not_shown_to_a_school(world: World, signed_in: Callable[..., Browser]) -> None:
    """Attack TEN-08."""
    ids = objects.make_objects(world.authority)
    page = signed_in(Role.HEADTEACHER).get(f"/dashboards/schools/{ids['school_id']}")
    assert "too few schools" in page.text
    assert Role.LA_OFFICER in LA_ROLES
