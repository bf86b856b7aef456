"""The plan: everything the demonstration authority is made of, before it is written to the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from demo.seeded_random import Bools, Floats, Ints
    from portal.security.permissions import Role


@dataclass(frozen=True, slots=True)
class School:
    """An invented school.

    The URN and the LAESTAB lie in ranges no real school has. `number` counts the plan's schools from 0.
    """

    number: int
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
        """The school's year groups as numbers: 0 is Reception, 13 the upper sixth."""
        return range(max(self.lowest_age - 4, 0), self.highest_age - 4)


@dataclass(frozen=True, slots=True)
class Term:
    """A stretch of school days, first and last included.

    `urn` is None for the authority's terms, and a school's URN for its own.
    """

    urn: str | None
    name: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class ClosedDays:
    """Days in term on which every school (`urn` None) or one school does not meet."""

    urn: str | None
    name: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Parent:
    """A parent or carer.

    The telephone numbers are from the ranges Ofcom reserves for drama.
    """

    number: int
    name: str
    phone: str | None
    email: str | None
    address: str
    postcode: str
    do_not_disclose: bool


@dataclass(frozen=True, slots=True)
class Contact:
    """A parent (by number) as a contact of one pupil."""

    parent: int
    relationship: str
    parental_responsibility: bool
    priority: int


@dataclass(frozen=True, slots=True)
class Characteristic:
    """One circumstance of a pupil that may call for support, with its first and last day."""

    kind: str
    value: str
    first_day: date
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class Pupil:
    """An invented child.

    The UPN has a valid check letter, but an LA and an establishment number that do not exist.
    """

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
    contacts: tuple[Contact, ...]
    characteristics: tuple[Characteristic, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A pupil's line in one school's registers for one academic year.

    Enrolment status: C current (this school only), M main, S subsidiary.
    """

    line: int
    pupil: int
    year_group: str
    registration_group: str
    enrolment_status: str
    on_roll_from: date
    on_roll_until: date | None


@dataclass(frozen=True, slots=True)
class Levels:
    """The parameters from which a register's marks are drawn, one element per line.

    `group`: 0 is Reception, 13 the upper sixth. `table`: whose calibration (0 primary, 1 secondary, 2 special).
    `rate`: the share of the year's possible sessions to be missed. `lateness`: multiple of the usual chance of being late.
    `observant`, `mobile`, `male`: flags. `away`: 1 where the pupil is at another school from Monday to Wednesday,
    2 on Thursday and Friday, 0 never.
    """

    group: Ints
    table: Ints
    rate: Floats
    lateness: Floats
    observant: Bools
    mobile: Bools
    male: Bools
    away: Ints


@dataclass(frozen=True, slots=True)
class Register:
    """A school's register for one academic year (2025 = 2025/26).

    `weeks` holds the Mondays of its school weeks to the end of the year; the first `met` of them have begun by the plan's
    day. `lines` are its pupils.
    """

    urn: str
    academic_year: int
    weeks: tuple[date, ...]
    met: int
    lines: tuple[Line, ...]
    levels: Levels


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the portal, in one role.

    `schools` are URNs; empty for people of the authority.
    """

    name: str
    email: str
    role: Role
    title: str
    schools: tuple[str, ...] = ()
    agency: str | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A school whose registers stop early: `weeks` school weeks are not sent, for `reason`."""

    urn: str
    weeks: int
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole invented authority on one day.

    The same arguments give the same plan, and the same marks.
    """

    seed: int
    today: date
    name: str
    slug: str
    la_code: str
    years: tuple[int, ...]
    trusts: tuple[str, ...]
    schools: tuple[School, ...]
    terms: tuple[Term, ...]
    closed: tuple[ClosedDays, ...]
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
