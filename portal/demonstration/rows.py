"""A plan as rows of the tables: laid out once and loaded in bulk, a few thousand at a time."""

from __future__ import annotations

from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from portal import clock
from portal.loading import load
from portal.pupils.changes import reference_of
from portal.pupils.incoming import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from portal.demonstration.plans import Plan

    Row = tuple[object, ...]

#: Rows in one statement: a county's pupils in one would outlast the time a statement is given.
AT_A_TIME = 20_000
#: Columns that are named as the plan's own fields are, after those that are worked out.
_WORKED_OUT = ("id", "reference", "surname_folded", "forename_folded")
_NAMED = (
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
_TIE = ("relationship", "parental_responsibility", "priority")
_TRAIT = ("kind", "value", "first_day", "last_day")
_LINE = ("line", "year_group", "registration_group", "enrolment_status", "on_roll_from", "on_roll_until")
_tied, _drawn, _listed = attrgetter(*_TIE), attrgetter(*_TRAIT), attrgetter(*_LINE)


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
    _load("pupil", _WORKED_OUT + _NAMED, _pupil_rows(plan, pupils))
    homes = ((parents[one.number], *attrgetter(*_PARENT[1:])(one)) for one in plan.parents)
    _load("parent", _PARENT, homes)
    ties = ((pupils[pupil.number], tie) for pupil in plan.pupils for tie in pupil.ties)
    _load(
        "parenthood", ("id", "pupil_id", "parent_id", *_TIE), ((uuid4(), of, parents[tie.parent], *_tied(tie)) for of, tie in ties)
    )
    traits = ((pupils[pupil.number], one) for pupil in plan.pupils for one in pupil.characteristics)
    now = clock.now()
    _load("characteristic", ("id", "pupil_id", *_TRAIT, "recorded_at"), ((uuid4(), of, *_drawn(one), now) for of, one in traits))
    _load("roll_line", ("id", "school_id", "academic_year", "pupil_id", *_LINE), _line_rows(plan, schools, pupils))


def _pupil_rows(plan: Plan, pupils: Mapping[int, UUID]) -> Iterator[Row]:
    plain = attrgetter(*_NAMED)
    for one in plan.pupils:
        pupil_id = pupils[one.number]
        yield (pupil_id, reference_of(pupil_id), folded(one.surname), folded(one.forename), *plain(one))


def _line_rows(plan: Plan, schools: Mapping[str, UUID], pupils: Mapping[int, UUID]) -> Iterator[Row]:
    for (urn, year), register in plan.registers.items():
        for one in register.lines:
            yield (uuid4(), schools[urn], year, pupils[one.pupil], *_listed(one))


def _of(schools: Mapping[str, UUID], urn: str | None) -> UUID | None:
    return None if urn is None else schools[urn]


def _load(table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    waiting = iter(rows)
    while part := list(islice(waiting, AT_A_TIME)):
        load(table, columns, part)
