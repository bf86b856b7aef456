"""Queries about pupils: matches for a list, a school's roll, one pupil, and possible duplicates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, false, func, or_, select, text
from sqlalchemy.orm import aliased

from portal.db.work import select_text, tx
from portal.pupils.domain.incoming import folded
from portal.pupils.domain.matching import ExistingPupil, find_matches
from portal.pupils.domain.rolls import Roll, days
from portal.pupils.domain.search import searched
from portal.pupils.models import Characteristic, Contact, PossibleDuplicate, Pupil, PupilContact, RollLine
from portal.rules import calendar
from portal.schools.models import School
from portal.security import scope
from portal.web.paging import select_page

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date
    from uuid import UUID

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import InstrumentedAttribute

    from portal.pupils.domain.incoming import IncomingPupil
    from portal.pupils.domain.matching import Match
    from portal.pupils.domain.search import SearchedText
    from portal.web.paging import Page, Position

#: Sorts after every character of a folded name, so that a range ends after all names with one prefix.
LAST_CHARACTER = "\U0010ffff"
#: The school's pupils who share a UPN, or a surname and a date of birth, with a pupil of the list. Arrays keep it one
#: statement however long the list is, and a UNION instead of OR lets each condition use its index.
_CANDIDATES = """
WITH candidate AS (
  SELECT p.id FROM pupil p WHERE p.authority_id = :authority AND p.school_id = :school AND p.upn = ANY(CAST(:upns AS text[]))
  UNION
  SELECT p.id FROM pupil p
  WHERE p.authority_id = :authority AND p.school_id = :school AND p.former_upn = ANY(CAST(:upns AS text[]))
  UNION
  SELECT p.id FROM unnest(CAST(:surnames AS text[]), CAST(:births AS date[])) AS listed (surname, birth)
  JOIN pupil p ON p.authority_id = :authority AND p.school_id = :school
              AND p.surname_folded = listed.surname AND p.date_of_birth = listed.birth
)
SELECT p.id, p.upn, p.former_upn, p.surname_folded, p.forename_folded, p.date_of_birth
FROM candidate JOIN pupil p ON p.authority_id = :authority AND p.id = candidate.id
ORDER BY p.id
"""


def pupil_matches(incoming: Sequence[IncomingPupil], school_id: UUID) -> list[Match]:
    """The matches of a school's list with the school's own pupils, in the list's order.

    No other school's record is looked at: what a school sends must tell it nothing of children elsewhere.
    """
    decided = _decided(school_id)
    names = sorted({(pupil.surname_folded, pupil.date_of_birth) for pupil in incoming})
    rows = select_text(
        _CANDIDATES,
        authority=scope.current().authority_id,
        school=school_id,
        upns=sorted({upn for pupil in incoming for upn in pupil.upns}),
        surnames=[surname for surname, _ in names],
        births=[born for _, born in names],
    )
    return find_matches(incoming, [ExistingPupil(*row) for row in rows], decided)


def _decided(school_id: UUID) -> dict[str, UUID]:
    """People's decisions about this school's pupils: `match_key` to the pupil it turned out to be."""
    decisions = select(PossibleDuplicate.match_key, PossibleDuplicate.resolved_pupil_id).where(
        PossibleDuplicate.school_id == school_id, PossibleDuplicate.resolved_pupil_id.is_not(None)
    )
    rows = tx().execute(decisions.order_by(PossibleDuplicate.decided_at))  # the latest decision about a pupil wins
    return {key: resolved_id for key, resolved_id in rows if resolved_id is not None}


def roll(school_id: UUID, academic_year: int) -> Roll:
    """The school's roll for an academic year, in one query; empty without roll lines."""
    rows = tx().execute(
        select(
            RollLine.pupil_id,
            Pupil.upn,
            Pupil.former_upn,
            Pupil.date_of_birth,
            RollLine.on_roll_from,
            RollLine.on_roll_until,
            RollLine.year_group,
            RollLine.registration_group,
            RollLine.enrolment_status,
        )
        .join(Pupil, (Pupil.authority_id == RollLine.authority_id) & (Pupil.id == RollLine.pupil_id))
        .where(RollLine.school_id == school_id, RollLine.academic_year == academic_year)
        .order_by(RollLine.line)
    )
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(9)]
    ids, upn, former, born, start, end, year_group, group, status = columns
    return Roll(school_id, academic_year, ids, upn, former, days(born), days(start), days(end), year_group, group, status)


def has_lines(school_id: UUID, academic_year: int) -> bool:
    """Has the school any roll line for this academic year?"""
    lines = select(RollLine.id).where(RollLine.school_id == school_id, RollLine.academic_year == academic_year)
    return tx().execute(lines.limit(1)).first() is not None


def nearest_year(school_id: UUID, academic_year: int) -> int | None:
    """The other academic year with lines nearest to this one (of two, the later), or None."""
    years = select(RollLine.academic_year).where(RollLine.school_id == school_id).distinct()
    other_years = [year for year in tx().scalars(years) if year != academic_year]
    return min(other_years, key=lambda year: (abs(year - academic_year), -year), default=None)


