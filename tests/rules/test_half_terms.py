"""Terms, half terms and the last day of Year 11, on real term dates and on any."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.calendar import HALVES, Calendar, register_year, week_of
from portal.rules.half_terms import HalfTerm, Term, half_term_of, half_terms, year_11_last_day, year_of_weeks

ONE_DAY = timedelta(days=1)
#: Sheffield's published school holidays (sheffield.gov.uk), and its bank holidays inside the terms.
SHEFFIELD = {
    2025: (
        (
            "2025-09-01 2025-10-24, 2025-11-03 2025-12-19, 2026-01-05 2026-02-13, "
            "2026-02-23 2026-03-27, 2026-04-13 2026-05-22, 2026-06-01 2026-07-20"
        ),
        "2026-05-04",
    ),
    2026: (
        (
            "2026-09-01 2026-10-23, 2026-11-02 2026-12-18, 2027-01-04 2027-02-12, "
            "2027-02-22 2027-03-25, 2027-04-12 2027-05-28, 2027-06-07 2027-07-21"
        ),
        "2027-05-03",
    ),
    2027: (
        (
            "2027-09-01 2027-10-22, 2027-11-01 2027-12-17, 2028-01-04 2028-02-11, "
            "2028-02-21 2028-03-31, 2028-04-18 2028-05-26, 2028-06-05 2028-07-21"
        ),
        "2028-05-01",
    ),
}
NAMES = ("autumn-1", "autumn-2", "spring-1", "spring-2", "summer-1", "summer-2")


def spans(text: str) -> list[tuple[date, date]]:
    """The spans of days a table writes as "2025-09-01 2025-10-24, …"."""
    pairs = (span.split() for span in text.split(","))
    return [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in pairs]


def days_in(*periods: tuple[str, str]) -> list[date]:
    """Every day of these periods."""
    return [
        date.fromisoformat(first) + timedelta(days=offset)
        for first, last in periods
        for offset in range((date.fromisoformat(last) - date.fromisoformat(first)).days + 1)
    ]


def written(year: int, *, closed: tuple[tuple[str, str], ...] = ()) -> Calendar:
    """Sheffield's calendar of a year, with more days closed."""
    terms, bank_holiday = SHEFFIELD[year]
    return Calendar.from_terms(spans(terms), [date.fromisoformat(bank_holiday), *days_in(*closed)])


def spans_by_name(halves: tuple[HalfTerm, ...]) -> dict[str, tuple[str, str]]:
    """Half terms by name, with their first and last days as text."""
    return {half.name: (half.first_day.isoformat(), half.last_day.isoformat()) for half in halves}


@pytest.mark.parametrize("year", SHEFFIELD)
def test_real_term_dates_have_six_half_terms(year: int) -> None:
    expected = {
        f"{year}-{name}": (first.isoformat(), last.isoformat())
        for name, (first, last) in zip(NAMES, spans(SHEFFIELD[year][0]), strict=True)
    }
    assert spans_by_name(half_terms(written(year), year)) == expected


@pytest.mark.parametrize("year", SHEFFIELD)
def test_three_terms_with_closed_weeks_give_the_same_as_six(year: int) -> None:
    parts = spans(SHEFFIELD[year][0])
    three = [(parts[index][0], parts[index + 1][1]) for index in (0, 2, 4)]
    closed = [
        last + timedelta(days=offset) for (_, last), (first, _) in pairwise(parts) for offset in range(1, (first - last).days)
    ]
    calendar = Calendar.from_terms(three, [*closed, date.fromisoformat(SHEFFIELD[year][1])])
    assert half_terms(calendar, year) == half_terms(written(year), year)


@pytest.mark.parametrize(
    ("closed", "changed"),
    [
        pytest.param((("2026-06-29", "2026-07-03"),), {}, id="a week lost to a flood, farther from the middle"),
        pytest.param(
            (("2025-10-20", "2025-10-24"),), {"2025-autumn-1": ("2025-09-01", "2025-10-17")}, id="a half term of two weeks"
        ),
        pytest.param(
            (("2026-06-01", "2026-06-01"),), {"2025-summer-2": ("2026-06-02", "2026-07-20")}, id="a training day after half term"
        ),
        pytest.param(
            (("2026-04-02", "2026-04-02"), ("2026-04-13", "2026-04-14")),
            {"2025-summer-1": ("2026-04-15", "2026-05-22")},
            id="training days after Easter",
        ),
    ],
)
def test_closures_move_only_the_edges(closed: tuple[tuple[str, str], ...], changed: dict[str, tuple[str, str]]) -> None:
    plain = spans_by_name(half_terms(written(2025), 2025))
    assert spans_by_name(half_terms(written(2025, closed=closed), 2025)) == plain | changed


def test_four_weekdays_do_not_part_a_term() -> None:
    calendar = Calendar.from_terms(spans("2025-09-01 2025-10-24, 2025-10-31 2025-12-19"))
    assert spans_by_name(half_terms(calendar, 2025)) == {"2025-autumn-1": ("2025-09-01", "2025-12-19")}


