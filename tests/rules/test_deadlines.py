"""Service, payment, time limits, notices to improve, unexplained marks and part-time timetables."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.calendar import Calendar
from portal.rules.deadlines import (
    Method,
    Payment,
    Position,
    last_day_to_lay,
    months_after,
    payment_timetable,
    received_on,
    time_limit,
)
from portal.rules.framework import LOCAL_CODES_2013, NATIONAL_2024
from portal.rules.policy import DayKind, Payments, Policy
from portal.rules.school_deadlines import (
    PartTimeState,
    last_day_to_explain,
    notice_to_improve,
    part_time_timetable,
    unexplained,
)

if TYPE_CHECKING:
    from portal.rules.calendar import Half, Session

AM: Half = "AM"
PM: Half = "PM"
days = st.dates(date(2019, 1, 1), date(2039, 12, 31))
RECEIVED = date(2025, 3, 3)
FIRST = NATIONAL_2024.first
#: The illustrative calendar's spring and summer of 2026.
CALENDAR = Calendar.from_terms(
    [
        (date(2026, 1, 6), date(2026, 2, 13)),
        (date(2026, 2, 23), date(2026, 3, 27)),
        (date(2026, 4, 13), date(2026, 5, 22)),
    ],
    [date(2026, 5, 4)],
)


def position_of(as_at: date, *payments: tuple[date, int], policy: Policy | None = None) -> tuple[Position, int | None]:
    payments_made = [Payment(on, amount) for on, amount in payments]
    answer = payment_timetable(RECEIVED, FIRST, payments_made, as_at, policy or Policy())
    assert answer.sentence
    assert answer.sources
    return answer.position, answer.amount_due


def test_a_notice_of_june_2024_has_the_amounts_of_its_day() -> None:
    answer = payment_timetable(date(2024, 6, 10), LOCAL_CODES_2013.first, [], date(2024, 6, 12))
    assert answer.amount_due == 60
    assert payment_timetable(date(2024, 6, 10), LOCAL_CODES_2013.first, [], date(2024, 7, 2)).amount_due == 120


def test_the_sentence_says_what_is_due_or_what_follows() -> None:
    assert payment_timetable(RECEIVED, FIRST, [], date(2025, 3, 10)).sentence == (
        "£80 is due by 23 March 2025. The notice was received on 3 March 2025."
    )
    assert "£160 is due by 30 March 2025" in payment_timetable(RECEIVED, FIRST, [], date(2025, 3, 24)).sentence
    second = NATIONAL_2024.second
    assert second is not None
    flat = payment_timetable(RECEIVED, second, [], date(2025, 3, 10))
    assert "£160 is due by 30 March 2025" in flat.sentence
    assert flat.last_day_reduced is None
    assert any(fact.value == "There is no reduced amount" for fact in flat.facts)
    assert "prosecute the original offence or withdraw" in payment_timetable(RECEIVED, FIRST, [], date(2025, 4, 1)).sentence


def test_part_payments_are_added_up_where_the_policy_says_so() -> None:
    parts = ((date(2025, 3, 12), 40), (date(2025, 3, 22), 40))
    late = (date(2025, 3, 25), 80)
    policy = Policy(payments=Payments.IN_PARTS)
    assert position_of(date(2025, 3, 22), *parts) == (Position.CHECK, None)
    assert position_of(date(2025, 3, 22), *parts, policy=policy) == (Position.DISCHARGED, 0)
    assert position_of(date(2025, 3, 21), *parts, policy=policy) == (Position.CHECK, None)
    assert position_of(date(2025, 3, 26), parts[0], late, policy=policy) == (Position.CHECK, None)
    assert position_of(date(2025, 3, 26), *parts, late, policy=policy) == (Position.DISCHARGED, 0)


@given(days, st.integers(0, 60))
def test_an_unpaid_notice_goes_from_80_to_160_to_prosecution(received: date, days_later: int) -> None:
    answer = payment_timetable(received, FIRST, [], received + timedelta(days=days_later))
    assert (answer.last_day_full - answer.received_on).days == 27
    expected: tuple[Position, int | None] = (Position.PROSECUTE_OR_WITHDRAW, None)
    if days_later < 28:
        expected = (Position.PAYABLE, 80 if days_later < 21 else 160)
    assert (answer.position, answer.amount_due) == expected


@given(days)
def test_post_is_received_on_a_working_day_two_to_eight_days_on(posted: date) -> None:
    received = received_on(Method.FIRST_CLASS_POST, posted)
    assert 2 <= (received - posted).days <= 8
    assert received.weekday() < 5
    assert received_on(Method.BY_HAND, posted) == posted
    assert received_on(Method.FIRST_CLASS_POST, posted, Policy(service_working_days=3)) > received


@given(days)
def test_six_months_later_is_the_same_day_or_the_last_of_the_month(offence: date) -> None:
    last = last_day_to_lay(offence)
    assert (last.year * 12 + last.month) - (offence.year * 12 + offence.month) == 6
    assert last.day == offence.day or (last.day < offence.day and (last + timedelta(days=1)).day == 1)
    assert 180 <= (last - offence).days <= 184


@given(st.lists(days, min_size=1, max_size=8), days)
def test_all_are_in_time_when_the_first_is(offences: list[date], laid: date) -> None:
    limit = time_limit(offences, laid)
    assert limit.all_in_time == (laid <= last_day_to_lay(min(offences)))
    assert limit.last_day == min(last_day_to_lay(offence) for offence in offences)
    assert limit.days_left is not None
    assert (limit.days_left >= 0) == limit.all_in_time


def test_the_time_limit_sentence() -> None:
    assert "no time limit" in time_limit([], date(2026, 3, 20)).sentence
    assert time_limit([], date(2026, 3, 20)).days_left is None
    offences = [date(2025, 9, 19), date(2025, 10, 6)]
    assert time_limit(offences, date(2026, 3, 19)).sentence.endswith("The last day for all of them is 19 March 2026.")
    assert time_limit(offences, date(2026, 3, 20)).sentence == "1 session relied on is out of time."
    assert time_limit(offences, date(2026, 6, 20)).sentence == "2 sessions relied on are out of time."
    assert months_after(date(2025, 12, 31), 2) == date(2026, 2, 28)


@pytest.mark.parametrize(
    ("starts_on", "weeks", "last_day", "school_days"),
    [
        (date(2026, 2, 23), 5, date(2026, 3, 27), 25),
        (date(2026, 2, 23), 6, date(2026, 4, 17), 30),
        (date(2026, 2, 25), 3, date(2026, 3, 17), 15),
        (date(2026, 1, 6), 3, date(2026, 1, 23), 14),
        (date(2026, 2, 14), 3, date(2026, 3, 13), 15),
        (date(2026, 2, 9), 3, date(2026, 3, 6), 15),
        (date(2026, 4, 20), 5, date(2026, 5, 22), 24),
    ],
)
def test_a_notice_to_improve_is_counted_in_school_weeks(starts_on: date, weeks: int, last_day: date, school_days: int) -> None:
    period = notice_to_improve(starts_on, CALENDAR, weeks)
    assert (period.last_day, period.school_days) == (last_day, school_days)
    assert f"{weeks} school weeks" in period.sentence


def test_a_notice_to_improve_beyond_the_calendar_has_no_last_day() -> None:
    period = notice_to_improve(date(2026, 4, 27), CALENDAR)
    assert period.last_day is None
    assert "Add the next term dates" in period.sentence
    assert notice_to_improve(date(2026, 7, 1), CALENDAR).last_day is None
    assert notice_to_improve(date(2026, 4, 22), CALENDAR, 5).last_day is None


@pytest.mark.parametrize("weeks", [2, 7, 0])
def test_a_notice_to_improve_outside_three_to_six_weeks_is_rejected(weeks: int) -> None:
    with pytest.raises(ValueError, match="3 to 6 school weeks"):
        notice_to_improve(date(2026, 2, 23), CALENDAR, weeks)
    with pytest.raises(ValueError, match="3 to 6 school weeks"):
        Policy(notice_to_improve_weeks=weeks)


def test_n_is_overdue_after_five_school_days() -> None:
    friday = date(2026, 2, 13)
    assert last_day_to_explain(friday, CALENDAR) == date(2026, 2, 27)
    assert last_day_to_explain(friday, CALENDAR, Policy(unexplained_day_kind=DayKind.WORKING)) == date(2026, 2, 20)
    assert last_day_to_explain(date(2026, 5, 20), CALENDAR) is None
    marks: dict[Session, str] = {
        (friday, AM): "N",
        (friday, PM): "N",
        (date(2026, 2, 24), AM): "N",
        (date(2026, 2, 25), AM): "O",
    }
    assert unexplained(marks, CALENDAR, date(2026, 2, 27)).overdue == ()
    later = unexplained(marks, CALENDAR, date(2026, 2, 28))
    assert later.overdue == ((friday, AM), (friday, PM))
    assert later.sentence == "3 sessions of absence with no reason yet, 2 past the time to find one."
    assert "No absence is waiting" in unexplained(marks, CALENDAR, date(2026, 2, 1)).sentence


def test_the_states_of_a_part_time_timetable() -> None:
    agreed, review = (date(2026, 2, 23), date(2026, 3, 13)), date(2026, 3, 6)
    marks: dict[Session, str] = {(date(2026, 3, 12), PM): "C2", (date(2026, 3, 16), PM): "C2"}

    def state_on(as_at: date) -> PartTimeState:
        return part_time_timetable(agreed, review, as_at, CALENDAR, marks).state

    assert state_on(date(2026, 2, 20)) is PartTimeState.NOT_STARTED
    assert state_on(date(2026, 2, 23)) is state_on(date(2026, 3, 13)) is PartTimeState.RUNNING
    assert state_on(date(2026, 3, 14)) is PartTimeState.ENDED
    running = part_time_timetable(agreed, review, date(2026, 3, 6), CALENDAR, marks)
    assert running.review_due
    assert running.school_days_left == 5
    assert running.outside == ()
    ended = part_time_timetable(agreed, review, date(2026, 3, 16), CALENDAR, marks)
    assert ended.outside == ((date(2026, 3, 16), PM),)
    assert "1 mark of C2 outside its dates." in ended.sentence
    assert not ended.review_due
    assert ended.facts
