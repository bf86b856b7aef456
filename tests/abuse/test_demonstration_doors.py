"""Attacks on real records through the doors of the demonstration (AVL-09)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from config.settings import SettingsError
from portal.accounts.actions import people as people_actions
from portal.accounts.models import Authority
from portal.accounts.queries.principals import command_line_scope, platform_scope
from portal.app import refuse_real_authority
from portal.db.work import tx, unit_of_work
from portal.security.permissions import Role
from tests.accounts.support import (
    PASSWORD,
    add_user,
    enter_password,
    latest_mail,
    link_path,
    mails,
    new_browser,
    with_authenticator,
)

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask

    from tests.support.world import World


def _operator() -> UUID:
    """The demonstration's platform operator: the membership."""
    with unit_of_work(platform_scope()):
        person = people_actions.add_person("Op Erator", "operator@demo.example", demonstration=True)
        return people_actions.add_membership(person.id, Role.PLATFORM_OPERATOR).id


def _real_authority() -> UUID:
    """An authority that is no demonstration, as the command line adds it."""
    with unit_of_work(command_line_scope(uuid4())):
        return people_actions.add_authority("realtown", "Realtown", "009").id


def test_nobody_gets_from_the_demonstrations_operator_into_a_real_authority(demo_app: Flask, world: World) -> None:
    """Attack C8: press "Platform operator", invite oneself, read the link on the open page of mail."""
    operator, authority = _operator(), _real_authority()
    browser = new_browser(demo_app)
    assert "Platform operator" not in browser.get("/sign-in").text
    browser.post("/demonstration/sign-in", {"membership": str(operator)}, status=404, token_from="/sign-in")
    browser.get(f"/authorities/{authority}/administrators/new", status=302)
    browser.get("/demonstration/mail", status=404)


def test_a_person_of_the_demonstration_who_is_signed_in_is_nobody_once_there_is_a_real_authority(
    demo_app: Flask, world: World
) -> None:
    """Attack C8: sign in first, and wait."""
    browser = new_browser(demo_app)
    browser.post("/demonstration/sign-in", {"membership": str(_operator())}, token_from="/sign-in")
    browser.get("/authorities")
    authority = _real_authority()
    browser.get("/authorities", status=302)
    browser.get("/second-factor/set-up", status=302)
    browser.get(f"/authorities/{authority}/administrators/new", status=302)


def test_what_the_demonstrations_operator_adds_is_part_of_the_demonstration(demo_app: Flask, world: World) -> None:
    browser = new_browser(demo_app)
    browser.post("/demonstration/sign-in", {"membership": str(_operator())}, token_from="/sign-in")
    browser.post("/authorities/new", {"name": "North Moor", "slug": "north-moor", "la_code": "003"}, token_from="/authorities/new")
    with unit_of_work(None):
        assert tx().query(Authority.demonstration).filter_by(slug="north-moor").scalar() is True
    browser.get("/authorities")


def test_the_demonstration_does_not_start_on_a_database_that_holds_anything_real(world: World) -> None:
    """Attack C8: PORTAL_DEMO=1 with the address of an installation."""
    refuse_real_authority()
    _real_authority()
    with pytest.raises(SettingsError, match="Set PORTAL_DEMO to 0"):
        refuse_real_authority()


@pytest.mark.parametrize("has_factor", [True, False])
def test_a_password_alone_opens_nothing_in_the_demonstration_either(demo_app: Flask, world: World, has_factor: bool) -> None:
    """Attack C8: the factor was asked of nobody while the demonstration was on."""
    user = add_user(world.authority, Role.LA_ADMINISTRATOR, email="real@council.example")
    if has_factor:
        user = with_authenticator(user, world.authority, demo_app)
    browser = new_browser(demo_app)
    page = enter_password(browser, user.email, PASSWORD)
    assert page.h1 == ("Enter the code from your app" if has_factor else "Set up your authenticator app")
    browser.get("/people", status=302)


@pytest.mark.parametrize("asked_as", ["real@council.example", " REAL@council.example"])
def test_the_page_of_mail_shows_no_link_of_a_person_outside_the_demonstration(demo_app: Flask, world: World, asked_as: str) -> None:
    """Attack C8: ask for a reset of a real person and read the link."""
    user = add_user(world.authority, email="real@council.example")
    browser = new_browser(demo_app)
    browser.post("/reset", {"email": asked_as.strip()}, token_from="/reset")
    assert latest_mail("Choose a new password").to == user.email
    assert link_path(latest_mail("Choose a new password")) not in browser.get("/demonstration/mail").html


def test_the_page_of_mail_shows_no_invitation_to_a_real_person_or_authority(demo_app: Flask, world: World) -> None:
    """Attack C8."""
    add_user(world.authority, email="real@council.example")
    browser = new_browser(demo_app)
    administrator = world.authority.people[Role.LA_ADMINISTRATOR][1]
    browser.post("/demonstration/sign-in", {"membership": str(administrator)}, token_from="/sign-in")
    for email in ("real@council.example", "new@council.example"):
        browser.post("/people/new", {"name": "Bo", "email": email, "role": "la-officer"}, token_from="/people/new")
    page = browser.get("/demonstration/mail")
    assert "To new@council.example" in page.text
    assert "To real@council.example" not in page.text
    assert len([mail for mail in mails() if mail.subject.startswith("You are invited")]) == 2


def test_production_knows_none_of_the_demonstrations_people(demo_app: Flask, live_app: Flask, world: World) -> None:
    """Attack C8: a demonstration's cookie, given to a portal that runs for real on its database."""
    browser = new_browser(demo_app)
    browser.post(
        "/demonstration/sign-in", {"membership": str(world.authority.people[Role.LA_ADMINISTRATOR][1])}, token_from="/sign-in"
    )
    cookie = browser.client.get_cookie("portal")
    assert cookie is not None
    live = new_browser(live_app)
    live.client.set_cookie("portal", cookie.value)
    for path in ("/people", "/second-factor/set-up", "/account"):
        assert live.get(path, status=302).response.headers["Location"].startswith("/sign-in")


def test_the_people_of_one_authority_are_shown_and_those_of_the_other_are_folded(demo_app: Flask, world: World) -> None:
    page = new_browser(demo_app).get("/sign-in").document
    folded = page.xpath("//details//input[@name='membership']/@value")
    visible = page.xpath("//input[@name='membership'][not(ancestor::details)]/@value")
    memberships = [
        {str(membership) for _, membership in authority.people.values()} for authority in (world.authority, world.neighbour)
    ]
    assert visible
    assert folded
    assert set(visible).isdisjoint(folded)
    assert len([group for group in memberships if group & set(visible)]) == 1
