"""The routes: reviewed, kebab-case, with UUIDs as parameters, and a permission for each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from werkzeug.routing import Map, Rule

from portal.security.gate import UndeclaredViewError, refuse_undeclared
from portal.security.permissions import ANYONE_SIGNED_IN, OPEN, PERMISSIONS, needs, permission_of
from tests.architecture import routes, sources

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Every route open before sign-in, so that none is opened by accident.
OPEN_ADDRESSES = {
    "/.well-known/security.txt",
    "/accessibility", "/demonstration/mail", "/demonstration/sign-in", "/help", "/help/<role>", "/help/codes", "/invitation",
    "/invitations/<token>", "/livez", "/privacy", "/readyz", "/reset", "/reset/asked", "/reset/links/<token>", "/reset/password",
    "/sign-in", "/sign-out", "/static/<name>",
}  # fmt: skip
#: The folder of RFC 8615 has the one name that is not ours to choose.
KEBAB_CASE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)?|\.well-known")
#: Parameters that are not UUIDs, each with what it is.
OTHER_PARAMETERS = {
    "name": "a static file's name with its hash",
    "filename": "the same, of Dash's",
    "path": "a page of the dashboards",
    "setting": "a setting of the authority, by its name",
    "role": "a guide, by the role it is for",
    "token": "the secret of an invitation or a reset",
}


def faults(rules: Iterable[Rule]) -> list[str]:
    """What is wrong with these routes, each a sentence that begins with the route."""
    faults_found = []
    for rule in rules:
        fixed = [part for part in rule.rule.strip("/").split("/") if part and "<" not in part]
        faults_found += [f"{rule.rule}: “{part}” is not kebab-case" for part in fixed if not KEBAB_CASE.fullmatch(part)]
        for name, converter in rule._converters.items():  # noqa: SLF001  Werkzeug has no other way to ask
            if type(converter).__name__ != "UUIDConverter" and name not in OTHER_PARAMETERS:
                faults_found.append(f"{rule.rule}: <{name}> is not a UUID")
    return faults_found


def open_rules(app: Flask) -> set[str]:
    """Routes open before sign-in."""
    return {rule.rule for rule in app.url_map.iter_rules() if permission_of(app.view_functions[rule.endpoint]) == OPEN}


def unused_permissions(permissions: Iterable[str]) -> list[str]:
    """Permissions that no view, query or template uses."""
    files = [path for path in sources.repository_files() if path.suffix in {".py", ".html"} and path.name != "capability.py"]
    asking = [path for path in files if sources.relative_name(path).split("/")[0] in sources.PACKAGES]
    text = "\n".join(path.read_text(encoding="utf-8") for path in asking)
    return [name for name in permissions if f'"{name}"' not in text and f"'{name}'" not in text]


def test_the_list_of_routes_is_the_reviewed_one(app: Flask) -> None:
    reviewed = routes.LISTED.read_text(encoding="utf-8")
    assert routes.listing(app).splitlines() == reviewed.splitlines(), (
        "python -m tests.architecture.routes --write, and review what changed"
    )


def test_routes_have_no_faults(app: Flask) -> None:
    assert faults(routes.rules(app)) == []


def test_every_view_declares_an_existing_permission(app: Flask) -> None:
    declared = {name: permission_of(view) for name, view in app.view_functions.items()}
    assert {
        name: permission for name, permission in declared.items() if permission not in {*PERMISSIONS, OPEN, ANYONE_SIGNED_IN}
    } == {}


def test_every_permission_is_used() -> None:
    assert unused_permissions(PERMISSIONS) == []


def test_an_unused_permission_is_found() -> None:
    assert unused_permissions(["pupils.view", "pupils" + ".rename"]) == ["pupils" + ".rename"]


def test_the_open_routes_are_pinned(app: Flask) -> None:
    assert open_rules(app) == OPEN_ADDRESSES


def _rules(*texts: str) -> list[Rule]:
    return list(Map([Rule(text, endpoint=text) for text in texts]).iter_rules())


@pytest.mark.parametrize("text", ["/pupils/<upn>", "/pupils/<int:number>", "/pupils/<string:surname>"])
def test_a_route_with_a_parameter_that_is_no_uuid_is_found(text: str) -> None:
    assert any("not a UUID" in fault for fault in faults(_rules(text)))


@pytest.mark.parametrize("text", ["/Pupils", "/pupil_list", "/pupils/showAll"])
def test_a_route_that_is_not_kebab_case_is_found(text: str) -> None:
    assert any("kebab-case" in fault for fault in faults(_rules(text)))


def test_a_good_route_passes() -> None:
    assert faults(_rules("/pupils/<uuid:pupil_id>/certificate-of-attendance", "/certificate.pdf", "/")) == []


def test_an_undeclared_view_stops_the_start() -> None:
    app = Flask("planted", static_folder=None)
    app.add_url_rule("/planted", "planted", lambda: "")
    with pytest.raises(UndeclaredViewError, match="planted"):
        refuse_undeclared(app)


def test_a_newly_opened_route_is_found() -> None:
    app = Flask("planted", static_folder=None)
    view = needs("pupils.view")(lambda: "")
    view.permission = OPEN  # type: ignore[attr-defined]  # as @open_to_all does
    app.add_url_rule("/pupils", "pupils", view)
    assert open_rules(app) - OPEN_ADDRESSES == {"/pupils"}
