"""A certain match moves a pupil between schools; a possible duplicate waits for a person.

A school is never shown another school's child.
"""

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
from portal.pupils import actions, queries
from portal.pupils.actions import Decision
from portal.pupils.domain.matching import MatchKind
from portal.pupils.models import Parent, PossibleDuplicate, Pupil
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
    shows_existing: bool
    incoming: dict[str, object]


def waiting_questions(authority: AuthorityWorld, school_id: UUID | None = None) -> list[Question]:
    """The waiting questions as a school sees them, or as the authority does."""
    with unit_of_work(school_scope(authority, school_id) if school_id else authority.scope()):
        return [
            Question(
                waiting.question.id,
                waiting.question.pupil_id,
                waiting.school_name,
                waiting.existing is not None,
                waiting.question.incoming,
            )
            for waiting in queries.possible_duplicates(Position()).items
        ]


def test_a_certain_match_is_one_child_at_both_schools(world: World) -> None:
    import_as_school(world.authority, world.authority.primary, MOVER)
    summary = import_as_school(world.authority, world.authority.secondary, replace(child(1), address="1 New Row", year_group="7"))
    assert (summary.added, summary.moved_in, summary.questions, summary.warnings) == (0, 1, 0, ())
    with unit_of_work(world.authority.scope()):
        assert tx().scalar(select(func.count()).select_from(Pupil)) == 1
        assert tx().scalars(select(Pupil)).one().address == "1 New Row"
        assert len(lines(world.authority.primary)) == len(lines(world.authority.secondary)) == 1
        assert lines(world.authority.primary)[0].year_group == "4", "another school's line is not touched"
        ((pupil, roll_lines),) = queries.on_two_rolls(date(2026, 11, 25), Position()).items
        assert (pupil.upn, len(roll_lines)) == (upn(1), 2)


def test_dual_registration_needs_no_reconciling(world: World) -> None:
    import_as_school(world.authority, world.authority.primary, replace(MOVER, enrolment_status="M"))
    import_as_school(world.authority, world.authority.secondary, child(1, enrolment_status="S"))
    with unit_of_work(world.authority.scope()):
        assert queries.on_two_rolls(date(2026, 11, 25), Position()).items == []


def test_ten_11_the_old_school_sees_only_its_own_period(world: World) -> None:
    import_as_school(world.authority, world.authority.primary, replace(MOVER, leaving_date=date(2026, 10, 16)))
    import_as_school(world.authority, world.authority.secondary, child(1, address="1 New Row"))
    today = date(2026, 11, 25)
    with unit_of_work(school_scope(world.authority, world.authority.primary)):
        pupil_id = tx().scalars(select(Pupil.id)).one()
        assert not queries.has_present_interest(pupil_id, today)
        assert [name for _, name in queries.roll_history(pupil_id)] == ["Brook Lane Primary School"]
    with unit_of_work(school_scope(world.authority, world.authority.secondary)):
        assert queries.has_present_interest(pupil_id, today)
    with unit_of_work(world.authority.scope()):
        assert queries.has_present_interest(pupil_id, today)


def test_ten_09_only_the_authority_decides_about_another_schools_pupil(world: World) -> None:
    import_as_school(world.authority, world.authority.primary, MOVER)
    doubtful = child(1, date_of_birth=date(2017, 9, 3))
    summary = import_as_school(world.authority, world.authority.secondary, doubtful)
    assert (summary.added, summary.moved_in, summary.questions) == (0, 0, 1)
    with unit_of_work(school_scope(world.authority, world.authority.secondary)):
        (match,) = queries.pupil_matches([doubtful], world.authority.secondary)
        assert (match.kind, match.across_schools) == (MatchKind.QUESTION, True)
        (waiting,) = queries.possible_duplicates(Position()).items
        assert (waiting.existing, waiting.is_for_authority) == (None, True)
        assert queries.pupil(waiting.question.pupil_id) is None
        assert tx().scalar(select(func.count()).select_from(Pupil)) == 0
        assert tx().scalar(select(func.count()).select_from(Parent)) == 0
        with pytest.raises(NotFoundError):
            actions.decide(waiting.question.id, Decision.SAME)
    assert waiting_questions(world.authority, world.authority.primary) == []
    (question,) = waiting_questions(world.authority)
    assert question.shows_existing
    assert question.school_name == "Hill Top School"


def test_the_same_child_is_joined_and_gets_a_roll_line(world: World) -> None:
    import_as_school(world.authority, world.authority.primary, MOVER)
    import_as_school(world.authority, world.authority.secondary, child(1, upn=upn(60), surname=MOVER.surname, sex="F"))
    (question,) = waiting_questions(world.authority)
    with unit_of_work(world.authority.scope()):
        pupil_id = actions.decide(question.id, Decision.SAME)
        assert pupil_id == question.pupil_id
        pupil = tx().scalars(select(Pupil).execution_options(populate_existing=True)).one()
        assert (pupil.upn, pupil.former_upn, pupil.sex) == (upn(60), upn(1), "F")
        assert [line.pupil_id for line in lines(world.authority.secondary)] == [pupil_id]
        with pytest.raises(ConflictError):
            actions.decide(question.id, Decision.DIFFERENT)
        event = tx().scalars(select(AuditEvent).where(AuditEvent.event == "pupil_match.decided")).one()
        assert (event.subject_id, event.facts["decision"]) == (question.id, "same")
        jobs = tx().scalars(select(OutboxJob).where(OutboxJob.kind == actions.RECOUNT)).all()
        assert [job.ids for job in jobs] == [{"school_id": str(world.authority.secondary), "academic_year": str(YEAR)}]
    assert waiting_questions(world.authority) == []


def test_different_children_stay_apart_in_the_next_list(world: World) -> None:
    import_as_school(world.authority, world.authority.primary, MOVER)
    namesake = child(1, upn=None)
    import_as_school(world.authority, world.authority.primary, namesake)
    (question,) = waiting_questions(world.authority, world.authority.primary)
    with unit_of_work(school_scope(world.authority, world.authority.primary)):
        pupil_id = actions.decide(question.id, Decision.DIFFERENT)
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
        actions.decide(question.id, Decision.SAME)
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
    assert question.shows_existing
    with unit_of_work(school_scope(world.authority, world.authority.primary)):
        actions.decide(question.id, Decision.DIFFERENT)
        roll = queries.roll(world.authority.primary, YEAR)
        assert len(roll) == 2
        assert roll.ambiguous_upns == {upn(1)}
        assert upn(1) not in roll.index_by_upn, "no mark is placed by a UPN that two children share"


def test_pupils_of_another_authority_never_match(world: World) -> None:
    import_as_school(world.neighbour, world.neighbour.primary, MOVER)
    summary = import_as_school(world.authority, world.authority.primary, MOVER, child(1, upn=None, forename="Carys"))
    assert (summary.added, summary.moved_in, summary.questions) == (2, 0, 0)
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
            actions.decide(question.id, Decision.SAME)
