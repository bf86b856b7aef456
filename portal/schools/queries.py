"""Queries about schools: their details, term dates and calendars."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal, TypeVar

from sqlalchemy import or_, select

from portal.accounts.models import Authority
from portal.db.work import tx
from portal.rules.bank_holidays import bank_holidays
from portal.rules.calendar import Calendar, academic_year
from portal.schools.models import PHASE_NAMES, ClosedDays, School, Term, Trust
from portal.security import scope

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
    """The name of each phase on pages."""
    return PHASE_NAMES


def trusts() -> dict[UUID, str]:
    """The authority's trusts: id to name."""
    return {trust.id: trust.name for trust in tx().scalars(select(Trust).order_by(Trust.name))}


def la_code() -> str:
    """The 3-digit LA code of the authority in scope."""
    code = select(Authority.la_code).where(Authority.id == scope.current().authority_id)
    return tx().scalars(code).one()


def is_open(school: School, on: date) -> bool:
    """Is the school open on this day, by its opening and closing days?"""
    return (school.opened_on is None or school.opened_on <= on) and (school.closed_on is None or school.closed_on >= on)


@dataclass(frozen=True, slots=True)
class Dates:
    """The term dates of one level (the authority, or a school's own), in order of time."""

    terms: tuple[Term, ...]
    closed: tuple[ClosedDays, ...]

    @property
    def years(self) -> tuple[int, ...]:
        """The academic years with a term or a closed day, oldest first."""
        days = [term.first_day for term in self.terms] + [run.first_day for run in self.closed]
        return tuple(sorted({academic_year(on) for on in days}))

    def in_year(self, year: int) -> Dates:
        """The dates of one academic year."""
        return Dates(
            tuple(term for term in self.terms if academic_year(term.first_day) == year),
            tuple(run for run in self.closed if academic_year(run.first_day) == year),
        )


def dates_of(school_id: UUID | None) -> Dates:
    """The term dates entered for a school, or for the authority (None)."""
    return _dates([school_id])[school_id]


def _dates(levels: Iterable[UUID | None] | None) -> Mapping[UUID | None, Dates]:
    """The dates of each level (None for every level), in two queries however many there are."""
    terms: defaultdict[UUID | None, list[Term]] = defaultdict(list)
    closed: defaultdict[UUID | None, list[ClosedDays]] = defaultdict(list)
    wanted_levels = None if levels is None else set(levels)
    for term in tx().scalars(_at(Term, wanted_levels).order_by(Term.first_day, Term.last_day)):
        terms[term.school_id].append(term)
    for run in tx().scalars(_at(ClosedDays, wanted_levels).order_by(ClosedDays.first_day, ClosedDays.last_day, ClosedDays.id)):
        closed[run.school_id].append(run)
    by_level = {level: Dates(tuple(terms[level]), tuple(closed[level])) for level in {*terms, *closed, *(wanted_levels or ())}}
    return defaultdict(lambda: Dates((), ()), by_level)


def _at(model: type[D], levels: set[UUID | None] | None) -> Select[D]:
    query = select(model)
    if levels is None:
        return query
    school_ids = [level for level in levels if level is not None]
    conditions = [model.school_id.in_(school_ids)] if school_ids else []
    return query.where(or_(*conditions, *([model.school_id.is_(None)] if None in levels else [])))


def calendar_of(school_id: UUID) -> Calendar:
    """The sessions a school meets for.

    The authority's terms, or the school's own in years for which it has them; without the authority's closed days, the
    school's own, and England's bank holidays.
    """
    dates = _dates([None, school_id])
    return _calendar(dates[None], dates[school_id])


def calendars() -> dict[UUID, Calendar]:
    """The calendar of every school in scope, in three queries however many schools there are."""
    dates = _dates(None)
    common = _calendar(dates[None], Dates((), ()))
    return {
        school_id: _calendar(dates[None], dates[school_id], common) if school_id in dates else common
        for school_id in tx().scalars(select(School.id))
    }


def authority_calendar() -> Calendar:
    """The sessions that a school without dates of its own meets for."""
    return _calendar(dates_of(None), Dates((), ()))


def _calendar(authority: Dates, own: Dates, common: Calendar | None = None) -> Calendar:
    # Most schools have no terms of their own: only their closed days are taken out of the shared calendar.
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
        for offset in range((run.last_day - run.first_day).days + 1)
        for session in _halves(run.first_day + timedelta(days=offset), run.session)
    ]


def _halves(on: date, session: str | None) -> tuple[Session, ...]:
    if session is None:
        return (on, "AM"), (on, "PM")
    return ((on, "AM" if session == "AM" else "PM"),)
