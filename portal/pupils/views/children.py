"""A child across schools, as the authority alone sees it: other records, questions, pupils on two rolls.

Row security shows a school no link, so that each of these answers a school with nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, case, func, or_, select, true

from portal.db.work import planned_for_many_rows, tx
from portal.pupils.models import ChildLink, PossibleSameChild, Pupil, RollLine
from portal.pupils.queries import BY_NAME
from portal.rules import calendar
from portal.schools.models import School
from portal.security import scope
from portal.web.paging import select_page

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date
    from uuid import UUID

    from sqlalchemy import CTE

    from portal.web.paging import Page, Position

#: Enrolment statuses of pupils who belong on two rolls: main and subsidiary dual registration.
DUAL_REGISTERED = ("M", "S")


@dataclass(frozen=True, slots=True)
class RecordAtSchool:
    """A school's record of a child, the school's name, and the first and last day on roll.

    `until` is None while the child is on roll. Both are None where the school has no roll line for them yet.
    """

    pupil: Pupil
    school_name: str
    since: date | None
    until: date | None


def _linked_ids(pupil_id: UUID) -> list[UUID]:
    """The ids of every record linked to the same child as this one, itself included.

    Asked for on their own: PostgreSQL takes an authority that it has not analysed yet for one with a single row, and inside
    a longer query would read every record for every link.
    """
    live = ChildLink.unlinked_at.is_(None)
    child_id = select(ChildLink.child_id).where(ChildLink.pupil_id == pupil_id, live).scalar_subquery()
    # A record that no job has linked yet is found by its own id.
    return list({pupil_id, *tx().scalars(select(ChildLink.pupil_id).where(ChildLink.child_id == child_id, live))})


def other_records(pupil_id: UUID) -> list[RecordAtSchool]:
    """The child's records at other schools, oldest first. Two queries for the authority, none for a school."""
    if scope.current().schools is not None:
        return []
    return _records([linked_id for linked_id in _linked_ids(pupil_id) if linked_id != pupil_id])


def _records(ids: Collection[UUID]) -> list[RecordAtSchool]:
    """Records with the days on their school's roll, oldest first."""
    still_on_roll = func.bool_or(RollLine.on_roll_until.is_(None))
    until = case((still_on_roll, None), else_=func.max(RollLine.on_roll_until))
    days = (
        select(func.min(RollLine.on_roll_from).label("since"), until.label("until"))
        .where(RollLine.authority_id == Pupil.authority_id, RollLine.pupil_id == Pupil.id)
        .lateral()
    )
    query = (
        select(Pupil, School.name, days.c.since, days.c.until)
        .join(School, (School.authority_id == Pupil.authority_id) & (School.id == Pupil.school_id))
        .join(days, onclause=true())
        .where(Pupil.id.in_(ids))
        .order_by(days.c.since, School.name, Pupil.id)
    )
    return [RecordAtSchool(*row) for row in tx().execute(query)]


def lines_of_child(pupil_id: UUID) -> list[RollLine]:
    """The roll lines of every record of this record's child that the actor may see, oldest first.

    For a school those are its own; the authority's follow the links.
    """
    ids = [pupil_id] if scope.current().schools is not None else _linked_ids(pupil_id)
    lines = select(RollLine).where(RollLine.pupil_id.in_(ids))
    return list(tx().scalars(lines.order_by(RollLine.academic_year, RollLine.on_roll_from, RollLine.line)))


@dataclass(frozen=True, slots=True)
class SameChildPair:
    """A question for the authority: two schools' records that may be one child, the older first."""

    question: PossibleSameChild
    records: tuple[RecordAtSchool, RecordAtSchool]


def possible_same_children(position: Position) -> Page[SameChildPair]:
    """A page of the authority's waiting questions about two schools' records, oldest first."""
    waiting = select(PossibleSameChild).where(PossibleSameChild.decided_at.is_(None))
    page = select_page(waiting, PossibleSameChild.asked_at, PossibleSameChild.id, position=position)
    return page.of(_pairs(page.items))


def possible_same_child(question_id: UUID) -> SameChildPair | None:
    """One question, waiting or decided; None when it does not exist or is out of scope."""
    pairs = _pairs(list(tx().scalars(select(PossibleSameChild).where(PossibleSameChild.id == question_id))))
    return pairs[0] if pairs else None


def kept_apart(pupil_id: UUID) -> list[SameChildPair]:
    """The records a person decided to be of another child than this one. Nothing for a school."""
    if scope.current().schools is not None:
        return []
    about = or_(PossibleSameChild.pupil_id == pupil_id, PossibleSameChild.other_pupil_id == pupil_id)
    return _pairs(list(tx().scalars(select(PossibleSameChild).where(about, PossibleSameChild.decision == "different"))))


