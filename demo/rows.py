"""A plan as rows of the database tables, loaded in bulk."""

from __future__ import annotations

from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from portal.db.bulk import insert_many
from portal.platform import clock
from portal.pupils.domain.changes import reference_of
from portal.pupils.domain.incoming import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from demo.plans import Plan

    Row = tuple[object, ...]

#: Rows in one statement. All of a county's pupils in one would exceed the statement timeout.
ROWS_AT_A_TIME = 20_000
#: Columns that are computed, and columns that have the names of the plan's fields.
_COMPUTED = ("id", "reference", "surname_folded", "forename_folded")
_PUPIL = (
    "upn",
    "former_upn",
    "surname",
    "forename",
    "middle_names",
    "date_of_birth",
    "sex",
    "ethnicity",
    "eal",
    "address",
    "postcode",
)
_PARENT = ("id", "name", "phone", "email", "address", "postcode", "do_not_disclose")
_CONTACT = ("relationship", "parental_responsibility", "priority")
_CHARACTERISTIC = ("kind", "value", "first_day", "last_day")
_LINE = ("line", "year_group", "registration_group", "enrolment_status", "on_roll_from", "on_roll_until")
_contact_values, _characteristic_values, _line_values = attrgetter(*_CONTACT), attrgetter(*_CHARACTERISTIC), attrgetter(*_LINE)


def load_schools(plan: Plan, schools: Mapping[str, UUID]) -> None:
    """Load a plan's trusts, schools, terms and closed days."""
    trusts = {name: uuid4() for name in plan.trusts}
    _load("trust", ("id", "name"), ((trust_id, name) for name, trust_id in trusts.items()))
    _load(
        "school",
        ("id", "urn", "laestab", "name", "phase", "lowest_age", "highest_age", "trust_id"),
        (
            (
                schools[school.urn],
                school.urn,
                school.laestab,
                school.name,
                school.phase,
                school.lowest_age,
                school.highest_age,
                trusts[school.trust] if school.trust else None,
            )
            for school in plan.schools
        ),
    )
    dates = ("id", "school_id", "name", "first_day", "last_day")
    _load(
        "term", dates, ((uuid4(), _school_id(schools, term.urn), term.name, term.first_day, term.last_day) for term in plan.terms)
    )
    _load(
        "closed_days",
        dates,
        (
            (uuid4(), _school_id(schools, closed_days.urn), closed_days.name, closed_days.first_day, closed_days.last_day)
            for closed_days in plan.closed
        ),
    )


def load_pupils(plan: Plan, schools: Mapping[str, UUID], pupils: Mapping[int, UUID], parents: Mapping[int, UUID]) -> None:
    """Load a plan's pupils, parents and carers, circumstances and roll lines."""
    _load("pupil", _COMPUTED + _PUPIL, _pupil_rows(plan, pupils))
    parent_rows = ((parents[parent.number], *attrgetter(*_PARENT[1:])(parent)) for parent in plan.parents)
    _load("parent", _PARENT, parent_rows)
    contacts = ((pupils[pupil.number], contact) for pupil in plan.pupils for contact in pupil.contacts)
    _load(
        "pupil_contact",
        ("id", "pupil_id", "parent_id", *_CONTACT),
        ((uuid4(), pupil_id, parents[contact.parent], *_contact_values(contact)) for pupil_id, contact in contacts),
    )
    characteristics = ((pupils[pupil.number], characteristic) for pupil in plan.pupils for characteristic in pupil.characteristics)
    now = clock.now()
    _load(
        "characteristic",
        ("id", "pupil_id", *_CHARACTERISTIC, "recorded_at"),
        ((uuid4(), pupil_id, *_characteristic_values(characteristic), now) for pupil_id, characteristic in characteristics),
    )
    _load("roll_line", ("id", "school_id", "academic_year", "pupil_id", *_LINE), _line_rows(plan, schools, pupils))


def _pupil_rows(plan: Plan, pupils: Mapping[int, UUID]) -> Iterator[Row]:
    values = attrgetter(*_PUPIL)
    for pupil in plan.pupils:
        pupil_id = pupils[pupil.number]
        yield (pupil_id, reference_of(pupil_id), folded(pupil.surname), folded(pupil.forename), *values(pupil))


def _line_rows(plan: Plan, schools: Mapping[str, UUID], pupils: Mapping[int, UUID]) -> Iterator[Row]:
    for (urn, year), register in plan.registers.items():
        for line in register.lines:
            yield (uuid4(), schools[urn], year, pupils[line.pupil], *_line_values(line))


def _school_id(schools: Mapping[str, UUID], urn: str | None) -> UUID | None:
    return None if urn is None else schools[urn]


def _load(table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    remaining = iter(rows)
    while batch := list(islice(remaining, ROWS_AT_A_TIME)):
        insert_many(table, columns, batch)
