"""A school's list makes that school's records only; a possible duplicate within a school waits for a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import pytest
from sqlalchemy import func, select

from portal.audit.models import AuditEvent
from portal.db.work import tx, unit_of_work
from portal.jobs.outbox import OutboxJob
from portal.platform.refusals import ConflictError, NotFoundError
from portal.pupils import queries
from portal.pupils.actions import duplicates
from portal.pupils.actions import lists as actions
from portal.pupils.actions.duplicates import RECOUNT, Decision
from portal.pupils.models import Contact, PossibleDuplicate, Pupil
from portal.security.permissions import Role
from portal.security.scope import Scope
from portal.web.paging import Position
from tests.pupils.support import YEAR, child, lines, parent, upn

if TYPE_CHECKING:
    from uuid import UUID

    from portal.pupils.domain.incoming import IncomingPupil
    from tests.support.world import AuthorityWorld, World

MOVER = child(1, parents=(parent(do_not_disclose=True),), characteristics={"child_in_need": "Y"}, address="9 Old Row")


def school_scope(authority: AuthorityWorld, school_id: UUID) -> Scope:
    """The scope of an attendance lead of one school."""
    return Scope(authority.id, frozenset({school_id}), authority.scope(Role.ATTENDANCE_LEAD).actor)


def import_as_school(authority: AuthorityWorld, school_id: UUID, *incoming: IncomingPupil) -> actions.ImportSummary:
    """Import a list in the school's own scope."""
    with unit_of_work(school_scope(authority, school_id)):
        return actions.import_pupil_list(school_id, incoming, academic_year=YEAR)


class Question(NamedTuple):
    """The fields of a waiting question that tests look at."""

    id: UUID
    pupil_id: UUID
    school_name: str
    incoming: dict[str, object]


def waiting_questions(authority: AuthorityWorld, school_id: UUID | None = None) -> list[Question]:
    """The waiting questions as a school sees them, or as the authority does."""
    with unit_of_work(school_scope(authority, school_id) if school_id else authority.scope()):
        return [
            Question(
                waiting.question.id,
                waiting.question.pupil_id,
                waiting.school_name,
                waiting.question.incoming,
            )
            for waiting in queries.possible_duplicates(Position()).items
        ]


def test_a_childs_second_school_makes_a_record_of_its_own(world: World) -> None:
    import_as_school(world.authority, world.authority.primary, MOVER)
    summary = import_as_school(world.authority, world.authority.secondary, replace(child(1), address="1 New Row", year_group="7"))
    assert (summary.added, summary.questions, summary.warnings) == (1, 0, ())
    with unit_of_work(world.authority.scope()):
        records = {pupil.school_id: pupil.address for pupil in tx().scalars(select(Pupil))}
        assert records == {world.authority.primary: "9 Old Row", world.authority.secondary: "1 New Row"}
        assert len(lines(world.authority.primary)) == len(lines(world.authority.secondary)) == 1
        assert lines(world.authority.primary)[0].year_group == "4", "another school's line is not touched"


def test_ten_11_the_old_school_sees_only_its_own_record(world: World) -> None:
    import_as_school(world.authority, world.authority.primary, replace(MOVER, leaving_date=date(2026, 10, 16)))
    import_as_school(world.authority, world.authority.secondary, child(1, address="1 New Row", parents=(parent("New Carer"),)))
    today = date(2026, 11, 25)
    with unit_of_work(school_scope(world.authority, world.authority.primary)):
        pupil = tx().scalars(select(Pupil)).one()
        assert pupil.address == "9 Old Row"
        assert not queries.has_present_interest(pupil.id, today)
        assert [name for _, name in queries.roll_history(pupil.id)] == ["Brook Lane Primary School"]
        assert tx().scalars(select(Contact.name)).all() == ["Rowan Ashdown"]
    with unit_of_work(school_scope(world.authority, world.authority.secondary)):
        assert queries.has_present_interest(tx().scalars(select(Pupil.id)).one(), today)
    with unit_of_work(world.authority.scope()):
        assert queries.has_present_interest(pupil.id, today)


@pytest.mark.parametrize(
    "doubtful",
    [
        child(1),
        child(1, date_of_birth=date(2017, 9, 3)),
        child(1, upn=None),
        child(1, upn=upn(60)),
        child(1, surname="Otherwise", forename="Other"),
    ],
    ids=["the same", "another birthday", "no UPN", "another UPN", "another name"],
)
def test_ten_09_what_a_school_sends_tells_it_nothing_of_children_elsewhere(world: World, doubtful: IncomingPupil) -> None:
    """A list is taken in one way, whether another school has such a child or not."""
    school = world.authority.secondary
    import_as_school(world.authority, world.authority.primary, MOVER)
    with_likeness = import_as_school(world.authority, school, doubtful)
    without = import_as_school(world.neighbour, world.neighbour.secondary, doubtful)
    assert with_likeness == without
    assert (with_likeness.added, with_likeness.questions) == (1, 0)
    with unit_of_work(school_scope(world.authority, school)):
        assert queries.possible_duplicates(Position()).items == []
        assert tx().scalar(select(func.count()).select_from(Pupil)) == 1
        assert tx().scalar(select(func.count()).select_from(Contact)) == 0
        jobs = tx().scalars(select(OutboxJob).where(OutboxJob.authority_id == world.authority.id)).all()
    assert {(job.kind, job.ids["school_id"]) for job in jobs} == {
        ("pupils.link_children", str(school_id)) for school_id in (world.authority.primary, school)
    }


