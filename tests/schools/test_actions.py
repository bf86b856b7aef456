"""Importing schools and term dates.

A list is imported wholly or not at all; term dates replace only the years in the file.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from portal.audit.models import AuditEvent
from portal.db.work import tx, unit_of_work
from portal.jobs.outbox import OutboxJob
from portal.platform.refusals import NotFoundError, RefusedError
from portal.schools import actions, queries
from portal.schools.domain.term_dates import ListedClosed, ListedTerm
from portal.schools.models import ClosedDays, School, Term
from portal.security.permissions import Role

if TYPE_CHECKING:
    from tests.support.world import World

HEADINGS = "URN,Name,Phase,Lowest age,Highest age,Trust,Open date,Close date,Status\n"


def list_of(*rows: str) -> bytes:
    """A simple list of schools, as a CSV file."""
    return (HEADINGS + "\n".join(rows) + "\n").encode()


def event_count() -> int:
    """How many audit events the authority in scope has."""
    return tx().scalar(select(func.count()).select_from(AuditEvent)) or 0


def test_an_import_adds_and_changes_schools_and_removes_none(world: World) -> None:
    content = list_of("900001,Brook Lane Academy,primary,4,11,Oak,,,", "900010,New School,special,5,19,Oak,01-09-2020,,open")
    with unit_of_work(world.authority.scope()):
        first = actions.import_schools(content)
        assert (first.added, first.changed, first.unchanged, first.refused, first.problems) == (1, 1, 0, 0, ())
        again = actions.import_schools(content)
        assert (again.added, again.changed, again.unchanged) == (0, 0, 2)
        renamed = queries.school(world.authority.primary)
        assert renamed is not None
        assert (renamed.name, renamed.lowest_age) == ("Brook Lane Academy", 4)
        assert list(queries.trusts().values()) == ["Oak"]
        assert queries.school(world.authority.secondary) is not None
    with unit_of_work(world.neighbour.scope()):
        untouched = queries.school_by_urn("900001")
        assert untouched is not None
        assert untouched.name == "Brook Lane Primary School"
        assert len(queries.schools()) == 2


def test_a_list_with_a_faulty_row_is_not_imported(world: World) -> None:
    content = list_of("900010,New,primary,,,,,,", "9,Bad,primary,,,,,,")
    with unit_of_work(world.authority.scope()):
        before = event_count()
        rejected = actions.import_schools(content)
        assert (rejected.added, rejected.refused, len(rejected.problems)) == (0, 2, 1)
        assert event_count() == before
        partial = actions.import_schools(content, all_or_nothing=False)
        assert (partial.added, partial.refused, len(partial.problems)) == (1, 1, 1)


def test_a_missing_column_changes_nothing_and_an_empty_cell_clears(world: World) -> None:
    with unit_of_work(world.authority.scope()):
        actions.import_schools(list_of("900001,Brook,primary,4,11,Oak,01-09-2000,,"))
        assert actions.import_schools(b"URN,Name,Phase\n900001,Brook,primary\n").unchanged == 1
        actions.import_schools(b"URN,Name,Phase,Trust\n900001,Brook,primary,\n")
        school = queries.school_by_urn("900001")
        assert school is not None
        assert (school.lowest_age, school.trust_id) == (4, None)


def test_a_school_closed_without_a_day_is_closed_from_the_first_import(world: World) -> None:
    with unit_of_work(world.authority.scope()):
        actions.import_schools(list_of("900001,Brook,primary,,,,,,Closed"))
        school = queries.school_by_urn("900001")
        assert school is not None
        assert school.closed_on == date(2026, 11, 25)
        assert actions.import_schools(list_of("900001,Brook,primary,,,,,,Closed")).unchanged == 1


def test_one_school_is_added_and_changed(world: World) -> None:
    details = actions.SchoolDetails(urn="900011", name="Typed", phase="primary", trust="Elm")
    with unit_of_work(world.authority.scope()):
        school_id = actions.add_school(details)
        with pytest.raises(RefusedError) as error:
            actions.add_school(details)
        assert error.value.field == "urn"
        actions.change_school(school_id, actions.SchoolDetails(urn="900011", name="Typed Again", phase="primary"))
        school = queries.school(school_id)
        assert school is not None
        assert (school.name, school.trust_id) == ("Typed Again", None)
        before = event_count()
        actions.change_school(school_id, actions.SchoolDetails(urn="900011", name="Typed Again", phase="primary"))
        assert event_count() == before
        with pytest.raises(NotFoundError):
            actions.change_school(world.neighbour.primary, details)


@pytest.mark.parametrize(
    "contradiction",
    [
        {"opened_on": date(2020, 1, 2), "closed_on": date(2020, 1, 1)},
        {"lowest_age": 11, "highest_age": 5},
    ],
)
def test_contradictory_details_are_refused(world: World, contradiction: dict[str, Any]) -> None:
    with unit_of_work(world.authority.scope()), pytest.raises(RefusedError):
        actions.add_school(actions.SchoolDetails(urn="900012", name="A", phase="primary", **contradiction))


CSV = b"type,name,first_day,last_day\nterm,Autumn,2026-09-02,2026-12-18\n"


def test_term_dates_replace_only_their_years_and_kind(world: World) -> None:
    with unit_of_work(world.authority.scope()):
        done = actions.import_term_dates(CSV)
        assert (done.terms, done.closed, done.removed, done.years) == (1, 0, 3, (2026,))
        dates = queries.dates_of(None)
        assert [term.first_day.year for term in dates.in_year(2025).terms] == [2025, 2026, 2026]
        assert [term.first_day for term in dates.in_year(2026).terms] == [date(2026, 9, 2)]
        assert len(dates.in_year(2026).closed) == 3
        assert actions.import_term_dates(CSV).removed == 1
    with unit_of_work(world.neighbour.scope()):
        assert len(queries.dates_of(None).terms) == 6


def test_a_faulty_file_leaves_the_dates_alone(world: World) -> None:
    with unit_of_work(world.authority.scope()):
        assert actions.import_term_dates(CSV + b"term,b,2026-12-01,2026-12-02\n").problems
        assert len(queries.dates_of(None).terms) == 6


def test_a_school_user_can_change_only_the_schools_own_dates(world: World) -> None:
    with unit_of_work(world.authority.scope(Role.SCHOOL_ADMINISTRATOR)):
        actions.add_closed_days(world.authority.primary, ListedClosed("INSET", date(2026, 9, 1), date(2026, 9, 1)))
        for school_id in (None, world.authority.secondary, world.neighbour.primary):
            with pytest.raises(NotFoundError):
                actions.import_term_dates(CSV, school_id)
            with pytest.raises(NotFoundError):
                actions.add_term(school_id, ListedTerm("x", date(2027, 9, 1), date(2027, 12, 1)))
    with unit_of_work(world.authority.scope()):
        assert len(queries.dates_of(None).terms) == 6
        assert queries.dates_of(world.authority.secondary).closed == ()


def test_terms_may_not_share_a_day_and_can_be_removed(world: World) -> None:
    with unit_of_work(world.authority.scope()):
        with pytest.raises(RefusedError):
            actions.add_term(None, ListedTerm("x", date(2026, 12, 18), date(2026, 12, 20)))
        term_id = actions.add_term(None, ListedTerm("Extra", date(2027, 9, 1), date(2027, 12, 17)))
        with pytest.raises(NotFoundError):
            actions.remove_term(world.authority.primary, term_id)
        assert actions.remove_term(None, term_id) == date(2027, 9, 1)
        closed_id = actions.add_closed_days(None, ListedClosed("Funeral", date(2026, 11, 30), date(2026, 11, 30), "AM"))
        assert actions.remove_closed_days(None, closed_id) == date(2026, 11, 30)
        assert tx().scalar(select(func.count()).select_from(Term)) == 6
        assert tx().scalar(select(func.count()).select_from(ClosedDays)) == 6


def test_a_changed_calendar_queues_a_recount(world: World) -> None:
    with unit_of_work(world.authority.scope()):
        actions.add_closed_days(world.authority.primary, ListedClosed("INSET", date(2026, 9, 1), date(2026, 9, 1)))
        jobs = list(tx().scalars(select(OutboxJob).where(OutboxJob.kind == actions.RECOUNT)))
        assert [job.ids for job in jobs] == [{"school_id": str(world.authority.primary), "academic_year": "2026"}]
        actions.import_term_dates(CSV)
        assert tx().scalar(select(func.count()).select_from(OutboxJob).where(OutboxJob.kind == actions.RECOUNT)) == 3


def test_schools_out_of_scope_cannot_be_seen(world: World) -> None:
    with unit_of_work(world.authority.scope(Role.SCHOOL_OFFICE)):
        assert [school.id for school in queries.schools()] == [world.authority.primary]
        assert queries.school(world.authority.secondary) is None
        assert queries.school(world.neighbour.primary) is None
        assert tx().scalar(select(func.count()).select_from(School)) == 1
