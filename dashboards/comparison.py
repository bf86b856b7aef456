"""Compares a school with its authority and with England, by week and to date.

An average is a sum of sessions over a sum of possible sessions, never a mean of rates.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import pandas as pd

from dashboards.comparison_words import sentence
from portal.benchmarks.domain.comparisons import Comparable, comparable, low_response_note, why_not_comparable
from portal.benchmarks.domain.figures import DAILY, ENGLAND, FRIDAY, WEEK, YEAR_TO_DATE
from portal.benchmarks.queries import latest, same_weeks_last_year, weekly_series, year_to_date
from portal.platform import clock
from portal.registers.views.summaries import AverageWeek, WeekSums, authority_weeks, school_weeks
from portal.rules.calendar import academic_year_name, register_year
from portal.rules.date_words import date_without_year, dates_in_words
from portal.settings.queries import fewest_schools_on

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from uuid import UUID

    from portal.benchmarks.domain.figures import Benchmark

#: The measures that can be compared, with their words. `attendance` is first because it is the default.
MEASURES: Mapping[str, str] = {
    "attendance": "Attendance",
    "absence": "Overall absence",
    "authorised": "Authorised absence",
    "unauthorised": "Unauthorised absence",
}
#: The published series for each phase. DfE counts all-through schools as secondary; other phases have no series.
PUBLISHED_PHASE = {"primary": "primary", "secondary": "secondary", "all-through": "secondary", "special": "special"}
PHASE_PLURALS = {
    "primary": "primary schools",
    "secondary": "secondary schools",
    "all-through": "all-through schools",
    "special": "special schools",
    "alternative": "alternative provision",
    "nursery": "nursery schools",
}
#: The fewest schools in an average shown to an authority: the average of one school is that school.
FEWEST_TO_COMPARE = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One week of the comparison: exact rates, and the number of schools in the authority's average."""

    week: date
    school: Fraction | None
    possible: int
    authority: Fraction | None
    schools: int
    nation: Fraction | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A school's year, by week and to date, with its finding and labels."""

    measure: str
    phase_words: str
    rows: tuple[Row, ...]
    school_to_date: Fraction | None
    authority_to_date: Fraction | None
    nation_to_date: Fraction | None
    schools: int
    schools_in_phase: int
    sentence: str
    nation_label: str
    nation_note: str
    has_series: bool

    @property
    def frame(self) -> pd.DataFrame:
        """The rows as the chart takes them: weeks, and rates as floats with NaN for gaps."""
        return pd.DataFrame(
            {
                "week": [row.week for row in self.rows],
                **{
                    name: [float(rate) if rate is not None else float("nan") for rate in (getattr(row, name) for row in self.rows)]
                    for name in ("school", "authority", "nation")
                },
            }
        )

    @property
    def labels(self) -> dict[str, str]:
        """The label of each line on the chart and in the table."""
        return {"school": "This school", "authority": f"LA average, {self.phase_words}", "nation": self.nation_label}


def _numerator(sums: WeekSums, measure: str) -> int:
    numerators = {
        "attendance": sums.present + sums.approved,
        "absence": sums.authorised + sums.unauthorised,
        "authorised": sums.authorised,
        "unauthorised": sums.unauthorised,
    }
    return numerators[measure]


def rate_of(sums: Sequence[WeekSums], measure: str) -> Fraction | None:
    """The rate of a measure over several weeks, in percent. None where no session was possible."""
    possible = sum(week_sums.possible for week_sums in sums)
    return Fraction(100 * sum(_numerator(week_sums, measure) for week_sums in sums), possible) if possible else None


def comparison(school_id: UUID, phase: str, academic_year: int, measure: str, *, alone: bool) -> Comparison:
    """Compare a school's weeks with its authority's average for the phase and with England.

    The authority's sums are over schools of the same phase with marks for the same week. `alone` is true for a reader
    bound to schools: averages of too few schools are then left out, so that no other school can be worked out.
    """
    own = school_weeks(school_id, academic_year)
    averages = {average.week: average for average in authority_weeks(phase, academic_year)}
    published = published_beside(phase, academic_year, [sums.week for sums in own], measure)
    fewest = fewest_schools_on(clock.today()) if alone else FEWEST_TO_COMPARE
    comparable = {week: average for week, average in averages.items() if average.schools >= fewest}
    rows = tuple(
        Row(
            sums.week,
            rate_of([sums], measure),
            sums.possible,
            rate_of([comparable[sums.week].sums], measure) if sums.week in comparable else None,
            comparable[sums.week].schools if sums.week in comparable else 0,
            published.by_week.get(sums.week),
        )
        for sums in own
    )
    common_weeks = [(sums, comparable[sums.week].sums) for sums in own if sums.week in comparable]
    return _summarised((phase, academic_year, measure), own, rows, common_weeks, published, averages)


