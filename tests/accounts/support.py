"""What tests of signing in stand on: a portal that is no demonstration, with a few pages to guard, and people with passwords."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, TypeVar

import pyotp
from flask import Blueprint, Flask, abort, render_template_string
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import select
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import clock, gate
from portal.accounts import actions, second_factor
from portal.accounts import routes as accounts
from portal.accounts.models import Mail, Person, SignIn
from portal.accounts.passwords import hash_password
from portal.accounts.queries import command_line, principal
from portal.audit.models import AuditEvent
from portal.db import tx, unit_of_work
from portal.permissions import LA_ROLES, Role, for_anyone_signed_in, needs
from portal.schools.queries import school
from portal.web import errors, headers, pages
from portal.web import routes as web
from tests.support.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from config.settings import Settings
    from tests.support.browser import Page
    from tests.support.world import Place

R = TypeVar("R")

PASSWORD = "heron lantern gravel"
OTHER_PASSWORD = "otter velvet trumpet"
WRONG_PASSWORD = "not the one at all"

cached_hash = cache(hash_password)


@cache
def portal(settings: Settings, *, demo: bool = False, proxies: int = 0) -> Flask:
    """The gate, accounts and web, wired as the application wires them, and the pages of `_guarded`."""
    app = Flask("portal", static_folder=None)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        PORTAL=replace(settings, public_url="https://portal.example"),
        SESSION_COOKIE_NAME="portal",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_FORM_MEMORY_SIZE=1_000_000,
        WTF_CSRF_TIME_LIMIT=None,
        TESTING=True,
    )
    CSRFProtect(app)
    pages.init_app(app)
    errors.init_app(app)
    headers.init_app(app)
    gate.init_app(app, second_factor_required=not demo, demonstration=demo)
    for blueprint in (web.bp, accounts.bp, _guarded()):
        app.register_blueprint(blueprint)
    gate.refuse_undeclared(app)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0)  # type: ignore[method-assign]  # Flask's way
    return app


def _guarded() -> Blueprint:
    """A page by role, a page by school, a download, and a callback under the dashboards."""
    bp = Blueprint("guarded", __name__)

    @bp.get("/guarded/people")
    @needs("people.manage")
    def by_role() -> str:
        return _page("Kept by administrators")

    @bp.get("/guarded/schools/<uuid:school_id>")
    @needs("schools.view")
    def by_school(school_id: UUID) -> str:
        found = school(school_id)
        return _page(found.name) if found is not None else abort(404)

    @bp.get("/guarded/download")
    @for_anyone_signed_in
    def download() -> tuple[str, dict[str, str]]:
        return "a,b\n", {"Content-Type": "text/csv"}

    @bp.post("/dashboards/_dash-update-component")
    @needs("measures.view")
    def callback() -> dict[str, str]:
        return {"figure": "drawn"}

    return bp


def _page(words: str) -> str:
    return render_template_string("{% extends 'layout.html' %}{% block h1 %}{{ words }}{% endblock %}", words=words)


@dataclass(frozen=True)
class User:
    """A person with a password, and the secret of their authenticator app if they have one."""

    id: UUID
    membership: UUID
    email: str
    secret: str | None = None

    def code(self) -> str:
        """What their app shows now."""
        assert self.secret is not None
        return pyotp.TOTP(self.secret).at(clock.now())


def someone(place: Place, role: Role = Role.LA_OFFICER, *, email: str = "officer@council.example") -> User:
    """A person of this role with `PASSWORD` and no second factor yet."""
    schools = frozenset({place.primary}) if role not in LA_ROLES and role is not Role.PARTNER else frozenset()
    with unit_of_work(command_line(place.id)):
        person = actions.add_person("Ann Officer", email, password_hash=cached_hash(PASSWORD))
        membership = actions.add_membership(person.id, role, school_ids=schools)
        return User(person.id, membership.id, email)


def with_authenticator(one: User, place: Place, app: Flask) -> User:
    """The same person with an authenticator app, set up ten minutes ago."""
    secret = pyotp.random_base32()
    with clock.at(clock.now() - timedelta(minutes=10)), unit_of_work(command_line(place.id)):
        begun = principal(actions.begin(one.id, "Set-up"))
        assert begun is not None
        code = pyotp.TOTP(secret).at(clock.now())
        done = actions.set_up_factor(begun.sign_in_id, secret, code, second_factor.derive_key(str(app.secret_key)))
        assert done is not None
        actions.end_other_sign_ins(one.id, "set-up")
    return replace(one, secret=secret)


def browser(app: Flask, address: str = "192.0.2.10") -> Browser:
    """A browser at a network address of its own."""
    fresh = Browser(app.test_client())
    fresh.client.environ_base["REMOTE_ADDR"] = address
    return fresh


def enter_password(at: Browser, email: str, password: str = PASSWORD, *, status: int = 200, wanted: str = "") -> Page:
    """Fill in the sign-in page."""
    path = f"/sign-in?next={wanted}" if wanted else "/sign-in"
    return at.post(path, {"email": email, "password": password}, status=status, token_from=path)


def sign_in(at: Browser, one: User, password: str = PASSWORD) -> Page:
    """Sign in with password and code."""
    page = enter_password(at, one.email, password)
    return at.post("/second-factor", {"code": one.code()}) if one.secret else page


def cookie(at: Browser) -> str:
    """The cookie the browser holds."""
    found = at.client.get_cookie("portal")
    return found.value if found else ""


def give_cookie(at: Browser, value: str) -> None:
    """Plant a cookie."""
    at.client.set_cookie("portal", value)


def _kept(rows: Iterable[R]) -> list[R]:
    """Rows to be read after their unit of work has ended."""
    found = list(rows)
    tx().expunge_all()
    return found


def mails() -> list[Mail]:
    """Every message queued, oldest first."""
    with unit_of_work(None):
        return _kept(tx().scalars(select(Mail).order_by(Mail.created_at, Mail.subject)))


def latest_mail(subject: str) -> Mail:
    """The newest message with this subject."""
    return [mail for mail in mails() if mail.subject == subject][-1]


def link_path(mail: Mail) -> str:
    """The path of the link a message holds."""
    found = re.search(r"https://portal\.example(/\S+)", mail.body or "")
    assert found is not None
    return found[1]


def events(place_id: UUID, name: str) -> list[AuditEvent]:
    """The events of this name in an authority's chain."""
    with unit_of_work(command_line(place_id)):
        return _kept(tx().scalars(select(AuditEvent).where(AuditEvent.event == name).order_by(AuditEvent.sequence)))


def person_row(person_id: UUID) -> Person:
    """A person as stored."""
    with unit_of_work(None):
        return _kept([tx().get_one(Person, person_id)])[0]


def live_sign_ins(person_id: UUID) -> int:
    """How many of a person's sign-ins have not been ended."""
    with unit_of_work(None):
        return len(tx().scalars(select(SignIn.id).where(SignIn.person_id == person_id, SignIn.ended_at.is_(None))).all())
