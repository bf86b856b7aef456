"""Actions on children across schools: link their records, decide, and take back. Only the authority's scope reaches them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import or_, select, text, update

from portal.audit.actions import record
from portal.db.bulk import insert_many
from portal.db.work import action, mark_written, select_text, tx
from portal.platform import clock
from portal.platform.refusals import ConflictError, NotFoundError, RefusedError
from portal.pupils.actions.duplicates import Decision
from portal.pupils.domain.matching import ExistingPupil
from portal.pupils.domain.same_child import Children, SchoolRecord, link
from portal.pupils.events import CHILDREN_LINKED, SAME_CHILD_DECIDED, UNLINKED
from portal.pupils.models import Child, ChildLink, PossibleSameChild, Pupil
from portal.security import scope

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from portal.pupils.domain.same_child import SameChildQuestion

#: How old a child is who has no row yet: of two children the older goes on, and one that exists always does.
NOT_YET = datetime.max.replace(tzinfo=UTC)
#: A school's records, each with every other school's record that shares a UPN, or a surname and a date of birth, with it.
_ALIKE = """
WITH own AS (SELECT * FROM pupil WHERE authority_id = :authority AND school_id = :school),
alike AS (
  SELECT own.id AS own_id, p.id AS other_id FROM own JOIN pupil p ON p.authority_id = :authority AND p.upn = own.upn
  UNION
  SELECT own.id, p.id FROM own JOIN pupil p ON p.authority_id = :authority AND p.former_upn = own.upn
  UNION
  SELECT own.id, p.id FROM own JOIN pupil p ON p.authority_id = :authority AND p.upn = own.former_upn
  UNION
  SELECT own.id, p.id FROM own JOIN pupil p ON p.authority_id = :authority AND p.former_upn = own.former_upn
  UNION
  SELECT own.id, p.id FROM own JOIN pupil p
    ON p.authority_id = :authority AND p.surname_folded = own.surname_folded AND p.date_of_birth = own.date_of_birth
)
SELECT alike.own_id, alike.other_id FROM alike
JOIN pupil p ON p.authority_id = :authority AND p.id = alike.other_id
WHERE p.school_id <> :school
ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class _LinkState:
    """Records by id, the children they are linked to, and which have no link yet."""

    records: dict[UUID, SchoolRecord]
    children: Children
    unlinked: frozenset[UUID]
    questions: Sequence[PossibleSameChild]


def _lock_links() -> None:
    """Lock the authority's links until the transaction ends.

    Without the lock, jobs of two schools that run at once would each make a child of their own for one child.

    Raises:
        NotFoundError: in the scope of a school, which has no links.
    """
    if scope.current().schools is not None:
        raise NotFoundError
    key = text("SELECT pg_advisory_xact_lock(hashtextextended('child_link ' || CAST(:authority AS text), 0))")
    tx().execute(key, {"authority": scope.current().authority_id})


@action
def link_children(school_id: UUID) -> None:
    """Link a school's records to the children they are about, and ask the authority about the doubtful ones.

    Certain matches are linked; every other record is a child of its own. Run again, it changes nothing more: what a person
    decided or took back is never linked again.

    Raises:
        NotFoundError: in the scope of a school.
    """
    _lock_links()
    pairs = select_text(_ALIKE, authority=scope.current().authority_id, school=school_id)
    own_ids = list(tx().scalars(select(Pupil.id).where(Pupil.school_id == school_id)))
    state = _link_state({*own_ids, *(other_id for _, other_id in pairs)})
    questions = link([(state.records[own_id], state.records[other_id]) for own_id, other_id in pairs], state.children)
    new, linked = _save_links(state, "identity")
    _ask(questions)
    if new or linked or questions:
        record(CHILDREN_LINKED, school_id, new=new, linked=linked, asked=len(questions))


