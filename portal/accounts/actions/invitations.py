"""Invitations: to a role, bound to an e-mail address, for seven days, accepted once."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import select

from portal import clock, scope
from portal.accounts.actions.mail import send_mail
from portal.accounts.actions.people import add_membership, add_person
from portal.accounts.models import PLATFORM, Authority, Invitation, Person
from portal.accounts.queries import folded_email, hashed
from portal.accounts.roles import Reach, RoleOutOfReachError, checked, is_within, name_of
from portal.audit.actions import record
from portal.audit.events import event
from portal.db import action, tx
from portal.permissions import Role

if TYPE_CHECKING:
    from collections.abc import Callable

INVITATION_LASTS = timedelta(days=7)

INVITED = event("invitation.sent", "Someone was invited", "role", "schools", "until")
WITHDRAWN = event("invitation.withdrawn", "An invitation was withdrawn")
ACCEPTED = event("invitation.accepted", "An invitation was accepted", "invitation", "from_address", "new_account")


class NotTheirsError(PermissionError):
    """The invitation is for another e-mail address."""


@action
def invite(name: str, email: str, reach: Reach, address_of: Callable[[str], str]) -> Invitation:
    """Invite someone to a role in the scope's authority and send the link; `address_of` makes the link of a token.

    The answer is the same whether or not they have an account elsewhere.

    Raises:
        RoleOutOfReachError: when the role or a school is not the actor's to give.
        MembershipRefusedError: when role, schools, agency and last day do not go together.
    """
    here = scope.current()
    if not is_within(here, reach.role, reach.school_ids):
        raise RoleOutOfReachError(reach.role)
    checked(reach, platform=here.authority_id == PLATFORM)
    token, now = secrets.token_urlsafe(32), clock.now()
    invitation = Invitation(
        id=uuid4(),
        authority_id=here.authority_id,
        email=email.strip(),
        name=name.strip(),
        role=reach.role,
        school_ids=sorted(reach.school_ids),
        agency=reach.agency,
        until=reach.until,
        token_hash=hashed(token),
        invited_by=here.actor.person_id,
        created_at=now,
        expires_at=now + INVITATION_LASTS,
    )
    tx().add(invitation)
    record(INVITED, invitation.id, role=reach.role, schools=sorted(reach.school_ids), until=reach.until)
    authority = tx().get_one(Authority, here.authority_id)
    text = _TEXT.format(authority=authority.name, role=name_of(reach.role), link=address_of(token))
    send_mail(invitation.email, "You are invited to the attendance portal", text)
    return invitation


@action
def withdraw_invitation(invitation_id: UUID) -> None:
    """Withdraw an invitation nobody has accepted; its link stops working.

    Raises:
        LookupError: when there is no such open invitation in the actor's reach.
    """
    here = scope.current()
    invitation = tx().scalar(
        select(Invitation)
        .where(Invitation.id == invitation_id, Invitation.authority_id == here.authority_id)
        .where(Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None))
        .with_for_update()
    )
    if invitation is None or not is_within(here, invitation.role, invitation.school_ids):
        raise LookupError(invitation_id)
    invitation.withdrawn_at = clock.now()
    record(WITHDRAWN, invitation.id)


@action
def accept_as_new(token: str, email: str, name: str, password_hash: str, from_address: str) -> Person:
    """Accept an invitation as someone without an account: they get one, with the place. Run it in the invitation's authority.

    `from_address` is the blinded network address it was accepted from.

    Raises:
        LookupError: when the invitation is used, withdrawn or more than seven days old.
        NotTheirsError: when the e-mail address is another than the one invited.
        TakenError: when that address has an account, whose owner signs in to accept.
    """
    invitation = _open(token, email)
    person = add_person(name, invitation.email, password_hash=password_hash)
    _take_place(invitation, person.id, from_address, new_account=True)
    return person


@action
def accept_as(person_id: UUID, token: str, from_address: str) -> None:
    """Accept an invitation as someone who is signed in: they get the place. Run it in the invitation's authority.

    Raises:
        LookupError: when the invitation is used, withdrawn or more than seven days old.
        NotTheirsError: when it was sent to another address than theirs.
    """
    person = tx().get_one(Person, person_id)
    _take_place(_open(token, person.email), person.id, from_address, new_account=False)


def _open(token: str, email: str) -> Invitation:
    invitation = tx().scalar(
        select(Invitation)
        .where(Invitation.token_hash == hashed(token), Invitation.authority_id == scope.current().authority_id)
        .where(Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None), Invitation.expires_at > clock.now())
        .with_for_update()
    )
    if invitation is None:
        message = "No open invitation has this token."
        raise LookupError(message)
    if folded_email(invitation.email) != folded_email(email):
        raise NotTheirsError(invitation.id)
    return invitation


def _take_place(invitation: Invitation, person_id: UUID, from_address: str, *, new_account: bool) -> None:
    invitation.accepted_at = clock.now()
    add_membership(
        person_id,
        Role(invitation.role),
        school_ids=invitation.school_ids,
        agency=invitation.agency,
        until=invitation.until,
    )
    record(ACCEPTED, person_id, invitation=invitation.id, from_address=from_address, new_account=new_account)


_TEXT = """You are invited to the attendance portal of {authority}, as {role}.

To accept, open this address within seven days. It works once, and only for this e-mail address:

{link}

If you did not expect this, you do not need to do anything.
"""
