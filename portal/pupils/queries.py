"""What we know of pupils: who is held, who matches a list, a school's roll, and what waits to be decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, false, func, literal, or_, select, text, tuple_
from sqlalchemy.orm import aliased

from portal import scope
from portal.db import rows_by_text, tx, whole_authority
from portal.pupils.incoming import folded
from portal.pupils.likeness import Held, matches
from portal.pupils.models import Characteristic, MatchQuestion, Parent, Parenthood, Pupil, RollLine
from portal.pupils.rolls import Roll, days
from portal.rules import calendar
from portal.schools.models import School

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date
    from uuid import UUID

    from sqlalchemy import ColumnElement, Select

    from portal.pupils.incoming import IncomingPupil
    from portal.pupils.likeness import Match

#: Above every sign a folded name can hold, so that a range ends after all names with one beginning.
LAST_SIGN = "\U0010ffff"
#: Enrolment statuses of pupils rightly on two rolls: main and subsidiary dual registration.
DUAL = ("M", "S")

#: Held pupils who share a UPN, or a surname and a day of birth, with someone in a list: by index, the whole list at once.
_ALIKE = """
WITH alike AS (
  SELECT id FROM pupil WHERE authority_id = :authority AND upn = ANY(CAST(:upns AS text[]))
  UNION
  SELECT id FROM pupil WHERE authority_id = :authority AND former_upn = ANY(CAST(:upns AS text[]))
  UNION
  SELECT p.id FROM unnest(CAST(:surnames AS text[]), CAST(:births AS date[])) AS sought (surname, birth)
  JOIN pupil p ON p.authority_id = :authority AND p.surname_folded = sought.surname AND p.date_of_birth = sought.birth
)
SELECT p.id, p.upn, p.former_upn, p.surname_folded, p.forename_folded, p.date_of_birth,
       EXISTS (SELECT 1 FROM roll_line r
               WHERE r.authority_id = p.authority_id AND r.pupil_id = p.id AND r.school_id = :school) AS here
FROM alike JOIN pupil p ON p.authority_id = :authority AND p.id = alike.id
ORDER BY p.id
"""


def matching(incoming: Sequence[IncomingPupil], school_id: UUID) -> list[Match]:
    """Match a school's list with every pupil the authority holds, in its order; three queries however long it is.

    Looks across the authority's schools, because pupils move; what it returns holds nothing of another school's
    pupil but an id. Never joined by guess: see `likeness`.
    """
    decided = _decided(school_id)
    sought = sorted({(pupil.surname_folded, pupil.date_of_birth) for pupil in incoming})
    with whole_authority():
        found = rows_by_text(
            _ALIKE,
            authority=scope.current().authority_id,
            school=school_id,
            upns=sorted({upn for pupil in incoming for upn in pupil.upns}),
            surnames=[surname for surname, _ in sought],
            births=[birth for _, birth in sought],
        )
    return matches(incoming, [Held(*row) for row in found], decided)


def _decided(school_id: UUID) -> dict[str, tuple[UUID, bool]]:
    """What people have decided about this school's pupils: likeness to the pupil it turned out to be."""
    found = select(MatchQuestion.likeness, MatchQuestion.became_id).where(
        MatchQuestion.school_id == school_id, MatchQuestion.became_id.is_not(None)
    )
    rows = tx().execute(found.order_by(MatchQuestion.decided_at))
    return {likeness: (became, True) for likeness, became in rows if became is not None}


def roll(school_id: UUID, academic_year: int) -> Roll:
    """The school's roll lines for an academic year, in one query; empty where the year has not been opened."""
    found = tx().execute(
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
        .join(Pupil, Pupil.id == RollLine.pupil_id)
        .where(RollLine.school_id == school_id, RollLine.academic_year == academic_year)
        .order_by(RollLine.line)
    )
    columns = [list(column) for column in zip(*found, strict=True)] or [[] for _ in range(9)]
    ids, upn, former, born, start, end, year_group, group, status = columns
    return Roll(school_id, academic_year, ids, upn, former, days(born), days(start), days(end), year_group, group, status)


def has_lines(school_id: UUID, academic_year: int) -> bool:
    """Has the school lines for this academic year?"""
    found = select(RollLine.id).where(RollLine.school_id == school_id, RollLine.academic_year == academic_year)
    return tx().execute(found.limit(1)).first() is not None


def nearest_year(school_id: UUID, academic_year: int) -> int | None:
    """The academic year with lines that is nearest to this one (the later of two as near), or None."""
    found = select(RollLine.academic_year).where(RollLine.school_id == school_id).distinct()
    years = [year for year in tx().scalars(found) if year != academic_year]
    return min(years, key=lambda year: (abs(year - academic_year), -year), default=None)


def lines_of(school_id: UUID, academic_year: int) -> list[RollLine]:
    """The school's lines for a year, in order."""
    found = select(RollLine).where(RollLine.school_id == school_id, RollLine.academic_year == academic_year)
    return list(tx().scalars(found.order_by(RollLine.line)))


