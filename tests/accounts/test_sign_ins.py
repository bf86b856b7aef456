"""Signing in and out, places, one's own sign-ins, and recovery codes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher

from portal import clock
from portal.accounts import actions
from portal.accounts.models import SignIn
from portal.accounts.queries import command_line
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
    person_row,
    sign_in,
    someone,
    with_authenticator,
)

if TYPE_CHECKING:
    from flask import Flask

    from tests.support.world import World


def test_the_first_sign_in_sets_up_the_app_and_shows_ten_codes_once(strict: Flask, world: World) -> None:
    one = someone(world.here)
    at = browser(strict)
    page = enter_password(at, one.email)
    assert "style=" not in page.document.xpath("string(//main)")
    assert page.document.xpath("//svg[@role='img']")
    assert not page.document.xpath("//svg//@style")
    offer = page.document.xpath("string(//input[@name='offer']/@value)")
    key = page.document.xpath("string(//code)").replace(" ", "")
    wrong = at.post("/second-factor/set-up", {"offer": offer, "code": "000000"})
    assert wrong.document.xpath("string(//code)").replace(" ", "") == key, "the app just scanned stays good"
    scanned = type(one)(one.id, one.membership, one.email, key)
    done = at.post("/second-factor/set-up", {"offer": offer, "code": scanned.code()})
    codes = done.document.xpath("//main//code/text()")
    assert len(set(codes)) == 10
    assert done.links()["I have kept them: continue"] == "/"
    at.get("/guarded/download")
    assert key.encode() not in (person_row(one.id).totp_secret or b""), "the secret is kept under lock"
    entered = events(world.here.id, "sign_in.entered")
    assert [(row.person_id, row.facts["how"], row.facts["second_factor"]) for row in entered] == [(one.id, "password", True)]


def test_a_recovery_code_stands_in_once_and_the_owner_is_told(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    with unit_of_work(command_line(world.here.id)):
        codes = actions.make_recovery_codes(one.id)
    at = browser(strict)
    enter_password(at, one.email)
    typed = codes[3].lower().replace("-", " ")
    assert at.post("/second-factor/recovery", {"code": typed}, token_from="/second-factor/recovery").path == "/"
    assert "You have 9 left" in (latest_mail("A recovery code was used").body or "")
    again = browser(strict)
    enter_password(again, one.email)
    page = again.post("/second-factor/recovery", {"code": codes[3]}, token_from="/second-factor/recovery")
    assert page.h1 == "Enter a recovery code"


def test_another_app_replaces_the_first_after_password_and_code(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    at = browser(strict)
    sign_in(at, one)
    page = at.get("/second-factor/set-up")
    offer = page.document.xpath("string(//input[@name='offer']/@value)")
    new = type(one)(one.id, one.membership, one.email, page.document.xpath("string(//code)").replace(" ", ""))
    refused = at.post("/second-factor/set-up", {"offer": offer, "code": new.code(), "password": WRONG_PASSWORD})
    assert "Enter the password of your account" in refused.text
    done = at.post("/second-factor/set-up", {"offer": offer, "code": new.code(), "password": PASSWORD})
    assert done.h1 == "Keep your recovery codes"


def test_an_offer_of_someone_else_or_of_long_ago_is_not_taken_up(strict: Flask, world: World) -> None:
    one, two = someone(world.here), someone(world.here, email="two@council.example")
    first, second = browser(strict), browser(strict)
    page = enter_password(first, one.email)
    enter_password(second, two.email)
    offer = page.document.xpath("string(//input[@name='offer']/@value)")
    key = page.document.xpath("string(//code)").replace(" ", "")
    code = type(one)(one.id, one.membership, one.email, key).code()
    assert "Scan the new picture" in second.post("/second-factor/set-up", {"offer": offer, "code": code}).text
    with clock.at(clock.now() + timedelta(minutes=31)):
        again = browser(strict)
        enter_password(again, one.email)
        assert "Scan the new picture" in again.post("/second-factor/set-up", {"offer": offer, "code": code}).text


def test_someone_with_two_places_chooses_and_switches_with_a_new_token(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    with unit_of_work(command_line(world.neighbour.id)):
        there = actions.add_membership(one.id, Role.HEADTEACHER, school_ids=[world.neighbour.primary]).id
    at = browser(strict)
    assert sign_in(at, one).h1 == "Choose your role"
    at.get(f"/guarded/schools/{world.here.primary}", status=302)
    at.post(f"/roles/{one.membership}", {}, token_from="/roles")
    at.get(f"/guarded/schools/{world.here.primary}")
    before = cookie(at)
    at.post(f"/roles/{there}", {}, token_from="/roles")
    at.get(f"/guarded/schools/{world.neighbour.primary}")
    at.get(f"/guarded/schools/{world.here.primary}", status=404)
    old = browser(strict)
    give_cookie(old, before)
    old.get("/guarded/download", status=302)
    assert [row.facts["how"] for row in events(world.here.id, "sign_in.entered")] == ["password"]
    assert [row.facts["how"] for row in events(world.neighbour.id, "sign_in.entered")] == ["switch"]


def test_nobody_enters_a_place_of_someone_else(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    at = browser(strict)
    sign_in(at, one)
    at.post(f"/roles/{world.here.people[Role.LA_ADMINISTRATOR][1]}", {}, status=404, token_from="/roles")


def test_ones_sign_ins_are_listed_and_ended(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    at, other, third = browser(strict), browser(strict), browser(strict)
    other.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0"
    for minutes, who in enumerate((other, third, at)):
        with clock.at(clock.now() + timedelta(minutes=minutes)):
            sign_in(who, one)
    with clock.at(clock.now() + timedelta(minutes=4)):
        page = at.get("/account")
        assert "Firefox on Windows" in page.text
        assert live_sign_ins(one.id) == 3
        end = page.document.xpath("//form[contains(@action, '/account/sign-ins/') and not(contains(@action, 'others'))]/@action")
        at.post(end[-1], {})
        other.get("/guarded/download", status=302)
        at.post("/account/sign-ins/end-others", {})
        third.get("/guarded/download", status=302)
        at.get("/guarded/download")
        assert live_sign_ins(one.id) == 1


def test_nobody_ends_a_sign_in_of_someone_else(strict: Flask, world: World) -> None:
    one, two = (with_authenticator(someone(world.here, email=f"{n}@council.example"), world.here, strict) for n in ("one", "two"))
    at, other = browser(strict), browser(strict)
    sign_in(at, one)
    sign_in(other, two)
    with unit_of_work(None):
        theirs = next(row.id for row in tx().query(SignIn).filter_by(person_id=two.id, ended_at=None))
    at.post(f"/account/sign-ins/{theirs}/end", {}, status=404, token_from="/account")
    other.get("/guarded/download")


def test_an_expired_sign_in_can_still_sign_out_and_staying_is_one_request(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    at = browser(strict)
    sign_in(at, one)
    at.post("/account/stay", {}, status=204, token_from="/account")
    page = at.get("/account")
    token = page.document.xpath("string(//input[@name='csrf_token']/@value)")
    with clock.at(clock.now() + timedelta(hours=2)):
        assert at.client.post("/sign-out", data={"csrf_token": token}).headers["Location"] == "/sign-in"


def test_being_seen_is_noted_once_a_minute(strict: Flask, world: World) -> None:
    one = with_authenticator(someone(world.here), world.here, strict)
    at = browser(strict)
    sign_in(at, one)
    begun = clock.now()

    def seen_after(seconds: int) -> float:
        with clock.at(begun + timedelta(seconds=seconds)):
            at.get("/guarded/download")
        with unit_of_work(None):
            row = tx().query(SignIn).filter_by(person_id=one.id, ended_at=None).one()
            return (row.seen_at - begun).total_seconds()

    assert [seen_after(59), seen_after(60), seen_after(119), seen_after(121)] == [0, 60, 60, 121]


def test_a_hash_of_an_older_setting_is_made_again_at_the_next_sign_in(strict: Flask, world: World) -> None:
    older = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    with unit_of_work(command_line(world.here.id)):
        person_id = actions.add_person("Old Hash", "old@council.example", password_hash=older).id
        actions.add_membership(person_id, Role.LA_OFFICER)
    enter_password(browser(strict), "old@council.example", WRONG_PASSWORD)
    assert person_row(person_id).password_hash == older
    enter_password(browser(strict), "old@council.example")
    assert "$m=19456,t=2,p=1$" in (person_row(person_id).password_hash or "")
    assert len(events(world.here.id, "password.hash_renewed")) == 1


@pytest.mark.parametrize("typed", ["", "nobody", "two words@x.example", "a@b", "x" * 300 + "@council.example"])
def test_an_address_that_is_none_is_explained_beside_its_field(strict: Flask, world: World, typed: str) -> None:
    page = enter_password(browser(strict), typed, OTHER_PASSWORD)
    assert page.h1 == "Sign in"
    assert page.document.xpath("//title/text()")[0].startswith("Error: ")


def test_a_control_character_in_an_address_harms_nothing(strict: Flask, world: World) -> None:
    at = browser(strict)
    token = at.get("/sign-in").document.xpath("string(//input[@name='csrf_token']/@value)")
    sent = {"email": "nul\x00@council.example", "password": PASSWORD, "csrf_token": token}
    assert at.client.post("/sign-in", data=sent).status_code == 400
