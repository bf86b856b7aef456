"""A list adds and changes pupils, removes none, and never erases with a blank.

A line number is given out once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update

from portal.audit.models import AuditEvent
from portal.db.work import tx, unit_of_work
from portal.platform import clock
from portal.platform.refusals import NotFoundError
from portal.pupils import queries
from portal.pupils.actions import lists as actions
from portal.pupils.actions.contacts import change_disclosure
from portal.pupils.models import Characteristic, Contact, PossibleDuplicate, Pupil, PupilContact
from portal.schools.models import School
from portal.security.permissions import Role
from tests.pupils.support import YEAR, child, lines, parent, statements, upn
from tests.support.world import write_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from portal.pupils.actions.lists import ImportSummary
    from portal.pupils.domain.incoming import IncomingPupil
    from tests.support.world import World


@pytest.fixture
def school(world: World) -> Iterator[UUID]:
    """The primary school, in its office's scope. The neighbour has imported the same pupils."""
    with unit_of_work(world.neighbour.scope(Role.SCHOOL_OFFICE)):
        actions.import_pupil_list(world.neighbour.primary, [child(n) for n in range(1, 5)], academic_year=YEAR)
    with unit_of_work(world.authority.scope(Role.SCHOOL_OFFICE)):
        yield world.authority.primary


def import_list(school: UUID, *incoming: IncomingPupil, year: int = YEAR) -> ImportSummary:
    """Import a list, and assert that its counts add up to the pupils in it."""
    summary = actions.import_pupil_list(school, incoming, academic_year=year)
    assert sum(summary.counts().values()) == len(incoming)
    return summary


def only_pupil() -> Pupil:
    """The only pupil in scope, read from the database again."""
    return tx().scalars(select(Pupil).execution_options(populate_existing=True)).one()


def test_a_list_imported_again_changes_nothing(school: UUID) -> None:
    pupils = [child(n) for n in range(1, 6)]
    first = import_list(school, *pupils)
    assert (first.added, first.questions, first.warnings) == (5, 0, ())
    again = import_list(school, *pupils)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 5)
    assert [line.line for line in lines(school)] == [1, 2, 3, 4, 5]
    assert tx().scalar(select(func.count()).select_from(Pupil)) == 5


def test_a_blank_erases_nothing_and_a_value_replaces(school: UUID) -> None:
    import_list(school, child(sex="F", address="1 Test Row", postcode="ZZ1 1ZZ", eal=True, middle_names="Wren"))
    assert import_list(school, child(sex=None, address="", eal=None, registration_group=None)).unchanged == 1
    assert import_list(school, child(address="2 Test Row", eal=False, registration_group="4X")).changed == 1
    pupil = only_pupil()
    assert (pupil.sex, pupil.address, pupil.postcode, pupil.eal, pupil.middle_names) == (
        "F",
        "2 Test Row",
        "ZZ1 1ZZ",
        False,
        "Wren",
    )
    assert lines(school)[0].registration_group == "4X"


def test_an_old_list_does_not_bring_a_former_upn_back(school: UUID) -> None:
    import_list(school, child(1))
    import_list(school, child(1, upn=upn(70), former_upn=upn(1)))
    assert (only_pupil().upn, only_pupil().former_upn) == (upn(70), upn(1))
    assert import_list(school, child(1)).unchanged == 1
    assert only_pupil().upn == upn(70)


def test_a_pupil_who_is_not_listed_stays(school: UUID) -> None:
    import_list(school, child(1), child(2))
    assert import_list(school, child(2)).unchanged == 1
    assert len(lines(school)) == 2


def test_a_leavers_line_is_never_given_to_another_pupil(school: UUID) -> None:
    import_list(school, child(1), child(2))
    import_list(school, child(1, leaving_date=date(2026, 10, 16)), child(3))
    roll_lines = lines(school)
    assert [line.line for line in roll_lines] == [1, 2, 3]
    assert roll_lines[0].on_roll_until == date(2026, 10, 16)
    import_list(school, child(4))
    assert [line.line for line in lines(school)] == [1, 2, 3, 4]


def test_a_pupil_who_comes_back_gets_a_new_line(school: UUID) -> None:
    import_list(school, child(1, leaving_date=date(2026, 10, 16)))
    import_list(school, child(1, admission_date=date(2026, 11, 9)))
    roll = queries.roll(school, YEAR)
    assert len(roll) == 2
    assert roll.index_by_upn[upn(1)] == 1
    assert roll.rows_by_upn[upn(1)] == (0, 1)
    assert roll.on_roll_twice == {roll.pupil_ids[0]}


def test_a_list_with_leaving_dates_can_clear_one(school: UUID) -> None:
    import_list(school, child(1, leaving_date=date(2026, 10, 16)), child(2))
    import_list(school, child(1))
    assert lines(school)[0].on_roll_until == date(2026, 10, 16), "a list without leaving dates clears none"
    summary = import_list(school, child(1), child(2, leaving_date=date(2026, 11, 20)))
    assert [line.on_roll_until for line in lines(school)] == [None, date(2026, 11, 20)]
    assert [notice.column for notice in summary.warnings] == ["leaving date"]


