"""A sure move between schools joins silently; a doubt is a person's to settle, and never shows another school's child."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import pytest
from sqlalchemy import func, select

from portal.audit.models import AuditEvent
from portal.db import tx, unit_of_work
from portal.permissions import Role
from portal.pupils import actions, queries
from portal.pupils.actions import Decision
from portal.pupils.likeness import Kind
from portal.pupils.models import MatchQuestion, Parent, Pupil
from portal.scope import Scope
from tests.pupils.support import YEAR, child, lines, parent, upn
from workers.queue import OutboxJob

if TYPE_CHECKING:
    from uuid import UUID

    from portal.pupils.incoming import IncomingPupil
    from tests.support.world import Place, World

MOVER = child(1, parents=(parent(do_not_disclose=True),), characteristics={"child_in_need": "Y"}, address="9 Old Row")


def bound(place: Place, school_id: UUID) -> Scope:
    """The scope of an attendance lead of one school."""
    return Scope(place.id, frozenset({school_id}), place.scope(Role.ATTENDANCE_LEAD).actor)


def take(place: Place, school_id: UUID, *incoming: IncomingPupil) -> actions.Taken:
    """Take a list as the school itself."""
    with unit_of_work(bound(place, school_id)):
        return actions.take_list(school_id, incoming, academic_year=YEAR)


class Asked(NamedTuple):
    """A question of the queue, as far as a test looks at it."""

    id: UUID
    pupil_id: UUID
    school_name: str
    shows_held: bool
    incoming: dict[str, object]


def waiting(place: Place, school_id: UUID | None = None) -> list[Asked]:
    """The queue as a school sees it, or as the authority does."""
    with unit_of_work(bound(place, school_id) if school_id else place.scope()):
        return [
            Asked(one.question.id, one.question.pupil_id, one.school_name, one.held is not None, one.question.incoming)
            for one in queries.waiting_matches()
        ]


def test_a_sure_match_moves_in_and_is_one_child_at_both_schools(world: World) -> None:
    take(world.here, world.here.primary, MOVER)
    found = take(world.here, world.here.secondary, replace(child(1), address="1 New Row", year_group="7"))
    assert (found.added, found.moved_in, found.questions, found.warnings) == (0, 1, 0, ())
    with unit_of_work(world.here.scope()):
        assert tx().scalar(select(func.count()).select_from(Pupil)) == 1
        assert tx().scalars(select(Pupil)).one().address == "1 New Row"
        assert len(lines(world.here.primary)) == len(lines(world.here.secondary)) == 1
        assert lines(world.here.primary)[0].year_group == "4", "another school's line is not touched"
        ((pupil, places),) = queries.on_two_rolls(date(2026, 11, 25))
        assert (pupil.upn, len(places)) == (upn(1), 2)


def test_dual_registration_is_nothing_to_reconcile(world: World) -> None:
    take(world.here, world.here.primary, replace(MOVER, enrolment_status="M"))
    take(world.here, world.here.secondary, child(1, enrolment_status="S"))
    with unit_of_work(world.here.scope()):
        assert queries.on_two_rolls(date(2026, 11, 25)) == []


def test_ten_11_the_old_school_sees_its_own_period_only(world: World) -> None:
    take(world.here, world.here.primary, replace(MOVER, leaving_date=date(2026, 10, 16)))
    take(world.here, world.here.secondary, child(1, address="1 New Row"))
    today = date(2026, 11, 25)
    with unit_of_work(bound(world.here, world.here.primary)):
        pupil_id = tx().scalars(select(Pupil.id)).one()
        assert not queries.has_present_interest(pupil_id, today)
        assert [name for _, name in queries.roll_history(pupil_id)] == ["Brook Lane Primary School"]
    with unit_of_work(bound(world.here, world.here.secondary)):
        assert queries.has_present_interest(pupil_id, today)
    with unit_of_work(world.here.scope()):
        assert queries.has_present_interest(pupil_id, today)


def test_ten_09_a_doubt_about_another_school_s_pupil_is_the_authority_s(world: World) -> None:
    take(world.here, world.here.primary, MOVER)
    doubtful = child(1, date_of_birth=date(2017, 9, 3))
    found = take(world.here, world.here.secondary, doubtful)
    assert (found.added, found.moved_in, found.questions) == (0, 0, 1)
    with unit_of_work(bound(world.here, world.here.secondary)):
        (match,) = queries.matching([doubtful], world.here.secondary)
        assert (match.kind, match.across_schools) == (Kind.QUESTION, True)
        (seen,) = queries.waiting_matches()
        assert (seen.held, seen.is_for_authority) == (None, True)
        assert queries.pupil(seen.question.pupil_id) is None
        assert tx().scalar(select(func.count()).select_from(Pupil)) == 0
        assert tx().scalar(select(func.count()).select_from(Parent)) == 0
        with pytest.raises(actions.NotInScopeError):
            actions.decide(seen.question.id, Decision.SAME)
    assert waiting(world.here, world.here.primary) == []
    (asked,) = waiting(world.here)
    assert asked.shows_held
    assert asked.school_name == "Hill Top School"


def test_the_same_child_joins_and_takes_a_line(world: World) -> None:
    take(world.here, world.here.primary, MOVER)
    take(world.here, world.here.secondary, child(1, upn=upn(60), surname=MOVER.surname, sex="F"))
    (asked,) = waiting(world.here)
    with unit_of_work(world.here.scope()):
        pupil_id = actions.decide(asked.id, Decision.SAME)
        assert pupil_id == asked.pupil_id
        pupil = tx().scalars(select(Pupil).execution_options(populate_existing=True)).one()
        assert (pupil.upn, pupil.former_upn, pupil.sex) == (upn(60), upn(1), "F")
        assert [line.pupil_id for line in lines(world.here.secondary)] == [pupil_id]
        with pytest.raises(actions.AlreadyDecidedError):
            actions.decide(asked.id, Decision.DIFFERENT)
        event = tx().scalars(select(AuditEvent).where(AuditEvent.event == "pupil_match.decided")).one()
        assert (event.subject_id, event.facts["decision"]) == (asked.id, "same")
        jobs = tx().scalars(select(OutboxJob).where(OutboxJob.kind == actions.RECOUNT)).all()
        assert [job.ids for job in jobs] == [{"school_id": str(world.here.secondary), "academic_year": str(YEAR)}]
    assert waiting(world.here) == []


def test_different_children_get_records_of_their_own_and_are_not_asked_about_again(world: World) -> None:
    take(world.here, world.here.primary, MOVER)
    namesake = child(1, upn=None)
    take(world.here, world.here.primary, namesake)
    (asked,) = waiting(world.here, world.here.primary)
    with unit_of_work(bound(world.here, world.here.primary)):
        pupil_id = actions.decide(asked.id, Decision.DIFFERENT)
        assert pupil_id != asked.pupil_id
        assert [line.line for line in lines(world.here.primary)] == [1, 2]
    again = take(world.here, world.here.primary, namesake, MOVER)
    assert (again.unchanged, again.questions, again.added) == (2, 0, 0)


def test_same_is_remembered_for_the_next_list(world: World) -> None:
    take(world.here, world.here.primary, MOVER)
    short = child(1, upn=None)
    take(world.here, world.here.primary, short)
    (asked,) = waiting(world.here, world.here.primary)
    with unit_of_work(bound(world.here, world.here.primary)):
        actions.decide(asked.id, Decision.SAME)
    again = take(world.here, world.here.primary, short)
    assert (again.unchanged, again.questions) == (1, 0)


def test_a_question_waits_once_however_often_it_is_sent(world: World) -> None:
    take(world.here, world.here.primary, MOVER)
    take(world.here, world.here.primary, child(1, upn=None))
    assert take(world.here, world.here.primary, child(1, upn=None, registration_group="5Z")).questions == 1
    (asked,) = waiting(world.here, world.here.primary)
    assert asked.incoming["registration_group"] == "5Z"


def test_twins_in_one_list_with_one_upn_wait_for_a_person(world: World) -> None:
    found = take(world.here, world.here.primary, child(1), child(1, forename="Carys", row=3))
    assert (found.added, found.questions) == (1, 1)
    (asked,) = waiting(world.here, world.here.primary)
    assert asked.shows_held
    with unit_of_work(bound(world.here, world.here.primary)):
        actions.decide(asked.id, Decision.DIFFERENT)
        roll = queries.roll(world.here.primary, YEAR)
        assert len(roll) == 2
        assert roll.ambiguous_upns == {upn(1)}
        assert upn(1) not in roll.index_by_upn, "no mark is placed by a UPN two children share"


def test_the_neighbour_s_children_are_strangers(world: World) -> None:
    take(world.neighbour, world.neighbour.primary, MOVER)
    found = take(world.here, world.here.primary, MOVER, child(1, upn=None, forename="Carys"))
    assert (found.added, found.moved_in, found.questions) == (2, 0, 0)
    with unit_of_work(world.neighbour.scope()):
        assert tx().scalar(select(func.count()).select_from(Pupil)) == 1
        assert tx().scalar(select(func.count()).select_from(MatchQuestion)) == 0


def test_a_question_of_the_neighbour_is_not_there(world: World) -> None:
    take(world.neighbour, world.neighbour.primary, MOVER)
    take(world.neighbour, world.neighbour.primary, child(1, upn=None))
    (asked,) = waiting(world.neighbour)
    with unit_of_work(world.here.scope()):
        assert queries.match_question(asked.id) is None
        with pytest.raises(actions.NotInScopeError):
            actions.decide(asked.id, Decision.SAME)
