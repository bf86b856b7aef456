"""Abuse of signing in, AUT-01 to AUT-12: what someone tries, and what happens instead."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from portal import clock
from portal.accounts import actions
from portal.accounts.actions.tries import ATTACK_THRESHOLD, SlowDownError
from portal.accounts.models import PLATFORM, Membership, Person
from portal.accounts.queries import command_line, platform_scope
from portal.accounts.visitors import Visitor
from portal.db import tx, unit_of_work
from portal.permissions import Role
from tests.accounts.support import (
    OTHER_PASSWORD,
    PASSWORD,
    WRONG_PASSWORD,
    browser,
    cookie,
    enter_password,
    events,
    give_cookie,
    latest_mail,
    live_sign_ins,
    mails,
    portal,
    sign_in,
    someone,
    with_authenticator,
)
from tests.support.world import furnish

if TYPE_CHECKING:
    from flask import Flask

    from config.settings import Settings
    from tests.support.world import World


@pytest.fixture
def strict(settings: Settings, world: World) -> Flask:
    """The portal as it runs for real: second factor and all."""
    return portal(settings)


def test_aut_01_one_password_on_many_accounts_from_one_address_is_slowed(strict: Flask, world: World) -> None:
    at = browser(strict, "198.51.100.7")
    statuses = []
    for number in range(22):
        page = at.get("/sign-in")
        token = page.document.xpath("string(//input[@name='csrf_token']/@value)")
        answer = at.client.post(
            "/sign-in", data={"email": f"p{number}@council.example", "password": "Spring term", "csrf_token": token}
        )
        statuses.append(answer.status_code)
    assert statuses == [200] * 20 + [429] * 2
    assert 1 <= int(answer.headers["Retry-After"]) <= 900
    assert "Your account is not locked" in answer.text
    assert [one.facts["by"] for one in events(PLATFORM, "sign_in.slowed")] == ["address"]
    other = browser(strict, "198.51.100.8")
    enter_password(other, "p1@council.example", "Spring term", status=200)


def test_aut_01_tries_from_everywhere_narrow_every_address(strict: Flask, world: World) -> None:
    with unit_of_work(platform_scope()):
        for number in range(ATTACK_THRESHOLD - 5):
            actions.admit("password", f"p{number}@council.example", Visitor(f"198.51.100.{number}", "", "k"))
        for number in range(5):
            actions.admit("password", f"q{number}@council.example", Visitor("203.0.113.9", "", "k"))
        with pytest.raises(SlowDownError):
            actions.admit("password", "q6@council.example", Visitor("203.0.113.9", "", "k"))
        actions.admit("password", "q7@council.example", Visitor("203.0.113.10", "", "k"))


def test_aut_02_many_addresses_on_one_account_slow_it_and_never_lock_it(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    sent = len(mails())
    for number in range(5):
        enter_password(browser(strict, f"198.51.100.{number}"), one.email, WRONG_PASSWORD)
    for number in range(5, 8):
        enter_password(browser(strict, f"198.51.100.{number}"), one.email, status=429)
    assert [mail.subject for mail in mails()[sent:]] == ["Someone is trying to sign in to your account"]
    assert [row.facts["by"] for row in events(world.here.id, "sign_in.slowed")] == ["account"]
    with clock.at(clock.now() + timedelta(seconds=61)):
        page = sign_in(browser(strict, "192.0.2.99"), one)
        assert page.path == "/", "the right password and code work once the minute is over"


def test_aut_02_the_owner_is_not_slowed_where_they_have_signed_in_before(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    sign_in(browser(strict, "192.0.2.10"), one)
    for number in range(5):
        enter_password(browser(strict, f"198.51.100.{number}"), one.email, WRONG_PASSWORD)
    enter_password(browser(strict, "198.51.100.9"), one.email, status=429)
    assert enter_password(browser(strict, "192.0.2.10"), one.email).h1 == "Enter the code from your app"


@pytest.mark.parametrize(("proxies", "seen_apart"), [(0, False), (1, True)])
def test_aut_03_a_forged_forwarding_header_is_not_believed(
    settings: Settings, world: World, proxies: int, seen_apart: bool
) -> None:
    app = portal(settings, proxies=proxies)
    at = browser(app, "198.51.100.7")
    statuses = []
    for number in range(21):
        at.client.environ_base["HTTP_X_FORWARDED_FOR"] = f"203.0.113.{number}, 10.0.0.{number}"
        page = at.get("/sign-in")
        token = page.document.xpath("string(//input[@name='csrf_token']/@value)")
        answer = at.client.post("/sign-in", data={"email": f"p{number}@council.example", "password": "x", "csrf_token": token})
        statuses.append(answer.status_code)
    assert (statuses[-1] == 200) is seen_apart, "only the nearest proxy's word counts, and only where there is one"


def _timed(strict: Flask, path: str, email: str, number: int) -> tuple[float, int, str]:
    at = browser(strict, f"198.51.{number // 250}.{number % 250}")
    with clock.at(clock.now() + timedelta(hours=number)):
        page = at.get(path)
        token = page.document.xpath("string(//input[@name='csrf_token']/@value)")
        began = time.perf_counter()
        answer = at.client.post(path, data={"email": email, "password": "a wrong password", "csrf_token": token})
        took = time.perf_counter() - began
    body = answer.text.replace(email, "").replace(token, "")
    return took, answer.status_code, "\n".join(line for line in body.splitlines() if "nonce" not in line and "csrf" not in line)


@pytest.mark.slow
@pytest.mark.parametrize(("path", "tries"), [("/sign-in", 30), ("/reset", 8)])
def test_aut_04_known_and_unknown_addresses_answer_alike_in_words_and_time(
    strict: Flask, world: World, path: str, tries: int
) -> None:
    known = someone(world.here)
    taken: dict[str, list[float]] = {known.email: [], "nobody@council.example": []}
    answers = set()
    for number in range(tries):
        for email, times in taken.items():
            took, status, body = _timed(strict, path, email, number)
            times.append(took)
            answers.add((status, body))
    assert len(answers) == 1
    # A password is hashed either way, which is most of the work: without that one would take half as long as the other.
    first, second = (min(times) for times in taken.values())
    assert min(first, second) > 0.7 * max(first, second)


def test_aut_04_inviting_a_known_and_an_unknown_address_answers_alike(demo_administrator: object, world: World) -> None:
    known = someone(world.neighbour, email="known@elsewhere.example")
    at = demo_administrator
    words = []
    for email in (known.email, "nobody@elsewhere.example"):
        page = at.post("/people/new", {"name": "Ann", "email": email, "role": "la-officer"}, token_from="/people/new")
        words.append(page.document.xpath("string(//*[contains(@class,'govuk-notification-banner__content')])").replace(email, ""))
    assert words[0] == words[1]
    assert "An invitation is on its way" in words[0]


@pytest.fixture
def demo_administrator(settings: Settings, world: World) -> object:
    """A browser signed in as the LA administrator."""
    at = browser(portal(settings, demo=True))
    at.post("/demonstration/sign-in", {"membership": str(world.here.people[Role.LA_ADMINISTRATOR][1])}, token_from="/sign-in")
    return at


def test_aut_05_a_cookie_planted_before_signing_in_opens_nothing_after(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    at = browser(strict)
    at.get("/sign-in")
    seen = [cookie(at)]
    enter_password(at, one.email)
    seen.append(cookie(at))
    at.post("/second-factor", {"code": one.code()})
    seen.append(cookie(at))
    with clock.at(clock.now() + timedelta(minutes=2)):
        at.post("/account/password", {"current": PASSWORD, "password": OTHER_PASSWORD}, token_from="/account/password")
        last = cookie(at)
        for old in seen:
            thief = browser(strict, "203.0.113.5")
            give_cookie(thief, old)
            assert thief.get("/guarded/download", status=200 if old == last else 302).path
        at.get("/guarded/download")


def test_aut_06_a_copied_cookie_is_dead_after_signing_out(strict: Flask, world: World) -> None:
    at = browser(strict)
    sign_in(at, with_authenticator(someone(world.here), world.here, strict))
    copied = cookie(at)
    at.get("/account")
    out = at.post("/sign-out", status=302)
    assert out.response.headers["Location"] == "/sign-in"
    thief = browser(strict, "203.0.113.5")
    give_cookie(thief, copied)
    answer = thief.get("/account", status=302)
    assert answer.response.headers["Location"] == "/sign-in?next=/account"


def test_aut_07_someone_whose_role_ends_is_out_on_every_device_at_the_next_request(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    first, second = browser(strict), browser(strict, "192.0.2.20")
    sign_in(first, one)
    with clock.at(clock.now() + timedelta(minutes=1)):
        sign_in(second, one)
        first.get("/guarded/download")
        second.get("/guarded/download")
        with unit_of_work(command_line(world.here.id)):
            actions.end_membership(one.membership)
        first.get(f"/guarded/schools/{world.here.primary}", status=302)
        second.get("/guarded/download", status=302)
        second.post("/dashboards/_dash-update-component", status=401, token_from="/sign-in")


def test_aut_07_a_suspended_person_is_out_at_the_next_request(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    at = browser(strict)
    sign_in(at, one)
    with unit_of_work(command_line(world.here.id)):
        furnish(lambda: setattr(tx().get_one(Person, one.id), "disabled_at", clock.now()))
    at.get("/guarded/download", status=302)


def test_aut_08_a_role_taken_away_is_gone_at_the_next_request(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here, Role.LA_ADMINISTRATOR), world.here, strict)
    at = browser(strict)
    sign_in(at, one)
    at.get("/guarded/people")
    with unit_of_work(command_line(world.here.id)):
        furnish(lambda: setattr(tx().get_one(Membership, one.membership), "role", Role.LA_OFFICER.value))
    at.get("/guarded/people", status=403)
    at.get(f"/guarded/schools/{world.here.primary}")


def test_aut_09_a_new_password_ends_other_sign_ins_is_told_and_recorded(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    at, elsewhere = browser(strict), browser(strict, "192.0.2.20")
    sign_in(elsewhere, one)
    with clock.at(clock.now() + timedelta(minutes=1)):
        sign_in(at, one)
        at.post("/account/password", {"current": PASSWORD, "password": OTHER_PASSWORD}, token_from="/account/password")
        at.get("/guarded/download")
        elsewhere.get("/guarded/download", status=302)
        assert latest_mail("Your password was changed").to == one.email
        assert len(events(world.here.id, "password.changed")) == 1


def test_aut_09_a_new_second_factor_ends_other_sign_ins_is_told_and_recorded(strict: Flask, world: World) -> None:
    one = someone(world.here)
    old = browser(strict, "192.0.2.20")
    enter_password(old, one.email)
    assert live_sign_ins(one.id) == 1
    with_authenticator(one, world.here, strict)
    assert live_sign_ins(one.id) == 0
    assert "Your authenticator app was set up" in [mail.subject for mail in mails()]
    assert len(events(world.here.id, "second_factor.set_up")) == 1


@pytest.mark.parametrize("typed", ["{}", " {} ", "{0:.3} {0:3.6}", "wide"])
def test_aut_10_a_code_works_once_however_it_is_typed_again(strict: Flask, world: World, typed: str) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    code = one.code()
    sign_in(browser(strict), one)
    again = code.translate({ord("0") + n: 0xFF10 + n for n in range(10)}) if typed == "wide" else typed.format(code)
    at = browser(strict, "192.0.2.20")
    enter_password(at, one.email)
    page = at.post("/second-factor", {"code": again})
    assert page.h1 == "Enter the code from your app"
    at.get("/guarded/download", status=302)


def test_aut_10_a_code_may_be_typed_with_spaces_and_full_width_digits_the_first_time(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    at = browser(strict)
    enter_password(at, one.email)
    wide = one.code().translate({ord("0") + n: 0xFF10 + n for n in range(10)})
    assert at.post("/second-factor", {"code": f" {wide[:3]} {wide[3:]}"}).path == "/"


def test_aut_11_codes_are_guessed_five_times_in_five_minutes_at_most(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    wrong = "000000" if one.code() != "000000" else "111111"
    at = browser(strict)
    enter_password(at, one.email)
    for _ in range(5):
        at.post("/second-factor", {"code": wrong}, token_from="/second-factor")
    at.post("/second-factor", {"code": one.code()}, status=429, token_from="/second-factor")
    elsewhere = browser(strict, "192.0.2.20")
    enter_password(elsewhere, one.email)
    elsewhere.post("/second-factor", {"code": one.code()}, status=429, token_from="/second-factor")
    with clock.at(clock.now() + timedelta(minutes=5, seconds=1)):
        assert at.post("/second-factor", {"code": one.code()}, token_from="/second-factor").path == "/"


def test_aut_11_an_address_that_guesses_at_several_people_is_stopped_too(strict: Flask, world: World) -> None:
    people = [with_authenticator(someone(world.here, email=f"p{n}@council.example"), world.here, strict) for n in range(3)]
    for one in people[:2]:
        at = browser(strict, "198.51.100.7")
        enter_password(at, one.email)
        for _ in range(3 if one is people[0] else 2):
            at.post("/second-factor", {"code": "12345"}, token_from="/second-factor")
    at = browser(strict, "198.51.100.7")
    enter_password(at, people[2].email)
    at.post("/second-factor", {"code": people[2].code()}, status=429, token_from="/second-factor")


def test_aut_12_the_second_factor_cannot_be_skipped(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    at = browser(strict)
    enter_password(at, one.email)
    for path in ("/guarded/download", f"/guarded/schools/{world.here.primary}", "/roles", "/account", "/people", "/dashboards/"):
        answer = at.get(path, status=302)
        assert answer.response.headers["Location"].startswith("/second-factor?next=")
    at.get("/dashboards/_dash-layout", status=401)
    at.post("/dashboards/_dash-update-component", status=401, token_from="/second-factor")
    at.post(f"/roles/{one.membership}", status=401, token_from="/second-factor")
    answer = at.get("/second-factor/set-up", status=302)
    assert answer.response.headers["Location"] == "/second-factor", "and cannot be set up anew by someone with the password alone"


def test_aut_12_no_path_leads_inside_without_a_second_factor(strict: Flask, world: World) -> None:
    one = someone(world.here)
    at = browser(strict)
    assert enter_password(at, one.email).h1 == "Set up your authenticator app"
    at.get("/guarded/download", status=302)
    with strict.test_request_context():
        pressed = at.post(
            "/demonstration/sign-in", {"membership": str(one.membership)}, status=404, token_from="/second-factor/set-up"
        )
        assert pressed.status == 404
    assert events(world.here.id, "sign_in.entered") == []
