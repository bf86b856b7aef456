"""Academic years, weeks, sessions, bank holidays and working days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.platform import clock
from portal.rules import bank_holidays
from portal.rules.calendar import (
    Calendar,
    Half,
    Session,
    Span,
    academic_year,
    academic_year_name,
    academic_year_span,
    compare_register_with_calendar,
    register_year,
    session_from_ordinal,
    session_ordinal,
    week_of,
)
from tests.rules import calendars
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
def test_a_session_is_recovered_from_its_ordinal(on: date, half: Half) -> None:
    assert session_from_ordinal(session_ordinal((on, half))) == (on, half)
    assert session_ordinal((on, "AM")) + 1 == session_ordinal((on, "PM")) == session_ordinal((on + timedelta(days=1), "AM")) - 1


def test_a_calendar_from_terms_has_weekdays_without_closures() -> None:
    closed: list[Session] = [(date(2025, 9, 3), "AM"), (date(2025, 9, 8), "PM")]
    calendar = Calendar.from_terms([(date(2025, 9, 1), date(2025, 9, 8))], closed)
    assert calendar.count() == 10
    assert not calendar.meets(date(2025, 9, 3), "AM")
    assert calendar.meets(date(2025, 9, 3), "PM")
    assert not calendar.is_school_day(date(2025, 9, 6))
    assert calendar.school_weeks() == (date(2025, 9, 1), date(2025, 9, 8))
    assert calendar.without([date(2025, 9, 8)]).school_weeks() == (date(2025, 9, 1),)


def test_a_term_that_ends_before_it_begins_is_rejected() -> None:
    with pytest.raises(ValueError, match="before it begins"):
        Calendar.from_terms([(date(2025, 9, 8), date(2025, 9, 1))])


def test_the_illustrative_calendar_has_fifty_five_school_weeks() -> None:
    assert [week.isoformat() for week in TWO_YEARS.school_weeks()] == list(MONDAYS)
    assert len(MONDAYS) == 55
    assert [(on.isoformat(), half) for on, half in TWO_YEARS.sessions()] == [session for week in WEEKS.values() for session in week]


def test_half_terms_are_periods_of_consecutive_weeks() -> None:
    assert [(half_term.first_day.isoformat(), half_term.last_day.isoformat()) for half_term in TWO_YEARS.half_terms()] == list(
        TERMS
    )


def test_school_days_are_counted_on_the_schools_own_calendar() -> None:
    assert TWO_YEARS.school_day_after(date(2025, 10, 24), 1) == date(2025, 11, 3)
    assert TWO_YEARS.school_day_after(date(2025, 11, 27), 1) == date(2025, 12, 1)
    assert TWO_YEARS.school_day_after(date(2025, 10, 20), 5) == date(2025, 11, 3)
    assert TWO_YEARS.school_day_after(date(2026, 12, 18), 1) is None
    assert TWO_YEARS.school_day_after(date(2025, 10, 20), 0) is None
    assert TWO_YEARS.school_days_since(date(2025, 10, 23), date(2025, 11, 4)) == 3
    assert TWO_YEARS.school_days_since(date(2025, 11, 4), date(2025, 10, 23)) == 0


@given(days, days)
def test_a_range_has_the_sessions_between_its_days(first: date, last: date) -> None:
    within = [session for session in TWO_YEARS.sessions() if first <= session[0] <= last]
    assert list(TWO_YEARS.sessions((first, last))) == within
    assert TWO_YEARS.count((first, last)) == len(within)
    assert list(TWO_YEARS.school_days((first, last))) == sorted({on for on, _ in within})
    assert list(TWO_YEARS.school_weeks((first, last))) == sorted({week_of(on) for on, _ in within})


@given(st.lists(st.tuples(days, halves), max_size=40))
def test_a_calendar_from_sessions_has_them_and_no_others(sessions: list[Session]) -> None:
    calendar = Calendar.from_sessions(sessions)
    assert set(calendar.sessions()) == set(sessions)
    assert Calendar.together([calendar, TWO_YEARS]).count() == len({*sessions, *TWO_YEARS.sessions()})


def test_a_register_is_compared_and_never_changes_the_calendar() -> None:
    between = (date(2025, 9, 1), date(2025, 9, 7))
    expected = TWO_YEARS.sessions(between)
    assert compare_register_with_calendar(TWO_YEARS, expected, between).agrees
    sessions_taken = [*expected[1:], (date(2025, 9, 1), "AM"), (date(2025, 9, 9), "AM")]
    comparison = compare_register_with_calendar(TWO_YEARS, sessions_taken, between)
    assert comparison.without_register == expected[:1]
    assert comparison.outside_calendar == ((date(2025, 9, 1), "AM"),)
    assert "1 of the school's sessions" in comparison.sentence
    assert "agree" in compare_register_with_calendar(TWO_YEARS, expected, between).sentence


@pytest.mark.parametrize("year", range(bank_holidays.FIRST_YEAR, bank_holidays.LAST_YEAR + 1))
def test_the_table_of_bank_holidays_is_what_the_law_gives(year: int) -> None:
    assert bank_holidays.bank_holidays(year) == calendars.bank_holidays(year)


def test_no_bank_holiday_is_known_outside_the_table() -> None:
    assert bank_holidays.bank_holidays(bank_holidays.FIRST_YEAR - 1) == frozenset()
    assert bank_holidays.bank_holidays(bank_holidays.LAST_YEAR + 1) == frozenset()


#: Easter Sundays as printed in almanacs.
EASTERS = (
    (2018, 4, 1), (2019, 4, 21), (2020, 4, 12), (2021, 4, 4), (2022, 4, 17), (2023, 4, 9), (2024, 3, 31),
    (2025, 4, 20), (2026, 4, 5), (2027, 3, 28), (2028, 4, 16), (2029, 4, 1), (2030, 4, 21), (2038, 4, 25),
    (1818, 3, 22), (2285, 3, 22),
)  # fmt: skip


@pytest.mark.parametrize(("year", "month", "day"), EASTERS)
def test_easter_matches_printed_almanacs(year: int, month: int, day: int) -> None:
    assert bank_holidays.easter_sunday(year) == date(year, month, day)


@given(st.integers(1900, 2400))
def test_easter_matches_a_second_method(year: int) -> None:
    assert bank_holidays.easter_sunday(year) == calendars.easter(year)


@given(days, st.integers(1, 12))
def test_the_nth_working_day_has_n_working_days_up_to_it(on: date, number: int) -> None:
    working_day = bank_holidays.working_day_after(on, number)
    days_after = [on + timedelta(days=offset) for offset in range(1, (working_day - on).days + 1)]
    assert sum(bank_holidays.is_working_day(day) for day in days_after) == number
    assert bank_holidays.is_working_day(working_day)


def test_counting_no_working_days_is_rejected() -> None:
    with pytest.raises(ValueError, match="at least one"):
        bank_holidays.working_day_after(date(2025, 9, 1), 0)


def test_christmas_day_is_never_a_working_day() -> None:
    assert bank_holidays.is_bank_holiday(date(2027, 12, 25))
    assert not bank_holidays.is_working_day(date(2027, 12, 28))
    assert bank_holidays.is_working_day(date(2027, 12, 29))


def missing_years(today: date, checked_to: int) -> str | None:
    """What to do when one of the next two years was never checked against GOV.UK."""
    if today.year + 2 <= checked_to:
        return None
    return (
        f"The bank holidays are checked to {checked_to}. Read the list on GOV.UK, change the rows in portal/rules/bank_holidays.py "
        "and the occasions in tests/rules/calendars.py that a proclamation changes, and move CHECKED_TO on."
    )


def test_the_table_is_checked_for_two_years_to_come() -> None:
    assert missing_years(clock.today(), bank_holidays.CHECKED_TO) is None
    assert bank_holidays.CHECKED_TO <= bank_holidays.LAST_YEAR


def test_the_guard_on_unchecked_years_can_fail() -> None:
    assert missing_years(date(bank_holidays.CHECKED_TO - 1, 1, 1), bank_holidays.CHECKED_TO) is not None
