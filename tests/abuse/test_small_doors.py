"""Attacks by hosts that are none, by what pages and cookies give away, by arguments given twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Response

from dashboards import mount, pages
from portal.accounts.actions import people as people_actions
from portal.accounts.models import Person
from portal.accounts.queries.principals import command_line_scope
from portal.app import create_app
from portal.db import connection as database
from portal.db.work import tx, unit_of_work
from portal.platform import clock
from portal.security.permissions import Role
from portal.uploads import actions as upload_actions
from portal.web.hosts import HostCheck, known_hosts
from portal.web.paging import WrongAddressError
from tests.accounts.support import PASSWORD, WRONG_PASSWORD, add_user, cached_hash, new_browser, with_authenticator
from tests.support.growth import statements
from tests.support.world import write_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from config.settings import Settings
    from tests.support.browser import Browser
    from tests.support.world import World

#: Names that are none.
ABSURD = (
    *("a" * 64, "a" * 64 + ".example", "x" * 300, ".".join(["a" * 60] * 5), "a..b", ".", "", " ", "-a", "a-", "a b", "é.example"),
    *("[::1", "[zz]", "a:b", "a:999999", "a/b", "a?b", "a\\b", "a@b", "<script>", "%00", "a,b", "xn--" + "a" * 60),
)


def _answer(app: Flask, path: str, host: str) -> Response:
    """The answer to a request for this host. Flask's own client reads the name too, and fails on some."""
    environ = {**EnvironBuilder(path=path).get_environ(), "HTTP_HOST": host}
    body, status, headers = run_wsgi_app(app, environ)
    return Response(body, status, headers)


@pytest.mark.parametrize("path", ["/sign-in", "/livez", "/static/x.css", "/nowhere", "/dashboards/"])
@pytest.mark.parametrize("host", ABSURD)
def test_a_host_that_is_none_is_a_400_and_no_fault_of_the_server(app: Flask, world: World, host: str, path: str) -> None:
    """Attack C11: anybody could raise the alarm of server errors."""
    answer = _answer(app, path, host)
    assert answer.status_code == 400
    assert "We could not use what was sent" in answer.get_data(as_text=True)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "attendance.example.gov.uk.", "10.0.0.11:8000", "[::1]:8000", "web_1"]
)
def test_a_host_that_can_be_one_is_answered(app: Flask, world: World, host: str) -> None:
    assert _answer(app, "/livez", host).status_code == 200


@pytest.mark.parametrize(
    ("host", "is_marked"),
    [
        ("attendance.example.gov.uk", False),
        ("Attendance.Example.gov.uk:443", False),
        ("10.0.0.11:8000", False),
        ("localhost:8000", False),
        ("evil.example", True),
        ("attendance.example.gov.uk.evil.example", True),
        ("attendance.example.gov.uk@evil.example", True),
    ],
)
def test_production_answers_to_its_own_name_and_to_addresses(settings: Settings, host: str, is_marked: bool) -> None:
    live = replace(settings, environment="production", public_url="https://attendance.example.gov.uk", host="10.0.0.11")
    environs = []
    check = HostCheck(lambda environ, _start: environs.append(environ) or [], known_hosts(live))  # type: ignore[func-returns-value]  # a list's append
    check({"HTTP_HOST": host}, None)
    assert ("portal.wrong_host" in environs[0]) is is_marked


def test_cookies_of_an_encrypted_portal_have_the_prefixes_that_bind_them_to_it(settings: Settings, engine: object) -> None:
    """Attack C12: a neighbouring site of the same domain sets the cookie."""
    database.engine().dispose()
    secure_app = create_app(replace(settings, public_url="https://portal.example", demo=False))
    answer = secure_app.test_client().get("/sign-in", base_url="https://portal.example")
    database.engine().dispose()
    [cookie] = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-portal=")
    parts = {part.strip() for part in cookie.split(";")[1:]}
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= parts
    assert not any(part.startswith("Domain") for part in parts)
    dash = secure_app.extensions["dashboards"]
    assert dash.config.csrf_token_name == "__Secure-csrf_token", "its path is narrower, so that it cannot be bound to the host"


