"""Term dates an English authority might set: six half terms, bank holidays, INSET days and polling days."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

from demo.plans import ClosedDays, Term
from demo.seeded_random import stream
from portal.rules.bank_holidays import bank_holidays, easter_sunday
from portal.rules.calendar import Calendar, academic_year, week_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from demo.plans import School

#: School days an authority sets in a year; five of them are INSET days at each school (190 with pupils).
DAYS_SET = 195
INSET_DAYS = 5
EARLY_EASTER = (4, 4)
HALF_TERMS = tuple(f"{term} term, {half} half" for term in ("Autumn", "Spring", "Summer") for half in ("first", "second"))
FRIDAY = 4
THURSDAY = 3


@cache
def authority_terms(year: int) -> tuple[tuple[Term, ...], tuple[ClosedDays, ...]]:
    """The authority's six half terms of an academic year, and the bank holidays inside them."""
    autumn, spring, summer = _edges(year)
    last = _nth_school_day(year, (autumn, spring, (summer, date(year + 1, 7, 31))))
    spans: list[tuple[date, date]] = []
    for (first_day, last_day), monday in zip((autumn, spring, (summer, last)), _half_terms(year), strict=True):
        spans += [(first_day, monday - timedelta(days=3)), (monday + timedelta(days=7), last_day)]
    terms = tuple(Term(None, name, *span) for name, span in zip(HALF_TERMS, spans, strict=True))
    bank_holiday_dates = bank_holidays(year) | bank_holidays(year + 1)
    holidays = sorted(on for on in bank_holiday_dates if any(first_date <= on <= last_date for first_date, last_date in spans))
    return terms, tuple(ClosedDays(None, "Bank holiday", on, on) for on in holidays)


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
    is_early = (easter.month, easter.day) < EARLY_EASTER
    spring_end = easter - timedelta(days=3 if is_early else 9)
    summer = easter + timedelta(days=15 if is_early else 8)
    return (first, christmas), (january, spring_end), summer


def _half_terms(year: int) -> tuple[date, date, date]:
    """The Mondays of the half-term holidays.

    They are the last week of October, the third of February and that of the spring bank holiday.
    """
    return week_of(date(year, 10, 31)), week_of(date(year + 1, 2, 17)), week_of(date(year + 1, 5, 31))


def _nth_school_day(year: int, spans: Iterable[tuple[date, date]]) -> date:
    closed = set(bank_holidays(year)) | set(bank_holidays(year + 1))
    for monday in _half_terms(year):
        closed |= {monday + timedelta(days=offset) for offset in range(5)}
    return Calendar.from_terms(list(spans), closed).school_days()[DAYS_SET - 1]


def own_terms(school: School, year: int) -> tuple[Term, ...]:
    """A school's own terms, with the October half term a week before the authority's."""
    (name, first_day, last_day), (second_half, reopens, christmas), *later_terms = (
        (term.name, term.first_day, term.last_day) for term in authority_terms(year)[0]
    )
    week = timedelta(days=7)
    spans = ((name, first_day, last_day - week), (second_half, reopens - week, christmas), *later_terms)
    return tuple(Term(school.urn, *span) for span in spans)


def own_closures(seed: int, school: School, year: int, *, is_polling_station: bool) -> tuple[ClosedDays, ...]:
    """A school's INSET days in a year, and the polling day if it is a polling station."""
    terms, closed = authority_terms(year)
    calendar = calendar_from(terms, closed)
    days = calendar.school_days()
    half_terms = calendar.half_terms()
    edges = [half_term.first_day for half_term in half_terms[1:]] + [half_term.last_day for half_term in half_terms[:-1]]
    rng = stream(seed, "inset", int(school.urn), year)
    inset_days = {days[0], *(edges[int(index)] for index in rng.permutation(len(edges))[: INSET_DAYS - 1])}
    closures = [ClosedDays(school.urn, "INSET day", on, on) for on in sorted(inset_days)]
    if is_polling_station:
        may = date(year + 1, 5, 1)
        thursday = may + timedelta(days=(THURSDAY - may.weekday()) % 7)
        closures.append(ClosedDays(school.urn, "Polling day", thursday, thursday))
    return tuple(closures)


def calendar_from(terms: Sequence[Term], closed: Sequence[ClosedDays]) -> Calendar:
    """The calendar made of terms and closed days."""
    days = {
        closure.first_day + timedelta(days=offset)
        for closure in closed
        for offset in range((closure.last_day - closure.first_day).days + 1)
    }
    return Calendar.from_terms([(term.first_day, term.last_day) for term in terms], days)


def calendar_of(terms: Sequence[Term], closed: Sequence[ClosedDays], urn: str, year: int) -> Calendar:
    """The sessions a school meets for in an academic year.

    The school's own terms count if it has any that year, otherwise the authority's. The authority's bank holidays count
    either way.
    """
    of_year = [term for term in terms if academic_year(term.first_day) == year]
    own = [term for term in of_year if term.urn == urn]
    closures = [closure for closure in closed if closure.urn in (None, urn)]
    return calendar_from(own or [term for term in of_year if term.urn is None], closures)
