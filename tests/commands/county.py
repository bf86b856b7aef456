"""A small county of pupils who cannot be real: three schools, three academic years, and every kind of mark."""

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
CHECK = "ABCDEFGHJKLMNPQRTUVWXYZ"
NEW = {"C1", "C2", "J1", "K", "Q", "Y1", "Y2", "Y3", "Y4", "Y5", "Y6", "Y7"}
ENDED = {"F", "Y"}
CODES = (
    *("/",) * 60, *("L",) * 4, *("I",) * 6, *"MBVPWKDCTRESGNOU", "C1", "C2", "J1", "Q",
    *(f"Y{number}" for number in range(1, 8)), "H", "J", "F", "Y", "X",
)  # fmt: skip


@dataclass(frozen=True)
class Child:
    """A pupil at one school for a while; a mover is two of these."""

    urn: str
    number: int
    born: date
    first_day: date = date(2000, 1, 1)
    last_day: date = date(2100, 1, 1)
    often_away: bool = False

    @property
    def upn(self) -> str:
        body = f"0019999{self.number:05d}"
        return CHECK[sum(place * int(digit) for place, digit in enumerate(body, 2)) % 23] + body

    def year_group(self, year: int) -> str:
        number = age(self.born, year) - 4
        return "R" if number == 0 else str(number)

    def is_old_enough_to_have_to(self, on: date) -> bool:
        """Compulsory school age, from the prescribed day after the fifth birthday to the last Friday in June at sixteen."""
        fifth = date(self.born.year + 5, self.born.month, min(self.born.day, 28))
        prescribed = next(
            day for day in (date(fifth.year, 3, 31), date(fifth.year, 8, 31), date(fifth.year, 12, 31)) if day >= fifth
        )
        june = date(self.born.year + 16 + (self.born.month >= 9), 6, 30)
        return prescribed <= on <= june - timedelta(days=(june.weekday() - 4) % 7)


def children() -> list[Child]:
    """Reception to Year 13, a leaver, a joiner and a mover."""
    found = [Child("999101", 100 + n, date(2014 + n % 7, 1 + n % 12, 3 + n), often_away=n % 5 == 0) for n in range(20)]
    found += [Child("999102", 200 + n, date(2007 + n % 14, 1 + n % 12, 4), often_away=n % 4 == 0) for n in range(36)]
    found += [Child("999103", 300 + n, date(2010 + n % 7, 1 + n % 12, 9), often_away=n % 2 == 0) for n in range(12)]
    found.append(Child("999101", 400, date(2017, 2, 2), last_day=date(2025, 9, 10)))
    found.append(Child("999103", 401, date(2016, 3, 3), first_day=date(2025, 9, 9)))
    found.append(Child("999101", 402, date(2016, 4, 4), last_day=date(2025, 9, 12)))
    found.append(Child("999102", 402, date(2016, 4, 4), first_day=date(2025, 9, 15)))
    return found


def sessions(urn: str) -> Iterator[tuple[date, str]]:
    """When a school met: by the terms above, less what was closed."""
    for first, last in TERMS:
        for on in (first + timedelta(days=ahead) for ahead in range((last - first).days + 1)):
            shut = on.weekday() > 4 or on in {INSET, BANK_HOLIDAY} or (urn == "999103" and on == OWN_INSET)
            if not shut:
                yield on, "AM"
                if not (urn == "999103" and on == POLLING_DAY):
                    yield on, "PM"


def marks(seed: int = 7) -> list[Mark]:
    """Every mark held in the end: about one in twelve sessions has none."""
    dice = random.Random(seed)  # noqa: S311  marks, not secrets
    found = []
    for child in children():
        for on, half in sessions(child.urn):
            years = age(child.born, year_of(on))
            lowest, highest = next((low, high) for urn, _, _, low, high in SCHOOLS if urn == child.urn)
            if child.first_day <= on <= child.last_day and lowest <= years < highest and dice.random() > 0.08:
                code = dice.choice("IOG") if child.often_away and dice.random() < 0.15 else _code(dice, child, on)
                code = {"/": "/" if half == "AM" else "\\"}.get(code, code)
                found.append(Mark(child.urn, child.upn, child.born, child.year_group(year_of(on)), on, half, code))
    return found


def _code(dice: random.Random, child: Child, on: date) -> str:
    before = on < date(2024, 8, 19)
    code = dice.choice(CODES)
    wrong = code in NEW if before else code in ENDED
    if wrong or (code == "X" and child.is_old_enough_to_have_to(on)):
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
    lowest, highest = next((low, high) for its, _, _, low, high in SCHOOLS if its == urn)
    for one in children():
        if one.urn == urn and lowest <= age(one.born, year) < highest:
            entry = one.first_day if one.first_day.year > 2000 else date(2023, 9, 1)
            leaving = one.last_day.isoformat() if one.last_day.year < 2100 else ""
            lines.append(f"{one.upn},Ash{one.number},Bryn,{one.born},{one.year_group(year)},{entry},{leaving}")
    return "\n".join(lines) + "\n"


def long_file(found: Iterable[Mark]) -> str:
    """The tidy long layout with what a pupil needs to join the roll."""
    lines = ["UPN,Surname,Forename,DOB,NCYear,Date,Session,Code"]
    for one in found:
        number = int(one.upn[-5:])
        lines.append(f"{one.upn},Ash{number},Bryn,{one.born:%d/%m/%Y},{one.year_group},{one.on:%d/%m/%Y},{one.half},{one.code}")
    return "\n".join(lines) + "\n"
