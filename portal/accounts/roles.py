"""Roles as they may be given: which parts a role needs, who may give which, and where it reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.permissions import LA_ROLES, ROLES, SCHOOL_ROLES, Role, can

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date
    from uuid import UUID

    from portal.scope import Scope

#: The actor's role when the command line acts.
COMMAND_LINE = "command line"

#: The groups in which roles are shown to people, in this order.
GROUPS: tuple[tuple[str, tuple[Role, ...]], ...] = (
    ("Local authority", (Role.LA_ADMINISTRATOR, Role.LA_MANAGER, Role.LA_OFFICER, Role.LA_LEGAL)),
    (
        "Schools",
        (Role.SCHOOL_ADMINISTRATOR, Role.ATTENDANCE_LEAD, Role.HEADTEACHER, Role.SCHOOL_OFFICE, Role.TRUST_LEAD),
    ),
    ("Partners", (Role.PARTNER,)),
    ("Oversight", (Role.AUDITOR, Role.PLATFORM_OPERATOR)),
)


class MembershipRefusedError(ValueError):
    """A membership cannot be as asked; the text says why and what to do, fit for a screen."""


class RoleOutOfReachError(PermissionError):
    """Someone tried to give, change or end a role that is not theirs to give."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a membership reaches: the role, its schools (school roles), its agency (partners) and its last day."""

    role: Role
    school_ids: frozenset[UUID] = frozenset()
    agency: str | None = None
    until: date | None = None


def checked(reach: Reach, *, platform: bool) -> Reach:
    """The same reach, when its parts go together.

    Raises:
        MembershipRefusedError: saying what to enter.
    """
    for wrong, message in (
        ((reach.role is Role.PLATFORM_OPERATOR) != platform, "Platform operators belong to the platform, and nobody else does."),
        (reach.role in SCHOOL_ROLES and not reach.school_ids, "Select at least one school for this role."),
        (reach.role not in SCHOOL_ROLES and reach.school_ids, "Select schools only for a school role."),
        (reach.role is Role.PARTNER and not reach.agency, "Enter the agency the partner works for."),
        (reach.role is not Role.PARTNER and reach.agency, "Enter an agency only for a partner practitioner."),
        (reach.role is Role.PARTNER and reach.until is None, "Enter the last day of the partner's access."),
    ):
        if wrong:
            raise MembershipRefusedError(message)
    return reach


def roles_offered(giver: Role | str) -> tuple[Role, ...]:
    """The roles someone may give, in the order of screens: made here, never read from a form."""
    if giver == COMMAND_LINE:
        reach = frozenset(Role)
    elif can(giver, "people.manage"):
        reach = LA_ROLES | SCHOOL_ROLES | {Role.PARTNER}
    elif can(giver, "people.manage_school"):
        reach = SCHOOL_ROLES
    elif can(giver, "authorities.manage"):
        reach = frozenset({Role.LA_ADMINISTRATOR})
    else:
        reach = frozenset()
    return tuple(role for _, roles in GROUPS for role in roles if role in reach)


def is_within(scope: Scope, role: Role | str, school_ids: Collection[UUID]) -> bool:
    """Is a membership of this role and these schools the actor's to see, give, change and end?"""
    return role in roles_offered(scope.actor.role) and (scope.schools is None or scope.schools.issuperset(school_ids))


def name_of(role: Role | str) -> str:
    """A role's name on screens."""
    return ROLES[Role(role)][0]


def sentence_of(role: Role | str) -> str:
    """What a role is for, in a sentence."""
    return ROLES[Role(role)][1]
