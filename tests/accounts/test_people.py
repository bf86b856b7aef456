"""Tests of the administrators' pages: people, invitations and authorities."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from portal.accounts.actions import invitations as invitation_actions
from portal.accounts.actions import people as people_actions
from portal.accounts.domain.roles import Reach, can_manage, grantable_roles, validated
from portal.accounts.models import PLATFORM, Membership
from portal.accounts.queries.people import authorities
from portal.accounts.queries.principals import authority_by_slug, command_line_scope, platform_scope
from portal.db.work import tx, unit_of_work
from portal.platform import clock
from portal.security.permissions import LA_ROLES, SCHOOL_ROLES, Role
from tests.accounts.support import (
    OTHER_PASSWORD,
    PASSWORD,
    User,
    add_user,
    cached_hash,
    credential_row,
    enter_password,
    events,
    latest_mail,
    link_path,
    new_browser,
    sign_in,
    with_authenticator,
)

if TYPE_CHECKING:
    from flask import Flask

    from tests.support.browser import Browser
    from tests.support.world import World

INVITED = "You are invited to the attendance portal"


def _signed_in_as(demo_app: Flask, world: World, role: Role) -> Browser:
    browser = new_browser(demo_app)
    browser.post("/demonstration/sign-in", {"membership": str(world.authority.people[role][1])}, token_from="/sign-in")
    return browser


def test_an_administrator_sees_the_people_of_the_authority_and_of_no_other(demo_app: Flask, world: World) -> None:
    page = _signed_in_as(demo_app, world, Role.LA_ADMINISTRATOR).get("/people")
    assert "11 people" in page.text
    assert "@eastmarch.example" not in page.text
    matches = _signed_in_as(demo_app, world, Role.LA_ADMINISTRATOR).get("/people?named=head")
    assert "headteacher@wrenfold.example" in matches.text
    assert "partner@wrenfold.example" not in matches.text
    assert "Nobody was found" in _signed_in_as(demo_app, world, Role.LA_ADMINISTRATOR).get("/people?named=%25").text


def test_a_school_administrator_sees_only_people_of_their_own_schools(demo_app: Flask, world: World) -> None:
    colleague = add_user(world.authority, Role.HEADTEACHER, email="other@hilltop.example")
    with unit_of_work(command_line_scope(world.authority.id)):
        people_actions.change_membership(colleague.membership, Reach(Role.HEADTEACHER, frozenset({world.authority.secondary})))
    browser = _signed_in_as(demo_app, world, Role.SCHOOL_ADMINISTRATOR)
    page = browser.get("/people")
    assert "5 people" in page.text
    assert "other@hilltop.example" not in page.text
    assert "la-manager@wrenfold.example" not in page.text
    for path in ("", "/edit", "/end"):
        browser.get(f"/people/{colleague.membership}{path}", status=404)
    browser.post(f"/people/{colleague.membership}/send-reset", {}, status=404, token_from="/people")


@pytest.mark.parametrize("role", [Role.LA_MANAGER, Role.HEADTEACHER, Role.PARTNER, Role.AUDITOR])
def test_other_roles_cannot_manage_people(demo_app: Flask, world: World, role: Role) -> None:
    browser = _signed_in_as(demo_app, world, role)
    for path in ("/people", "/people/new", "/authorities", "/authorities/new"):
        browser.get(path, status=403)


def test_an_invited_person_makes_an_account_and_sets_up_the_app(live_app: Flask, demo_app: Flask, world: World) -> None:
    browser = _signed_in_as(demo_app, world, Role.SCHOOL_ADMINISTRATOR)
    form_fields = {
        "name": "Bo Office",
        "email": "bo@brooklane.example",
        "role": "school-office",
        "school_ids": str(world.authority.primary),
    }
    assert "An invitation is on its way" in browser.post("/people/new", form_fields, token_from="/people/new").text
    assert "Invitations not yet accepted" in browser.get("/people").text
    invited_browser = new_browser(live_app)
    invited_browser.get(link_path(latest_mail(INVITED)))
    page = invited_browser.post("/invitation", {"email": "Bo@BrookLane.example", "name": "Bo Office", "password": OTHER_PASSWORD})
    assert page.h1 == "Set up your authenticator app"
    assert "Bo Office" in browser.get("/people").text


def test_a_person_with_an_account_accepts_an_invitation_by_signing_in(live_app: Flask, world: World) -> None:
    user = with_authenticator(add_user(world.neighbour, email="known@elsewhere.example"), world.neighbour, live_app)
    with unit_of_work(world.authority.scope(Role.LA_ADMINISTRATOR)):
        invitation_actions.invite(
            "Known", user.email, Reach(Role.LA_LEGAL), lambda token: f"https://portal.example/invitations/{token}"
        )
    browser = new_browser(live_app)
    invitation = browser.get(link_path(latest_mail(INVITED)))
    assert "You have an account already" in invitation.text
    step = browser.post(
        "/sign-in?next=/invitation", {"email": user.email, "password": PASSWORD}, token_from=invitation.links()["Sign in"]
    )
    page = browser.post(step.path, {"code": user.code()})
    assert page.h1 == "Accept your invitation"
    accepted = browser.post("/invitation", {})
    assert accepted.h1 == "Choose your role"
    assert "Wrenfold" in accepted.text
    assert events(world.authority.id, "invitation.accepted")[0].facts["new_account"] is False


def test_a_withdrawn_invitation_opens_nothing(live_app: Flask, demo_app: Flask, world: World) -> None:
    browser = _signed_in_as(demo_app, world, Role.LA_ADMINISTRATOR)
    browser.post("/people/new", {"name": "Bo", "email": "bo@council.example", "role": "la-officer"}, token_from="/people/new")
    link = link_path(latest_mail(INVITED))
    form = browser.get("/people").document.xpath("//form[contains(@action, 'withdraw')]/@action")[0]
    school_browser = _signed_in_as(demo_app, world, Role.SCHOOL_ADMINISTRATOR)
    school_browser.post(form, {}, status=404, token_from="/people")
    browser.post(form, {}, token_from="/people")
    new_browser(live_app).get(link, status=410)


def test_a_role_is_changed_and_ended(demo_app: Flask, world: World) -> None:
    browser = _signed_in_as(demo_app, world, Role.LA_ADMINISTRATOR)
    membership = world.authority.people[Role.LA_OFFICER][1]
    page = browser.get(f"/people/{membership}/edit")
    assert page.document.xpath("//input[@name='role' and @checked]/@value") == ["la-officer"]
    error_page = browser.post(f"/people/{membership}/edit", {"role": "headteacher"})
    assert "Select at least one school for this role." in error_page.text
    browser.post(f"/people/{membership}/edit", {"role": "headteacher", "school_ids": str(world.authority.secondary)})
    with unit_of_work(world.authority.scope()):
        row = tx().get_one(Membership, membership)
        assert (row.role, row.school_ids) == ("headteacher", [world.authority.secondary])
    browser.post(f"/people/{membership}/end", {}, token_from=f"/people/{membership}/end")
    browser.get(f"/people/{membership}", status=404)
    assert [row.event for row in events(world.authority.id, "membership.ended")] == ["membership.ended"]


def test_only_the_authority_can_remove_a_lost_second_factor(live_app: Flask, demo_app: Flask, world: World) -> None:
    user = with_authenticator(
        add_user(world.authority, Role.HEADTEACHER, email="head@brooklane.example"), world.authority, live_app
    )
    path = f"/people/{user.membership}/take-off-second-factor"
    _signed_in_as(demo_app, world, Role.SCHOOL_ADMINISTRATOR).post(path, {}, status=403, token_from="/people")
    _signed_in_as(demo_app, world, Role.LA_ADMINISTRATOR).post(path, {}, token_from=f"/people/{user.membership}")
    assert credential_row(user.id).totp_secret is None
    assert latest_mail("Your sign-in was reset").to == user.email
    assert enter_password(new_browser(live_app), user.email).h1 == "Set up your authenticator app"


def test_a_suspended_account_gets_no_link_and_is_reopened_by_the_authority(live_app: Flask, demo_app: Flask, world: World) -> None:
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    with clock.frozen_at(clock.now() + timedelta(days=91)):
        new_browser(live_app).post("/reset", {"email": user.email}, token_from="/reset")
        assert "suspended" in (latest_mail("Your account is suspended").body or "")
        browser = _signed_in_as(demo_app, world, Role.LA_ADMINISTRATOR)
        assert "This account is suspended" in browser.get(f"/people/{user.membership}").text
        browser.post(f"/people/{user.membership}/reinstate", {})
        assert sign_in(new_browser(live_app), user).path == "/"


def test_an_operator_adds_an_authority_and_invites_its_administrator(live_app: Flask, world: World) -> None:
    with unit_of_work(platform_scope()):
        person = people_actions.add_person("Op Erator", "op@platform.example", password_hash=cached_hash(PASSWORD))
        membership = people_actions.add_membership(person.id, Role.PLATFORM_OPERATOR)
        operator = User(person.id, membership.id, person.email)
    browser = new_browser(live_app)
    sign_in(browser, with_authenticator(operator, world.authority, live_app))
    error_page = browser.post(
        "/authorities/new", {"name": "Again", "slug": "wrenfold", "la_code": "003"}, token_from="/authorities/new"
    )
    assert "Another authority has the short name you entered" in error_page.text
    page = browser.post("/authorities/new", {"name": "North Moor", "slug": "north-moor", "la_code": "003"})
    assert page.h1 == "Invite an administrator of North Moor"
    browser.post(page.path, {"name": "Ada First", "email": "ada@northmoor.example"})
    with unit_of_work(None):
        added = authority_by_slug("north-moor")
        assert added is not None
        new_id = added.id
        assert "The platform" not in [authority.name for authority in authorities()]
    assert [row.role for row in events(new_id, "authority.added")] == ["platform-operator"]
    assert len(events(new_id, "invitation.sent")) == 1
    assert len(events(PLATFORM, "authority.noted")) == 1
    for path in ("/people", f"/guarded/schools/{world.authority.primary}"):
        browser.get(path, status=403)
    browser.get(f"/authorities/{PLATFORM}/administrators/new", status=404)
    browser.get(f"/authorities/{uuid4()}/administrators/new", status=404)
    invited_browser = new_browser(live_app)
    invited_browser.get(link_path(latest_mail(INVITED)))
    invited_browser.post("/invitation", {"email": "ada@northmoor.example", "name": "Ada First", "password": OTHER_PASSWORD})


@pytest.mark.parametrize(
    ("reach", "platform", "message"),
    [
        (Reach(Role.HEADTEACHER), False, "at least one school"),
        (Reach(Role.LA_OFFICER, frozenset({uuid4()})), False, "only for a school role"),
        (Reach(Role.PARTNER, agency="Police"), False, "last day"),
        (Reach(Role.PARTNER, until=clock.today()), False, "agency"),
        (Reach(Role.LA_OFFICER, agency="Police"), False, "only for a partner"),
        (Reach(Role.PLATFORM_OPERATOR), False, "belong to the platform"),
        (Reach(Role.LA_ADMINISTRATOR), True, "belong to the platform"),
    ],
)
def test_a_membership_whose_parts_do_not_go_together_is_refused(reach: Reach, platform: bool, message: str) -> None:
    with pytest.raises(match=message):
        validated(reach, platform=platform)


def test_each_role_may_give_these_roles() -> None:
    grantable = {role: set(grantable_roles(role)) for role in Role}
    assert grantable[Role.LA_ADMINISTRATOR] == LA_ROLES | SCHOOL_ROLES | {Role.PARTNER}
    assert grantable[Role.SCHOOL_ADMINISTRATOR] == SCHOOL_ROLES
    assert grantable[Role.PLATFORM_OPERATOR] == {Role.LA_ADMINISTRATOR}
    assert {role for role, roles in grantable.items() if roles} == {
        Role.LA_ADMINISTRATOR,
        Role.SCHOOL_ADMINISTRATOR,
        Role.PLATFORM_OPERATOR,
    }


def test_managing_a_membership_depends_on_its_role_and_schools(world: World) -> None:
    school = world.authority.scope(Role.SCHOOL_ADMINISTRATOR)
    assert can_manage(school, Role.HEADTEACHER, [world.authority.primary])
    assert not can_manage(school, Role.HEADTEACHER, [world.authority.primary, world.authority.secondary])
    assert not can_manage(school, Role.LA_OFFICER, [])
    assert can_manage(world.authority.scope(Role.LA_ADMINISTRATOR), Role.HEADTEACHER, [world.authority.secondary])
    assert not can_manage(world.authority.scope(Role.LA_MANAGER), Role.HEADTEACHER, [])


def test_the_platform_is_added_once(world: World) -> None:
    with unit_of_work(platform_scope()):
        assert people_actions.ensure_platform().id == PLATFORM
        assert people_actions.ensure_platform().id == PLATFORM
    assert len(events(PLATFORM, "authority.added")) == 1


def test_a_password_made_of_the_names_of_ones_school_is_refused(live_app: Flask, world: World) -> None:
    with unit_of_work(world.authority.scope(Role.LA_ADMINISTRATOR)):
        reach = Reach(Role.SCHOOL_OFFICE, frozenset({world.authority.primary}))
        invitation_actions.invite("Bo", "bo@council.example", reach, lambda token: f"https://portal.example/invitations/{token}")
    browser = new_browser(live_app)
    browser.get(link_path(latest_mail("You are invited to the attendance portal")))
    for password in ("Brook Lane Primary School", "BrookLanePrimary82"):
        page = browser.post("/invitation", {"email": "bo@council.example", "name": "Bo", "password": password})
        assert "harder to guess" in page.text
    page = browser.post("/invitation", {"email": "bo@council.example", "name": "Bo", "password": "Hill Lantern Gravel Otter"})
    assert "harder to guess" not in page.text
