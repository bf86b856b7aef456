"""What can be done with pupils: take a school's list, open a year of its roll, and settle whether two records are one child."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import select, update

from portal import clock, scope
from portal.audit.actions import record
from portal.audit.events import event
from portal.db import action, tx, wrote
from portal.loading import load
from portal.pupils import changes as noted
from portal.pupils.changes import Changes, Notice, Now
from portal.pupils.incoming import as_kept, from_kept, has_right_check_letter
from portal.pupils.likeness import Kind
from portal.pupils.lines import YearOfLines, shifted_lines
from portal.pupils.models import (
    Characteristic,
    MatchQuestion,
    Parent,
    Parenthood,
    Pupil,
    RollLine,
)
from portal.pupils.queries import has_lines, lines_of, matching, nearest_year
from portal.schools.models import School
from workers.queue import later

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from portal.pupils.incoming import IncomingPupil
    from portal.pupils.likeness import Match

LIST_TAKEN = event(
    "pupils.list_taken",
    "A school's pupil list was taken",
    *("academic_year", "upload", "added", "changed", "unchanged", "moved_in", "questions", "left_out"),
)
DECIDED = event(
    "pupil_match.decided",
    "Someone decided whether two records are one child",
    *("school", "decision", "compared_with", "became"),
)
DISCLOSURE_CHANGED = event("parent.disclosure_changed", "A parent's address was hidden or shown", "pupil", "do_not_disclose")
YEAR_OPENED = event("roll.year_opened", "A school's roll was opened for another academic year", "academic_year", "lines", "like")

TABLES = {"pupil": Pupil, "parent": Parent, "parenthood": Parenthood, "characteristic": Characteristic, "roll_line": RollLine}
#: In this order, because each row's pupil, parent and roll line must be there before what row security sees by them.
ORDER = ("pupil", "roll_line", "parent", "parenthood", "characteristic")


#: The job that counts a school's year again after its roll changed.
RECOUNT = "registers.recount"


class NotInScopeError(LookupError):
    """There is no such thing in the scope that is open."""


class AlreadyDecidedError(ValueError):
    """Somebody decided this question before."""


class Decision(StrEnum):
    """What a person decides about two records."""

    SAME = "same"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Taken:
    """What taking a list did. The counts add up to the pupils in it.

    `moved_in` are held pupils new to the school; `left_out` are rows of a pupil listed again further down, and pupils
    with no place in the year (left before it, or join after it); `warnings` say which.
    """

    added: int
    changed: int
    unchanged: int
    moved_in: int
    questions: int
    left_out: int
    warnings: tuple[Notice, ...]

    def counts(self) -> dict[str, int]:
        """The counts by name."""
        names = ("added", "changed", "unchanged", "moved_in", "questions", "left_out")
        return {name: getattr(self, name) for name in names}


@action
def take_list(school_id: UUID, incoming: Sequence[IncomingPupil], *, academic_year: int, upload_id: UUID | None = None) -> Taken:
    """Add and update a school's pupils from a list: pupils, parents, characteristics and roll lines of the academic year.

    A list never removes a pupil it does not mention, and never erases with a blank. Whoever may be, but is not surely,
    a pupil we hold becomes a question for a person and is not put on the roll until it is decided.

    Raises:
        NotInScopeError: when the school is not in scope.
    """
    lowest_age = _lock_roll(school_id)[0]
    found = matching(incoming, school_id)
    year = YearOfLines.of(school_id, academic_year, lowest_age, lines_of(school_id, academic_year), incoming)
    notices = [*_upn_notices(incoming), *_repeats(found)]
    out = {place: why for place, one in enumerate(found) if (why := _why_left_out(year, one)) is not None}
    notices += out.values()
    place_ids = {
        place: one.pupil_id if one.kind is Kind.HELD and one.pupil_id else uuid4()
        for place, one in enumerate(found)
        if one.kind in {Kind.HELD, Kind.NEW} and place not in out
    }
    new = {place_ids[place] for place, one in enumerate(found) if one.kind is Kind.NEW and place in place_ids}
    moved = {place_ids[place] for place, one in enumerate(found) if one.moves_in and place in place_ids}
    touched, said = _write(year, [(place_ids[place], found[place].incoming) for place in place_ids], new)
    questions = _ask(found, place_ids, out, year, upload_id)
    taken = Taken(
        added=len(new),
        changed=len(touched - new - moved),
        unchanged=len(place_ids) - len(touched | moved),
        moved_in=len(moved),
        questions=questions,
        left_out=len(found) - len(place_ids) - questions,
        warnings=(*notices, *said, *year.notices()),
    )
    _record_taken(school_id, academic_year, upload_id, taken, moved)
    return taken


def _record_taken(school_id: UUID, academic_year: int, upload_id: UUID | None, taken: Taken, moved: set[UUID]) -> None:
    facts: dict[str, object] = {**taken.counts(), "moved_in": sorted(moved)}
    record(LIST_TAKEN, school_id, academic_year=academic_year, upload=upload_id, **facts)


def _lock_roll(school_id: UUID) -> tuple[int | None, int | None]:
    """Hold the school's roll until the transaction ends, so that no two lists give out one line. Returns its ages."""
    found = select(School.lowest_age, School.highest_age).where(School.id == school_id).with_for_update(key_share=True)
    ages = tx().execute(found).first()
    if ages is None:
        raise NotInScopeError
    return ages[0], ages[1]


