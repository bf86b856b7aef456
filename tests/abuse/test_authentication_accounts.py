"""Attacks on accounts: links, invitations, roles, expiry, redirects and passwords (AUT-13 to AUT-25)."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from flask import url_for

from portal.accounts.actions import invitations as invitation_actions
from portal.accounts.actions import people as people_actions
from portal.accounts.current_user import local_page
from portal.accounts.domain import passwords
from portal.accounts.domain.roles import Reach
from portal.accounts.models import Membership
from portal.accounts.queries.principals import account_by_email, command_line_scope
from portal.db.work import tx, unit_of_work
from portal.platform import clock
from portal.platform.refusals import RefusedError
from portal.security.gate import MAX_FORM_BYTES
from portal.security.permissions import Role
from tests.accounts.support import (
    OTHER_PASSWORD,
    PASSWORD,
    User,
    add_user,
    cached_hash,
    cookie,
    credential_row,
    denied,
    enter_password,
    events,
    latest_mail,
    link_path,
    make_app,
    new_browser,
    person_row,
    sign_in,
    with_authenticator,
)
from tests.support.processor_time import processor_seconds

if TYPE_CHECKING:
    from flask import Flask

    from config.settings import Settings
    from tests.support.browser import Browser
    from tests.support.world import World


def _reset_link(live_app: Flask, email: str) -> str:
    """Ask for a password reset and return the path of the mailed link."""
    new_browser(live_app, "192.0.2.77").post("/reset", {"email": email}, token_from="/reset")
    return link_path(latest_mail("Choose a new password"))


def test_a_reset_link_cannot_be_used_twice_or_in_another_browser_or_without_the_second_factor(
    live_app: Flask, world: World
) -> None:
    """Attack AUT-13."""
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    link = _reset_link(live_app, user.email)
    browser, other_browser = new_browser(live_app), new_browser(live_app, "192.0.2.20")
    browser.get(link)
    assert browser.post(link, {}).path == "/reset/password"
    assert other_browser.get(link, status=410).h1 == "This link no longer works"
    other_browser.get("/reset/password", status=410)
    done = browser.post("/reset/password", {"password": OTHER_PASSWORD})
    assert done.path == "/sign-in"
    browser.get("/reset/password", status=410)
    browser.get(link, status=410)
    assert enter_password(browser, user.email, OTHER_PASSWORD).h1 == "Enter the code from your app"
    assert enter_password(new_browser(live_app), user.email, PASSWORD).h1 == "Sign in"


def test_a_reset_link_expires_after_an_hour(live_app: Flask, world: World) -> None:
    """Attack AUT-13."""
    user = add_user(world.authority)
    link = _reset_link(live_app, user.email)
    with clock.frozen_at(clock.now() + timedelta(hours=1, seconds=1)):
        new_browser(live_app).get(link, status=410)
    browser = new_browser(live_app)
    browser.get(link)
    browser.post(link, {})
    with clock.frozen_at(clock.now() + timedelta(hours=1, seconds=1)):
        browser.get("/reset/password", status=410)


def test_a_reset_token_does_not_stay_in_the_address(live_app: Flask, world: World) -> None:
    """Attack AUT-14."""
    user = add_user(world.authority)
    link = _reset_link(live_app, user.email)
    browser = new_browser(live_app)
    assert browser.get(link).response.headers["Referrer-Policy"] == "no-referrer"
    redirect = browser.post(link, {}, status=302)
    assert redirect.response.headers["Location"] == "/reset/password"
    assert redirect.response.headers["Referrer-Policy"] == "no-referrer"
    page = browser.get("/reset/password")
    token = link.rpartition("/")[2]
    assert token not in page.html
    assert token not in cookie(browser)


def _invitation(world: World, email: str, role: Role = Role.LA_OFFICER) -> str:
    """Invite this address and return the path of the mailed link."""
    with unit_of_work(world.authority.scope(Role.LA_ADMINISTRATOR)):
        invitation_actions.invite("Bo Invited", email, Reach(role), lambda token: f"https://portal.example/invitations/{token}")
    return link_path(latest_mail("You are invited to the attendance portal"))


def test_a_forwarded_invitation_cannot_be_accepted_for_another_address_or_twice(live_app: Flask, world: World) -> None:
    """Attack AUT-15."""
    link = _invitation(world, "bo@council.example")
    stranger, invited = new_browser(live_app, "203.0.113.5"), new_browser(live_app)
    page = stranger.get(link)
    assert "bo@council.example" not in page.html, "the page of a forwarded link does not show the address"
    error_page = stranger.post("/invitation", {"email": "eve@evil.example", "name": "Eve", "password": OTHER_PASSWORD})
    assert "Enter the address this invitation was sent to" in error_page.text
    invited.get(link)
    invited.post("/invitation", {"email": "bo@council.example", "name": "Bo Invited", "password": OTHER_PASSWORD})
    accepted = events(world.authority.id, "invitation.accepted")
    assert len(accepted) == 1
    assert len(accepted[0].facts["from_address"]) == 64, "the network address is recorded as a keyed hash"
    stranger.get(link, status=410)
    stranger.get("/invitation", status=410)


def test_an_invitation_expires_after_seven_days(live_app: Flask, world: World) -> None:
    """Attack AUT-15."""
    link = _invitation(world, "bo@council.example")
    with clock.frozen_at(clock.now() + timedelta(days=7, seconds=1)):
        new_browser(live_app).get(link, status=410)
    new_browser(live_app).get(link)


def test_an_invitation_cannot_be_accepted_by_another_account(live_app: Flask, world: World) -> None:
    """Attack AUT-15."""
    user = with_authenticator(add_user(world.authority, email="eve@council.example"), world.authority, live_app)
    link = _invitation(world, "bo@council.example", Role.LA_ADMINISTRATOR)
    browser = new_browser(live_app)
    sign_in(browser, user)
    assert browser.get(link).h1 == "This invitation is for someone else"
    browser.post("/invitation", {})
    assert events(world.authority.id, "invitation.accepted") == []


def test_a_school_administrator_cannot_give_a_role_of_the_authority(settings: Settings, world: World) -> None:
    """Attack AUT-16."""
    browser = new_browser(make_app(settings, demo=True))
    own = world.authority.people[Role.SCHOOL_ADMINISTRATOR][1]
    browser.post("/demonstration/sign-in", {"membership": str(own)}, token_from="/sign-in")
    page = browser.get(f"/people/{own}/edit")
    assert page.document.xpath("//input[@value='la-administrator']") == []
    browser.post(f"/people/{own}/edit", {"role": "la-administrator"}, status=403)
    browser.post("/people/new", {"name": "A", "email": "a@b.example", "role": "la-officer"}, status=403, token_from="/people/new")
    with unit_of_work(world.authority.scope()):
        assert tx().get_one(Membership, own).role == Role.SCHOOL_ADMINISTRATOR
    assert [row.facts["status"] for row in denied(world.authority.id)] == [403, 403]


def test_a_school_administrator_cannot_give_a_role_in_another_school(settings: Settings, world: World) -> None:
    """Attack AUT-16."""
    browser = new_browser(make_app(settings, demo=True))
    own = world.authority.people[Role.SCHOOL_ADMINISTRATOR][1]
    browser.post("/demonstration/sign-in", {"membership": str(own)}, token_from="/sign-in")
    for school_id in (world.authority.secondary, world.neighbour.primary):
        form_fields = {"role": "headteacher", "school_ids": str(school_id), "name": "A", "email": "a@b.example"}
        page = browser.post("/people/new", form_fields, token_from="/people/new")
        assert "Choose from the answers listed" in page.text
    browser.get(f"/people/{world.authority.people[Role.LA_ADMINISTRATOR][1]}", status=404)
    browser.get(f"/people/{world.neighbour.people[Role.HEADTEACHER][1]}", status=404)
    with unit_of_work(world.authority.scope(Role.SCHOOL_ADMINISTRATOR)), pytest.raises(PermissionError):
        invitation_actions.invite("A", "a@b.example", Reach(Role.HEADTEACHER, frozenset({world.authority.secondary})), str)


def test_the_last_administrator_cannot_remove_themselves(demo_administrator: Browser, world: World) -> None:
    """Attack AUT-17."""
    path = f"/people/{world.authority.people[Role.LA_ADMINISTRATOR][1]}/end"
    page = demo_administrator.post(path, {}, token_from=path)
    assert "This is the only LA administrator. Give someone else that role first" in page.text
    add_user(world.authority, Role.LA_ADMINISTRATOR, email="second@council.example")
    demo_administrator.post(path, {}, token_from=path, status=302)


def test_an_administrator_cannot_choose_a_password_for_someone_else(
    demo_administrator: Browser, world: World, live_app: Flask
) -> None:
    """Attack AUT-18."""
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    for path in ("/people/new", f"/people/{user.membership}", f"/people/{user.membership}/edit"):
        assert demo_administrator.get(path).document.xpath("//input[@type='password']") == []
    hash_before = credential_row(user.id).password_hash
    form_fields = {"password": OTHER_PASSWORD, "password_hash": "x", "role": "la-officer"}
    demo_administrator.post(f"/people/{user.membership}/edit", form_fields, token_from=f"/people/{user.membership}/edit")
    demo_administrator.post(f"/people/{user.membership}/send-reset", form_fields)
    assert credential_row(user.id).password_hash == hash_before
    assert latest_mail("Choose a new password").to == user.email


def test_thirty_idle_minutes_end_a_sign_in(live_app: Flask, world: World) -> None:
    """Attack AUT-19."""
    browser = new_browser(live_app)
    sign_in(browser, with_authenticator(add_user(world.authority), world.authority, live_app))
    started = clock.now()
    with clock.frozen_at(started + timedelta(minutes=29)):
        browser.get("/guarded/download")
    with clock.frozen_at(started + timedelta(minutes=58)):
        browser.get("/guarded/download")
    with clock.frozen_at(started + timedelta(minutes=88, seconds=1)):
        browser.get("/guarded/download", status=302)


def test_twelve_hours_end_a_sign_in_however_busy(live_app: Flask, world: World) -> None:
    """Attack AUT-19."""
    browser = new_browser(live_app)
    sign_in(browser, with_authenticator(add_user(world.authority), world.authority, live_app))
    started = clock.now()
    for minutes in range(25, 12 * 60, 25):
        with clock.frozen_at(started + timedelta(minutes=minutes)):
            browser.get("/guarded/download")
    with clock.frozen_at(started + timedelta(hours=12, seconds=1)):
        browser.get("/guarded/download", status=302)


def test_the_back_button_finds_no_stored_page_after_signing_out(live_app: Flask, world: World) -> None:
    """Attack AUT-20. Only the headers are checked here; the journeys show that a browser obeys them."""
    browser = new_browser(live_app)
    sign_in(browser, with_authenticator(add_user(world.authority), world.authority, live_app))
    for path in ("/account", "/guarded/download", f"/guarded/schools/{world.authority.primary}"):
        assert browser.get(path).response.headers["Cache-Control"] == "no-store"
    browser.get("/account")
    signed_out = browser.post("/sign-out", status=302)
    assert signed_out.response.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "/%09/evil.example",
        "https:evil.example",
        "/\t/evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/no-such-page",
        "account",
        "///evil.example",
        "/static/portal.css",
        "\\\\evil.example",
        "/sign-out",
    ],
)
def test_signing_in_never_redirects_to_another_site(live_app: Flask, world: World, target: str) -> None:
    """Attack AUT-21."""
    with live_app.test_request_context():
        assert local_page(target) == url_for("web.home")


def test_signing_in_leads_to_the_page_first_asked_for(live_app: Flask, world: World) -> None:
    """Attack AUT-21."""
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    browser = new_browser(live_app)
    first_page = browser.get(f"/guarded/schools/{world.authority.primary}?week=2026-09-07")
    assert first_page.h1 == "Sign in"
    code_page = browser.post(first_page.path, {"email": user.email, "password": PASSWORD})
    last_page = browser.post(code_page.path, {"code": user.code()})
    assert last_page.path == f"/guarded/schools/{world.authority.primary}?week=2026-09-07"
    second_browser = new_browser(live_app)
    with clock.frozen_at(clock.now() + timedelta(minutes=1)):
        code_page = enter_password(second_browser, user.email, target="//evil.example")
        assert second_browser.post(code_page.path, {"code": user.code()}).path == "/"


def test_an_account_unused_for_ninety_days_is_suspended(live_app: Flask, world: World) -> None:
    """Attack AUT-22."""
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    with clock.frozen_at(clock.now() + timedelta(days=90, seconds=1)):
        page = enter_password(new_browser(live_app), user.email)
        assert "Your account is suspended because it was not used for 90 days" in page.text
        with unit_of_work(command_line_scope(world.authority.id)):
            assert people_actions.suspend_unused() == 1
            assert people_actions.suspend_unused() == 0
        assert person_row(user.id).disabled_at is not None
        with unit_of_work(world.authority.scope(Role.LA_ADMINISTRATOR)):
            people_actions.reinstate(user.id)
        assert sign_in(new_browser(live_app), user).path == "/"


def test_a_partner_needs_a_last_day_and_has_no_role_the_day_after(live_app: Flask, world: World) -> None:
    """Attack AUT-22."""
    with unit_of_work(command_line_scope(world.authority.id)):
        person = people_actions.add_person("Pat Partner", "pat@police.example", password_hash=cached_hash(PASSWORD))
        with pytest.raises(match="last day"):
            people_actions.add_membership(person.id, Role.PARTNER, agency="Police")
        membership = people_actions.add_membership(person.id, Role.PARTNER, agency="Police", until=clock.today())
        partner = User(person.id, membership.id, person.email)
    browser = new_browser(live_app)
    user = with_authenticator(partner, world.authority, live_app)
    sign_in(browser, user)
    browser.get("/guarded/download")
    with clock.frozen_at(clock.now() + timedelta(days=1)):
        page = sign_in(new_browser(live_app), user)
        assert page.h1 == "You have no role at present"


def test_an_email_address_has_one_account_and_no_other_provider_links_to_it(live_app: Flask, world: World) -> None:
    """Attack AUT-23. The portal has no identity provider: an identity is an account, unique by its case-folded email address."""
    user = add_user(world.authority, email="Officer@Council.Example")
    with unit_of_work(command_line_scope(world.neighbour.id)), pytest.raises(RefusedError):
        people_actions.add_person("Another", " officer@council.example ")
    with unit_of_work(None):
        account = account_by_email("OFFICER@COUNCIL.EXAMPLE")
    assert account is not None
    assert account.person_id == user.id
    provider_paths = [
        rule.rule for rule in live_app.url_map.iter_rules() if any(word in rule.rule for word in ("oidc", "saml", "callback"))
    ]
    assert provider_paths == []


@pytest.mark.parametrize("password", ["é" * 500, "nul\x00nul\x00nul\x00word", "🦦🦔🌧🎷" * 4, "z9!q" + "long enough " * 10])
def test_long_and_odd_passwords_are_compared_whole(password: str) -> None:
    """Attack AUT-24."""
    stored_hash = passwords.hash_password(password)
    assert passwords.is_correct(password, stored_hash)
    assert not passwords.is_correct(password[:-1], stored_hash)
    assert not passwords.is_correct(password + "x", stored_hash)


@pytest.mark.parametrize("size", [1_001, 900_000, 10_000_000])
def test_a_huge_password_costs_no_more_than_a_short_one(live_app: Flask, size: int) -> None:
    """Attack AUT-24."""
    browser = new_browser(live_app)
    token = browser.get("/sign-in").document.xpath("string(//input[@name='csrf_token']/@value)")
    # An account allows few tries, so each is for another. An unknown one costs as much as a known one.
    numbers = itertools.count()

    def post(length: int, status: int) -> None:
        body = {"email": f"nobody-{next(numbers)}@council.example", "password": "x" * length, "csrf_token": token}
        assert browser.client.post("/sign-in", data=body).status_code == status

    short = processor_seconds(lambda: post(20, 200))
    assert processor_seconds(lambda: post(size, 413 if size > MAX_FORM_BYTES else 200)) < 2 * short


@pytest.mark.parametrize(
    "password",
    [
        "Attendance2026",
        "attendance-2026!",
        "Passw0rd1234",
        "Password123!",
        "qwertyuiop12",
        "123456789012",
        "Welcome2026!!",
        "aaaaaaaaaaaa",
        "Abcdefgh1234",
        "SchoolSchool1",
        "@ttend@nce26",
        "Wrenfold2026!",
        "AnnOfficer12",
        "correct horse battery staple",
        "P@ssw0rd1234!",
        "minecraft12345",
        "Minecraft-12345",
        "fluffybunny12",
        "FluffyBunny2026",
        "wr3nf0ld-2026!",
        "BrookLane2026!",
    ],
)
def test_common_and_personal_passwords_are_refused(password: str) -> None:
    """Attack AUT-25."""
    about = ("Ann Officer", "ann.officer@council.example", "Wrenfold", "Brook Lane Primary School")
    assert passwords.weakness(password, about) is not None


@pytest.mark.parametrize(
    "password", ["heron lantern gravel", "copper hedge violin nine", "vK3-pl0mb-zzebra", "ysgol mynydd afon", "ключ от сарая"]
)
def test_passwords_that_are_hard_to_guess_are_accepted(password: str) -> None:
    """Attack AUT-25."""
    assert passwords.weakness(password, ("Ann Officer", "ann.officer@wrenfold.example")) is None


def test_every_page_that_sets_a_password_refuses_a_weak_one(live_app: Flask, world: World) -> None:
    """Attack AUT-25."""
    browser = new_browser(live_app)
    browser.get(_invitation(world, "bo@council.example"))
    page = browser.post("/invitation", {"email": "bo@council.example", "name": "Bo", "password": "Attendance2026"})
    assert "harder to guess" in page.text
    browser = new_browser(live_app)
    link = _reset_link(live_app, add_user(world.authority).email)
    browser.get(link)
    browser.post(link, {})
    assert "harder to guess" in browser.post("/reset/password", {"password": "Attendance2026"}).text