def lines_of(school_id: UUID, academic_year: int) -> list[RollLine]:
    """The school's lines for a year, in order."""
    lines = select(RollLine).where(RollLine.school_id == school_id, RollLine.academic_year == academic_year)
    return list(tx().scalars(lines.order_by(RollLine.line)))


@dataclass(frozen=True, slots=True)
class ListedPupil:
    """A pupil with their newest roll line in scope, its school's name, and whether it is current."""

    pupil: Pupil
    line: RollLine | None
    school_name: str | None
    is_current: bool


@dataclass(frozen=True, slots=True)
class PupilFilter:
    """The filters of a list of pupils. `text` is what a person searches for: see `domain.search`."""

    school_id: UUID | None = None
    year_group: str | None = None
    text: str | None = None
    includes_leavers: bool = False


#: The order of every list of pupils.
BY_NAME = (Pupil.surname_folded, Pupil.forename_folded, Pupil.id)


def pupils(filters: PupilFilter, position: Position, *, today: date) -> Page[ListedPupil]:
    """A page of the pupils in scope, by surname and forename.

    Only pupils with a current line, unless the filters include leavers.
    """
    query = select(Pupil).where(*_line_conditions(filters, today))
    if filters.text:
        query = query.where(_text_condition(searched(filters.text)))
    page: Page[Pupil] = select_page(query, *BY_NAME, position=position)
    return page.of(_with_lines(page.items, today))


def _line_conditions(filters: PupilFilter, today: date) -> list[ColumnElement[bool]]:
    """The conditions on a pupil's school and roll lines; none where every pupil may be listed."""
    schools = scope.current().schools
    lines = select(RollLine.pupil_id)
    if filters.year_group is not None:
        lines = lines.where(RollLine.year_group == filters.year_group)
    if not filters.includes_leavers:
        lines = lines.where(is_current(today))
    if filters.school_id is not None:
        return [Pupil.school_id == filters.school_id, Pupil.id.in_(lines.where(RollLine.school_id == filters.school_id))]
    reached = [] if schools is None else [Pupil.school_id.in_(schools)]
    if schools is None and filters.includes_leavers and filters.year_group is None:
        return []
    # OFFSET 0 stops PostgreSQL from turning EXISTS into a join of every line in reach: pupils are read in the order of the
    # list and tested one by one, which ends when the page is full.
    return [*reached, lines.where(RollLine.authority_id == Pupil.authority_id, RollLine.pupil_id == Pupil.id).offset(0).exists()]


def _text_condition(text: SearchedText) -> ColumnElement[bool]:
    """The pupils whom a text may mean. Each way has an index of its own."""
    ways = [
        and_(*_begins(Pupil.surname_letters, name.surname), *_begins(Pupil.forename_letters, name.forename)) for name in text.names
    ]
    if text.date_of_birth:
        ways.append(Pupil.date_of_birth == text.date_of_birth)
    if text.upn:
        ways += [Pupil.upn == text.upn, Pupil.former_upn == text.upn, Pupil.reference == text.reference]
    return or_(false(), *ways)


def _begins(column: InstrumentedAttribute[str], prefix: str) -> list[ColumnElement[bool]]:
    """Begins a name with this? A range, because row security keeps LIKE from using an index."""
    return [column >= prefix, column < prefix + LAST_CHARACTER] if prefix else []


def is_current(today: date) -> ColumnElement[bool]:
    """A line of the newest year the school has opened so far, whose pupil has not left."""
    school_line = aliased(RollLine)
    newest = select(func.max(school_line.academic_year)).where(
        school_line.authority_id == RollLine.authority_id,
        school_line.school_id == RollLine.school_id,
        school_line.academic_year <= calendar.academic_year(today),
    )
    has_not_left = or_(RollLine.on_roll_until.is_(None), RollLine.on_roll_until >= today)
    return and_(has_not_left, RollLine.academic_year == newest.scalar_subquery())


def _with_lines(listed: Sequence[Pupil], today: date) -> list[ListedPupil]:
    """Each pupil with their newest line in scope, a current one first."""
    ids = [pupil.id for pupil in listed]
    lines = (
        select(RollLine, School.name, is_current(today).label("is_current"))
        .join(School, (School.authority_id == RollLine.authority_id) & (School.id == RollLine.school_id))
        .where(RollLine.pupil_id.in_(ids))
        # The dictionary below keeps the last row of each pupil, so the preferred line comes last.
        .order_by(text("is_current"), RollLine.academic_year, RollLine.on_roll_from, RollLine.line)
    )
    newest = {line.pupil_id: (line, name, current) for line, name, current in tx().execute(lines)} if ids else {}
    return [ListedPupil(pupil, *newest.get(pupil.id, (None, None, False))) for pupil in listed]


