"""The plan: everything the demonstration authority is made of, before any of it is written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from portal.demonstration.streams import Floats, Truths, Whole
    from portal.permissions import Role


@dataclass(frozen=True, slots=True)
class School:
    """An invented school. The URN and the LAESTAB lie in ranges no real school has; `house` numbers it from 0."""

    house: int
    urn: str
    laestab: str
    name: str
    phase: str
    lowest_age: int
    highest_age: int
    trust: str | None
    capacity: int
    town: str
    cluster: int
    sixth_form: bool = False

    @property
    def groups(self) -> range:
        """Its year groups as numbers: 0 is Reception, 13 the upper sixth."""
        return range(max(self.lowest_age - 4, 0), self.highest_age - 4)


@dataclass(frozen=True, slots=True)
class Term:
    """A stretch of school days, both ends included. `urn` None: the authority's; otherwise that school's own."""

    urn: str | None
    name: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Closed:
    """Days in term on which no school (`urn` None) or one school does not meet."""

    urn: str | None
    name: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Parent:
    """A parent or carer. The telephone numbers are from the ranges Ofcom keeps for drama."""

    number: int
    name: str
    phone: str | None
    email: str | None
    address: str
    postcode: str
    do_not_disclose: bool


@dataclass(frozen=True, slots=True)
class Tie:
    """How a parent (by number) is related to a pupil."""

    parent: int
    relationship: str
    parental_responsibility: bool
    priority: int


@dataclass(frozen=True, slots=True)
class Characteristic:
    """One thing that may call for support, from a day, to a day if it ended."""

    kind: str
    value: str
    first_day: date
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class Pupil:
    """An invented child. The UPN has a valid check letter and an LA and establishment that cannot be."""

    number: int
    upn: str
    former_upn: str | None
    surname: str
    forename: str
    middle_names: str | None
    date_of_birth: date
    sex: str
    ethnicity: str
    eal: bool
    address: str
    postcode: str
    household: int
    ties: tuple[Tie, ...]
    characteristics: tuple[Characteristic, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A pupil's line in one school's registers for one academic year. Status: C only here, M main, S subsidiary."""

    line: int
    pupil: int
    year_group: str
    registration_group: str
    enrolment_status: str
    on_roll_from: date
    on_roll_until: date | None


@dataclass(frozen=True, slots=True)
class Levels:
    """What the marks of a register are drawn from, one entry a line.

    `group`: 0 is Reception, 13 the upper sixth. `table`: whose calibration (0 primary, 1 secondary, 2 special).
    `rate`: the share of the year's possible sessions to be missed. `lateness`: times the usual chance of coming late.
    `observant`, `mobile`, `male`: flags. `away`: 1 where the pupil is at another school from Monday to Wednesday,
    2 on Thursday and Friday, 0 never.
    """

    group: Whole
    table: Whole
    rate: Floats
    lateness: Floats
    observant: Truths
    mobile: Truths
    male: Truths
    away: Whole


@dataclass(frozen=True, slots=True)
class Register:
    """A school's register for one academic year (2025 = 2025/26): the Mondays of its school weeks, and its lines.

    `met` are the weeks that have begun by the plan's day; `weeks` runs to the end of the year.
    """

    urn: str
    academic_year: int
    weeks: tuple[date, ...]
    met: int
    lines: tuple[Line, ...]
    levels: Levels


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who works with the portal, in one role. `schools` are URNs; empty for people of the authority."""

    name: str
    email: str
    role: Role
    title: str
    schools: tuple[str, ...] = ()
    agency: str | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A school whose registers stop short: `weeks` school weeks not sent, and why the board shows it."""

    urn: str
    weeks: int
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole invented authority on one day. The same arguments give the same plan, and the same marks."""

    seed: int
    today: date
    name: str
    slug: str
    la_code: str
    years: tuple[int, ...]
    trusts: tuple[str, ...]
    schools: tuple[School, ...]
    terms: tuple[Term, ...]
    closed: tuple[Closed, ...]
    pupils: tuple[Pupil, ...]
    parents: tuple[Parent, ...]
    registers: Mapping[tuple[str, int], Register]
    people: tuple[Person, ...]
    gaps: tuple[Gap, ...]

    def school(self, urn: str) -> School:
        """The school with this URN.

        Raises:
            KeyError: when the plan has no such school.
        """
        for school in self.schools:
            if school.urn == urn:
                return school
        raise KeyError(urn)
