"""An independent recount of register rows, in plain Python and with nothing of the portal in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

PRESENT, APPROVED = set("/\\L"), set("BKPVWJ")
AUTHORISED = {"C", "C1", "C2", "E", "I", "J1", "M", "R", "S", "T", "H", "F"}
UNAUTHORISED = set("GNOU")


@dataclass(frozen=True)
class Mark:
    """One row of a register."""

    school: str
    pupil: str
    born: date
    year_group: str
    on: date
    session: str
    code: str


def counted(marks: list[Mark]) -> dict[str, object]:
    """The documented counts over these rows, and the rates made from them."""
    codes = Counter(mark.code for mark in marks)
    pupils: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for mark in marks:
        if mark.code in PRESENT | APPROVED | AUTHORISED | UNAUTHORISED:
            pupils[mark.school, mark.pupil][0] += 1
            pupils[mark.school, mark.pupil][1] += mark.code in AUTHORISED | UNAUTHORISED
    sums = {
        "present": _of(codes, PRESENT),
        "approved_educational_activity": _of(codes, APPROVED),
        "authorised": _of(codes, AUTHORISED),
        "unauthorised": _of(codes, UNAUTHORISED),
    }
    return {
        **sums,
        "possible": sum(sums.values()),
        "late": codes["L"] + codes["U"],
        "enrolments": len(pupils),
        "persistently_absent": sum(10 * absent >= possible for possible, absent in pupils.values()),
        "severely_absent": sum(2 * absent >= possible for possible, absent in pupils.values()),
        "codes": dict(codes),
    }


def _of(codes: Counter[str], letters: set[str]) -> int:
    return sum(codes[one] for one in letters)


def in_headline(mark: Mark, second_half_of_summer: date) -> bool:
    """Aged 5 to 15 on 31 August before the year; at 15, only before the second half of the summer term."""
    year = mark.on.year if mark.on.month >= 9 else mark.on.year - 1
    start = date(year, 8, 31)
    age = start.year - mark.born.year - ((start.month, start.day) < (mark.born.month, mark.born.day))
    return 5 <= age <= 15 and not (age == 15 and mark.on >= second_half_of_summer)


def percent(part: int, whole: int, places: str = "0.01") -> float:
    """A rate in percent, half up."""
    return float((Decimal(100 * part) / Decimal(whole)).quantize(Decimal(places), ROUND_HALF_UP))
