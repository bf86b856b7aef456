"""Actions on passwords. Only the owner can change a password: with the old one, or by a mailed link."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import select, update

from portal.accounts.actions.mail import send_mail
from portal.accounts.actions.sign_ins import end_other_sign_ins, renew
from portal.accounts.actions.whole_people import record_for_whole_person, refuse_unless_whole_person_in_reach
from portal.accounts.events import CHANGED, HASH_RENEWED, RESET_DONE, RESET_OPENED, RESET_SENT
from portal.accounts.models import Credential, PasswordReset, Person
from portal.accounts.queries.principals import hash_token, is_unused
from portal.audit.actions import record
from portal.db.work import action, needs_sign_in_rights, tx
from portal.platform import clock
from portal.platform.refusals import must_exist

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

RESET_LIFETIME = timedelta(hours=1)


@needs_sign_in_rights
@action
def send_reset(person_id: UUID, link_for: Callable[[str], str]) -> None:
    """Mail a person a link to choose a new password. It works once, within one hour.

    Earlier links go on working until one is used: a stranger who asks again and again would otherwise end each link
    before its owner has read the mail. `link_for` builds the link from a token. A suspended person gets a message
    that says so, and no link.

    Raises:
        NotFoundError: when there is no such person.
    """
    person = must_exist(tx().get(Person, person_id))
    record(RESET_SENT, person_id)
    if person.disabled_at is not None or is_unused(person):
        send_mail(person.email, "Your account is suspended", _SUSPENDED_MAIL)
        return
    token, now = secrets.token_urlsafe(32), clock.now()
    reset = PasswordReset(
        id=uuid4(), person_id=person_id, token_hash=hash_token(token), created_at=now, expires_at=now + RESET_LIFETIME
    )
    tx().add(reset)
    send_mail(person.email, "Choose a new password", _RESET_MAIL.format(link=link_for(token)))


@action
def send_reset_for_colleague(person_id: UUID, link_for: Callable[[str], str]) -> None:
    """Mail a person whom the actor manages a link to choose a new password.

    Raises:
        NotFoundError: when there is no such person.
        RefusedError: when the person has a role outside the actor's reach.
    """
    refuse_unless_whole_person_in_reach(person_id)
    send_reset(person_id, link_for)


@needs_sign_in_rights
@action
def exchange_reset(token: str) -> str | None:
    """Exchange the token of a reset link for a new one, which goes into this browser's cookie.

    The link stops working, so that a copy of it in a mailbox, a history or a log opens nothing. Returns None
    when it had stopped already.
    """
    reset = _open_reset(token)
    if reset is None:
        return None
    browser_token = secrets.token_urlsafe(32)
    reset.token_hash = hash_token(browser_token)
    record(RESET_OPENED, reset.person_id)
    return browser_token


@needs_sign_in_rights
@action
def finish_reset(browser_token: str, password_hash: str) -> bool:
    """Store the new password of the person whose reset this token belongs to.

    Every sign-in of the person ends and they are told by mail. Returns False when the hour is over or the
    token was used. The second factor is still asked at the next sign-in.
    """
    reset = _open_reset(browser_token)
    if reset is None:
        return False
    person = tx().get_one(Person, reset.person_id, with_for_update=True)
    every_link = update(PasswordReset).where(PasswordReset.person_id == person.id, PasswordReset.used_at.is_(None))
    tx().execute(every_link.values(used_at=clock.now()))
    _credential(person.id).password_hash = password_hash
    record_for_whole_person(RESET_DONE, person.id)
    end_other_sign_ins(person.id, "password reset")
    send_mail(person.email, "Your password was changed", _CHANGED_MAIL)
    return True


@needs_sign_in_rights
@action
def change_password(person_id: UUID, sign_in_id: UUID, password_hash: str) -> str:
    """Store a new password for a person who has just given the old one.

    The person's other sign-ins end and they are told by mail. Returns the new token of this sign-in.
    """
    _credential(person_id).password_hash = password_hash
    record_for_whole_person(CHANGED, person_id)
    end_other_sign_ins(person_id, "password changed", keep=sign_in_id)
    send_mail(tx().get_one(Person, person_id).email, "Your password was changed", _CHANGED_MAIL)
    return renew(sign_in_id)


@needs_sign_in_rights
@action
def renew_hash(person_id: UUID, password_hash: str) -> None:
    """Store a hash of the same password that was made with the current setting."""
    _credential(person_id).password_hash = password_hash
    record(HASH_RENEWED, person_id)


def _credential(person_id: UUID) -> Credential:
    """A person's password and factor, locked until the commit."""
    return tx().get_one(Credential, person_id, with_for_update=True)


def _open_reset(token: str) -> PasswordReset | None:
    return tx().scalar(
        select(PasswordReset)
        .where(PasswordReset.token_hash == hash_token(token), PasswordReset.used_at.is_(None))
        .where(PasswordReset.expires_at > clock.now())
        .with_for_update()
    )


_RESET_MAIL = """Someone asked for a new password for your account in the attendance portal.

To choose one, open this address within one hour. It works once:

{link}

If you did not ask for it, you do not need to do anything.
"""

_SUSPENDED_MAIL = """Someone asked for a new password for your account in the attendance portal.

Your account is suspended, because it was not used for 90 days. Ask your administrator to open it again.
"""

_CHANGED_MAIL = """The password of your account in the attendance portal was changed. Your other sign-ins were ended.

If this was not you, tell your administrator at once.
"""
