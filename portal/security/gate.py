"""The gate: every request passes here once.

It finds out who is signed in, opens their scope, checks the permission the view declares, and refuses by default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin

from portal import capabilities
from portal.accounts.actions.sign_ins import mark_used
from portal.accounts.current_user import TOKEN, current_principal, second_factor_page
from portal.accounts.queries.people import names_of_memberships
from portal.accounts.queries.principals import Principal, principal_by_token
from portal.audit.actions import record_alone
from portal.audit.events import event
from portal.audit.queries import MEMBER_NAMES
from portal.db.work import sign_in_rights, unit_of_work
from portal.schools.queries import schools
from portal.security import scope as scopes
from portal.security.permissions import ANYONE_SIGNED_IN, OPEN, PERMISSIONS, permission_of
from portal.web.hosts import refuse_wrong_host
from portal.web.templating import SCHOOL_NAMES, PageContext

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

__all__ = ["TOKEN", "UndeclaredViewError", "current_principal", "init_app", "refuse_undeclared"]

DENIED = event(
    "access.denied",
    "Access refused",
    "endpoint",
    "ids",
    "status",
)

#: The pages open to a person who still has to prove a second factor, and to one who still has to choose a membership.
FACTOR_PAGES = frozenset({"accounts.second_factor", "accounts.recover", "accounts.set_up_second_factor"})
PLACE_PAGES = frozenset({"accounts.choose", "accounts.switch"})
DASHBOARDS = "/dashboards/"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: The most bytes of a request that is no upload by a person signed in. Flask's own limit on forms covers multipart ones only.
MAX_FORM_BYTES = 1_000_000
RECORDED_STATUSES = frozenset({403, 404})


class SignedIn(UserMixin):
    """Flask-Login's user: the principal, for the length of one request."""

    def __init__(self, principal: Principal) -> None:
        """Wrap the principal read for this request."""
        self.principal = principal
        self.id = str(principal.person_id)


class UndeclaredViewError(RuntimeError):
    """A view does not declare who may use it."""


def init_app(app: Flask, *, demonstration: bool) -> None:
    """Put the gate before every view of `app`, and open a unit of work around each request."""
    login = LoginManager()
    login.init_app(app)
    # Flask-Login's own protection ties a sign-in to address and browser; ours lives in the database and is checked there.
    login.session_protection = None
    login.request_loader(lambda _request: _signed_in())
    app.config["DEMONSTRATION"] = demonstration
    app.extensions[SCHOOL_NAMES] = _school_names
    app.extensions[MEMBER_NAMES] = names_of_memberships
    # Inserted first, not registered: extensions such as CSRFProtect add functions of their own, and one of them running
    # before the gate would read a form before its size is limited, or answer a request nobody has judged.
    app.before_request_funcs.setdefault(None, []).insert(0, _judge)
    app.after_request(_record_refusal)
    app.teardown_request(_close_unit_of_work)
    app.context_processor(_page_context)


def refuse_undeclared(app: Flask) -> None:
    """Refuse to start an app that has a view without a declared permission.

    Raises:
        UndeclaredViewError: naming the views.
    """
    declared = {OPEN, ANYONE_SIGNED_IN, *PERMISSIONS}
    undeclared = sorted(name for name, view in app.view_functions.items() if permission_of(view) not in declared)
    if undeclared:
        raise UndeclaredViewError(f"These views need no permission that a capability declares: {', '.join(undeclared)}.")


def _signed_in() -> SignedIn | None:
    token = session.get(TOKEN)
    if not isinstance(token, str):
        return None
    with sign_in_rights(), unit_of_work(None):
        signed_in = principal_by_token(token)
        if signed_in is not None:
            mark_used(signed_in.sign_in_id)
    # Anyone can be one of the demonstration's people, so they are nobody where there is anything real.
    if signed_in is None or (
        signed_in.demonstration and (signed_in.beside_real_authority or not current_app.config["DEMONSTRATION"])
    ):
        return None
    return SignedIn(signed_in)


