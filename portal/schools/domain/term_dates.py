"""Reading term dates as authorities publish them: terms and closed days, in CSV or JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from portal.platform.problems import Problem, ProblemsError
from portal.rules.calendar import SATURDAY, academic_year, academic_year_span
from portal.schools.domain.days import day
from portal.tabular.csv_rows import csv_rows
from portal.tabular.decoding import decoded
from portal.tabular.file_guard import file_kind
from portal.tabular.limits import Limits
from portal.tabular.named_columns import NamedColumns, find_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

NAMES = {
    "type": ("kind", "type"),
    "name": ("label", "description", "name"),
    "first_day": ("start", "startdate", "from", "firstdate", "firstday"),
    "last_day": ("end", "enddate", "to", "until", "lastdate", "lastday"),
    "session": ("half", "session"),
}
CLOSED_WORDS = frozenset({"closed", "closure", "holiday", "inset", "inset day", "bank holiday", "polling day"})
SESSIONS = {"am": "AM", "morning": "AM", "pm": "PM", "afternoon": "PM", "": None, "all day": None, "day": None}
HALF_TERMS = tuple(f"{term} term, {half} half" for term in ("Autumn", "Spring", "Summer") for half in ("first", "second"))
#: No school is closed for longer at a stretch; a longer run is a mistyped year.
LONGEST_CLOSURE = timedelta(days=120)


@dataclass(frozen=True, slots=True)
class ListedTerm:
    """A term: school days from the first to the last day, both included."""

    name: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class ListedClosed:
    """Days on which no school meets, both ends included. `session` limits them to AM or PM."""

    name: str
    first_day: date
    last_day: date
    session: str | None = None


@dataclass(frozen=True, slots=True)
class TermDates:
    """The terms and closed days of a file, and its problems.

    `term_years` and `closed_years` are the academic years whose terms and whose closed days it replaces.
    """

    terms: tuple[ListedTerm, ...]
    closed: tuple[ListedClosed, ...]
    term_years: frozenset[int]
    closed_years: frozenset[int]
    problems: tuple[Problem, ...]


def term_dates(content: bytes) -> TermDates:
    """Read term dates.

    CSV has type, name, first_day, last_day and perhaps session; JSON has school holidays by year.
    """
    try:
        if file_kind(content, Limits()) == "json":
            return _from_json(content)
        return _from_csv(find_columns(csv_rows(content), NAMES, ("type", "first_day")))
    except ProblemsError as error:
        return _without_dates(*error.problems)


def _without_dates(*problems: Problem) -> TermDates:
    return TermDates((), (), frozenset(), frozenset(), problems)


def _from_csv(dates_table: NamedColumns) -> TermDates:
    terms: list[tuple[int, ListedTerm]] = []
    closed: list[tuple[int, ListedClosed]] = []
    problems: list[Problem] = []
    for row, cells in dates_table.rows:
        dates = _row(dates_table, row, cells)
        if isinstance(dates, Problem):
            problems.append(dates)
        elif isinstance(dates, ListedTerm):
            terms.append((row, dates))
        else:
            closed.append((row, dates))
    problems += overlaps(terms)
    if not (terms or closed or problems):
        return _without_dates(Problem("The file has headings and no dates. Add a row for each term."))
    return TermDates(
        tuple(term for _, term in terms),
        tuple(run for _, run in closed),
        frozenset(academic_year(term.first_day) for _, term in terms),
        frozenset(academic_year(run.first_day) for _, run in closed),
        tuple(problems),
    )


def _row(dates_table: NamedColumns, row: int, cells: Sequence[str]) -> ListedTerm | ListedClosed | Problem:
    def problem_in(field: str, sentence: str) -> Problem:
        return Problem(sentence, row, dates_table.heading(field), dates_table.cell(cells, field) or None)

    kind = dates_table.cell(cells, "type").casefold()
    if kind != "term" and kind not in CLOSED_WORDS:
        return problem_in("type", "Enter “term” or “closed”.")
    days: list[date] = []
    for field in ("first_day", "last_day"):
        cell = dates_table.cell(cells, field) or (dates_table.cell(cells, "first_day") if kind != "term" else "")
        try:
            days.append(day(cell))
        except ValueError:
            return problem_in(field, "Enter the day as 2025-09-01 or 01/09/2025.")
    name = " ".join(dates_table.cell(cells, "name").split()) or ("Term" if kind == "term" else "Closed")
    session = dates_table.cell(cells, "session").casefold()
    if session not in SESSIONS:
        return problem_in("session", "Enter AM or PM, or leave the cell empty for the whole day.")
    dates = ListedTerm(name, *days) if kind == "term" else ListedClosed(name, days[0], days[1], SESSIONS[session])
    problem = problem_with(dates)
    return dates if problem is None else problem_in("last_day", problem)


def problem_with(dates: ListedTerm | ListedClosed) -> str | None:
    """What to do about a faulty term or run of closed days; None when it is sound."""
    if dates.last_day < dates.first_day:
        return "Enter a last day that is not before the first day."
    if isinstance(dates, ListedTerm) and academic_year(dates.first_day) != academic_year(dates.last_day):
        return "Enter terms within one academic year: from 1 September to 31 August."
    if isinstance(dates, ListedClosed) and dates.last_day - dates.first_day > LONGEST_CLOSURE:
        return "Enter closed days of at most 120 days in a run, or end the term earlier."
    return None


def overlaps(terms: Iterable[tuple[int, ListedTerm]]) -> list[Problem]:
    """Terms that share a day with an earlier one: a problem for each, at the later one's row."""
    problems = []
    ordered = sorted(terms, key=lambda pair: (pair[1].first_day, pair[1].last_day))
    for (_, earlier), (row, later) in pairwise(ordered):
        if later.first_day <= earlier.last_day:
            sentence = f"Enter a first day after {earlier.name} ends on {earlier.last_day:%d/%m/%Y}: two terms share a day."
            problems.append(Problem(sentence, row, "first_day", later.first_day.isoformat()))
    return problems