def _link_state(pupil_ids: Collection[UUID]) -> _LinkState:
    """What is known of these records and of every record of their children.

    A record without a link is given a child of its own in advance.
    """
    live = ChildLink.unlinked_at.is_(None)
    of_records = select(ChildLink.child_id).where(live, ChildLink.pupil_id.in_(pupil_ids))
    links = (
        tx()
        .execute(
            select(ChildLink.pupil_id, ChildLink.school_id, ChildLink.child_id, Child.created_at)
            .join(Child, (Child.authority_id == ChildLink.authority_id) & (Child.id == ChildLink.child_id))
            .where(live, ChildLink.child_id.in_(of_records))
        )
        .all()
    )
    child_of = {pupil_id: child_id for pupil_id, _, child_id, _ in links}
    unlinked = frozenset(pupil_ids) - child_of.keys()
    child_of |= {pupil_id: uuid4() for pupil_id in sorted(unlinked)}
    rows = tx().scalars(select(Pupil).where(Pupil.id.in_(child_of)))
    records = {pupil.id: SchoolRecord(_compared(pupil), pupil.school_id, child_of[pupil.id]) for pupil in rows}
    questions = (
        tx()
        .scalars(
            select(PossibleSameChild).where(
                or_(PossibleSameChild.pupil_id.in_(records), PossibleSameChild.other_pupil_id.in_(records))
            )
        )
        .all()
    )
    return _LinkState(records, _children(records, links, questions), unlinked, questions)


def _compared(pupil: Pupil) -> ExistingPupil:
    names = (pupil.surname_folded, pupil.forename_folded)
    return ExistingPupil(pupil.id, pupil.upn, pupil.former_upn, *names, pupil.date_of_birth)


def _children(
    records: dict[UUID, SchoolRecord],
    links: Iterable[tuple[UUID, UUID, UUID, datetime]],
    questions: Sequence[PossibleSameChild],
) -> Children:
    since = dict.fromkeys((school_record.child_id for school_record in records.values()), NOT_YET)
    since |= {child_id: created for *_, child_id, created in links}
    schools: dict[UUID, frozenset[UUID]] = {}
    for school_record in records.values():
        schools[school_record.child_id] = schools.get(school_record.child_id, frozenset()) | {school_record.school_id}
    decided: dict[str | None, list[frozenset[UUID]]] = {"different": [], None: []}
    for question in questions:
        pair = [records[pupil_id].child_id for pupil_id in (question.pupil_id, question.other_pupil_id) if pupil_id in records]
        if len(pair) == 2 and question.decision in decided:
            decided[question.decision].append(frozenset(pair))
    return Children(since, schools, pairs_apart=decided["different"], pairs_asked=decided[None])


def _save_links(state: _LinkState, basis: str) -> tuple[int, int]:
    """Write the links that changed, with the basis on which children were joined.

    Returns how many records became children of their own, and how many joined another child.
    """
    now, actor = clock.now(), scope.current().actor.person_id
    became = {pupil_id: state.children.now(school_record.child_id) for pupil_id, school_record in state.records.items()}
    moved = {pupil_id for pupil_id, child_id in became.items() if child_id != state.records[pupil_id].child_id}
    written = sorted(state.unlinked | moved)
    if not written:
        return 0, 0
    provisional = {state.records[pupil_id].child_id for pupil_id in state.unlinked}
    new_children = provisional & {became[pupil_id] for pupil_id in state.unlinked}
    if new_children:
        insert_many("child", ("id", "created_at"), [(child_id, now) for child_id in sorted(new_children)])
    _end_links(moved - state.unlinked)
    insert_many(
        "child_link",
        ("id", "child_id", "pupil_id", "school_id", "linked_at", "linked_by", "basis"),
        [
            (
                uuid4(),
                became[pupil_id],
                pupil_id,
                state.records[pupil_id].school_id,
                now,
                actor,
                basis if pupil_id in moved else "first",
            )
            for pupil_id in written
        ],
    )
    for question in state.questions:
        if question.decided_at is None and became.get(question.pupil_id) == became.get(question.other_pupil_id):
            question.decided_at, question.decided_by, question.decision = now, actor, Decision.SAME.value
    tx().flush()
    return len(written) - len(moved), len(moved)


def _end_links(pupil_ids: Collection[UUID], reason: str | None = None) -> None:
    mark_written("child_link")
    live = update(ChildLink).where(ChildLink.pupil_id.in_(pupil_ids), ChildLink.unlinked_at.is_(None))
    tx().execute(live.values(unlinked_at=clock.now(), unlinked_by=scope.current().actor.person_id, unlink_reason=reason))


