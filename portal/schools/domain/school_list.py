"""Reading a list of schools: a GIAS extract, or a simpler CSV."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portal.platform.problems import Problem, ProblemsError
from portal.schools.domain.days import day
from portal.tabular.csv_rows import csv_rows
from portal.tabular.limits import Limits
from portal.tabular.named_columns import NamedColumns, find_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

#: The headings of each field, letters and digits only. Messages ask for the last one.
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

#: A word of the phase or type, and our phase; the first match counts. Middle schools follow their deemed phase.
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
#: Types in GIAS that keep no attendance register: they are counted, and left out.
NOT_SCHOOLS = (
    "children's centre",
    "higher education",
    "miscellaneous",
    "service children",
    "further education",
    "institution funded by other government department",
    "offshore",
    "british schools overseas",
    "online provider",
    "proprietor",
)
#: Words of a type that decide before the phase does: GIAS gives such schools the phase "not applicable".
DECIDING_TYPES = ("special", "alternative", "pupil referral")
NO_PHASE = frozenset({"", "not applicable", "n/a", "na", "middle"})
#: GIAS's own extract of every school has some 50,000 rows in 60 MB.
LIMITS = Limits(size=120_000_000, rows=200_000, advice="Send only the rows and columns that are needed.")
HIGHEST_AGE = 25
SECONDARY_AGE = 11


@dataclass(frozen=True, slots=True)
class ListedSchool:
    """A school as a list has it. `closed` is true where the list says so without a day."""

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
    """The schools of a list, its columns, and its problems.

    `rows` counts all rows; `elsewhere` those of other authorities, and `not_schools` those of other kinds of places.
    """

    schools: tuple[ListedSchool, ...]
    columns: frozenset[str]
    rows: int
    elsewhere: int
    not_schools: int
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class _RowReader:
    """One row being read, and the problems found in it."""

    table: NamedColumns
    row: int
    cells: Sequence[str]
    problems: list[Problem] = field(default_factory=list)

    def cell(self, name: str) -> str:
        return self.table.cell(self.cells, name)

    def add_problem(self, name: str, sentence: str) -> None:
        self.problems.append(Problem(sentence, self.row, self.table.heading(name), self.cell(name) or None))


def school_list(content: bytes, la_code: str) -> SchoolList:
    """Read a list of schools.

    Rows of other authorities (by LA code, where the list has it) are counted and left out.
    """
    try:
        listed = find_columns(csv_rows(content, LIMITS), NAMES, ("urn", "name"))
    except ProblemsError as error:
        return SchoolList((), frozenset(), 0, 0, 0, error.problems)
    schools: list[ListedSchool] = []
    problems: list[Problem] = []
    row_of_urn: dict[str, int] = {}
    elsewhere = not_schools = 0
    for row, cells in listed.rows:
        reader = _RowReader(listed, row, cells)
        if _is_elsewhere(reader.cell("la_code"), la_code):
            elsewhere += 1
            continue
        if any(words in reader.cell("kind").casefold().replace("’", "'") for words in NOT_SCHOOLS):
            not_schools += 1
            continue
        school = _school(reader)
        if school is not None and school.urn in row_of_urn:
            reader.add_problem("urn", f"Keep one row for this school: row {row_of_urn[school.urn]} has the same URN.")
        problems += reader.problems
        if school is not None and not reader.problems:
            row_of_urn[school.urn] = row
            schools.append(school)
    if not schools and not problems and not not_schools:
        problems.append(_no_schools(elsewhere, la_code))
    return SchoolList(tuple(schools), frozenset(listed.columns), len(listed.rows), elsewhere, not_schools, tuple(problems))


def _no_schools(elsewhere: int, la_code: str) -> Problem:
    if elsewhere:
        return Problem(f"Every row is another authority's. Send a list with schools of LA {la_code}.", column="LA (code)")
    return Problem("The file has headings and no schools. Add a row for each school.")


def _is_elsewhere(cell: str, la_code: str) -> bool:
    return cell.isdigit() and la_code.isdigit() and int(cell) != int(la_code)


def _school(reader: _RowReader) -> ListedSchool | None:
    """The row as a school, or None where it has a problem; problems go to the reader."""
    urn = reader.cell("urn").removesuffix(".0")
    if not re.fullmatch(r"\d{6}", urn, re.ASCII):
        reader.add_problem("urn", "Enter the school's URN: 6 digits, as GIAS shows it.")
    name = " ".join(reader.cell("name").split())
    if not name:
        reader.add_problem("name", "Enter the school's name.")
    lowest, highest = _ages(reader)
    phase = _phase(reader, lowest, highest)
    opened, closed = _day(reader, "opened"), _day(reader, "closed")
    if opened and closed and closed < opened:
        reader.add_problem("closed", "Enter a closing day that is not before the opening day.")
    is_closed = closed is None and _says_closed(reader)
    laestab = _laestab(reader)
    if reader.problems or phase is None:
        return None
    trust = " ".join(reader.cell("trust").split()) or None
    return ListedSchool(reader.row, urn, name, phase, laestab, lowest, highest, trust, opened, closed, is_closed)


def _laestab(reader: _RowReader) -> str | None:
    """LA and establishment numbers as seven digits: 873/4603 becomes 8734603.

    None where the list has none.
    """
    digits = re.sub(r"[\s/\-]", "", reader.cell("laestab").removesuffix(".0"))
    if not digits and reader.cell("la_code").isdigit() and reader.cell("estab").isdigit():
        digits = f"{int(reader.cell('la_code')):03d}{int(reader.cell('estab')):04d}"
    if not digits:
        return None
    if not re.fullmatch(r"\d{7}", digits, re.ASCII):
        reader.add_problem("laestab", "Enter the LAESTAB as 7 digits: 3 of the LA and 4 of the establishment.")
        return None
    return digits


def _ages(reader: _RowReader) -> tuple[int | None, int | None]:
    age_range = re.fullmatch(r"(\d{1,2})\s*(?:-|–|to)\s*(\d{1,2})", reader.cell("age_range"))
    if reader.cell("age_range") and age_range is None:
        reader.add_problem("age_range", "Enter the ages as lowest and highest, for example 5-11.")
    lowest = _age(reader, "lowest_age") if age_range is None else int(age_range[1])
    highest = _age(reader, "highest_age") if age_range is None else int(age_range[2])
    if lowest is not None and highest is not None and lowest > highest:
        reader.add_problem("age_range" if age_range else "lowest_age", "Enter a lowest age that is not above the highest.")
    return lowest, highest


def _age(reader: _RowReader, name: str) -> int | None:
    cell = reader.cell(name).removesuffix(".0")
    if not cell:
        return None
    if not (cell.isascii() and cell.isdigit() and int(cell) <= HIGHEST_AGE):
        reader.add_problem(name, f"Enter an age in whole years from 0 to {HIGHEST_AGE}.")
        return None
    return int(cell)


def _phase(reader: _RowReader, lowest: int | None, highest: int | None) -> str | None:
    """Our phase: special and alternative provision by type, then the list's phase, then the ages."""
    kind, listed_phase = (reader.cell(name).casefold().replace("-", " ") for name in ("kind", "phase"))
    for word, phase in PHASE_WORDS:
        if word in kind and word in DECIDING_TYPES:
            return phase
    for text in (listed_phase, kind if listed_phase in NO_PHASE else ""):
        for word, phase in PHASE_WORDS:
            if word in text:
                return phase
    if listed_phase not in NO_PHASE:
        reader.add_problem("phase", "Enter primary, secondary, special, all-through, alternative or nursery.")
        return None
    return _phase_by_age(reader, lowest, highest)


def _phase_by_age(reader: _RowReader, lowest: int | None, highest: int | None) -> str | None:
    if lowest is None or highest is None:
        reader.add_problem("phase", "Enter the school's phase, or its lowest and highest age.")
        return None
    # Secondary where the middle of the age range is 11 or above.
    if lowest < SECONDARY_AGE - 2 and highest > SECONDARY_AGE + 3:
        return "all-through"
    return "secondary" if lowest + highest >= 2 * SECONDARY_AGE else "primary"


def _day(reader: _RowReader, name: str) -> date | None:
    cell = reader.cell(name)
    if not cell or (name == "closed" and cell.casefold() in {"yes", "no", "y", "n", "true", "false"}):
        return None
    try:
        return day(cell)
    except ValueError:
        reader.add_problem(name, "Enter the day as 01-09-2025, or leave the cell empty.")
        return None


def _says_closed(reader: _RowReader) -> bool:
    status, closed = reader.cell("status").casefold(), reader.cell("closed").casefold()
    return status.startswith(("closed", "no")) or status in {"n", "false"} or closed in {"yes", "y", "true"}
