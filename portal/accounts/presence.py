"""Presence: who is signed in to this request, the token their cookie holds, and what the request says of where it comes from."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import current_app, request, session, url_for
from flask_login import current_user
from werkzeug.exceptions import HTTPException

from portal.accounts import second_factor
from portal.accounts.queries import Principal
from portal.accounts.visitors import Visitor, device_in_words
from portal.db import tx, unit_of_work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portal.scope import Scope

TOKEN = "sign-in"  # noqa: S105  the name of the cookie's field, not a secret

#: Where the cookie holds what a link's token was traded for.
RESET, INVITATION = "reset", "invitation"


def who() -> Principal | None:
    """The person signed in to this request, if any."""
    found = getattr(current_user, "principal", None)
    return found if isinstance(found, Principal) else None


def here() -> Principal:
    """The person signed in to this request, where the gate lets nobody else in.

    Raises:
        LookupError: when there is none.
    """
    person = who()
    if person is None:
        message = "Nobody is signed in to this request."
        raise LookupError(message)
    return person


def factor_step(person: Principal) -> str | None:
    """The page on which this person has yet to prove or set up a second factor; None when there is nothing left to prove."""
    if person.second_factor_done or not current_app.config["SECOND_FACTOR_REQUIRED"]:
        return None
    return "accounts.second_factor" if person.has_second_factor else "accounts.set_up_second_factor"


def remember(token: str) -> None:
    """Put a new token in the browser's cookie, in place of whatever the cookie held but an invitation in hand."""
    invitation = session.get(INVITATION)
    session.clear()
    session[TOKEN] = token
    if invitation is not None:
        session[INVITATION] = invitation


@contextmanager
def door(scope: Scope | None) -> Iterator[None]:
    """A unit of work in another scope than the request's: for signing in, and for entering a place.

    The request's own connection goes back first, so that a request never holds two.
    """
    tx().rollback()
    with unit_of_work(scope):
        yield


def visitor() -> Visitor:
    """Where this request comes from. The address is the one the trusted proxies give, and no other header's."""
    return Visitor(request.remote_addr or "unknown", device_in_words(request.user_agent.string), _secret())


def key() -> bytes:
    """The key second-factor secrets are kept under."""
    return second_factor.key_from(_secret())


def _secret() -> str:
    return str(current_app.secret_key)


def link_to(endpoint: str) -> Callable[[str], str]:
    """What makes a link of a token, on the portal's own address and never on a request's Host header."""
    address: str = current_app.config["PORTAL"].address
    return lambda token: f"{address}{url_for(endpoint, token=token)}"


def local_page(wanted: str | None) -> str:
    """The page to go on to: `wanted` when it is the address of one of our own pages, or the first page."""
    start = url_for("web.home")
    if not wanted or not wanted.startswith("/") or not wanted.isprintable() or "\\" in wanted:
        return start
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or parts.path.startswith("//"):
        return start
    try:
        endpoint, _ = current_app.url_map.bind("").match(parts.path, method="GET")
    except HTTPException:
        return start
    return start if endpoint == "web.static" else wanted
