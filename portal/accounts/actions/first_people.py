"""The first administrator of an authority, or of the platform, whom nobody inside could invite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.accounts.actions.invitations import invite, withdraw_invitation
from portal.accounts.domain.roles import Reach
from portal.accounts.models import PLATFORM
from portal.accounts.queries.people import administrators, open_invitations
from portal.db.work import action
from portal.platform.refusals import RefusedError
from portal.security import scope
from portal.security.permissions import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.accounts.models import Invitation

HAS_ADMINISTRATOR = "There is an administrator already. They invite others on the page “People”."


@action
def invite_first_administrator(name: str, email: str, link_for: Callable[[str], str]) -> Invitation:
    """Invite the scope's first administrator. An earlier invitation that is still open is withdrawn.

    Raises:
        RefusedError: when there is an administrator whose account is open.
    """
    role = Role.PLATFORM_OPERATOR if scope.current().authority_id == PLATFORM else Role.LA_ADMINISTRATOR
    if administrators(role):
        raise RefusedError(HAS_ADMINISTRATOR)
    for invitation in open_invitations():
        if invitation.role == role:
            withdraw_invitation(invitation.id)
    return invite(name, email, Reach(role), link_for)
