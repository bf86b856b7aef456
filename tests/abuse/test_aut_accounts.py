"""Abuse of accounts, AUT-13 to AUT-25: links, invitations, roles, expiry and passwords; what happens instead."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from flask import url_for

from portal import clock
from portal.accounts import actions, passwords
from portal.accounts.models import Membership
from portal.accounts.presence import local_page
from portal.accounts.queries import account_by_email, command_line
from portal.db import tx, unit_of_work
from portal.gate import A_FORM, TOKEN
from portal.permissions import Role
from tests.accounts.support import (
    OTHER_PASSWORD,
    PASSWORD,
    User,
    browser,
    cached_hash,
    cookie,
    enter_password,
    events,
    latest_mail,
    link_path,
    person_row,
    portal,
    sign_in,
    someone,
    with_authenticator,
)

if TYPE_CHECKING:
    from flask import Flask

    from config.settings import Settings
    from tests.support.world import World


@pytest.fixture
def strict(settings: Settings, world: World) -> Flask:
    """The portal as it runs for real: second factor and all."""
    return portal(settings)


@pytest.fixture
def demo_administrator(settings: Settings, world: World) -> object:
    """A browser signed in as the LA administrator."""
    at = browser(portal(settings, demo=True))
    at.post("/demonstration/sign-in", {"membership": str(world.here.people[Role.LA_ADMINISTRATOR][1])}, token_from="/sign-in")
    return at


def _reset_link(strict: Flask, email: str) -> str:
    browser(strict, "192.0.2.77").post("/reset", {"email": email}, token_from="/reset")
    return link_path(latest_mail("Choose a new password"))


def test_aut_13_a_reset_link_works_once_in_one_browser_and_the_factor_is_still_asked(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    link = _reset_link(strict, one.email)
    at, other = browser(strict), browser(strict, "192.0.2.20")
    assert at.get(link).path == "/reset/password"
    assert other.get(link, status=410).h1 == "This link no longer works"
    other.get("/reset/password", status=410)
    done = at.post("/reset/password", {"password": OTHER_PASSWORD})
    assert done.path == "/sign-in"
    at.get("/reset/password", status=410)
    at.get(link, status=410)
    assert enter_password(at, one.email, OTHER_PASSWORD).h1 == "Enter the code from your app"
    assert enter_password(browser(strict), one.email, PASSWORD).h1 == "Sign in"


def test_aut_13_a_reset_link_is_good_for_an_hour(strict: Flask, world: World) -> None:
    one = someone(world.here)
    link = _reset_link(strict, one.email)
    with clock.at(clock.now() + timedelta(hours=1, seconds=1)):
        browser(strict).get(link, status=410)
    at = browser(strict)
    at.get(link)
    with clock.at(clock.now() + timedelta(hours=1, seconds=1)):
        at.get("/reset/password", status=410)


def test_aut_14_a_reset_links_token_leaves_the_address_at_once(strict: Flask, world: World) -> None:
    one = someone(world.here)
    link = _reset_link(strict, one.email)
    at = browser(strict)
    traded = at.get(link, status=302)
    assert traded.response.headers["Location"] == "/reset/password"
    assert traded.response.headers["Referrer-Policy"] == "no-referrer"
    page = at.get("/reset/password")
    token = link.rpartition("/")[2]
    assert token not in page.html
    assert token not in cookie(at)


def test_aut_14_a_mail_scanner_that_only_asks_for_headers_spends_nothing(strict: Flask, world: World) -> None:
    link = _reset_link(strict, someone(world.here).email)
    assert browser(strict, "203.0.113.1").client.head(link).status_code == 204
    browser(strict).get(link)


def _invitation(world: World, email: str, role: Role = Role.LA_OFFICER) -> str:
    from_here = world.here.scope(Role.LA_ADMINISTRATOR)
    with unit_of_work(from_here):
        actions.invite("Bo Invited", email, _reach(role), lambda token: f"https://portal.example/invitations/{token}")
    return link_path(latest_mail("You are invited to the attendance portal"))


def _reach(role: Role) -> actions.Reach:
    return actions.Reach(role)


def test_aut_15_an_invitation_is_bound_to_its_address_and_accepted_once(strict: Flask, world: World) -> None:
    link = _invitation(world, "bo@council.example")
    stranger, invited = browser(strict, "203.0.113.5"), browser(strict)
    page = stranger.get(link)
    assert "bo@council.example" not in page.html, "whoever opens a forwarded link does not learn the address"
    refused = stranger.post("/invitation", {"email": "eve@evil.example", "name": "Eve", "password": OTHER_PASSWORD})
    assert "Enter the address this invitation was sent to" in refused.text
    invited.get(link)
    invited.post("/invitation", {"email": "bo@council.example", "name": "Bo Invited", "password": OTHER_PASSWORD})
    accepted = events(world.here.id, "invitation.accepted")
    assert len(accepted) == 1
    assert len(accepted[0].facts["from_address"]) == 64, "where it was accepted from is kept, blinded"
    stranger.get(link, status=410)
    stranger.get("/invitation", status=410)


def test_aut_15_an_invitation_is_good_for_seven_days(strict: Flask, world: World) -> None:
    link = _invitation(world, "bo@council.example")
    with clock.at(clock.now() + timedelta(days=7, seconds=1)):
        browser(strict).get(link, status=410)
    browser(strict).get(link)


def test_aut_15_an_invitation_cannot_be_taken_by_another_account(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here, email="eve@council.example"), world.here, strict)
    link = _invitation(world, "bo@council.example", Role.LA_ADMINISTRATOR)
    at = browser(strict)
    sign_in(at, one)
    assert at.get(link).h1 == "This invitation is for someone else"
    at.post("/invitation", {})
    assert events(world.here.id, "invitation.accepted") == []


def test_aut_16_a_school_administrator_cannot_give_a_role_of_the_authority(settings: Settings, world: World) -> None:
    at = browser(portal(settings, demo=True))
    own = world.here.people[Role.SCHOOL_ADMINISTRATOR][1]
    at.post("/demonstration/sign-in", {"membership": str(own)}, token_from="/sign-in")
    page = at.get(f"/people/{own}/edit")
    assert page.document.xpath("//input[@value='la-administrator']") == []
    at.post(f"/people/{own}/edit", {"role": "la-administrator"}, status=403)
    at.post("/people/new", {"name": "A", "email": "a@b.example", "role": "la-officer"}, status=403, token_from="/people/new")
    with unit_of_work(None):
        assert tx().get_one(Membership, own).role == Role.SCHOOL_ADMINISTRATOR
    assert [row.facts["status"] for row in events(world.here.id, "access.denied")] == [403, 403]


def test_aut_16_nor_a_school_that_is_not_theirs(settings: Settings, world: World) -> None:
    at = browser(portal(settings, demo=True))
    own = world.here.people[Role.SCHOOL_ADMINISTRATOR][1]
    at.post("/demonstration/sign-in", {"membership": str(own)}, token_from="/sign-in")
    for school_id in (world.here.secondary, world.neighbour.primary):
        posted = {"role": "headteacher", "school_ids": str(school_id), "name": "A", "email": "a@b.example"}
        page = at.post("/people/new", posted, token_from="/people/new")
        assert "Choose from the answers listed" in page.text
    at.get(f"/people/{world.here.people[Role.LA_ADMINISTRATOR][1]}", status=404)
    at.get(f"/people/{world.neighbour.people[Role.HEADTEACHER][1]}", status=404)
    with unit_of_work(world.here.scope(Role.SCHOOL_ADMINISTRATOR)), pytest.raises(PermissionError):
        actions.invite("A", "a@b.example", actions.Reach(Role.HEADTEACHER, frozenset({world.here.secondary})), str)


@pytest.mark.parametrize("way", ["end", "edit"])
def test_aut_17_the_last_administrator_cannot_take_themselves_away(demo_administrator: object, world: World, way: str) -> None:
    own = world.here.people[Role.LA_ADMINISTRATOR][1]
    page = demo_administrator.post(f"/people/{own}/{way}", {"role": "la-officer"}, token_from=f"/people/{own}/{way}")
    assert "This is the only LA administrator. Give someone else that role first" in page.text
    someone(world.here, Role.LA_ADMINISTRATOR, email="second@council.example")
    demo_administrator.post(f"/people/{own}/{way}", {"role": "la-officer"}, token_from=f"/people/{own}/{way}", status=302)


def test_aut_18_nobody_chooses_a_password_for_someone_else(demo_administrator: object, world: World, strict: Flask) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    for path in ("/people/new", f"/people/{one.membership}", f"/people/{one.membership}/edit"):
        assert demo_administrator.get(path).document.xpath("//input[@type='password']") == []
    before = person_row(one.id).password_hash
    posted = {"password": OTHER_PASSWORD, "password_hash": "x", "role": "la-officer"}
    demo_administrator.post(f"/people/{one.membership}/edit", posted, token_from=f"/people/{one.membership}/edit")
    demo_administrator.post(f"/people/{one.membership}/send-reset", posted)
    assert person_row(one.id).password_hash == before
    assert latest_mail("Choose a new password").to == one.email


def test_aut_19_thirty_idle_minutes_end_a_sign_in(strict: Flask, world: World) -> None:
    at = browser(strict)
    sign_in(at, with_authenticator(someone(world.here), world.here, strict))
    begun = clock.now()
    with clock.at(begun + timedelta(minutes=29)):
        at.get("/guarded/download")
    with clock.at(begun + timedelta(minutes=58)):
        at.get("/guarded/download")
    with clock.at(begun + timedelta(minutes=88, seconds=1)):
        at.get("/guarded/download", status=302)


def test_aut_19_twelve_hours_end_a_sign_in_however_busy(strict: Flask, world: World) -> None:
    at = browser(strict)
    sign_in(at, with_authenticator(someone(world.here), world.here, strict))
    begun = clock.now()
    for minutes in range(25, 12 * 60, 25):
        with clock.at(begun + timedelta(minutes=minutes)):
            at.get("/guarded/download")
    with clock.at(begun + timedelta(hours=12, seconds=1)):
        at.get("/guarded/download", status=302)


def test_aut_20_nothing_is_kept_for_the_back_button(strict: Flask, world: World) -> None:
    """The headers that decide it; that a browser obeys them is shown in the journeys."""
    at = browser(strict)
    sign_in(at, with_authenticator(someone(world.here), world.here, strict))
    for path in ("/account", "/guarded/download", f"/guarded/schools/{world.here.primary}"):
        assert at.get(path).response.headers["Cache-Control"] == "no-store"
    at.get("/account")
    out = at.post("/sign-out", status=302)
    assert out.response.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'


@pytest.mark.parametrize(
    "wanted",
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
def test_aut_21_signing_in_leads_to_our_own_pages_only(strict: Flask, world: World, wanted: str) -> None:
    with strict.test_request_context():
        assert local_page(wanted) == url_for("web.home")


def test_aut_21_the_page_first_asked_for_is_reached_after_every_step(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    at = browser(strict)
    asked = at.get(f"/guarded/schools/{world.here.primary}?week=2026-09-07")
    assert asked.h1 == "Sign in"
    factor = at.post(asked.path, {"email": one.email, "password": PASSWORD})
    arrived = at.post(factor.path, {"code": one.code()})
    assert arrived.path == f"/guarded/schools/{world.here.primary}?week=2026-09-07"
    evil = browser(strict)
    with clock.at(clock.now() + timedelta(minutes=1)):
        step = enter_password(evil, one.email, wanted="//evil.example")
        assert evil.post(step.path, {"code": one.code()}).path == "/"


def test_aut_22_an_account_unused_for_ninety_days_is_suspended(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    with clock.at(clock.now() + timedelta(days=90, seconds=1)):
        page = enter_password(browser(strict), one.email)
        assert "Your account is suspended because it was not used for 90 days" in page.text
        with unit_of_work(command_line(world.here.id)):
            assert actions.suspend_unused() == 1
            assert actions.suspend_unused() == 0
        assert person_row(one.id).disabled_at is not None
        with unit_of_work(world.here.scope(Role.LA_ADMINISTRATOR)):
            actions.reinstate(one.id)
        assert sign_in(browser(strict), one).path == "/"


def test_aut_22_a_partner_has_a_last_day_and_is_out_the_day_after(strict: Flask, world: World) -> None:
    with unit_of_work(command_line(world.here.id)):
        person = actions.add_person("Pat Partner", "pat@police.example", password_hash=cached_hash(PASSWORD))
        with pytest.raises(actions.MembershipRefusedError, match="last day"):
            actions.add_membership(person.id, Role.PARTNER, agency="Police")
        membership = actions.add_membership(person.id, Role.PARTNER, agency="Police", until=clock.today())
        partner = User(person.id, membership.id, person.email)
    at = browser(strict)
    one = with_authenticator(partner, world.here, strict)
    sign_in(at, one)
    at.get("/guarded/download")
    with clock.at(clock.now() + timedelta(days=1)):
        page = sign_in(browser(strict), one)
        assert page.h1 == "You have no role at present"


def test_aut_23_an_identity_is_one_account_and_never_linked_by_another_provider(strict: Flask, world: World) -> None:
    """No identity provider is wired: the only identity is our own account, whose address is unique once folded."""
    one = someone(world.here, email="Officer@Council.Example")
    with unit_of_work(command_line(world.neighbour.id)), pytest.raises(actions.TakenError):
        actions.add_person("Another", " officer@council.example ")
    with unit_of_work(None):
        found = account_by_email("OFFICER@COUNCIL.EXAMPLE")
    assert found is not None
    assert found.person_id == one.id
    outside = [rule.rule for rule in strict.url_map.iter_rules() if any(word in rule.rule for word in ("oidc", "saml", "callback"))]
    assert outside == []


@pytest.mark.parametrize("password", ["é" * 500, "nul\x00nul\x00nul\x00word", "🦦🦔🌧🎷" * 4, "z9!q" + "long enough " * 10])
def test_aut_24_long_and_odd_passwords_work_whole(password: str) -> None:
    kept = passwords.hash_password(password)
    assert passwords.is_correct(password, kept)
    assert not passwords.is_correct(password[:-1], kept)
    assert not passwords.is_correct(password + "x", kept)


@pytest.mark.parametrize("size", [1_001, 900_000, 10_000_000])
def test_aut_24_a_huge_password_costs_nothing(strict: Flask, world: World, size: int) -> None:
    one = someone(world.here)
    at = browser(strict)
    token = at.get("/sign-in").document.xpath("string(//input[@name='csrf_token']/@value)")
    body = {"email": one.email, "password": "x" * size, "csrf_token": token}
    took = []
    for _ in range(3):
        began = time.perf_counter()
        answer = at.client.post("/sign-in", data=body)
        took.append(time.perf_counter() - began)
        assert answer.status_code == (413 if size > A_FORM else 200)
    assert min(took) < 0.2


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
    ],
)
def test_aut_25_common_and_contextual_passwords_are_refused_locally(password: str) -> None:
    assert passwords.weakness(password, ("Ann Officer", "ann.officer@wrenfold.example")) is not None


@pytest.mark.parametrize(
    "password", ["heron lantern gravel", "copper hedge violin nine", "vK3-pl0mb-zzebra", "ysgol mynydd afon", "ключ от сарая"]
)
def test_aut_25_passwords_nobody_would_guess_are_accepted(password: str) -> None:
    assert passwords.weakness(password, ("Ann Officer", "ann.officer@wrenfold.example")) is None


def test_aut_25_a_weak_password_is_refused_on_every_page_that_takes_one(strict: Flask, world: World) -> None:
    at = browser(strict)
    at.get(_invitation(world, "bo@council.example"))
    page = at.post("/invitation", {"email": "bo@council.example", "name": "Bo", "password": "Attendance2026"})
    assert "harder to guess" in page.text
    at = browser(strict)
    at.get(_reset_link(strict, someone(world.here).email))
    assert "harder to guess" in at.post("/reset/password", {"password": "Attendance2026"}).text
    assert TOKEN == "sign-in"
