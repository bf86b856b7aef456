"""An independent recount of DfE's figures, in plain Python from rows. It imports nothing from the portal."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PRESENT = {"/", "\\", "L"}
APPROVED = {"B", "K", "P", "V", "W", "J"}
AUTHORISED = {"C", "C1", "C2", "E", "I", "J1", "M", "R", "S", "T", "H", "F"}
UNAUTHORISED = {"G", "N", "O", "U"}


@dataclass(frozen=True)
class Mark:
    """One mark of one pupil at one school."""

    urn: str
    upn: str
    born: date
    year_group: str
    on: date
    half: str
    code: str


def year_of(on: date) -> int:
    return on.year - (on.month < 9)


def age(born: date, year: int) -> int:
    """Whole years on 31 August of that year."""
    return year - born.year - ((born.month, born.day) > (8, 31))


def is_headline(mark: Mark, after_may: dict[int, date]) -> bool:
    years = age(mark.born, year_of(mark.on))
    return 5 <= years <= 15 and not (years == 15 and mark.on >= after_may[year_of(mark.on)])


GROUPS: dict[str, Callable[[Mark], str]] = {
    "none": lambda _mark: "all",
    "school": lambda mark: mark.urn,
    "week": lambda mark: (mark.on - timedelta(days=mark.on.weekday())).isoformat(),
    "month": lambda mark: f"{mark.on:%Y-%m}",
    "year-group": lambda mark: mark.year_group,
}


def counted(marks: Iterable[Mark], by: str) -> dict[str, dict[str, object]]:
    """The counts of each group, under the names the command line prints."""
    codes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    enrolments: defaultdict[str, defaultdict[tuple[str, str, int], list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for mark in marks:
        group = GROUPS[by](mark)
        codes[group][mark.code] += 1
        absent = mark.code in AUTHORISED | UNAUTHORISED
        sessions_of_enrolment = enrolments[group][mark.urn, mark.upn, year_of(mark.on)]
        sessions_of_enrolment[0] += absent
        sessions_of_enrolment[1] += absent or mark.code in PRESENT | APPROVED
    return {group: _group(code_counts, list(enrolments[group].values()), by) for group, code_counts in codes.items()}


def _group(codes: Counter[str], enrolments: list[list[int]], by: str) -> dict[str, object]:
    def total(letters: set[str]) -> int:
        return sum(codes[letter] for letter in letters)

    enrolments_counted = [(absent, possible) for absent, possible in enrolments if possible]
    persistent = sum(1 for absent, possible in enrolments_counted if absent * 10 >= possible)
    severe = sum(1 for absent, possible in enrolments_counted if absent * 2 >= possible)
    return {
        "possible": total(PRESENT | APPROVED | AUTHORISED | UNAUTHORISED),
        "present": total(PRESENT),
        "approved_educational_activity": total(APPROVED),
        "authorised": total(AUTHORISED),
        "unauthorised": total(UNAUTHORISED),
        "late": codes["L"] + codes["U"],
        "enrolments": len(enrolments_counted),
        "persistently_absent": None if by == "week" else persistent,
        "severely_absent": None if by == "week" else severe,
        "codes": dict(codes),
    }


def rates(group: dict[str, object]) -> dict[str, Fraction | None]:
    """The exact rates of a group."""

    def of(numerator: int, denominator: str) -> Fraction | None:
        return Fraction(100 * numerator, int(str(group[denominator]))) if group[denominator] else None

    counts = {name: value for name, value in group.items() if isinstance(value, int)}
    has_no_persistence = "persistently_absent" not in counts
    return {
        "attendance": of(counts["present"] + counts["approved_educational_activity"], "possible"),
        "overall_absence": of(counts["authorised"] + counts["unauthorised"], "possible"),
        "authorised": of(counts["authorised"], "possible"),
        "unauthorised": of(counts["unauthorised"], "possible"),
        "late": of(counts["late"], "possible"),
        "persistent_absence": None if has_no_persistence else of(counts["persistently_absent"], "enrolments"),
        "severe_absence": None if has_no_persistence else of(counts["severely_absent"], "enrolments"),
    }


def rounded_half_up(rate: Fraction) -> float:
    """Two decimal places, half up."""
    exact = Decimal(rate.numerator) / Decimal(rate.denominator)
    return float(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))
