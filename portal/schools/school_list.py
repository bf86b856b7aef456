"""A list of schools as GIAS writes it, or a simpler one: rows to schools, and what stops a row."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portal.schools.tables import Problem, Table, UnreadableError, day, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

#: Each field with the headings it is known by, letters and digits only; the last is the one we ask for.
NAMES = {
    "urn": ("urn",),
    "la_code": ("la", "lanumber", "localauthoritycode", "lacode"),
    "estab": ("estab", "estabnumber", "establishmentnumber"),
    "laestab": ("dfenumber", "dfeno", "laestabnumber", "laestab"),
    "name": ("establishmentname", "schoolname", "school", "name"),
    "phase": ("phaseofeducationname", "phaseofeducation", "schoolphase", "phase"),
    "kind": ("typeofestablishmentname", "typeofestablishment", "establishmenttype", "schooltype", "type"),
    "lowest_age": ("statutorylowage", "agefrom", "lowage", "minimumage", "lowestage"),
    "highest_age": ("statutoryhighage", "ageto", "highage", "maximumage", "highestage"),
    "age_range": ("ages", "agerange"),
    "trust": ("trustsname", "trusts", "trustname", "trust"),
    "opened": ("openedon", "dateopened", "opened", "opendate"),
    "closed": ("closedon", "dateclosed", "closed", "closedate"),
    "status": ("establishmentstatusname", "establishmentstatus", "openclosed", "open", "status"),
}

#: A word of the phase or the type, and our phase; the first that is found counts. Middle schools by their deemed phase.
PHASE_WORDS = (
    ("special", "special"),
    ("alternative provision", "alternative"),
    ("pupil referral", "alternative"),
    ("pru", "alternative"),
    ("alternative", "alternative"),
    ("nursery", "nursery"),
    ("all through", "all-through"),
    ("deemed primary", "primary"),
    ("deemed secondary", "secondary"),
    ("primary", "primary"),
    ("infant", "primary"),
    ("junior", "primary"),
    ("first", "primary"),
    ("secondary", "secondary"),
    ("upper", "secondary"),
    ("16 plus", "secondary"),
)
TYPE_DECIDES = ("special", "alternative", "pupil referral")
NOT_SAID = frozenset({"", "not applicable", "n/a", "na", "middle"})
OLDEST = 25
SECONDARY_AGE = 11


@dataclass(frozen=True, slots=True)
class ListedSchool:
    """One school as a list has it. `closed` says so even where the list knows no day."""

    row: int
    urn: str
    name: str
    phase: str
    laestab: str | None
    lowest_age: int | None
    highest_age: int | None
    trust: str | None
    opened_on: date | None
    closed_on: date | None
    closed: bool


@dataclass(frozen=True, slots=True)
class SchoolList:
    """What a list holds: its schools, the columns it has, how many rows were another authority's, and the problems."""

    schools: tuple[ListedSchool, ...]
    given: frozenset[str]
    rows: int
    elsewhere: int
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class _Reading:
    """One row being read, and what was found wrong with it."""

    listed: Table
    row: int
    cells: Sequence[str]
    problems: list[Problem] = field(default_factory=list)

    def cell(self, name: str) -> str:
        return self.listed.cell(self.cells, name)

    def wrong(self, name: str, what_to_do: str) -> None:
        self.problems.append(Problem(self.row, self.listed.heading(name), self.cell(name) or None, what_to_do))


def school_list(content: bytes, la_code: str) -> SchoolList:
    """Read a list of schools. Rows of other authorities (by LA code, where the list has it) are counted and left out."""
    try:
        listed = table(content, NAMES, ("urn", "name"))
    except UnreadableError as error:
        return SchoolList((), frozenset(), 0, 0, (Problem(None, None, None, str(error)),))
    schools: list[ListedSchool] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    elsewhere = 0
    for row, cells in listed.rows:
        reading = _Reading(listed, row, cells)
        if _is_elsewhere(reading.cell("la_code"), la_code):
            elsewhere += 1
            continue
        school = _school(reading)
        if school is not None and school.urn in seen:
            reading.wrong("urn", f"Keep one row for this school: row {seen[school.urn]} has the same URN.")
        problems += reading.problems
        if school is not None and not reading.problems:
            seen[school.urn] = row
            schools.append(school)
    if not schools and not problems:
        problems.append(_nothing(elsewhere, la_code))
    return SchoolList(tuple(schools), frozenset(listed.columns), len(listed.rows), elsewhere, tuple(problems))


def _nothing(elsewhere: int, la_code: str) -> Problem:
    if elsewhere:
        return Problem(None, "LA (code)", None, f"Every row is another authority's. Send a list with schools of LA {la_code}.")
    return Problem(None, None, None, "The file has headings and no schools. Add a row for each school.")


