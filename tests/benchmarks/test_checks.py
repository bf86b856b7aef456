"""The checks can fail: each identity broken by one session, each impossible total, each doubled file is caught by row."""

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

YEAR = next(one for one in bundled_releases() if one.file == "daily_year_to_date_2025_26.csv.gz")


@pytest.fixture(scope="module")
def figures() -> pd.DataFrame:
    """The figures of 2025/26, which are right."""
    return read_release(YEAR.content(), data_to=YEAR.data_to).figures


def test_right_figures_have_no_problem(figures: pd.DataFrame) -> None:
    """The guard is quiet on what was published."""
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
@pytest.mark.parametrize("by", [1, -1])
def test_one_session_out_is_seen(figures: pd.DataFrame, column: str, sentence: str, by: int) -> None:
    """In one row of 647, by one session."""
    row = figures.index[figures["level"] == NATIONAL][0]
    broken = figures.copy()
    broken.loc[row, column] += by
    found = [one for one in checks.problems(broken, DAILY) if one.sentence == sentence]
    assert [one.row for one in found] == [row]
    assert found[0].value == f"{broken.loc[row, column]:,.0f}"


def test_authorised_absence_may_exceed_its_reasons_and_never_fall_short(figures: pd.DataFrame) -> None:
    """51 rows hold a code that is not listed; none holds fewer than are."""
    row = int(figures.index[0])
    more, fewer = figures.copy(), figures.copy()
    more.loc[row, "code C"] -= 100
    fewer.loc[row, "code C"] += 5000
    assert checks.problems(more, DAILY) == []
    assert "is less than the sum of its reasons" in str(checks.problems(fewer, DAILY)[0])


def times(figures: pd.DataFrame, rows: pd.Series, by: int, *also: str) -> pd.DataFrame:
    """The figures with every count of some rows multiplied: each row still right in itself."""
    counts = [one for one in figures if one in checks.COUNTED or str(one).startswith("code ") or one in also]
    more = figures.copy()
    more.loc[rows, counts] *= by
    return more


def test_a_doubled_national_row_is_seen(figures: pd.DataFrame) -> None:
    """Early 2023: rows counted twice kept every identity, and gave pupils more sessions than there were school days."""
    england = figures["level"] == NATIONAL
    found = checks.problems(times(figures, england, 2), DAILY)
    assert {one.row for one in found} == set(figures.index[england])
    assert all("counts some rows twice" in one.sentence for one in found)


def test_a_national_row_apart_from_its_authorities_is_seen(figures: pd.DataFrame) -> None:
    """Doubled with its enrolments, so that nothing but the authorities' sum gives it away."""
    doubled = times(figures, figures["level"] == NATIONAL, 2, "enrolments")
    found = [str(one) for one in checks.problems(doubled, DAILY)]
    assert len(found) == 4
    assert found[0].startswith("Primary schools: England has 2,598,158,728 possible sessions and its authorities together 1,301,")


def test_a_percentage_that_does_not_follow_is_seen(figures: pd.DataFrame) -> None:
    """Columns out of step: the percentage published beside the counts is another's."""
    shifted = figures.copy()
    shifted["rate absence"] = shifted["rate absence"].shift(1)
    assert any("does not give the percentage published beside it" in str(one) for one in checks.problems(shifted, DAILY))


def test_severe_absence_is_within_persistent_absence_within_enrolments(figures: pd.DataFrame) -> None:
    """Persistent absence includes severe absence."""
    rows = figures.head(2).assign(pa_count=[10, 10_000_000], sa_count=[11, 5])
    found = [str(one) for one in checks.problems(rows, DAILY)]
    assert any("severely absent: “11” is more than persistently absent" in one for one in found)
    assert any("persistently absent: “10,000,000” is more than enrolments" in one for one in found)


def test_nothing_is_said_of_rows_without_numbers(figures: pd.DataFrame) -> None:
    """A suppressed row breaks no identity."""
    hidden = figures[figures["status"] != "published"]
    assert len(hidden) == 4
    assert checks.problems(hidden, DAILY) == []


def test_the_span_of_a_year_to_date_decides_what_is_possible(figures: pd.DataFrame) -> None:
    """The same sessions by February would be impossible."""
    early = figures.assign(last_day=date(2026, 2, 6))
    assert set(early["period_kind"]) == {YEAR_TO_DATE}
    assert any("could have had" in str(one) for one in checks.problems(early, DAILY))


def test_a_changed_box_is_refused() -> None:
    """What is shipped is told by its hash."""
    assert replace(YEAR, sha256="0" * 64).sha256 != read_release(YEAR.content()).sha256
