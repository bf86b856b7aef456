"""A small made-up county: three schools, several academic years, and every kind of mark."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from tests.commands.reference import Mark, age, year_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: URN, name, phase, lowest and highest age.
SCHOOLS = (
    ("999101", "Alder Primary", "primary", 4, 11),
    ("999102", "Beech School", "all-through", 4, 18),
    ("999103", "Cedar School", "special", 5, 16),
)
#: Stretches of term: short, so that the tests are quick, around the days that matter.
TERMS = (
    (date(2024, 7, 8), date(2024, 7, 19)),
    (date(2024, 9, 2), date(2024, 9, 20)),
    (date(2025, 5, 12), date(2025, 5, 23)),
    (date(2025, 6, 2), date(2025, 6, 13)),
    (date(2025, 9, 1), date(2025, 9, 19)),
    (date(2026, 4, 27), date(2026, 5, 22)),
    (date(2026, 6, 1), date(2026, 6, 12)),
    (date(2026, 9, 1), date(2026, 9, 18)),
)
BANK_HOLIDAY = date(2026, 5, 4)
INSET = date(2025, 9, 1)
#: Cedar alone: an INSET day, and a polling day on which it is closed in the afternoon.
OWN_INSET, POLLING_DAY = date(2026, 9, 7), date(2026, 5, 7)
AFTER_MAY = {2023: date(2024, 6, 3), 2024: date(2025, 6, 2), 2025: date(2026, 6, 1), 2026: date(2027, 6, 7)}
CHECK_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
NEW_CODES = {"C1", "C2", "J1", "K", "Q", "Y1", "Y2", "Y3", "Y4", "Y5", "Y6", "Y7"}
ENDED_CODES = {"F", "H", "J", "Y"}
CODES = (
    *("/",) * 60, *("L",) * 4, *("I",) * 6, *"MBVPWKDCTRESGNOU", "C1", "C2", "J1", "Q",
    *(f"Y{number}" for number in range(1, 8)), "H", "J", "F", "Y", "X",
)  # fmt: skip


@dataclass(frozen=True)
class Child:
    """A pupil at one school. A pupil who moves school is two of these."""

    urn: str
    number: int
    born: date
    first_day: date = date(2000, 1, 1)
    last_day: date = date(2100, 1, 1)
    often_away: bool = False

    @property
    def upn(self) -> str:
        body = f"0019999{self.number:05d}"
        return CHECK_LETTERS[sum(weight * int(digit) for weight, digit in enumerate(body, 2)) % 23] + body

    def year_group(self, year: int) -> str:
        number = age(self.born, year) - 4
        return "R" if number == 0 else str(number)

    def is_compulsory_school_age(self, on: date) -> bool:
        """Is the child of compulsory school age on this day?

        From the prescribed day after the fifth birthday to the last Friday in June of the school year with the sixteenth.
        """
        fifth = date(self.born.year + 5, self.born.month, min(self.born.day, 28))
        prescribed = next(
            day for day in (date(fifth.year, 3, 31), date(fifth.year, 8, 31), date(fifth.year, 12, 31)) if day >= fifth
        )
        june = date(self.born.year + 16 + (self.born.month >= 9), 6, 30)
        return prescribed <= on <= june - timedelta(days=(june.weekday() - 4) % 7)


def children() -> list[Child]:
    """Reception to Year 13, a leaver, a joiner and a mover."""
    pupils = [Child("999101", 100 + n, date(2014 + n % 7, 1 + n % 12, 3 + n), often_away=n % 5 == 0) for n in range(20)]
    pupils += [Child("999102", 200 + n, date(2007 + n % 14, 1 + n % 12, 4), often_away=n % 4 == 0) for n in range(36)]
    pupils += [Child("999103", 300 + n, date(2010 + n % 7, 1 + n % 12, 9), often_away=n % 2 == 0) for n in range(12)]
    pupils.append(Child("999101", 400, date(2017, 2, 2), last_day=date(2025, 9, 10)))
    pupils.append(Child("999103", 401, date(2016, 3, 3), first_day=date(2025, 9, 9)))
    pupils.append(Child("999101", 402, date(2016, 4, 4), last_day=date(2025, 9, 12)))
    pupils.append(Child("999102", 402, date(2016, 4, 4), first_day=date(2025, 9, 15)))
    return pupils


def sessions(urn: str) -> Iterator[tuple[date, str]]:
    """The school's sessions: the terms above without the closed days."""
    for first, last in TERMS:
        for day in (first + timedelta(days=offset) for offset in range((last - first).days + 1)):
            is_closed = day.weekday() > 4 or day in {INSET, BANK_HOLIDAY} or (urn == "999103" and day == OWN_INSET)
            if not is_closed:
                yield day, "AM"
                if not (urn == "999103" and day == POLLING_DAY):
                    yield day, "PM"


