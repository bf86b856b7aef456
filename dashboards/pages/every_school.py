"""Every school within scope: how fresh its registers are, its figure, and its gap to the authority's average of its phase."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pandas as pd
from flask import abort, redirect

from dashboards.comparison import (
    FEWEST_SCHOOLS,
    FEWEST_TO_COMPARE,
    MEASURES,
    PHASE_WORDS,
    Published,
    gap_words,
    published_beside,
    rate_of,
    shown_rate,
)
from dashboards.controls import measure_in, year_in, years
from dashboards.figures import weekly_lines
from portal import clock, scope
from portal.registers.overview import AverageWeek, SchoolSummary, authority_weeks, every_school, school_weeks
from portal.rules.calendar import academic_year, week_of
from portal.schools.queries import phase_names, schools
from portal.web.paging import Order, part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import plotly.graph_objects as go

SORTS = frozenset({"name", "phase", "figure", "gap", "recent", "fresh"})
RECENT_WEEKS = 4
COLUMNS = (
    {"text": "School", "sort": "name"},
    {"text": "Phase", "sort": "phase"},
    {"text": "Registers up to", "sort": "fresh"},
    {"text": "Year to date", "sort": "figure", "number": True},
    {"text": "Last four weeks", "sort": "recent", "number": True},
    {"text": "From the LA average of its phase", "sort": "gap", "number": True},
)


class _Row:
    """One school as the list shows it. Its gap is over the weeks that both it and the average have."""

    def __init__(self, summary: SchoolSummary, year: int, measure: str, averages: Sequence[AverageWeek]) -> None:
        both = {one.week for one in averages if one.schools >= FEWEST_TO_COMPARE} & summary.weeks
        average = rate_of([one.sums for one in averages if one.week in both], measure)
        self.summary = summary
        self.figure = rate_of([summary.year], measure) if summary.year else None
        self.recent = rate_of([summary.recent], measure) if summary.recent else None
        beside = self.figure
        if both and both != summary.weeks:
            beside = rate_of([one for one in school_weeks(summary.school_id, year) if one.week in both], measure)
        self.gap = beside - average if beside is not None and average is not None else None
        self.gap_words = gap_words(beside, average).removesuffix(" as") if beside is not None and average is not None else None


def _phase_in(arguments: Mapping[str, str]) -> str | None:
    asked = arguments.get("phase") or None
    if asked is not None and asked not in PHASE_WORDS:
        abort(400)
    return asked


def _rows(arguments: Mapping[str, str]) -> list[_Row]:
    year, measure, phase = year_in(arguments), measure_in(arguments), _phase_in(arguments)
    since = week_of(clock.today()) - timedelta(weeks=RECENT_WEEKS)
    summaries = [one for one in every_school(year, recent_from=since) if phase in {None, one.phase}]
    averages = {one: _averages(one, year) for one in {summary.phase for summary in summaries}}
    return [_Row(one, year, measure, averages[one.phase]) for one in summaries]


def _averages(phase: str, year: int) -> list[AverageWeek]:
    """The authority's weeks; to a reader bound to schools, only those that rest on enough of them to point at none."""
    fewest = FEWEST_SCHOOLS if scope.current().schools is not None else 1
    return [one for one in authority_weeks(phase, year) if one.schools >= fewest]


def _sorted(rows: Sequence[_Row], by: str, *, descending: bool) -> list[_Row]:
    """Sorted by one column; schools without a figure always last."""
    keys: Mapping[str, Callable[[_Row], Any]] = {
        "name": lambda row: row.summary.name.casefold(),
        "phase": lambda row: row.summary.phase,
        "figure": lambda row: row.figure,
        "gap": lambda row: row.gap,
        "recent": lambda row: row.recent,
        "fresh": lambda row: row.summary.last_day,
    }
    key = keys[by]
    known = [row for row in rows if key(row) is not None]
    return [*sorted(known, key=key, reverse=descending), *(row for row in rows if key(row) is None)]


def sorted_rows(arguments: Mapping[str, str]) -> list[_Row]:
    """The schools in the order asked for, by name until another is."""
    order = order_in(arguments)
    return _sorted(_rows(arguments), order.column, descending=order.descending)