def test_pupils_outside_the_year_are_left_out_with_a_notice(school: UUID) -> None:
    leaver, joiner = child(1, leaving_date=date(2026, 7, 21)), child(2, admission_date=date(2027, 9, 1))
    summary = import_list(school, leaver, joiner, child(3))
    assert (summary.added, summary.left_out) == (1, 2)
    assert [notice.row for notice in summary.warnings] == [2, 3]
    assert tx().scalar(select(func.count()).select_from(Pupil)) == 1


def test_a_leaving_date_before_admission_is_dropped(school: UUID) -> None:
    summary = import_list(school, child(1, admission_date=date(2026, 10, 1), leaving_date=date(2026, 9, 10)))
    (line,) = lines(school)
    assert (line.on_roll_from, line.on_roll_until) == (date(2026, 10, 1), None)
    assert [notice.column for notice in summary.warnings] == ["leaving date"]


def test_a_missing_admission_date_becomes_the_usual_september(world: World) -> None:
    with unit_of_work(world.authority.scope()):
        summary = import_list(world.authority.primary, child(1, admission_date=None), child(2, admission_date=None))
        assert [line.on_roll_from for line in lines(world.authority.primary)] == [date(2026, 9, 1)] * 2
        assert [notice.row for notice in summary.warnings] == [None]


def test_a_upn_with_a_wrong_check_letter_is_stored_with_a_notice(school: UUID) -> None:
    summary = import_list(school, child(1, upn="A" + upn(1)[1:] if upn(1)[0] != "A" else "B" + upn(1)[1:]))
    assert summary.added == 1
    assert [notice.column for notice in summary.warnings] == ["UPN"]


def test_a_row_listed_twice_is_used_once(school: UUID) -> None:
    summary = import_list(school, child(1), child(1, registration_group="4Z", row=40))
    assert (summary.added, summary.left_out) == (1, 1)
    assert summary.warnings[0].sentence == "Listed again in row 40, which was used."
    assert lines(school)[0].registration_group == "4Z"


def test_parents_are_matched_by_name_within_one_pupils_parents(school: UUID) -> None:
    import_list(school, child(1, parents=(parent(), parent("Sam Ashdown", phone=None))), child(2, parents=(parent(),)))
    assert tx().scalar(select(func.count()).select_from(Contact)) == 3, "two pupils' parents are never joined by name"
    again = import_list(school, child(1, parents=(parent("ROWAN  ASHDOWN", phone="01632 960002", postcode="ZZ2 2ZZ"),)))
    assert again.changed == 1
    rows = (
        tx()
        .execute(
            select(Contact.name, Contact.phone, Contact.postcode)
            .join(PupilContact, PupilContact.contact_id == Contact.id)
            .join(Pupil, Pupil.id == PupilContact.pupil_id)
            .where(Pupil.upn == upn(1))
            .order_by(PupilContact.priority)
        )
        .all()
    )
    assert [tuple(row) for row in rows] == [
        ("ROWAN  ASHDOWN", "01632 960002", "ZZ2 2ZZ"),
        ("Sam Ashdown", None, "ZZ1 1ZZ"),
    ]


def test_a_father_and_a_son_of_one_name_stay_two_people(school: UUID) -> None:
    parents = (parent("Alex Ashdown"), parent("Alex Ashdown", postcode="ZZ9 9ZZ", relationship="Grandfather"))
    import_list(school, child(1, parents=parents))
    assert import_list(school, child(1, parents=parents[::-1])).unchanged == 1
    assert tx().scalar(select(func.count()).select_from(Contact)) == 2


def test_do_not_disclose_is_never_lifted_by_a_list(school: UUID) -> None:
    import_list(school, child(1, parents=(parent(do_not_disclose=True),)))
    summary = import_list(school, child(1, parents=(parent(),)))
    assert [notice.column for notice in summary.warnings] == ["do not disclose"]
    stored_parent = tx().scalars(select(Contact)).one()
    assert stored_parent.do_not_disclose
    pupil_id = only_pupil().id
    change_disclosure(pupil_id, stored_parent.id, do_not_disclose=False)
    home, (contact,) = queries.contacts(only_pupil())
    assert (home.is_hidden, contact.home.address) == (False, "1 Test Row, ZZ1 1ZZ")
    with pytest.raises(NotFoundError):
        change_disclosure(stored_parent.id, stored_parent.id, do_not_disclose=True)


