"""Term dates an English authority might set: six half terms, bank holidays, INSET days and polling days."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

from portal.demonstration.plans import Closed, Term
from portal.demonstration.streams import stream
from portal.rules.bank_holidays import bank_holidays, easter_sunday
from portal.rules.calendar import Calendar, academic_year, week_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portal.demonstration.plans import School

#: School days an authority sets in a year; five of them are INSET days at each school (190 with pupils).
DAYS_SET = 195
INSET_DAYS = 5
EARLY_EASTER = (4, 4)
HALF_TERMS = tuple(f"{term} term, {half} half" for term in ("Autumn", "Spring", "Summer") for half in ("first", "second"))
FRIDAY = 4
THURSDAY = 3


@cache
def authority_terms(year: int) -> tuple[tuple[Term, ...], tuple[Closed, ...]]:
    """The authority's six half terms of an academic year, and the bank holidays inside them."""
    autumn, spring, summer = _edges(year)
    last = _nth_school_day(year, (autumn, spring, (summer, date(year + 1, 7, 31))))
    spans: list[tuple[date, date]] = []
    for (first_day, last_day), monday in zip((autumn, spring, (summer, last)), _half_terms(year), strict=True):
        spans += [(first_day, monday - timedelta(days=3)), (monday + timedelta(days=7), last_day)]
    terms = tuple(Term(None, name, *span) for name, span in zip(HALF_TERMS, spans, strict=True))
    known = bank_holidays(year) | bank_holidays(year + 1)
    holidays = sorted(on for on in known if any(first <= on <= last_ for first, last_ in spans))
    return terms, tuple(Closed(None, "Bank holiday", on, on) for on in holidays)


def _edges(year: int) -> tuple[tuple[date, date], tuple[date, date], date]:
    first = date(year, 9, 1)
    while first.weekday() >= FRIDAY:
        first += timedelta(days=1)
    christmas = date(year, 12, 20)
    christmas -= timedelta(days=(christmas.weekday() - FRIDAY) % 7)
    january = date(year + 1, 1, 4)
    january += timedelta(days=-january.weekday() % 7)
    easter = easter_sunday(year + 1)
    # An early Easter falls inside term: the fortnight's holiday follows it, and only Good Friday is lost before it.
    early = (easter.month, easter.day) < EARLY_EASTER
    spring_end = easter - timedelta(days=3 if early else 9)
    summer = easter + timedelta(days=15 if early else 8)
    return (first, christmas), (january, spring_end), summer


def _half_terms(year: int) -> tuple[date, date, date]:
    """The Mondays of the weeks of half term: the last in October, the third in February, that of the spring bank holiday."""
    return week_of(date(year, 10, 31)), week_of(date(year + 1, 2, 17)), week_of(date(year + 1, 5, 31))


def _nth_school_day(year: int, spans: Iterable[tuple[date, date]]) -> date:
    closed = set(bank_holidays(year)) | set(bank_holidays(year + 1))
    for monday in _half_terms(year):
        closed |= {monday + timedelta(days=ahead) for ahead in range(5)}
    return Calendar.from_terms(list(spans), closed).school_days()[DAYS_SET - 1]


def own_terms(school: School, year: int) -> tuple[Term, ...]:
    """A school's own terms for a year in which its October half term comes a week before the authority's."""
    (name, first_day, last_day), (after, reopens, christmas), *rest = (
        (term.name, term.first_day, term.last_day) for term in authority_terms(year)[0]
    )
    week = timedelta(days=7)
    spans = ((name, first_day, last_day - week), (after, reopens - week, christmas), *rest)
    return tuple(Term(school.urn, *span) for span in spans)


def own_closures(seed: int, school: School, year: int, *, polling: bool) -> tuple[Closed, ...]:
    """A school's INSET days in a year, and the day it is a polling station, if it is one."""
    terms, closed = authority_terms(year)
    held = calendar_from(terms, closed)
    days = held.school_days()
    halves = held.half_terms()
    edges = [half.first_day for half in halves[1:]] + [half.last_day for half in halves[:-1]]
    draw = stream(seed, "inset", int(school.urn), year)
    chosen = {days[0], *(edges[int(one)] for one in draw.permutation(len(edges))[: INSET_DAYS - 1])}
    rows = [Closed(school.urn, "INSET day", on, on) for on in sorted(chosen)]
    if polling:
        may = date(year + 1, 5, 1)
        thursday = may + timedelta(days=(THURSDAY - may.weekday()) % 7)
        rows.append(Closed(school.urn, "Polling day", thursday, thursday))
    return tuple(rows)


def calendar_from(terms: Sequence[Term], closed: Sequence[Closed]) -> Calendar:
    """The calendar that terms and closed days make."""
    days = {one.first_day + timedelta(days=ahead) for one in closed for ahead in range((one.last_day - one.first_day).days + 1)}
    return Calendar.from_terms([(term.first_day, term.last_day) for term in terms], days)


def calendar_of(terms: Sequence[Term], closed: Sequence[Closed], urn: str, year: int) -> Calendar:
    """The sessions a school meets for in an academic year: its own terms if it has any that year, else the authority's.

    The authority's bank holidays bind either way.
    """
    here = [term for term in terms if academic_year(term.first_day) == year]
    own = [term for term in here if term.urn == urn]
    shut = [one for one in closed if one.urn in (None, urn)]
    return calendar_from(own or [term for term in here if term.urn is None], shut)
