"""A school meets in the authority's terms or its own, except on closed days.

The number of queries does not grow with the number of schools.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import event

from portal.db import connection as database
from portal.db.work import unit_of_work
from portal.schools import actions, queries
from portal.schools.domain.term_dates import ListedClosed, ListedTerm
from portal.schools.views.year_view import year_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.world import World


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SELECTs sent while the block runs."""
    sent: list[str] = []

    def remember(*args: object) -> None:
        if str(args[2]).startswith("SELECT"):
            sent.append(str(args[2]))

    event.listen(database.engine(), "before_cursor_execute", remember)
    try:
        yield sent
    finally:
        event.remove(database.engine(), "before_cursor_execute", remember)


def test_half_terms_and_bank_holidays_are_no_school_days(world: World) -> None:
    with unit_of_work(world.authority.scope()):
        calendar = queries.calendar_of(world.authority.primary)
    assert calendar.is_school_day(date(2026, 9, 1))
    assert not calendar.is_school_day(date(2026, 10, 28))
    assert not calendar.is_school_day(date(2026, 5, 4)), "bank holidays are closed without being entered"
    assert not calendar.is_school_day(date(2026, 9, 5))
    assert not calendar.is_school_day(date(2026, 12, 25))


def test_a_schools_own_closed_days_close_no_other_school(world: World) -> None:
    with unit_of_work(world.authority.scope()):
        actions.add_closed_days(world.authority.primary, ListedClosed("INSET", date(2026, 9, 1), date(2026, 9, 1)))
        actions.add_closed_days(world.authority.primary, ListedClosed("Early close", date(2026, 12, 18), date(2026, 12, 18), "PM"))
        primary, secondary = queries.calendar_of(world.authority.primary), queries.calendar_of(world.authority.secondary)
        assert not primary.is_school_day(date(2026, 9, 1))
        assert (primary.meets(date(2026, 12, 18), "AM"), primary.meets(date(2026, 12, 18), "PM")) == (True, False)
        assert secondary.count() - primary.count() == 3
        assert queries.calendars() == {world.authority.primary: primary, world.authority.secondary: secondary}


def test_own_terms_replace_the_authoritys_only_for_their_year(world: World) -> None:
    with unit_of_work(world.authority.scope()):
        actions.add_term(world.authority.primary, ListedTerm("Whole year", date(2026, 9, 7), date(2027, 7, 2)))
        own = queries.calendar_of(world.authority.primary)
        authority = queries.authority_calendar()
        assert own.sessions((date(2025, 9, 1), date(2026, 8, 31))) == authority.sessions((date(2025, 9, 1), date(2026, 8, 31)))
        assert not own.is_school_day(date(2026, 9, 1))
        assert own.is_school_day(date(2026, 12, 21))
        assert not own.is_school_day(date(2026, 10, 28)), "the authority's closed days still count"
        assert queries.calendars()[world.authority.primary] == own


def test_two_hundred_calendars_need_no_more_queries_than_two(world: World) -> None:
    with unit_of_work(world.authority.scope()):
        with statements() as few:
            queries.calendars()
        rows = "".join(f"9{number:05d},S{number},primary\n" for number in range(100, 300))
        actions.import_schools(("URN,Name,Phase\n" + rows).encode())
        for school in queries.schools()[:20]:
            actions.add_closed_days(school.id, ListedClosed("INSET", date(2026, 9, 1), date(2026, 9, 1)))
        with statements() as many:
            calendars = queries.calendars()
    assert len(calendars) == 202
    assert len(many) == len(few) == 3


def test_another_authoritys_dates_change_nothing(world: World) -> None:
    with unit_of_work(world.neighbour.scope()):
        actions.add_closed_days(None, ListedClosed("Elsewhere", date(2026, 9, 2), date(2026, 9, 2)))
    with unit_of_work(world.authority.scope()):
        assert queries.calendar_of(world.authority.primary).is_school_day(date(2026, 9, 2))


def test_the_year_at_a_glance_describes_every_day(world: World) -> None:
    with unit_of_work(world.authority.scope()):
        actions.add_closed_days(world.authority.primary, ListedClosed("INSET", date(2026, 9, 1), date(2026, 9, 1)))
        actions.add_closed_days(world.authority.primary, ListedClosed("Early close", date(2026, 12, 18), date(2026, 12, 18), "PM"))
        calendar = queries.calendar_of(world.authority.primary)
        view = year_view(calendar, (queries.dates_of(None), queries.dates_of(world.authority.primary)), 2026)
    words = {cell.on: (cell.look, cell.words) for _, cells in view.rows for cell in cells}
    assert words[date(2026, 9, 1)] == ("closed", "Tuesday 1 September, closed, INSET")
    assert words[date(2026, 9, 2)] == ("open", "Wednesday 2 September, school day")
    assert words[date(2026, 12, 18)] == ("half", "Friday 18 December, morning only, Early close")
    assert words[date(2026, 12, 25)] == ("closed", "Friday 25 December, bank holiday")
    assert words[date(2026, 12, 24)] == ("away", "Thursday 24 December, not in term")
    assert sum(weeks for _, weeks in view.months) == len(view.mondays)
    assert view.sessions == calendar.count((date(2026, 9, 1), date(2027, 8, 31)))
    assert view.name == "2026/27"
