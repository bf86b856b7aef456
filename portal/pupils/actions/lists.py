"""Actions on a school's list of pupils: import it, and open a roll year."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import select, update

from portal.audit.actions import record
from portal.db.bulk import insert_many
from portal.db.work import action, mark_written, tx
from portal.jobs.outbox import enqueue_for_authority
from portal.platform import clock
from portal.platform.problems import Problem
from portal.platform.refusals import NotFoundError
from portal.pupils.domain.changes import (
    Changes,
    ImportTime,
    characteristic_changes,
    contact_changes,
    new_pupil,
    pupil_changes,
)
from portal.pupils.domain.incoming import has_right_check_letter, pupil_to_json
from portal.pupils.domain.matching import MatchKind
from portal.pupils.domain.roll_lines import RollYear, shifted_lines
from portal.pupils.events import LIST_TAKEN, YEAR_OPENED
from portal.pupils.models import Characteristic, Contact, PossibleDuplicate, Pupil, PupilContact, RollLine
from portal.pupils.queries import has_lines, lines_of, nearest_year, pupil_matches
from portal.schools.models import School
from portal.security import scope

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from portal.pupils.domain.incoming import IncomingPupil
    from portal.pupils.domain.matching import Match


#: In the order of writing: a row comes after those its keys name.
TABLES = {
    "pupil": Pupil,
    "roll_line": RollLine,
    "contact": Contact,
    "pupil_contact": PupilContact,
    "characteristic": Characteristic,
}
#: The job that links a school's records to the children the authority knows.
LINK_CHILDREN = "pupils.link_children"


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What importing a list did. The counts add up to the pupils in it.

    `left_out` counts repeated rows, and pupils who left before the year or join after it; `warnings` name them.
    """

    added: int
    changed: int
    unchanged: int
    questions: int
    left_out: int
    warnings: tuple[Problem, ...]

    def counts(self) -> dict[str, int]:
        """The counts by name."""
        return {name: getattr(self, name) for name in ("added", "changed", "unchanged", "questions", "left_out")}


@action
def import_pupil_list(
    school_id: UUID, incoming: Sequence[IncomingPupil], *, academic_year: int, upload_id: UUID | None = None
) -> ImportSummary:
    """Add and update a school's pupils from a list.

    Writes the school's records, contacts, characteristics and roll lines of the academic year. A list never removes a
    pupil it does not mention, and a blank never erases. A pupil whom the school may have already becomes a possible
    duplicate, and is not put on the roll until a person decides. Whether other schools have records of the same children
    is for a job of the authority to see.

    Raises:
        NotFoundError: when the school is not in scope.
    """
    # Before matching: a list imported meanwhile could add the same pupil, or give out the same line.
    lowest_age = lock_roll(school_id)[0]
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
    changed, change_notices = write_list(year, [(pupil_ids[index], matches[index].incoming) for index in pupil_ids], new)
    questions = _add_questions(matches, pupil_ids, left_out, year, upload_id)
    summary = ImportSummary(
        added=len(new),
        changed=len(changed - new),
        unchanged=len(pupil_ids) - len(changed),
        questions=questions,
        left_out=len(matches) - len(pupil_ids) - questions,
        warnings=(*notices, *change_notices, *year.notices()),
    )
    record(LIST_TAKEN, school_id, academic_year=academic_year, upload=upload_id, **summary.counts())
    return summary


def lock_roll(school_id: UUID) -> tuple[int | None, int | None]:
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


def write_list(year: RollYear, listed: Sequence[tuple[UUID, IncomingPupil]], new: set[UUID]) -> tuple[set[UUID], list[Problem]]:
    """Write a list's pupils: add those in `new`, and change the others where they differ.

    Returns the ids of pupils with a change, and notices. Where a record was added or changed, the authority's links are
    worked out again by a job.
    """
    changes = Changes(year.school_id)
    notices: list[Problem] = []
    pupils, contacts, characteristics = _existing([pupil_id for pupil_id, _ in listed if pupil_id not in new])
    import_time = ImportTime(clock.today(), clock.now())
    for pupil_id, pupil in listed:
        if pupil_id in pupils:
            pupil_changes(changes, pupils[pupil_id], pupil)
        else:
            changes.add("pupil", pupil_id, **new_pupil(pupil_id, pupil))
        notices += year.add_or_update(changes, pupil_id, pupil)
        notices += contact_changes(changes, pupil_id, contacts[pupil_id], pupil)
        characteristic_changes(changes, pupil_id, characteristics[pupil_id], pupil, import_time)
    _save(changes)
    if changes.added["pupil"] or changes.changed["pupil"]:
        enqueue_for_authority(LINK_CHILDREN, school_id=year.school_id)
    return changes.touched, notices


def _existing(
    ids: Sequence[UUID],
) -> tuple[dict[UUID, Pupil], defaultdict[UUID, list[tuple[PupilContact, Contact]]], defaultdict[UUID, list[Characteristic]]]:
    """Pupils with their contacts and characteristics, in three queries however many there are."""
    contacts: defaultdict[UUID, list[tuple[PupilContact, Contact]]] = defaultdict(list)
    characteristics: defaultdict[UUID, list[Characteristic]] = defaultdict(list)
    if not ids:
        return {}, contacts, characteristics
    pupils = {pupil.id: pupil for pupil in tx().scalars(select(Pupil).where(Pupil.id.in_(ids)))}
    links = select(PupilContact, Contact).join(
        Contact, (Contact.authority_id == PupilContact.authority_id) & (Contact.id == PupilContact.contact_id)
    )
    for link, contact in tx().execute(links.where(PupilContact.pupil_id.in_(ids)).order_by(PupilContact.priority, PupilContact.id)):
        contacts[link.pupil_id].append((link, contact))
    rows = select(Characteristic).where(Characteristic.pupil_id.in_(ids))
    for characteristic in tx().scalars(rows.order_by(Characteristic.recorded_at, Characteristic.id)):
        characteristics[characteristic.pupil_id].append(characteristic)
    return pupils, contacts, characteristics


def _save(changes: Changes) -> None:
    """Write the collected changes table by table: new rows by COPY, changed rows by primary key."""
    authority = scope.current().authority_id
    for table, model in TABLES.items():
        if rows := changes.added[table]:
            columns = list(rows[0])
            insert_many(table, columns, [[row[name] for name in columns] for row in rows])
        if rows := changes.changed[table]:
            mark_written(table)
            tx().execute(update(model), [{"authority_id": authority, **row} for row in rows])


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
        question.asked_at = clock.now()
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
    ages = lock_roll(school_id)
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
