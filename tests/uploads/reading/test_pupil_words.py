"""Words of a pupil list: each is understood, or said to be not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.uploads.domain.reading.parsing import parse_minutes
from portal.uploads.domain.reading.pupil_words import (
    parse_enrolment_status,
    parse_flag,
    parse_sen_provision,
    parse_sex,
    parse_young_carer,
)
from portal.uploads.domain.reading.reader import read

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("parse", "text", "code"),
    [
        (parse_enrolment_status, "Single registration", "C"),
        (parse_enrolment_status, "Current (single registration at this school)", "C"),
        (parse_enrolment_status, "Current Main (dual registration)", "M"),
        (parse_enrolment_status, "Current Subsidiary (dual registration)", "S"),
        (parse_enrolment_status, "Dual registration - main", "M"),
        (parse_enrolment_status, "M - Current Main", "M"),
        (parse_enrolment_status, "main (dual registration)", "M"),
        (parse_enrolment_status, "s", "S"),
        (parse_enrolment_status, "Guest (pupil not registered at this school)", None),
        (parse_enrolment_status, "Student", None),
        (parse_enrolment_status, "Former pupil", None),
        (parse_sex, "Girl", "F"),
        (parse_sex, "Male", "M"),
        (parse_sex, "Mixed", None),
        (parse_sen_provision, "SEN Support (K)", "K"),
        (parse_sen_provision, "EHC Plan (E)", "E"),
        (parse_sen_provision, "K - SEN support", "K"),
        (parse_sen_provision, "No special educational need", "N"),
        (parse_sen_provision, "Education plan", None),
        (parse_young_carer, "Y - identified by school", "yes"),
        (parse_young_carer, "Parent", "yes"),
        (parse_young_carer, "no", "no"),
        (parse_young_carer, "Not declared", None),
        (parse_flag, "Yes - EAL", "yes"),
        (parse_flag, "Not eligible", None),
    ],
)
def test_a_word_is_its_code_or_nothing(parse: Callable[[str], str | None], text: str, code: str | None) -> None:
    assert parse(text) == code


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("12", 12),
        ("12 mins", 12),
        ("00:12", 12),
        ("1:05", 65),
        ("00:12:00", 12),
        ("0", 0),
        ("900", None),
        ("late", None),
        ("1.5", None),
    ],
)
def test_minutes_late(text: str, minutes: int | None) -> None:
    assert parse_minutes(text) == minutes


COLUMNS = {
    "E": ("Enrolment status", "enrolment_status"),
    "F": ("Sex", "sex"),
    "G": ("SEN provision", "sen_provision"),
    "H": ("Young carer", "young_carer"),
    "I": ("EAL", "eal"),
    "J": ("Looked after", "looked_after"),
    "K": ("Year group", "year_group"),
}
WORD_LETTERS = st.characters(codec="ascii", categories=("L", "N"), include_characters=" -")


@given(st.lists(st.text(alphabet=WORD_LETTERS, max_size=12), min_size=len(COLUMNS), max_size=len(COLUMNS)))
def test_every_word_is_taken_or_said(words: list[str]) -> None:
    row = ["Ash", "Ada", "2015-01-01", "Mum", *words]
    headings = ["Surname", "Forename", "Date of birth", "Parent 1", *(heading for heading, _ in COLUMNS.values())]
    text = "\n".join(",".join(cells) for cells in (headings, row))
    reading = read(text.encode())
    unread = {problem.column for problem in reading.problems if problem.kind == "unread-word"}
    (person,) = reading.people
    for (column, (_, name)), word in zip(COLUMNS.items(), words, strict=True):
        assert (person.fields[name] is None) == (not word.strip() or column in unread)


def test_an_address_whose_mark_is_not_understood_stays_hidden() -> None:
    heading = "Surname,Forename,Date of birth,Parent 1,Parent 1 do not disclose\n"
    for word, is_hidden in (("Yes", True), ("No", False), ("", False), ("Refuge", True), ("restricted", True)):
        (person,) = read(f"{heading}Ash,Ada,2015-01-01,Mum,{word}\n".encode()).people
        assert person.parents[0]["do_not_disclose"] is is_hidden