def _from_json(content: bytes) -> TermDates:
    try:
        document = json.loads(decoded(content)[0])
        years = document["academic_years"]
        runs = [_run(run, "School holiday") for year in years for run in year["school_holidays"]]
        holidays = [_run(run, "Bank holiday") for year in years for run in year.get("bank_holidays", ())]
        training = [_run(run, "INSET day") for run in document.get("pd_days", ())]
        year_starts = frozenset(int(str(year["name"])[:4]) for year in years)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sentence = (
            "The JSON was not understood. It needs “academic_years”, each with “name” (2025-26) "
            "and “school_holidays” with “start” and “end”."
        )
        return _without_dates(Problem(sentence))
    terms = tuple(term for term in _between(runs) if academic_year(term.first_day) in year_starts)
    problems = [problem for run in (*runs, *holidays, *training) if (problem := problem_with(run))]
    if not terms and not problems:
        problems = ["Send at least two school holidays: the terms are the stretches between them."]
    closed = tuple(run for run in (*holidays, *training) if any(_inside(run, term) for term in terms))
    return TermDates(terms, closed, year_starts, year_starts, tuple(Problem(problem) for problem in problems))


def _run(entry: Any, name: str) -> ListedClosed:
    """A run of days from JSON: a day as text, or an object with start, end and label."""
    if isinstance(entry, str):
        return ListedClosed(name, day(entry), day(entry))
    first = entry.get("start") or entry["date"]
    return ListedClosed(str(entry.get("label") or name), day(first), day(entry.get("end") or first))


def _inside(run: ListedClosed, term: ListedTerm) -> bool:
    return run.first_day <= term.last_day and run.last_day >= term.first_day


def _between(holidays: Sequence[ListedClosed]) -> Iterator[ListedTerm]:
    """The terms between school holidays, trimmed to school days.

    Six in an academic year are named as half terms, any other number by their order.
    """
    stretches: list[tuple[date, date]] = []
    ordered = sorted(holidays, key=lambda run: run.first_day)
    holiday_end = ordered[0].last_day if ordered else date.min
    for run in ordered:
        first, last = holiday_end + timedelta(days=1), run.first_day - timedelta(days=1)
        stretches += _school_days(first, last)
        holiday_end = max(holiday_end, run.last_day)
    by_year: dict[int, list[tuple[date, date]]] = {}
    for first, last in stretches:
        by_year.setdefault(academic_year(first), []).append((first, last))
    for pairs in by_year.values():
        names = HALF_TERMS if len(pairs) == len(HALF_TERMS) else [f"Term {n}" for n in range(1, len(pairs) + 1)]
        yield from (ListedTerm(name, *pair) for name, pair in zip(names, pairs, strict=True))


def _school_days(first: date, last: date) -> list[tuple[date, date]]:
    """A stretch of days cut at 31 August, each part trimmed of weekends at both ends.

    A part without a weekday is left out.
    """
    if last < first:
        return []
    year_end = academic_year_span(academic_year(first)).last_day
    pieces = [(first, min(last, year_end))] + ([(year_end + timedelta(days=1), last)] if last > year_end else [])
    parts = []
    for part_first, part_last in pieces:
        weekdays = [on for on in _days(part_first, part_last) if on.weekday() < SATURDAY]
        if weekdays:
            parts.append((weekdays[0], weekdays[-1]))
    return parts


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=offset) for offset in range((last - first).days + 1))
