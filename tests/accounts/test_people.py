"""People, invitations and authorities, as their administrators keep them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from portal import clock
from portal.accounts import actions
from portal.accounts.models import PLATFORM, Membership
from portal.accounts.queries import authorities, authority_by_slug, command_line, platform_scope
from portal.accounts.roles import Reach, can_manage, grantable_roles, validated
from portal.db import tx, unit_of_work
from portal.permissions import LA_ROLES, SCHOOL_ROLES, Role
from tests.accounts.support import (
    OTHER_PASSWORD,
    PASSWORD,
    User,
    browser,
    cached_hash,
    enter_password,
    events,
    latest_mail,
    link_path,
    person_row,
    sign_in,
    someone,
    with_authenticator,
)

if TYPE_CHECKING:
    from flask import Flask

    from tests.support.browser import Browser
    from tests.support.world import World

INVITED = "You are invited to the attendance portal"


def _as(demo: Flask, world: World, role: Role) -> Browser:
    at = browser(demo)
    at.post("/demonstration/sign-in", {"membership": str(world.here.people[role][1])}, token_from="/sign-in")
    return at


def test_an_administrator_sees_the_people_of_the_authority_and_no_neighbour(demo: Flask, world: World) -> None:
    page = _as(demo, world, Role.LA_ADMINISTRATOR).get("/people")
    assert "11 people" in page.text
    assert "@eastmarch.example" not in page.text
    found = _as(demo, world, Role.LA_ADMINISTRATOR).get("/people?named=head")
    assert "headteacher@wrenfold.example" in found.text
    assert "partner@wrenfold.example" not in found.text
    assert "Nobody was found" in _as(demo, world, Role.LA_ADMINISTRATOR).get("/people?named=%25").text


def test_a_school_administrator_sees_only_school_people_of_own_schools(demo: Flask, world: World) -> None:
    someone_else = someone(world.here, Role.HEADTEACHER, email="other@hilltop.example")
    with unit_of_work(command_line(world.here.id)):
        actions.change_membership(someone_else.membership, Reach(Role.HEADTEACHER, frozenset({world.here.secondary})))
    at = _as(demo, world, Role.SCHOOL_ADMINISTRATOR)
    page = at.get("/people")
    assert "5 people" in page.text
    assert "other@hilltop.example" not in page.text
    assert "la-manager@wrenfold.example" not in page.text
    for path in ("", "/edit", "/end"):
        at.get(f"/people/{someone_else.membership}{path}", status=404)
    at.post(f"/people/{someone_else.membership}/send-reset", {}, status=404, token_from="/people")


@pytest.mark.parametrize("role", [Role.LA_MANAGER, Role.HEADTEACHER, Role.PARTNER, Role.AUDITOR])
def test_other_roles_keep_no_people(demo: Flask, world: World, role: Role) -> None:
    at = _as(demo, world, role)
    for path in ("/people", "/people/new", "/authorities", "/authorities/new"):
        at.get(path, status=403)


def test_someone_invited_makes_an_account_sets_up_the_app_and_works(strict: Flask, demo: Flask, world: World) -> None:
    at = _as(demo, world, Role.SCHOOL_ADMINISTRATOR)
    posted = {
        "name": "Bo Office",
        "email": "bo@brooklane.example",
        "role": "school-office",
        "school_ids": str(world.here.primary),
    }
    assert "An invitation is on its way" in at.post("/people/new", posted, token_from="/people/new").text
    assert "Invitations not yet accepted" in at.get("/people").text
    invited = browser(strict)
    invited.get(link_path(latest_mail(INVITED)))
    page = invited.post("/invitation", {"email": "Bo@BrookLane.example", "name": "Bo Office", "password": OTHER_PASSWORD})
    assert page.h1 == "Set up your authenticator app"
    assert "Bo Office" in at.get("/people").text


def test_an_invitation_for_someone_known_is_accepted_by_signing_in(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.neighbour, email="known@elsewhere.example"), world.neighbour, strict)
    with unit_of_work(world.here.scope(Role.LA_ADMINISTRATOR)):
        actions.invite("Known", one.email, Reach(Role.LA_LEGAL), lambda token: f"https://portal.example/invitations/{token}")
    at = browser(strict)
    asked = at.get(link_path(latest_mail(INVITED)))
    assert "You have an account already" in asked.text
    step = at.post("/sign-in?next=/invitation", {"email": one.email, "password": PASSWORD}, token_from=asked.links()["Sign in"])
    page = at.post(step.path, {"code": one.code()})
    assert page.h1 == "Accept your invitation"
    accepted = at.post("/invitation", {})
    assert accepted.h1 == "Choose your role"
    assert "Wrenfold" in accepted.text
    assert events(world.here.id, "invitation.accepted")[0].facts["new_account"] is False


def test_a_withdrawn_invitation_opens_nothing(strict: Flask, demo: Flask, world: World) -> None:
    at = _as(demo, world, Role.LA_ADMINISTRATOR)
    at.post("/people/new", {"name": "Bo", "email": "bo@council.example", "role": "la-officer"}, token_from="/people/new")
    link = link_path(latest_mail(INVITED))
    form = at.get("/people").document.xpath("//form[contains(@action, 'withdraw')]/@action")[0]
    school = _as(demo, world, Role.SCHOOL_ADMINISTRATOR)
    school.post(form, {}, status=404, token_from="/people")
    at.post(form, {}, token_from="/people")
    browser(strict).get(link, status=410)


def test_a_role_is_changed_and_ended(demo: Flask, world: World) -> None:
    at = _as(demo, world, Role.LA_ADMINISTRATOR)
    membership = world.here.people[Role.LA_OFFICER][1]
    page = at.get(f"/people/{membership}/edit")
    assert page.document.xpath("//input[@name='role' and @checked]/@value") == ["la-officer"]
    wrong = at.post(f"/people/{membership}/edit", {"role": "headteacher"})
    assert "Select at least one school for this role." in wrong.text
    at.post(f"/people/{membership}/edit", {"role": "headteacher", "school_ids": str(world.here.secondary)})
    with unit_of_work(None):
        row = tx().get_one(Membership, membership)
        assert (row.role, row.school_ids) == ("headteacher", [world.here.secondary])
    at.post(f"/people/{membership}/end", {}, token_from=f"/people/{membership}/end")
    at.get(f"/people/{membership}", status=404)
    assert [row.event for row in events(world.here.id, "membership.ended")] == ["membership.ended"]


def test_a_lost_app_is_taken_off_by_the_authority_only(strict: Flask, demo: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here, Role.HEADTEACHER, email="head@brooklane.example"), world.here, strict)
    path = f"/people/{one.membership}/take-off-second-factor"
    _as(demo, world, Role.SCHOOL_ADMINISTRATOR).post(path, {}, status=403, token_from="/people")
    _as(demo, world, Role.LA_ADMINISTRATOR).post(path, {}, token_from=f"/people/{one.membership}")
    assert person_row(one.id).totp_secret is None
    assert latest_mail("Your sign-in was reset").to == one.email
    assert enter_password(browser(strict), one.email).h1 == "Set up your authenticator app"


def test_a_suspended_account_gets_no_link_and_is_opened_again_by_the_authority(strict: Flask, demo: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    with clock.at(clock.now() + timedelta(days=91)):
        browser(strict).post("/reset", {"email": one.email}, token_from="/reset")
        assert "suspended" in (latest_mail("Your account is suspended").body or "")
        at = _as(demo, world, Role.LA_ADMINISTRATOR)
        assert "This account is suspended" in at.get(f"/people/{one.membership}").text
        at.post(f"/people/{one.membership}/reinstate", {})
        assert sign_in(browser(strict), one).path == "/"


def test_an_operator_adds_an_authority_and_invites_its_administrator(strict: Flask, world: World) -> None:
    with unit_of_work(platform_scope()):
        person = actions.add_person("Op Erator", "op@platform.example", password_hash=cached_hash(PASSWORD))
        membership = actions.add_membership(person.id, Role.PLATFORM_OPERATOR)
        operator = User(person.id, membership.id, person.email)
    one = with_authenticator(operator, world.here, strict)
    at = browser(strict)
    sign_in(at, one)
    taken = at.post("/authorities/new", {"name": "Again", "slug": "wrenfold", "la_code": "003"}, token_from="/authorities/new")
    assert "Another authority has the short name wrenfold" in taken.text
    page = at.post("/authorities/new", {"name": "North Moor", "slug": "north-moor", "la_code": "003"})
    assert page.h1 == "Invite an administrator of North Moor"
    at.post(page.path, {"name": "Ada First", "email": "ada@northmoor.example"})
    with unit_of_work(None):
        added = authority_by_slug("north-moor")
        assert added is not None
        new_id = added.id
        assert "The platform" not in [authority.name for authority in authorities()]
    assert [row.role for row in events(new_id, "authority.added")] == ["platform-operator"]
    assert len(events(new_id, "invitation.sent")) == 1
    assert len(events(PLATFORM, "authority.noted")) == 1
    for path in ("/people", f"/guarded/schools/{world.here.primary}"):
        at.get(path, status=403)
    at.get(f"/authorities/{PLATFORM}/administrators/new", status=404)
    at.get(f"/authorities/{uuid4()}/administrators/new", status=404)
    first = browser(strict)
    first.get(link_path(latest_mail(INVITED)))
    first.post("/invitation", {"email": "ada@northmoor.example", "name": "Ada First", "password": OTHER_PASSWORD})


@pytest.mark.parametrize(
    ("reach", "platform", "words"),
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
def test_the_parts_of_a_membership_go_together(reach: Reach, platform: bool, words: str) -> None:
    with pytest.raises(actions.MembershipRefusedError, match=words):
        validated(reach, platform=platform)


def test_the_roles_each_may_give() -> None:
    offered = {role: set(grantable_roles(role)) for role in Role}
    assert offered[Role.LA_ADMINISTRATOR] == LA_ROLES | SCHOOL_ROLES | {Role.PARTNER}
    assert offered[Role.SCHOOL_ADMINISTRATOR] == SCHOOL_ROLES
    assert offered[Role.PLATFORM_OPERATOR] == {Role.LA_ADMINISTRATOR}
    assert {role for role, roles in offered.items() if roles} == {
        Role.LA_ADMINISTRATOR,
        Role.SCHOOL_ADMINISTRATOR,
        Role.PLATFORM_OPERATOR,
    }


def test_reach_is_by_role_and_schools(world: World) -> None:
    school = world.here.scope(Role.SCHOOL_ADMINISTRATOR)
    assert can_manage(school, Role.HEADTEACHER, [world.here.primary])
    assert not can_manage(school, Role.HEADTEACHER, [world.here.primary, world.here.secondary])
    assert not can_manage(school, Role.LA_OFFICER, [])
    assert can_manage(world.here.scope(Role.LA_ADMINISTRATOR), Role.HEADTEACHER, [world.here.secondary])
    assert not can_manage(world.here.scope(Role.LA_MANAGER), Role.HEADTEACHER, [])


def test_the_platform_is_added_once(world: World) -> None:
    with unit_of_work(platform_scope()):
        assert actions.ensure_platform().id == PLATFORM
        assert actions.ensure_platform().id == PLATFORM
    assert len(events(PLATFORM, "authority.added")) == 1
