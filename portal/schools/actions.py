"""Actions on schools: import a list, add and change a school, and edit term dates."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import delete, false, func, or_, select

from portal.audit.actions import record
from portal.db.work import action, tx
from portal.jobs.outbox import enqueue
from portal.platform import clock
from portal.platform.refusals import NotFoundError, RefusedError, must_exist
from portal.rules.calendar import academic_year, academic_year_span
from portal.schools.domain.school_list import ListedSchool, school_list
from portal.schools.domain.term_dates import ListedClosed, ListedTerm, overlaps, problem_with, term_dates
from portal.schools.events import ADDED, CHANGED, CLOSED_ADDED, CLOSED_REMOVED, DATES_IMPORTED, IMPORTED, TERM_ADDED, TERM_REMOVED
from portal.schools.models import URN_TAKEN, ClosedDays, School, Term, Trust
from portal.schools.queries import dates_of, la_code, school, trusts
from portal.security import scope

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date

    from portal.audit.events import Event
    from portal.platform.problems import Problem


#: The job that counts a school's year again after its calendar changed.
RECOUNT = "registers.recount"


@dataclass(frozen=True, slots=True)
class SchoolImportSummary:
    """What an import of schools did.

    `refused` counts rejected rows. `elsewhere` counts rows of other authorities, and `not_schools` those of places without
    registers: both are left out.
    """

    added: int
    changed: int
    unchanged: int
    refused: int
    elsewhere: int
    not_schools: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class TermDatesImportSummary:
    """What an import of term dates did: rows added and removed, and the academic years replaced."""

    terms: int
    closed: int
    removed: int
    years: tuple[int, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class SchoolDetails:
    """The details of a school that a person may enter."""

    urn: str
    name: str
    phase: str
    laestab: str | None = None
    lowest_age: int | None = None
    highest_age: int | None = None
    trust: str | None = None
    opened_on: date | None = None
    closed_on: date | None = None


@action
def import_schools(content: bytes, *, all_or_nothing: bool = True) -> SchoolImportSummary:
    """Add or change schools by URN, from a GIAS extract or a simpler CSV.

    Schools not listed stay as they are. With a problem in any row nothing is imported, unless `all_or_nothing` is false and
    the sound rows are. A missing column changes nothing; an empty cell clears. Rows of other authorities, and of places that are no
    schools, are left out.
    """
    listed = school_list(content, la_code())
    rows = listed.rows - listed.elsewhere - listed.not_schools
    left_out = listed.elsewhere, listed.not_schools
    if listed.problems and (all_or_nothing or not listed.schools):
        return SchoolImportSummary(0, 0, 0, rows, *left_out, listed.problems)
    existing = {stored.urn: stored for stored in tx().scalars(select(School))}
    trust_ids = _trust_ids({listed_school.trust for listed_school in listed.schools if listed_school.trust})
    added = changed = 0
    for listed_school in listed.schools:
        values = _values(listed_school, listed.columns, trust_ids, existing.get(listed_school.urn))
        if listed_school.urn not in existing:
            tx().add(School(id=uuid4(), **values))
            added += 1
        else:
            changed += bool(_update(existing[listed_school.urn], values))
    unchanged = len(listed.schools) - added - changed
    record(
        IMPORTED,
        None,
        added=added,
        changed=changed,
        unchanged=unchanged,
        elsewhere=listed.elsewhere,
        not_schools=listed.not_schools,
    )
    return SchoolImportSummary(added, changed, unchanged, rows - len(listed.schools), *left_out, listed.problems)


def _trust_ids(names: Collection[str]) -> dict[str, UUID]:
    """The trusts' ids by name; trusts not known yet are added."""
    ids = {name: trust_id for trust_id, name in trusts().items()}
    for name in sorted(set(names) - ids.keys()):
        ids[name] = uuid4()
        tx().add(Trust(id=ids[name], name=name))
    # Flushed now: no relationship tells the session to insert a trust before the schools that refer to it.
    tx().flush()
    return ids


#: The columns of a list that set each optional field.
COLUMNS_OF = {
    "laestab": {"laestab", "estab"},
    "lowest_age": {"lowest_age", "age_range"},
    "highest_age": {"highest_age", "age_range"},
    "trust_id": {"trust"},
    "opened_on": {"opened"},
    "closed_on": {"closed", "status"},
}


