"""The person signed in to this request, their cookie's token, and the client that sends it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import current_app, request, session, url_for
from flask_login import current_user
from werkzeug.exceptions import HTTPException

from portal.accounts.domain import second_factor
from portal.accounts.domain.clients import Client, device_in_words
from portal.accounts.queries.principals import Principal, has_real_authority
from portal.db.work import tx, unit_of_work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portal.accounts.domain.second_factor import SealingKeys
    from portal.security.scope import Scope

TOKEN = "sign-in"  # noqa: S105  the name of the cookie's field, not a secret

#: The cookie's fields for the token of a password reset and of an invitation that this browser opened.
RESET, INVITATION = "reset", "invitation"


def current_principal() -> Principal | None:
    """The person signed in to this request, or None."""
    principal = getattr(current_user, "principal", None)
    return principal if isinstance(principal, Principal) else None


def require_principal() -> Principal:
    """The person signed in to this request. For views the gate opens only to people who are signed in.

    Raises:
        RuntimeError: when nobody is signed in.
    """
    person = current_principal()
    if person is None:
        message = "Nobody is signed in to this request."
        raise RuntimeError(message)
    return person


def second_factor_page(person: Principal) -> str | None:
    """The page for entering or setting up the second factor; None when that is done.

    Only the demonstration's own people need none. Anyone else who is found in its database is asked.
    """
    if person.second_factor_done or (person.demonstration and current_app.config["DEMONSTRATION"]):
        return None
    return "accounts.second_factor" if person.has_second_factor else "accounts.set_up_second_factor"


def is_demonstration_open() -> bool:
    """May anyone sign in as the demonstration's people? Never beside a real authority, however it came there."""
    return bool(current_app.config["DEMONSTRATION"]) and not has_real_authority()


def set_session_token(token: str) -> None:
    """Put a new sign-in token in the browser's cookie. Everything else in it is dropped, except an open invitation."""
    invitation = session.get(INVITATION)
    session.clear()
    session[TOKEN] = token
    if invitation is not None:
        session[INVITATION] = invitation


@contextmanager
def in_scope(scope: Scope | None) -> Iterator[None]:
    """A unit of work in another scope than the request's, for signing in and for choosing a membership."""
    # The request's own connection goes back to the pool first. A request that held two could wait for the second
    # while every other request does the same, and none would go on.
    tx().rollback()
    with unit_of_work(scope):
        yield


def request_client() -> Client:
    """The client of this request. Its address comes from the trusted proxies alone, never from another header."""
    return Client(request.remote_addr or "unknown", device_in_words(request.user_agent.string), _secret())


def sealing_key() -> SealingKeys:
    """The keys of second-factor secrets: one that encrypts, and earlier ones that open."""
    return second_factor.derive_keys(_secret(), *current_app.config["PORTAL"].earlier_secret_keys)


def _secret() -> str:
    return str(current_app.secret_key)


def link_builder(endpoint: str) -> Callable[[str], str]:
    """A function that builds the link of a token.

    Links begin with the configured address. The request's Host header is chosen by the sender: with it, a stranger
    could have a reset link mailed that leads to a site of their own.
    """
    address: str = current_app.config["PORTAL"].address
    return lambda token: f"{address}{url_for(endpoint, token=token)}"


def local_page(target: str | None) -> str:
    """The target if it is the address of a page of this portal, else the start page.

    `target` comes from the address bar. Redirecting to any address would lend the portal's name to a false sign-in page.
    """
    start = url_for("web.home")
    # Browsers read a backslash as a slash and drop tabs and line breaks, so "/\evil.example" leads to another site.
    if not target or not target.startswith("/") or not target.isprintable() or "\\" in target:
        return start
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or parts.path.startswith("//"):
        return start
    try:
        endpoint, _ = current_app.url_map.bind("").match(parts.path, method="GET")
    except HTTPException:
        return start
    return start if endpoint == "web.static" else target
