"""Comparisons the portal rejects, each with its sentence, and those it allows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.benchmarks.domain.comparisons import Comparable, comparable, low_response_note, why_not_comparable
from portal.benchmarks.domain.figures import (
    ACCREDITED,
    DAILY,
    PHASES,
    WEEK,
    YEAR,
    YEAR_TO_DATE,
    Benchmark,
    by_period,
    week_span_text,
)
from portal.rules.date_words import dates_in_words

THIS_YEAR = Comparable(DAILY, "secondary", YEAR_TO_DATE, 2025, date(2025, 9, 8), date(2026, 7, 10))
WEEK_41 = Comparable(DAILY, "secondary", WEEK, 2025, date(2025, 10, 6), date(2025, 10, 10))


@pytest.mark.parametrize(
    ("first", "second", "measure", "sentence"),
    [
        (THIS_YEAR, replace(THIS_YEAR, series=ACCREDITED), "absence", "cover different schools and days"),
        (THIS_YEAR, replace(THIS_YEAR, phase="total"), "absence", "compare one phase"),
        (THIS_YEAR, replace(THIS_YEAR, academic_year=2021), "absence", "2020/21 and 2021/22 count COVID sessions"),
        (
            replace(THIS_YEAR, phase="total"),
            replace(THIS_YEAR, phase="total", academic_year=2024),
            "absence",
            "until 2024/25 and are a sum",
        ),
        (WEEK_41, WEEK_41, "persistent", "not meaningful for a week"),
        (THIS_YEAR, replace(THIS_YEAR, last_day=date(2025, 10, 24)), "persistent", "over the same days only"),
    ],
)
def test_a_misleading_comparison_is_rejected_with_a_reason(
    first: Comparable, second: Comparable, measure: str, sentence: str
) -> None:
    """In either order."""
    assert sentence in str(why_not_comparable(first, second, measure))
    assert sentence in str(why_not_comparable(second, first, measure))


@pytest.mark.parametrize(
    ("first", "second", "measure"),
    [
        (THIS_YEAR, THIS_YEAR, "persistent"),
        (THIS_YEAR, replace(THIS_YEAR, academic_year=2024, first_day=date(2024, 9, 9), last_day=date(2025, 7, 25)), "absence"),
        (WEEK_41, WEEK_41, "absence"),
        (replace(THIS_YEAR, academic_year=2020), replace(THIS_YEAR, academic_year=2020), "absence"),
        (
            replace(THIS_YEAR, series=ACCREDITED, phase="total", academic_year=2018, period_kind=YEAR),
            replace(THIS_YEAR, series=ACCREDITED, phase="total", academic_year=2024, period_kind=YEAR),
            "absence",
        ),
    ],
)
def test_comparing_like_with_like_is_allowed(first: Comparable, second: Comparable, measure: str) -> None:
    """The accredited total is a sum in every year."""
    assert why_not_comparable(first, second, measure) is None


@given(
    st.sampled_from([DAILY, ACCREDITED]),
    st.sampled_from(list(PHASES)),
    st.integers(2015, 2030),
    st.sampled_from(["absence", "authorised"]),
)
def test_a_figure_compares_with_itself(series: str, phase: str, year: int, measure: str) -> None:
    """For any series, phase, year and measure."""
    comparison = Comparable(series, phase, YEAR_TO_DATE, year, None, None)
    assert why_not_comparable(comparison, comparison, measure) is None


def figure(**values: object) -> Benchmark:
    """One week of England's primary schools."""
    fields: dict[str, object] = dict.fromkeys(Benchmark.__dataclass_fields__)
    fields |= {
        "series": DAILY,
        "release": "R",
        "release_id": UUID(int=1),
        "published_on": date(2025, 11, 20),
        "is_copy_date": False,
        "decimal_places": 2,
        "level": "national",
        "geography": "E92000001",
        "geography_name": "England",
        "phase": "primary",
        "period_kind": WEEK,
        "academic_year": 2025,
        "week": date(2025, 10, 27),
        "first_day": date(2025, 10, 27),
        "last_day": date(2025, 10, 31),
        "status": "published",
        "total_basis": "summed",
        "possible": 16,
        "authorised": 1,
        "unauthorised": 0,
        "by_code": {},
        "rates": {},
        "symbols": {},
        "schools": Decimal(40),
        "schools_in_all": Decimal(100),
    }
    return Benchmark(**{**fields, **values})  # type: ignore[arg-type]  # the test gives every field


def test_a_week_with_few_answers_has_a_note() -> None:
    """Half term in most places."""
    assert low_response_note(figure()) == "40 of 100 schools answered for this week: it was half term in most places."
    assert low_response_note(figure(schools=Decimal(90))) is None
    assert low_response_note(figure(period_kind=YEAR_TO_DATE)) is None


def test_rates_round_half_up_as_published_labels_are() -> None:
    """6.25 is 6.3, where rounding to even gives 6.2."""
    week = figure()
    assert week.rate("absence") == Decimal("6.25")
    assert str(week.rounded("absence", 1)) == "6.3"
    assert week.rounded("unauthorised", 1) == 0
    assert week.rate("I") is None


def test_no_possible_sessions_give_no_rate() -> None:
    """Not 0 and not an error."""
    assert figure(possible=0, authorised=0).rate("absence") is None
    assert figure(possible=None, authorised=None, status="suppressed").rate("absence") is None


def test_a_published_figure_has_its_own_span() -> None:
    """A published figure is compared over its own days."""
    assert comparable(figure()) == Comparable(DAILY, "primary", WEEK, 2025, date(2025, 10, 27), date(2025, 10, 31))


def test_figures_are_arranged_by_period_and_phase() -> None:
    """For a table, in the order given."""
    arranged = by_period([figure(), figure(phase="total")])
    assert list(arranged) == ["week 44 of 2025 (27 to 31 October 2025)"]
    assert list(next(iter(arranged.values()))) == ["primary", "total"]


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (date(2025, 11, 3), date(2025, 11, 7), "3 to 7 November 2025"),
        (date(2025, 9, 29), date(2025, 10, 3), "29 September to 3 October 2025"),
        (date(2025, 9, 8), date(2026, 7, 10), "8 September 2025 to 10 July 2026"),
    ],
)
def test_spans_in_words(first: date, last: date, words: str) -> None:
    """The month and year said once where they are one."""
    assert dates_in_words(first, last) == words


def test_weeks_in_words() -> None:
    """One week is not a span."""
    assert week_span_text(date(2025, 9, 8), date(2025, 9, 8)) == "week 37"
    assert week_span_text(date(2025, 9, 8), date(2025, 11, 3)) == "weeks 37 to 45"