def _upn_notices(incoming: Iterable[IncomingPupil]) -> list[Notice]:
    sentence = "The UPN's check letter does not fit. It was kept as it is; check it against the school's records."
    return [Notice(pupil.row, "UPN", sentence) for pupil in incoming if pupil.upn and not has_right_check_letter(pupil.upn)]


def _repeats(found: Sequence[Match]) -> list[Notice]:
    return [
        Notice(one.incoming.row, "pupil", f"Listed again in row {found[one.like].incoming.row}, which was used.")
        for one in found
        if one.kind is Kind.REPEATED and one.like is not None
    ]


def _why_left_out(year: YearOfLines, one: Match) -> Notice | None:
    held = one.pupil_id if one.kind is Kind.HELD else None
    return None if one.kind is Kind.REPEATED else year.why_left_out(held, one.incoming)


def _write(year: YearOfLines, people: Sequence[tuple[UUID, IncomingPupil]], new: set[UUID]) -> tuple[set[UUID], list[Notice]]:
    """Write a list's people; the pupils in `new` are added, the others changed where they differ. Returns who changed."""
    first, second = Changes(), Changes()
    notices: list[Notice] = []
    for pupil_id, pupil in people:
        if pupil_id in new:
            first.added["pupil"].append(noted.new_pupil(pupil_id, pupil))
            first.touched.add(pupil_id)
        notices += year.place(first, pupil_id, pupil)
    _save(first)
    held_ids = [pupil_id for pupil_id, _ in people if pupil_id not in new]
    pupils, parents, traits = _held(held_ids)
    now = Now(clock.today(), clock.now())
    for pupil_id, pupil in people:
        if pupil_id in pupils:
            noted.pupil_changes(second, pupils[pupil_id], pupil)
        notices += noted.parent_changes(second, pupil_id, parents[pupil_id], pupil)
        noted.characteristic_changes(second, pupil_id, traits[pupil_id], pupil, now)
    _save(second)
    return first.touched | second.touched, notices


def _held(
    ids: Sequence[UUID],
) -> tuple[dict[UUID, Pupil], defaultdict[UUID, list[tuple[Parenthood, Parent]]], defaultdict[UUID, list[Characteristic]]]:
    """What is held of pupils, their parents and carers and their characteristics: three queries however many there are."""
    parents: defaultdict[UUID, list[tuple[Parenthood, Parent]]] = defaultdict(list)
    traits: defaultdict[UUID, list[Characteristic]] = defaultdict(list)
    if not ids:
        return {}, parents, traits
    pupils = {one.id: one for one in tx().scalars(select(Pupil).where(Pupil.id.in_(ids)))}
    ties = select(Parenthood, Parent).join(Parent, Parent.id == Parenthood.parent_id)
    for tie, parent in tx().execute(ties.where(Parenthood.pupil_id.in_(ids)).order_by(Parenthood.priority, Parenthood.id)):
        parents[tie.pupil_id].append((tie, parent))
    found = select(Characteristic).where(Characteristic.pupil_id.in_(ids))
    for one in tx().scalars(found.order_by(Characteristic.recorded_at, Characteristic.id)):
        traits[one.pupil_id].append(one)
    return pupils, parents, traits


def _save(changes: Changes) -> None:
    """Write what was noted: new rows by COPY, changed ones by their keys, table by table."""
    authority = scope.current().authority_id
    for table in ORDER:
        if rows := changes.added[table]:
            columns = list(rows[0])
            load(table, columns, [[row[name] for name in columns] for row in rows])
        if rows := changes.changed[table]:
            wrote(table)
            tx().execute(update(TABLES[table]), [{"authority_id": authority, **row} for row in rows])


