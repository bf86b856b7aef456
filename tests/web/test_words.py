"""Values as screens show them: dates, times, percentages, numbers and register codes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction

import pytest

from portal.rules.codes import CODES
from portal.web import formats


def test_days_are_written_as_staff_read_them() -> None:
    assert formats.long_date(date(2026, 9, 7)) == "Monday 7 September 2026"
    assert formats.short_date(date(2026, 9, 7)) == "7 Sep 2026"
    assert formats.long_date(datetime(2026, 6, 30, 23, 30, tzinfo=UTC)) == "Wednesday 1 July 2026"


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (time(9, 5), "9:05am"),
        (time(0, 0), "midnight"),
        (time(12, 0), "midday"),
        (time(12, 1), "12:01pm"),
        (time(0, 30), "12:30am"),
        (time(15, 0), "3:00pm"),
        (datetime(2026, 7, 1, 8, 5, tzinfo=UTC), "9:05am"),
        (datetime(2026, 12, 1, 9, 5, tzinfo=UTC), "9:05am"),
    ],
)
def test_times_are_written_as_staff_read_them(at: time | datetime, expected: str) -> None:
    assert formats.clock_time(at) == expected


def test_a_moment_has_its_time_and_day() -> None:
    assert formats.date_and_time(datetime(2026, 9, 7, 8, 5, tzinfo=UTC)) == "9:05am on Monday 7 September 2026"


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.9345, "93.5%"),
        (Fraction(1, 16), "6.3%"),
        (0.0625, "6.3%"),
        (Decimal("0.9344"), "93.4%"),
        (1, "100.0%"),
        (None, "no data"),
    ],
)
def test_percentages_are_rounded_half_up(share: float | None, expected: str) -> None:
    assert formats.percentage(share) == expected


def test_a_rate_is_in_percent_already() -> None:
    assert formats.rate(Fraction(9345, 100)) == "93.5%"
    assert formats.rate(None) == "no data"
    assert formats.FILTERS["rate"] is formats.rate


def test_points_have_no_sign_and_one_point_is_singular() -> None:
    assert formats.percentage_points(-0.021) == "2.1 percentage points"
    assert formats.percentage_points(0.01) == "1.0 percentage point"
    assert formats.percentage_points(None) == "no data"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), Decimal("nan")])
def test_a_number_that_is_none_is_not_formatted(number: float | Decimal) -> None:
    with pytest.raises((ValueError, OverflowError)):
        formats.rate(number)


def test_numbers_have_commas_and_nouns_agree() -> None:
    assert formats.with_commas(1234567) == "1,234,567"
    assert formats.with_commas(1234.25, 1) == "1,234.3"
    assert formats.with_commas(None) == "no data"
    assert [formats.plural(count, "pupil") for count in (0, 1, 2, 1200)] == ["0 pupils", "1 pupil", "2 pupils", "1,200 pupils"]
    assert formats.plural(3, "person", "people") == "3 people"
    assert [formats.noun(count, "person", "people") for count in (0, 1, 2)] == ["people", "person", "people"]


@pytest.mark.parametrize(
    ("count", "expected"), [(1, "1 byte"), (999, "999 bytes"), (40_400, "40 KB"), (1_250_000, "1.3 MB"), (2_000_000_000, "2.0 GB")]
)
def test_file_sizes_have_units(count: int, expected: str) -> None:
    assert formats.file_size(count) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("O", "code O, unauthorised absence"),
        ("I", "code I, authorised absence"),
        ("/", "present"),
        ("\\", "present"),
        ("L", "code L, present"),
        ("#", "code #, not counted"),
        ("Z9", "code Z9, not a register code"),
        (None, "no mark"),
        ("", "no mark"),
    ],
)
def test_a_code_is_read_out_with_its_category(code: str | None, expected: str) -> None:
    assert formats.spoken_code(code) == expected


@pytest.mark.parametrize(
    ("group", "expected"),
    [("R", "Reception"), ("N2", "Nursery (N2)"), ("1", "Year 1"), ("13", "Year 13"), ("M", "Year group M"), ("", ""), (None, "")],
)
def test_a_year_group_is_in_words(group: str | None, expected: str) -> None:
    assert formats.year_group_in_words(group) == expected


def test_every_code_has_words_and_a_style() -> None:
    for code in CODES:
        assert formats.spoken_code(code) == formats.spoken_code(code.letters)
        assert formats.code_meaning(code) == code.meaning
        assert formats.mark_class(code).startswith("portal-mark--")
    assert {formats.mark_class(None), formats.mark_class("nothing")} == {"portal-mark--none"}
