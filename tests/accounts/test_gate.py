"""Tests of the gate: it refuses by default, identifies the person, opens their scope and records refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from flask import Flask

from portal.security import gate
from portal.security.permissions import OPEN, Role, permission_of
from tests.accounts.support import denied, new_browser
from tests.support.growth import statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.browser import Browser
    from tests.support.world import World

#: The views of accounts that are open before signing in.
OPEN_VIEWS = {
    "accounts.accept_invitation",
    "accounts.ask_reset",
    "accounts.choose_password",
    "accounts.demonstration_mail",
    "accounts.demonstration_sign_in",
    "accounts.open_invitation",
    "accounts.open_reset",
    "accounts.reset_asked",
    "accounts.sign_in",
    "accounts.sign_out",
}


@pytest.fixture
def as_role(demo_app: Flask, world: World) -> Callable[[Role], Browser]:
    """A function that signs a new browser in with a role, in the demonstration."""

    def sign_in(role: Role) -> Browser:
        browser = new_browser(demo_app)
        browser.post("/demonstration/sign-in", {"membership": str(world.authority.people[role][1])}, token_from="/sign-in")
        return browser

    return sign_in


def test_only_these_views_are_open_before_signing_in(live_app: Flask) -> None:
    views = {name for name, view in live_app.view_functions.items() if permission_of(view) == OPEN and name.startswith("accounts.")}
    assert views == OPEN_VIEWS


def test_an_app_with_an_undeclared_view_does_not_start() -> None:
    app = Flask("undeclared", static_folder=None)
    app.add_url_rule("/secret", "secret", lambda: "open to the world")
    with pytest.raises(gate.UndeclaredViewError, match="secret"):
        gate.refuse_undeclared(app)


def test_without_a_sign_in_pages_redirect_and_other_requests_get_401(live_app: Flask) -> None:
    browser = new_browser(live_app)
    assert browser.get("/account", status=302).response.headers["Location"] == "/sign-in?next=/account"
    assert browser.get("/dashboards/", status=302).response.headers["Location"] == "/sign-in?next=/dashboards/"
    browser.get("/dashboards/anything/at/all", status=302)
    browser.get("/dashboards/_dash-dependencies", status=401)
    for path in ("/dashboards/_dash-update-component", "/dashboards/nothing-here", "/account/stay", "/people/new"):
        assert browser.client.post(path, json={}).status_code == 401
    assert browser.client.put("/dashboards/_dash-update-component").status_code == 401


def test_every_address_below_dashboards_needs_the_permission(as_role: Callable[[Role], Browser], world: World) -> None:
    auditor = as_role(Role.AUDITOR)
    auditor.post("/dashboards/_dash-update-component", status=403, token_from="/account")
    auditor.get("/dashboards/no-such-page", status=403)
    officer = as_role(Role.LA_OFFICER)
    officer.post("/dashboards/_dash-update-component", token_from="/account")
    officer.get("/dashboards/no-such-page", status=404)


def test_a_view_below_dashboards_that_is_open_to_all_is_refused(settings: object, world: World) -> None:
    assert gate.DASHBOARDS == "/dashboards/"
    app = Flask("dash", static_folder=None)
    app.add_url_rule("/dashboards/open", "open", lambda: "data")
    app.view_functions["open"].permission = OPEN  # type: ignore[attr-defined]  # as @open_to_all does
    with app.test_request_context("/dashboards/open"):
        assert gate._required_permission() is None  # noqa: SLF001  the decision itself


def test_a_page_outside_the_role_is_403_and_recorded(as_role: Callable[[Role], Browser], world: World) -> None:
    as_role(Role.LA_OFFICER).get("/guarded/people", status=403)
    row = denied(world.authority.id)[-1]
    assert (row.role, row.facts) == ("la-officer", {"endpoint": "guarded.by_role", "ids": [], "status": 403})


def test_an_object_out_of_scope_is_404_with_the_same_body_and_recorded(as_role: Callable[[Role], Browser], world: World) -> None:
    browser = as_role(Role.HEADTEACHER)
    browser.get(f"/guarded/schools/{world.authority.primary}")
    bodies = set()
    out_of_scope = (world.authority.secondary, world.neighbour.primary, uuid4())
    for school_id in out_of_scope:
        bodies.add(browser.get(f"/guarded/schools/{school_id}", status=404).text)
    assert len(bodies) == 1
    recorded = denied(world.authority.id)
    assert [row.facts["ids"] for row in recorded] == [[str(school_id)] for school_id in out_of_scope]
    assert denied(world.neighbour.id) == []


def test_an_unknown_address_is_404_and_not_recorded(as_role: Callable[[Role], Browser], world: World) -> None:
    as_role(Role.HEADTEACHER).get("/no-such-page", status=404)
    assert denied(world.authority.id) == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 302),
        ({"Origin": "http://localhost"}, 302),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 302),
        ({"Origin": "null"}, 302),
        ({"Origin": "https://evil.example"}, 400),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 400),
        ({"Sec-Fetch-Site": "same-site"}, 400),
        ({"Referer": "https://evil.example/page"}, 400),
        ({"Origin": "http://localhost.evil.example"}, 400),
    ],
)
def test_a_post_from_another_sites_page_is_rejected(
    as_role: Callable[[Role], Browser], world: World, headers: dict[str, str], status: int
) -> None:
    browser = as_role(Role.LA_OFFICER)
    token = browser.get("/account").document.xpath("string(//input[@name='csrf_token']/@value)")
    assert browser.client.post("/sign-out", data={"csrf_token": token}, headers=headers).status_code == status


def test_a_post_without_the_token_changes_nothing(as_role: Callable[[Role], Browser], world: World) -> None:
    browser = as_role(Role.LA_OFFICER)
    assert browser.client.post("/account/sign-ins/end-others").status_code == 400


def test_a_large_body_is_accepted_only_for_files_of_signed_in_people(as_role: Callable[[Role], Browser], live_app: Flask) -> None:
    large = b"x" * (gate.MAX_FORM_BYTES + 1)
    assert (
        new_browser(live_app).client.post("/sign-in", data=large, content_type="multipart/form-data; boundary=x").status_code == 413
    )
    browser = as_role(Role.LA_OFFICER)
    assert browser.client.post("/account/stay", data=large, content_type="application/json").status_code in {400, 413}


def test_the_cookie_holds_the_token_and_the_forgery_token_only(as_role: Callable[[Role], Browser], demo_app: Flask) -> None:
    browser = as_role(Role.LA_OFFICER)
    browser.get("/account")
    with browser.client.session_transaction() as cookie_fields:
        assert set(cookie_fields) == {gate.TOKEN, "csrf_token"}
        assert len(cookie_fields[gate.TOKEN]) == 43
    flags = browser.client.get_cookie("portal")
    assert flags.http_only
    assert flags.same_site == "Lax"


def test_livez_does_not_query_the_database_even_when_signed_in(
    signed_in: Callable[..., Browser],
) -> None:
    browser = signed_in(Role.LA_MANAGER)
    for path, is_queried in (("/livez", False), ("/", True)):
        with statements() as executed:
            browser.get(path)
        assert bool(executed) == is_queried, path
