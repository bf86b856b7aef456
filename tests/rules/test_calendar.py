"""Academic years, weeks, sessions, working days, and the years the bank holidays are shipped for."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import clock
from portal.rules import bank_holidays
from portal.rules.calendar import (
    Calendar,
    Half,
    Session,
    Span,
    academic_year,
    academic_year_name,
    academic_year_span,
    place_of,
    compare_register_with_calendar,
    register_year,
    session_from_ordinal,
    week_of,
)
from tests.rules import almanac
from tests.rules.casebook.building import CLOSED, MONDAYS, TERMS, WEEKS

days = st.dates(date(2018, 1, 1), date(2040, 12, 31))
halves: st.SearchStrategy[Half] = st.sampled_from(["AM", "PM"])
CLOSED_DAYS = [date.fromisoformat(on) for on in CLOSED]
TWO_YEARS = Calendar.from_terms([(date.fromisoformat(first), date.fromisoformat(last)) for first, last in TERMS], CLOSED_DAYS)


def test_the_academic_year_turns_on_1_september() -> None:
    assert academic_year(date(2025, 8, 31)) == 2024
    assert academic_year(date(2025, 9, 1)) == 2025
    assert academic_year_name(2025) == "2025/26"
    assert academic_year_name(1999) == "1999/00"
    assert academic_year_span(2025) == Span(date(2025, 9, 1), date(2026, 8, 31))


def test_a_week_with_any_day_in_september_belongs_to_the_new_year() -> None:
    assert register_year(date(2026, 8, 24)) == 2025
    assert register_year(date(2026, 8, 31)) == 2026
    assert register_year(date(2025, 9, 1)) == 2025


@given(days)
def test_a_day_lies_in_its_week_and_year(on: date) -> None:
    assert week_of(on).weekday() == 0
    assert week_of(on) <= on < week_of(on) + timedelta(days=7)
    assert week_of(on, starts_on=6).weekday() == 6
    assert academic_year_span(academic_year(on)).covers(on)


@given(days, halves)
def test_places_in_time_undo_themselves(on: date, half: Half) -> None:
    assert session_from_ordinal(place_of((on, half))) == (on, half)
    assert place_of((on, "AM")) + 1 == place_of((on, "PM")) == place_of((on + timedelta(days=1), "AM")) - 1


def test_terms_hold_weekdays_less_what_is_closed() -> None:
    closed: list[Session] = [(date(2025, 9, 3), "AM"), (date(2025, 9, 8), "PM")]
    calendar = Calendar.from_terms([(date(2025, 9, 1), date(2025, 9, 8))], closed)
    assert calendar.count() == 10
    assert not calendar.meets(date(2025, 9, 3), "AM")
    assert calendar.meets(date(2025, 9, 3), "PM")
    assert not calendar.is_school_day(date(2025, 9, 6))
    assert calendar.school_weeks() == (date(2025, 9, 1), date(2025, 9, 8))
    assert calendar.without([date(2025, 9, 8)]).school_weeks() == (date(2025, 9, 1),)


def test_a_term_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="before it begins"):
        Calendar.from_terms([(date(2025, 9, 8), date(2025, 9, 1))])


def test_the_illustrative_calendar_has_its_fifty_five_school_weeks() -> None:
    assert [week.isoformat() for week in TWO_YEARS.school_weeks()] == list(MONDAYS)
    assert len(MONDAYS) == 55
    assert [(on.isoformat(), half) for on, half in TWO_YEARS.sessions()] == [each for week in WEEKS.values() for each in week]


def test_half_terms_are_runs_of_weeks() -> None:
    assert [(run.first_day.isoformat(), run.last_day.isoformat()) for run in TWO_YEARS.half_terms()] == list(TERMS)


def test_school_days_are_counted_on_the_schools_own_calendar() -> None:
    assert TWO_YEARS.school_day_after(date(2025, 10, 24), 1) == date(2025, 11, 3)
    assert TWO_YEARS.school_day_after(date(2025, 11, 27), 1) == date(2025, 12, 1)
    assert TWO_YEARS.school_day_after(date(2025, 10, 20), 5) == date(2025, 11, 3)
    assert TWO_YEARS.school_day_after(date(2026, 12, 18), 1) is None
    assert TWO_YEARS.school_day_after(date(2025, 10, 20), 0) is None
    assert TWO_YEARS.school_days_since(date(2025, 10, 23), date(2025, 11, 4)) == 3
    assert TWO_YEARS.school_days_since(date(2025, 11, 4), date(2025, 10, 23)) == 0


@given(days, days)
def test_a_slice_is_what_lies_between(first: date, last: date) -> None:
    within = [each for each in TWO_YEARS.sessions() if first <= each[0] <= last]
    assert list(TWO_YEARS.sessions((first, last))) == within
    assert TWO_YEARS.count((first, last)) == len(within)
    assert list(TWO_YEARS.school_days((first, last))) == sorted({on for on, _ in within})
    assert list(TWO_YEARS.school_weeks((first, last))) == sorted({week_of(on) for on, _ in within})


@given(st.lists(st.tuples(days, halves), max_size=40))
def test_a_list_of_sessions_holds_them_and_no_others(sessions: list[Session]) -> None:
    calendar = Calendar.from_sessions(sessions)
    assert set(calendar.sessions()) == set(sessions)
    assert Calendar.together([calendar, TWO_YEARS]).count() == len({*sessions, *TWO_YEARS.sessions()})


def test_a_register_is_compared_and_never_changes_the_calendar() -> None:
    between = (date(2025, 9, 1), date(2025, 9, 7))
    expected = TWO_YEARS.sessions(between)
    assert compare_register_with_calendar(TWO_YEARS, expected, between).agrees
    shown = [*expected[1:], (date(2025, 9, 1), "AM"), (date(2025, 9, 9), "AM")]
    comparison = compare_register_with_calendar(TWO_YEARS, shown, between)
    assert comparison.without_register == expected[:1]
    assert comparison.outside_calendar == ((date(2025, 9, 1), "AM"),)
    assert "1 of the school's sessions" in comparison.sentence
    assert "agree" in compare_register_with_calendar(TWO_YEARS, expected, between).sentence


@pytest.mark.parametrize("year", range(bank_holidays.FIRST_YEAR, bank_holidays.LAST_YEAR + 1))
def test_bank_holidays_from_first_principles(year: int) -> None:
    expected = {on for on in almanac.bank_holidays(year) if on.isoweekday() < 6}
    assert {on for on in bank_holidays.bank_holidays(year) if on.weekday() < 5} == expected
    assert bank_holidays.derived_bank_holidays(year) == bank_holidays.bank_holidays(year)


#: Easter Sundays as printed in almanacs.
EASTERS = (
    (2018, 4, 1), (2019, 4, 21), (2020, 4, 12), (2021, 4, 4), (2022, 4, 17), (2023, 4, 9), (2024, 3, 31),
    (2025, 4, 20), (2026, 4, 5), (2027, 3, 28), (2028, 4, 16), (2029, 4, 1), (2030, 4, 21), (2038, 4, 25),
    (1818, 3, 22), (2285, 3, 22),
)  # fmt: skip


@pytest.mark.parametrize(("year", "month", "day"), EASTERS)
def test_easter(year: int, month: int, day: int) -> None:
    assert bank_holidays.easter_sunday(year) == date(year, month, day)


@given(st.integers(1900, 2400))
def test_easter_two_ways(year: int) -> None:
    assert bank_holidays.easter_sunday(year) == almanac.easter(year)


@given(days, st.integers(1, 12))
def test_working_days_are_walked_one_by_one(on: date, number: int) -> None:
    found = bank_holidays.working_day_after(on, number)
    between = [on + timedelta(days=ahead) for ahead in range(1, (found - on).days + 1)]
    assert sum(bank_holidays.is_working_day(each) for each in between) == number
    assert bank_holidays.is_working_day(found)


def test_working_days_are_counted_ahead() -> None:
    with pytest.raises(ValueError, match="at least one"):
        bank_holidays.working_day_after(date(2025, 9, 1), 0)


def test_christmas_day_is_never_a_working_day() -> None:
    assert bank_holidays.is_bank_holiday(date(2027, 12, 25))
    assert not bank_holidays.is_working_day(date(2027, 12, 28))
    assert bank_holidays.is_working_day(date(2027, 12, 29))


def test_the_shipped_years_do_not_run_out() -> None:
    last = max(year for year in range(2018, 2100) if year in bank_holidays.TABLE_YEARS)
    assert last == bank_holidays.LAST_YEAR
    assert clock.today().year + 2 <= last, (
        f"Bank holidays are shipped to {last}. Add the next years' rows to _TABLE in portal/rules/bank_holidays.py "
        "from the list on GOV.UK, any single occasion to OCCASIONS, and move LAST_YEAR on."
    )
