"""Tallies, rates, the two lines of absence, DfE's populations, and headroom against brute force."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.calendar import Calendar
from portal.rules.codes import CODES, CODES_BY_SYMBOL
from portal.rules.headroom import headroom, remaining_sessions
from portal.rules.measures import (
    PERSISTENT,
    SEVERE,
    Line,
    Population,
    SessionCounts,
    absence_of,
    headline_counts,
    is_in_headline,
    is_persistently_absent,
    is_severely_absent,
    population,
    rounded,
    severity_band,
)

if TYPE_CHECKING:
    from portal.rules.calendar import Session

code_lists = st.lists(st.sampled_from([code.letters for code in CODES]), max_size=60)
counts = st.integers(0, 400)
MAY = date(2026, 5, 22)


def test_one_mark_of_every_code_is_counted_by_class() -> None:
    counts = SessionCounts.of_codes([code.letters for code in CODES])
    assert counts.present == 3
    assert counts.approved == 6
    assert counts.authorised == 12
    assert counts.unauthorised == 4
    assert counts.possible == 25
    assert counts.not_possible == 11
    assert counts.late == 2


def test_sessions_that_are_not_possible_are_in_no_rate() -> None:
    counts = SessionCounts.of([CODES_BY_SYMBOL[symbol].byte for symbol in ("D", "X", "Q", "Y", "Y4", "Z", "#")] + [0, 0])
    assert counts.possible == 0
    assert counts.missing == 4
    assert dict(counts.counts).keys() & {CODES_BY_SYMBOL[symbol].byte for symbol in ("Z", "#")} == set()
    assert counts.attendance is None
    assert "no possible sessions" in counts.sentence


def test_an_unknown_byte_is_rejected() -> None:
    with pytest.raises(ValueError, match="no codes"):
        SessionCounts.of([31])


def test_l_is_present_and_u_is_absent() -> None:
    counts = SessionCounts.of_codes(["L"] * 3 + ["U"] * 2 + ["/"] * 5)
    assert (counts.present, counts.unauthorised, counts.late_before, counts.late_after) == (8, 2, 3, 2)
    assert counts.attendance == 80
    assert counts.rate_of("U") == 20


@given(code_lists, code_lists)
def test_tallies_add_up_and_their_rates_make_100(first: list[str], second: list[str]) -> None:
    together = SessionCounts.of_codes(first) + SessionCounts.of_codes(second)
    assert together == SessionCounts.of_codes(first + second)
    if together.possible:
        attendance, absence = together.attendance, together.overall_absence
        authorised, unauthorised = together.authorised_absence, together.unauthorised_absence
        assert attendance is not None
        assert absence is not None
        assert authorised is not None
        assert unauthorised is not None
        assert attendance + absence == 100
        assert authorised + unauthorised == absence


@pytest.mark.parametrize(
    ("rate", "decimals", "expected"),
    [
        (Fraction(25, 4), 1, "6.3"),
        (Fraction(9311675, 100000), 2, "93.12"),
        (Fraction(1, 8), 2, "0.13"),
        (Fraction(0), 1, "0.0"),
        (Fraction(100), 0, "100"),
        (Fraction(624999, 100000), 1, "6.2"),
        (Fraction(5, 1000), 2, "0.01"),
        (Fraction(-1, 20), 1, "-0.1"),
        (Fraction(-25, 4), 1, "-6.3"),
        (Fraction(-1, 25), 1, "0.0"),
    ],
)
def test_rates_are_rounded_half_up(rate: Fraction, decimals: int, expected: str) -> None:
    assert str(rounded(rate, decimals)) == expected


@given(st.fractions(-100, 100), st.integers(0, 4))
def test_a_rate_is_rounded_half_away_from_zero(rate: Fraction, decimals: int) -> None:
    unit = Fraction(1, 10**decimals)
    assert -unit / 2 < Fraction(rounded(abs(rate), decimals)) - abs(rate) <= unit / 2
    assert rounded(-rate, decimals) == -rounded(rate, decimals)
    assert rounded(rate, decimals) == (Decimal(rate.numerator) / rate.denominator).quantize(
        Decimal(1).scaleb(-decimals), ROUND_HALF_UP
    )
    assert str(rounded(rate, decimals)).lstrip("0.") != "-"


def test_the_attendance_of_england_in_2025_26_is_dfes_figure() -> None:
    attendance = Fraction(100 * 2277095382, 2445419687)
    assert 2277095382 + 168324305 == 2445419687
    assert rounded(attendance, 5) == Decimal("93.11675")


@pytest.mark.parametrize(
    ("absent", "possible", "persistent", "severe"),
    [
        (10, 100, True, False),
        (9, 100, False, False),
        (19, 191, False, False),
        (1, 1, True, True),
        (50, 100, True, True),
        (49, 99, True, False),
        (49, 98, True, True),
        (0, 0, False, False),
        (0, 100, False, False),
        (38, 380, True, False),
        (37, 380, False, False),
    ],
)
def test_persistent_and_severe_absence(absent: int, possible: int, persistent: bool, severe: bool) -> None:
    assert is_persistently_absent(absent, possible) is persistent
    assert is_severely_absent(absent, possible) is severe


@given(counts, counts)
def test_severe_is_also_persistent(absent: int, attended: int) -> None:
    possible = absent + attended
    assert is_persistently_absent(absent, possible) or not is_severely_absent(absent, possible)
    assert is_persistently_absent(absent, possible) == (possible > 0 and Fraction(absent, possible) >= Fraction(1, 10))
    band = severity_band(absent, possible)
    assert (band is None) == (possible == 0)
    if band is not None:
        assert band <= Fraction(100 * absent, possible) < band + 5


def test_the_sentence_says_which_line_is_reached() -> None:
    assert "severely absent" in absence_of(SessionCounts.of_codes(["O"] * 5 + ["/"] * 5)).sentence
    assert "persistently absent" in absence_of(SessionCounts.of_codes(["I"] + ["/"] * 9)).sentence
    assert "below 10%" in absence_of(SessionCounts.of_codes(["I"] + ["/"] * 10)).sentence
    assert "no absence rate" in absence_of(SessionCounts.of_codes(["X"])).sentence


def test_populations_by_age_on_31_august() -> None:
    assert population(date(2020, 9, 1), 2025) is Population.RECEPTION
    assert population(date(2020, 8, 31), 2025) is Population.HEADLINE
    assert population(date(2009, 9, 1), 2025) is Population.HEADLINE
    assert population(date(2009, 8, 31), 2025) is Population.POST_16
    assert population(date(2021, 9, 1), 2025) is Population.NURSERY


def test_year_11_is_left_out_after_the_first_half_of_summer() -> None:
    year_11, year_10 = date(2010, 3, 10), date(2011, 3, 10)
    assert is_in_headline(year_11, MAY, MAY)
    assert not is_in_headline(year_11, MAY + timedelta(days=1), MAY)
    assert not is_in_headline(year_11, date(2026, 6, 1), MAY)
    assert is_in_headline(year_10, date(2026, 6, 1), MAY)
    slash = CODES_BY_SYMBOL["/"].byte
    marks = [(date(2026, 5, 22), slash), (date(2026, 6, 1), slash)]
    assert headline_counts(marks, year_11, MAY).possible == 1
    assert headline_counts(marks, year_10, MAY).possible == 2
    assert headline_counts(marks, date(2021, 3, 10), MAY).possible == 0


def test_a_week_across_1_september_counts_in_the_year_of_its_sunday() -> None:
    # Fifteen on 31 August 2025, and so sixteen on 31 August 2026: a Monday whose week belongs to 2026/27.
    assert is_in_headline(date(2010, 3, 10), date(2026, 5, 1), MAY)
    assert not is_in_headline(date(2010, 3, 10), date(2026, 8, 31), date(2027, 5, 28))


@given(counts, counts, st.integers(0, 60), st.sampled_from([PERSISTENT, SEVERE]))
def test_headroom_matches_brute_force(absent: int, attended: int, left: int, line: Line) -> None:
    possible = absent + attended
    first_day = date(2026, 1, 5)
    remaining: list[Session] = [(first_day + timedelta(days=offset), "AM") for offset in range(left)]
    answer = headroom(absent, possible, remaining, line)

    def is_below(missed: int, out_of: int) -> bool:
        return out_of > 0 and not line.reached(missed, out_of)

    by_year_end = [missed for missed in range(left + 1) if is_below(absent + missed, possible + left)]
    assert answer.may_miss_this_year == (max(by_year_end) if by_year_end else None)
    is_reached = line.reached(absent, possible)
    assert answer.reached is is_reached
    attended_in_a_row = [number for number in range(left + 1) if not line.reached(absent, possible + number)]
    assert answer.attend_in_a_row == (attended_in_a_row[0] if attended_in_a_row else None)
    if is_reached and attended_in_a_row:
        assert answer.below_again_on == remaining[attended_in_a_row[0] - 1]
    missed_in_a_row = [number for number in range(1, left + 1) if line.reached(absent + number, possible + number)]
    assert answer.may_miss_in_a_row == (missed_in_a_row[0] - 1 if missed_in_a_row and not is_reached else None)
    assert answer.sentence
    assert answer.facts


def test_the_headroom_sentence() -> None:
    term: list[Session] = [(date(2026, 6, 1) + timedelta(days=offset), "AM") for offset in range(50)]
    below = headroom(20, 300, term)
    assert below.may_miss_this_year == 14
    assert "14 of the 50 sessions left" in below.sentence
    above = headroom(31, 300, term)
    assert above.attend_in_a_row == 11
    assert "11 June 2026" in above.sentence
    assert "not enough sessions left" in headroom(60, 300, term).sentence
    assert "no sessions left" in headroom(0, 0, []).sentence


def test_the_remaining_sessions_end_with_the_year_or_the_leaving_date() -> None:
    calendar = Calendar.from_terms([(date(2026, 7, 13), date(2026, 7, 21)), (date(2026, 9, 2), date(2026, 10, 23))])
    assert len(remaining_sessions(calendar, date(2026, 7, 17))) == 4
    assert remaining_sessions(calendar, date(2026, 7, 17), date(2026, 7, 20))[-1] == (date(2026, 7, 20), "PM")
    assert remaining_sessions(calendar, date(2026, 8, 3)) == ()
