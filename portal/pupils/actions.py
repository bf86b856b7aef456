"""Actions on pupils: import a school's list, open a roll year, and decide possible duplicates."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import select, update

from portal.audit.actions import record
from portal.db.bulk import insert_many
from portal.db.work import action, mark_written, tx
from portal.jobs.outbox import enqueue
from portal.platform import clock
from portal.platform.problems import Problem
from portal.platform.refusals import ConflictError, NotFoundError
from portal.pupils.domain.changes import (
    Changes,
    ImportTime,
    characteristic_changes,
    new_pupil,
    parent_changes,
    pupil_changes,
)
from portal.pupils.domain.incoming import has_right_check_letter, pupil_from_json, pupil_to_json
from portal.pupils.domain.matching import MatchKind
from portal.pupils.domain.roll_lines import RollYear, shifted_lines
from portal.pupils.events import DECIDED, DISCLOSURE_CHANGED, LIST_TAKEN, YEAR_OPENED
from portal.pupils.models import Characteristic, Parent, PossibleDuplicate, Pupil, PupilContact, RollLine
from portal.pupils.queries import has_lines, lines_of, nearest_year, pupil_matches
from portal.schools.actions import RECOUNT
from portal.schools.models import School
from portal.security import scope

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from portal.pupils.domain.incoming import IncomingPupil
    from portal.pupils.domain.matching import Match


TABLES = {"pupil": Pupil, "parent": Parent, "pupil_contact": PupilContact, "characteristic": Characteristic, "roll_line": RollLine}
#: The order of writing. Row security shows a parent or a characteristic through the pupil's roll line, so a row written
#: before those it depends on would be refused.
WRITE_ORDER = ("pupil", "roll_line", "parent", "pupil_contact", "characteristic")
DECIDED_ALREADY = "Somebody else decided this already."


class Decision(StrEnum):
    """A person's answer to a possible duplicate."""

    SAME = "same"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What importing a list did. The counts add up to the pupils in it.

    `moved_in` counts existing pupils new to the school. `left_out` counts repeated rows, and pupils who left before
    the year or join after it; `warnings` name them.
    """

    added: int
    changed: int
    unchanged: int
    moved_in: int
    questions: int
    left_out: int
    warnings: tuple[Problem, ...]

    def counts(self) -> dict[str, int]:
        """The counts by name."""
        names = ("added", "changed", "unchanged", "moved_in", "questions", "left_out")
        return {name: getattr(self, name) for name in names}


@action
def import_pupil_list(
    school_id: UUID, incoming: Sequence[IncomingPupil], *, academic_year: int, upload_id: UUID | None = None
) -> ImportSummary:
    """Add and update a school's pupils from a list.

    Writes pupils, parents, characteristics and roll lines of the academic year. A list never removes a pupil it does
    not mention, and a blank never erases. A pupil who may already exist becomes a possible duplicate, and is not put
    on the roll until a person decides.

    Raises:
        NotFoundError: when the school is not in scope.
    """
    # Before matching: a list imported meanwhile could add the same pupil, or give out the same line.
    lowest_age = _lock_roll(school_id)[0]
    matches = pupil_matches(incoming, school_id)
    year = RollYear.of(school_id, academic_year, lowest_age, lines_of(school_id, academic_year), incoming)
    notices = [*_upn_notices(incoming), *_repeat_notices(matches)]
    left_out = {index: notice for index, match in enumerate(matches) if (notice := _why_left_out(year, match)) is not None}
    notices += left_out.values()
    pupil_ids = {
        index: match.pupil_id if match.kind is MatchKind.EXISTING and match.pupil_id else uuid4()
        for index, match in enumerate(matches)
        if match.kind in {MatchKind.EXISTING, MatchKind.NEW} and index not in left_out
    }
    new = {pupil_ids[index] for index, match in enumerate(matches) if match.kind is MatchKind.NEW and index in pupil_ids}
    moved = {pupil_ids[index] for index, match in enumerate(matches) if match.moves_in and index in pupil_ids}
    changed, change_notices = _write(year, [(pupil_ids[index], matches[index].incoming) for index in pupil_ids], new)
    questions = _add_questions(matches, pupil_ids, left_out, year, upload_id)
    summary = ImportSummary(
        added=len(new),
        changed=len(changed - new - moved),
        unchanged=len(pupil_ids) - len(changed | moved),
        moved_in=len(moved),
        questions=questions,
        left_out=len(matches) - len(pupil_ids) - questions,
        warnings=(*notices, *change_notices, *year.notices()),
    )
    _record_import(school_id, academic_year, upload_id, summary, moved)
    return summary


def _record_import(school_id: UUID, academic_year: int, upload_id: UUID | None, summary: ImportSummary, moved: set[UUID]) -> None:
    facts: dict[str, object] = {**summary.counts(), "moved_in": sorted(moved)}
    record(LIST_TAKEN, school_id, academic_year=academic_year, upload=upload_id, **facts)


def _lock_roll(school_id: UUID) -> tuple[int | None, int | None]:
    """Lock the school's roll until the transaction ends; returns the school's lowest and highest age.

    Without the lock, two lists imported at once would take the same next line number, and one would fail.
    """
    # FOR NO KEY UPDATE: rows that refer to the school can still be inserted meanwhile.
    locked = select(School.lowest_age, School.highest_age).where(School.id == school_id).with_for_update(key_share=True)
    ages = tx().execute(locked).first()
    if ages is None:
        raise NotFoundError
    return ages[0], ages[1]


def _upn_notices(incoming: Iterable[IncomingPupil]) -> list[Problem]:
    sentence = "The UPN's check letter does not fit. It was kept as it is; check it against the school's records."
    return [Problem(sentence, pupil.row, "UPN") for pupil in incoming if pupil.upn and not has_right_check_letter(pupil.upn)]


def _repeat_notices(matches: Sequence[Match]) -> list[Problem]:
    return [
        Problem(f"Listed again in row {matches[match.other_row].incoming.row}, which was used.", match.incoming.row, "pupil")
        for match in matches
        if match.kind is MatchKind.REPEATED and match.other_row is not None
    ]


def _why_left_out(year: RollYear, match: Match) -> Problem | None:
    existing_id = match.pupil_id if match.kind is MatchKind.EXISTING else None
    return None if match.kind is MatchKind.REPEATED else year.why_left_out(existing_id, match.incoming)


def _write(year: RollYear, listed: Sequence[tuple[UUID, IncomingPupil]], new: set[UUID]) -> tuple[set[UUID], list[Problem]]:
    """Write a list's pupils: add those in `new`, and change the others where they differ.

    Returns the ids of pupils with a change, and notices. Written in two steps: a pupil new to this school becomes visible
    under row security only through the roll line of the first step, so their record is read after it.
    """
    before_read, after_read = Changes(), Changes()
    notices: list[Problem] = []
    for pupil_id, pupil in listed:
        if pupil_id in new:
            before_read.added["pupil"].append(new_pupil(pupil_id, pupil))
            before_read.touched.add(pupil_id)
        notices += year.add_or_update(before_read, pupil_id, pupil)
    _save(before_read)
    existing_ids = [pupil_id for pupil_id, _ in listed if pupil_id not in new]
    pupils, parents, characteristics = _existing(existing_ids)
    import_time = ImportTime(clock.today(), clock.now())
    for pupil_id, pupil in listed:
        if pupil_id in pupils:
            pupil_changes(after_read, pupils[pupil_id], pupil)
        notices += parent_changes(after_read, pupil_id, parents[pupil_id], pupil)
        characteristic_changes(after_read, pupil_id, characteristics[pupil_id], pupil, import_time)
    _save(after_read)
    return before_read.touched | after_read.touched, notices


def _existing(
    ids: Sequence[UUID],
) -> tuple[dict[UUID, Pupil], defaultdict[UUID, list[tuple[PupilContact, Parent]]], defaultdict[UUID, list[Characteristic]]]:
    """Pupils with their parents and characteristics, in three queries however many there are."""
    parents: defaultdict[UUID, list[tuple[PupilContact, Parent]]] = defaultdict(list)
    characteristics: defaultdict[UUID, list[Characteristic]] = defaultdict(list)
    if not ids:
        return {}, parents, characteristics
    pupils = {pupil.id: pupil for pupil in tx().scalars(select(Pupil).where(Pupil.id.in_(ids)))}
    links = select(PupilContact, Parent).join(
        Parent, (Parent.authority_id == PupilContact.authority_id) & (Parent.id == PupilContact.parent_id)
    )
    for link, parent in tx().execute(links.where(PupilContact.pupil_id.in_(ids)).order_by(PupilContact.priority, PupilContact.id)):
        parents[link.pupil_id].append((link, parent))
    rows = select(Characteristic).where(Characteristic.pupil_id.in_(ids))
    for characteristic in tx().scalars(rows.order_by(Characteristic.recorded_at, Characteristic.id)):
        characteristics[characteristic.pupil_id].append(characteristic)
    return pupils, parents, characteristics


def _save(changes: Changes) -> None:
    """Write the collected changes table by table: new rows by COPY, changed rows by primary key."""
    authority = scope.current().authority_id
    for table in WRITE_ORDER:
        if rows := changes.added[table]:
            columns = list(rows[0])
            insert_many(table, columns, [[row[name] for name in columns] for row in rows])
        if rows := changes.changed[table]:
            mark_written(table)
            tx().execute(update(TABLES[table]), [{"authority_id": authority, **row} for row in rows])


def _add_questions(
    matches: Sequence[Match], pupil_ids: dict[int, UUID], left_out: Collection[int], year: RollYear, upload_id: UUID | None
) -> int:
    """Add the list's possible duplicates to the queue; returns how many there are.

    A question already waiting is not added again; it takes the newest incoming values.
    """
    undecided = select(PossibleDuplicate).where(
        PossibleDuplicate.school_id == year.school_id, PossibleDuplicate.decided_at.is_(None)
    )
    questions = {(question.match_key, question.pupil_id): question for question in tx().scalars(undecided)}
    count = 0
    for index, match in enumerate(matches):
        if match.kind is not MatchKind.QUESTION or index in left_out:
            continue
        pupil_id = match.pupil_id or pupil_ids.get(_last_row(matches, match))
        if pupil_id is None:
            continue
        count += 1
        question = questions.get((match.incoming.match_key, pupil_id))
        if question is None:
            question = PossibleDuplicate(
                id=uuid4(), school_id=year.school_id, pupil_id=pupil_id, match_key=match.incoming.match_key
            )
            questions[(question.match_key, pupil_id)] = question
            tx().add(question)
        question.academic_year, question.upload_id = year.year, upload_id
        question.incoming, question.differing_fields = pupil_to_json(match.incoming), ", ".join(match.differing_fields)
        question.across_schools, question.asked_at = match.across_schools, clock.now()
    tx().flush()
    return count


def _last_row(matches: Sequence[Match], match: Match) -> int:
    """The index of the row a question compares with, or -1.

    Where that row is itself repeated further down, the last repetition is the row that was imported.
    """
    index = -1 if match.other_row is None else match.other_row
    while index >= 0 and (repeated := matches[index]).kind is MatchKind.REPEATED and repeated.other_row is not None:
        index = repeated.other_row
    return index


@action
def open_year(school_id: UUID, academic_year: int) -> int:
    """Create the school's roll lines for an academic year without any; returns how many.

    Copies pupils on roll on some day of the year from the nearest year with lines, and moves their year groups by the
    difference. Registration groups are not copied: they change every year. Does nothing where the year has lines, or
    no year has any.

    Raises:
        NotFoundError: when the school is not in scope.
    """
    ages = _lock_roll(school_id)
    nearest = None if has_lines(school_id, academic_year) else nearest_year(school_id, academic_year)
    if nearest is None:
        return 0
    shifted = list(shifted_lines(lines_of(school_id, nearest), academic_year, ages))
    if not shifted:
        return 0
    copied = ("pupil_id", "enrolment_status", "on_roll_from", "on_roll_until")
    rows = [
        (uuid4(), school_id, academic_year, number, group, *(getattr(line, name) for name in copied))
        for number, (line, group) in enumerate(shifted, 1)
    ]
    insert_many("roll_line", ("id", "school_id", "academic_year", "line", "year_group", *copied), rows)
    record(YEAR_OPENED, school_id, academic_year=academic_year, lines=len(rows), like=nearest)
    return len(rows)


@action
def decide(question_id: UUID, decision: Decision) -> UUID:
    """Decide a possible duplicate.

    The same child: the incoming values join the existing pupil. Different children: a new pupil is added. Either way the
    pupil gets a line on the roll of the school that sent them, and the next list follows the decision. Returns the pupil.
    Only the authority may decide about another school's pupil.

    Raises:
        NotFoundError: when no such question is in scope, or the actor may not decide it.
        ConflictError: when it was decided before.
    """
    # Locked, so that two people deciding at once cannot add the pupil twice.
    question = tx().scalar(select(PossibleDuplicate).where(PossibleDuplicate.id == question_id).with_for_update())
    if question is None or (question.across_schools and scope.current().schools is not None):
        raise NotFoundError
    if question.decided_at is not None:
        raise ConflictError(DECIDED_ALREADY)
    lowest_age = _lock_roll(question.school_id)[0]
    pupil = pupil_from_json(question.incoming)
    lines = lines_of(question.school_id, question.academic_year)
    year = RollYear.of(question.school_id, question.academic_year, lowest_age, lines, [pupil])
    is_new = decision is Decision.DIFFERENT
    pupil_id = uuid4() if is_new else question.pupil_id
    _write(year, [(pupil_id, pupil)], {pupil_id} if is_new else set())
    _close(question, decision, pupil_id)
    enqueue(RECOUNT, school_id=question.school_id, academic_year=str(question.academic_year))
    return pupil_id


def _close(question: PossibleDuplicate, decision: Decision, resolved_id: UUID) -> None:
    """Mark the question decided, together with any other waiting about the same incoming pupil."""
    undecided = select(PossibleDuplicate).where(
        PossibleDuplicate.school_id == question.school_id,
        PossibleDuplicate.match_key == question.match_key,
        PossibleDuplicate.decided_at.is_(None),
    )
    for waiting in tx().scalars(undecided):
        waiting.decided_at, waiting.decided_by = clock.now(), scope.current().actor.person_id
        waiting.decision, waiting.resolved_pupil_id = decision.value, resolved_id
        record(
            DECIDED,
            waiting.id,
            school=waiting.school_id,
            decision=decision.value,
            compared_with=waiting.pupil_id,
            became=resolved_id,
        )


@action
def change_disclosure(pupil_id: UUID, parent_id: UUID, *, do_not_disclose: bool) -> None:
    """Hide a parent's or carer's address, or show it again. A list can only hide it.

    Raises:
        NotFoundError: when the pupil has no such parent in scope.
    """
    parents = select(Parent).join(
        PupilContact, (PupilContact.authority_id == Parent.authority_id) & (PupilContact.parent_id == Parent.id)
    )
    parent = tx().scalar(parents.where(PupilContact.pupil_id == pupil_id, Parent.id == parent_id))
    if parent is None:
        raise NotFoundError
    parent.do_not_disclose = do_not_disclose
    record(DISCLOSURE_CHANGED, parent_id, pupil=pupil_id, do_not_disclose=do_not_disclose)
