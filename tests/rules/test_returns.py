"""Statutory returns worked out from the marks: whole school days, borderline days, and days passed over."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.calendar import Calendar
from portal.rules.policy import MixedDays, Policy
from portal.rules.returns import (
    PupilRecord,
    attendance_return,
    joint_enquiries,
    new_pupil_return,
    no_return_after_leave,
    sickness_return,
)

if TYPE_CHECKING:
    from portal.rules.calendar import Session

CALENDAR = Calendar.from_terms([(date(2025, 9, 1), date(2025, 10, 24)), (date(2025, 11, 3), date(2025, 12, 19))])
YEAR = (date(2025, 9, 1), date(2026, 8, 31))
DAYS = CALENDAR.school_days()
DOB = date(2014, 3, 10)


def record(*days: str, dob: date = DOB, calendar: Calendar = CALENDAR) -> PupilRecord:
    """Marks for the first school days: two letters a day, or one for both halves; "." leaves one out."""
    marks: dict[Session, str] = {}
    for on, letters in zip(calendar.school_days(), days, strict=False):
        for half, letter in zip(("AM", "PM"), letters * (2 // len(letters)), strict=True):
            if letter != ".":
                marks[on, "AM" if half == "AM" else "PM"] = letter
    return PupilRecord(dob, calendar, marks)


def test_ten_school_days_one_after_another() -> None:
    due = attendance_return(record(*["O"] * 10), YEAR)
    assert due.due
    assert due.due_since == DAYS[9]
    assert due.sentence == "Attendance return: due since 12 September 2025 (10 school days)."
    assert not attendance_return(record(*["O"] * 9), YEAR).due
    assert attendance_return(record(*["/"] * 3, *"GNOU" * 3), YEAR).due_since == DAYS[12]


def test_a_day_attended_breaks_the_run() -> None:
    assert not attendance_return(record(*["O"] * 6, "/", *["O"] * 6), YEAR).due
    assert not attendance_return(record(*["O"] * 6, "I", *["O"] * 6), YEAR).due


def test_holidays_and_closures_do_not_break_it() -> None:
    across = ["/"] * 35 + ["O"] * 10
    assert attendance_return(record(*across), YEAR).due_since == DAYS[44]
    shut = record(*["O"] * 5, "D", *["O"] * 5)
    assert attendance_return(shut, YEAR).due_since == DAYS[10]
    assert len(attendance_return(shut, YEAR).days) == 10


@pytest.mark.parametrize("mixed", ["O/", "IO", "OQ", "O.", ".O", ".", "/O"])
def test_mixed_and_missing_days_are_borderline(mixed: str) -> None:
    answer = attendance_return(record(*["O"] * 5, mixed, *["O"] * 4), YEAR)
    assert not answer.due
    assert answer.borderline
    assert "a person checks" in answer.sentence


def test_days_still_to_come_say_nothing() -> None:
    answer = attendance_return(record(*["O"] * 5), YEAR)
    assert not answer.borderline
    assert not no_return_after_leave(record("C", "O", "O"), DAYS[0], date(2025, 12, 19)).borderline


def test_one_session_may_be_enough_if_the_authority_says_so() -> None:
    marks = record(*["O"] * 5, "IO", *["O"] * 4)
    assert attendance_return(marks, YEAR, Policy(mixed_days=MixedDays.ONE_SESSION)).due
    missing = record(*["O"] * 5, ".", *["O"] * 4)
    assert not attendance_return(missing, YEAR, Policy(mixed_days=MixedDays.ONE_SESSION)).due


def test_a_half_day_the_school_met_is_a_whole_day_of_it() -> None:
    mornings = CALENDAR.without([(on, "PM") for on in DAYS[:10]])
    assert attendance_return(record(*["O."] * 10, calendar=mornings), YEAR).due


def test_only_days_of_compulsory_school_age() -> None:
    assert not attendance_return(record(*["O"] * 20, dob=date(2021, 2, 1)), YEAR).due


def test_twenty_days_for_joint_enquiries() -> None:
    assert not joint_enquiries(record(*["O"] * 19), YEAR).due
    answer = joint_enquiries(record(*["O"] * 20), YEAR)
    assert answer.due_since == DAYS[19]
    assert answer.facts[0].value == "20"
    assert answer.sources


def test_fifteen_days_of_illness_together_or_apart() -> None:
    apart = ["I", "I", "/"] * 8
    assert sickness_return(record(*apart), YEAR).due_since == DAYS[21]
    assert not sickness_return(record(*["I"] * 14), YEAR).due
    assert sickness_return(record(*["I"] * 14, "I/"), YEAR).borderline
    assert not sickness_return(record(*["M"] * 20), YEAR).due
    assert not sickness_return(record(*["I"] * 13, "I/"), YEAR).borderline
    assert sickness_return(record(*["I"] * 13, "I/", "/I"), YEAR).borderline


def test_sickness_the_school_expects() -> None:
    expected = sickness_return(record(*["I"] * 3), YEAR, expected_since=DAYS[2])
    assert expected.due_since == DAYS[2]
    assert "the school expects it" in expected.sentence
    reached = sickness_return(record(*["I"] * 15), YEAR, expected_since=DAYS[30])
    assert reached.due_since == DAYS[14]
    assert not reached.expected


def test_no_return_after_leave() -> None:
    leave = ["C"] * 5
    away = no_return_after_leave(record(*leave, *["O"] * 10), DAYS[4], date(2025, 12, 19))
    assert away.due_since == DAYS[14]
    assert not no_return_after_leave(record(*leave, *["O"] * 10), DAYS[4], DAYS[13]).due
    assert not no_return_after_leave(record(*leave, *["O"] * 8, "/", *["O"] * 10), DAYS[4], date(2025, 12, 19)).due
    back = no_return_after_leave(record(*leave, *["I"] * 3, "O/", *["O"] * 10), DAYS[4], date(2025, 12, 19))
    assert not back.due
    assert back.borderline


def test_a_new_pupil_within_five_days() -> None:
    assert new_pupil_return(date(2025, 11, 3), at_normal_start=False).due_by == date(2025, 11, 8)
    normal = new_pupil_return(date(2025, 9, 1), at_normal_start=True)
    assert normal.due_by is None
    assert "normal start" in normal.sentence
    assert normal.sources


@given(st.lists(st.sampled_from(["O", "G", "/", "I", "O/", ".", "D", "Q"]), max_size=60))
def test_a_return_due_stays_due_and_rests_on_its_days(days: list[str]) -> None:
    answer = attendance_return(record(*days), YEAR)
    assert answer.due == (len(answer.days) >= 10)
    assert not (answer.due and answer.borderline)
    assert joint_enquiries(record(*days), YEAR).due <= answer.due
    longer = attendance_return(record(*days, "O", "O"), YEAR)
    assert longer.due >= answer.due
