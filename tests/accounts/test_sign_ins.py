"""Tests of signing in and out, choosing a membership, one's own sign-ins, and recovery codes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher

from portal.accounts.actions import people as people_actions
from portal.accounts.actions import second_factors as second_factor_actions
from portal.accounts.models import SignIn
from portal.accounts.queries.principals import command_line_scope
from portal.db.work import sign_in_rights, tx, unit_of_work
from portal.platform import clock
from portal.security.permissions import Role
from tests.accounts.support import (
    OTHER_PASSWORD,
    PASSWORD,
    WRONG_PASSWORD,
    add_user,
    cookie,
    credential_row,
    enter_password,
    events,
    give_cookie,
    latest_mail,
    live_sign_ins,
    new_browser,
    sign_in,
    with_authenticator,
)

if TYPE_CHECKING:
    from flask import Flask

    from tests.support.world import World


def test_the_first_sign_in_sets_up_the_app_and_shows_ten_codes_once(live_app: Flask, world: World) -> None:
    user = add_user(world.authority)
    browser = new_browser(live_app)
    page = enter_password(browser, user.email)
    assert "style=" not in page.document.xpath("string(//main)")
    assert page.document.xpath("//svg[@role='img']")
    assert not page.document.xpath("//svg//@style")
    offer = page.document.xpath("string(//input[@name='offer']/@value)")
    key = page.document.xpath("string(//code)").replace(" ", "")
    error_page = browser.post("/second-factor/set-up", {"offer": offer, "code": "000000"})
    assert error_page.document.xpath("string(//code)").replace(" ", "") == key, "the scanned secret is shown again"
    scanned = replace(user, secret=key)
    done = browser.post("/second-factor/set-up", {"offer": offer, "code": scanned.code()})
    codes = done.document.xpath("//main//code/text()")
    assert len(set(codes)) == 10
    assert done.links()["I have kept them: continue"] == "/"
    browser.get("/guarded/download")
    assert key.encode() not in (credential_row(user.id).totp_secret or b""), "the secret is stored encrypted"
    entered = events(world.authority.id, "sign_in.entered")
    assert [(row.person_id, row.facts["how"], row.facts["second_factor"]) for row in entered] == [(user.id, "password", True)]


def test_a_recovery_code_works_once_and_its_owner_is_told(live_app: Flask, world: World) -> None:
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    with unit_of_work(command_line_scope(world.authority.id)):
        codes = second_factor_actions.make_recovery_codes(user.id)
    browser = new_browser(live_app)
    enter_password(browser, user.email)
    typed = codes[3].lower().replace("-", " ")
    assert browser.post("/second-factor/recovery", {"code": typed}, token_from="/second-factor/recovery").path == "/"
    assert "You have 9 left" in (latest_mail("A recovery code was used").body or "")
    second_browser = new_browser(live_app)
    enter_password(second_browser, user.email)
    page = second_browser.post("/second-factor/recovery", {"code": codes[3]}, token_from="/second-factor/recovery")
    assert page.h1 == "Enter a recovery code"


def test_replacing_the_app_needs_the_password_and_a_code(live_app: Flask, world: World) -> None:
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    browser = new_browser(live_app)
    sign_in(browser, user)
    page = browser.get("/second-factor/set-up")
    offer = page.document.xpath("string(//input[@name='offer']/@value)")
    with_new_app = replace(user, secret=page.document.xpath("string(//code)").replace(" ", ""))
    form_fields = {"offer": offer, "code": with_new_app.code()}
    error_page = browser.post("/second-factor/set-up", {**form_fields, "password": WRONG_PASSWORD})
    assert "Enter the password of your account" in error_page.text
    done = browser.post("/second-factor/set-up", {**form_fields, "password": PASSWORD})
    assert done.h1 == "Keep your recovery codes"


def test_an_offer_of_another_person_or_an_old_one_is_rejected(live_app: Flask, world: World) -> None:
    user, other_user = add_user(world.authority), add_user(world.authority, email="two@council.example")
    browser, other_browser = new_browser(live_app), new_browser(live_app)
    page = enter_password(browser, user.email)
    enter_password(other_browser, other_user.email)
    offer = page.document.xpath("string(//input[@name='offer']/@value)")
    key = page.document.xpath("string(//code)").replace(" ", "")
    code = replace(user, secret=key).code()
    assert "Scan the new picture" in other_browser.post("/second-factor/set-up", {"offer": offer, "code": code}).text
    with clock.frozen_at(clock.now() + timedelta(minutes=31)):
        later_browser = new_browser(live_app)
        enter_password(later_browser, user.email)
        assert "Scan the new picture" in later_browser.post("/second-factor/set-up", {"offer": offer, "code": code}).text


def test_a_person_with_two_memberships_chooses_one_and_switches_with_a_new_token(live_app: Flask, world: World) -> None:
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    with unit_of_work(command_line_scope(world.neighbour.id)):
        second_membership = people_actions.add_membership(user.id, Role.HEADTEACHER, school_ids=[world.neighbour.primary]).id
    browser = new_browser(live_app)
    assert sign_in(browser, user).h1 == "Choose your role"
    browser.get(f"/guarded/schools/{world.authority.primary}", status=302)
    browser.post(f"/roles/{user.membership}", {}, token_from="/roles")
    browser.get(f"/guarded/schools/{world.authority.primary}")
    old_cookie = cookie(browser)
    browser.post(f"/roles/{second_membership}", {}, token_from="/roles")
    browser.get(f"/guarded/schools/{world.neighbour.primary}")
    browser.get(f"/guarded/schools/{world.authority.primary}", status=404)
    thief = new_browser(live_app)
    give_cookie(thief, old_cookie)
    thief.get("/guarded/download", status=302)
    assert [row.facts["how"] for row in events(world.authority.id, "sign_in.entered")] == ["password"]
    assert [row.facts["how"] for row in events(world.neighbour.id, "sign_in.entered")] == ["switch"]


def test_nobody_can_act_through_the_membership_of_another_person(live_app: Flask, world: World) -> None:
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    browser = new_browser(live_app)
    sign_in(browser, user)
    browser.post(f"/roles/{world.authority.people[Role.LA_ADMINISTRATOR][1]}", {}, status=404, token_from="/roles")


def test_people_see_and_end_their_own_sign_ins(live_app: Flask, world: World) -> None:
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    browser, windows, third = new_browser(live_app), new_browser(live_app), new_browser(live_app)
    windows.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0"
    for minutes, signing_in in enumerate((windows, third, browser)):
        with clock.frozen_at(clock.now() + timedelta(minutes=minutes)):
            sign_in(signing_in, user)
    with clock.frozen_at(clock.now() + timedelta(minutes=4)):
        page = browser.get("/account")
        assert "Firefox on Windows" in page.text
        assert live_sign_ins(user.id) == 3
        paths = page.document.xpath("//form[contains(@action, '/account/sign-ins/') and not(contains(@action, 'others'))]/@action")
        browser.post(paths[-1], {})
        windows.get("/guarded/download", status=302)
        browser.post("/account/sign-ins/end-others", {})
        third.get("/guarded/download", status=302)
        browser.get("/guarded/download")
        assert live_sign_ins(user.id) == 1


def test_nobody_can_end_a_sign_in_of_another_person(live_app: Flask, world: World) -> None:
    user, other_user = (
        with_authenticator(add_user(world.authority, email=email), world.authority, live_app)
        for email in ("one@council.example", "two@council.example")
    )
    browser, other_browser = new_browser(live_app), new_browser(live_app)
    sign_in(browser, user)
    sign_in(other_browser, other_user)
    with sign_in_rights(), unit_of_work(None):
        sign_in_id = next(row.id for row in tx().query(SignIn).filter_by(person_id=other_user.id, ended_at=None))
    browser.post(f"/account/sign-ins/{sign_in_id}/end", {}, status=404, token_from="/account")
    other_browser.get("/guarded/download")


def test_signing_out_works_after_the_sign_in_has_expired(live_app: Flask, world: World) -> None:
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    browser = new_browser(live_app)
    sign_in(browser, user)
    browser.post("/account/stay", {}, status=204, token_from="/account")
    page = browser.get("/account")
    token = page.document.xpath("string(//input[@name='csrf_token']/@value)")
    with clock.frozen_at(clock.now() + timedelta(hours=2)):
        assert browser.client.post("/sign-out", data={"csrf_token": token}).headers["Location"] == "/sign-in"


def test_the_last_use_of_a_sign_in_is_stored_once_a_minute(live_app: Flask, world: World) -> None:
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    browser = new_browser(live_app)
    sign_in(browser, user)
    started = clock.now()

    def seen_after(seconds: int) -> float:
        with clock.frozen_at(started + timedelta(seconds=seconds)):
            browser.get("/guarded/download")
        with sign_in_rights(), unit_of_work(None):
            row = tx().query(SignIn).filter_by(person_id=user.id, ended_at=None).one()
            return (row.seen_at - started).total_seconds()

    assert [seen_after(59), seen_after(60), seen_after(119), seen_after(121)] == [0, 60, 60, 121]


def test_a_hash_of_an_older_setting_is_made_again_at_the_next_sign_in(live_app: Flask, world: World) -> None:
    old_hash = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    with unit_of_work(command_line_scope(world.authority.id)):
        person_id = people_actions.add_person("Old Hash", "old@council.example", password_hash=old_hash).id
        people_actions.add_membership(person_id, Role.LA_OFFICER)
    enter_password(new_browser(live_app), "old@council.example", WRONG_PASSWORD)
    assert credential_row(person_id).password_hash == old_hash
    enter_password(new_browser(live_app), "old@council.example")
    assert "$m=19456,t=2,p=1$" in (credential_row(person_id).password_hash or "")
    assert len(events(world.authority.id, "password.hash_renewed")) == 1


@pytest.mark.parametrize("typed", ["", "nobody", "two words@x.example", "a@b", "x" * 300 + "@council.example"])
def test_a_malformed_email_address_gets_an_error_message(live_app: Flask, world: World, typed: str) -> None:
    page = enter_password(new_browser(live_app), typed, OTHER_PASSWORD)
    assert page.h1 == "Sign in"
    assert page.document.xpath("//title/text()")[0].startswith("Error: ")


def test_a_nul_character_in_an_email_address_is_a_bad_request(live_app: Flask, world: World) -> None:
    browser = new_browser(live_app)
    token = browser.get("/sign-in").document.xpath("string(//input[@name='csrf_token']/@value)")
    form_fields = {"email": "nul\x00@council.example", "password": PASSWORD, "csrf_token": token}
    assert browser.client.post("/sign-in", data=form_fields).status_code == 400
