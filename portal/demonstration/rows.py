"""A plan as rows of the tables: laid out once and loaded in bulk, a few thousand at a time."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from portal import clock
from portal.db import load
from portal.pupils.changes import reference_of
from portal.pupils.incoming import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from portal.demonstration.plans import Plan

    Row = tuple[object, ...]

#: Rows in one statement: a county's pupils in one would outlast the time a statement is given.
AT_A_TIME = 20_000


def load_places(plan: Plan, schools: Mapping[str, UUID]) -> None:
    """Load a plan's trusts, schools, terms and closed days."""
    trusts = {name: uuid4() for name in plan.trusts}
    _load("trust", ("id", "name"), ((trust_id, name) for name, trust_id in trusts.items()))
    _load(
        "school",
        ("id", "urn", "laestab", "name", "phase", "lowest_age", "highest_age", "trust_id"),
        (
            (
                schools[one.urn], one.urn, one.laestab, one.name, one.phase, one.lowest_age, one.highest_age,
                trusts[one.trust] if one.trust else None,
            )
            for one in plan.schools
        ),
    )  # fmt: skip
    dates = ("id", "school_id", "name", "first_day", "last_day")
    _load("term", dates, ((uuid4(), _of(schools, one.urn), one.name, one.first_day, one.last_day) for one in plan.terms))
    _load("closed_days", dates, ((uuid4(), _of(schools, one.urn), one.name, one.first_day, one.last_day) for one in plan.closed))


def load_people_of_schools(
    plan: Plan, schools: Mapping[str, UUID], pupils: Mapping[int, UUID], parents: Mapping[int, UUID]
) -> None:
    """Load a plan's pupils, parents and carers, circumstances and roll lines."""
    _load(
        "pupil",
        (
            "id", "upn", "former_upn", "surname", "forename", "middle_names", "surname_folded", "forename_folded",
            "date_of_birth", "sex", "ethnicity", "eal", "address", "postcode", "reference",
        ),
        _pupil_rows(plan, pupils),
    )  # fmt: skip
    _load(
        "parent",
        ("id", "name", "phone", "email", "address", "postcode", "do_not_disclose"),
        (
            (parents[one.number], one.name, one.phone, one.email, one.address, one.postcode, one.do_not_disclose)
            for one in plan.parents
        ),
    )
    _load(
        "parenthood",
        ("id", "pupil_id", "parent_id", "relationship", "parental_responsibility", "priority"),
        (
            (uuid4(), pupils[pupil.number], parents[tie.parent], tie.relationship, tie.parental_responsibility, tie.priority)
            for pupil in plan.pupils
            for tie in pupil.ties
        ),
    )
    _load(
        "characteristic",
        ("id", "pupil_id", "kind", "value", "first_day", "last_day", "recorded_at"),
        (
            (uuid4(), pupils[pupil.number], one.kind, one.value, one.first_day, one.last_day, clock.now())
            for pupil in plan.pupils
            for one in pupil.characteristics
        ),
    )
    _load(
        "roll_line",
        (
            "id", "school_id", "academic_year", "line", "pupil_id", "year_group", "registration_group",
            "enrolment_status", "on_roll_from", "on_roll_until",
        ),
        _line_rows(plan, schools, pupils),
    )  # fmt: skip


def _pupil_rows(plan: Plan, pupils: Mapping[int, UUID]) -> Iterator[Row]:
    for one in plan.pupils:
        pupil_id = pupils[one.number]
        yield (
            pupil_id, one.upn, one.former_upn, one.surname, one.forename, one.middle_names, folded(one.surname),
            folded(one.forename), one.date_of_birth, one.sex, one.ethnicity, one.eal, one.address, one.postcode,
            reference_of(pupil_id),
        )  # fmt: skip


def _line_rows(plan: Plan, schools: Mapping[str, UUID], pupils: Mapping[int, UUID]) -> Iterator[Row]:
    for (urn, year), register in plan.registers.items():
        for one in register.lines:
            yield (
                uuid4(), schools[urn], year, one.line, pupils[one.pupil], one.year_group, one.registration_group,
                one.enrolment_status, one.on_roll_from, one.on_roll_until,
            )  # fmt: skip


def _of(schools: Mapping[str, UUID], urn: str | None) -> UUID | None:
    return None if urn is None else schools[urn]


def _load(table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    waiting = iter(rows)
    while part := list(islice(waiting, AT_A_TIME)):
        load(table, columns, part)
