"""Compulsory school age at both ends, and age at the start of a year."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.rules.school_age import (
    age_at_start,
    age_on,
    birthday,
    compulsory_school_age,
    is_compulsory_school_age,
    last_friday_in_june,
)
from tests.rules.reference import Engine

births = st.dates(date(1999, 1, 1), date(2035, 12, 31))


@given(births)
def test_it_matches_the_reference_engine(dob: date) -> None:
    span = compulsory_school_age(dob)
    assert (span.first_day, span.last_day) == (Engine().first_day(dob), Engine().last_day(dob))


@given(births)
def test_it_starts_within_five_months_of_the_fifth_birthday_and_ends_on_a_friday(dob: date) -> None:
    span = compulsory_school_age(dob)
    assert birthday(dob, 5) <= span.first_day < birthday(dob, 5) + timedelta(days=154)
    assert span.last_day.weekday() == 4
    assert span.last_day.month == 6
    assert birthday(dob, 15) < span.last_day < birthday(dob, 17)
    assert is_compulsory_school_age(dob, span.last_day)
    assert not is_compulsory_school_age(dob, span.last_day, last_friday_inside=False)
    assert is_compulsory_school_age(dob, span.last_day - timedelta(days=1), last_friday_inside=False)


@given(births, st.dates(date(2000, 1, 1), date(2055, 1, 1)))
def test_an_older_child_reaches_both_ends_no_later(dob: date, on: date) -> None:
    younger = dob + timedelta(days=1)
    assert compulsory_school_age(dob).first_day <= compulsory_school_age(younger).first_day
    assert compulsory_school_age(dob).last_day <= compulsory_school_age(younger).last_day
    assert is_compulsory_school_age(dob, on) == compulsory_school_age(dob).covers(on)


def test_the_last_fridays_in_june() -> None:
    assert [last_friday_in_june(year).day for year in range(2023, 2031)] == [30, 28, 27, 26, 25, 30, 29, 28]


def test_age_at_the_start_of_a_year_is_on_31_august() -> None:
    assert age_at_start(date(2014, 8, 31), 2025) == 11
    assert age_at_start(date(2014, 9, 1), 2025) == 10
    assert age_on(date(2012, 2, 29), date(2025, 2, 28)) == 12
    assert age_on(date(2012, 2, 29), date(2025, 3, 1)) == 13
    assert birthday(date(2012, 2, 29), 16) == date(2028, 2, 29)
