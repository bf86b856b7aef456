"""The rules for giving roles: what each role needs, who may give it, and over which schools."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.platform.refusals import RefusedError
from portal.security.permissions import LA_ROLES, ROLES, SCHOOL_ROLES, Role, role_has

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date
    from uuid import UUID

    from portal.security.scope import Scope

#: The actor's role when the command line acts.
COMMAND_LINE = "command line"

#: The groups of roles on screens, in this order.
GROUPS: tuple[tuple[str, tuple[Role, ...]], ...] = (
    ("Local authority", (Role.LA_ADMINISTRATOR, Role.LA_MANAGER, Role.LA_OFFICER, Role.LA_LEGAL)),
    (
        "Schools",
        (Role.SCHOOL_ADMINISTRATOR, Role.ATTENDANCE_LEAD, Role.HEADTEACHER, Role.SCHOOL_OFFICE, Role.TRUST_LEAD),
    ),
    ("Partners", (Role.PARTNER,)),
    ("Oversight", (Role.AUDITOR, Role.PLATFORM_OPERATOR)),
)


class RoleNotGrantableError(PermissionError):
    """The actor tried to give a role, or a school, that they may not give."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The role of a membership, its schools (for school roles), its agency (for partners) and its last day."""

    role: Role
    school_ids: frozenset[UUID] = frozenset()
    agency: str | None = None
    until: date | None = None


def validated(reach: Reach, *, platform: bool) -> Reach:
    """The same reach, once its parts are known to go together.

    Raises:
        RefusedError: when they do not; the sentence says what to enter.
    """
    for is_wrong, message, field in (
        (
            (reach.role is Role.PLATFORM_OPERATOR) != platform,
            "Platform operators belong to the platform, and nobody else does.",
            "role",
        ),
        (reach.role in SCHOOL_ROLES and not reach.school_ids, "Select at least one school for this role.", "school_ids"),
        (reach.role not in SCHOOL_ROLES and reach.school_ids, "Select schools only for a school role.", "school_ids"),
        (reach.role is Role.PARTNER and not reach.agency, "Enter the agency the partner works for.", "agency"),
        (reach.role is not Role.PARTNER and reach.agency, "Enter an agency only for a partner practitioner.", "agency"),
        (reach.role is Role.PARTNER and reach.until is None, "Enter the last day of the partner's access.", "until"),
    ):
        if is_wrong:
            raise RefusedError(message, field)
    return reach


def grantable_roles(giver: Role | str) -> tuple[Role, ...]:
    """The roles that a person of role `giver` may give, in the order of screens.

    Never read from a form, where a role could be added by hand.
    """
    if giver == COMMAND_LINE:
        grantable = frozenset(Role)
    elif role_has(giver, "people.manage"):
        grantable = LA_ROLES | SCHOOL_ROLES | {Role.PARTNER}
    elif role_has(giver, "people.manage_school"):
        grantable = SCHOOL_ROLES
    elif role_has(giver, "authorities.manage"):
        grantable = frozenset({Role.LA_ADMINISTRATOR})
    else:
        grantable = frozenset()
    return tuple(role for _, roles in GROUPS for role in roles if role in grantable)


def can_manage(scope: Scope, role: Role | str, school_ids: Collection[UUID]) -> bool:
    """May the actor see, give, change and end a membership of this role and these schools?"""
    return role in grantable_roles(scope.actor.role) and (scope.schools is None or scope.schools.issuperset(school_ids))


def role_name(role: Role | str) -> str:
    """A role's name on screens."""
    return ROLES[Role(role)][0]


def role_description(role: Role | str) -> str:
    """A role's purpose in one sentence."""
    return ROLES[Role(role)][1]
