"""What we know of schools: who they are, and the sessions each meets for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal, TypeVar

from sqlalchemy import or_, select

from portal import scope
from portal.accounts.models import Authority
from portal.db import tx
from portal.rules.bank_holidays import bank_holidays
from portal.rules.calendar import Calendar, academic_year
from portal.schools.models import PHASE_NAMES, ClosedDays, School, Term, Trust

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import Select

D = TypeVar("D", Term, ClosedDays)
Half = Literal["AM", "PM"]
Session = tuple[date, Half]


def school(school_id: UUID) -> School | None:
    """The school with this id, or None when it is not in scope."""
    return tx().scalar(select(School).where(School.id == school_id))


def school_by_urn(urn: str) -> School | None:
    """The school with this URN, or None when it is not in scope."""
    return tx().scalar(select(School).where(School.urn == urn.strip()))


def schools() -> list[School]:
    """The schools in scope, by name."""
    return list(tx().scalars(select(School).order_by(School.name, School.urn)))


def phase_names() -> Mapping[str, str]:
    """Each phase as pages name it."""
    return PHASE_NAMES


def trusts() -> dict[UUID, str]:
    """The authority's trusts: id to name."""
    return {trust.id: trust.name for trust in tx().scalars(select(Trust).order_by(Trust.name))}


def la_code() -> str:
    """The 3-digit LA code of the authority in scope."""
    found = select(Authority.la_code).where(Authority.id == scope.current().authority_id)
    return tx().scalars(found).one()


def is_open(one: School, on: date) -> bool:
    """Is the school open on a day, by its own dates?"""
    return (one.opened_on is None or one.opened_on <= on) and (one.closed_on is None or one.closed_on >= on)


@dataclass(frozen=True, slots=True)
class Dates:
    """The term dates at one level, the authority's or a school's own, in order of time."""

    terms: tuple[Term, ...]
    closed: tuple[ClosedDays, ...]

    @property
    def years(self) -> tuple[int, ...]:
        """The academic years with a term or a closed day, oldest first."""
        days = [term.first_day for term in self.terms] + [run.first_day for run in self.closed]
        return tuple(sorted({academic_year(on) for on in days}))

    def in_year(self, year: int) -> Dates:
        """Only the dates of one academic year."""
        return Dates(
            tuple(one for one in self.terms if academic_year(one.first_day) == year),
            tuple(one for one in self.closed if academic_year(one.first_day) == year),
        )


def dates_of(school_id: UUID | None) -> Dates:
    """The term dates entered at one level: a school's own, or with None the authority's."""
    return _dates([school_id])[school_id]


def _dates(levels: Iterable[UUID | None] | None) -> Mapping[UUID | None, Dates]:
    """The dates at each level (None for every level), in two queries however many schools there are."""
    terms: defaultdict[UUID | None, list[Term]] = defaultdict(list)
    closed: defaultdict[UUID | None, list[ClosedDays]] = defaultdict(list)
    some = None if levels is None else set(levels)
    for term in tx().scalars(_at(Term, some).order_by(Term.first_day, Term.last_day)):
        terms[term.school_id].append(term)
    for run in tx().scalars(_at(ClosedDays, some).order_by(ClosedDays.first_day, ClosedDays.last_day, ClosedDays.id)):
        closed[run.school_id].append(run)
    found = {level: Dates(tuple(terms[level]), tuple(closed[level])) for level in {*terms, *closed, *(some or ())}}
    return defaultdict(lambda: Dates((), ()), found)


def _at(model: type[D], levels: set[UUID | None] | None) -> Select[D]:
    found = select(model)
    if levels is None:
        return found
    named = [one for one in levels if one is not None]
    where = [model.school_id.in_(named)] if named else []
    return found.where(or_(*where, *([model.school_id.is_(None)] if None in levels else [])))


def calendar_of(school_id: UUID) -> Calendar:
    """The sessions a school meets for: the authority's terms, or its own for the years it has its own, less what is closed.

    Closed are the authority's closed days, the school's own, and England's bank holidays.
    """
    found = _dates([None, school_id])
    return _calendar(found[None], found[school_id])


def calendars() -> dict[UUID, Calendar]:
    """The calendar of every school in scope, in three queries however many schools there are."""
    found = _dates(None)
    common = _calendar(found[None], Dates((), ()))
    return {
        school_id: _calendar(found[None], found[school_id], common) if school_id in found else common
        for school_id in tx().scalars(select(School.id))
    }


def authority_calendar() -> Calendar:
    """The sessions a school without dates of its own meets for."""
    return _calendar(dates_of(None), Dates((), ()))


def _calendar(authority: Dates, own: Dates, common: Calendar | None = None) -> Calendar:
    if common is not None and not own.terms:
        return common.without(set(_sessions(own.closed)))
    own_years = {academic_year(term.first_day) for term in own.terms}
    terms = [(term.first_day, term.last_day) for term in own.terms]
    terms += [(term.first_day, term.last_day) for term in authority.terms if academic_year(term.first_day) not in own_years]
    closed = set(_sessions((*authority.closed, *own.closed)))
    for year in {on.year for pair in terms for on in pair}:
        closed |= {session for on in bank_holidays(year) for session in _halves(on, None)}
    return Calendar.from_terms(terms, closed)


def _sessions(runs: Sequence[ClosedDays]) -> list[Session]:
    return [
        session
        for run in runs
        for ahead in range((run.last_day - run.first_day).days + 1)
        for session in _halves(run.first_day + timedelta(days=ahead), run.session)
    ]


def _halves(on: date, session: str | None) -> tuple[Session, ...]:
    if session is None:
        return (on, "AM"), (on, "PM")
    return ((on, "AM" if session == "AM" else "PM"),)
