"""A plan as rows of the database tables, loaded in bulk."""

from __future__ import annotations

from dataclasses import dataclass
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
    from datetime import date

    from demo.plans import Plan

    Row = tuple[object, ...]

#: Rows in one statement. All of a county's pupils in one would exceed the statement timeout.
ROWS_AT_A_TIME = 20_000
#: Columns that are computed, and columns that have the names of the plan's fields.
_COMPUTED = ("id", "school_id", "reference", "surname_folded", "forename_folded")
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
_PARENT = ("name", "phone", "email", "address", "postcode", "do_not_disclose")
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


@dataclass(frozen=True, slots=True)
class Record:
    """One school's record of a planned pupil. The pupil's first one is where the child is first on roll."""

    id: UUID
    school_id: UUID
    is_first: bool


#: Each planned pupil's records by number: one for each school, the first on roll first.
Records = dict[int, list[Record]]


def load_pupils(plan: Plan, schools: Mapping[str, UUID]) -> None:
    """Load each school's records of a plan's pupils, and link them to children."""
    records = _records(plan, schools)
    _load("pupil", (*_COMPUTED, *_PUPIL), _pupil_rows(plan, records))
    _load_contacts(plan, records)
    _load(
        "characteristic",
        ("id", "school_id", "pupil_id", *_CHARACTERISTIC, "recorded_at"),
        (
            (uuid4(), record.school_id, record.id, *_characteristic_values(characteristic), clock.now())
            for pupil in plan.pupils
            for record in records.get(pupil.number, ())
            for characteristic in pupil.characteristics
        ),
    )
    _load("roll_line", ("id", "school_id", "academic_year", "pupil_id", *_LINE), _line_rows(plan, schools, records))
    _load_links(records)


def _records(plan: Plan, schools: Mapping[str, UUID]) -> Records:
    """A record for each school that has a pupil on its roll in any year."""
    starts: dict[tuple[int, str], date] = {}
    for (urn, _), register in plan.registers.items():
        for line in register.lines:
            key = (line.pupil, urn)
            starts[key] = min(starts.get(key, line.on_roll_from), line.on_roll_from)
    records: Records = {}
    for (number, urn), _ in sorted(starts.items(), key=lambda item: (item[0][0], item[1], item[0][1])):
        pupils_records = records.setdefault(number, [])
        pupils_records.append(Record(uuid4(), schools[urn], is_first=not pupils_records))
    return records


def _pupil_rows(plan: Plan, records: Records) -> Iterator[Row]:
    values = attrgetter(*_PUPIL)
    for pupil in plan.pupils:
        for record in records.get(pupil.number, ()):
            computed = (record.id, record.school_id, reference_of(record.id), folded(pupil.surname), folded(pupil.forename))
            yield (*computed, *values(pupil))


def _load_contacts(plan: Plan, records: Records) -> None:
    """Load each school's own statement of a parent, and its links to that school's brothers and sisters."""
    contact_ids: dict[tuple[int, UUID], UUID] = {}
    links: list[Row] = []
    for pupil in plan.pupils:
        for record in records.get(pupil.number, ()):
            for contact in pupil.contacts:
                contact_id = contact_ids.setdefault((contact.parent, record.school_id), uuid4())
                links.append((uuid4(), record.school_id, record.id, contact_id, *_contact_values(contact)))
    parents = {parent.number: parent for parent in plan.parents}
    values = attrgetter(*_PARENT)
    contacts = ((contact_id, school_id, *values(parents[number])) for (number, school_id), contact_id in contact_ids.items())
    _load("contact", ("id", "school_id", *_PARENT), contacts)
    _load("pupil_contact", ("id", "school_id", "pupil_id", "contact_id", *_CONTACT), links)


def _load_links(records: Records) -> None:
    """Link the records to children, as the portal's job would."""
    now = clock.now()
    children = {number: uuid4() for number in records}
    _load("child", ("id", "created_at"), ((child_id, now) for child_id in children.values()))
    _load(
        "child_link",
        ("id", "child_id", "pupil_id", "school_id", "linked_at", "basis"),
        (
            (uuid4(), children[number], record.id, record.school_id, now, "first" if record.is_first else "identity")
            for number, pupils_records in records.items()
            for record in pupils_records
        ),
    )


def _line_rows(plan: Plan, schools: Mapping[str, UUID], records: Records) -> Iterator[Row]:
    ids = {(number, record.school_id): record.id for number, listed in records.items() for record in listed}
    for (urn, year), register in plan.registers.items():
        for line in register.lines:
            yield (uuid4(), schools[urn], year, ids[line.pupil, schools[urn]], *_line_values(line))


def _school_id(schools: Mapping[str, UUID], urn: str | None) -> UUID | None:
    return None if urn is None else schools[urn]


def _load(table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    remaining = iter(rows)
    while batch := list(islice(remaining, ROWS_AT_A_TIME)):
        insert_many(table, columns, batch)
