"""The roles, and the one policy: what each may do, to which record, and which fields it sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

V = TypeVar("V", bound=Callable[..., Any])

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

#: The roles of the authority that work with pupils, and those of a school that do.
LA_STAFF = LA_ROLES - {Role.AUDITOR}
SCHOOL_STAFF = SCHOOL_ROLES - {Role.TRUST_LEAD}


class HasRole(Protocol):
    """Anyone who acts: a scope's actor."""

    @property
    def role(self) -> str:
        """The role the person or machine acts in."""


#: Looks at the thing itself: is the actor its named officer, is the part shared, is this a second person?
Predicate = Callable[[HasRole, Any], bool]


@dataclass(frozen=True, slots=True)
class Permission:
    """What may be done, by which roles, and, where the role alone does not decide, under which conditions.

    `words` says it for the people who review `docs/permissions.md`. `fields` are the fields of a record that only this
    permission opens, in every page, export and letter.
    """

    name: str
    words: str
    roles: frozenset[Role]
    when: tuple[Predicate, ...] = ()
    fields: tuple[str, ...] = ()


#: Every permission by name. `portal.capabilities` fills it from the capabilities' declarations; nothing else does.
PERMISSIONS: dict[str, Permission] = {}


def register(permissions: Iterable[Permission]) -> None:
    """Add a capability's permissions.

    Raises:
        ValueError: when two capabilities declare one name, or guard one field.
    """
    for permission in permissions:
        if permission.name in PERMISSIONS:
            raise ValueError(f"The permission {permission.name} is declared twice.")
        guarded = {field for registered in PERMISSIONS.values() for field in registered.fields}
        if shared := guarded.intersection(permission.fields):
            raise ValueError(f"Two permissions guard {', '.join(sorted(shared))}.")
        PERMISSIONS[permission.name] = permission


def can(actor: HasRole, permission: str, record: object = None, field: str | None = None) -> bool:
    """May this actor do this, to this record, and see this field of it? The one policy; everything asks here.

    Without a record only the role is asked: a link may be shown where each record still decides for itself. An unknown
    permission is a programming error, not a refusal.

    Raises:
        KeyError: for a permission that no capability declares.
    """
    declared = PERMISSIONS[permission]
    if actor.role not in declared.roles:
        return False
    if record is not None and not all(predicate(actor, record) for predicate in declared.when):
        return False
    guard = guard_of(field) if field is not None else None
    return guard is None or guard is declared or can(actor, guard.name, record)


def role_has(role: str, permission: str) -> bool:
    """Does this role have this permission? For lists of roles; what a person may do is `can`."""
    return role in PERMISSIONS[permission].roles


def guard_of(field: str) -> Permission | None:
    """The permission that opens a field of a record.

    None for a field that any page about the record may show.
    """
    return next((permission for permission in PERMISSIONS.values() if field in permission.fields), None)


def needs(permission: str) -> Callable[[V], V]:
    """Declare the permission a view needs. The gate enforces it, and refuses to start with one nobody declared."""
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