def _ask(
    found: Sequence[Match], place_ids: dict[int, UUID], out: Collection[int], year: YearOfLines, upload_id: UUID | None
) -> int:
    """Put the questions into the queue, each once: a question that waits already takes the newest incoming values."""
    waiting = select(MatchQuestion).where(MatchQuestion.school_id == year.school_id, MatchQuestion.decided_at.is_(None))
    held = {(one.likeness, one.pupil_id): one for one in tx().scalars(waiting)}
    asked = 0
    for place, one in enumerate(found):
        if one.kind is not Kind.QUESTION or place in out:
            continue
        pupil_id = one.pupil_id or place_ids.get(_kept_row(found, one))
        if pupil_id is None:
            continue
        asked += 1
        question = held.get((one.incoming.likeness, pupil_id))
        if question is None:
            question = MatchQuestion(id=uuid4(), school_id=year.school_id, pupil_id=pupil_id, likeness=one.incoming.likeness)
            held[(question.likeness, pupil_id)] = question
            tx().add(question)
        question.academic_year, question.upload_id = year.year, upload_id
        question.incoming, question.differs_in = as_kept(one.incoming), ", ".join(one.differs_in)
        question.across_schools, question.asked_at = one.across_schools, clock.now()
    tx().flush()
    return asked


def _kept_row(found: Sequence[Match], one: Match) -> int:
    """The place of the row a question compares with: the row that was used, where that one was listed again."""
    place = -1 if one.like is None else one.like
    while place >= 0 and (later := found[place]).kind is Kind.REPEATED and later.like is not None:
        place = later.like
    return place


@action
def open_year(school_id: UUID, academic_year: int) -> int:
    """Give the school lines for an academic year that has none, from the nearest year that has; returns how many.

    Pupils on roll on some day of the year are taken over, their year groups moved by the difference. Registration
    groups are not: they change with the year. Nothing happens where the year has lines, or no year has.

    Raises:
        NotInScopeError: when the school is not in scope.
    """
    ages = _lock_roll(school_id)
    nearest = None if has_lines(school_id, academic_year) else nearest_year(school_id, academic_year)
    if nearest is None:
        return 0
    opened = list(shifted_lines(lines_of(school_id, nearest), academic_year, ages))
    if not opened:
        return 0
    copied = ("pupil_id", "enrolment_status", "on_roll_from", "on_roll_until")
    rows = [
        (uuid4(), school_id, academic_year, place, group, *(getattr(line, name) for name in copied))
        for place, (line, group) in enumerate(opened, 1)
    ]
    load("roll_line", ("id", "school_id", "academic_year", "line", "year_group", *copied), rows)
    record(YEAR_OPENED, school_id, academic_year=academic_year, lines=len(rows), like=nearest)
    return len(rows)


@action
def decide(question_id: UUID, decision: Decision) -> UUID:
    """Settle a question: the same child (the incoming values join the held pupil) or different children (a new pupil).

    Either way the pupil takes a line on the roll of the school that asked, and the decision is remembered for the next
    list. Returns the pupil. A question about another school's pupil is the authority's alone.

    Raises:
        NotInScopeError: when there is no such question in scope, or it is not the actor's to decide.
        AlreadyDecidedError: when it was decided before.
    """
    question = tx().scalar(select(MatchQuestion).where(MatchQuestion.id == question_id).with_for_update())
    if question is None or (question.across_schools and scope.current().schools is not None):
        raise NotInScopeError
    if question.decided_at is not None:
        raise AlreadyDecidedError
    lowest_age = _lock_roll(question.school_id)[0]
    pupil = from_kept(question.incoming)
    held = lines_of(question.school_id, question.academic_year)
    year = YearOfLines.of(question.school_id, question.academic_year, lowest_age, held, [pupil])
    is_new = decision is Decision.DIFFERENT
    pupil_id = uuid4() if is_new else question.pupil_id
    _write(year, [(pupil_id, pupil)], {pupil_id} if is_new else set())
    _close(question, decision, pupil_id)
    later(RECOUNT, school_id=question.school_id, academic_year=str(question.academic_year))
    return pupil_id


def _close(question: MatchQuestion, decision: Decision, became: UUID) -> None:
    """Mark the question decided, and with it any other that waits about the same incoming pupil."""
    waiting = select(MatchQuestion).where(
        MatchQuestion.school_id == question.school_id,
        MatchQuestion.likeness == question.likeness,
        MatchQuestion.decided_at.is_(None),
    )
    for one in tx().scalars(waiting):
        one.decided_at, one.decided_by = clock.now(), scope.current().actor.person_id
        one.decision, one.became_id = decision.value, became
        record(DECIDED, one.id, school=one.school_id, decision=decision.value, compared_with=one.pupil_id, became=became)


@action
def change_disclosure(pupil_id: UUID, parent_id: UUID, *, do_not_disclose: bool) -> None:
    """Hide a parent's or carer's address, or show it again. A list can only ever hide it.

    Raises:
        NotInScopeError: when the pupil has no such parent in scope.
    """
    ties = select(Parent).join(Parenthood, Parenthood.parent_id == Parent.id)
    parent = tx().scalar(ties.where(Parenthood.pupil_id == pupil_id, Parent.id == parent_id))
    if parent is None:
        raise NotInScopeError
    parent.do_not_disclose = do_not_disclose
    record(DISCLOSURE_CHANGED, parent_id, pupil=pupil_id, do_not_disclose=do_not_disclose)
