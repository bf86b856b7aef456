"""What surrounds the giving of roles: nobody gives himself one, colleagues hear of it, invitations end in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.accounts.actions.mail import send_mail
from portal.accounts.domain.lifecycle import INVITATION, InvitationState, InvitationStep
from portal.accounts.domain.roles import role_name
from portal.accounts.events import WITHDRAWN
from portal.accounts.models import Authority, Invitation
from portal.accounts.queries.people import administrators
from portal.accounts.queries.principals import folded_email, has_standing_inviter
from portal.audit.actions import record
from portal.db.work import action, tx
from portal.platform import clock
from portal.platform.due import Where, take_step
from portal.platform.refusals import RefusedError
from portal.security import scope
from portal.security.permissions import Role, role_has

if TYPE_CHECKING:
    from uuid import UUID

    from portal.accounts.models import Person

OWN_ADDRESS = "You cannot give yourself a role. Ask another administrator to invite you."
OWN_ROLE = "You cannot change your own role. Ask another administrator to do it."


@action
def withdraw_unsupported_invitations(inviter_id: UUID) -> None:
    """Withdraw the open invitations of the scope's authority that their sender could no longer send."""
    tx().flush()
    open_invitations = tx().scalars(
        select(Invitation)
        .where(Invitation.authority_id == scope.current().authority_id, Invitation.invited_by == inviter_id)
        .where(Invitation.state == InvitationState.SENT)
        .with_for_update()
    )
    for invitation in open_invitations:
        if not has_standing_inviter(invitation):
            withdraw(invitation)


def withdraw(invitation: Invitation) -> None:
    """Take an invitation's step to withdrawn, within the running action."""
    invitation.withdrawn_at = clock.now()
    take_step(INVITATION, invitation, InvitationStep.WITHDRAW, Where(endpoint="accounts.people"))
    record(WITHDRAWN, invitation.id)


def refuse_own_address(inviter: Person | None, email: str) -> None:
    """Refuse an invitation to an address of the inviter's own.

    Raises:
        RefusedError: when it is the same mailbox, also with a tag such as `+office` in it.
    """
    if inviter is not None and _mailbox(inviter.email) == _mailbox(email):
        raise RefusedError(OWN_ADDRESS, "email")


def refuse_own_invitation(invitation: Invitation, person_id: UUID) -> None:
    """Refuse to let an inviter accept an invitation of their own, at any address.

    Raises:
        RefusedError: when the person accepting is the inviter.
    """
    if invitation.invited_by == person_id:
        raise RefusedError(OWN_ADDRESS, "email")


def tell_other_administrators(role: Role) -> None:
    """Tell the authority's other administrators by mail that one person gave a role that reads pupils' records.

    Grants by a school's own administrator are left out: they reach no pupil whom that person does not see already.
    """
    current_scope = scope.current()
    if not role_has(role, "pupils.view") or current_scope.schools:
        return
    authority = tx().get_one(Authority, current_scope.authority_id)
    body = _GRANTED_MAIL.format(authority=authority.name, role=role_name(role))
    for address in administrators(without=current_scope.actor.person_id):
        send_mail(address, "A role that reads pupils' records was given", body)


def _mailbox(email: str) -> str:
    """The mailbox an address leads to: folded, and without a tag behind a plus."""
    local, _, domain = folded_email(email).rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


_GRANTED_MAIL = """Someone is being given the role {role} in the attendance portal of {authority}.

You are told because you are an administrator there. The page "People" shows who it is, and the audit shows who gave it.
If you did not expect this, ask your colleagues, and end the role or cancel the invitation.
"""
