"""Support for tests of signing in: an app with guarded pages, users with passwords, stored rows."""

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

from portal.accounts import routes as accounts
from portal.accounts.actions import people as people_actions
from portal.accounts.actions import second_factors as second_factor_actions
from portal.accounts.actions import sign_ins as sign_in_actions
from portal.accounts.domain import second_factor
from portal.accounts.domain.passwords import hash_password
from portal.accounts.models import Credential, Mail, Person, SignIn
from portal.accounts.queries.principals import command_line_scope, principal_by_token
from portal.audit.models import AuditEvent, ReadLog
from portal.db.work import sign_in_rights, tx, unit_of_work
from portal.platform import clock
from portal.schools.queries import school
from portal.security import gate
from portal.security.permissions import LA_ROLES, Role, for_anyone_signed_in, needs
from portal.web import errors, headers, templating
from portal.web import routes as web
from tests.support.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from config.settings import Settings
    from tests.support.browser import Page
    from tests.support.world import AuthorityWorld

R = TypeVar("R")

PASSWORD = "heron lantern gravel"
OTHER_PASSWORD = "otter velvet trumpet"
WRONG_PASSWORD = "not the one at all"

cached_hash = cache(hash_password)


@cache
def make_app(settings: Settings, *, demo: bool = False, proxies: int = 0) -> Flask:
    """An app with the gate, accounts and web, wired as in `portal.app`, and the pages of `_guarded`."""
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
    templating.init_app(app)
    errors.init_app(app)
    headers.init_app(app)
    gate.init_app(app, demonstration=demo)
    for blueprint in (web.bp, accounts.bp, _guarded()):
        app.register_blueprint(blueprint)
    gate.refuse_undeclared(app)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0)  # type: ignore[method-assign]  # Flask's way
    return app


def _guarded() -> Blueprint:
    """Pages that need a role, a school in scope, or any sign-in, and a callback below /dashboards/."""
    bp = Blueprint("guarded", __name__)

    @bp.get("/guarded/people")
    @needs("people.manage")
    def by_role() -> str:
        return _page("For administrators")

    @bp.get("/guarded/schools/<uuid:school_id>")
    @needs("schools.view")
    def by_school(school_id: UUID) -> str:
        details = school(school_id)
        return _page(details.name) if details is not None else abort(404)

    @bp.get("/guarded/download")
    @for_anyone_signed_in
    def download() -> tuple[str, dict[str, str]]:
        return "a,b\n", {"Content-Type": "text/csv"}

    @bp.post("/dashboards/_dash-update-component")
    @needs("measures.view")
    def callback() -> dict[str, str]:
        return {"figure": "drawn"}

    return bp


def _page(heading: str) -> str:
    return render_template_string("{% extends 'layout.html' %}{% block h1 %}{{ heading }}{% endblock %}", heading=heading)


@dataclass(frozen=True)
class User:
    """A person with a password, and the secret of their authenticator app if they set one up."""

    id: UUID
    membership: UUID
    email: str
    secret: str | None = None

    def code(self) -> str:
        """The six digits their app shows now."""
        assert self.secret is not None
        return pyotp.TOTP(self.secret).at(clock.now())


def add_user(authority: AuthorityWorld, role: Role = Role.LA_OFFICER, *, email: str = "officer@council.example") -> User:
    """Add a person with this role and `PASSWORD`, without a second factor."""
    schools = frozenset({authority.primary}) if role not in LA_ROLES and role is not Role.PARTNER else frozenset()
    with unit_of_work(command_line_scope(authority.id)):
        person = people_actions.add_person("Ann Officer", email, password_hash=cached_hash(PASSWORD))
        membership = people_actions.add_membership(person.id, role, school_ids=schools)
        return User(person.id, membership.id, email)


