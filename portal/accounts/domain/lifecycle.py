"""The lifecycle of an invitation: sent, then accepted, withdrawn or expired."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from portal.platform.clock import LONDON
from portal.platform.lifecycle import Lifecycle, Owner, State, Step

if TYPE_CHECKING:
    from datetime import date, datetime
    from typing import Protocol

    class ExpiringInvitation(Protocol):
        """What the dates need of an invitation."""

        expires_at: datetime


class InvitationState(StrEnum):
    """Where an invitation is in its life."""

    SENT = "sent"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class InvitationStep(StrEnum):
    """What can be done with an invitation."""

    ACCEPT = "accept"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"


def _last_day(invitation: ExpiringInvitation) -> date:
    return invitation.expires_at.astimezone(LONDON).date()


INVITATION = Lifecycle(
    name="invitation",
    initial=(InvitationState.SENT,),
    states=(
        State(
            InvitationState.SENT,
            "Sent",
            "yellow",
            owner=Owner.PERSON,
            next_date=_last_day,
            why_due="Not accepted yet: after this day it must be sent again",
            refusal="This invitation is still open.",
        ),
        State(
            InvitationState.ACCEPTED,
            "Accepted",
            "green",
            final=True,
            refusal="This invitation was accepted. To take the role back, end it on the person's page.",
        ),
        State(InvitationState.WITHDRAWN, "Cancelled", final=True, refusal="This invitation was cancelled already."),
        State(InvitationState.EXPIRED, "Expired", final=True, refusal="This invitation has expired. Its link no longer works."),
    ),
    steps=(
        # Whoever has the link and the address accepts: they have no role yet, so no permission can say who may.
        Step(InvitationStep.ACCEPT, "Accept", (InvitationState.SENT,), InvitationState.ACCEPTED),
        Step(
            InvitationStep.WITHDRAW,
            "Cancel",
            (InvitationState.SENT,),
            InvitationState.WITHDRAWN,
            permission="people.manage_school",
            endpoint="accounts.withdraw_invitation",
            look="link",
        ),
        Step(InvitationStep.EXPIRE, "Seven days pass", (InvitationState.SENT,), InvitationState.EXPIRED),
    ),
)
