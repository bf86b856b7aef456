"""Pupils declare themselves: records, rolls, contacts, vulnerable groups and possible duplicates."""

from __future__ import annotations

from uuid import UUID

from portal.platform.capability import Capability, Job, NavigationItem, Tab
from portal.security.permissions import LA_STAFF, SCHOOL_STAFF, Permission, Role

_CASEWORKERS = frozenset({Role.LA_MANAGER, Role.LA_OFFICER})

_LINKERS = _CASEWORKERS | frozenset({Role.LA_ADMINISTRATOR})

PUPILS = Capability(
    name="pupils",
    summary="Pupils, their roll lines, contacts and vulnerable groups, and records that may be one child.",
    models="portal.pupils.models",
    blueprint="portal.pupils.routes.bp",
    events="portal.pupils.events",
    permissions=(
        Permission("pupils.view", "Find pupils and see who they are", LA_STAFF | SCHOOL_STAFF),
        Permission(
            "pupils.view_characteristics",
            "See a pupil's vulnerable groups",
            _CASEWORKERS | frozenset({Role.SCHOOL_ADMINISTRATOR, Role.ATTENDANCE_LEAD, Role.HEADTEACHER}),
            fields=("ethnicity", "eal", "characteristic"),
        ),
        Permission(
            "pupils.view_contacts",
            "See where a pupil lives and who their parents and carers are",
            _CASEWORKERS | {Role.LA_LEGAL} | SCHOOL_STAFF,
            fields=("address", "postcode", "phone", "email", "relationship", "parental_responsibility"),
        ),
        Permission("pupils.link", "Decide whether records of two schools are one child", _LINKERS),
        Permission(
            "pupils.match",
            "Decide whether two records are one child, and hide or show an address",
            _CASEWORKERS | frozenset({Role.LA_ADMINISTRATOR, Role.SCHOOL_ADMINISTRATOR, Role.ATTENDANCE_LEAD}),
        ),
    ),
    navigation=(
        NavigationItem("Pupils", "pupils.index", ("pupils.view",), "Find a pupil and open their attendance record.", order=40),
    ),
    jobs=(Job("pupils.link_children", "portal.pupils.actions.children.link_children", {"school_id": UUID}),),
    tabs=(
        Tab("Details", "pupils.details", "pupils.view", order=20),
        Tab("Contacts", "pupils.contacts", "pupils.view_contacts", order=30),
        Tab("Vulnerable groups", "pupils.characteristics", "pupils.view_characteristics", order=40),
    ),
)
