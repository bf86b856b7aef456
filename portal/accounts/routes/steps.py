"""The steps of signing in that several pages share: proving a password, letting in, going on to the next step."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flask import redirect, request, session, url_for

from portal.accounts import actions, passwords
from portal.accounts.presence import INVITATION, TOKEN, door, factor_step, local_page, remember, visitor
from portal.accounts.queries import (
    Account,
    account_by_email,
    before_the_gate,
    folded_email,
    places_of,
    principal,
    scope_of,
)
from portal.db import unit_of_work

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from werkzeug import Response

    from portal.accounts.queries import Place, Principal


#: Longer than asking for a reset ever takes, so that the time tells nobody who has an account.
EVEN = 0.15


@contextmanager
def evened(seconds: float = EVEN) -> Iterator[None]:
    """Take this long, whatever the block does."""
    began = time.monotonic()
    yield
    time.sleep(max(0.0, seconds - (time.monotonic() - began)))


def proved(email: str, password: str) -> Account | None:
    """The account whose email address and password these are; None when they are not, after the same work for known and unknown.

    Raises:
        SlowDownError: when the account or the address has had its tries.
        BusyError: when too many passwords are being checked.
    """
    account = account_by_email(email)
    beside = before_the_gate(account.person_id if account else None)
    with door(beside):
        ticket = actions.admit("password", folded_email(email), visitor())
    kept = account.password_hash if account else None
    if not passwords.is_right(password, kept) or account is None or kept is None:
        return None
    with door(beside):
        actions.settle(ticket)
        if passwords.is_outdated(kept):
            actions.renew_hash(account.person_id, passwords.hash_of(password))
    return account


def let_in(person_id: UUID) -> Response:
    """Start a sign-in for someone who has proved who they are, and go on."""
    with door(before_the_gate(person_id)):
        remember(actions.begin(person_id, visitor().device))
    return go_on()


def go_on(wanted: str | None = None) -> Response:
    """To the next step of signing in, carrying the page first asked for; to that page when no step is left."""
    wanted = wanted or request.args.get("next")
    with unit_of_work(None):
        person = principal(session.get(TOKEN, ""))
        places = places_of(person.person_id) if person else []
    if person is None:
        return redirect(url_for("accounts.sign_in", next=wanted))
    step = factor_step(person)
    if step is not None:
        return redirect(url_for(step, next=wanted))
    if person.place is None and len(places) == 1:
        enter(person, places[0])
    elif not places and INVITATION in session:
        return redirect(url_for("accounts.accept_invitation"))
    elif person.place is None:
        return redirect(url_for("accounts.choose", next=wanted))
    return redirect(local_page(wanted))


def enter(person: Principal, place: Place) -> None:
    """Act through this place from now on, recorded in its own authority."""
    how = "switch" if person.place is not None else "demonstration" if person.demonstration else "password"
    with door(scope_of(place, person.person_id)):
        remember(actions.enter(person.sign_in_id, place.membership_id, how))