def test_characteristics_keep_their_history(school: UUID) -> None:
    def rows() -> list[tuple[str, str, date | None, date | None]]:
        query = select(Characteristic).order_by(Characteristic.kind, Characteristic.recorded_at, Characteristic.first_day)
        return [
            (row.kind, row.value, row.first_day, row.last_day)
            for row in tx().scalars(query.execution_options(populate_existing=True))
        ]

    import_list(school, child(1, characteristics={"sen_provision": "K", "fsm": "Y", "young_carer": "N"}))
    assert rows() == [("fsm", "Y", None, None), ("sen_provision", "K", None, None)]
    with clock.frozen_at(datetime(2027, 1, 11, 9, tzinfo=UTC)):
        assert import_list(school, child(1, characteristics={"sen_provision": "E", "fsm": "N"})).changed == 1
        assert import_list(school, child(1, characteristics={"sen_provision": "E", "fsm": "no", "looked_after": ""})).unchanged == 1
        assert import_list(school, child(1)).unchanged == 1, "a list without the column ends nothing"
    ended, begun = date(2027, 1, 10), date(2027, 1, 11)
    assert rows() == [("fsm", "Y", None, ended), ("sen_provision", "K", None, ended), ("sen_provision", "E", begun, None)]
    with clock.frozen_at(datetime(2027, 1, 11, 12, tzinfo=UTC)):
        import_list(school, child(1, characteristics={"sen_provision": "K"}))
    assert rows()[-1] == ("sen_provision", "K", begun, None), "a slip mended on the same day leaves no trace"


def test_a_year_is_opened_from_the_nearest_year(world: World) -> None:
    with unit_of_work(world.authority.scope()):
        school_id = world.authority.primary
        ages = update(School).where(School.id == school_id).values(lowest_age=4, highest_age=11)
        write_rows(lambda: tx().execute(ages))
        pupils = [
            child(1, year_group="4", admission_date=date(2022, 9, 1)),
            child(2, year_group="R", admission_date=date(2026, 9, 1)),
            child(3, year_group="1", admission_date=date(2026, 10, 1)),
            child(4, year_group="6", admission_date=date(2020, 9, 1)),
            child(5, year_group=None, admission_date=date(2020, 9, 1)),
        ]
        import_list(school_id, *pupils)
        assert actions.open_year(school_id, YEAR) == 0
        assert actions.open_year(school_id, 2025) == 3
        assert [(line.line, line.year_group, line.registration_group) for line in lines(school_id, 2025)] == [
            (1, "3", None),
            (2, "5", None),
            (3, None, None),
        ]
        assert actions.open_year(school_id, 2027) == 4, "Year 6 is Year 7 then, and the school has no Year 7"
        assert actions.open_year(school_id, 2025) == 0
        with pytest.raises(NotFoundError):
            actions.open_year(world.neighbour.primary, 2025)


def test_a_rolls_columns_are_in_line_order(school: UUID) -> None:
    import_list(school, child(1), child(2, leaving_date=date(2026, 10, 16), former_upn=upn(80)), child(3, upn=None))
    roll = queries.roll(school, YEAR)
    assert list(roll.lines) == [1, 2, 3]
    assert roll.upn == [upn(1), upn(2), None]
    assert str(roll.on_from[0]) == "2022-09-01"
    assert str(roll.on_until[1]) == "2026-10-16"
    assert str(roll.on_until[0]) == "NaT"
    assert dict(roll.index_by_upn) == {upn(1): 0, upn(2): 1, upn(80): 1}
    empty = queries.roll(school, 2019)
    assert (len(empty), empty.on_from.dtype, dict(empty.index_by_upn)) == (0, "datetime64[D]", {})


def test_the_audit_of_an_import_has_no_names(school: UUID) -> None:
    import_list(school, child(1))
    (event,) = tx().scalars(select(AuditEvent).where(AuditEvent.event == "pupils.list_taken"))
    assert event.subject_id == school
    assert event.facts["added"] == 1
    assert child(1).surname not in str(event.facts)


def test_a_list_for_a_school_out_of_scope_is_rejected(world: World, school: UUID) -> None:
    assert school
    for school_id in (world.authority.secondary, world.neighbour.primary):
        with pytest.raises(NotFoundError):
            actions.import_pupil_list(school_id, [child(1)], academic_year=YEAR)
    assert tx().scalar(select(func.count()).select_from(PossibleDuplicate)) == 0


def test_a_list_is_imported_wholly_or_not_at_all(school: UUID) -> None:
    wrong = replace(child(2), characteristics={"no_such_kind": "Y"})
    with pytest.raises(Exception, match="kind_known"):
        actions.import_pupil_list(school, [child(1), wrong], academic_year=YEAR)
    assert lines(school) == []


def test_a_longer_list_needs_no_more_statements(school: UUID) -> None:
    import_list(school, *(child(n, parents=(parent(),)) for n in range(1, 11)))
    with statements() as few:
        import_list(school, *(child(n, parents=(parent(),)) for n in range(1, 11)))
    import_list(school, *(child(n, parents=(parent(),)) for n in range(1, 101)))
    with statements() as many:
        import_list(school, *(child(n, parents=(parent(),)) for n in range(1, 101)))
    assert len(many) == len(few)