def _pairs(questions: Sequence[PossibleSameChild]) -> list[SameChildPair]:
    if not questions:
        return []
    ids = {pupil_id for question in questions for pupil_id in (question.pupil_id, question.other_pupil_id)}
    records = {record.pupil.id: (position, record) for position, record in enumerate(_records(ids))}
    pairs = []
    for question in questions:
        (_, older), (_, newer) = sorted(
            (records[question.pupil_id], records[question.other_pupil_id]), key=lambda positioned: positioned[0]
        )
        pairs.append(SameChildPair(question, (older, newer)))
    return pairs


@dataclass(frozen=True, slots=True)
class CurrentLine:
    """A line that is current at one school, the record it belongs to, and the school's name."""

    pupil: Pupil
    line: RollLine
    school_name: str


def on_two_rolls(today: date, position: Position) -> Page[list[CurrentLine]]:
    """A page of the children with current lines at two schools, and those lines.

    Dual registration (main and subsidiary) is not counted.
    """
    lines = _current_lines_of_linked(today)
    single = select(lines.c.child_id).where(lines.c.enrolment_status.not_in(DUAL_REGISTERED)).group_by(lines.c.child_id)
    children = single.having(func.count(func.distinct(lines.c.school_id)) > 1).subquery()
    # A child stands in the list once, under the name of the record that sorts first.
    rank = func.row_number().over(partition_by=lines.c.child_id, order_by=BY_NAME).label("rank")
    ranked = (
        select(Pupil.authority_id, Pupil.id.label("pupil_id"), lines.c.child_id, rank)
        .join(Pupil, (Pupil.authority_id == lines.c.authority_id) & (Pupil.id == lines.c.pupil_id))
        .where(lines.c.child_id.in_(select(children.c.child_id)))
        .subquery()
    )
    first = (
        select(ranked.c.child_id, Pupil.id)
        .join(Pupil, (Pupil.authority_id == ranked.c.authority_id) & (Pupil.id == ranked.c.pupil_id))
        .where(ranked.c.rank == 1)
    )
    with planned_for_many_rows():
        page: Page[tuple[UUID, UUID]] = select_page(first, *BY_NAME, position=position)
        by_child: dict[UUID, list[CurrentLine]] = {child_id: [] for child_id, _ in page.items}
        rows = (
            select(lines.c.child_id, Pupil, RollLine, School.name)
            .join(RollLine, (RollLine.authority_id == lines.c.authority_id) & (RollLine.id == lines.c.id))
            .join(Pupil, (Pupil.authority_id == RollLine.authority_id) & (Pupil.id == RollLine.pupil_id))
            .join(School, (School.authority_id == RollLine.authority_id) & (School.id == RollLine.school_id))
            .where(lines.c.child_id.in_(by_child))
            .order_by(RollLine.on_roll_from, RollLine.id)
        )
        for child_id, *current in tx().execute(rows):
            by_child[child_id].append(CurrentLine(*current))
    return page.of(list(by_child.values()))


def _current_lines_of_linked(today: date) -> CTE:
    """The current lines of children with several records, by their ids.

    Each school's newest year is found once: asked of every line in turn, it takes seconds in a county.
    """
    records = func.count().over(partition_by=ChildLink.child_id).label("records")
    live = (
        select(ChildLink.authority_id, ChildLink.child_id, ChildLink.pupil_id, records)
        .where(ChildLink.unlinked_at.is_(None))
        .subquery()
    )
    newest = (
        select(RollLine.authority_id, RollLine.school_id, func.max(RollLine.academic_year).label("year"))
        .where(RollLine.academic_year <= calendar.academic_year(today))
        .group_by(RollLine.authority_id, RollLine.school_id)
        .subquery()
    )
    return (
        select(
            live.c.child_id,
            RollLine.authority_id,
            RollLine.id,
            RollLine.pupil_id,
            RollLine.school_id,
            RollLine.enrolment_status,
        )
        .join(RollLine, (RollLine.authority_id == live.c.authority_id) & (RollLine.pupil_id == live.c.pupil_id))
        .join(
            newest,
            and_(
                newest.c.authority_id == RollLine.authority_id,
                newest.c.school_id == RollLine.school_id,
                newest.c.year == RollLine.academic_year,
            ),
        )
        .where(live.c.records > 1, RollLine.on_roll_from <= today)
        .where(or_(RollLine.on_roll_until.is_(None), RollLine.on_roll_until >= today))
        .cte("current_line")
    )
