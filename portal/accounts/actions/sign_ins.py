"""Actions on sign-ins: start one, choose a membership, note its use, end one or all."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import select, update

from portal.accounts.actions.mail import send_mail
from portal.accounts.actions.whole_people import record_for_whole_person, refuse_unless_whole_person_in_reach
from portal.accounts.events import SIGNED_IN, SIGNED_OUT, SIGNED_OUT_EVERYWHERE
from portal.accounts.models import Membership, Person, SignIn
from portal.accounts.queries.principals import hash_token
from portal.audit.actions import record
from portal.db.work import action, needs_sign_in_rights, tx
from portal.platform import clock
from portal.platform.refusals import NotFoundError, must_exist

if TYPE_CHECKING:
    from uuid import UUID

SEEN_INTERVAL = timedelta(minutes=1)


@needs_sign_in_rights
@action
def begin(person_id: UUID, device: str) -> str:
    """Start a sign-in for a person whose password was right. It has no membership and no second factor yet.

    Returns the token for the cookie; the database stores only its hash. Not audited here, but when a membership
    is chosen, because only then is it known whose audit chain it belongs to.
    """
    token, now = secrets.token_urlsafe(32), clock.now()
    tx().add(SignIn(id=uuid4(), token_hash=hash_token(token), person_id=person_id, device=device, created_at=now, seen_at=now))
    return token


@needs_sign_in_rights
@action
def renew(sign_in_id: UUID, *, second_factor: bool = False) -> str:
    """Replace a sign-in's token. The old token stops working at once.

    Done at every change of rights, so that a cookie planted or copied before the change is worth nothing after it.
    `second_factor` notes that the second factor was just passed.

    Raises:
        NotFoundError: when the sign-in has ended.
    """
    sign_in = _open_sign_in(sign_in_id)
    token = secrets.token_urlsafe(32)
    sign_in.token_hash = hash_token(token)
    if second_factor:
        sign_in.second_factor_at = clock.now()
    return token


@needs_sign_in_rights
@action
def enter(sign_in_id: UUID, membership_id: UUID, how: str) -> str:
    """Set the membership a sign-in acts through. Run it in the membership's scope.

    `how` is "password", "demonstration" or "switch". Returns the sign-in's new token.

    Raises:
        NotFoundError: when the sign-in has ended, or the membership is another person's or has ended.
    """
    sign_in = _open_sign_in(sign_in_id)
    membership = tx().get(Membership, membership_id)
    if membership is None or membership.person_id != sign_in.person_id or membership.ended_at is not None:
        raise NotFoundError(membership_id)
    sign_in.membership_id = membership.id
    tx().get_one(Person, sign_in.person_id).last_signed_in_at = clock.now()
    record(SIGNED_IN, sign_in.person_id, sign_in=sign_in.id, how=how, second_factor=sign_in.second_factor_at is not None)
    return renew(sign_in.id)


@needs_sign_in_rights
@action
def mark_used(sign_in_id: UUID) -> None:
    """Store when a sign-in was last used, for the idle limit."""
    # At most once a minute: otherwise every request would write a row.
    sign_in, now = tx().get(SignIn, sign_in_id), clock.now()
    if sign_in is not None and sign_in.ended_at is None and sign_in.seen_at <= now - SEEN_INTERVAL:
        sign_in.seen_at = now


@needs_sign_in_rights
@action
def end_sign_in(sign_in_id: UUID, person_id: UUID) -> None:
    """End one of a person's own sign-ins. Its cookie stops working at once.

    Raises:
        NotFoundError: when the person has no such open sign-in.
    """
    sign_in = _open_sign_in(sign_in_id)
    if sign_in.person_id != person_id:
        raise NotFoundError(sign_in_id)
    sign_in.ended_at = clock.now()
    record(SIGNED_OUT, person_id, sign_in=sign_in.id)


@needs_sign_in_rights
@action
def end_other_sign_ins(person_id: UUID, why: str, *, keep: UUID | None = None) -> int:
    """End every sign-in of a person except `keep`. Returns how many ended.

    `why` goes into the audit: a fixed phrase of this program, never typed text.
    """
    statement = update(SignIn).where(SignIn.person_id == person_id, SignIn.ended_at.is_(None)).values(ended_at=clock.now())
    if keep is not None:
        statement = statement.where(SignIn.id != keep)
    count = len(tx().execute(statement.returning(SignIn.id)).all())
    record_for_whole_person(SIGNED_OUT_EVERYWHERE, person_id, ended=count, why=why)
    return count


@needs_sign_in_rights
@action
def end_sign_ins_of_colleague(person_id: UUID) -> int:
    """End every sign-in of a person whom the actor manages, and tell them by mail. Returns how many ended.

    Raises:
        NotFoundError: when there is no such person.
        RefusedError: when the person has a role outside the actor's reach.
    """
    person = must_exist(tx().get(Person, person_id))
    refuse_unless_whole_person_in_reach(person_id)
    count = end_other_sign_ins(person_id, "ended by an administrator")
    send_mail(person.email, "Your sign-ins were ended", _ENDED_MAIL)
    return count


@needs_sign_in_rights
def end_sign_ins_of_membership(membership_id: UUID) -> None:
    """End every sign-in that acts through a membership. The calling action records why."""
    tx().execute(
        update(SignIn).where(SignIn.membership_id == membership_id, SignIn.ended_at.is_(None)).values(ended_at=clock.now())
    )


_ENDED_MAIL = """An administrator ended every sign-in of your account in the attendance portal.

Sign in again to go on. If you did not expect this, ask your administrator.
"""


def _open_sign_in(sign_in_id: UUID) -> SignIn:
    open_sign_in = select(SignIn).where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None))
    return must_exist(tx().scalar(open_sign_in.with_for_update()))
