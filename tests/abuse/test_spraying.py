"""Attacks by trying passwords at many accounts, and by using up the owner's own tries (AUT-01, AUT-02)."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from portal.accounts.actions import throttling
from portal.accounts.actions.throttling import MOST_CREDITED, RateLimitedError
from portal.accounts.domain.clients import Client
from portal.accounts.queries.principals import platform_scope
from portal.db.work import unit_of_work
from portal.platform import clock
from tests.accounts.support import (
    OTHER_PASSWORD,
    PASSWORD,
    WRONG_PASSWORD,
    add_user,
    cookie,
    latest_mail,
    link_path,
    mails,
    make_app,
    new_browser,
    sign_in,
    with_authenticator,
)

if TYPE_CHECKING:
    from flask import Flask

    from config.settings import Settings
    from tests.support.browser import Browser
    from tests.support.world import World

IPV4 = "198.51.100.7"


def _wrong_try(browser: Browser, number: int) -> int:
    """Try one password at another account. Returns the status."""
    return _try(browser, f"p{number}@council.example", WRONG_PASSWORD)


def _try(browser: Browser, email: str, password: str) -> int:
    token = browser.get("/sign-in").document.xpath("string(//input[@name='csrf_token']/@value)")
    return browser.client.post("/sign-in", data={"email": email, "password": password, "csrf_token": token}).status_code


@pytest.mark.parametrize("has_factor", [False, True])
def test_signing_in_with_an_account_of_ones_own_buys_no_further_tries_at_others(
    live_app: Flask, world: World, has_factor: bool
) -> None:
    """Attack C5: one right password after each wrong one, without the second factor."""
    own = add_user(world.authority, email="eve@council.example")
    if has_factor:
        own = with_authenticator(own, world.authority, live_app)
    statuses = []
    for number in range(22):
        statuses.append(_wrong_try(new_browser(live_app, IPV4), number))
        _try(new_browser(live_app, IPV4), own.email, PASSWORD)
    assert statuses == [200] * 20 + [429] * 2


def test_a_whole_sign_in_buys_one_further_try_however_often_it_is_repeated(live_app: Flask, world: World) -> None:
    """Attack C5, with the second factor each time."""
    own = with_authenticator(add_user(world.authority, email="eve@council.example"), world.authority, live_app)
    started, wrong = clock.now(), 0
    for minute in range(3):
        with clock.frozen_at(started + timedelta(minutes=minute)):
            sign_in(new_browser(live_app, IPV4), own)
    with clock.frozen_at(started + timedelta(minutes=3)):
        browser = new_browser(live_app, IPV4)
        while _wrong_try(browser, wrong) == 200:
            wrong += 1
    assert wrong == 21


def test_however_many_people_signed_in_at_a_network_its_wrong_tries_end(world: World) -> None:
    """Attack C5, with more accounts than any attacker has."""
    client = Client(IPV4, "", "k")
    with unit_of_work(platform_scope()):
        for person_id, _ in (*world.authority.people.values(), *world.neighbour.people.values()):
            throttling.credit_network(person_id, client)
        wrong = _tries_until_slowed([client])
        assert wrong == 20 + len(world.authority.people) + len(world.neighbour.people)
    assert MOST_CREDITED < 100


def _tries_until_slowed(clients: list[Client], tries: int = 200) -> int:
    """How many wrong tries at different accounts these clients are allowed, taking turns."""
    for number in range(tries):
        try:
            throttling.check_limit("password", f"p{number}@council.example", clients[number % len(clients)])
        except RateLimitedError:
            return number
    return tries


@pytest.mark.parametrize(
    ("network", "tries"),
    [
        ("2001:db8:1:2::/64", 20),
        ("2001:db8:1::/48", 60),
        ("::ffff:198.51.100.7/128", 20),
    ],
)
def test_the_addresses_of_one_ipv6_customer_count_together(world: World, network: str, tries: int) -> None:
    """Attack C5: an IPv6 customer has a /64 or a /48, and every address in it."""
    block = ipaddress.ip_network(network)
    step = max(1, block.num_addresses // 97)
    clients = [Client(str(block[(number * step) % block.num_addresses]), "", "k") for number in range(97)]
    with unit_of_work(platform_scope()):
        assert _tries_until_slowed(clients) == tries
        throttling.check_limit("password", "q@council.example", Client("2001:db8:ffff::1", "", "k"))


def test_the_addresses_of_one_ipv6_customer_count_together_behind_a_proxy(settings: Settings, world: World) -> None:
    """Attack C5, as the test of the shipped proxy saw it: sixty addresses of one /64."""
    browser = new_browser(make_app(settings, proxies=1), "127.0.0.1")
    statuses = []
    for number in range(22):
        browser.client.environ_base["HTTP_X_FORWARDED_FOR"] = f"2001:db8:1:2::{number:x}"
        statuses.append(_wrong_try(browser, number))
    assert statuses == [200] * 20 + [429] * 2


@pytest.mark.parametrize("address", ["unknown", "", "fe80::1%eth0", "1.2.3", "::", "2001:db8::1/64"])
def test_any_text_can_be_counted_as_an_address(address: str) -> None:
    client = Client(address, "", "k")
    assert isinstance(client.network, str)
    assert client.site is None or client.site != client.network


@pytest.mark.parametrize("strangers", [1, 3])
def test_strangers_requests_do_not_use_up_the_owners_resets(live_app: Flask, world: World, strangers: int) -> None:
    """Attack C12: three requests of anybody were all that an account had in an hour."""
    user = add_user(world.authority)
    for number in range(3):
        new_browser(live_app, f"203.0.113.{number % strangers}").post("/reset", {"email": user.email}, token_from="/reset")
    new_browser(live_app, "192.0.2.10").post("/reset", {"email": user.email}, token_from="/reset")
    assert len([mail for mail in mails() if mail.subject == "Choose a new password"]) == 4


def test_many_strangers_requests_do_not_use_up_the_resets_of_an_owner_at_their_own_desk(live_app: Flask, world: World) -> None:
    """Attack C12, from many addresses at once: a mailbox is not filled either."""
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    sign_in(new_browser(live_app, "192.0.2.10"), user)
    for number in range(15):
        status = 200 if number < 12 else 429
        new_browser(live_app, f"203.0.113.{number}").post("/reset", {"email": user.email}, status=status, token_from="/reset")
    new_browser(live_app, "192.0.2.10").post("/reset", {"email": user.email}, token_from="/reset")
    assert len([mail for mail in mails() if mail.subject == "Choose a new password"]) == 13


def test_a_strangers_request_does_not_end_the_owners_link(live_app: Flask, world: World) -> None:
    """Attack C12: a stranger who asks every minute would end each link before its owner reads the mail."""
    user = add_user(world.authority)
    new_browser(live_app).post("/reset", {"email": user.email}, token_from="/reset")
    link = link_path(latest_mail("Choose a new password"))
    new_browser(live_app, "203.0.113.1").post("/reset", {"email": user.email}, token_from="/reset")
    browser = new_browser(live_app)
    browser.get(link)
    browser.post(link, {})
    assert browser.post("/reset/password", {"password": OTHER_PASSWORD}).path == "/sign-in"
    other_link = link_path(latest_mail("Choose a new password"))
    # Once one was used, all stop.
    new_browser(live_app).get(other_link, status=410)


@pytest.mark.parametrize("looks", ["GET", "HEAD", "GET twice"])
def test_a_mail_scanner_that_follows_a_reset_link_burns_nothing(live_app: Flask, world: World, looks: str) -> None:
    """Attack C12: some scanners look with GET, and from an address of their own."""
    user = add_user(world.authority)
    new_browser(live_app).post("/reset", {"email": user.email}, token_from="/reset")
    link = link_path(latest_mail("Choose a new password"))
    for _ in range(2 if looks == "GET twice" else 1):
        scanner = new_browser(live_app, "203.0.113.1")
        answer = scanner.client.open(link, method=looks.split(maxsplit=1)[0])
        assert answer.status_code in {200, 204}
        scanner.get("/reset/password", status=410)
        assert link.rpartition("/")[2] not in cookie(scanner)
    browser = new_browser(live_app)
    assert browser.get(link).h1 == "Choose a new password"
    assert browser.post(link, {}).path == "/reset/password"
    assert browser.post("/reset/password", {"password": OTHER_PASSWORD}).path == "/sign-in"
