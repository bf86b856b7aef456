"""Every school on one page: like with like, words for phases, and downloads that hold what they stand beneath."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from dashboards.comparison import FEWEST_TO_COMPARE
from dashboards.pages.every_school import _Row, contents
from portal.permissions import Role
from portal.registers.overview import AverageWeek, SchoolSummary, WeekSums, every_school
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
    return SchoolSummary(world.here.primary, "Alder", "primary", week, None, _sums(week, present), None, 10, 0, frozenset({week}))


def test_a_gap_is_over_the_weeks_the_school_has_sent(world: World) -> None:
    averages = [AverageWeek(MONDAY, _sums(MONDAY, 96), 3, 3), AverageWeek(LATER, _sums(LATER, 80), 3, 3)]
    assert _Row(_summary(world, MONDAY, 97), 2026, "attendance", averages).gap_words == "1.0 percentage point above"
    assert _Row(_summary(world, MONDAY, 96), 2026, "attendance", averages).gap_words == "the same"


def test_a_week_only_the_school_has_sent_is_in_no_gap(world: World, as_role: Callable[..., Session]) -> None:
    as_role(Role.LA_MANAGER)
    sent = [files.row(0, "02/11/2026", "AM", "/"), files.row(0, "09/11/2026", "AM", "I")]
    files.take(world.here.primary, *sent, add_pupils=True)
    first, alone = date(2026, 11, 2), date(2026, 11, 9)
    averages = [AverageWeek(first, _sums(first, 96), 2, 2), AverageWeek(alone, _sums(alone, 0), 1, 2)]
    summary = next(one for one in every_school(2026, recent_from=first) if one.school_id == world.here.primary)
    row = _Row(summary, 2026, "attendance", averages)
    assert (row.figure, row.gap, row.gap_words) == (50, 4, "4.0 percentage points above")


def test_a_school_alone_in_its_phase_has_no_gap(world: World) -> None:
    alone = [AverageWeek(MONDAY, _sums(MONDAY, 97), FEWEST_TO_COMPARE - 1, 1)]
    assert _Row(_summary(world, MONDAY, 97), 2026, "attendance", alone).gap_words is None


def test_each_download_holds_what_it_stands_beneath(world: World, signed_in: Callable[..., Browser]) -> None:
    objects.made(world.here)
    at = signed_in(Role.LA_MANAGER)
    page = at.get("/dashboards/")
    assert "Attendance by school" in page.text
    weeks, schools = page.document.xpath("//a[contains(@href, '.csv')]/@href")
    assert at.get(weeks).response.text.lstrip("\ufeff").startswith("Week beginning,LA average (%)")
    assert at.get(schools).response.text.lstrip("\ufeff").startswith("School,Phase,")


def test_a_schools_reader_is_not_led_to_a_list_of_one(world: World, signed_in: Callable[..., Browser]) -> None:
    ids = objects.made(world.here)
    words = {Role.LA_MANAGER: ["Every school"], Role.HEADTEACHER: []}
    for role, expected in words.items():
        page = signed_in(role).get(f"/dashboards/schools/{ids['school_id']}")
        assert page.document.xpath("//nav[@aria-label='Back']//text()[normalize-space()]") == expected


def test_the_last_four_weeks_stand_beside_this_year_only(world: World, as_role: Callable[..., Session]) -> None:
    as_role(Role.LA_MANAGER)
    headings = {year: [one["text"] for one in contents({}, {"year": year})["columns"]] for year in ("2026", "2025")}
    assert [("Last four weeks" in headings[year], len(headings[year])) for year in headings] == [(True, 6), (False, 5)]
