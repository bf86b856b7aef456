"""Settings in a real database: day of effect, history, audit, other authorities, and counting."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from portal.audit.models import AuditEvent
from portal.db.work import tx, unit_of_work
from portal.jobs import outbox
from portal.platform import clock
from portal.platform.refusals import NotFoundError, RefusedError
from portal.pupils.actions.lists import import_pupil_list
from portal.pupils.domain.incoming import IncomingPupil
from portal.registers import actions as registers
from portal.registers import queries as register_queries
from portal.registers.domain.pages import SESSIONS
from portal.registers.models import PupilYearSummary
from portal.rules.codes import CODES_BY_SYMBOL
from portal.rules.policy import DEFAULT_POLICY, Window
from portal.security.permissions import Role
from portal.settings import actions, queries
from portal.settings.models import AuthoritySetting
from tests.support.world import NOW
from tests.uploads import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sqlalchemy.orm import Session

    from tests.support.world import World

TODAY = NOW.date()
DECIDED = "Cabinet, 3 November 2026"


@pytest.fixture(autouse=True)
def administrator(world: World, as_role: Callable[..., Session]) -> Session:
    """A unit of work of the LA administrator."""
    return as_role(Role.LA_ADMINISTRATOR)


def change(name: str, value: str, *, first_day: date = TODAY) -> None:
    """Set a value from today on, or from another day."""
    actions.set_value(name, value, first_day=first_day, reason=DECIDED)


def test_nothing_set_gives_the_default_policy() -> None:
    assert queries.policy_on(TODAY) == DEFAULT_POLICY
    assert queries.fewest_schools_on(TODAY) == 3


def test_a_value_holds_from_its_day_and_not_before() -> None:
    change("notice_to_improve_weeks", "4", first_day=TODAY + timedelta(days=7))
    assert queries.policy_on(TODAY).notice_to_improve_weeks == 6
    assert queries.policy_on(TODAY + timedelta(days=6)).notice_to_improve_weeks == 6
    assert queries.policy_on(TODAY + timedelta(days=7)).notice_to_improve_weeks == 4


def test_of_two_values_for_one_day_the_one_set_later_holds() -> None:
    change("notice_to_improve_weeks", "4")
    with clock.frozen_at(NOW + timedelta(minutes=1)):
        change("notice_to_improve_weeks", "5")
    assert queries.policy_on(TODAY).notice_to_improve_weeks == 5
    assert [row.value for row in queries.history_of("notice_to_improve_weeks")] == [5, 4]


def test_a_change_is_audited_without_its_typed_reason(world: World) -> None:
    change("withdrawn_holiday", "COUNT")
    event = tx().scalars(select(AuditEvent).where(AuditEvent.event == "setting.changed")).one()
    assert event.facts == {"setting": "withdrawn_holiday", "value": "COUNT", "first_day": str(TODAY)}
    assert event.membership_id == world.authority.people[Role.LA_ADMINISTRATOR][1]
    (row,) = queries.history_of("withdrawn_holiday")
    assert (row.reason, row.membership_id, row.id) == (DECIDED, event.membership_id, event.subject_id)


@pytest.mark.parametrize(
    ("value", "first_day", "reason", "field"),
    [
        ("9", TODAY, DECIDED, "value"),
        ("6", TODAY, DECIDED, "value"),
        ("4", TODAY - timedelta(days=1), DECIDED, "first_day"),
        ("4", TODAY, "  ", "reason"),
        ("4", TODAY, "x" * 501, "reason"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(value: str, first_day: date, reason: str, field: str) -> None:
    with pytest.raises(RefusedError) as refused:
        actions.set_value("notice_to_improve_weeks", value, first_day=first_day, reason=reason)
    assert refused.value.field == field
    assert queries.history_of("notice_to_improve_weeks") == []


def test_an_unknown_setting_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        change("speed_of_light", "1")


def test_another_authority_keeps_its_own_settings(world: World) -> None:
    change("window", "TO_THE_DAY")
    with unit_of_work(world.neighbour.scope(Role.LA_ADMINISTRATOR)):
        assert queries.policy_on(TODAY) == DEFAULT_POLICY
        assert queries.history_of("window") == []
    with unit_of_work(world.authority.scope(Role.SCHOOL_OFFICE)):
        assert queries.policy_on(TODAY).window is Window.TO_THE_DAY, "a school's figures follow its authority's rules"


@pytest.mark.parametrize("statement", ["UPDATE authority_setting SET value = '5'", "DELETE FROM authority_setting"])
def test_the_portal_cannot_change_or_remove_a_row(statement: str) -> None:
    change("notice_to_improve_weeks", "4")
    with pytest.raises(ProgrammingError, match="permission denied"):
        tx().execute(text(statement))
    tx().rollback()


def _absent_over_eleven_weeks(school: UUID) -> None:
    """Miss eight sessions late in the first of eleven school weeks, and two early in the eleventh.

    They are ten within 70 days of school weeks, and never ten within ten whole weeks.
    """
    pupil = IncomingPupil("Colewood", "Ela", date(2016, 10, 1), upn=files.upn(0), admission_date=date(2024, 9, 2), year_group="5")
    import_pupil_list(school, [pupil], academic_year=2026)
    weeks = register_queries.year_register(school, 2026).calendar.school_weeks((date(2026, 9, 1), date(2026, 12, 18)))[:11]
    marks = {week: np.zeros((1, SESSIONS), dtype=np.uint8) for week in weeks}
    marks[weeks[0]][0, 2:10] = marks[weeks[10]][0, 0:2] = CODES_BY_SYMBOL["O"].byte
    registers.write_pages(school, marks, upload_id=None)


def test_a_counted_setting_changes_the_threshold_count_after_its_recount(world: World) -> None:
    school = world.authority.primary
    _absent_over_eleven_weeks(school)

    def best() -> int | None:
        return tx().scalar(select(PupilYearSummary.threshold_best).where(PupilYearSummary.school_id == school))

    assert best() == 8
    change("window", "TO_THE_DAY")
    assert register_queries.waits_for_recount(2026, school)
    assert outbox.waiting(actions.RECOUNT) == [{}]
    assert registers.recount_out_of_date() == 1
    registers.recount(school, 2026)
    assert not register_queries.waits_for_recount(2026, school)
    assert best() == 10


def test_a_counted_setting_of_a_later_day_waits_for_that_day(world: World) -> None:
    _absent_over_eleven_weeks(world.authority.primary)
    tomorrow = TODAY + timedelta(days=1)
    change("window", "TO_THE_DAY", first_day=tomorrow)
    assert outbox.waiting(actions.RECOUNT) == []
    assert not register_queries.waits_for_recount(2026)
    with clock.frozen_at(NOW + timedelta(days=1)):
        assert register_queries.waits_for_recount(2026)
        assert registers.recount_out_of_date() == 1, "the daily job finds it"


def test_a_setting_that_counts_nothing_recounts_nothing() -> None:
    change("notice_to_improve_weeks", "4")
    assert outbox.waiting(actions.RECOUNT) == []


def test_code_h_is_counted_in_a_file_where_the_authority_wants_that(world: World) -> None:
    for session, rejected in (("AM", 1), ("PM", 0)):
        upload = files.import_rows(world.authority.primary, files.row(0, "02/11/2026", session, "H"), add_pupils=True)
        assert upload.rows_rejected == rejected
        if rejected:
            change("withdrawn_holiday", "COUNT")


def test_every_row_of_the_table_belongs_to_the_authority(world: World) -> None:
    change("window", "TO_THE_DAY")
    assert {row.authority_id for row in tx().scalars(select(AuthoritySetting))} == {world.authority.id}