def order_in(arguments: Mapping[str, str]) -> Order:
    """The order asked for: "gap", or "-gap" for the other way round; anything unknown is a 400."""
    asked = arguments.get("sort", "name")
    column = asked.removeprefix("-")
    if column not in SORTS:
        abort(400)
    return Order(column, asked.startswith("-"), SORTS)


def contents(_values: Mapping[str, str], arguments: Mapping[str, str]) -> dict[str, Any]:
    """The page: the authority's finding for a phase, and the list, by name until another order is asked for.

    Whoever is bound to one school is sent on to it.
    """
    bound = scope.current().schools
    if bound is not None and len(bound) == 1:
        abort(redirect(f"/dashboards/schools/{next(iter(bound))}"))
    weeks, england = weeks_in(arguments)
    is_now = year_in(arguments) == academic_year(clock.today())
    return {
        "rows": (rows := sorted_rows(arguments)),
        "page": part(rows, arguments, lambda row: row.summary.school_id),
        "whole": bound is None,
        "measure": measure_in(arguments),
        "measures": MEASURES,
        "year": str(year_in(arguments)),
        "years": years(),
        "phase": _phase_in(arguments),
        "phases": {one: PHASE_WORDS[one] for one in PHASE_WORDS},
        "chart_phase": PHASE_WORDS[_chart_phase(arguments)],
        "phase_names": phase_names(),
        "weeks": weeks,
        "england": england,
        "finding": _finding(weeks, arguments),
        "week_rows": week_rows,
        "columns": [one for one in COLUMNS if is_now or one["sort"] != "recent"],
        "is_now": is_now,
        "order": order_in(arguments),
        "recent_weeks": RECENT_WEEKS,
    }


def _chart_phase(arguments: Mapping[str, str]) -> str:
    """The phase asked for, otherwise the first that a school in reach has."""
    held = {one.phase for one in schools()}
    return _phase_in(arguments) or next((one for one in PHASE_WORDS if one in held), "primary")


def weeks_in(arguments: Mapping[str, str]) -> tuple[pd.DataFrame, Published]:
    """The authority's weeks for the phase on show, and England's that stand beside them, with their label and source."""
    year, measure, phase = year_in(arguments), measure_in(arguments), _chart_phase(arguments)
    own = _averages(phase, year)
    england = published_beside(phase, year, [one.week for one in own], measure)
    nation = england.by_week
    rates = [rate_of([one.sums], measure) for one in own]
    weeks = pd.DataFrame(
        {
            "week": [one.week for one in own],
            "authority": [float(rate) if rate is not None else float("nan") for rate in rates],
            "nation": [float(rate) if (rate := nation.get(one.week)) is not None else float("nan") for one in own],
            "schools": [one.schools for one in own],
            "schools_in_phase": [one.schools_in_phase for one in own],
        }
    )
    return weeks, england


def _finding(weeks: pd.DataFrame, arguments: Mapping[str, str]) -> str:
    """The chart's finding in one sentence: the newest week, and the schools it rests on."""
    name, words = MEASURES[measure_in(arguments)], PHASE_WORDS[_chart_phase(arguments)]
    if weeks.empty:
        return f"No marks have been sent by {words} for this year."
    newest = weeks.iloc[-1]
    rate = shown_rate(Fraction(newest["authority"]).limit_denominator(10**9))
    schools = f"{newest['schools']} of {newest['schools_in_phase']} schools"
    return f"{name} in {words} was {rate} in the week of {newest['week']:%-d %B}, over {schools}"


def week_rows(weeks: pd.DataFrame) -> list[list[object]]:
    """The chart's own numbers as the table beneath it shows them, newest week first."""
    return [
        [f"{week:%-d %b %Y}", _percent(authority), f"{schools} of {of}", _percent(nation)]
        for week, authority, nation, schools, of in reversed(list(weeks.itertuples(index=False)))
    ]


def _percent(value: float) -> str | None:
    return None if value != value else shown_rate(Fraction(value).limit_denominator(10**9))  # noqa: PLR0124  NaN is not itself


def figure(_values: Mapping[str, str], arguments: Mapping[str, str]) -> go.Figure | None:
    """The authority's weeks for a phase beside England's; None where there are no marks."""
    weeks, england = weeks_in(arguments)
    if weeks.empty:
        return None
    return weekly_lines(weeks, labels={"authority": f"LA average, {PHASE_WORDS[_chart_phase(arguments)]}", "nation": england.label})
