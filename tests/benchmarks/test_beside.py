"""Which published figures the dashboards set beside a register's own, and what they say when they set none."""

from __future__ import annotations

from datetime import date

import pytest

from dashboards.comparison import published_beside
from portal.benchmarks import actions
from tests.benchmarks.test_queries import HEADER, week_file

pytestmark = pytest.mark.usefixtures("bundled_figures")


def load(content: bytes) -> None:
    """Load a file of weeks as a release of its own."""
    actions.import_release(content, name="One week", published_on=date(2026, 11, 12))


def test_the_weeks_of_the_year_stand_beside_its_own_figures() -> None:
    published = published_beside("primary", 2025, [date(2025, 11, 3), date(2025, 10, 27)], "absence")
    assert published.label == "England, primary schools"
    assert published.to_date is not None
    assert [rate is None for rate in published.by_week.values()] == [False, True], "England has no week 44 of 2025"


def test_before_the_first_release_the_same_weeks_of_last_year_stand_there_and_say_so() -> None:
    published = published_beside("primary", 2026, [date(2026, 11, 2), date(2026, 11, 23)], "absence")
    assert published.label == "England, primary schools, same weeks last year"
    assert (
        published.by_week[date(2026, 11, 2)]
        == published_beside("primary", 2025, [date(2025, 11, 3)], "absence").by_week[date(2025, 11, 3)]
    )
    assert published.by_week[date(2026, 11, 23)] is None
    assert "same weeks of last year" in published.note


def test_a_week_of_the_covid_years_is_not_set_beside_a_later_one() -> None:
    load(week_file(61).replace(b"2025,Week", b"2021,Week"))
    published = published_beside("primary", 2022, [date(2022, 11, 7)], "absence")
    assert published.by_week == {date(2022, 11, 7): None}
    assert "COVID" in published.note


def test_a_week_that_few_schools_answered_for_is_noted() -> None:
    row = "2026,Week 44,National,,Primary,4000,100,939,939,0,61,61,0,0,1000,16000"
    load(f"{HEADER},total_num_schools\n{row}\n".encode())
    published = published_beside("primary", 2026, [date(2026, 10, 26)], "absence")
    assert published.by_week[date(2026, 10, 26)] is not None
    assert "Week of 26 October: 4,000 of 16,000 schools answered for this week" in published.note


def test_a_phase_without_a_series_says_so() -> None:
    published = published_beside("nursery", 2026, [date(2026, 11, 2)], "absence")
    assert published.note == "The Department for Education publishes no series for this phase."
