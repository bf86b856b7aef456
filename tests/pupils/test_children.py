"""The authority's links between schools' records: made by a job, decided by a person, never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from portal.audit.models import AuditEvent
from portal.db.work import tx, unit_of_work
from portal.jobs import running
from portal.jobs.outbox import OutboxJob
from portal.platform import clock
from portal.platform.refusals import ConflictError, NotFoundError, RefusedError
from portal.pupils.actions import children
from portal.pupils.actions.duplicates import Decision, decide
from portal.pupils.actions.lists import import_pupil_list
from portal.pupils.models import Child, ChildLink, PossibleSameChild, Pupil
from portal.pupils.queries import possible_duplicates
from portal.pupils.views import children as views
from portal.security.permissions import Role
from portal.security.scope import Scope
from portal.web.paging import Position
from tests.pupils.support import YEAR, child, upn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from portal.pupils.domain.incoming import IncomingPupil
    from tests.support.world import AuthorityWorld, World

CHILD = child(1)


def send(authority: AuthorityWorld, school_id: UUID, *incoming: IncomingPupil) -> None:
    """Import a list in the school's own scope, and run the jobs it promised."""
    actor = authority.scope(Role.ATTENDANCE_LEAD).actor
    with unit_of_work(Scope(authority.id, frozenset({school_id}), actor)):
        import_pupil_list(school_id, incoming, academic_year=YEAR)
    run_jobs()


def run_jobs() -> None:
    """Run every waiting job that links children."""
    with unit_of_work(None):
        waiting = select(OutboxJob.id).where(OutboxJob.kind == "pupils.link_children", OutboxJob.done_at.is_(None))
        job_ids = [str(job_id) for job_id in tx().scalars(waiting)]
    assert [running.run(job_id) for job_id in job_ids] == ["done"] * len(job_ids)


def send_to_both(authority: AuthorityWorld, at_primary: IncomingPupil, at_secondary: IncomingPupil) -> None:
    """Send one pupil from each school."""
    send(authority, authority.primary, at_primary)
    send(authority, authority.secondary, at_secondary)


def families(authority: AuthorityWorld) -> list[list[str]]:
    """Every child's live records, by forename and school."""
    names = {authority.primary: "primary", authority.secondary: "secondary"}
    with unit_of_work(authority.scope()):
        rows = tx().execute(
            select(ChildLink.child_id, Pupil.forename, Pupil.school_id)
            .join(Pupil, Pupil.id == ChildLink.pupil_id)
            .where(ChildLink.unlinked_at.is_(None))
        )
        by_child: dict[UUID, list[str]] = {}
        for child_id, forename, school_id in rows:
            by_child.setdefault(child_id, []).append(f"{forename} at {names[school_id]}")
    return sorted(sorted(records) for records in by_child.values())


def questions(authority: AuthorityWorld) -> list[tuple[str | None, str]]:
    """Every question's decision and differing fields."""
    with unit_of_work(authority.scope()):
        rows = tx().execute(select(PossibleSameChild.decision, PossibleSameChild.differing_fields))
        return [(decision, fields) for decision, fields in rows]


def stored_links(authority: AuthorityWorld) -> Sequence[tuple[object, ...]]:
    """Everything the authority keeps about children."""
    with unit_of_work(authority.scope()):
        tables = (Child.__table__, ChildLink.__table__, PossibleSameChild.__table__)
        return [tuple(row) for table in tables for row in tx().execute(select(table).order_by(table.c.id))]


ONE_CHILD = [["Bryn at primary", "Bryn at secondary"]]
TWO_CHILDREN = [["Bryn at primary"], ["Bryn at secondary"]]


def test_every_record_is_linked_to_one_child(world: World) -> None:
    send(world.authority, world.authority.primary, child(1), child(2))
    assert families(world.authority) == [["Bryn at primary"], ["Carys at primary"]]


@pytest.mark.parametrize(
    "incoming",
    [
        child(1, year_group="7"),
        child(1, upn=upn(60), former_upn=upn(1)),
        child(1, surname=CHILD.surname.upper()),
    ],
    ids=["all agree", "former UPN", "the surname in capitals"],
)
def test_upn_surname_and_date_of_birth_link_two_records(world: World, incoming: IncomingPupil) -> None:
    send_to_both(world.authority, CHILD, incoming)
    assert families(world.authority) == ONE_CHILD
    assert questions(world.authority) == []


