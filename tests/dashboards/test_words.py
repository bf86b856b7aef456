"""The finding of a comparison in words, and the labels of its chart."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.comparison import Row
from dashboards.comparison_words import gap_between, movement_words, sentence
from dashboards.figures import MOST_LABELS, weekly_lines
from portal.rules.session_counts import rounded

MONDAY = date(2026, 8, 31)


def _rows(*gaps: float) -> list[Row]:
    return [
        Row(MONDAY + timedelta(weeks=number), Fraction(94) + Fraction(str(gap)), 100, Fraction(94), 5, None)
        for number, gap in enumerate(gaps)
    ]


def test_the_finding_gives_the_gap_now_and_four_weeks_ago_in_percentage_points() -> None:
    finding = sentence(
        Fraction("94.8"), (Fraction("94.8"), Fraction(94)), _rows(-0.8, 2, 2, 2, 1), "primary schools", "Attendance in 2026/27"
    )
    assert finding == (
        "Attendance in 2026/27 is 94.8%: 0.8 percentage points above the LA average for primary schools. "
        "In the week of 28 September it was 1.0 percentage point above. "
        "Over four school weeks, it went from 0.8 percentage points below to 1.0 percentage point above."
    )


@pytest.mark.parametrize(
    ("earlier", "now", "words"),
    [
        ("-1.0", "-5.4", "the gap has widened from 1.0 to 5.4 percentage points"),
        ("-5.4", "-1.0", "the gap has narrowed from 5.4 to 1.0 percentage point"),
        ("1.0", "5.4", "the gap has widened from 1.0 to 5.4 percentage points"),
        ("5.4", "1.1", "the gap has narrowed from 5.4 to 1.1 percentage points"),
        ("-1.0", "5.4", "it went from 1.0 percentage point below to 5.4 percentage points above"),
        ("5.4", "-1.0", "it went from 5.4 percentage points above to 1.0 percentage point below"),
        ("0.0", "-0.3", "it went from the same to 0.3 percentage points below"),
        ("-0.3", "0.0", "the gap of 0.3 percentage points has closed"),
        ("0.0", "0.0", "the gap has not changed"),
        ("-0.3", "-0.3", "the gap has not changed"),
    ],
)
def test_the_movement_of_a_gap_in_every_crossing(earlier: str, now: str, words: str) -> None:
    assert movement_words(Decimal(earlier), Decimal(now)) == words


RATES = st.fractions(min_value=0, max_value=100, max_denominator=400)


@given(RATES, RATES, RATES, RATES)
def test_the_words_of_a_movement_agree_with_the_figures_on_the_page(
    school_then: Fraction, average_then: Fraction, school: Fraction, average: Fraction
) -> None:
    earlier, now = gap_between(school_then, average_then), gap_between(school, average)
    words = movement_words(earlier, now)
    assert now == Decimal(str(rounded(school, 1))) - Decimal(str(rounded(average, 1)))
    assert ("widened" in words) == (earlier * now > 0 and abs(now) > abs(earlier))
    assert ("narrowed" in words) == (earlier * now > 0 and abs(now) < abs(earlier))
    assert ("closed" in words) == (now == 0 != earlier)
    assert ("has not changed" in words) == (earlier == now)
    if "it went from" in words:
        assert ("above" in words.split(" to ")[-1]) == (now > 0)


def test_the_finding_says_when_its_gap_is_over_common_weeks_only() -> None:
    finding = sentence(Fraction(90), (Fraction(95), Fraction(94)), _rows(1), "primary schools", "Attendance in 2026/27")
    assert finding == (
        "Attendance in 2026/27 is 90.0%: 1.0 percentage point above the LA average for primary schools in the weeks both have."
    )


def test_with_fewer_weeks_the_finding_gives_no_change_of_the_gap() -> None:
    finding = sentence(
        Fraction(94), (Fraction(94), Fraction(94)), _rows(0, 0, 0, 0), "special schools", "Overall absence in 2026/27"
    )
    assert finding == "Overall absence in 2026/27 is 94.0%: the same as the LA average for special schools."


def test_the_finding_says_why_a_school_alone_in_its_phase_has_no_average() -> None:
    finding = sentence(Fraction(70), (None, None), [], "alternative provision", "Attendance in 2026/27")
    assert finding.endswith("The LA average is not shown, because too few schools of its phase have sent marks.")


@pytest.mark.parametrize("weeks", [1, 6, 13, 39])
def test_the_chart_names_its_lines_and_its_mondays(weeks: int) -> None:
    frame = pd.DataFrame({"week": [MONDAY + timedelta(weeks=number) for number in range(weeks)], "authority": [94.0] * weeks})
    figure = weekly_lines(frame, labels={"authority": "LA average, primary schools"}).to_dict()
    layout, (line,) = figure["layout"], figure["data"]
    assert (layout["showlegend"], line["name"]) == (True, "LA average, primary schools")
    step = timedelta(milliseconds=layout["xaxis"]["dtick"])
    assert layout["xaxis"]["tick0"] == MONDAY
    assert step % timedelta(weeks=1) == timedelta(0)
    assert weeks / (step / timedelta(weeks=1)) <= MOST_LABELS
