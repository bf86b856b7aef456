"""Folded names, check letters, year groups, and the academic year of a list."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.pupils.domain.incoming import (
    academic_year_of_list,
    check_letter,
    folded,
    has_right_check_letter,
    pupil_from_json,
    pupil_to_json,
    year_group_of,
    year_number,
)
from portal.rules.school_age import age_at_start
from tests.pupils.support import child, parent

TODAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("José", "Jose\u0301"),
        ("O’Neil", "ONEIL"),
        ("Smith-Jones", "smith jones"),
        ("Ann\u200bMarie", "AnnMarie"),
        ("Straße", "STRASSE"),
        ("Łukasz", "Lukasz"),
        ("  Ali  Khan ", "ali khan"),
        ("\ufb01nn", "Finn"),
    ],
)
def test_spellings_of_one_name_fold_to_the_same_text(first: str, second: str) -> None:
    """UPL-24: NFC and NFD, zero-width signs, case and punctuation make no difference."""
    assert folded(first) == folded(second)


@pytest.mark.parametrize(("first", "second"), [("Ann", "Anna"), ("محمد", "محمود"), ("Lee", "Le\u0435")])
def test_different_names_fold_to_different_texts(first: str, second: str) -> None:
    """A look-alike letter of another alphabet is another letter: a person compares the two."""
    assert folded(first) != folded(second)


@given(st.text(max_size=40))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize("published", ["B801200005001", "A203202811068", "A203102209083", "E938218618008", "H356210811018"])
def test_published_upns_have_the_right_check_letter(published: str) -> None:
    assert has_right_check_letter(published)


def test_a_vendors_wrong_example_has_another_letter() -> None:
    assert check_letter("B207000016049") == "P"


@given(st.text("0123456789", min_size=12, max_size=12), st.integers(0, 11), st.integers(1, 9))
def test_one_wrong_digit_never_passes(body: str, index: int, change: int) -> None:
    letter = check_letter("A" + body)
    assert letter is not None
    wrong = body[:index] + str((int(body[index]) + change) % 10) + body[index + 1 :]
    assert not has_right_check_letter(letter + wrong)


#: UniquePupilNumber 2.0, spelled out a second time: multiply each digit by its position (2 to 13), add up and divide by
#: 23. The remainder is the letter's index; the final letter of a temporary UPN counts as its own index.
CHECK_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"


def letter_by_the_standard(body: str) -> str:
    values = [int(character) if character.isdecimal() else CHECK_LETTERS.index(character) for character in body]
    return CHECK_LETTERS[sum(position * value for position, value in enumerate(values, 2)) % 23]


@given(st.text("0123456789", min_size=11, max_size=11), st.sampled_from("0123456789" + CHECK_LETTERS))
def test_the_check_letter_is_the_standards_own(body: str, last: str) -> None:
    assert check_letter("A" + body + last) == letter_by_the_standard(body + last)


def test_the_upn_of_an_authority_nobody_lists_is_checked_like_any_other() -> None:
    """The library's `validate` refuses local authority 000, in which demonstrations live."""
    assert has_right_check_letter(letter_by_the_standard("000999900001") + "000999900001")


@pytest.mark.parametrize("wrong", ["", "A", "A12345678901", "A1234567890I2", "A12345678901٣", "A12345678901O"])
def test_text_that_is_no_upn_has_no_check_letter(wrong: str) -> None:
    assert check_letter(wrong) is None
    assert not has_right_check_letter(wrong)


@pytest.mark.parametrize(("group", "number"), [("N1", -2), ("N2", -1), ("R", 0), ("1", 1), ("14", 14)])
def test_year_groups_have_numbers(group: str, number: int) -> None:
    assert year_number(group) == number


@pytest.mark.parametrize("group", [None, "", "M", "X", "E1", "0", "15", "²"])
def test_other_year_groups_have_no_number(group: str | None) -> None:
    assert year_number(group) is None


def test_numbers_turn_back_into_year_groups() -> None:
    assert [year_group_of(number) for number in (-1, 0, 1, 14, 15)] == [None, "R", "1", "14", None]


@given(st.integers(2015, 2030), st.integers(0, 14), st.integers(0, 364))
def test_the_year_of_a_list_is_the_one_its_ages_fit(year: int, number: int, day: int) -> None:
    born = date.fromordinal(date(year - number - 5, 9, 1).toordinal() + day)
    assert age_at_start(born, year) == number + 4
    group = "R" if number == 0 else str(number)
    assert academic_year_of_list([child(date_of_birth=born, year_group=group)], TODAY) == year


def test_a_few_pupils_out_of_their_year_do_not_change_it() -> None:
    in_year = [child(n, date_of_birth=date(2018, 1, 1), year_group="4") for n in range(5)]
    held_back = [child(9, date_of_birth=date(2017, 1, 1), year_group="4")]
    assert academic_year_of_list(in_year + held_back, TODAY) == 2026


def test_a_list_without_a_clear_year_is_for_this_year() -> None:
    assert academic_year_of_list([child(year_group=None)], TODAY) == 2026
    assert academic_year_of_list([], TODAY) == 2026
    undecided = [child(n, date_of_birth=date(2018 - n, 1, 1)) for n in range(4)]
    assert academic_year_of_list(undecided, TODAY) == 2026


def test_a_pupil_survives_storing_as_json() -> None:
    pupil = child(parents=(parent(do_not_disclose=True),), characteristics={"fsm": "Y"}, leaving_date=date(2026, 10, 1))
    assert pupil_from_json(pupil_to_json(pupil)) == pupil