def _is_elsewhere(cell: str, la_code: str) -> bool:
    return cell.isdigit() and la_code.isdigit() and int(cell) != int(la_code)


def _school(reading: _Reading) -> ListedSchool | None:
    """The row as a school; what is wrong is noted on the reading."""
    urn = reading.cell("urn").removesuffix(".0")
    if not re.fullmatch(r"\d{6}", urn, re.ASCII):
        reading.wrong("urn", "Enter the school's URN: 6 digits, as GIAS shows it.")
    name = " ".join(reading.cell("name").split())
    if not name:
        reading.wrong("name", "Enter the school's name.")
    lowest, highest = _ages(reading)
    phase = _phase(reading, lowest, highest)
    opened, closed = _day(reading, "opened"), _day(reading, "closed")
    if opened and closed and closed < opened:
        reading.wrong("closed", "Enter a closing day that is not before the opening day.")
    shut = closed is None and _says_closed(reading)
    laestab = _laestab(reading)
    if reading.problems or phase is None:
        return None
    trust = " ".join(reading.cell("trust").split()) or None
    return ListedSchool(reading.row, urn, name, phase, laestab, lowest, highest, trust, opened, closed, shut)


def _laestab(reading: _Reading) -> str | None:
    """LA and establishment numbers as seven digits (873/4603 is written 8734603), or None where the list has none."""
    whole = re.sub(r"[\s/\-]", "", reading.cell("laestab").removesuffix(".0"))
    if not whole and reading.cell("la_code").isdigit() and reading.cell("estab").isdigit():
        whole = f"{int(reading.cell('la_code')):03d}{int(reading.cell('estab')):04d}"
    if not whole:
        return None
    if not re.fullmatch(r"\d{7}", whole, re.ASCII):
        reading.wrong("laestab", "Enter the LAESTAB as 7 digits: 3 of the LA and 4 of the establishment.")
        return None
    return whole


def _ages(reading: _Reading) -> tuple[int | None, int | None]:
    spread = re.fullmatch(r"(\d{1,2})\s*(?:-|–|to)\s*(\d{1,2})", reading.cell("age_range"))
    if reading.cell("age_range") and spread is None:
        reading.wrong("age_range", "Enter the ages as lowest and highest, for example 5-11.")
    lowest = _age(reading, "lowest_age") if spread is None else int(spread[1])
    highest = _age(reading, "highest_age") if spread is None else int(spread[2])
    if lowest is not None and highest is not None and lowest > highest:
        reading.wrong("age_range" if spread else "lowest_age", "Enter a lowest age that is not above the highest.")
    return lowest, highest


def _age(reading: _Reading, name: str) -> int | None:
    cell = reading.cell(name).removesuffix(".0")
    if not cell:
        return None
    if not (cell.isascii() and cell.isdigit() and int(cell) <= OLDEST):
        reading.wrong(name, f"Enter an age in whole years from 0 to {OLDEST}.")
        return None
    return int(cell)


def _phase(reading: _Reading, lowest: int | None, highest: int | None) -> str | None:
    """Our phase: special and alternative provision by type, then the list's phase, then the ages."""
    kind, said = (reading.cell(name).casefold().replace("-", " ") for name in ("kind", "phase"))
    for word, phase in PHASE_WORDS:
        if word in kind and word in TYPE_DECIDES:
            return phase
    for text in (said, kind if said in NOT_SAID else ""):
        for word, phase in PHASE_WORDS:
            if word in text:
                return phase
    if said not in NOT_SAID:
        reading.wrong("phase", "Enter primary, secondary, special, all-through, alternative or nursery.")
        return None
    return _phase_by_age(reading, lowest, highest)


def _phase_by_age(reading: _Reading, lowest: int | None, highest: int | None) -> str | None:
    if lowest is None or highest is None:
        reading.wrong("phase", "Enter the school's phase, or its lowest and highest age.")
        return None
    if lowest < SECONDARY_AGE - 2 and highest > SECONDARY_AGE + 3:
        return "all-through"
    return "secondary" if lowest + highest >= 2 * SECONDARY_AGE else "primary"


def _day(reading: _Reading, name: str) -> date | None:
    cell = reading.cell(name)
    if not cell or (name == "closed" and cell.casefold() in {"yes", "no", "y", "n", "true", "false"}):
        return None
    try:
        return day(cell)
    except ValueError:
        reading.wrong(name, "Enter the day as 01-09-2025, or leave the cell empty.")
        return None


def _says_closed(reading: _Reading) -> bool:
    status, closed = reading.cell("status").casefold(), reading.cell("closed").casefold()
    return status.startswith(("closed", "no")) or status in {"n", "false"} or closed in {"yes", "y", "true"}
