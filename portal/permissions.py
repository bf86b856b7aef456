"""The roles, each with its sentence, and the one table that says which role has which permission."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

V = TypeVar("V", bound="Callable[..., Any]")

#: What a view declares when it is open before sign-in, and when any person signed in may use it.
OPEN = "open"
ANYONE_SIGNED_IN = "signed in"


class Role(StrEnum):
    """What a person is, in one membership."""

    LA_ADMINISTRATOR = "la-administrator"
    LA_MANAGER = "la-manager"
    LA_OFFICER = "la-officer"
    LA_LEGAL = "la-legal"
    SCHOOL_ADMINISTRATOR = "school-administrator"
    ATTENDANCE_LEAD = "attendance-lead"
    HEADTEACHER = "headteacher"
    SCHOOL_OFFICE = "school-office"
    TRUST_LEAD = "trust-lead"
    PARTNER = "partner"
    AUDITOR = "auditor"
    PLATFORM_OPERATOR = "platform-operator"


#: Each role's name on screens, and what it is for.
ROLES: Mapping[Role, tuple[str, str]] = {
    Role.LA_ADMINISTRATOR: ("LA administrator", "Keeps the authority's schools, term dates, people and settings."),
    Role.LA_MANAGER: ("LA attendance manager", "Oversees every school, and the officers who work with them."),
    Role.LA_OFFICER: ("LA attendance officer", "Works with schools and families to find and remove barriers to attendance."),
    Role.LA_LEGAL: ("LA legal officer", "Reads the registers behind what may reach penalty notices and courts."),
    Role.SCHOOL_ADMINISTRATOR: ("School administrator", "Keeps the school's people, term dates, pupil list and uploads."),
    Role.ATTENDANCE_LEAD: ("School attendance lead", "Leads attendance in the school: registers, patterns, support."),
    Role.HEADTEACHER: ("Headteacher", "Is responsible for the register, and compares the school with the authority and England."),
    Role.SCHOOL_OFFICE: ("School office", "Sends registers and pupil lists, and completes missing marks."),
    Role.TRUST_LEAD: ("Trust lead", "Follows the figures of several schools of one trust."),
    Role.PARTNER: ("Partner practitioner", "Works for an agency and sees only what is shared with it."),
    Role.AUDITOR: ("Auditor or data protection officer", "Checks who saw and changed what."),
    Role.PLATFORM_OPERATOR: ("Platform operator", "Creates authorities and their first administrator; sees no pupil."),
}

LA_ROLES = frozenset({Role.LA_ADMINISTRATOR, Role.LA_MANAGER, Role.LA_OFFICER, Role.LA_LEGAL, Role.AUDITOR})
SCHOOL_ROLES = frozenset({Role.SCHOOL_ADMINISTRATOR, Role.ATTENDANCE_LEAD, Role.HEADTEACHER, Role.SCHOOL_OFFICE, Role.TRUST_LEAD})

_A, _M, _O, _L = Role.LA_ADMINISTRATOR, Role.LA_MANAGER, Role.LA_OFFICER, Role.LA_LEGAL
_SA, _SL, _HT, _SO = Role.SCHOOL_ADMINISTRATOR, Role.ATTENDANCE_LEAD, Role.HEADTEACHER, Role.SCHOOL_OFFICE
_TL, _AU, _OP = Role.TRUST_LEAD, Role.AUDITOR, Role.PLATFORM_OPERATOR

#: The one table: permission → the roles that have it. What is not here is refused.
PERMISSIONS: Mapping[str, frozenset[Role]] = {
    "schools.view": frozenset({_A, _M, _O, _L, _SA, _SL, _HT, _SO, _TL, _AU}),
    "schools.manage": frozenset({_A, _M}),
    "calendar.view": frozenset({_A, _M, _O, _L, _SA, _SL, _HT, _SO, _TL}),
    "calendar.manage": frozenset({_A, _M}),
    "calendar.manage_school": frozenset({_A, _M, _SA, _SL, _SO}),
    "pupils.view": frozenset({_A, _M, _O, _L, _SA, _SL, _HT, _SO}),
    "pupils.view_characteristics": frozenset({_M, _O, _SA, _SL, _HT}),
    "pupils.view_contacts": frozenset({_M, _O, _L, _SA, _SL, _HT, _SO}),
    "pupils.match": frozenset({_A, _M, _O, _SA, _SL}),
    "registers.view": frozenset({_A, _M, _O, _L, _SA, _SL, _HT, _SO}),
    "uploads.view": frozenset({_A, _M, _O, _SA, _SL, _HT, _SO}),
    "uploads.send": frozenset({_A, _M, _O, _SA, _SL, _SO}),
    "uploads.apply": frozenset({_A, _M, _O, _SA, _SL, _SO}),
    "uploads.undo": frozenset({_A, _M, _SA, _SL}),
    "uploads.board": frozenset({_A, _M, _O, _SA, _SL, _HT, _SO, _TL}),
    "measures.view": frozenset({_A, _M, _O, _L, _SA, _SL, _HT, _SO, _TL}),
    "benchmarks.view": frozenset({_A, _M, _O, _L, _SA, _SL, _HT, _SO, _TL, _AU, _OP}),
    "benchmarks.load": frozenset({_A, _M, _OP}),
    "people.manage": frozenset({_A}),
    "people.manage_school": frozenset({_A, _SA}),
    "audit.view": frozenset({_A, _AU}),
    "authorities.manage": frozenset({_OP}),
}


def can(role: Role | str, permission: str) -> bool:
    """Does this role have this permission? An unknown permission is a programming error, not a refusal.

    Raises:
        KeyError: for a permission that is not in the table.
    """
    return role in PERMISSIONS[permission]


def needs(permission: str) -> Callable[[V], V]:
    """Declare the permission a view needs; the gate enforces it, and the app will not start without one.

    Raises:
        KeyError: for a permission that is not in the table.
    """
    _ = PERMISSIONS[permission]
    return _declaring(permission)


def open_to_all(view: V) -> V:
    """Declare a view open before sign-in."""
    return _declaring(OPEN)(view)


def for_anyone_signed_in(view: V) -> V:
    """Declare a view open to every person signed in, in any role."""
    return _declaring(ANYONE_SIGNED_IN)(view)


def _declaring(permission: str) -> Callable[[V], V]:
    def declare(view: V) -> V:
        view.permission = permission  # type: ignore[attr-defined]  # read by the gate
        return view

    return declare


def permission_of(view: Callable[..., Any]) -> str | None:
    """The permission a view declares, or None."""
    permission = getattr(view, "permission", None)
    return permission if isinstance(permission, str) else None
