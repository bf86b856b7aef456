"""Every school in scope: its newest register, its figure and its gap to the authority's average."""

from __future__ import annotations

import math
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pandas as pd
from flask import abort, redirect

from dashboards.comparison import (
    FEWEST_TO_COMPARE,
    PHASE_PLURALS,
    Published,
    published_beside,
    rate_of,
)
from dashboards.comparison_words import formatted_rate, gap_between, gap_words
from dashboards.controls import SchoolsFilters
from dashboards.figures import weekly_lines
from portal.platform import clock
from portal.registers.queries import waits_for_recount
from portal.registers.views.summaries import AverageWeek, SchoolSummary, authority_weeks, every_school, school_weeks
from portal.rules.calendar import academic_year, week_of
from portal.rules.date_words import date_without_year, short_date
from portal.schools.queries import phase_names, schools
from portal.security import scope
from portal.settings.queries import fewest_schools_on
from portal.web.paging import WHOLE_LIST_SIZE, order_in, paginate, position_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from decimal import Decimal

    import plotly.graph_objects as go

SORTS = frozenset({"name", "phase", "figure", "gap", "recent", "fresh"})
LAST_FOUR_WEEKS = timedelta(weeks=4)
COLUMNS = (
    {"text": "School", "sort": "name"},
    {"text": "Phase", "sort": "phase"},
    {"text": "Registers up to", "sort": "fresh"},
    {"text": "Year to date", "sort": "figure", "number": True},
    {"text": "Last four weeks", "sort": "recent", "number": True},
    {"text": "Difference from LA average", "sort": "gap", "number": True},
)


class SchoolRow:
    """One school of the list. Its gap is over the weeks that both it and the average have."""

    def __init__(self, summary: SchoolSummary, year: int, measure: str, averages: Sequence[AverageWeek]) -> None:
        common = {average.week for average in averages if average.schools >= FEWEST_TO_COMPARE} & summary.weeks
        average_rate = rate_of([average.sums for average in averages if average.week in common], measure)
        self.summary = summary
        self.figure = rate_of([summary.year], measure) if summary.year else None
        self.recent = rate_of([summary.recent], measure) if summary.recent else None
        school_rate = self.figure
        # The school's sums by week cost a query, so they are read only where the average lacks some of its weeks.
        if common and common != summary.weeks:
            school_rate = rate_of([sums for sums in school_weeks(summary.school_id, year) if sums.week in common], measure)
        self.gap: Decimal | None = None
        self.gap_words: str | None = None
        if school_rate is not None and average_rate is not None:
            self.gap = gap_between(school_rate, average_rate)
            self.gap_words = gap_words(self.gap).removesuffix(" as")


def _rows(filters: SchoolsFilters) -> list[SchoolRow]:
    year = filters.year.data
    since = week_of(clock.today()) - LAST_FOUR_WEEKS
    summaries = [summary for summary in every_school(year, recent_from=since) if filters.phase.data in {"", summary.phase}]
    averages = {phase: _averages(phase, year) for phase in {summary.phase for summary in summaries}}
    return [SchoolRow(summary, year, filters.measure.data, averages[summary.phase]) for summary in summaries]


def _averages(phase: str, year: int) -> list[AverageWeek]:
    """The authority's weeks. A reader bound to schools gets only averages of enough schools to identify none."""
    fewest = fewest_schools_on(clock.today()) if scope.current().schools is not None else 1
    return [average for average in authority_weeks(phase, year) if average.schools >= fewest]


def _sorted(rows: Sequence[SchoolRow], by: str, *, descending: bool) -> list[SchoolRow]:
    """The rows sorted by one column. Schools without a figure always come last."""
    keys: Mapping[str, Callable[[SchoolRow], Any]] = {
        "name": lambda row: row.summary.name.casefold(),
        "phase": lambda row: row.summary.phase,
        "figure": lambda row: row.figure,
        "gap": lambda row: row.gap,
        "recent": lambda row: row.recent,
        "fresh": lambda row: row.summary.last_day,
    }
    key = keys[by]
    with_figure = [row for row in rows if key(row) is not None]
    return [*sorted(with_figure, key=key, reverse=descending), *(row for row in rows if key(row) is None)]


