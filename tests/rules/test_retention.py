"""How long the law has registers kept."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.retention import REGISTER_ENTRY_YEARS, first_day_kept


@pytest.mark.parametrize(
    ("today", "first"),
    [
        (date(2030, 8, 31), date(2024, 8, 31)),  # made on 31 August 2024: its six years ended the day before
        (date(2030, 3, 1), date(2024, 3, 1)),
        (date(2030, 2, 28), date(2024, 2, 28)),
        (date(2032, 2, 29), date(2026, 2, 28)),
    ],
)
def test_six_years_begin_with_the_day_of_the_entry(today: date, first: date) -> None:
    assert first_day_kept(today, REGISTER_ENTRY_YEARS) == first


@given(st.dates(date(2024, 1, 1), date(2090, 1, 1)), st.integers(1, 50))
def test_no_day_is_due_early_and_none_comes_back(today: date, years: int) -> None:
    first = first_day_kept(today, years)
    assert first.year == today.year - years
    assert first_day_kept(date.fromordinal(today.toordinal() + 1), years) >= first
