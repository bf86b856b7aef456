"""Passwords change here only by their owner's hand: with the old one, or with a link sent to their own address."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import select, update

from portal import clock
from portal.accounts.actions.mail import send_mail
from portal.accounts.actions.sign_ins import end_others, renew
from portal.accounts.models import PasswordReset, Person
from portal.accounts.queries import hashed, is_unused
from portal.audit.actions import record
from portal.audit.events import event
from portal.db import action, tx

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

RESET_LASTS = timedelta(hours=1)

RESET_SENT = event("password.reset_sent", "A link to choose a new password was sent")
RESET_OPENED = event("password.reset_opened", "A link to choose a new password was opened")
RESET_DONE = event("password.reset", "Someone chose a new password by a link")
CHANGED = event("password.changed", "Someone changed their password")
HASH_RENEWED = event("password.hash_renewed", "A password's hash was made again with the present setting")


@action
def send_reset(person_id: UUID, address_of: Callable[[str], str]) -> None:
    """Send a person a link, good for one hour and once; earlier links stop working. `address_of` makes the link of a token.

    A suspended person is sent word of it and no link.

    Raises:
        LookupError: when there is no such person.
    """
    person = tx().get(Person, person_id)
    if person is None:
        raise LookupError(person_id)
    record(RESET_SENT, person_id)
    if person.disabled_at is not None or is_unused(person):
        send_mail(person.email, "Your account is suspended", _SUSPENDED)
        return
    token, now = secrets.token_urlsafe(32), clock.now()
    earlier = update(PasswordReset).where(PasswordReset.person_id == person_id, PasswordReset.used_at.is_(None))
    tx().execute(earlier.values(used_at=now))
    tx().add(PasswordReset(id=uuid4(), person_id=person_id, token_hash=hashed(token), created_at=now, expires_at=now + RESET_LASTS))
    send_mail(person.email, "Choose a new password", _LINK.format(link=address_of(token)))


@action
def exchange_reset(token: str) -> str | None:
    """Trade a link's token for one that only this browser holds; the link is dead from now on. None when it was already."""
    reset = _open_reset(token)
    if reset is None:
        return None
    held = secrets.token_urlsafe(32)
    reset.token_hash = hashed(held)
    record(RESET_OPENED, reset.person_id)
    return held


@action
def finish_reset(held: str, password_hash: str) -> bool:
    """Keep the new password of whoever holds the exchanged token, once; every sign-in of theirs ends and they are told.

    Returns False when the hour is over or the link was used. The second factor is still asked at the next sign-in.
    """
    reset = _open_reset(held)
    if reset is None:
        return False
    person = tx().get_one(Person, reset.person_id, with_for_update=True)
    reset.used_at, person.password_hash = clock.now(), password_hash
    record(RESET_DONE, person.id)
    end_others(person.id, "password reset")
    send_mail(person.email, "Your password was changed", _WAS_CHANGED)
    return True


@action
def change_password(person_id: UUID, sign_in_id: UUID, password_hash: str) -> str:
    """Keep a new password for someone who has just proved the old one; other sign-ins end, they are told.

    Returns the new token of the sign-in that goes on.
    """
    tx().get_one(Person, person_id, with_for_update=True).password_hash = password_hash
    record(CHANGED, person_id)
    end_others(person_id, "password changed", keep=sign_in_id)
    send_mail(tx().get_one(Person, person_id).email, "Your password was changed", _WAS_CHANGED)
    return renew(sign_in_id)


@action
def renew_hash(person_id: UUID, password_hash: str) -> None:
    """Keep the same password's hash made with the present setting."""
    tx().get_one(Person, person_id).password_hash = password_hash
    record(HASH_RENEWED, person_id)


def _open_reset(token: str) -> PasswordReset | None:
    return tx().scalar(
        select(PasswordReset)
        .where(PasswordReset.token_hash == hashed(token), PasswordReset.used_at.is_(None))
        .where(PasswordReset.expires_at > clock.now())
        .with_for_update()
    )


_LINK = """Someone asked for a new password for your account in the attendance portal.

To choose one, open this address within one hour. It works once:

{link}

If you did not ask for it, you do not need to do anything.
"""

_SUSPENDED = """Someone asked for a new password for your account in the attendance portal.

Your account is suspended, because it was not used for 90 days. Ask your administrator to open it again.
"""

_WAS_CHANGED = """The password of your account in the attendance portal was changed. Your other sign-ins were ended.

If this was not you, tell your administrator at once.
"""
