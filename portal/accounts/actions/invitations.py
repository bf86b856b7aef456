"""Actions on invitations: a role offered to one e-mail address, open for seven days, accepted once."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.accounts.actions.grants import refuse_own_address, refuse_own_invitation, tell_other_administrators, withdraw
from portal.accounts.actions.mail import send_mail
from portal.accounts.actions.people import add_membership, add_person
from portal.accounts.domain.lifecycle import INVITATION, InvitationState, InvitationStep
from portal.accounts.domain.roles import Reach, RoleNotGrantableError, can_manage, role_name, validated
from portal.accounts.events import ACCEPTED, EXPIRED, INVITED
from portal.accounts.models import PLATFORM, Authority, Invitation, Person
from portal.accounts.queries.principals import current_person, folded_email, has_standing_inviter, hash_token
from portal.audit.actions import record
from portal.db.work import action, needs_sign_in_rights, tx
from portal.platform import clock
from portal.platform.due import Where, begin, take_step
from portal.platform.refusals import NotFoundError, RefusedError
from portal.security import scope
from portal.security.permissions import Role

if TYPE_CHECKING:
    from collections.abc import Callable

INVITATION_LIFETIME = timedelta(days=7)
OTHER_ADDRESS = "Enter the address this invitation was sent to"


@action
def invite(name: str, email: str, reach: Reach, link_for: Callable[[str], str]) -> Invitation:
    """Invite a person to a role in the scope's authority and mail them the link.

    `link_for` builds the link from a token. The outcome is the same whether or not the person has an account
    elsewhere, so that an administrator cannot find out who does.

    Raises:
        RoleNotGrantableError: when the actor may not give this role or one of these schools.
        RefusedError: when role, schools, agency and last day do not go together, or the address is the actor's own.
    """
    current_scope = scope.current()
    if not can_manage(current_scope, reach.role, reach.school_ids):
        raise RoleNotGrantableError(reach.role)
    validated(reach, platform=current_scope.authority_id == PLATFORM)
    refuse_own_address(current_person(), email)
    token, now = secrets.token_urlsafe(32), clock.now()
    invitation = Invitation(
        id=uuid4(),
        authority_id=current_scope.authority_id,
        email=email.strip(),
        name=name.strip(),
        role=reach.role,
        school_ids=sorted(reach.school_ids),
        agency=reach.agency,
        until=reach.until,
        token_hash=hash_token(token),
        invited_by=current_scope.actor.person_id,
        created_at=now,
        expires_at=now + INVITATION_LIFETIME,
    )
    tx().add(invitation)
    tx().flush()
    begin(INVITATION, invitation, _where(current_scope.actor.membership_id))
    record(INVITED, invitation.id, role=reach.role, schools=sorted(reach.school_ids), until=reach.until)
    authority = tx().get_one(Authority, current_scope.authority_id)
    body = _INVITATION_MAIL.format(authority=authority.name, role=role_name(reach.role), link=link_for(token))
    send_mail(invitation.email, "You are invited to the attendance portal", body)
    tell_other_administrators(reach.role)
    return invitation


@action
def withdraw_invitation(invitation_id: UUID) -> None:
    """Withdraw an invitation that was not accepted yet. Its link stops working.

    Raises:
        NotFoundError: when the actor manages no such invitation.
        RefusedError: when it is not open any more.
    """
    current_scope = scope.current()
    invitation = tx().scalar(
        select(Invitation)
        .where(Invitation.id == invitation_id, Invitation.authority_id == current_scope.authority_id)
        .with_for_update()
    )
    if invitation is None or not can_manage(current_scope, invitation.role, invitation.school_ids):
        raise NotFoundError(invitation_id)
    withdraw(invitation)


@action
def expire_invitations() -> int:
    """Expire the invitations of the scope's authority that nobody accepted in seven days. Returns how many.

    Accepting asks the date itself, so a link stops working in time even when this nightly job did not run.
    """
    unaccepted = (
        select(Invitation)
        .where(Invitation.authority_id == scope.current().authority_id, Invitation.state == InvitationState.SENT)
        .where(Invitation.expires_at <= clock.now())
    )
    expired = tx().scalars(unaccepted.with_for_update()).all()
    for invitation in expired:
        take_step(INVITATION, invitation, InvitationStep.EXPIRE, _where())
        record(EXPIRED, invitation.id)
    return len(expired)


@needs_sign_in_rights
@action
def accept_as_new_person(token: str, email: str, name: str, password_hash: str, from_address: str) -> Person:
    """Accept an invitation as a person without an account, who gets the account and the membership.

    Run it in the scope of the invitation's authority. `from_address` is the keyed hash of the network
    address the invitation was accepted from.

    Raises:
        NotFoundError: when the invitation is used, withdrawn or more than seven days old.
        RefusedError: when it was sent to another e-mail address, or the address has an account already, whose owner
            must sign in to accept.
    """
    invitation = _open_invitation(token, email)
    person = add_person(name, invitation.email, password_hash=password_hash)
    _accept(invitation, person.id, from_address, new_account=True)
    return person


@needs_sign_in_rights
@action
def accept_as_existing_person(person_id: UUID, token: str, from_address: str) -> None:
    """Accept an invitation as a person who is signed in, who gets the membership.

    Run it in the scope of the invitation's authority.

    Raises:
        NotFoundError: when the invitation is used, withdrawn or more than seven days old.
        RefusedError: when the invitation was sent to another e-mail address.
    """
    person = tx().get_one(Person, person_id)
    _accept(_open_invitation(token, person.email), person.id, from_address, new_account=False)


def _open_invitation(token: str, email: str) -> Invitation:
    # Locked until the commit: of two requests with one token, the second waits and then finds it accepted.
    invitation = tx().scalar(
        select(Invitation)
        .where(Invitation.token_hash == hash_token(token), Invitation.authority_id == scope.current().authority_id)
        .where(Invitation.state == InvitationState.SENT, Invitation.expires_at > clock.now())
        .with_for_update()
    )
    if invitation is None or not has_standing_inviter(invitation):
        raise NotFoundError
    if folded_email(invitation.email) != folded_email(email):
        raise RefusedError(OTHER_ADDRESS, "email")
    return invitation


def _accept(invitation: Invitation, person_id: UUID, from_address: str, *, new_account: bool) -> None:
    refuse_own_invitation(invitation, person_id)
    invitation.accepted_at = clock.now()
    take_step(INVITATION, invitation, InvitationStep.ACCEPT, _where())
    add_membership(
        person_id,
        Role(invitation.role),
        school_ids=invitation.school_ids,
        agency=invitation.agency,
        until=invitation.until,
    )
    record(ACCEPTED, person_id, invitation=invitation.id, from_address=from_address, new_account=new_account)


def _where(inviter_id: UUID | None = None) -> Where:
    """Where an invitation stands in the list of what is due: with the membership that sent it."""
    return Where(owner_id=inviter_id, endpoint="accounts.people")


_INVITATION_MAIL = """You are invited to the attendance portal of {authority}, as {role}.

To accept, open this address within seven days. It works once, and only for this e-mail address:

{link}

If you did not expect this, you do not need to do anything.
"""
