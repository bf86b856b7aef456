"""The code table against SI 2024/208, and what a register cell means on a day."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.codes import (
    CODES,
    CODES_BY_BYTE,
    CODES_BY_SYMBOL,
    CURRENT_CODES,
    THRESHOLD_CODES,
    Category,
    check_age,
    code_for,
    normalised,
)

BEFORE, FIRST, NOW = date(2024, 8, 18), date(2024, 8, 19), date(2025, 9, 15)
CHILD = date(2014, 3, 10)


def symbols_in(category: Category) -> set[str]:
    return {code.letters for code in CURRENT_CODES if code.category is category and not code.administrative}


def test_there_are_thirty_four_current_codes_in_their_classes() -> None:
    counts = Counter("administrative" if code.administrative else code.category.name for code in CURRENT_CODES)
    assert counts == {
        "PRESENT": 3, "APPROVED": 5, "AUTHORISED": 10, "UNAUTHORISED": 4, "NOT_POSSIBLE": 10, "administrative": 2,
    }  # fmt: skip
    assert len(CURRENT_CODES) == 34
    assert len(CODES) == 38


def test_the_classes_are_those_of_the_regulations() -> None:
    assert symbols_in(Category.PRESENT) == {"/", "\\", "L"}
    assert symbols_in(Category.APPROVED) == set("KVPWB")
    assert symbols_in(Category.AUTHORISED) == {"C1", "M", "J1", "S", "C2", "C", "T", "R", "I", "E"}
    assert symbols_in(Category.UNAUTHORISED) == set("GNOU") == THRESHOLD_CODES
    assert symbols_in(Category.NOT_POSSIBLE) == {"D", "X", "Q", *(f"Y{number}" for number in range(1, 8))}
    assert {code.letters for code in CODES if code.administrative} == {"Z", "#"}


def test_twelve_codes_began_and_four_ended_in_august_2024() -> None:
    assert {code.letters for code in CODES if code.first_day == FIRST} == {
        "C1", "C2", "J1", "K", "Q", "Y1", "Y2", "Y3", "Y4", "Y5", "Y6", "Y7",
    }  # fmt: skip
    assert {code.letters for code in CODES if code.last_day == BEFORE} == {"H", "F", "J", "Y"}
    assert all(code.legacy == (code.last_day == BEFORE) for code in CODES)


def test_legacy_codes_keep_the_class_they_counted_in() -> None:
    assert CODES_BY_SYMBOL["H"].category is CODES_BY_SYMBOL["F"].category is Category.AUTHORISED
    assert CODES_BY_SYMBOL["J"].category is Category.APPROVED
    assert CODES_BY_SYMBOL["J1"].category is Category.AUTHORISED
    assert CODES_BY_SYMBOL["Y"].category is Category.NOT_POSSIBLE


def test_bytes_contain_the_class_and_never_change() -> None:
    assert all(code.byte >> 5 == code.category for code in CODES)
    assert (CODES_BY_SYMBOL["/"].byte, CODES_BY_SYMBOL["\\"].byte, CODES_BY_SYMBOL["L"].byte) == (32, 33, 34)
    assert len(CODES_BY_BYTE) == len(CODES) == len(CODES_BY_SYMBOL)
    # Stored registers contain these numbers: a changed one would rewrite history.
    assert {code.letters: code.byte for code in CODES} == {
        "/": 32, "\\": 33, "L": 34, "K": 64, "V": 65, "P": 66, "W": 67, "B": 68, "J": 69,
        "C1": 96, "M": 97, "J1": 98, "S": 99, "C2": 100, "C": 101, "T": 102, "R": 103, "I": 104, "E": 105,
        "H": 106, "F": 107,
        "G": 128, "N": 129, "O": 130, "U": 131,
        "D": 160, "X": 161, "Q": 162, "Y1": 163, "Y2": 164, "Y3": 165, "Y4": 166, "Y5": 167, "Y6": 168, "Y7": 169,
        "Y": 170, "Z": 171, "#": 172,
    }  # fmt: skip


def test_sickness_halves_and_possible_sessions() -> None:
    assert {code.letters for code in CODES if code.sickness} == {"I"}
    assert {code.letters for code in CODES if not code.morning} == {"\\"}
    assert {code.letters for code in CODES if not code.afternoon} == {"/"}
    assert {code.letters for code in CODES if code.possible and not code.attended and not code.absent} == set()
    assert all(code.meaning and code.source for code in CODES)


def test_the_four_codes_of_unauthorised_absence_have_the_words_of_the_guidance() -> None:
    """Officers quote these words in letters: a paraphrase of our own was read as another rule."""
    assert {letters: CODES_BY_SYMBOL[letters].meaning for letters in "GNOU"} == {
        "G": "Holiday not granted by the school",
        "N": "Reason for absence not yet established",
        "O": "Absent in other or unknown circumstances",
        "U": "Arrived after the register closed, before the session ended",
    }


@pytest.mark.parametrize("text", ["", " ", "-", "\N{NO-BREAK SPACE}", "\N{FULLWIDTH HYPHEN-MINUS}"])
def test_a_cell_without_a_mark_is_missing(text: str) -> None:
    answer = code_for(text, NOW, "AM")
    assert answer.missing
    assert answer.problem is None


@pytest.mark.parametrize(("text", "symbol"), [(" o ", "O"), ("y1", "Y1"), ("\N{FULLWIDTH LATIN CAPITAL LETTER G}", "G")])
def test_spaces_case_and_width_do_not_matter(text: str, symbol: str) -> None:
    assert code_for(text, NOW, "AM").code is CODES_BY_SYMBOL[symbol]


@pytest.mark.parametrize("text", ["!", "*", "@", "A", "1", "PRESENT", "C3", "Y8", "/\\", "✓"])
def test_any_other_string_is_a_problem(text: str) -> None:
    answer = code_for(text, NOW, "AM")
    assert answer.code is None
    assert answer.problem is not None
    assert "Enter a code" in answer.problem


@pytest.mark.parametrize(("text", "session", "expected"), [("/", "PM", "\\"), ("\\", "AM", "/")])
def test_a_slash_for_the_wrong_half_is_corrected(text: str, session: str, expected: str) -> None:
    answer = code_for(text, NOW, "AM" if session == "AM" else "PM")
    assert answer.code is CODES_BY_SYMBOL[expected]
    assert answer.warning is not None


def test_h_is_refused_after_2024_where_the_authority_wants_that() -> None:
    refused = code_for("h", date(2025, 9, 8), "AM", refuse_h=True)
    assert refused.code is None
    assert "Enter C" in str(refused.problem)
    assert code_for("H", date(2024, 8, 18), "AM", refuse_h=True).code is CODES_BY_SYMBOL["H"]


def test_h_is_accepted_with_a_warning_where_the_authority_wants_that() -> None:
    assert code_for("H", BEFORE, "AM").warning is None
    after = code_for("H", FIRST, "AM")
    assert after.code is CODES_BY_SYMBOL["H"]
    assert after.warning is not None


@pytest.mark.parametrize(("text", "now"), [("F", "C or G"), ("J", "J1"), ("Y", "Q, or one of Y1 to Y7")])
def test_a_code_that_has_ended_is_refused_with_the_one_to_use(text: str, now: str) -> None:
    assert code_for(text, BEFORE, "AM").code is CODES_BY_SYMBOL[text]
    assert code_for(text, FIRST, "AM").problem == f"“{text}” ended on 18 August 2024. Enter {now}."


@pytest.mark.parametrize("text", ["C1", "C2", "J1", "K", "Q", "Y1", "Y7"])
def test_new_codes_begin_in_august_2024(text: str) -> None:
    assert code_for(text, BEFORE, "AM").problem is not None
    assert code_for(text, FIRST, "AM").code is CODES_BY_SYMBOL[text]


@pytest.mark.parametrize("text", ["C", "J", "Y"])
def test_a_short_form_gets_a_warning_in_one_letter_strings(text: str) -> None:
    after = code_for(text, NOW, "AM", one_letter=True)
    assert after.code is CODES_BY_SYMBOL[text]
    assert after.warning is not None
    assert code_for(text, BEFORE, "AM", one_letter=True).warning is None


def test_x_is_rejected_at_compulsory_school_age() -> None:
    rejected = code_for("X", NOW, "AM", dob=CHILD)
    assert rejected.code is None
    assert rejected.problem is not None
    assert "C2" in rejected.problem
    assert code_for("X", NOW, "AM", dob=date(2021, 2, 1)).problem is None
    assert code_for("X", date(2021, 1, 11), "AM", dob=date(2010, 3, 10)).warning is not None


def test_w_before_year_10_gets_a_warning() -> None:
    assert check_age(CODES_BY_SYMBOL["W"], NOW, CHILD).warning is not None
    assert check_age(CODES_BY_SYMBOL["W"], NOW, date(2010, 3, 10)).warning is None


def test_a_warning_about_the_code_survives_the_age_check() -> None:
    answer = code_for("C", NOW, "AM", one_letter=True, dob=CHILD)
    assert answer.warning is not None
    assert code_for("I", NOW, "AM", dob=CHILD).warning is None


@given(st.text(max_size=3), st.dates(date(2018, 1, 1), date(2030, 12, 31)), st.sampled_from(["AM", "PM"]), st.booleans())
def test_every_cell_is_a_code_a_problem_or_missing(text: str, on: date, session: str, one_letter: bool) -> None:
    answer = code_for(text, on, "AM" if session == "AM" else "PM", one_letter=one_letter)
    assert (answer.code is None) or (answer.problem is None)
    assert answer.missing == (normalised(text) in {"", "-"})
    if answer.code is not None:
        assert answer.code.morning if session == "AM" else answer.code.afternoon
        assert answer.warning is not None or answer.code.may_be_used(on)
