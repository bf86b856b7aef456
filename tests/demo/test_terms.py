"""Term dates as English schools keep them, in years of early and late Easters."""

from __future__ import annotations

import itertools
from datetime import date
from typing import TYPE_CHECKING

import pytest

from demo.terms import authority_terms, calendar_from, calendar_of, own_terms
from portal.rules.bank_holidays import bank_holidays

if TYPE_CHECKING:
    from demo.plans import Plan


@pytest.mark.parametrize("year", range(2020, 2040))
def test_an_authority_sets_195_days_in_six_half_terms(year: int) -> None:
    terms, closed = authority_terms(year)
    calendar = calendar_from(terms, closed)
    assert len(calendar.school_days()) == 195
    assert len(calendar.half_terms()) == len(terms) == 6
    assert not set(calendar.school_days()) & (bank_holidays(year) | bank_holidays(year + 1))
    assert all(before.last_day < after.first_day for before, after in itertools.pairwise(terms))


def test_2025_26_matches_the_dates_of_a_real_authority() -> None:
    terms, closed = authority_terms(2025)
    assert [(term.first_day, term.last_day) for term in terms] == [
        (date(2025, 9, 1), date(2025, 10, 24)),
        (date(2025, 11, 3), date(2025, 12, 19)),
        (date(2026, 1, 5), date(2026, 2, 13)),
        (date(2026, 2, 23), date(2026, 3, 27)),
        (date(2026, 4, 13), date(2026, 5, 22)),
        (date(2026, 6, 1), date(2026, 7, 20)),
    ]
    assert [holiday.first_day for holiday in closed] == [date(2026, 5, 4)]


def test_an_early_easter_falls_inside_term() -> None:
    terms, _ = authority_terms(2026)
    assert terms[3].last_day == date(2027, 3, 25)
    assert terms[4].first_day == date(2027, 4, 12)


def test_schools_meet_190_days_less_a_polling_day(plan: Plan) -> None:
    for school in plan.schools:
        polling = [
            closure
            for closure in plan.closed
            if closure.urn == school.urn and closure.name == "Polling day" and closure.first_day.year == 2026
        ]
        days = calendar_of(plan.terms, plan.closed, school.urn, 2025).school_days()
        assert len(days) == 190 - len(polling)
    assert any(closure.name == "Polling day" for closure in plan.closed)


def test_one_school_takes_half_term_a_week_early(plan: Plan) -> None:
    all_through = next(school for school in plan.schools if school.phase == "all-through")
    early = calendar_of(plan.terms, plan.closed, all_through.urn, 2026)
    usual = calendar_of(plan.terms, plan.closed, plan.schools[0].urn, 2026)
    assert not early.is_school_day(date(2026, 10, 20))
    assert usual.is_school_day(date(2026, 10, 20))
    assert early.is_school_day(date(2026, 10, 28))
    assert not usual.is_school_day(date(2026, 10, 28))
    assert len(own_terms(all_through, 2026)) == 6