@dataclass(frozen=True, slots=True)
class Listed:
    """A pupil in a list: the pupil, their newest roll line in scope, its school's name, and whether it is current."""

    pupil: Pupil
    line: RollLine | None
    school_name: str | None
    is_current: bool


@dataclass(frozen=True, slots=True)
class Sought:
    """What a list of pupils is cut down to. `name` is the beginning of a surname, or a whole UPN."""

    school_id: UUID | None = None
    year_group: str | None = None
    name: str | None = None
    everyone: bool = False


def pupils(sought: Sought, *, key: UUID | None, backwards: bool, fetch: int, today: date) -> list[Listed]:
    """Pupils in scope by surname and forename, `fetch` of them past the pupil `key` (before it when `backwards`).

    Searches by range on the folded name, which an index answers under row security. Those with a current line only,
    unless `everyone`.
    """
    found = select(Pupil).where(*_on_lines_sought(sought, today))
    if sought.name:
        found = found.where(_named(sought.name))
    order = (Pupil.surname_folded, Pupil.forename_folded, Pupil.id)
    at = tx().execute(select(*order).where(Pupil.id == key)).first() if key else None
    if at is not None:
        place = tuple_(*order)
        here = tuple_(*(literal(value) for value in at))
        found = found.where(place < here if backwards else place > here)
    turned = [column.desc() for column in order] if backwards else order
    return _with_lines(list(tx().scalars(found.order_by(*turned).limit(fetch))), today)


def _on_lines_sought(sought: Sought, today: date) -> list[ColumnElement[bool]]:
    """The condition that a pupil has a line of the kind sought; none where every pupil of the authority may be found."""
    schools = scope.current().schools
    lines = select(RollLine.pupil_id)
    if sought.year_group is not None:
        lines = lines.where(RollLine.year_group == sought.year_group)
    if not sought.everyone:
        lines = lines.where(_is_current(today))
    if sought.school_id is not None:
        return [Pupil.id.in_(lines.where(RollLine.school_id == sought.school_id))]
    if schools is not None:
        return [Pupil.id.in_(lines.where(RollLine.school_id.in_(schools)))]
    if sought.everyone and sought.year_group is None:
        return []
    # OFFSET 0 keeps this a question asked of each pupil in the order of the list, which stops when the page is full.
    return [lines.where(RollLine.pupil_id == Pupil.id).offset(0).exists()]


def _named(name: str) -> ColumnElement[bool]:
    """A surname that begins so, by range; or a UPN, former or present, that is exactly so."""
    begins = folded(name)
    upn = name.strip().upper()
    by_name = and_(Pupil.surname_folded >= begins, Pupil.surname_folded < begins + LAST_SIGN)
    return or_(by_name, Pupil.upn == upn, Pupil.former_upn == upn) if begins else false()


def _is_current(today: date) -> ColumnElement[bool]:
    """A line of the newest year the school has opened up to now, whose pupil has not left."""
    other = aliased(RollLine)
    newest = select(func.max(other.academic_year)).where(
        other.school_id == RollLine.school_id, other.academic_year <= calendar.academic_year(today)
    )
    stays = or_(RollLine.on_roll_until.is_(None), RollLine.on_roll_until >= today)
    return and_(stays, RollLine.academic_year == newest.scalar_subquery())


def _with_lines(found: Sequence[Pupil], today: date) -> list[Listed]:
    """Each pupil with their newest line in scope: a current one before any other."""
    ids = [pupil.id for pupil in found]
    lines = (
        select(RollLine, School.name, _is_current(today).label("is_current"))
        .join(School, School.id == RollLine.school_id)
        .where(RollLine.pupil_id.in_(ids))
        .order_by(text("is_current"), RollLine.academic_year, RollLine.on_roll_from, RollLine.line)
    )
    newest = {line.pupil_id: (line, name, current) for line, name, current in tx().execute(lines)} if ids else {}
    return [Listed(pupil, *newest.get(pupil.id, (None, None, False))) for pupil in found]


def pupil(pupil_id: UUID) -> Pupil | None:
    """The pupil with this id, or None when they are not in scope."""
    return tx().scalar(select(Pupil).where(Pupil.id == pupil_id))


def names_of(pupil_ids: Collection[UUID]) -> dict[UUID, str]:
    """The pupils' names as lists show them, forename first; those out of scope are left out."""
    found = select(Pupil.id, Pupil.forename, Pupil.surname).where(Pupil.id.in_(pupil_ids))
    return {pupil_id: f"{forename} {surname}".strip() for pupil_id, forename, surname in tx().execute(found)}


def lines_of_pupil(pupil_id: UUID) -> list[RollLine]:
    """Every roll line of a pupil in scope, whatever the school, oldest first."""
    found = select(RollLine).where(RollLine.pupil_id == pupil_id)
    return list(tx().scalars(found.order_by(RollLine.academic_year, RollLine.on_roll_from, RollLine.line)))


def roll_history(pupil_id: UUID) -> list[tuple[RollLine, str]]:
    """The pupil's roll lines in scope with their schools' names, newest first."""
    found = select(RollLine, School.name).join(School, School.id == RollLine.school_id)
    ordered = found.where(RollLine.pupil_id == pupil_id).order_by(RollLine.academic_year.desc(), RollLine.on_roll_from.desc())
    return [(line, name) for line, name in tx().execute(ordered)]


