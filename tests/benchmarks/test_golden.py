"""The bundled figures against the numbers the Department published: exact to the session."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from portal.benchmarks.domain.bundled_releases import bundled_releases
from portal.benchmarks.domain.figures import AUTHORITY, NATIONAL, PHASES, PUBLISHED, REGION, SUPPRESSED, WEIGHTED
from portal.benchmarks.domain.reading import Release, read_release
from portal.rules.measures import rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

FILES = {bundled.file.removesuffix(".csv.gz"): bundled for bundled in bundled_releases()}
DAILY_FILES = [name for name in FILES if name.startswith("daily")]
THIS_YEAR = "daily_year_to_date_2025_26"


@cache
def release(name: str) -> Release:
    """Read a bundled release once for all tests."""
    bundled = FILES[name]
    return read_release(bundled.content(), published_on=bundled.published_on, data_to=bundled.data_to)


def england(name: str, phase: str = "total", **where: object) -> pd.Series:
    """England's row of a release."""
    rows = release(name).figures
    is_wanted = (rows["level"] == NATIONAL) & (rows["phase"] == phase)
    for column, value in where.items():
        is_wanted &= rows[column] == value
    assert is_wanted.sum() == 1
    return rows[is_wanted].iloc[0]


def share(part: float, total: float, decimals: int) -> Decimal:
    """A percentage, rounded half up."""
    return rounded(Fraction(100 * int(part), int(total)), decimals)


@pytest.mark.parametrize("name", FILES)
def test_every_bundled_file_is_unchanged_and_read_completely(name: str) -> None:
    """The bytes are those listed; no row is left out, and no column is unknown."""
    read = release(name)
    assert read.sha256 == FILES[name].sha256
    assert read.problems == ()
    assert (read.left_out, read.unknown_columns) == (0, ())
    assert len(read.figures) == read.rows


@pytest.mark.parametrize(
    ("measure", "sessions"),
    [
        ("attendance", 2_277_095_382),
        ("absence", 168_324_305),
        ("possible", 2_445_419_687),
        ("approved", 31_197_486),
        ("unauthorised", 57_748_222),
        ("authorised", 110_576_083),
        ("late", 51_109_933),
        ("code J", 87),
    ],
)
def test_england_2025_26_to_the_session(measure: str, sessions: int) -> None:
    """England, all schools, 8 September 2025 to 10 July 2026."""
    assert england(THIS_YEAR)[measure] == sessions


def test_authorised_absence_holds_106_sessions_of_no_listed_reason() -> None:
    """110,575,977 sessions are listed by reason; the published total is 106 more, and is kept."""
    reasons = [f"code {code}" for code in ("I", "M", "R", "S", "T", "H", "E", "C", "C1", "C2", "J1")]
    row = england(THIS_YEAR)
    assert row[reasons].sum() == 110_575_977
    assert row["authorised"] - row[reasons].sum() == 106


def test_attendance_is_93_11675_per_cent() -> None:
    """Approved educational activity is attendance."""
    row = england(THIS_YEAR)
    assert share(row["attendance"], row["possible"], 5) == Decimal("93.11675")


def test_rows_and_suppressed_rows_of_2025_26() -> None:
    """Four of 647 rows are suppressed: City of London and the Isles of Scilly, each with its total."""
    rows = release(THIS_YEAR).figures
    assert (rows["status"].eq(PUBLISHED).sum(), rows["status"].eq(SUPPRESSED).sum()) == (643, 4)
    hidden = rows[rows["status"] == SUPPRESSED]
    assert set(zip(hidden["geography"], hidden["phase"], strict=True)) == {
        ("201", "primary"),
        ("201", "total"),
        ("420", "secondary"),
        ("420", "total"),
    }


@pytest.mark.parametrize(
    ("phase", "absence", "unauthorised", "illness", "persistent"),
    [
        ("primary", "5.277", "1.547", "2.786", "13.77"),
        ("secondary", "8.490", "3.269", "3.627", "23.77"),
        ("special", "13.169", "3.600", "5.019", "36.06"),
        ("total", "6.883", "2.361", "3.210", "18.78"),
    ],
)
def test_rates_of_2025_26(phase: str, absence: str, unauthorised: str, illness: str, persistent: str) -> None:
    """Sums over sums, rounded half up."""
    row = england(THIS_YEAR, phase)
    assert [str(share(row[column], row["possible"], 3)) for column in ("absence", "unauthorised", "code I")] == [
        absence,
        unauthorised,
        illness,
    ]
    assert str(rounded(Fraction(Decimal(row["rate persistent"])), 2)) == persistent


