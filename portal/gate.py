"""The gate: every request passes here once. It knows the person, opens the scope, asks the permission, refuses by default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin

from portal import scope as scopes
from portal.accounts.actions import touch
from portal.accounts.presence import TOKEN, factor_step, who
from portal.accounts.queries import Principal, names_of_memberships, principal
from portal.audit.actions import record_alone
from portal.audit.events import event
from portal.audit.queries import MEMBER_NAMES
from portal.db import unit_of_work
from portal.permissions import ANYONE_SIGNED_IN, OPEN, permission_of
from portal.schools.queries import schools
from portal.web.pages import SCHOOL_NAMES, PageContext

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

__all__ = ["TOKEN", "UndeclaredViewError", "init_app", "refuse_undeclared", "who"]

DENIED = event(
    "access.denied",
    "Someone asked for a page outside their role (403) or a thing outside their scope (404)",
    "endpoint",
    "ids",
    "status",
)

#: Where someone may go who has yet to prove a second factor, and where someone who has yet to choose a place.
FACTOR_PAGES = frozenset({"accounts.second_factor", "accounts.recover", "accounts.set_up_second_factor"})
PLACE_PAGES = frozenset({"accounts.choose", "accounts.switch"})
DASHBOARDS = "/dashboards/"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: The most bytes of anything but a file from someone signed in. Flask's own limit on forms holds for multipart ones only.
A_FORM = 1_000_000
REFUSALS = frozenset({403, 404})


class SignedIn(UserMixin):
    """Flask-Login's user: the principal, for the length of one request."""

    def __init__(self, principal: Principal) -> None:
        """Wrap the principal read for this request."""
        self.principal = principal
        self.id = str(principal.person_id)


class UndeclaredViewError(RuntimeError):
    """A view says nothing of who may use it."""


def init_app(app: Flask, *, second_factor_required: bool, demonstration: bool) -> None:
    """Put the gate before every view of `app`, ahead of all that looks at a request, and a unit of work around each."""
    login = LoginManager()
    login.init_app(app)
    login.session_protection = None
    login.request_loader(lambda _request: _signed_in())
    app.config["SECOND_FACTOR_REQUIRED"] = second_factor_required
    app.config["DEMONSTRATION"] = demonstration
    app.extensions[SCHOOL_NAMES] = _school_names
    app.extensions[MEMBER_NAMES] = names_of_memberships
    app.before_request_funcs.setdefault(None, []).insert(0, _pass)
    app.after_request(_note_refusal)
    app.teardown_request(_close)
    app.context_processor(_page_context)


def refuse_undeclared(app: Flask) -> None:
    """Stop the start of an app with a view that declares no permission.

    Raises:
        UndeclaredViewError: naming the views.
    """
    undeclared = sorted(name for name, view in app.view_functions.items() if permission_of(view) is None)
    if undeclared:
        message = f"These views declare no permission: {', '.join(undeclared)}."
        raise UndeclaredViewError(message)


def _signed_in() -> SignedIn | None:
    token = session.get(TOKEN)
    if not isinstance(token, str):
        return None
    with unit_of_work(None):
        found = principal(token)
        if found is not None:
            touch(found.sign_in_id)
    return SignedIn(found) if found else None


def _pass() -> ResponseReturnValue | None:
    """Judge this request: open the unit of work in the person's scope, or turn it away."""
    if request.endpoint in {"web.static", "health.livez"}:
        return None
    g.person = None
    g.person = person = who()
    _open(person.scope if person is not None and _finished(person) else None)
    _refuse_foreign()
    if person is None or request.mimetype != "multipart/form-data":
        request.max_content_length = A_FORM
    permission = _permission()
    if permission == OPEN:
        return None
    if person is None:
        return _to_sign_in("accounts.sign_in")
    if not _finished(person):
        return _finish(person)
    if permission == ANYONE_SIGNED_IN or (permission is not None and person.can(permission)):
        return None
    return abort(403)


def _permission() -> str | None:
    """What this request's view asks for. Under the dashboards nothing is open and nothing is merely missing; None is refused."""
    view: Any = None if request.endpoint is None else current_app.view_functions.get(request.endpoint)
    if request.path.startswith(DASHBOARDS):
        declared = permission_of(view) if view is not None else "measures.view"
        return None if declared == OPEN else declared
    return OPEN if view is None else permission_of(view)


def _finished(person: Principal) -> bool:
    return person.place is not None and factor_step(person) is None


def _finish(person: Principal) -> ResponseReturnValue | None:
    """Only the pages of the next step are open to someone who has not finished signing in."""
    step = factor_step(person)
    pages = PLACE_PAGES if step is None else FACTOR_PAGES
    return None if request.endpoint in pages else _to_sign_in(step or "accounts.choose")


def _to_sign_in(step: str) -> ResponseReturnValue:
    """To the page where signing in goes on, if a person is looking at a page; 401 for anything else."""
    if request.method not in SAFE or request.path.startswith(f"{DASHBOARDS}_"):
        abort(401)
    return redirect(url_for(step, next=request.full_path.removesuffix("?")))


def _refuse_foreign() -> None:
    """Refuse to change anything on behalf of another site's page, whatever its token says.

    Browsers send `Origin: null` from pages that keep their address to themselves, as ours do: then
    `Sec-Fetch-Site` tells, and where a browser sends neither the token alone decides.
    """
    if request.method in SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in {"same-origin", "none"}:
            abort(400)
        return
    for header in ("Origin", "Referer"):
        told = request.headers.get(header, "null")
        if told != "null" and urlsplit(told).netloc != request.host:
            abort(400)


def _open(scope: scopes.Scope | None) -> None:
    work = unit_of_work(scope)
    work.__enter__()
    g.unit_of_work = work


def _close(_error: BaseException | None) -> None:
    work = g.pop("unit_of_work", None)
    if work is not None:
        work.__exit__(None, None, None)


def _note_refusal(response: Response) -> Response:
    """Record that someone signed in was refused a page, or asked for something that is not there for them."""
    if response.status_code in REFUSALS and request.endpoint and scopes.maybe() is not None and _permission() != OPEN:
        ids = sorted(str(one) for one in (request.view_args or {}).values() if isinstance(one, UUID))
        record_alone(DENIED, None, endpoint=request.endpoint, ids=ids, status=response.status_code)
    return response


def _school_names() -> Mapping[UUID, str]:
    return {school.id: school.name for school in schools()}


def _page_context() -> dict[str, object]:
    """What the layout knows of who reads. Never asks the database: an error page must not fail for want of it."""
    person: Principal | None = g.get("person")
    place = person.place if person is not None and _finished(person) else None
    return {
        "portal": PageContext(
            authority_name=place.authority_name if place else None,
            person_name=person.name if person else None,
            role=place.role if place else None,
            demonstration=bool(current_app.config["DEMONSTRATION"]),
            can=person.can if person and place else (lambda _permission: False),
        )
    }