def sorted_rows(arguments: Mapping[str, str]) -> list[SchoolRow]:
    """The schools in the order of the address, by name where it gives none."""
    order = order_in(arguments, SORTS, "name")
    return _sorted(_rows(SchoolsFilters(arguments).check()), order.column, descending=order.descending)


def contents(_values: Mapping[str, str], arguments: Mapping[str, str]) -> dict[str, Any]:
    """The contents of the page: the authority's finding for a phase, and the list of schools.

    A reader bound to one school is redirected to it.
    """
    bound = scope.current().schools
    if bound is not None and len(bound) == 1:
        abort(redirect(f"/dashboards/schools/{next(iter(bound))}"))
    filters = SchoolsFilters(arguments).check()
    weeks, england = weeks_in(arguments)
    is_now = filters.year.data == academic_year(clock.today())
    return {
        "rows": (rows := sorted_rows(arguments)),
        "page": paginate(rows, position_in(arguments, size=WHOLE_LIST_SIZE), lambda row: row.summary.school_id),
        "is_whole_authority": bound is None,
        "filters": filters,
        "recounting": waits_for_recount(filters.year.data),
        "chart_phase": PHASE_PLURALS[_chart_phase(filters)],
        "phase_names": phase_names(),
        "weeks": weeks,
        "england": england,
        "finding": _finding(weeks, filters),
        "week_rows": week_rows,
        "columns": [column for column in COLUMNS if is_now or column["sort"] != "recent"],
        "is_now": is_now,
        "order": order_in(arguments, SORTS, "name"),
    }


def _chart_phase(filters: SchoolsFilters) -> str:
    """The phase in the address, otherwise the first phase with a school in scope."""
    phases = {school.phase for school in schools()}
    return filters.phase.data or next((phase for phase in PHASE_PLURALS if phase in phases), "primary")


def weeks_in(arguments: Mapping[str, str]) -> tuple[pd.DataFrame, Published]:
    """The authority's weeks for the chart's phase with England's rates, and England's label and source."""
    filters = SchoolsFilters(arguments).check()
    year, measure, phase = filters.year.data, filters.measure.data, _chart_phase(filters)
    averages = _averages(phase, year)
    england = published_beside(phase, year, [average.week for average in averages], measure)
    rates = [rate_of([average.sums], measure) for average in averages]
    nation = [england.by_week.get(average.week) for average in averages]
    weeks = pd.DataFrame(
        {
            "week": [average.week for average in averages],
            "authority": [float(rate) if rate is not None else math.nan for rate in rates],
            "nation": [float(rate) if rate is not None else math.nan for rate in nation],
            "schools": [average.schools for average in averages],
            "schools_in_phase": [average.schools_in_phase for average in averages],
        }
    )
    return weeks, england


def _finding(weeks: pd.DataFrame, filters: SchoolsFilters) -> str:
    """The chart's finding in one sentence: the newest week, and the schools it counts."""
    name, words = filters.measure_name, PHASE_PLURALS[_chart_phase(filters)]
    if weeks.empty:
        return f"No marks have been sent by {words} for this year."
    newest = weeks.iloc[-1]
    rate = formatted_rate(Fraction(newest["authority"]).limit_denominator(10**9))
    schools = f"{newest['schools']} of {newest['schools_in_phase']} schools"
    return f"{name} in {words} was {rate} in the week of {date_without_year(newest['week'])}, based on {schools}"


def week_rows(weeks: pd.DataFrame) -> list[list[object]]:
    """The chart's figures as rows of the table below it, newest week first."""
    return [
        [short_date(week), _percent(authority), f"{schools} of {schools_in_phase}", _percent(nation)]
        for week, authority, nation, schools, schools_in_phase in reversed(list(weeks.itertuples(index=False)))
    ]


def _percent(rate: float) -> str | None:
    # The frame holds floats: the nearest short fraction is the exact rate again, so it rounds as on other pages.
    return None if math.isnan(rate) else formatted_rate(Fraction(rate).limit_denominator(10**9))


def figure(_values: Mapping[str, str], arguments: Mapping[str, str]) -> go.Figure | None:
    """The chart of the authority's weeks for a phase and England's. None where there are no marks."""
    weeks, england = weeks_in(arguments)
    if weeks.empty:
        return None
    phase = PHASE_PLURALS[_chart_phase(SchoolsFilters(arguments).check())]
    return weekly_lines(weeks, labels={"authority": f"LA average, {phase}", "nation": england.label})
