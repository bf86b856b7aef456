"""Term dates as authorities publish them, CSV or JSON: terms, the days on which no school meets, and what stops a row."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from portal.rules.calendar import academic_year, academic_year_span
from portal.schools.tables import Problem, Table, UnreadableError, day, table, text_of

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
SATURDAY = 5
#: No school is closed longer than this in a run; a longer one is a slip of the year.
LONGEST_CLOSED = timedelta(days=120)


@dataclass(frozen=True, slots=True)
class ListedTerm:
    """A stretch of school days, both ends included."""

    name: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class ListedClosed:
    """Days on which no school meets, both ends included; `session` narrows to AM or PM."""

    name: str
    first_day: date
    last_day: date
    session: str | None = None


@dataclass(frozen=True, slots=True)
class TermDates:
    """What a file holds, the academic years it speaks for, terms and closed days apart, and the problems."""

    terms: tuple[ListedTerm, ...]
    closed: tuple[ListedClosed, ...]
    term_years: frozenset[int]
    closed_years: frozenset[int]
    problems: tuple[Problem, ...]


def term_dates(content: bytes) -> TermDates:
    """Read term dates: CSV with type, name, first_day, last_day (and session), or JSON with school holidays by year."""
    if text_of(content[:200]).lstrip().startswith(("{", "[")):
        return _from_json(content)
    try:
        listed = table(content, NAMES, ("type", "first_day"))
    except UnreadableError as error:
        return _unreadable(str(error))
    return _from_csv(listed)


def _unreadable(what_to_do: str) -> TermDates:
    return TermDates((), (), frozenset(), frozenset(), (Problem(None, None, None, what_to_do),))


def _from_csv(listed: Table) -> TermDates:
    terms: list[tuple[int, ListedTerm]] = []
    closed: list[tuple[int, ListedClosed]] = []
    problems: list[Problem] = []
    for row, cells in listed.rows:
        found = _row(listed, row, cells)
        if isinstance(found, Problem):
            problems.append(found)
        elif isinstance(found, ListedTerm):
            terms.append((row, found))
        else:
            closed.append((row, found))
    problems += overlaps(terms)
    if not (terms or closed or problems):
        return _unreadable("The file has headings and no dates. Add a row for each term.")
    return TermDates(
        tuple(term for _, term in terms),
        tuple(run for _, run in closed),
        frozenset(academic_year(term.first_day) for _, term in terms),
        frozenset(academic_year(run.first_day) for _, run in closed),
        tuple(problems),
    )


def _row(listed: Table, row: int, cells: Sequence[str]) -> ListedTerm | ListedClosed | Problem:
    def wrong(field: str, what_to_do: str) -> Problem:
        return Problem(row, listed.heading(field), listed.cell(cells, field) or None, what_to_do)

    kind = listed.cell(cells, "type").casefold()
    if kind != "term" and kind not in CLOSED_WORDS:
        return wrong("type", "Enter “term” or “closed”.")
    days: list[date] = []
    for field in ("first_day", "last_day"):
        cell = listed.cell(cells, field) or (listed.cell(cells, "first_day") if kind != "term" else "")
        try:
            days.append(day(cell))
        except ValueError:
            return wrong(field, "Enter the day as 2025-09-01 or 01/09/2025.")
    name = " ".join(listed.cell(cells, "name").split()) or ("Term" if kind == "term" else "Closed")
    session = listed.cell(cells, "session").casefold()
    if session not in SESSIONS:
        return wrong("session", "Enter AM or PM, or leave the cell empty for the whole day.")
    made = ListedTerm(name, *days) if kind == "term" else ListedClosed(name, days[0], days[1], SESSIONS[session])
    fault = fault_in(made)
    return made if fault is None else wrong("last_day", fault)


def fault_in(made: ListedTerm | ListedClosed) -> str | None:
    """What is wrong with a term or a run of closed days taken alone, as what to do; None when nothing is."""
    if made.last_day < made.first_day:
        return "Enter a last day that is not before the first day."
    if isinstance(made, ListedTerm) and academic_year(made.first_day) != academic_year(made.last_day):
        return "Enter terms within one academic year: from 1 September to 31 August."
    if isinstance(made, ListedClosed) and made.last_day - made.first_day > LONGEST_CLOSED:
        return "Enter closed days of at most 120 days in a run, or end the term earlier."
    return None


def overlaps(terms: Iterable[tuple[int, ListedTerm]]) -> list[Problem]:
    """Terms that share a day with another, each named once, at the later one's row."""
    problems = []
    ordered = sorted(terms, key=lambda pair: (pair[1].first_day, pair[1].last_day))
    for (_, before), (row, after) in pairwise(ordered):
        if after.first_day <= before.last_day:
            words = f"Enter a first day after {before.name} ends on {before.last_day:%d/%m/%Y}: two terms share a day."
            problems.append(Problem(row, "first_day", after.first_day.isoformat(), words))
    return problems