@pytest.mark.parametrize(
    ("code", "phase", "absence", "persistent"),
    [
        ("383", "primary", "5.44", "14.96"),
        ("383", "secondary", "8.84", "23.81"),
        ("936", "primary", "4.92", "11.48"),
        ("926", "secondary", "9.16", "24.51"),
        ("850", "primary", "4.83", "11.20"),
        ("336", "secondary", "7.71", "22.22"),
    ],
)
def test_rates_of_authorities(code: str, phase: str, absence: str, persistent: str) -> None:
    """Leeds, Surrey, Norfolk, Hampshire and Wolverhampton, by three-digit code."""
    rows = release(THIS_YEAR).figures
    row = rows[(rows["geography"] == code) & (rows["phase"] == phase)].iloc[0]
    assert str(share(row["absence"], row["possible"], 2)) == absence
    assert str(rounded(Fraction(Decimal(row["rate persistent"])), 2)) == persistent


def test_all_schools_were_weighted_to_2024_25_and_are_summed_since() -> None:
    """2024/25 is published as 6.8701916, weighted by census (pooled: 6.8797); 2025/26 as 6.88325, pooled."""
    before, since = england("daily_year_to_date_2024_25"), england(THIS_YEAR)
    assert before["total_basis"] == WEIGHTED != since["total_basis"]
    assert rounded(Fraction(Decimal(before["rate absence"])), 7) == Decimal("6.8701916")
    assert share(before["absence"], before["possible"], 4) == Decimal("6.8797")
    assert (
        rounded(Fraction(Decimal(since["rate absence"])), 5) == share(since["absence"], since["possible"], 5) == Decimal("6.88325")
    )


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("daily_year_to_date_2022_23", ("5.97", "9.31", "13.07", "7.53")),
        ("daily_year_to_date_2023_24", ("5.53", "9.06", "13.00", "7.21")),
        ("daily_year_to_date_2024_25", ("5.25", "8.59", "12.88", "6.87")),
    ],
)
def test_absence_of_earlier_years(name: str, rates: Sequence[str]) -> None:
    """Whole years of the daily series by phase, all schools last."""
    computed = [str(rounded(Fraction(Decimal(england(name, phase)["rate absence"])), 2)) for phase in PHASES]
    assert computed == list(rates)


def test_dual_registered_sessions_are_outside_every_total() -> None:
    """4.4 million D sessions of secondary schools in 2022/23 are in neither approved activity nor possible sessions."""
    row = england("daily_year_to_date_2022_23", "secondary")
    assert 4_350_000 < row["code D"] < 4_450_000
    assert row["approved"] == row[["code B", "code J", "code P", "code V", "code W"]].sum()
    assert row["possible"] == row["attendance"] + row["absence"]


@pytest.mark.parametrize("name", DAILY_FILES)
def test_the_identities_of_the_daily_series_hold_in_every_row(name: str) -> None:
    """Possible, attendance, present, absence, unauthorised and late are the sums of their parts."""
    rows = release(name).figures
    rows = rows[rows["status"] == PUBLISHED]
    gaps = pd.DataFrame(
        {
            "possible": rows["possible"] - rows["attendance"] - rows["absence"],
            "attendance": rows["attendance"] - rows["present"] - rows["approved"],
            "present": rows["present"] - rows["code /"] - rows["code \\"] - rows["code L"],
            "absence": rows["absence"] - rows["authorised"] - rows["unauthorised"],
            "unauthorised": rows["unauthorised"] - rows[["code G", "code U", "code O", "code N"]].sum(axis=1),
            "late": rows["late"] - rows["code L"] - rows["code U"],
        }
    )
    assert (gaps == 0).all().all()


@pytest.mark.parametrize(
    ("week", "rate"),
    [(37, "4.75"), (38, "5.76"), (39, "5.99"), (40, "6.01"), (41, "5.69"), (42, "6.06"), (43, "7.33"), (45, "6.09")],
)
def test_weeks_of_autumn_2025(week: int, rate: str) -> None:
    """England, all schools, as at 20 November 2025."""
    monday = pd.Timestamp.fromisocalendar(2025, week, 1).date()
    row = england("daily_weekly_2025_26", week=monday)
    assert str(share(row["absence"], row["possible"], 2)) == rate


def test_the_half_term_weeks_rest_on_few_authorities() -> None:
    """Week 44 is four authorities and no national row; eleven have nothing in week 43."""
    rows = release("daily_weekly_2025_26").figures
    by_week = {monday.isocalendar()[1]: of_week for monday, of_week in rows.groupby("week")}
    assert sorted(by_week[44]["geography_name"].unique()) == ["Kent", "Leicester", "Leicestershire", "Medway"]
    assert set(by_week[44]["level"]) == {AUTHORITY}
    missing = set(by_week[42]["geography_name"]) - set(by_week[43]["geography_name"])
    assert len(missing) == 11
    assert "Rutland" in missing