def _values(
    listed_school: ListedSchool, columns: frozenset[str], trust_ids: dict[str, UUID], existing: School | None
) -> dict[str, object]:
    """The fields to set: all of a new school's, otherwise those the list has columns for.

    A school closed without a day keeps its closing day, or is closed from today.
    """
    closed_on = listed_school.closed_on
    if listed_school.closed:
        closed_on = existing.closed_on if existing and existing.closed_on else clock.today()
    values: dict[str, object] = {
        "urn": listed_school.urn,
        "name": listed_school.name,
        "phase": listed_school.phase,
        "laestab": listed_school.laestab,
        "lowest_age": listed_school.lowest_age,
        "highest_age": listed_school.highest_age,
        "trust_id": trust_ids.get(listed_school.trust or ""),
        "opened_on": listed_school.opened_on,
        "closed_on": closed_on,
    }
    return {name: value for name, value in values.items() if existing is None or COLUMNS_OF.get(name, columns) & columns}


def _update(stored: School, values: dict[str, object]) -> list[str]:
    """Set the values that differ; returns their names."""
    differing = [name for name, value in values.items() if getattr(stored, name) != value]
    for name in differing:
        setattr(stored, name, values[name])
    return differing


@action
def add_school(details: SchoolDetails) -> UUID:
    """Add one school.

    Raises:
        RefusedError: when another school of the authority has the URN, or the dates or ages are out of order.
    """
    if tx().scalar(select(School.id).where(School.urn == details.urn)):
        raise RefusedError(URN_TAKEN, "urn")
    row = School(id=uuid4(), **_checked_values(details))
    tx().add(row)
    record(ADDED, row.id, urn=details.urn)
    return row.id


@action
def change_school(school_id: UUID, details: SchoolDetails) -> None:
    """Change a school's details.

    Raises:
        NotFoundError: when there is no such school in scope.
        RefusedError: as for `add_school`.
    """
    row = must_exist(school(school_id))
    if tx().scalar(select(School.id).where(School.urn == details.urn, School.id != school_id)):
        raise RefusedError(URN_TAKEN, "urn")
    differing = _update(row, _checked_values(details))
    if differing:
        record(CHANGED, school_id, fields=sorted(differing))


def _checked_values(details: SchoolDetails) -> dict[str, object]:
    if details.opened_on and details.closed_on and details.closed_on < details.opened_on:
        raise RefusedError("Enter a closing day that is not before the opening day.", "closed_on")
    if details.lowest_age is not None and details.highest_age is not None and details.lowest_age > details.highest_age:
        raise RefusedError("Enter a highest age that is not below the lowest.", "highest_age")
    values: dict[str, object] = {detail.name: getattr(details, detail.name) for detail in fields(details) if detail.name != "trust"}
    values["trust_id"] = _trust_ids([details.trust])[details.trust] if details.trust else None
    return values


@action
def import_term_dates(content: bytes, school_id: UUID | None = None) -> TermDatesImportSummary:
    """Replace the term dates of the academic years in a file, for the authority or for one school.

    A year's terms are replaced when the file has terms in it, and its closed days when the file has closed days in it; JSON
    replaces both. With a problem in any row nothing is imported.

    Raises:
        NotFoundError: when the school is not in scope, or the actor may not edit the authority's dates.
    """
    _check_level(school_id)
    listed = term_dates(content)
    if listed.problems:
        return TermDatesImportSummary(0, 0, 0, (), listed.problems)
    removed = _clear(Term, school_id, listed.term_years) + _clear(ClosedDays, school_id, listed.closed_years)
    for term in listed.terms:
        tx().add(_term(school_id, term))
    for run in listed.closed:
        tx().add(_closed(school_id, run))
    years = tuple(sorted(listed.term_years | listed.closed_years))
    _recount(school_id, years)
    terms, closed = len(listed.terms), len(listed.closed)
    record(DATES_IMPORTED, school_id, years=years, terms=terms, closed=closed, removed=removed)
    return TermDatesImportSummary(terms, closed, removed, years, ())


def _recount(school_id: UUID | None, years: Iterable[int]) -> None:
    """Queue a new count of the registers of every school whose calendar changed."""
    school_ids = [school_id] if school_id else tx().scalars(select(School.id).order_by(School.id)).all()
    for year in years:
        for changed_id in school_ids:
            enqueue(RECOUNT, school_id=changed_id, academic_year=str(year))


def _check_level(school_id: UUID | None) -> None:
    """Only those who can reach every school may edit the authority's own dates."""
    if scope.current().schools is not None if school_id is None else school(school_id) is None:
        raise NotFoundError


