"""Which figures may be compared, and the sentence that says why two may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.benchmarks.domain.figures import DAILY, ENROLMENT_RATES, FIRST_SUMMED_YEAR, PHASES, SERIES_LABELS, TOTAL, WEEK

if TYPE_CHECKING:
    from datetime import date

    from portal.benchmarks.domain.figures import Benchmark

#: Years whose possible sessions hold the COVID code as neither attended nor absent.
COVID_YEARS = frozenset({2020, 2021})

#: Below this share of schools answering, a national week is a half-term week in most authorities.
_LOW_RESPONSE = 0.5


@dataclass(frozen=True, slots=True)
class Comparable:
    """What must agree before two figures are compared. Made from a published figure or a school's register."""

    series: str
    phase: str
    period_kind: str
    academic_year: int
    first_day: date | None
    last_day: date | None


def comparable(figure: Benchmark) -> Comparable:
    """The properties of a published figure that a comparison depends on."""
    days = (figure.first_day, figure.last_day)
    return Comparable(figure.series, figure.phase, figure.period_kind, figure.academic_year, *days)


def why_not_comparable(first: Comparable, second: Comparable, measure: str) -> str | None:
    """Why two figures of a measure must not be compared; None when they may be.

    A school's own figure from its register counts as the daily series does, and is given as DAILY.
    """
    return _different_kinds(first, second) or _different_years(first, second) or _different_spans(first, second, measure)


def _different_kinds(first: Comparable, second: Comparable) -> str | None:
    if first.series != second.series:
        labels = f"{SERIES_LABELS[first.series]} and the {SERIES_LABELS[second.series]}"
        return f"The {labels} cover different schools and days: compare figures of one series."
    if first.phase != second.phase:
        return f"{PHASES[first.phase].capitalize()} and {PHASES[second.phase]} differ for that reason alone: compare one phase."
    return None


def _different_years(first: Comparable, second: Comparable) -> str | None:
    years = {first.academic_year, second.academic_year}
    if years & COVID_YEARS and len(years) > 1:
        return "2020/21 and 2021/22 count COVID sessions as possible and neither attended nor missed: compare other years."
    is_summed = {year >= FIRST_SUMMED_YEAR for year in years}
    if first.series == DAILY and first.phase == TOTAL and len(is_summed) > 1:
        return "All schools were an average weighted by census until 2024/25 and are a sum from 2025/26: compare one phase."
    return None


def _different_spans(first: Comparable, second: Comparable, measure: str) -> str | None:
    if measure not in ENROLMENT_RATES:
        return None
    if WEEK in {first.period_kind, second.period_kind}:
        return "Persistent and severe absence are not meaningful for a week: compare the term or the year to date."
    if (first.first_day, first.last_day) != (second.first_day, second.last_day):
        return "Persistent absence is compared over the same days only: its share changes with the length of the span."
    return None


def low_response_note(figure: Benchmark) -> str | None:
    """A note for a week for which few schools answered: half term in most places."""
    if figure.period_kind != WEEK or not figure.schools or not figure.schools_in_all:
        return None
    if float(figure.schools) >= _LOW_RESPONSE * float(figure.schools_in_all):
        return None
    return f"{figure.schools:,.0f} of {figure.schools_in_all:,.0f} schools answered for this week: it was half term in most places."