def _from_json(content: bytes) -> TermDates:
    try:
        found = json.loads(text_of(content))
        years = found["academic_years"]
        runs = [_run(each, "School holiday") for year in years for each in year["school_holidays"]]
        holidays = [_run(each, "Bank holiday") for year in years for each in year.get("bank_holidays", ())]
        training = [_run(each, "INSET day") for each in found.get("pd_days", ())]
        named = frozenset(int(str(year["name"])[:4]) for year in years)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return _unreadable(
            "The JSON was not understood. It needs “academic_years”, each with “name” (2025-26) "
            "and “school_holidays” with “start” and “end”."
        )
    terms = tuple(term for term in _between(runs) if academic_year(term.first_day) in named)
    faults = [fault for each in (*runs, *holidays, *training) if (fault := fault_in(each))]
    if not terms and not faults:
        faults = ["Send at least two school holidays: the terms are the stretches between them."]
    closed = tuple(each for each in (*holidays, *training) if any(_inside(each, term) for term in terms))
    return TermDates(terms, closed, named, named, tuple(Problem(None, None, None, fault) for fault in faults))


def _run(each: Any, name: str) -> ListedClosed:
    """A run of days from JSON: a day as text, or an object with start, end and label."""
    if isinstance(each, str):
        return ListedClosed(name, day(each), day(each))
    first = each.get("start") or each["date"]
    return ListedClosed(str(each.get("label") or name), day(first), day(each.get("end") or first))


def _inside(run: ListedClosed, term: ListedTerm) -> bool:
    return run.first_day <= term.last_day and run.last_day >= term.first_day


def _between(holidays: Sequence[ListedClosed]) -> Iterator[ListedTerm]:
    """The stretches between school holidays, trimmed to school days and named by their place in the academic year."""
    stretches: list[tuple[date, date]] = []
    ordered = sorted(holidays, key=lambda run: run.first_day)
    ends = ordered[0].last_day if ordered else date.min
    for run in ordered:
        first, last = ends + timedelta(days=1), run.first_day - timedelta(days=1)
        stretches += _school_days(first, last)
        ends = max(ends, run.last_day)
    by_year: dict[int, list[tuple[date, date]]] = {}
    for first, last in stretches:
        by_year.setdefault(academic_year(first), []).append((first, last))
    for pairs in by_year.values():
        names = HALF_TERMS if len(pairs) == len(HALF_TERMS) else [f"Term {n}" for n in range(1, len(pairs) + 1)]
        yield from (ListedTerm(name, *pair) for name, pair in zip(names, pairs, strict=True))


def _school_days(first: date, last: date) -> list[tuple[date, date]]:
    """The stretch cut at 31 August and trimmed of weekends at both ends; nothing when no weekday is left."""
    if last < first:
        return []
    turn = academic_year_span(academic_year(first)).last_day
    pieces = [(first, min(last, turn))] + ([(turn + timedelta(days=1), last)] if last > turn else [])
    kept = []
    for begins, ends in pieces:
        weekdays = [on for on in _days(begins, ends) if on.weekday() < SATURDAY]
        if weekdays:
            kept.append((weekdays[0], weekdays[-1]))
    return kept


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=ahead) for ahead in range((last - first).days + 1))