def marks(seed: int = 7) -> list[Mark]:
    """The marks of every pupil. About one session in twelve has none."""
    rng = random.Random(seed)  # noqa: S311  marks, not secrets
    marks_made = []
    for child in children():
        for day, session in sessions(child.urn):
            years = age(child.born, year_of(day))
            lowest, highest = next((low, high) for urn, _, _, low, high in SCHOOLS if urn == child.urn)
            if child.first_day <= day <= child.last_day and lowest <= years < highest and rng.random() > 0.08:
                code = rng.choice("IOG") if child.often_away and rng.random() < 0.15 else _code(rng, child, day)
                code = {"/": "/" if session == "AM" else "\\"}.get(code, code)
                marks_made.append(Mark(child.urn, child.upn, child.born, child.year_group(year_of(day)), day, session, code))
    return marks_made


def _code(rng: random.Random, child: Child, day: date) -> str:
    is_old_list = day < date(2024, 8, 19)
    code = rng.choice(CODES)
    is_not_in_use = code in NEW_CODES if is_old_list else code in ENDED_CODES
    if is_not_in_use or (code == "X" and child.is_compulsory_school_age(day)):
        return "I"
    return code


def school_list() -> str:
    lines = [f"{urn},{name},{phase},{low}-{high},01-09-2001" for urn, name, phase, low, high in SCHOOLS]
    return "\n".join(["URN,Name,Phase,Age range,Open date", *lines]) + "\n"


def term_list() -> str:
    lines = [f"term,Term,{first},{last}" for first, last in TERMS]
    return "\n".join(["type,name,first_day,last_day", *lines, f"closed,INSET,{INSET},{INSET}"]) + "\n"


def own_closed_days() -> str:
    return (
        "type,name,first_day,last_day,session\n"
        f"closed,INSET day,{OWN_INSET},{OWN_INSET},\nclosed,Polling day,{POLLING_DAY},{POLLING_DAY},PM\n"
    )


def pupil_list(urn: str, year: int) -> str:
    """The roll of an academic year, with admission and leaving dates."""
    lines = ["UPN,Surname,Forename,Date of birth,Year group,Admission date,Leaving date"]
    lowest, highest = next((low, high) for school_urn, _, _, low, high in SCHOOLS if school_urn == urn)
    for child in children():
        if child.urn == urn and lowest <= age(child.born, year) < highest:
            entry = child.first_day if child.first_day.year > 2000 else date(2023, 9, 1)
            leaving = child.last_day.isoformat() if child.last_day.year < 2100 else ""
            lines.append(f"{child.upn},Ash{child.number},Bryn,{child.born},{child.year_group(year)},{entry},{leaving}")
    return "\n".join(lines) + "\n"


def long_file(marks_to_write: Iterable[Mark]) -> str:
    """A file in the long layout, with the columns a pupil needs to join the roll."""
    lines = ["UPN,Surname,Forename,DOB,NCYear,Date,Session,Code"]
    for mark in marks_to_write:
        number = int(mark.upn[-5:])
        lines.append(
            f"{mark.upn},Ash{number},Bryn,{mark.born:%d/%m/%Y},{mark.year_group},{mark.on:%d/%m/%Y},{mark.half},{mark.code}"
        )
    return "\n".join(lines) + "\n"