def test_the_same_child_is_joined_and_keeps_the_roll_line(world: World) -> None:
    import_as_school(world.authority, world.authority.primary, MOVER)
    import_as_school(world.authority, world.authority.primary, child(1, upn=upn(60), surname=MOVER.surname, sex="F"))
    (question,) = waiting_questions(world.authority)
    with unit_of_work(world.authority.scope()):
        pupil_id = duplicates.decide(question.id, Decision.SAME)
        assert pupil_id == question.pupil_id
        pupil = tx().scalars(select(Pupil).execution_options(populate_existing=True)).one()
        assert (pupil.upn, pupil.former_upn, pupil.sex) == (upn(60), upn(1), "F")
        assert [line.pupil_id for line in lines(world.authority.primary)] == [pupil_id]
        with pytest.raises(ConflictError):
            duplicates.decide(question.id, Decision.DIFFERENT)
        event = tx().scalars(select(AuditEvent).where(AuditEvent.event == "pupil_match.decided")).one()
        assert (event.subject_id, event.facts["decision"]) == (question.id, "same")
        jobs = tx().scalars(select(OutboxJob).where(OutboxJob.kind == RECOUNT)).all()
        assert [job.ids for job in jobs] == [{"school_id": str(world.authority.primary), "academic_year": str(YEAR)}]
    assert waiting_questions(world.authority) == []


def test_different_children_stay_apart_in_the_next_list(world: World) -> None:
    import_as_school(world.authority, world.authority.primary, MOVER)
    namesake = child(1, upn=None)
    import_as_school(world.authority, world.authority.primary, namesake)
    (question,) = waiting_questions(world.authority, world.authority.primary)
    with unit_of_work(school_scope(world.authority, world.authority.primary)):
        pupil_id = duplicates.decide(question.id, Decision.DIFFERENT)
        assert pupil_id != question.pupil_id
        assert [line.line for line in lines(world.authority.primary)] == [1, 2]
    again = import_as_school(world.authority, world.authority.primary, namesake, MOVER)
    assert (again.unchanged, again.questions, again.added) == (2, 0, 0)


def test_the_next_list_follows_the_decision_same(world: World) -> None:
    import_as_school(world.authority, world.authority.primary, MOVER)
    short = child(1, upn=None)
    import_as_school(world.authority, world.authority.primary, short)
    (question,) = waiting_questions(world.authority, world.authority.primary)
    with unit_of_work(school_scope(world.authority, world.authority.primary)):
        duplicates.decide(question.id, Decision.SAME)
    again = import_as_school(world.authority, world.authority.primary, short)
    assert (again.unchanged, again.questions) == (1, 0)


def test_a_question_sent_again_waits_only_once(world: World) -> None:
    import_as_school(world.authority, world.authority.primary, MOVER)
    import_as_school(world.authority, world.authority.primary, child(1, upn=None))
    assert import_as_school(world.authority, world.authority.primary, child(1, upn=None, registration_group="5Z")).questions == 1
    (question,) = waiting_questions(world.authority, world.authority.primary)
    assert question.incoming["registration_group"] == "5Z"


def test_twins_with_one_upn_wait_for_a_person(world: World) -> None:
    summary = import_as_school(world.authority, world.authority.primary, child(1), child(1, forename="Carys", row=3))
    assert (summary.added, summary.questions) == (1, 1)
    (question,) = waiting_questions(world.authority, world.authority.primary)
    with unit_of_work(school_scope(world.authority, world.authority.primary)):
        duplicates.decide(question.id, Decision.DIFFERENT)
        roll = queries.roll(world.authority.primary, YEAR)
        assert len(roll) == 2
        assert roll.ambiguous_upns == {upn(1)}
        assert upn(1) not in roll.index_by_upn, "no mark is placed by a UPN that two children share"


def test_pupils_of_another_authority_never_match(world: World) -> None:
    import_as_school(world.neighbour, world.neighbour.primary, MOVER)
    summary = import_as_school(world.authority, world.authority.primary, MOVER, child(1, upn=None, forename="Carys"))
    assert (summary.added, summary.questions) == (2, 0)
    with unit_of_work(world.neighbour.scope()):
        assert tx().scalar(select(func.count()).select_from(Pupil)) == 1
        assert tx().scalar(select(func.count()).select_from(PossibleDuplicate)) == 0


def test_questions_of_another_authority_cannot_be_seen(world: World) -> None:
    import_as_school(world.neighbour, world.neighbour.primary, MOVER)
    import_as_school(world.neighbour, world.neighbour.primary, child(1, upn=None))
    (question,) = waiting_questions(world.neighbour)
    with unit_of_work(world.authority.scope()):
        assert queries.possible_duplicate(question.id) is None
        with pytest.raises(NotFoundError):
            duplicates.decide(question.id, Decision.SAME)