def test_authorities_exceed_england_by_the_half_term_weeks() -> None:
    """The national file leaves staggered half terms out: 0.19, 0.16, 0.23 and 0.18 per cent."""
    rows = release(THIS_YEAR).figures
    sums = rows[rows["level"] == AUTHORITY].groupby("phase")["possible"].sum()
    excess = [
        str(share(sums[phase] - england(THIS_YEAR, phase)["possible"], england(THIS_YEAR, phase)["possible"], 2))
        for phase in PHASES
    ]
    assert excess == ["0.19", "0.16", "0.23", "0.18"]


# The accredited series

ANNUAL, TERMLY = "accredited_annual", "accredited_termly"


@pytest.mark.parametrize(
    ("phase", "absence", "persistent", "severe", "enrolments", "possible"),
    [
        ("primary", "5.198", "12.99", "0.93", 3_890_781, 1_400_029_874),
        ("secondary", "8.436", "23.37", "3.88", 3_348_969, 1_152_567_123),
        ("special", "12.763", "35.26", "6.91", 148_400, 52_068_906),
        ("total", "6.782", "18.14", "2.39", 7_388_150, 2_604_665_903),
    ],
)
def test_the_accredited_year_2024_25(
    phase: str, absence: str, persistent: str, severe: str, enrolments: int, possible: int
) -> None:
    """Rates from counts: absence of sessions, persistent and severe absence of enrolments."""
    row = england(ANNUAL, phase, academic_year=2024)
    assert (row["enrolments"], row["possible"]) == (enrolments, possible)
    assert str(share(row["absence"], row["possible"], 3)) == absence
    assert [str(share(row[column], row["enrolments"], 2)) for column in ("pa_count", "sa_count")] == [persistent, severe]


@pytest.mark.parametrize(
    ("term", "rates"),
    [("Autumn", ("6.38", "17.79", "2.04")), ("Spring", ("6.92", "20.06", "2.24")), ("Summer", ("7.15", "21.72", "2.55"))],
)
def test_the_accredited_terms_of_2024_25(term: str, rates: Sequence[str]) -> None:
    """Absence, persistent and severe, all schools."""
    row = england(TERMLY, academic_year=2024, term=term)
    computed = (
        share(row["absence"], row["possible"], 2),
        share(row["pa_count"], row["enrolments"], 2),
        share(row["sa_count"], row["enrolments"], 2),
    )
    assert tuple(str(rate) for rate in computed) == rates


def test_2018_19_adds_up_without_a_session_over() -> None:
    """2,522,300,237 sessions: every authority, region and phase adds to England exactly."""
    rows = release(ANNUAL).figures
    year = rows[rows["academic_year"] == 2018]
    assert england(ANNUAL, academic_year=2018)["possible"] == 2_522_300_237
    counts = ["possible", "absence", "authorised", "unauthorised"]
    for level in (AUTHORITY, REGION, NATIONAL):
        by_phase = year[(year["level"] == level) & (year["phase"] != "total")][counts].sum()
        all_schools = year[(year["level"] == level) & (year["phase"] == "total")][counts].sum()
        assert (by_phase == england(ANNUAL, academic_year=2018)[counts]).all(), level
        assert (all_schools == by_phase).all(), level


def test_accredited_percentages_follow_from_their_counts() -> None:
    """The largest gap between the percentage in the file and the counts is 0.000005 points."""
    rows = release(ANNUAL).figures
    gap = (pd.to_numeric(rows["rate absence"]) - 100 * rows["absence"] / rows["possible"]).abs().max()
    assert gap <= 0.0000051


@pytest.mark.parametrize(("phase", "rate"), [("primary", "16.21"), ("secondary", "26.52"), ("special", "38.33")])
def test_persistent_absence_2022_23(phase: str, rate: str) -> None:
    """As the published bands of 10% and over add up to."""
    row = england(ANNUAL, phase, academic_year=2022)
    assert str(share(row["pa_count"], row["enrolments"], 2)) == rate


def test_the_two_series_differ() -> None:
    """6.87 and 6.78 for one year: this is why they are never mixed."""
    assert str(rounded(Fraction(Decimal(england("daily_year_to_date_2024_25")["rate absence"])), 2)) == "6.87"
    row = england(ANNUAL, academic_year=2024)
    assert str(share(row["absence"], row["possible"], 2)) == "6.78"