def _ask(questions: Sequence[SameChildQuestion]) -> None:
    if not questions:
        return
    rows = []
    for question in questions:
        first, second = sorted((question.first, question.second), key=lambda school_record: school_record.id)
        differing = ", ".join(question.differing_fields)
        rows.append((uuid4(), first.id, first.school_id, second.id, second.school_id, differing, clock.now()))
    columns = ("id", "pupil_id", "school_id", "other_pupil_id", "other_school_id", "differing_fields", "asked_at")
    insert_many("possible_same_child", columns, rows, on_conflict="ON CONFLICT DO NOTHING")


@action
def decide_same_child(question_id: UUID, decision: Decision) -> None:
    """Decide whether two schools' records are one child. No record changes; only the authority's links do.

    Children decided to be different can be decided to be the same later on.

    Raises:
        NotFoundError: when no such question is in scope.
        ConflictError: when this was decided before.
    """
    _lock_links()
    question = tx().get(PossibleSameChild, (scope.current().authority_id, question_id), populate_existing=True)
    if question is None:
        raise NotFoundError
    if question.decision in {Decision.SAME, decision}:
        raise ConflictError("Somebody else decided this already.")
    question.decided_at, question.decided_by = clock.now(), scope.current().actor.person_id
    question.decision = decision.value
    state = _link_state({question.pupil_id, question.other_pupil_id})
    first, second = (state.records[pupil_id] for pupil_id in (question.pupil_id, question.other_pupil_id))
    if decision is Decision.SAME:
        state.children.join(first.child_id, second.child_id)
    _save_links(state, "decision")
    record(
        SAME_CHILD_DECIDED,
        question_id,
        decision=decision.value,
        pupil=first.id,
        other_pupil=second.id,
        child=state.children.now(first.child_id),
    )


@action
def unlink(pupil_id: UUID, reason: str) -> None:
    """Take a record back from the child it was linked to. It goes back to the child it was, or becomes one of its own.

    The records left behind are remembered as another child's, so that no job links them again.

    Raises:
        NotFoundError: when no such record is in scope.
        RefusedError: when the record is the only one of its child.
    """
    _lock_links()
    state = _link_state({pupil_id})
    if pupil_id not in state.records:
        raise NotFoundError
    left_behind = [school_record for school_record in state.records.values() if school_record.id != pupil_id]
    if not left_behind:
        raise RefusedError("This record is not linked to another school's record.")
    own = state.records[pupil_id]
    now, actor = clock.now(), scope.current().actor.person_id
    child_id = _child_before(pupil_id) or uuid4()
    _end_links([pupil_id], reason)
    insert_many("child", ("id", "created_at"), [(child_id, now)], on_conflict="ON CONFLICT DO NOTHING")
    tx().add(
        ChildLink(
            id=uuid4(), child_id=child_id, pupil_id=pupil_id, school_id=own.school_id, linked_at=now, linked_by=actor, basis="apart"
        )
    )
    tx().flush()
    _keep_apart(own, left_behind)
    record(UNLINKED, pupil_id, child=own.child_id, became=child_id)


def _child_before(pupil_id: UUID) -> UUID | None:
    """The child this record was linked to before, if no record is linked to it now."""
    ended = select(ChildLink.child_id).where(ChildLink.pupil_id == pupil_id, ChildLink.unlinked_at.is_not(None))
    child_id = tx().scalar(ended.order_by(ChildLink.unlinked_at.desc(), ChildLink.id).limit(1))
    live = select(ChildLink.id).where(ChildLink.child_id == child_id, ChildLink.unlinked_at.is_(None))
    return None if child_id is None or tx().scalar(live.limit(1)) else child_id


def _keep_apart(own: SchoolRecord, other_records: Iterable[SchoolRecord]) -> None:
    now, actor = clock.now(), scope.current().actor.person_id
    rows = []
    for other_record in other_records:
        first, second = sorted((own, other_record), key=lambda school_record: school_record.id)
        pair = (first.id, first.school_id, second.id, second.school_id)
        rows.append((uuid4(), *pair, "", now, now, actor, Decision.DIFFERENT.value))
    columns = ("id", "pupil_id", "school_id", "other_pupil_id", "other_school_id", "differing_fields", "asked_at")
    insert_many(
        "possible_same_child",
        (*columns, "decided_at", "decided_by", "decision"),
        rows,
        on_conflict=(
            "ON CONFLICT (authority_id, pupil_id, other_pupil_id) DO UPDATE SET decided_at = excluded.decided_at,"
            " decided_by = excluded.decided_by, decision = excluded.decision"
        ),
    )