@pytest.mark.parametrize(
    ("incoming", "differing"),
    [
        (child(1, date_of_birth=child(2).date_of_birth), "date of birth"),
        (child(1, surname="Otherwise"), "surname"),
        (child(1, upn=None), "UPN"),
        (child(1, upn=upn(60)), "UPN"),
    ],
)
def test_anything_less_is_a_question_for_the_authority(world: World, incoming: IncomingPupil, differing: str) -> None:
    send_to_both(world.authority, CHILD, incoming)
    assert families(world.authority) == TWO_CHILDREN
    assert questions(world.authority) == [(None, differing)]


@pytest.mark.parametrize(
    "incoming", [child(1, upn=upn(60), forename="Carys"), child(1, upn=upn(60), surname="Otherwise"), child(2)], ids=str
)
def test_twins_and_strangers_are_nobodys_question(world: World, incoming: IncomingPupil) -> None:
    send_to_both(world.authority, CHILD, incoming)
    assert questions(world.authority) == []
    assert len(families(world.authority)) == 2


def test_twins_given_one_upn_are_told_apart_by_forename(world: World) -> None:
    """Each school decided that they are two children. Their records are linked twin by twin."""
    twin = child(1, forename="Carys", row=3)
    for school_id in (world.authority.primary, world.authority.secondary):
        send(world.authority, school_id, CHILD, twin)
        with unit_of_work(world.authority.scope()):
            (waiting,) = possible_duplicates(Position()).items
            decide(waiting.question.id, Decision.DIFFERENT)
        run_jobs()
    assert families(world.authority) == [["Bryn at primary", "Bryn at secondary"], ["Carys at primary", "Carys at secondary"]]
    assert questions(world.authority) == []


def test_the_job_run_again_changes_nothing(world: World) -> None:
    send_to_both(world.authority, CHILD, CHILD)
    send(world.authority, world.authority.secondary, child(2, upn=None))
    send(world.authority, world.authority.primary, child(2))
    before = stored_links(world.authority)
    assert [decision for decision, _ in questions(world.authority)] == [None]
    with unit_of_work(world.authority.scope()):
        count = select(func.count()).select_from(AuditEvent)
        events = tx().scalar(count)
        for school_id in (world.authority.primary, world.authority.secondary):
            children.link_children(school_id)
        assert tx().scalar(count) == events
    assert stored_links(world.authority) == before


def test_a_question_is_answered_when_the_records_come_to_agree(world: World) -> None:
    send_to_both(world.authority, CHILD, child(1, surname="Otherwise"))
    assert questions(world.authority) == [(None, "surname")]
    send(world.authority, world.authority.primary, child(1, surname="Otherwise"))
    with unit_of_work(world.authority.scope()):
        (waiting,) = possible_duplicates(Position()).items
        decide(waiting.question.id, Decision.SAME)
    run_jobs()
    assert families(world.authority) == ONE_CHILD
    assert questions(world.authority) == [("same", "surname")]


def only_question(authority: AuthorityWorld) -> UUID:
    """The id of the authority's one question."""
    with unit_of_work(authority.scope()):
        return tx().scalars(select(PossibleSameChild.id)).one()


def test_the_same_child_is_linked_and_no_record_changes(world: World) -> None:
    send_to_both(world.authority, CHILD, child(1, upn=upn(60)))
    question = only_question(world.authority)
    with unit_of_work(world.authority.scope()):
        before = tx().execute(select(Pupil.__table__).order_by(Pupil.id)).all()
        children.decide_same_child(question, Decision.SAME)
        assert tx().execute(select(Pupil.__table__).order_by(Pupil.id)).all() == before
        with pytest.raises(ConflictError):
            children.decide_same_child(question, Decision.DIFFERENT)
    assert families(world.authority) == ONE_CHILD
    with unit_of_work(world.authority.scope()):
        (pupil_id,) = tx().scalars(select(Pupil.id).where(Pupil.school_id == world.authority.primary))
        (record,) = views.other_records(pupil_id)
        assert (record.school_name, record.until) == ("Hill Top School", None)
        assert len(views.lines_of_child(pupil_id)) == 2
        assert views.possible_same_children(Position()).items == []