@dataclass(frozen=True, slots=True)
class Published:
    """England's rates for the weeks of a comparison, with their label and source."""

    by_week: dict[date, Fraction | None]
    to_date: Fraction | None
    label: str
    note: str


def published_beside(phase: str, academic_year: int, weeks: Sequence[date], measure: str) -> Published:
    """England's published rates for these weeks of a year.

    Before the year's first release they are those of the same ISO weeks a year before, and the label says so. A figure
    that must not stand beside the school's is left out, and the note says why.
    """
    series = PUBLISHED_PHASE.get(phase)
    if series is None:
        return Published({}, None, "England", "The Department for Education publishes no series for this phase.")
    label = f"England, {PHASE_PLURALS[series]}"
    this_year = {figure.week: figure for figure in weekly_series(ENGLAND, series, academic_year) if figure.week}
    if this_year:
        by_week, notes = _comparable_rates(series, {week: this_year.get(week) for week in weeks}, measure)
        to_date, note = _to_date(series, academic_year, measure)
        return Published(by_week, to_date, label, " ".join((note, *notes)))
    same_weeks = same_weeks_last_year(ENGLAND, series, weeks)
    figures = {week: same_week.benchmark for week, same_week in same_weeks.items()}
    newest = latest()
    note = newest.sentence if newest else "No published figures have been loaded."
    available = [figure for figure in figures.values() if figure is not None]
    if not available:
        return Published({}, None, label, note)
    by_week, notes = _comparable_rates(series, figures, measure)
    source = f"{note} The England line shows the same weeks of last year: DfE, daily attendance series, {available[-1].release}."
    return Published(by_week, None, f"{label}, same weeks last year", " ".join((source, *notes)))


def _comparable_rates(
    series: str, figures: Mapping[date, Benchmark | None], measure: str
) -> tuple[dict[date, Fraction | None], tuple[str, ...]]:
    """Each week's published rate where it may stand beside the register's own, and the notes on them."""
    by_week: dict[date, Fraction | None] = {}
    notes: list[str] = []
    for week, figure in figures.items():
        own = Comparable(DAILY, series, WEEK, register_year(week), week, week + FRIDAY)
        reason = why_not_comparable(own, comparable(figure), measure) if figure else None
        by_week[week] = figure.rate(measure) if figure and reason is None else None
        few_answered = low_response_note(figure) if figure else None
        notes += [reason] if reason else [f"Week of {date_without_year(week)}: {few_answered}"] if few_answered else []
    return by_week, tuple(dict.fromkeys(notes))


def _to_date(phase: str, academic_year: int, measure: str) -> tuple[Fraction | None, str]:
    figure = year_to_date(ENGLAND, phase, academic_year)
    if figure is None or figure.first_day is None or figure.last_day is None:
        return None, "DfE, daily attendance series."
    own = Comparable(DAILY, phase, YEAR_TO_DATE, academic_year, figure.first_day, figure.last_day)
    reason = why_not_comparable(own, comparable(figure), measure)
    if reason:
        return None, reason
    span = dates_in_words(figure.first_day, figure.last_day)
    return figure.rate(measure), f"DfE, daily attendance series, {figure.release}. England's year to date runs from {span}."


def _summarised(
    question: tuple[str, int, str],
    own: Sequence[WeekSums],
    rows: tuple[Row, ...],
    common_weeks: Sequence[tuple[WeekSums, WeekSums]],
    published: Published,
    averages: Mapping[date, AverageWeek],
) -> Comparison:
    """The comparison with its totals and its finding.

    `common_weeks` are the sums of the school and of the average, for the weeks that both have.
    """
    phase, academic_year, measure = question
    newest = own[-1].week if own else None
    schools, in_phase = (averages[newest].schools, averages[newest].schools_in_phase) if newest and newest in averages else (0, 0)
    to_date = rate_of(own, measure)
    # A week that only one of the two has would make the gap compare different weeks.
    school_in_common = rate_of([school for school, _ in common_weeks], measure)
    authority = rate_of([average for _, average in common_weeks], measure)
    return Comparison(
        measure=measure,
        phase_words=PHASE_PLURALS[phase],
        rows=rows,
        school_to_date=to_date,
        authority_to_date=authority,
        nation_to_date=published.to_date,
        schools=schools,
        schools_in_phase=in_phase,
        sentence=sentence(
            to_date,
            (school_in_common, authority),
            rows,
            PHASE_PLURALS[phase],
            f"{MEASURES[measure]} in {academic_year_name(academic_year)}",
        ),
        nation_label=published.label,
        nation_note=published.note,
        has_series=phase in PUBLISHED_PHASE,
    )
