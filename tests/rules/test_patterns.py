"""Periods of absence and patterns, on a register small enough to read."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from portal.rules.absence_periods import absence_periods
from portal.rules.calendar import Calendar
from portal.rules.codes import CODES_BY_SYMBOL
from portal.rules.marks import Amendment, counts_of, standing_marks
from portal.rules.patterns import (
    AFTER_BREAK,
    BEFORE_BREAK,
    DAY_AFTER,
    DAY_BEFORE,
    OTHER_DAYS,
    THE_DAY,
    around_breaks,
    around_days,
    by_weekday,
    by_weekday_and_half,
    compare_with_own_past,
    compare_with_school_average,
    lateness,
    recent_weeks,
)
from portal.rules.session_counts import SessionCounts

if TYPE_CHECKING:
    from portal.rules.calendar import Half, Session

AM: Half = "AM"
PM: Half = "PM"
#: Two weeks, a week's break, two weeks.
TERMS = [(date(2025, 10, 13), date(2025, 10, 24)), (date(2025, 11, 3), date(2025, 11, 14))]
CALENDAR = Calendar.from_terms(TERMS)
SESSIONS = CALENDAR.sessions()


def register(codes: str) -> dict[Session, str]:
    """Marks for the first sessions of the calendar, one character each. "." leaves one out."""
    return {session: code for session, code in zip(SESSIONS, codes, strict=False) if code != "."}


def test_only_attendance_ends_a_period_of_absence() -> None:
    absences = absence_periods(register("/\\OO/IID.I\\/"), CALENDAR)
    assert [(spell.sessions, spell.authorised, spell.unauthorised) for spell in absences.spells] == [(2, 0, 2), (3, 3, 0)]
    assert absences.spells[1].codes == (("I", 3),)
    assert absences.spells[1].first == SESSIONS[5]
    assert absences.spells[1].last == SESSIONS[9]
    assert (absences.number, absences.longest, absences.sessions, absences.single_sessions) == (2, 3, 5, 0)
    assert absences.school_weeks == 4
    assert absences.sentence == "2 periods of absence in 4 school weeks: 5 sessions missed, 3 in the longest period."


def test_a_period_of_absence_continues_across_a_break() -> None:
    absences = absence_periods(register("/" * 19 + "GG" + "/"), CALENDAR)
    assert [spell.sessions for spell in absences.spells] == [2]
    assert absences.spells[0].sentence == (
        "Missed 2 sessions from the afternoon of 24 October 2025 to the morning of 3 November 2025."
    )


def test_no_periods_of_absence_and_a_single_session() -> None:
    assert absence_periods(register("/" * 40), CALENDAR).sentence == "No absence in 4 school weeks."
    assert absence_periods({}, CALENDAR).longest == 0
    assert absence_periods(register("/O/"), CALENDAR).spells[0].sentence == "Missed the afternoon of 13 October 2025."


@given(st.text("/\\LOIUD.", max_size=40))
def test_periods_contain_every_session_missed_once(codes: str) -> None:
    marks = register(codes)
    absences = absence_periods(marks, CALENDAR)
    assert absences.sessions == counts_of(marks, CALENDAR).absent
    assert absences.number <= absences.sessions
    first_sessions = [spell.first for spell in absences.spells]
    assert first_sessions == sorted(first_sessions, key=SESSIONS.index)


def test_marks_outside_the_calendar_are_not_counted() -> None:
    marks = {**register("O" * 40), (date(2025, 10, 28), AM): "O"}
    tally = counts_of(marks, CALENDAR)
    assert (tally.absent, tally.missing) == (40, 0)
    assert counts_of({}, CALENDAR, TERMS[0]).missing == 20


def test_the_latest_correction_stands() -> None:
    session = (date(2025, 10, 13), AM)
    amendments = [Amendment(session, "I", date(2025, 10, 20)), Amendment(session, "O", date(2025, 10, 14))]
    assert standing_marks({session: "N"}, amendments) == {session: "I"}
    assert standing_marks({}, amendments) == {session: "I"}


def test_the_pattern_by_weekday_and_half_of_the_day() -> None:
    codes = ["/"] * 40
    for monday_morning in (0, 10, 20):
        codes[monday_morning] = "O"
    pattern = by_weekday_and_half(register("".join(codes)), CALENDAR)
    share = pattern.share("Monday morning")
    assert (share.absent, share.possible) == (3, 4)
    assert share.rate == 75
    assert pattern.share("Friday afternoon").absent == 0
    assert pattern.sentence == "By weekday and half of the day: most often missed is Monday morning, 3 of 4 (75.0%)."
    assert by_weekday(register("".join(codes)), CALENDAR).share("Monday").value == "3 of 8 (37.5%)"
    assert by_weekday(register("/" * 40), CALENDAR).sentence == "By weekday: no sessions missed."


def test_the_pattern_around_breaks() -> None:
    codes = ["/"] * 40
    codes[18] = codes[19] = codes[20] = "G"
    pattern = around_breaks(register("".join(codes)), CALENDAR)
    assert [(pattern.share(label).absent, pattern.share(label).possible) for label in (BEFORE_BREAK, AFTER_BREAK)] == [
        (2, 2),
        (1, 2),
    ]
    assert pattern.share(OTHER_DAYS).absent == 0


def test_the_pattern_around_particular_days() -> None:
    codes = ["/"] * 40
    codes[2] = codes[4] = codes[5] = "O"
    pattern = around_days(register("".join(codes)), CALENDAR, [date(2025, 10, 15)])
    assert pattern.share(DAY_BEFORE).absent == 1
    assert pattern.share(THE_DAY).absent == 2
    assert pattern.share(DAY_AFTER).absent == 0
    over_a_weekend = around_days(register("/" * 40), CALENDAR, [date(2025, 10, 19)])
    assert over_a_weekend.share(DAY_BEFORE).possible == over_a_weekend.share(DAY_AFTER).possible == 2
    assert over_a_weekend.share(THE_DAY).value == "0 of 0"


def test_lateness_before_and_after_the_register_closes() -> None:
    late = lateness(register("L\\/\\U\\/\\L\\"), CALENDAR)
    assert (late.before, late.after, late.sessions, late.possible) == (2, 1, 3, 10)
    assert late.by_weekday == (("Monday", 1, 0), ("Wednesday", 0, 1), ("Friday", 1, 0))
    assert "2 before the register closed and 1 after" in late.sentence
    assert lateness({}, CALENDAR).sentence == "Not late in no possible sessions."


def test_a_comparison_is_a_difference_of_two_rates() -> None:
    now, before = SessionCounts.of_codes("OO" + "/" * 8), SessionCounts.of_codes("O" + "/" * 9)
    assert compare_with_own_past(now, before).points == 10
    assert "10.0 percentage points higher than the pupil's own absence before" in compare_with_own_past(now, before).sentence
    lower = compare_with_school_average(before, now)
    assert lower.points == -10
    assert "lower than the school's average" in lower.sentence
    assert "the same" in compare_with_own_past(now, now).sentence
    assert compare_with_own_past(now, SessionCounts(())).points is None
    assert "nothing to compare" in compare_with_own_past(now, SessionCounts(())).sentence


def test_recent_weeks_leaves_out_weeks_without_a_session() -> None:
    assert recent_weeks(CALENDAR, date(2025, 11, 5), 3) == (date(2025, 10, 13), date(2025, 11, 9))
    assert recent_weeks(CALENDAR, date(2025, 10, 29), 1) == (date(2025, 10, 20), date(2025, 10, 26))
    assert recent_weeks(CALENDAR, date(2025, 10, 1)) is None


@given(st.text("/\\LOIUD.", min_size=1, max_size=40))
def test_every_pattern_adds_up_to_the_tally(codes: str) -> None:
    marks = register(codes)
    tally = counts_of(marks, CALENDAR)
    days = [SESSIONS[0][0] + timedelta(days=offset) for offset in (0, 3, 9)]
    for pattern in (
        by_weekday(marks, CALENDAR),
        by_weekday_and_half(marks, CALENDAR),
        around_breaks(marks, CALENDAR),
        around_days(marks, CALENDAR, days),
    ):
        assert sum(share.absent for share in pattern.shares) == tally.absent
        assert sum(share.possible for share in pattern.shares) == tally.possible
        assert all(share.rate is None or share.rate == Fraction(100 * share.absent, share.possible) for share in pattern.shares)
    assert lateness(marks, CALENDAR).sessions == tally.late
    assert tally.absent == sum(CODES_BY_SYMBOL[code].absent for code in marks.values())
