"""The page of every school: gaps over common weeks, phases in words, and downloads."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from dashboards.comparison import FEWEST_TO_COMPARE
from dashboards.pages.every_school import SchoolRow, contents
from portal.registers.views.summaries import AverageWeek, SchoolSummary, WeekSums, every_school
from portal.security.permissions import Role
from tests.dashboards.test_words import MONDAY
from tests.support import objects
from tests.uploads import files

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from tests.support.browser import Browser
    from tests.support.world import World

LATER = MONDAY.replace(month=9, day=7)


def _sums(week: date, present: int) -> WeekSums:
    return WeekSums(week, "", 10, 100, present, 0, 100 - present, 0)


def _summary(world: World, week: date, present: int) -> SchoolSummary:
    return SchoolSummary(
        world.authority.primary, "Alder", "primary", week, None, _sums(week, present), None, 10, 0, frozenset({week})
    )


def test_a_gap_counts_only_the_weeks_the_school_has_sent(world: World) -> None:
    averages = [AverageWeek(MONDAY, _sums(MONDAY, 96), 3, 3), AverageWeek(LATER, _sums(LATER, 80), 3, 3)]
    assert SchoolRow(_summary(world, MONDAY, 97), 2026, "attendance", averages).gap_words == "1.0 percentage point above"
    assert SchoolRow(_summary(world, MONDAY, 96), 2026, "attendance", averages).gap_words == "the same"


def test_a_gap_leaves_out_a_week_that_no_other_school_has_sent(world: World, as_role: Callable[..., Session]) -> None:
    as_role(Role.LA_MANAGER)
    rows = [files.row(0, "02/11/2026", "AM", "/"), files.row(0, "09/11/2026", "AM", "I")]
    files.import_rows(world.authority.primary, *rows, add_pupils=True)
    shared_week, own_week = date(2026, 11, 2), date(2026, 11, 9)
    averages = [AverageWeek(shared_week, _sums(shared_week, 96), 2, 2), AverageWeek(own_week, _sums(own_week, 0), 1, 2)]
    summary = next(
        summary for summary in every_school(2026, recent_from=shared_week) if summary.school_id == world.authority.primary
    )
    row = SchoolRow(summary, 2026, "attendance", averages)
    assert (row.figure, row.gap, row.gap_words) == (50, 4, "4.0 percentage points above")


def test_a_school_alone_in_its_phase_has_no_gap(world: World) -> None:
    averages = [AverageWeek(MONDAY, _sums(MONDAY, 97), FEWEST_TO_COMPARE - 1, 1)]
    assert SchoolRow(_summary(world, MONDAY, 97), 2026, "attendance", averages).gap_words is None


def test_each_download_holds_the_figures_above_its_link(world: World, signed_in: Callable[..., Browser]) -> None:
    objects.make_objects(world.authority)
    browser = signed_in(Role.LA_MANAGER)
    page = browser.get("/dashboards/")
    assert "Attendance by school" in page.text
    weeks, schools = page.document.xpath("//a[contains(@href, '.csv')]/@href")
    assert browser.get(weeks).response.text.lstrip("\ufeff").startswith('"Week beginning","LA average (%)"')
    assert browser.get(schools).response.text.lstrip("\ufeff").startswith('"School","Phase",')


def test_a_headteacher_has_no_link_to_a_list_of_one_school(world: World, signed_in: Callable[..., Browser]) -> None:
    ids = objects.make_objects(world.authority)
    back_links = {Role.LA_MANAGER: ["Every school"], Role.HEADTEACHER: []}
    for role, expected in back_links.items():
        page = signed_in(role).get(f"/dashboards/schools/{ids['school_id']}")
        assert page.document.xpath("//nav[@aria-label='Back']//text()[normalize-space()]") == expected


def test_the_last_four_weeks_are_shown_for_this_year_only(world: World, as_role: Callable[..., Session]) -> None:
    as_role(Role.LA_MANAGER)
    headings = {year: [column["text"] for column in contents({}, {"year": year})["columns"]] for year in ("2026", "2025")}
    assert [("Last four weeks" in headings[year], len(headings[year])) for year in headings] == [(True, 6), (False, 5)]