def _judge() -> ResponseReturnValue | None:
    """Judge this request: open the unit of work in the person's scope, or turn it away."""
    refuse_wrong_host()
    # These two must answer while the database is away.
    if request.endpoint in {"web.static", "health.livez"}:
        return None
    g.person = None
    g.person = person = current_principal()
    _open_unit_of_work(person.scope if person is not None and _has_finished_sign_in(person) else None)
    _refuse_foreign_origin()
    if person is None or request.mimetype != "multipart/form-data":
        request.max_content_length = MAX_FORM_BYTES
    permission = _required_permission()
    if permission == OPEN:
        return None
    if person is None:
        return _to_sign_in("accounts.sign_in")
    if not _has_finished_sign_in(person):
        return _next_step(person)
    if permission == ANYONE_SIGNED_IN or (permission is not None and person.can(permission)):
        return None
    return abort(403)


def _required_permission() -> str | None:
    """The permission this request needs; None means refuse."""
    view: Any = None if request.endpoint is None else current_app.view_functions.get(request.endpoint)
    # Dash registers views of its own. Below its prefix an unknown path still needs a permission, and a view that says it is
    # open counts as undeclared, so that nothing Dash adds can be reached without signing in.
    if request.path.startswith(DASHBOARDS):
        declared = permission_of(view) if view is not None else "measures.view"
        return None if declared == OPEN else declared
    return OPEN if view is None else permission_of(view)


def _has_finished_sign_in(person: Principal) -> bool:
    return person.membership is not None and second_factor_page(person) is None


def _next_step(person: Principal) -> ResponseReturnValue | None:
    """Let a person who has not finished signing in reach the pages of the next step only."""
    step = second_factor_page(person)
    pages = PLACE_PAGES if step is None else FACTOR_PAGES
    return None if request.endpoint in pages else _to_sign_in(step or "accounts.choose")


def _to_sign_in(step: str) -> ResponseReturnValue:
    """Redirect a page to the sign-in page `step`; answer 401 to anything else.

    A redirected POST or Dash callback would show its caller a sign-in page in place of its answer.
    """
    if request.method not in SAFE or request.path.startswith(f"{DASHBOARDS}_"):
        abort(401)
    return redirect(url_for(step, next=request.full_path.removesuffix("?")))


def _refuse_foreign_origin() -> None:
    """Refuse a change that another site's page asks for, even with a valid token.

    Our pages hide their address, and browsers then send `Origin: null`; so `Sec-Fetch-Site` is read first. Where a
    browser sends neither header, the token alone decides.
    """
    if request.method in SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in {"same-origin", "none"}:
            abort(400)
        return
    for header in ("Origin", "Referer"):
        origin = request.headers.get(header, "null")
        if origin != "null" and urlsplit(origin).netloc != request.host:
            abort(400)


def _open_unit_of_work(scope: scopes.Scope | None) -> None:
    work = unit_of_work(scope)
    work.__enter__()
    g.unit_of_work = work


def _close_unit_of_work(_error: BaseException | None) -> None:
    work = g.pop("unit_of_work", None)
    if work is not None:
        work.__exit__(None, None, None)


def _record_refusal(response: Response) -> Response:
    """Record that a person signed in was refused a page, or asked for a record outside their scope."""
    if (
        response.status_code in RECORDED_STATUSES
        and request.endpoint
        and scopes.current_or_none() is not None
        and _required_permission() != OPEN
    ):
        ids = sorted(str(value) for value in (request.view_args or {}).values() if isinstance(value, UUID))
        record_alone(DENIED, None, endpoint=request.endpoint, ids=ids, status=response.status_code)
    return response


def _school_names() -> Mapping[UUID, str]:
    return {school.id: school.name for school in schools()}


def _page_context() -> dict[str, object]:
    """The layout's facts about the reader. It asks nothing of the database: an error page must work without one."""
    person: Principal | None = g.get("person")
    membership = person.membership if person is not None and _has_finished_sign_in(person) else None
    return {
        "portal": PageContext(
            authority_name=membership.authority_name if membership else None,
            person_name=person.name if person else None,
            role=membership.role if membership else None,
            demonstration=bool(current_app.config["DEMONSTRATION"]),
            navigation=capabilities.navigation(),
            main_tasks=capabilities.main_tasks(),
            pupil_tabs=capabilities.pupil_tabs(),
            can=person.can if person and membership else (lambda *_question: False),
        )
    }
