"""The gate: it refuses by default, knows who asks, opens their scope, and records what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from flask import Flask

from portal import gate
from portal.permissions import OPEN, Role, permission_of
from tests.accounts.support import browser, events
from tests.support.growth import statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.browser import Browser
    from tests.support.world import World

#: What is open before signing in, and nothing else.
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
def as_role(demo: Flask, world: World) -> Callable[[Role], Browser]:
    """A browser signed in as a role of the demonstration."""

    def sign_in(role: Role) -> Browser:
        at = browser(demo)
        at.post("/demonstration/sign-in", {"membership": str(world.here.people[role][1])}, token_from="/sign-in")
        return at

    return sign_in


def test_the_views_open_before_signing_in_are_these(strict: Flask) -> None:
    views = {name for name, view in strict.view_functions.items() if permission_of(view) == OPEN and name.startswith("accounts.")}
    assert views == OPEN_VIEWS


def test_an_undeclared_view_stops_the_start() -> None:
    app = Flask("undeclared", static_folder=None)
    app.add_url_rule("/secret", "secret", lambda: "open to the world")
    with pytest.raises(gate.UndeclaredViewError, match="secret"):
        gate.refuse_undeclared(app)


def test_nobody_is_led_to_sign_in_and_machines_are_told(strict: Flask) -> None:
    at = browser(strict)
    assert at.get("/account", status=302).response.headers["Location"] == "/sign-in?next=/account"
    assert at.get("/dashboards/", status=302).response.headers["Location"] == "/sign-in?next=/dashboards/"
    at.get("/dashboards/anything/at/all", status=302)
    at.get("/dashboards/_dash-dependencies", status=401)
    for path in ("/dashboards/_dash-update-component", "/dashboards/nothing-here", "/account/stay", "/people/new"):
        assert at.client.post(path, json={}).status_code == 401
    assert at.client.put("/dashboards/_dash-update-component").status_code == 401


def test_under_the_dashboards_nothing_is_open_and_the_role_is_asked(as_role: Callable[[Role], Browser], world: World) -> None:
    auditor = as_role(Role.AUDITOR)
    auditor.post("/dashboards/_dash-update-component", status=403, token_from="/account")
    auditor.get("/dashboards/no-such-page", status=403)
    officer = as_role(Role.LA_OFFICER)
    officer.post("/dashboards/_dash-update-component", token_from="/account")
    officer.get("/dashboards/no-such-page", status=404)


def test_an_open_view_under_the_dashboards_is_refused_all_the_same(settings: object, world: World) -> None:
    assert gate.DASHBOARDS == "/dashboards/"
    app = Flask("dash", static_folder=None)
    app.add_url_rule("/dashboards/open", "open", lambda: "data")
    app.view_functions["open"].permission = OPEN  # type: ignore[attr-defined]  # as @open_to_all does
    with app.test_request_context("/dashboards/open"):
        assert gate._permission() is None  # noqa: SLF001  the decision itself


def test_a_page_outside_the_role_is_403_and_recorded(as_role: Callable[[Role], Browser], world: World) -> None:
    as_role(Role.LA_OFFICER).get("/guarded/people", status=403)
    row = events(world.here.id, "access.denied")[-1]
    assert (row.role, row.facts) == ("la-officer", {"endpoint": "guarded.by_role", "ids": [], "status": 403})


def test_a_thing_out_of_scope_is_404_with_the_same_body_and_recorded(as_role: Callable[[Role], Browser], world: World) -> None:
    at = as_role(Role.HEADTEACHER)
    at.get(f"/guarded/schools/{world.here.primary}")
    bodies = set()
    asked = (world.here.secondary, world.neighbour.primary, uuid4())
    for school_id in asked:
        bodies.add(at.get(f"/guarded/schools/{school_id}", status=404).text)
    assert len(bodies) == 1
    recorded = events(world.here.id, "access.denied")
    assert [row.facts["ids"] for row in recorded] == [[str(school_id)] for school_id in asked]
    assert events(world.neighbour.id, "access.denied") == []


def test_an_address_that_is_no_page_is_404_and_not_recorded(as_role: Callable[[Role], Browser], world: World) -> None:
    as_role(Role.HEADTEACHER).get("/no-such-page", status=404)
    assert events(world.here.id, "access.denied") == []


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
def test_only_our_own_pages_change_anything(
    as_role: Callable[[Role], Browser], world: World, headers: dict[str, str], status: int
) -> None:
    at = as_role(Role.LA_OFFICER)
    token = at.get("/account").document.xpath("string(//input[@name='csrf_token']/@value)")
    assert at.client.post("/sign-out", data={"csrf_token": token}, headers=headers).status_code == status


def test_a_post_without_the_token_changes_nothing(as_role: Callable[[Role], Browser], world: World) -> None:
    at = as_role(Role.LA_OFFICER)
    assert at.client.post("/account/sign-ins/end-others").status_code == 400


def test_only_files_from_someone_signed_in_may_be_large(as_role: Callable[[Role], Browser], strict: Flask) -> None:
    large = b"x" * (gate.A_FORM + 1)
    assert browser(strict).client.post("/sign-in", data=large, content_type="multipart/form-data; boundary=x").status_code == 413
    at = as_role(Role.LA_OFFICER)
    assert at.client.post("/account/stay", data=large, content_type="application/json").status_code in {400, 413}


def test_the_cookie_holds_the_token_and_the_forgery_token_only(as_role: Callable[[Role], Browser], demo: Flask) -> None:
    at = as_role(Role.LA_OFFICER)
    at.get("/account")
    with at.client.session_transaction() as held:
        assert set(held) == {gate.TOKEN, "csrf_token"}
        assert len(held[gate.TOKEN]) == 43
    flags = at.client.get_cookie("portal")
    assert flags.http_only
    assert flags.same_site == "Lax"


def test_whether_the_process_lives_is_said_without_the_database_to_who_is_signed_in_too(
    signed_in: Callable[..., Browser],
) -> None:
    at = signed_in(Role.LA_MANAGER)
    for path, is_asked in (("/livez", False), ("/", True)):
        with statements() as asked:
            at.get(path)
        assert bool(asked) == is_asked, path
