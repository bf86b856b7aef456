"""A list adds and changes, never removes and never erases with a blank; lines are given once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update

from portal import clock
from portal.audit.models import AuditEvent
from portal.db import tx, unit_of_work
from portal.permissions import Role
from portal.pupils import actions, queries
from portal.pupils.models import Characteristic, MatchQuestion, Parent, Parenthood, Pupil
from portal.schools.models import School
from tests.pupils.support import YEAR, child, lines, parent, statements, upn
from tests.support.world import furnish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from portal.pupils.actions import Taken
    from portal.pupils.incoming import IncomingPupil
    from tests.support.world import World


@pytest.fixture
def school(world: World) -> Iterator[UUID]:
    """The primary school, its office signed in; the neighbour has taken the same list."""
    with unit_of_work(world.neighbour.scope(Role.SCHOOL_OFFICE)):
        actions.take_list(world.neighbour.primary, [child(n) for n in range(1, 5)], academic_year=YEAR)
    with unit_of_work(world.here.scope(Role.SCHOOL_OFFICE)):
        yield world.here.primary


def taken(school: UUID, *incoming: IncomingPupil, year: int = YEAR) -> Taken:
    """Take a list, and see that nothing in it is lost."""
    found = actions.take_list(school, incoming, academic_year=year)
    assert sum(found.counts().values()) == len(incoming)
    return found


def only_pupil() -> Pupil:
    """The one pupil in scope, read anew."""
    return tx().scalars(select(Pupil).execution_options(populate_existing=True)).one()


def test_a_first_list_adds_and_the_same_again_changes_nothing(school: UUID) -> None:
    people = [child(n) for n in range(1, 6)]
    first = taken(school, *people)
    assert (first.added, first.questions, first.warnings) == (5, 0, ())
    again = taken(school, *people)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 5)
    assert [line.line for line in lines(school)] == [1, 2, 3, 4, 5]
    assert tx().scalar(select(func.count()).select_from(Pupil)) == 5


def test_a_blank_says_nothing_and_a_value_replaces(school: UUID) -> None:
    taken(school, child(sex="F", address="1 Test Row", postcode="ZZ1 1ZZ", eal=True, middle_names="Wren"))
    assert taken(school, child(sex=None, address="", eal=None, registration_group=None)).unchanged == 1
    assert taken(school, child(address="2 Test Row", eal=False, registration_group="4X")).changed == 1
    held = only_pupil()
    assert (held.sex, held.address, held.postcode, held.eal, held.middle_names) == ("F", "2 Test Row", "ZZ1 1ZZ", False, "Wren")
    assert lines(school)[0].registration_group == "4X"


def test_a_new_upn_makes_the_old_one_former_and_an_old_list_does_not_bring_it_back(school: UUID) -> None:
    taken(school, child(1))
    taken(school, child(1, upn=upn(70), former_upn=upn(1)))
    assert (only_pupil().upn, only_pupil().former_upn) == (upn(70), upn(1))
    assert taken(school, child(1)).unchanged == 1
    assert only_pupil().upn == upn(70)


def test_whoever_is_not_listed_stays(school: UUID) -> None:
    taken(school, child(1), child(2))
    assert taken(school, child(2)).unchanged == 1
    assert len(lines(school)) == 2


def test_lines_are_never_given_again(school: UUID) -> None:
    taken(school, child(1), child(2))
    taken(school, child(1, leaving_date=date(2026, 10, 16)), child(3))
    kept = lines(school)
    assert [line.line for line in kept] == [1, 2, 3]
    assert kept[0].on_roll_until == date(2026, 10, 16)
    taken(school, child(4))
    assert [line.line for line in lines(school)] == [1, 2, 3, 4]


def test_a_pupil_who_comes_back_gets_a_line_of_their_own(school: UUID) -> None:
    taken(school, child(1, leaving_date=date(2026, 10, 16)))
    taken(school, child(1, admission_date=date(2026, 11, 9)))
    roll = queries.roll(school, YEAR)
    assert len(roll) == 2
    assert roll.index_by_upn[upn(1)] == 1
    assert roll.rows_by_upn[upn(1)] == (0, 1)
    assert roll.on_roll_twice == {roll.pupil_ids[0]}


def test_a_leaving_date_given_in_error_is_taken_back_where_the_list_knows_leavers(school: UUID) -> None:
    taken(school, child(1, leaving_date=date(2026, 10, 16)), child(2))
    taken(school, child(1))
    assert lines(school)[0].on_roll_until == date(2026, 10, 16), "a list without leaving dates says nothing of leaving"
    found = taken(school, child(1), child(2, leaving_date=date(2026, 11, 20)))
    assert [line.on_roll_until for line in lines(school)] == [None, date(2026, 11, 20)]
    assert [notice.field for notice in found.warnings] == ["leaving date"]


def test_who_has_no_place_in_the_year_is_left_out_and_told(school: UUID) -> None:
    gone, coming = child(1, leaving_date=date(2026, 7, 21)), child(2, admission_date=date(2027, 9, 1))
    found = taken(school, gone, coming, child(3))
    assert (found.added, found.left_out) == (1, 2)
    assert [notice.row for notice in found.warnings] == [2, 3]
    assert tx().scalar(select(func.count()).select_from(Pupil)) == 1


def test_dates_out_of_order_keep_the_admission(school: UUID) -> None:
    found = taken(school, child(1, admission_date=date(2026, 10, 1), leaving_date=date(2026, 9, 10)))
    (line,) = lines(school)
    assert (line.on_roll_from, line.on_roll_until) == (date(2026, 10, 1), None)
    assert [notice.field for notice in found.warnings] == ["leaving date"]


def test_without_an_admission_date_the_usual_september_is_taken_and_told_once(world: World) -> None:
    with unit_of_work(world.here.scope()):
        found = taken(world.here.primary, child(1, admission_date=None), child(2, admission_date=None))
        assert [line.on_roll_from for line in lines(world.here.primary)] == [date(2026, 9, 1)] * 2
        assert [notice.row for notice in found.warnings] == [None]


def test_a_wrong_check_letter_is_told_and_kept(school: UUID) -> None:
    found = taken(school, child(1, upn="A" + upn(1)[1:] if upn(1)[0] != "A" else "B" + upn(1)[1:]))
    assert found.added == 1
    assert [notice.field for notice in found.warnings] == ["UPN"]


def test_a_row_listed_twice_is_used_once(school: UUID) -> None:
    found = taken(school, child(1), child(1, registration_group="4Z", row=40))
    assert (found.added, found.left_out) == (1, 1)
    assert found.warnings[0].sentence == "Listed again in row 40, which was used."
    assert lines(school)[0].registration_group == "4Z"


def test_parents_are_known_by_name_within_their_own_household(school: UUID) -> None:
    taken(school, child(1, parents=(parent(), parent("Sam Ashdown", phone=None))), child(2, parents=(parent(),)))
    assert tx().scalar(select(func.count()).select_from(Parent)) == 3, "two pupils' parents are never joined by name"
    again = taken(school, child(1, parents=(parent("ROWAN  ASHDOWN", phone="01632 960002", postcode="ZZ2 2ZZ"),)))
    assert again.changed == 1
    rows = (
        tx()
        .execute(
            select(Parent.name, Parent.phone, Parent.postcode)
            .join(Parenthood, Parenthood.parent_id == Parent.id)
            .join(Pupil, Pupil.id == Parenthood.pupil_id)
            .where(Pupil.upn == upn(1))
            .order_by(Parenthood.priority)
        )
        .all()
    )
    assert [tuple(row) for row in rows] == [
        ("ROWAN  ASHDOWN", "01632 960002", "ZZ2 2ZZ"),
        ("Sam Ashdown", None, "ZZ1 1ZZ"),
    ]


def test_a_father_and_a_son_of_one_name_are_two(school: UUID) -> None:
    both = (parent("Alex Ashdown"), parent("Alex Ashdown", postcode="ZZ9 9ZZ", relationship="Grandfather"))
    taken(school, child(1, parents=both))
    assert taken(school, child(1, parents=both[::-1])).unchanged == 1
    assert tx().scalar(select(func.count()).select_from(Parent)) == 2


def test_do_not_disclose_is_never_lifted_by_a_list(school: UUID) -> None:
    taken(school, child(1, parents=(parent(do_not_disclose=True),)))
    found = taken(school, child(1, parents=(parent(),)))
    assert [notice.field for notice in found.warnings] == ["do not disclose"]
    one = tx().scalars(select(Parent)).one()
    assert one.do_not_disclose
    pupil_id = only_pupil().id
    actions.change_disclosure(pupil_id, one.id, do_not_disclose=False)
    home, (contact,) = queries.contacts(only_pupil())
    assert (home.is_hidden, contact.home.address) == (False, "1 Test Row, ZZ1 1ZZ")
    with pytest.raises(actions.NotInScopeError):
        actions.change_disclosure(one.id, one.id, do_not_disclose=True)


def test_characteristics_keep_their_history(school: UUID) -> None:
    def rows() -> list[tuple[str, str, date | None, date | None]]:
        found = select(Characteristic).order_by(Characteristic.kind, Characteristic.recorded_at, Characteristic.first_day)
        return [
            (one.kind, one.value, one.first_day, one.last_day)
            for one in tx().scalars(found.execution_options(populate_existing=True))
        ]

    taken(school, child(1, characteristics={"sen_provision": "K", "fsm": "Y", "young_carer": "N"}))
    assert rows() == [("fsm", "Y", None, None), ("sen_provision", "K", None, None)]
    with clock.at(datetime(2027, 1, 11, 9, tzinfo=UTC)):
        assert taken(school, child(1, characteristics={"sen_provision": "E", "fsm": "N"})).changed == 1
        assert taken(school, child(1, characteristics={"sen_provision": "E", "fsm": "no", "looked_after": ""})).unchanged == 1
        assert taken(school, child(1)).unchanged == 1, "a list without the column ends nothing"
    ended, begun = date(2027, 1, 10), date(2027, 1, 11)
    assert rows() == [("fsm", "Y", None, ended), ("sen_provision", "K", None, ended), ("sen_provision", "E", begun, None)]
    with clock.at(datetime(2027, 1, 11, 12, tzinfo=UTC)):
        taken(school, child(1, characteristics={"sen_provision": "K"}))
    assert rows()[-1] == ("sen_provision", "K", begun, None), "a slip mended on the same day leaves no trace of itself"


def test_a_year_is_opened_from_the_nearest(world: World) -> None:
    with unit_of_work(world.here.scope()):
        school_id = world.here.primary
        ages = update(School).where(School.id == school_id).values(lowest_age=4, highest_age=11)
        furnish(lambda: tx().execute(ages))
        people = [
            child(1, year_group="4", admission_date=date(2022, 9, 1)),
            child(2, year_group="R", admission_date=date(2026, 9, 1)),
            child(3, year_group="1", admission_date=date(2026, 10, 1)),
            child(4, year_group="6", admission_date=date(2020, 9, 1)),
            child(5, year_group=None, admission_date=date(2020, 9, 1)),
        ]
        taken(school_id, *people)
        assert actions.open_year(school_id, YEAR) == 0
        assert actions.open_year(school_id, 2025) == 3
        assert [(line.line, line.year_group, line.registration_group) for line in lines(school_id, 2025)] == [
            (1, "3", None),
            (2, "5", None),
            (3, None, None),
        ]
        assert actions.open_year(school_id, 2027) == 4, "Year 6 is Year 7 then, and the school has no Year 7"
        assert actions.open_year(school_id, 2025) == 0
        with pytest.raises(actions.NotInScopeError):
            actions.open_year(world.neighbour.primary, 2025)


def test_a_roll_is_aligned_by_line(school: UUID) -> None:
    taken(school, child(1), child(2, leaving_date=date(2026, 10, 16), former_upn=upn(80)), child(3, upn=None))
    roll = queries.roll(school, YEAR)
    assert list(roll.lines) == [1, 2, 3]
    assert roll.upn == [upn(1), upn(2), None]
    assert str(roll.on_from[0]) == "2022-09-01"
    assert str(roll.on_until[1]) == "2026-10-16"
    assert str(roll.on_until[0]) == "NaT"
    assert dict(roll.index_by_upn) == {upn(1): 0, upn(2): 1, upn(80): 1}
    empty = queries.roll(school, 2019)
    assert (len(empty), empty.on_from.dtype, dict(empty.index_by_upn)) == (0, "datetime64[D]", {})


def test_taking_a_list_is_recorded_without_a_name(school: UUID) -> None:
    taken(school, child(1))
    (event,) = tx().scalars(select(AuditEvent).where(AuditEvent.event == "pupils.list_taken"))
    assert event.subject_id == school
    assert event.facts["added"] == 1
    assert child(1).surname not in str(event.facts)


def test_a_school_out_of_scope_takes_no_list(world: World, school: UUID) -> None:
    assert school
    for other in (world.here.secondary, world.neighbour.primary):
        with pytest.raises(actions.NotInScopeError):
            actions.take_list(other, [child(1)], academic_year=YEAR)
    assert tx().scalar(select(func.count()).select_from(MatchQuestion)) == 0


def test_a_list_is_taken_whole_or_not_at_all(school: UUID) -> None:
    wrong = replace(child(2), characteristics={"no_such_kind": "Y"})
    with pytest.raises(Exception, match="kind_known"):
        actions.take_list(school, [child(1), wrong], academic_year=YEAR)
    assert lines(school) == []


def test_a_growing_list_costs_no_more_statements(school: UUID) -> None:
    taken(school, *(child(n, parents=(parent(),)) for n in range(1, 11)))
    with statements() as few:
        taken(school, *(child(n, parents=(parent(),)) for n in range(1, 11)))
    taken(school, *(child(n, parents=(parent(),)) for n in range(1, 101)))
    with statements() as many:
        taken(school, *(child(n, parents=(parent(),)) for n in range(1, 101)))
    assert len(many) == len(few)