def test_of_two_runs_equally_near_the_middle_the_earlier_parts_the_term() -> None:
    calendar = Calendar.from_terms(spans("2025-09-01 2025-09-26, 2025-10-06 2025-10-24, 2025-11-03 2025-11-28"))
    assert spans_by_name(half_terms(calendar, 2025)) == {
        "2025-autumn-1": ("2025-09-01", "2025-09-26"),
        "2025-autumn-2": ("2025-10-06", "2025-11-28"),
    }


def test_of_two_equal_runs_in_spring_the_first_ends_it() -> None:
    calendar = Calendar.from_terms(spans("2026-01-05 2026-03-27, 2026-04-13 2026-04-24, 2026-05-11 2026-07-17"))
    assert spans_by_name(half_terms(calendar, 2025))["2025-spring-1"][1] == "2026-03-27"


def test_a_run_that_began_before_15_march_does_not_begin_the_summer() -> None:
    calendar = Calendar.from_terms(spans("2026-01-05 2026-03-13, 2026-04-13 2026-04-24, 2026-05-05 2026-07-17"))
    assert next(half for half in half_terms(calendar, 2025) if half.term is Term.SUMMER).first_day == date(2026, 5, 5)


def test_a_calendar_that_ends_in_spring_has_no_summer() -> None:
    calendar = Calendar.from_terms(spans("2026-01-05 2026-02-13, 2026-02-23 2026-03-27"))
    assert set(spans_by_name(half_terms(calendar, 2025))) == {"2025-spring-1", "2025-spring-2"}
    assert year_11_last_day(calendar, 2025) == date(2026, 5, 31)


@pytest.mark.parametrize("year", SHEFFIELD)
def test_year_11_ends_with_the_first_half_of_summer(year: int) -> None:
    assert year_11_last_day(written(year), year) == spans(SHEFFIELD[year][0])[4][1]


def test_year_11_ends_on_31_may_in_a_summer_without_a_second_half() -> None:
    calendar = Calendar.from_terms(spans("2026-01-05 2026-03-27, 2026-04-13 2026-07-17"), [date(2026, 5, 25)])
    assert year_11_last_day(calendar, 2025) == date(2026, 5, 31)
    assert year_11_last_day(Calendar(()), 2025) == date(2026, 5, 31)


def test_a_week_across_1_september_belongs_to_the_year_of_its_sunday() -> None:
    calendar = Calendar.from_terms(spans("2026-08-24 2026-08-31"))
    assert spans_by_name(half_terms(calendar, 2025)) == {"2025-spring-1": ("2026-08-24", "2026-08-28")}
    assert spans_by_name(half_terms(calendar, 2026)) == {"2026-autumn-1": ("2026-08-31", "2026-08-31")}


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Days of one and a half years, with any weeks and days closed."""
    first = date(2025, 8, 18)
    closed_weeks = draw(st.sets(st.integers(0, 75), max_size=30))
    closed_days = draw(st.sets(st.integers(0, 530), max_size=40))
    open_days = [
        first + timedelta(days=offset)
        for offset in range(530)
        if offset // 7 not in closed_weeks and offset not in closed_days and (offset % 7 < 5 or offset % 31 == 0)
    ]
    return Calendar.from_sessions((on, half) for on in open_days for half in HALVES)


@given(calendars())
def test_every_school_day_lies_in_exactly_one_half_term(calendar: Calendar) -> None:
    halves = [half for year in (2024, 2025, 2026) for half in half_terms(calendar, year)]
    for on in calendar.school_days():
        [only] = [half for half in halves if half.covers(on)]
        assert half_term_of(on, calendar) == only
        assert only.academic_year == register_year(week_of(on))
        assert year_of_weeks(only.academic_year).covers(on)


@given(calendars())
def test_half_terms_follow_each_other_and_their_names_do_not_repeat(calendar: Calendar) -> None:
    halves = half_terms(calendar, 2025)
    assert all(before.last_day < after.first_day for before, after in pairwise(halves))
    assert len({half.name for half in halves}) == len(halves)
    for half in halves:
        assert (half.term is Term.AUTUMN) == (half.first_day <= date(2025, 12, 31))
        assert half.half == 1 or (2025, half.term, 1) in {(2025, first.term, first.half) for first in halves}


@given(calendars())
def test_the_summer_begins_after_the_longest_run_found_day_by_day(calendar: Calendar) -> None:
    """Each day of the window that follows a school day begins a run, whose days are counted."""
    span = year_of_weeks(2025)
    school_days = set(calendar.school_days((span.first_day, span.last_day)))
    best: tuple[int, date | None] = (0, None)
    for offset in range(47):
        start = date(2026, 3, 15) + timedelta(days=offset)
        if start in school_days or start - ONE_DAY not in school_days:
            continue
        end = start
        while end not in school_days and end <= span.last_day:
            end += ONE_DAY
        if (end - start).days > best[0]:
            best = ((end - start).days, end if end in school_days else None)
    first = min((half.first_day for half in half_terms(calendar, 2025) if half.term is Term.SUMMER), default=None)
    assert first == best[1]