def test_different_children_are_never_linked_by_the_job(world: World) -> None:
    send_to_both(world.authority, CHILD, child(1, upn=upn(60)))
    with unit_of_work(world.authority.scope()):
        children.decide_same_child(only_question(world.authority), Decision.DIFFERENT)
    send(world.authority, world.authority.secondary, child(1, upn=upn(60), former_upn=upn(1)))
    assert families(world.authority) == TWO_CHILDREN
    assert questions(world.authority) == [("different", "UPN")]
    with unit_of_work(world.authority.scope()):
        children.decide_same_child(only_question(world.authority), Decision.SAME)
    assert families(world.authority) == ONE_CHILD, "a person may change their mind"


def test_unlinking_restores_the_children_there_were(world: World) -> None:
    send_to_both(world.authority, CHILD, child(1, upn=upn(60)))
    before = stored_links(world.authority)
    with unit_of_work(world.authority.scope()):
        first_children = dict(tx().execute(select(ChildLink.pupil_id, ChildLink.child_id)).all())
        children.decide_same_child(only_question(world.authority), Decision.SAME)
        (moved,) = tx().scalars(select(ChildLink.pupil_id).where(ChildLink.basis == "decision"))
        children.unlink(moved, "They are cousins")
        live = select(ChildLink.pupil_id, ChildLink.child_id).where(ChildLink.unlinked_at.is_(None))
        assert dict(tx().execute(live).all()) == first_children
        with pytest.raises(RefusedError, match="not linked"):
            children.unlink(moved, "Again")
        (ended,) = tx().scalars(select(ChildLink).where(ChildLink.unlink_reason.is_not(None)))
        assert (ended.pupil_id, ended.unlinked_by) == (moved, world.authority.scope().actor.person_id)
    assert questions(world.authority) == [("different", "UPN")]
    assert families(world.authority) == TWO_CHILDREN
    assert len(stored_links(world.authority)) == len(before) + 2, "the ended link and the new one are both kept"


def test_what_was_taken_back_is_not_linked_again(world: World) -> None:
    send_to_both(world.authority, CHILD, CHILD)
    with unit_of_work(world.authority.scope()):
        (pupil_id,) = tx().scalars(select(Pupil.id).where(Pupil.school_id == world.authority.secondary))
        children.unlink(pupil_id, "Two children with one number")
        children.link_children(world.authority.secondary)
        children.link_children(world.authority.primary)
        assert [pair.question.decision for pair in views.kept_apart(pupil_id)] == ["different"]
    assert families(world.authority) == TWO_CHILDREN


def test_children_of_another_authority_are_never_linked(world: World) -> None:
    send(world.neighbour, world.neighbour.primary, CHILD)
    send(world.authority, world.authority.secondary, CHILD)
    assert families(world.authority) == [["Bryn at secondary"]]
    assert questions(world.authority) == questions(world.neighbour) == []


def test_a_school_neither_links_nor_sees_links(world: World) -> None:
    send_to_both(world.authority, CHILD, child(1, upn=upn(60)))
    question = only_question(world.authority)
    with unit_of_work(world.authority.scope(Role.ATTENDANCE_LEAD)):
        (pupil_id,) = tx().scalars(select(Pupil.id))
        assert not tx().scalars(select(ChildLink)).all()
        assert not tx().scalars(select(PossibleSameChild)).all()
        assert (views.other_records(pupil_id), views.kept_apart(pupil_id)) == ([], [])
        with pytest.raises(NotFoundError):
            children.link_children(world.authority.primary)
        with pytest.raises(NotFoundError):
            children.decide_same_child(question, Decision.SAME)
        with pytest.raises(NotFoundError):
            children.unlink(pupil_id, "Mine")


def test_dual_registration_needs_no_reconciling(world: World) -> None:
    send_to_both(world.authority, child(1, enrolment_status="M"), child(1, enrolment_status="S"))
    send(world.authority, world.authority.primary, child(2))
    send(world.authority, world.authority.secondary, child(2))
    with unit_of_work(world.authority.scope()):
        (lines,) = views.on_two_rolls(clock.today(), Position()).items
    assert {current.pupil.upn for current in lines} == {upn(2)}
    assert len(lines) == 2