def with_authenticator(user: User, authority: AuthorityWorld, app: Flask) -> User:
    """The same user with an authenticator app.

    Set up ten minutes ago, because setting it up uses a code and the current one must still work.
    """
    secret = pyotp.random_base32()
    with clock.frozen_at(clock.now() - timedelta(minutes=10)), unit_of_work(command_line_scope(authority.id)):
        person = principal_by_token(sign_in_actions.begin(user.id, "Set-up"))
        assert person is not None
        code = pyotp.TOTP(secret).at(clock.now())
        token_and_codes = second_factor_actions.set_up_factor(
            person.sign_in_id, secret, code, second_factor.derive_keys(str(app.secret_key))
        )
        assert token_and_codes is not None
        sign_in_actions.end_other_sign_ins(user.id, "set-up")
    return replace(user, secret=secret)


def new_browser(app: Flask, address: str = "192.0.2.10") -> Browser:
    """A browser without cookies, at this network address."""
    browser = Browser(app.test_client())
    browser.client.environ_base["REMOTE_ADDR"] = address
    return browser


def enter_password(browser: Browser, email: str, password: str = PASSWORD, *, status: int = 200, target: str = "") -> Page:
    """Send the sign-in form. `target` is the page to go to afterwards."""
    path = f"/sign-in?next={target}" if target else "/sign-in"
    return browser.post(path, {"email": email, "password": password}, status=status, token_from=path)


def sign_in(browser: Browser, user: User, password: str = PASSWORD) -> Page:
    """Sign in with the password, and with the code of the app if the user has one."""
    page = enter_password(browser, user.email, password)
    return browser.post("/second-factor", {"code": user.code()}) if user.secret else page


def cookie(browser: Browser) -> str:
    """The value of the browser's session cookie."""
    session_cookie = browser.client.get_cookie("portal")
    return session_cookie.value if session_cookie else ""


def give_cookie(browser: Browser, value: str) -> None:
    """Set the browser's session cookie."""
    browser.client.set_cookie("portal", value)


def _detached(rows: Iterable[R]) -> list[R]:
    """Rows that can be read after their unit of work has ended."""
    row_list = list(rows)
    tx().expunge_all()
    return row_list


def mails() -> list[Mail]:
    """Every queued message, oldest first."""
    with unit_of_work(None):
        return _detached(tx().scalars(select(Mail).order_by(Mail.created_at, Mail.subject)))


def latest_mail(subject: str) -> Mail:
    """The newest message with this subject."""
    return [mail for mail in mails() if mail.subject == subject][-1]


def link_path(mail: Mail) -> str:
    """The path of the link in a message."""
    link = re.search(r"https://portal\.example(/\S+)", mail.body or "")
    assert link is not None
    return link[1]


def events(authority_id: UUID, name: str) -> list[AuditEvent]:
    """The events of this name in an authority's audit chain."""
    with unit_of_work(command_line_scope(authority_id)):
        return _detached(tx().scalars(select(AuditEvent).where(AuditEvent.event == name).order_by(AuditEvent.sequence)))


def denied(authority_id: UUID) -> list[ReadLog]:
    """The refused pages in an authority's log of reads."""
    with unit_of_work(command_line_scope(authority_id)):
        return _detached(tx().scalars(select(ReadLog).where(ReadLog.event == "access.denied").order_by(ReadLog.id)))


def person_row(person_id: UUID) -> Person:
    """A person's row."""
    with sign_in_rights(), unit_of_work(None):
        return _detached([tx().get_one(Person, person_id)])[0]


def credential_row(person_id: UUID) -> Credential:
    """A person's password and second factor, as they are stored."""
    with sign_in_rights(), unit_of_work(None):
        return _detached([tx().get_one(Credential, person_id)])[0]


def live_sign_ins(person_id: UUID) -> int:
    """How many sign-ins of a person are open."""
    with sign_in_rights(), unit_of_work(None):
        return len(tx().scalars(select(SignIn.id).where(SignIn.person_id == person_id, SignIn.ended_at.is_(None))).all())
