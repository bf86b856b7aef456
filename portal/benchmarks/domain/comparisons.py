"""Which figures may stand beside each other, and the sentence that says why two may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.benchmarks.domain.figures import DAILY, ENROLMENT_RATES, FIRST_SUMMED_YEAR, PHASES, SERIES_LABELS, TOTAL, WEEK

if TYPE_CHECKING:
    from datetime import date

    from portal.benchmarks.domain.figures import Benchmark

#: Years whose possible sessions hold the COVID code as neither attended nor absent.
COVID_YEARS = frozenset({2020, 2021})

#: A national week rests on every authority; with fewer than this many schools answering it is a half-term week.
_FEWEST_ANSWERING = 0.5


@dataclass(frozen=True, slots=True)
class Compared:
    """What must agree before two figures are set side by side: a published figure's, or a school's own from its register."""

    series: str
    phase: str
    period_kind: str
    academic_year: int
    first_day: date | None
    last_day: date | None


def compared(figure: Benchmark) -> Compared:
    """What a published figure brings to a comparison."""
    days = (figure.first_day, figure.last_day)
    return Compared(figure.series, figure.phase, figure.period_kind, figure.academic_year, *days)


def why_not(one: Compared, other: Compared, measure: str) -> str | None:
    """Why two figures of a measure are not to be set side by side; None when they may be.

    A school's own figure from its register counts as the daily series does, and is given as DAILY.
    """
    return _different_kinds(one, other) or _different_years(one, other) or _different_spans(one, other, measure)


def _different_kinds(one: Compared, other: Compared) -> str | None:
    if one.series != other.series:
        labels = f"{SERIES_LABELS[one.series]} and the {SERIES_LABELS[other.series]}"
        return f"The {labels} cover different schools and days: compare figures of one series."
    if one.phase != other.phase:
        return f"{PHASES[one.phase].capitalize()} and {PHASES[other.phase]} differ for that reason alone: compare one phase."
    return None


def _different_years(one: Compared, other: Compared) -> str | None:
    years = {one.academic_year, other.academic_year}
    if years & COVID_YEARS and len(years) > 1:
        return "2020/21 and 2021/22 count COVID sessions as possible and neither attended nor missed: compare other years."
    summed = {year >= FIRST_SUMMED_YEAR for year in years}
    if one.series == DAILY and one.phase == TOTAL and len(summed) > 1:
        return "All schools were an average weighted by census until 2024/25 and are a sum from 2025/26: compare one phase."
    return None


def _different_spans(one: Compared, other: Compared, measure: str) -> str | None:
    if measure not in ENROLMENT_RATES:
        return None
    if WEEK in {one.period_kind, other.period_kind}:
        return "Persistent and severe absence are not meaningful for a week: compare the term or the year to date."
    if (one.first_day, one.last_day) != (other.first_day, other.last_day):
        return "Persistent absence is compared over the same days only: its share changes with the length of the span."
    return None


def few_answered(figure: Benchmark) -> str | None:
    """A caution for a week few schools answered for: half term in most places."""
    if figure.period_kind != WEEK or not figure.schools or not figure.schools_in_all:
        return None
    if float(figure.schools) >= _FEWEST_ANSWERING * float(figure.schools_in_all):
        return None
    return f"{figure.schools:,.0f} of {figure.schools_in_all:,.0f} schools answered for this week: it was half term in most places."
