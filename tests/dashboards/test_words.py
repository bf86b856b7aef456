"""The words and the chart of a comparison: a finding that can be checked, and labels that fit a narrow screen."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pandas as pd
import pytest

from dashboards.comparison import Row, sentence
from dashboards.figures import MOST_LABELS, weekly_lines

MONDAY = date(2026, 8, 31)


def _rows(*gaps: float) -> list[Row]:
    return [
        Row(MONDAY + timedelta(weeks=place), Fraction(94) + Fraction(str(gap)), 100, Fraction(94), 5, None)
        for place, gap in enumerate(gaps)
    ]


def test_the_finding_gives_the_gap_now_and_four_weeks_ago_in_percentage_points() -> None:
    told = sentence(
        Fraction("94.8"), (Fraction("94.8"), Fraction(94)), _rows(-0.8, 2, 2, 2, 1), "primary schools", "Attendance in 2026/27"
    )
    assert told == (
        "Attendance in 2026/27 is 94.8%: 0.8 percentage points above the LA average for primary schools. "
        "In the week of 28 September it was 1.0 percentage point above: a gap 1.8 higher than four school weeks earlier."
    )


def test_a_week_only_the_school_has_sent_is_in_no_gap() -> None:
    told = sentence(Fraction(90), (Fraction(95), Fraction(94)), _rows(1), "primary schools", "Attendance in 2026/27")
    assert told == (
        "Attendance in 2026/27 is 90.0%: 1.0 percentage point above the LA average for primary schools, over the weeks both have."
    )


def test_with_fewer_weeks_the_finding_says_nothing_of_a_movement() -> None:
    told = sentence(Fraction(94), (Fraction(94), Fraction(94)), _rows(0, 0, 0, 0), "special schools", "Overall absence in 2026/27")
    assert told == "Overall absence in 2026/27 is 94.0%: the same as the LA average for special schools."


def test_a_school_alone_in_its_phase_is_told_why_there_is_no_average() -> None:
    told = sentence(Fraction(70), (None, None), [], "alternative provision", "Attendance in 2026/27")
    assert told.endswith("The LA average is not shown, because too few schools of its phase have sent marks.")


@pytest.mark.parametrize("weeks", [1, 6, 13, 39])
def test_the_chart_names_its_lines_and_its_mondays(weeks: int) -> None:
    frame = pd.DataFrame({"week": [MONDAY + timedelta(weeks=one) for one in range(weeks)], "authority": [94.0] * weeks})
    figure = weekly_lines(frame, labels={"authority": "LA average, primary schools"}).to_dict()
    layout, (line,) = figure["layout"], figure["data"]
    assert (layout["showlegend"], line["name"]) == (True, "LA average, primary schools")
    step = timedelta(milliseconds=layout["xaxis"]["dtick"])
    assert layout["xaxis"]["tick0"] == MONDAY
    assert step % timedelta(weeks=1) == timedelta(0)
    assert weeks / (step / timedelta(weeks=1)) <= MOST_LABELS
