"""Schools declare themselves: the authority's schools, their term dates and closed days."""

from __future__ import annotations

from portal.platform.capability import Capability, CommandGroup, NavigationItem
from portal.security.permissions import LA_STAFF, SCHOOL_STAFF, Permission, Role

_MANAGERS = frozenset({Role.LA_ADMINISTRATOR, Role.LA_MANAGER})

SCHOOLS = Capability(
    name="schools",
    summary="The authority's schools, their term dates and the days they are closed.",
    models="portal.schools.models",
    blueprint="portal.schools.routes.bp",
    events="portal.schools.events",
    permissions=(
        Permission("schools.view", "See schools", LA_STAFF | SCHOOL_STAFF | frozenset({Role.TRUST_LEAD, Role.AUDITOR})),
        Permission("schools.manage", "Add, change and import schools", _MANAGERS),
        Permission("calendar.view", "See term dates and closed days", LA_STAFF | SCHOOL_STAFF | frozenset({Role.TRUST_LEAD})),
        Permission("calendar.manage", "Change the authority's term dates", _MANAGERS),
        Permission(
            "calendar.manage_school",
            "Change a school's own term dates",
            _MANAGERS | frozenset({Role.SCHOOL_ADMINISTRATOR, Role.ATTENDANCE_LEAD, Role.SCHOOL_OFFICE}),
        ),
    ),
    navigation=(
        NavigationItem(
            "Schools", "schools.index", ("schools.view",), "Schools, their term dates and the days they are closed.", order=50
        ),
    ),
    commands=(
        CommandGroup("schools", "schools", "portal.schools.commands.schools"),
        CommandGroup("term-dates", "term dates", "portal.schools.commands.term_dates"),
    ),
)