def has_present_interest(pupil_id: UUID, today: date) -> bool:
    """May the actor see where the child lives and what they need now? The authority, and a school they are on roll at.

    A school the child has left keeps its own period, and sees nothing that was learnt since.
    """
    if scope.current().schools is None:
        return True
    return tx().scalar(select(exists().where(RollLine.pupil_id == pupil_id, _is_current(today)))) or False


@dataclass(frozen=True, slots=True)
class Home:
    """Where somebody lives. A hidden home has no address at all, so that no page can show it by mistake."""

    address: str | None
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class Contact:
    """A parent or carer of a pupil, and where they live if it may be shown."""

    tie: Parenthood
    parent: Parent
    home: Home


def contacts(one: Pupil) -> tuple[Home, list[Contact]]:
    """Where a pupil lives, and their parents and carers in order of priority.

    With one parent who must not be found, the pupil's own home is hidden too, and so is every other parent's that is
    the same place as either.
    """
    found = select(Parenthood, Parent).join(Parent, Parent.id == Parenthood.parent_id)
    ties = tx().execute(found.where(Parenthood.pupil_id == one.id).order_by(Parenthood.priority, Parenthood.id)).all()
    hidden = {place for _, parent in ties if parent.do_not_disclose for place in _places(parent)}
    protected = any(parent.do_not_disclose for _, parent in ties)
    if protected:
        hidden |= _places(one)
    return _home(one, hides=protected), [
        Contact(tie, parent, _home(parent, hides=parent.do_not_disclose or bool(hidden & _places(parent)))) for tie, parent in ties
    ]


def _places(one: Pupil | Parent) -> set[str]:
    """What tells where somebody lives: the postcode and the address, compared without spaces, case or commas."""
    return {folded(text).replace(" ", "") for text in (one.postcode, one.address) if text}


def _home(one: Pupil | Parent, *, hides: bool) -> Home:
    return Home(None if hides else ", ".join(part for part in (one.address, one.postcode) if part) or None, hides)


def characteristics(pupil_id: UUID) -> list[Characteristic]:
    """What may call for support, open rows first, then ended ones, newest first."""
    found = select(Characteristic).where(Characteristic.pupil_id == pupil_id)
    ends = Characteristic.last_day.is_not(None)
    return list(tx().scalars(found.order_by(ends, Characteristic.kind, Characteristic.recorded_at.desc())))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question in the queue, the school that asked, and the held pupil; None where only the authority may see them."""

    question: MatchQuestion
    school_name: str
    held: Pupil | None

    @property
    def is_for_authority(self) -> bool:
        """Is it the authority's to decide, and not for this actor to see?"""
        return self.held is None


def waiting_matches(*, limit: int = 500) -> list[Waiting]:
    """The questions that wait in scope, oldest first."""
    return [_waiting(*row) for row in tx().execute(_questions().limit(limit))]


def match_question(question_id: UUID) -> Waiting | None:
    """One question that waits, or None when it is not there, not in scope or decided."""
    row = tx().execute(_questions().where(MatchQuestion.id == question_id)).first()
    return None if row is None else _waiting(*row)


def _questions() -> Select[MatchQuestion, str, Pupil | None]:
    return (
        select(MatchQuestion, School.name, Pupil)
        .join(School, School.id == MatchQuestion.school_id)
        .outerjoin(Pupil, Pupil.id == MatchQuestion.pupil_id)
        .where(MatchQuestion.decided_at.is_(None))
        .order_by(MatchQuestion.asked_at, MatchQuestion.id)
    )


def _waiting(question: MatchQuestion, school_name: str, held: Pupil | None) -> Waiting:
    bound = scope.current().schools is not None
    return Waiting(question, school_name, None if question.across_schools and bound else held)


def on_two_rolls(today: date, *, limit: int = 500) -> list[tuple[Pupil, list[tuple[RollLine, str]]]]:
    """Pupils with current lines at two schools, main and subsidiary registration apart: for the authority to reconcile."""
    current = select(RollLine.pupil_id).where(_is_current(today), RollLine.on_roll_from <= today)
    alone = current.where(RollLine.enrolment_status.not_in(DUAL)).group_by(RollLine.pupil_id)
    several = alone.having(func.count(func.distinct(RollLine.school_id)) > 1).limit(limit).subquery()
    found = (
        select(Pupil, RollLine, School.name)
        .join(RollLine, RollLine.pupil_id == Pupil.id)
        .join(School, School.id == RollLine.school_id)
        .where(Pupil.id.in_(select(several.c.pupil_id)), _is_current(today))
        .order_by(Pupil.surname_folded, Pupil.forename_folded, Pupil.id, RollLine.on_roll_from)
    )
    grouped: dict[UUID, tuple[Pupil, list[tuple[RollLine, str]]]] = {}
    for one, line, name in tx().execute(found):
        grouped.setdefault(one.id, (one, []))[1].append((line, name))
    return list(grouped.values())