def _lock_terms(school_id: UUID | None) -> None:
    """Wait for anyone else who adds a term here, until the transaction ends.

    No key of the table can refuse terms that overlap: two people at once would each find the other's days free.
    """
    level = f"terms of {scope.current().authority_id} {school_id}"
    tx().execute(select(func.pg_advisory_xact_lock(func.hashtextextended(level, 0))))


def _clear(model: type[Term | ClosedDays], school_id: UUID | None, years: Iterable[int]) -> int:
    """Remove one level's rows of these academic years; returns how many."""
    is_level = model.school_id.is_(None) if school_id is None else model.school_id == school_id
    spans = [academic_year_span(year) for year in years]
    is_in_years = or_(false(), *(model.first_day.between(span.first_day, span.last_day) for span in spans))
    removed_ids = tx().scalars(delete(model).where(is_level, is_in_years).returning(model.id)).all()
    return len(removed_ids)


def _term(school_id: UUID | None, listed: ListedTerm) -> Term:
    return Term(id=uuid4(), school_id=school_id, name=listed.name, first_day=listed.first_day, last_day=listed.last_day)


def _closed(school_id: UUID | None, listed: ListedClosed) -> ClosedDays:
    return ClosedDays(
        id=uuid4(),
        school_id=school_id,
        name=listed.name,
        first_day=listed.first_day,
        last_day=listed.last_day,
        session=listed.session,
    )


@action
def add_term(school_id: UUID | None, listed: ListedTerm) -> UUID:
    """Add a term to the authority's dates or a school's own.

    Raises:
        NotFoundError: as for `import_term_dates`.
        RefusedError: when it ends before it begins, crosses 31 August, or overlaps another term.
    """
    _check_level(school_id)
    if (problem := problem_with(listed)) is not None:
        raise RefusedError(problem, "last_day")
    _lock_terms(school_id)
    terms = [(0, ListedTerm(term.name, term.first_day, term.last_day)) for term in dates_of(school_id).terms]
    if overlaps([*terms, (1, listed)]):
        raise RefusedError("Enter days that no other term has: two terms share a day.", "first_day")
    row = _term(school_id, listed)
    tx().add(row)
    _recount(school_id, [academic_year(row.first_day)])
    record(TERM_ADDED, row.id, school=school_id, first_day=row.first_day, last_day=row.last_day)
    return row.id


@action
def add_closed_days(school_id: UUID | None, listed: ListedClosed) -> UUID:
    """Add closed days for every school or for one: INSET, polling day, a planned closure.

    Raises:
        NotFoundError: as for `import_term_dates`.
        RefusedError: when the days are out of order or the run is longer than 120 days.
    """
    _check_level(school_id)
    if (problem := problem_with(listed)) is not None:
        raise RefusedError(problem, "last_day")
    row = _closed(school_id, listed)
    tx().add(row)
    _record_closed(CLOSED_ADDED, row)
    return row.id


def _record_closed(audit_event: Event, row: ClosedDays) -> None:
    _recount(row.school_id, [academic_year(row.first_day)])
    record(audit_event, row.id, school=row.school_id, first_day=row.first_day, last_day=row.last_day, session=row.session)


@action
def remove_term(school_id: UUID | None, term_id: UUID) -> date:
    """Remove one term of the authority or of the school; returns its first day.

    Raises:
        NotFoundError: when it does not exist at that level, or the actor may not edit it.
    """
    _check_level(school_id)
    row = tx().scalar(select(Term).where(Term.id == term_id))
    if row is None or row.school_id != school_id:
        raise NotFoundError
    _recount(school_id, [academic_year(row.first_day)])
    record(TERM_REMOVED, row.id, school=school_id, first_day=row.first_day, last_day=row.last_day)
    tx().delete(row)
    return row.first_day


@action
def remove_closed_days(school_id: UUID | None, closed_id: UUID) -> date:
    """Remove one run of closed days of the authority or of the school; returns its first day.

    Raises:
        NotFoundError: when it does not exist at that level, or the actor may not edit it.
    """
    _check_level(school_id)
    row = tx().scalar(select(ClosedDays).where(ClosedDays.id == closed_id))
    if row is None or row.school_id != school_id:
        raise NotFoundError
    _record_closed(CLOSED_REMOVED, row)
    tx().delete(row)
    return row.first_day
