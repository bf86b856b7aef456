"""The checks can fail: broken identities, impossible totals and doubled files are found by row."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from portal.benchmarks.domain import checks
from portal.benchmarks.domain.bundled_releases import bundled_releases
from portal.benchmarks.domain.figures import DAILY, NATIONAL, YEAR_TO_DATE
from portal.benchmarks.domain.reading import read_release

if TYPE_CHECKING:
    import pandas as pd

YEAR = next(bundled for bundled in bundled_releases() if bundled.file == "daily_year_to_date_2025_26.csv.gz")


@pytest.fixture(scope="module")
def figures() -> pd.DataFrame:
    """The figures of 2025/26, which are right."""
    return read_release(YEAR.content(), data_to=YEAR.data_to).figures


def test_right_figures_have_no_problem(figures: pd.DataFrame) -> None:
    """The checks find nothing in what was published."""
    assert checks.problems(figures, DAILY) == []


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ("possible", "is not the sum of overall attendance and overall absence"),
        ("attendance", "is not the sum of present sessions and approved educational activity"),
        ("present", "is not the sum of /, \\ and L"),
        ("approved", "is not the sum of B, J, P, V, W and K"),
        ("absence", "is not the sum of authorised absence and unauthorised absence"),
        ("unauthorised", "is not the sum of G, U, O and N"),
        ("late", "is not the sum of L and U"),
    ],
)
@pytest.mark.parametrize("change", [1, -1])
def test_one_session_too_many_or_too_few_is_found(figures: pd.DataFrame, column: str, sentence: str, change: int) -> None:
    """In one row of 647, by one session."""
    row = figures.index[figures["level"] == NATIONAL][0]
    broken = figures.copy()
    broken.loc[row, column] += change
    problems = [problem for problem in checks.problems(broken, DAILY) if problem.sentence == sentence]
    assert [problem.row for problem in problems] == [row]
    assert problems[0].value == f"{broken.loc[row, column]:,.0f}"


def test_authorised_absence_may_exceed_its_reasons_and_never_fall_short(figures: pd.DataFrame) -> None:
    """51 rows hold a code that is not listed; no row holds fewer sessions than are listed."""
    row = int(figures.index[0])
    with_smaller_reason, with_larger_reason = figures.copy(), figures.copy()
    with_smaller_reason.loc[row, "code C"] -= 100
    with_larger_reason.loc[row, "code C"] += 5000
    assert checks.problems(with_smaller_reason, DAILY) == []
    assert "is less than the sum of its reasons" in str(checks.problems(with_larger_reason, DAILY)[0])


def times(figures: pd.DataFrame, rows: pd.Series, factor: int, *extra_columns: str) -> pd.DataFrame:
    """The figures with every count of some rows multiplied: each row still right in itself."""
    counts = [
        column for column in figures if column in checks.ROW_COUNTS or str(column).startswith("code ") or column in extra_columns
    ]
    multiplied = figures.copy()
    multiplied.loc[rows, counts] *= factor
    return multiplied


def test_a_doubled_national_row_is_found(figures: pd.DataFrame) -> None:
    """Early 2023: rows counted twice met every identity, but had more sessions than there were school days."""
    england = figures["level"] == NATIONAL
    problems = checks.problems(times(figures, england, 2), DAILY)
    assert {problem.row for problem in problems} == set(figures.index[england])
    assert all("counts some rows twice" in problem.sentence for problem in problems)


def test_a_national_row_unlike_its_authorities_is_found(figures: pd.DataFrame) -> None:
    """Enrolments are doubled too, so that only the authorities' sum shows it."""
    doubled = times(figures, figures["level"] == NATIONAL, 2, "enrolments")
    problems = [str(problem) for problem in checks.problems(doubled, DAILY)]
    assert len(problems) == 4
    assert problems[0].startswith(
        "Primary schools: England has 2,598,158,728 possible sessions and its authorities together 1,301,"
    )


def test_a_percentage_that_does_not_match_its_counts_is_found(figures: pd.DataFrame) -> None:
    """Columns out of step: the percentage beside the counts belongs to another row."""
    shifted = figures.copy()
    shifted["rate absence"] = shifted["rate absence"].shift(1)
    assert any("does not give the percentage published beside it" in str(problem) for problem in checks.problems(shifted, DAILY))


def test_severe_absence_is_within_persistent_absence_within_enrolments(figures: pd.DataFrame) -> None:
    """Persistent absence includes severe absence."""
    rows = figures.head(2).assign(pa_count=[10, 10_000_000], sa_count=[11, 5])
    problems = [str(problem) for problem in checks.problems(rows, DAILY)]
    assert any("severely absent: “11” is more than persistently absent" in text for text in problems)
    assert any("persistently absent: “10,000,000” is more than enrolments" in text for text in problems)


def test_rows_without_numbers_have_no_problem(figures: pd.DataFrame) -> None:
    """A suppressed row breaks no identity."""
    hidden = figures[figures["status"] != "published"]
    assert len(hidden) == 4
    assert checks.problems(hidden, DAILY) == []


def test_the_span_of_a_year_to_date_decides_what_is_possible(figures: pd.DataFrame) -> None:
    """The same sessions by February would be impossible."""
    early = figures.assign(last_day=date(2026, 2, 6))
    assert set(early["period_kind"]) == {YEAR_TO_DATE}
    assert any("could have had" in str(problem) for problem in checks.problems(early, DAILY))


def test_a_changed_hash_does_not_match_the_bundled_file() -> None:
    """A bundled file is identified by its hash."""
    assert replace(YEAR, sha256="0" * 64).sha256 != read_release(YEAR.content()).sha256