def pupil(pupil_id: UUID) -> Pupil | None:
    """The pupil with this id, or None when they are not in scope."""
    return tx().scalar(select(Pupil).where(Pupil.id == pupil_id))


def names_of(pupil_ids: Collection[UUID]) -> dict[UUID, str]:
    """The pupils' names, forename first. Pupils out of scope are left out."""
    names = select(Pupil.id, Pupil.forename, Pupil.surname).where(Pupil.id.in_(pupil_ids))
    return {pupil_id: f"{forename} {surname}".strip() for pupil_id, forename, surname in tx().execute(names)}


def roll_history(pupil_id: UUID) -> list[tuple[RollLine, str]]:
    """The roll lines of one school's record with the school's name, newest first."""
    lines = select(RollLine, School.name).join(
        School, (School.authority_id == RollLine.authority_id) & (School.id == RollLine.school_id)
    )
    ordered = lines.where(RollLine.pupil_id == pupil_id).order_by(RollLine.academic_year.desc(), RollLine.on_roll_from.desc())
    return [(line, name) for line, name in tx().execute(ordered)]


def has_present_interest(pupil_id: UUID, today: date) -> bool:
    """May the actor change what is shown of the child's family?

    The authority may, and a school whose roll the child is on. A school the child has left keeps its record as it was.
    """
    if scope.current().schools is None:
        return True
    return tx().scalar(select(exists().where(RollLine.pupil_id == pupil_id, is_current(today)))) or False


@dataclass(frozen=True, slots=True)
class Home:
    """A home address. A hidden home carries none, so that no page can show it by mistake."""

    address: str | None
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class PupilsContact:
    """A parent or carer of a pupil, with their home address if it may be shown."""

    link: PupilContact
    contact: Contact
    home: Home


def contacts(pupil: Pupil) -> tuple[Home, list[PupilsContact]]:
    """The pupil's home, and their parents and carers in order of priority.

    Where one parent must not be found, the pupil's own home is hidden too, and so is any other parent's at one of the
    hidden addresses.
    """
    query = select(PupilContact, Contact).join(
        Contact, (Contact.authority_id == PupilContact.authority_id) & (Contact.id == PupilContact.contact_id)
    )
    links = tx().execute(query.where(PupilContact.pupil_id == pupil.id).order_by(PupilContact.priority, PupilContact.id)).all()
    hidden = {key for _, contact in links if contact.do_not_disclose for key in _address_keys(contact)}
    has_protected_parent = any(contact.do_not_disclose for _, contact in links)
    if has_protected_parent:
        hidden |= _address_keys(pupil)
    return _home(pupil, is_hidden=has_protected_parent), [
        PupilsContact(link, contact, _home(contact, is_hidden=contact.do_not_disclose or bool(hidden & _address_keys(contact))))
        for link, contact in links
    ]


def _address_keys(resident: Pupil | Contact) -> set[str]:
    """The postcode and the address without spaces, case or punctuation, to compare homes by."""
    return {folded(text).replace(" ", "") for text in (resident.postcode, resident.address) if text}


def _home(resident: Pupil | Contact, *, is_hidden: bool) -> Home:
    return Home(None if is_hidden else ", ".join(part for part in (resident.address, resident.postcode) if part) or None, is_hidden)


def characteristics(pupil_id: UUID) -> list[Characteristic]:
    """A pupil's characteristics: open rows first, then ended ones, newest first."""
    rows = select(Characteristic).where(Characteristic.pupil_id == pupil_id)
    has_ended = Characteristic.last_day.is_not(None)
    return list(tx().scalars(rows.order_by(has_ended, Characteristic.kind, Characteristic.recorded_at.desc())))


@dataclass(frozen=True, slots=True)
class WaitingQuestion:
    """A waiting question, the school that sent the pupil, and its pupil they are compared with."""

    question: PossibleDuplicate
    school_name: str
    existing: Pupil


def possible_duplicates(position: Position) -> Page[WaitingQuestion]:
    """A page of the waiting questions in scope, oldest first."""
    page = select_page(_questions(), PossibleDuplicate.asked_at, PossibleDuplicate.id, position=position)
    return page.of([WaitingQuestion(*row) for row in page.items])


def possible_duplicate(question_id: UUID) -> WaitingQuestion | None:
    """One waiting question, or None when it does not exist, is out of scope or is decided."""
    row = tx().execute(_questions().where(PossibleDuplicate.id == question_id)).first()
    return None if row is None else WaitingQuestion(*row)


def _questions() -> Select[PossibleDuplicate, str, Pupil]:
    return (
        select(PossibleDuplicate, School.name, Pupil)
        .join(School, (School.authority_id == PossibleDuplicate.authority_id) & (School.id == PossibleDuplicate.school_id))
        .join(Pupil, (Pupil.authority_id == PossibleDuplicate.authority_id) & (Pupil.id == PossibleDuplicate.pupil_id))
        .where(PossibleDuplicate.decided_at.is_(None))
    )
