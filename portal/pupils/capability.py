"""Pupils declare themselves: records, rolls, contacts, vulnerable groups and possible duplicates."""

from __future__ import annotations

from uuid import UUID

from portal.platform.capability import (
    NO_RULE,
    Capability,
    Holding,
    Job,
    KeptAsSet,
    KeptFor,
    KeptWith,
    NavigationItem,
    Path,
    Retention,
    Subject,
    Tab,
)
from portal.rules.retention import REGISTER_ENTRY_SOURCE, REGISTER_ENTRY_YEARS
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
    holdings=(
        Holding("child", "The authority's record of the child"),
        Holding("pupil", "The school's record", (Path(Subject.CHILD, "id", "child_link.pupil_id", unless="unlinked_at"),)),
        Holding("child_link", "Which records are of one child", (Path(Subject.CHILD, "child_id"), Path(Subject.PUPIL, "pupil_id"))),
        Holding("roll_line", "Rolls the pupil is or was on", (Path(Subject.PUPIL, "pupil_id"),)),
        Holding(
            "pupil_contact",
            "How parents and carers are related to the pupil",
            (Path(Subject.PUPIL, "pupil_id"), Path(Subject.CONTACT, "contact_id")),
            also_about="For a pupil, the parent or carer; for a parent or carer, the pupil.",
        ),
        Holding(
            "contact",
            "Parents and carers",
            (Path(Subject.PUPIL, "id", "pupil_contact.contact_id"),),
            also_about="The parent or carer. An address marked as hidden must not leave.",
        ),
        Holding("characteristic", "Vulnerable groups", (Path(Subject.PUPIL, "pupil_id"),)),
        Holding(
            "possible_duplicate",
            "Questions whether a record on a list is this pupil",
            (Path(Subject.PUPIL, "pupil_id"), Path(Subject.PUPIL, "resolved_pupil_id")),
            also_about="A pupil of the list, who may be another child.",
        ),
        Holding(
            "possible_same_child",
            "Questions whether two schools' records are one child",
            (Path(Subject.PUPIL, "pupil_id"), Path(Subject.PUPIL, "other_pupil_id")),
            also_about="Another school's pupil, who may be another child.",
        ),
    ),
    retention=(
        Retention("child", KeptWith("child_link"), "It is of use only while it links records."),
        Retention("pupil", KeptWith("roll_line"), "Names, addresses and parents are part of the admission register."),
        Retention("child_link", KeptWith("pupil"), "It says whose record it is."),
        Retention(
            "roll_line",
            KeptFor(REGISTER_ENTRY_YEARS, since="on_roll_until"),
            f"{REGISTER_ENTRY_SOURCE}. Counted from the last day on roll, since an entry in use is kept.",
        ),
        Retention("pupil_contact", KeptWith("pupil"), "Names, addresses and parents are part of the admission register."),
        Retention("contact", KeptWith("pupil_contact"), "Names, addresses and parents are part of the admission register."),
        Retention("characteristic", KeptAsSet("pupils.characteristics", since="last_day"), NO_RULE),
        Retention("possible_duplicate", KeptAsSet("pupils.questions", since="decided_at"), NO_RULE),
        Retention("possible_same_child", KeptAsSet("pupils.questions", since="decided_at"), NO_RULE),
    ),
)