def test_security_txt_says_where_to_report(app: Flask, world: World) -> None:
    """Attack C12: SECURITY.md sends reporters there."""
    answer = app.test_client().get("/.well-known/security.txt")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert fields["Contact"].startswith(("mailto:", "https://"))
    expires = datetime.strptime(fields["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(days=30) < expires - clock.now() < timedelta(days=366)
    assert fields["Canonical"].endswith("/.well-known/security.txt")


@pytest.mark.parametrize(
    ("name", "visible"),
    [
        ("gpj.\u202eexe", "gpj.exe"),
        ("\u2066marks\u2069.csv", "marks.csv"),
        ("a\u0000\u0007\u200f\u2028b.csv", "ab.csv"),
        ("\u202e", "no name"),
        ("registre é עברית.csv", "registre é עברית.csv"),
    ],
)
def test_the_name_of_a_file_is_shown_isolated_and_without_signs_that_turn_it(
    signed_in: Callable[..., Browser], world: World, name: str, visible: str
) -> None:
    """Attack C12, UPL-10."""
    with unit_of_work(world.authority.scope(Role.SCHOOL_OFFICE)):
        upload = upload_actions.preview(
            world.authority.primary, kind="marks", file_name=name.replace("\0", "\x01"), content=b"%PDF-1.7 not a register"
        )
    browser = signed_in(Role.SCHOOL_OFFICE)
    for path in ("/uploads", f"/uploads/{upload}"):
        page = browser.get(path)
        assert visible in [isolated.text_content() for isolated in page.document.xpath("//bdi")]
        assert not set("\u202e\u2066\u2069\u200f\u2028\x01\x07") & set(page.html)


def _sign_in_statements(app: Flask, email: str) -> list[str]:
    browser = new_browser(app, "198.51.100.77")
    token = browser.get("/sign-in").document.xpath("string(//input[@name='csrf_token']/@value)")
    with statements() as sent:
        answer = browser.client.post("/sign-in", data={"email": email, "password": WRONG_PASSWORD, "csrf_token": token})
    assert answer.status_code == 200
    return sent


@pytest.mark.parametrize("kind", ["officer", "with factor", "two roles", "no role", "no password", "suspended"])
def test_a_wrong_password_costs_the_same_queries_whether_or_not_there_is_an_account(
    live_app: Flask, world: World, kind: str
) -> None:
    """Attack B7, AUT-04: two queries more for a known address were 5 to 7 ms."""
    user = add_user(world.authority)
    if kind == "with factor":
        with_authenticator(user, world.authority, live_app)
    with unit_of_work(command_line_scope(world.authority.id)):
        if kind == "two roles":
            people_actions.add_membership(user.id, Role.AUDITOR)
        if kind == "no role":
            people_actions.end_membership(user.membership)
        if kind == "suspended":
            write_rows(lambda: setattr(tx().get_one(Person, user.id), "disabled_at", clock.now()))
        if kind == "no password":
            people_actions.add_person("No Password", "none@council.example")
        assert cached_hash(PASSWORD)
    email = "none@council.example" if kind == "no password" else user.email
    _sign_in_statements(live_app, f"{uuid4()}@council.example")
    of_nobody, of_account = _sign_in_statements(live_app, "nobody@council.example"), _sign_in_statements(live_app, email)
    assert of_account == of_nobody


SEARCHES = (
    *("?measure=attendance&measure=absence", "?measure=&measure=absence", "?measure", "?measure=absence", ""),
    *("?measure=a%20b+c", "?phase=%C3%A9", "?phase=%FF", "?a=1;b=2", "??measure=x"),
)


@pytest.mark.parametrize("search", SEARCHES)
def test_the_chart_reads_an_address_as_its_page_does(app: Flask, search: str) -> None:
    """Attack C12: the text said attendance and the chart drew absence."""
    with app.test_request_context("/dashboards/" + search) as context:
        assert pages.arguments(search).to_dict(flat=False) == context.request.args.to_dict(flat=False)  # type: ignore[attr-defined]  # a MultiDict, as of a request


@pytest.mark.parametrize("search", ["?measure=attendance&measure=absence", "?year=2026&year=2025", "?phase=&phase=primary"])
def test_an_argument_given_twice_is_a_400_for_page_chart_and_download(
    app: Flask, signed_in: Callable[..., Browser], world: World, search: str
) -> None:
    """Attack C12."""
    browser = signed_in(Role.LA_MANAGER)
    for path in ("/dashboards/", "/dashboards/figures.csv", "/dashboards/weeks.csv"):
        assert browser.client.get(path + search).status_code == 400
    with app.test_request_context("/"), unit_of_work(world.authority.scope()), pytest.raises(WrongAddressError):
        mount.draw("/dashboards/", search)
