"""Attacks on signing in: guessing, stolen cookies, ended rights, reused codes (AUT-01 to AUT-12)."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from portal.accounts.actions import people as people_actions
from portal.accounts.actions import throttling
from portal.accounts.actions.throttling import ATTACK_THRESHOLD, RateLimitedError
from portal.accounts.domain.clients import Client
from portal.accounts.models import PLATFORM, Membership, Person
from portal.accounts.queries.principals import command_line_scope, platform_scope
from portal.db.work import tx, unit_of_work
from portal.platform import clock
from portal.security.permissions import Role
from tests.accounts.support import (
    OTHER_PASSWORD,
    PASSWORD,
    WRONG_PASSWORD,
    add_user,
    cookie,
    enter_password,
    events,
    give_cookie,
    latest_mail,
    live_sign_ins,
    mails,
    make_app,
    new_browser,
    sign_in,
    with_authenticator,
)
from tests.support.world import write_rows

if TYPE_CHECKING:
    from flask import Flask

    from config.settings import Settings
    from tests.support.browser import Browser
    from tests.support.world import World


#: Digits as a full-width keyboard types them.
FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}


def test_trying_one_password_on_many_accounts_from_one_address_is_slowed_down(live_app: Flask, world: World) -> None:
    """Attack AUT-01."""
    browser = new_browser(live_app, "198.51.100.7")
    statuses = []
    for number in range(22):
        page = browser.get("/sign-in")
        token = page.document.xpath("string(//input[@name='csrf_token']/@value)")
        answer = browser.client.post(
            "/sign-in", data={"email": f"p{number}@council.example", "password": "Spring term", "csrf_token": token}
        )
        statuses.append(answer.status_code)
    assert statuses == [200] * 20 + [429] * 2
    assert 1 <= int(answer.headers["Retry-After"]) <= 900
    assert "Your account is not locked" in answer.text
    assert [row.facts["by"] for row in events(PLATFORM, "sign_in.slowed")] == ["address"]
    elsewhere = new_browser(live_app, "198.51.100.8")
    enter_password(elsewhere, "p1@council.example", "Spring term", status=200)


def test_many_wrong_tries_from_everywhere_lower_the_limit_of_every_address(live_app: Flask, world: World) -> None:
    """Attack AUT-01."""
    with unit_of_work(platform_scope()):
        for number in range(ATTACK_THRESHOLD - 5):
            throttling.check_limit("password", f"p{number}@council.example", Client(f"198.51.100.{number}", "", "k"))
        for number in range(5):
            throttling.check_limit("password", f"q{number}@council.example", Client("203.0.113.9", "", "k"))
        with pytest.raises(RateLimitedError):
            throttling.check_limit("password", "q6@council.example", Client("203.0.113.9", "", "k"))
        throttling.check_limit("password", "q7@council.example", Client("203.0.113.10", "", "k"))


def test_guessing_at_one_account_from_many_addresses_slows_it_down_and_never_locks_it(live_app: Flask, world: World) -> None:
    """Attack AUT-02."""
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    earlier_mails = len(mails())
    for number in range(5):
        enter_password(new_browser(live_app, f"198.51.100.{number}"), user.email, WRONG_PASSWORD)
    for number in range(5, 8):
        enter_password(new_browser(live_app, f"198.51.100.{number}"), user.email, status=429)
    assert [mail.subject for mail in mails()[earlier_mails:]] == ["Someone is trying to sign in to your account"]
    assert [row.facts["by"] for row in events(world.authority.id, "sign_in.slowed")] == ["account"]
    with clock.frozen_at(clock.now() + timedelta(seconds=61)):
        page = sign_in(new_browser(live_app, "192.0.2.99"), user)
        assert page.path == "/", "the right password and code work once the minute is over"


def test_the_owner_is_not_slowed_down_at_an_address_they_have_signed_in_from(live_app: Flask, world: World) -> None:
    """Attack AUT-02."""
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    sign_in(new_browser(live_app, "192.0.2.10"), user)
    for number in range(5):
        enter_password(new_browser(live_app, f"198.51.100.{number}"), user.email, WRONG_PASSWORD)
    enter_password(new_browser(live_app, "198.51.100.9"), user.email, status=429)
    assert enter_password(new_browser(live_app, "192.0.2.10"), user.email).h1 == "Enter the code from your app"


@pytest.mark.parametrize(("proxies", "is_believed"), [(0, False), (1, True)])
def test_a_forged_forwarding_header_does_not_hide_the_address(
    settings: Settings, world: World, proxies: int, is_believed: bool
) -> None:
    """Attack AUT-03."""
    app = make_app(settings, proxies=proxies)
    browser = new_browser(app, "198.51.100.7")
    statuses = []
    for number in range(21):
        browser.client.environ_base["HTTP_X_FORWARDED_FOR"] = f"203.0.113.{number}, 10.0.0.{number}"
        page = browser.get("/sign-in")
        token = page.document.xpath("string(//input[@name='csrf_token']/@value)")
        answer = browser.client.post("/sign-in", data={"email": f"p{number}@council.example", "password": "x", "csrf_token": token})
        statuses.append(answer.status_code)
    assert (statuses[-1] == 200) is is_believed, "the header counts only where a proxy is configured, and only its last entry"


def _timed_post(live_app: Flask, path: str, email: str, number: int) -> tuple[float, int, str]:
    """Post the form from an address and at an hour of its own. Returns the seconds, the status and the page without tokens."""
    browser = new_browser(live_app, f"198.51.{number // 250}.{number % 250}")
    with clock.frozen_at(clock.now() + timedelta(hours=number)):
        page = browser.get(path)
        token = page.document.xpath("string(//input[@name='csrf_token']/@value)")
        started = time.perf_counter()
        answer = browser.client.post(path, data={"email": email, "password": "a wrong password", "csrf_token": token})
        seconds = time.perf_counter() - started
    body = answer.text.replace(email, "").replace(token, "")
    return seconds, answer.status_code, "\n".join(line for line in body.splitlines() if "nonce" not in line and "csrf" not in line)


@pytest.mark.slow
@pytest.mark.parametrize(("path", "tries"), [("/sign-in", 30), ("/reset", 8)])
def test_sign_in_and_reset_answer_alike_for_known_and_unknown_addresses(
    live_app: Flask, world: World, path: str, tries: int
) -> None:
    """Attack AUT-04."""
    user = add_user(world.authority)
    seconds_by_email: dict[str, list[float]] = {user.email: [], "nobody@council.example": []}
    answers = set()
    for number in range(tries):
        for email, times in seconds_by_email.items():
            seconds, status, body = _timed_post(live_app, path, email, number)
            times.append(seconds)
            answers.add((status, body))
    assert len(answers) == 1
    # Hashing a password is most of the work: if it were skipped for unknown addresses, they would take half as long.
    first, second = (min(times) for times in seconds_by_email.values())
    assert min(first, second) > 0.7 * max(first, second)


def test_inviting_answers_alike_for_known_and_unknown_addresses(demo_administrator: Browser, world: World) -> None:
    """Attack AUT-04."""
    user = add_user(world.neighbour, email="known@elsewhere.example")
    messages = []
    for email in (user.email, "nobody@elsewhere.example"):
        page = demo_administrator.post(
            "/people/new", {"name": "Ann", "email": email, "role": "la-officer"}, token_from="/people/new"
        )
        messages.append(
            page.document.xpath("string(//*[contains(@class,'govuk-notification-banner__content')])").replace(email, "")
        )
    assert messages[0] == messages[1]
    assert "An invitation is on its way" in messages[0]


def test_a_cookie_planted_before_signing_in_opens_nothing_after(live_app: Flask, world: World) -> None:
    """Attack AUT-05."""
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    browser = new_browser(live_app)
    browser.get("/sign-in")
    cookies = [cookie(browser)]
    enter_password(browser, user.email)
    cookies.append(cookie(browser))
    browser.post("/second-factor", {"code": user.code()})
    cookies.append(cookie(browser))
    with clock.frozen_at(clock.now() + timedelta(minutes=2)):
        browser.post("/account/password", {"current": PASSWORD, "password": OTHER_PASSWORD}, token_from="/account/password")
        current = cookie(browser)
        for copied in cookies:
            thief = new_browser(live_app, "203.0.113.5")
            give_cookie(thief, copied)
            assert thief.get("/guarded/download", status=200 if copied == current else 302).path
        browser.get("/guarded/download")


def test_a_copied_cookie_opens_nothing_after_signing_out(live_app: Flask, world: World) -> None:
    """Attack AUT-06."""
    browser = new_browser(live_app)
    sign_in(browser, with_authenticator(add_user(world.authority), world.authority, live_app))
    copied = cookie(browser)
    browser.get("/account")
    signed_out = browser.post("/sign-out", status=302)
    assert signed_out.response.headers["Location"] == "/sign-in"
    thief = new_browser(live_app, "203.0.113.5")
    give_cookie(thief, copied)
    answer = thief.get("/account", status=302)
    assert answer.response.headers["Location"] == "/sign-in?next=/account"


def test_a_person_whose_role_ended_is_signed_out_on_every_device_at_the_next_request(live_app: Flask, world: World) -> None:
    """Attack AUT-07."""
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    first, second = new_browser(live_app), new_browser(live_app, "192.0.2.20")
    sign_in(first, user)
    with clock.frozen_at(clock.now() + timedelta(minutes=1)):
        sign_in(second, user)
        first.get("/guarded/download")
        second.get("/guarded/download")
        with unit_of_work(command_line_scope(world.authority.id)):
            people_actions.end_membership(user.membership)
        first.get(f"/guarded/schools/{world.authority.primary}", status=302)
        second.get("/guarded/download", status=302)
        second.post("/dashboards/_dash-update-component", status=401, token_from="/sign-in")


def test_a_suspended_person_is_signed_out_at_the_next_request(live_app: Flask, world: World) -> None:
    """Attack AUT-07."""
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    browser = new_browser(live_app)
    sign_in(browser, user)
    with unit_of_work(command_line_scope(world.authority.id)):
        write_rows(lambda: setattr(tx().get_one(Person, user.id), "disabled_at", clock.now()))
    browser.get("/guarded/download", status=302)


def test_a_removed_role_is_gone_at_the_next_request(live_app: Flask, world: World) -> None:
    """Attack AUT-08."""
    user = with_authenticator(add_user(world.authority, Role.LA_ADMINISTRATOR), world.authority, live_app)
    browser = new_browser(live_app)
    sign_in(browser, user)
    browser.get("/guarded/people")
    with unit_of_work(command_line_scope(world.authority.id)):
        write_rows(lambda: setattr(tx().get_one(Membership, user.membership), "role", Role.LA_OFFICER.value))
    browser.get("/guarded/people", status=403)
    browser.get(f"/guarded/schools/{world.authority.primary}")


def test_a_new_password_ends_the_other_sign_ins_and_is_mailed_and_recorded(live_app: Flask, world: World) -> None:
    """Attack AUT-09."""
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    browser, elsewhere = new_browser(live_app), new_browser(live_app, "192.0.2.20")
    sign_in(elsewhere, user)
    with clock.frozen_at(clock.now() + timedelta(minutes=1)):
        sign_in(browser, user)
        browser.post("/account/password", {"current": PASSWORD, "password": OTHER_PASSWORD}, token_from="/account/password")
        browser.get("/guarded/download")
        elsewhere.get("/guarded/download", status=302)
        assert latest_mail("Your password was changed").to == user.email
        assert len(events(world.authority.id, "password.changed")) == 1


def test_a_new_second_factor_ends_the_other_sign_ins_and_is_mailed_and_recorded(live_app: Flask, world: World) -> None:
    """Attack AUT-09."""
    user = add_user(world.authority)
    enter_password(new_browser(live_app, "192.0.2.20"), user.email)
    assert live_sign_ins(user.id) == 1
    with_authenticator(user, world.authority, live_app)
    assert live_sign_ins(user.id) == 0
    assert "Your authenticator app was set up" in [mail.subject for mail in mails()]
    assert len(events(world.authority.id, "second_factor.set_up")) == 1


@pytest.mark.parametrize("typed", ["{}", " {} ", "{0:.3} {0:3.6}", "wide"])
def test_a_code_cannot_be_used_twice_however_it_is_typed(live_app: Flask, world: World, typed: str) -> None:
    """Attack AUT-10."""
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    code = user.code()
    sign_in(new_browser(live_app), user)
    retyped = code.translate(FULL_WIDTH) if typed == "wide" else typed.format(code)
    browser = new_browser(live_app, "192.0.2.20")
    enter_password(browser, user.email)
    page = browser.post("/second-factor", {"code": retyped})
    assert page.h1 == "Enter the code from your app"
    browser.get("/guarded/download", status=302)


def test_a_code_may_be_typed_with_spaces_and_full_width_digits(live_app: Flask, world: World) -> None:
    """Attack AUT-10."""
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    browser = new_browser(live_app)
    enter_password(browser, user.email)
    wide = user.code().translate(FULL_WIDTH)
    assert browser.post("/second-factor", {"code": f" {wide[:3]} {wide[3:]}"}).path == "/"


def test_guessing_codes_stops_after_five_tries_in_five_minutes(live_app: Flask, world: World) -> None:
    """Attack AUT-11."""
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    wrong_code = "000000" if user.code() != "000000" else "111111"
    browser = new_browser(live_app)
    enter_password(browser, user.email)
    for _ in range(5):
        browser.post("/second-factor", {"code": wrong_code}, token_from="/second-factor")
    browser.post("/second-factor", {"code": user.code()}, status=429, token_from="/second-factor")
    elsewhere = new_browser(live_app, "192.0.2.20")
    enter_password(elsewhere, user.email)
    elsewhere.post("/second-factor", {"code": user.code()}, status=429, token_from="/second-factor")
    with clock.frozen_at(clock.now() + timedelta(minutes=5, seconds=1)):
        assert browser.post("/second-factor", {"code": user.code()}, token_from="/second-factor").path == "/"


def test_guessing_codes_of_several_people_from_one_address_stops_too(live_app: Flask, world: World) -> None:
    """Attack AUT-11."""
    people = [
        with_authenticator(add_user(world.authority, email=f"p{n}@council.example"), world.authority, live_app) for n in range(3)
    ]
    for user in people[:2]:
        browser = new_browser(live_app, "198.51.100.7")
        enter_password(browser, user.email)
        for _ in range(3 if user is people[0] else 2):
            browser.post("/second-factor", {"code": "12345"}, token_from="/second-factor")
    browser = new_browser(live_app, "198.51.100.7")
    enter_password(browser, people[2].email)
    browser.post("/second-factor", {"code": people[2].code()}, status=429, token_from="/second-factor")


def test_the_second_factor_cannot_be_skipped(live_app: Flask, world: World) -> None:
    """Attack AUT-12."""
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    browser = new_browser(live_app)
    enter_password(browser, user.email)
    for path in (
        "/guarded/download",
        f"/guarded/schools/{world.authority.primary}",
        "/roles",
        "/account",
        "/people",
        "/dashboards/",
    ):
        answer = browser.get(path, status=302)
        assert answer.response.headers["Location"].startswith("/second-factor?next=")
    browser.get("/dashboards/_dash-layout", status=401)
    browser.post("/dashboards/_dash-update-component", status=401, token_from="/second-factor")
    browser.post(f"/roles/{user.membership}", status=401, token_from="/second-factor")
    answer = browser.get("/second-factor/set-up", status=302)
    assert answer.response.headers["Location"] == "/second-factor", "and cannot be set up anew by someone with the password alone"


def test_no_page_opens_without_a_second_factor(live_app: Flask, world: World) -> None:
    """Attack AUT-12."""
    user = add_user(world.authority)
    browser = new_browser(live_app)
    assert enter_password(browser, user.email).h1 == "Set up your authenticator app"
    browser.get("/guarded/download", status=302)
    with live_app.test_request_context():
        answer = browser.post(
            "/demonstration/sign-in", {"membership": str(user.membership)}, status=404, token_from="/second-factor/set-up"
        )
        assert answer.status == 404
    assert events(world.authority.id, "sign_in.entered") == []
