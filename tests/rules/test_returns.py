"""Statutory returns: whole school days, borderline days, and days passed over."""

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
    """Marks for the first school days: two codes a day, or one for both halves. "." leaves one out."""
    marks: dict[Session, str] = {}
    for on, codes in zip(calendar.school_days(), days, strict=False):
        for half, code in zip(("AM", "PM"), codes * (2 // len(codes)), strict=True):
            if code != ".":
                marks[on, "AM" if half == "AM" else "PM"] = code
    return PupilRecord(dob, calendar, marks)


def test_an_attendance_return_is_due_after_ten_consecutive_school_days() -> None:
    due = attendance_return(record(*["O"] * 10), YEAR)
    assert due.due
    assert due.due_since == DAYS[9]
    assert due.sentence == "Attendance return: due since 12 September 2025 (10 school days)."
    assert not attendance_return(record(*["O"] * 9), YEAR).due
    assert attendance_return(record(*["/"] * 3, *"GNOU" * 3), YEAR).due_since == DAYS[12]


def test_a_day_attended_breaks_the_run() -> None:
    assert not attendance_return(record(*["O"] * 6, "/", *["O"] * 6), YEAR).due
    assert not attendance_return(record(*["O"] * 6, "I", *["O"] * 6), YEAR).due


def test_holidays_and_closures_do_not_break_the_run() -> None:
    across_half_term = ["/"] * 35 + ["O"] * 10
    assert attendance_return(record(*across_half_term), YEAR).due_since == DAYS[44]
    with_closure = record(*["O"] * 5, "D", *["O"] * 5)
    assert attendance_return(with_closure, YEAR).due_since == DAYS[10]
    assert len(attendance_return(with_closure, YEAR).days) == 10


@pytest.mark.parametrize("mixed", ["O/", "IO", "OQ", "O.", ".O", ".", "/O"])
def test_mixed_and_missing_days_are_borderline(mixed: str) -> None:
    answer = attendance_return(record(*["O"] * 5, mixed, *["O"] * 4), YEAR)
    assert not answer.due
    assert answer.borderline
    assert "a person checks" in answer.sentence


def test_days_still_to_come_are_not_borderline() -> None:
    answer = attendance_return(record(*["O"] * 5), YEAR)
    assert not answer.borderline
    assert not no_return_after_leave(record("C", "O", "O"), DAYS[0], date(2025, 12, 19)).borderline


def test_one_session_is_enough_where_the_policy_says_so() -> None:
    mixed = record(*["O"] * 5, "IO", *["O"] * 4)
    assert attendance_return(mixed, YEAR, Policy(mixed_days=MixedDays.ONE_SESSION)).due
    missing = record(*["O"] * 5, ".", *["O"] * 4)
    assert not attendance_return(missing, YEAR, Policy(mixed_days=MixedDays.ONE_SESSION)).due


def test_a_day_with_one_session_is_a_whole_school_day() -> None:
    mornings = CALENDAR.without([(on, "PM") for on in DAYS[:10]])
    assert attendance_return(record(*["O."] * 10, calendar=mornings), YEAR).due


def test_only_days_of_compulsory_school_age_count() -> None:
    assert not attendance_return(record(*["O"] * 20, dob=date(2021, 2, 1)), YEAR).due


def test_joint_enquiries_are_due_after_twenty_days() -> None:
    assert not joint_enquiries(record(*["O"] * 19), YEAR).due
    answer = joint_enquiries(record(*["O"] * 20), YEAR)
    assert answer.due_since == DAYS[19]
    assert answer.facts[0].value == "20"
    assert answer.sources


def test_a_sickness_return_is_due_after_fifteen_days_consecutive_or_not() -> None:
    not_consecutive = ["I", "I", "/"] * 8
    assert sickness_return(record(*not_consecutive), YEAR).due_since == DAYS[21]
    assert not sickness_return(record(*["I"] * 14), YEAR).due
    assert sickness_return(record(*["I"] * 14, "I/"), YEAR).borderline
    assert not sickness_return(record(*["M"] * 20), YEAR).due
    assert not sickness_return(record(*["I"] * 13, "I/"), YEAR).borderline
    assert sickness_return(record(*["I"] * 13, "I/", "/I"), YEAR).borderline


def test_a_sickness_return_is_due_when_the_school_expects_it() -> None:
    expected = sickness_return(record(*["I"] * 3), YEAR, expected_since=DAYS[2])
    assert expected.due_since == DAYS[2]
    assert "the school expects it" in expected.sentence
    reached = sickness_return(record(*["I"] * 15), YEAR, expected_since=DAYS[30])
    assert reached.due_since == DAYS[14]
    assert not reached.expected


def test_enquiries_after_leave_are_due_when_the_pupil_does_not_return() -> None:
    leave = ["C"] * 5
    absent = no_return_after_leave(record(*leave, *["O"] * 10), DAYS[4], date(2025, 12, 19))
    assert absent.due_since == DAYS[14]
    assert not no_return_after_leave(record(*leave, *["O"] * 10), DAYS[4], DAYS[13]).due
    assert not no_return_after_leave(record(*leave, *["O"] * 8, "/", *["O"] * 10), DAYS[4], date(2025, 12, 19)).due
    half_back = no_return_after_leave(record(*leave, *["I"] * 3, "O/", *["O"] * 10), DAYS[4], date(2025, 12, 19))
    assert not half_back.due
    assert half_back.borderline


def test_a_new_pupil_return_is_due_within_five_days() -> None:
    assert new_pupil_return(date(2025, 11, 3), at_normal_start=False).due_by == date(2025, 11, 8)
    normal = new_pupil_return(date(2025, 9, 1), at_normal_start=True)
    assert normal.due_by is None
    assert "normal start" in normal.sentence
    assert normal.sources


@given(st.lists(st.sampled_from(["O", "G", "/", "I", "O/", ".", "D", "Q"]), max_size=60))
def test_a_return_that_is_due_stays_due_as_days_are_added(days: list[str]) -> None:
    answer = attendance_return(record(*days), YEAR)
    assert answer.due == (len(answer.days) >= 10)
    assert not (answer.due and answer.borderline)
    assert joint_enquiries(record(*days), YEAR).due <= answer.due
    longer = attendance_return(record(*days, "O", "O"), YEAR)
    assert longer.due >= answer.due
