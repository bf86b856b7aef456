"""Vectorised rules against the rules for one pupil.

Over random calendars, ages and marks, the answer for all lines equals the answer for each.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portal.pupils.domain.rolls import days
from portal.registers.domain import pages, vectorised
from portal.registers.domain.pages import CODE_BYTES, SESSIONS, session_days
from portal.registers.domain.summary_rows import (
    EVERYONE,
    HEADLINE,
    WEEK_SUMMARY_COLUMNS,
    YEAR_GROUP,
    completeness,
    pupil_year_counts,
    week_summary_rows,
)
from portal.registers.domain.year_register import (
    YearRegister,
    days_within,
    headline_lines,
    marks_on_roll,
    school_age,
    week_indices,
)
from portal.registers.queries import tail_weeks
from portal.rules.absence_periods import absence_periods
from portal.rules.calendar import HALVES, Calendar, session_ordinal, week_of
from portal.rules.codes import CODES_BY_BYTE, CODES_BY_SYMBOL, is_mark
from portal.rules.half_terms import year_11_last_day
from portal.rules.marks import counts_of
from portal.rules.measures import is_in_headline, is_persistently_absent, is_severely_absent
from portal.rules.patterns import recent_weeks
from portal.rules.penalty_notices import SchoolRecord, threshold
from portal.rules.policy import DEFAULT_POLICY, Policy, Window
from portal.rules.school_age import compulsory_school_age
from portal.rules.session_counts import SessionCounts
from portal.rules.threshold_now import threshold_now
from tests.registers.calendars import SCHOOL, Year, roll, years

#: Enough examples to meet every kind of closure and absence; each computes up to six pupils in three ways.
LAW = settings(max_examples=60)
NO_TAIL = (np.zeros((0, 0), dtype=np.uint8), ())
#: Every policy that the count towards the threshold depends on.
policies = st.builds(Policy, window=st.sampled_from(Window), week_starts_on=st.integers(0, 6), last_friday_inside=st.booleans())


def summary_of(year: Year, policy: Policy = DEFAULT_POLICY) -> dict[str, np.ndarray]:
    """The pupil summaries of a year without a year before it."""
    return pupil_year_counts(year.register, np.zeros((len(year.births), 0), dtype=np.uint8), (), policy)


def newest_sunday(year: Year) -> date | None:
    """The Sunday of the newest week with a mark that counts."""
    used = year.register.counted.any(axis=0)
    return week_of(year.register.days[used].max().astype(object)) + timedelta(days=6) if used.any() else None


@LAW
@given(years())
def test_sums_equal_the_tallies_of_the_rules(year: Year) -> None:
    sums = vectorised.sums_by_line(year.register.counted)
    for line in range(len(year.births)):
        tally = counts_of(year.marks_of(line), year.register.calendar)
        names = ("present", "approved", "authorised", "unauthorised", "late_before", "late_after", "possible", "absent")
        assert {name: int(getattr(sums, name)[line]) for name in names} == {name: getattr(tally, name) for name in names}
        assert sums.unexplained[line] == tally.count("N")


@LAW
@given(years())
def test_periods_of_absence_equal_those_of_the_rules(year: Year) -> None:
    periods = vectorised.absence_periods(year.register.counted)
    for line in range(len(year.births)):
        expected = absence_periods(year.marks_of(line), year.register.calendar)
        assert (int(periods.number[line]), int(periods.longest[line])) == (expected.number, expected.longest)


@LAW
@given(years(), policies)
def test_the_threshold_equals_that_of_the_rules(year: Year, policy: Policy) -> None:
    summary, register = summary_of(year, policy), year.register
    used = register.counted.any(axis=0)
    newest = register.days[used].max().astype(object) if used.any() else None
    for line, born in enumerate(year.births):
        record = SchoolRecord("here", register.calendar, year.marks_of(line))
        assert summary["threshold_best"][line] == threshold(born, [record], (), policy).best_count
        in_newest_weeks = threshold_now(born, record, newest, (), policy).number if newest else 0
        assert summary["threshold_window"][line] == in_newest_weeks


@LAW
@given(years(), policies)
def test_the_tenth_session_is_that_of_the_rules(year: Year, policy: Policy) -> None:
    register = year.register
    first, last = school_age(register.roll.date_of_birth, last_friday_inside=policy.last_friday_inside)
    is_of_age = (register.days >= first[:, None]) & (register.days <= last[:, None])
    numbers = week_indices(register.calendar, register.days, register.met, starts_on=policy.week_starts_on)
    day_in_week = np.array([(on.weekday() - policy.week_starts_on) % 7 for on in register.days.astype(object)])
    rolls = policy.window is Window.TO_THE_DAY
    answer = vectorised.threshold(register.counted, numbers, is_of_age, day_in_week if rolls else None)
    for line, born in enumerate(year.births):
        met = threshold(born, [SchoolRecord("here", register.calendar, year.marks_of(line))], (), policy).met
        column = int(answer.met_column[line])
        assert (column == -1) == (met is None)
        if met is not None:
            assert (register.days[column].astype(object), HALVES[column % 2]) == met.on


def test_the_threshold_counts_weeks_that_were_never_sent() -> None:
    """Nine sessions, then ten school weeks, then one more: not ten within ten weeks.

    Nothing was sent for two of those weeks; they count as weeks all the same.
    """
    mondays = [date(2025, 9, 1) + timedelta(weeks=number) for number in range(11)]
    calendar = Calendar.from_terms([(mondays[0], mondays[-1] + timedelta(days=4))])
    page_weeks = tuple(mondays[:4] + mondays[6:])
    marks = np.zeros((1, len(page_weeks) * SESSIONS), dtype=np.uint8)
    marks[0, :9], marks[0, -SESSIONS] = 128, 128
    register = YearRegister(SCHOOL, 2025, page_weeks, marks, roll((date(2014, 1, 1),)), calendar)
    assert summary_of(Year(register, (date(2014, 1, 1),)))["threshold_best"].tolist() == [9]


def test_the_threshold_counts_only_compulsory_school_age() -> None:
    monday = date(2025, 11, 3)
    calendar = Calendar.from_terms([(monday, monday + timedelta(days=11))])
    births = (date(2021, 6, 1), date(2014, 6, 1), date(2008, 6, 1))
    marks = np.full((3, 2 * SESSIONS), 128, dtype=np.uint8)
    register = YearRegister(SCHOOL, 2025, (monday, monday + timedelta(days=7)), marks, roll(births), calendar)
    assert summary_of(Year(register, births))["threshold_best"].tolist() == [0, 20, 0]


def test_the_threshold_joins_the_lines_of_a_pupil_who_came_back() -> None:
    monday = date(2025, 11, 3)
    calendar = Calendar.from_terms([(monday, monday + timedelta(days=11))])
    births = (date(2014, 6, 1),) * 2
    marks = np.zeros((2, 2 * SESSIONS), dtype=np.uint8)
    marks[0, :6], marks[1, SESSIONS : SESSIONS + 6] = 128, 128
    twice = roll(births, pupil_ids=[UUID(int=1)] * 2)
    register = YearRegister(SCHOOL, 2025, (monday, monday + timedelta(days=7)), marks, twice, calendar)
    assert summary_of(Year(register, births))["threshold_best"].tolist() == [12, 12]


@LAW
@given(years(), st.integers(1, 13), policies)
def test_ten_weeks_may_span_a_summer(year: Year, before: int, policy: Policy) -> None:
    """The best ten weeks over the tail and the year equal the rules' answer on one calendar."""
    rng = np.random.default_rng(before)
    weeks = tuple(date(2025, 7, 14) - timedelta(weeks=weeks_back) for weeks_back in range(before, 0, -1))
    earlier = [(week + timedelta(days=weekday), half) for week in weeks for weekday in range(5) for half in HALVES]
    calendar = Calendar.together([Calendar.from_sessions(earlier), year.register.calendar])
    weeks = tuple(week for week in weeks if week in tail_weeks(calendar, 2025, policy))
    tail = rng.choice(np.array([32, 128], dtype=np.uint8), (len(year.births), len(weeks) * SESSIONS), p=[0.9, 0.1])
    register = replace(year.register, calendar=calendar)
    on_roll = marks_on_roll(tail, session_days(weeks), register.roll)
    summary = pupil_year_counts(register, on_roll, weeks, policy)
    both_years = Year(
        replace(register, weeks=weeks + register.weeks, marks=np.concatenate([tail, register.marks], axis=1)), year.births
    )
    for line, born in enumerate(year.births):
        expected = threshold(born, [SchoolRecord("here", calendar, both_years.marks_of(line))], (), policy)
        assert summary["threshold_best"][line] == expected.best_count


@LAW
@given(years(), policies)
def test_no_window_that_ends_in_a_year_reaches_behind_its_tail(year: Year, policy: Policy) -> None:
    weeks = [date(2025, 7, 14) - timedelta(weeks=weeks_back) for weeks_back in range(14, 0, -1)]
    earlier = [(week + timedelta(days=weekday), half) for week in weeks for weekday in (0, 3, 4) for half in HALVES]
    calendar = Calendar.together([Calendar.from_sessions(earlier), year.register.calendar])
    numbers = calendar.week_numbers(starts_on=policy.week_starts_on)
    unit = 1 if policy.window is Window.WHOLE_WEEKS else 7

    def position(on: date) -> int:
        first_day = week_of(on, starts_on=policy.week_starts_on)
        return numbers[first_day] * unit + (on - first_day).days * (unit == 7)

    tail = tail_weeks(calendar, 2025, policy)
    in_year = [on for on in calendar.school_days() if on >= date(2025, 9, 1)]
    dropped = [on for on in calendar.school_days() if on < date(2025, 9, 1) and week_of(on) not in tail]
    if in_year and dropped:
        assert position(in_year[0]) - position(dropped[-1]) >= 10 * unit


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=1, max_size=30))
@example([(10, 100), (9, 90), (9, 91), (50, 100), (49, 99), (0, 0), (0, 10)])
def test_persistent_and_severe_absence_equal_the_rules(pairs: list[tuple[int, int]]) -> None:
    absent, possible = (np.array(column) for column in zip(*pairs, strict=True))
    assert vectorised.persistently_absent(absent, possible).tolist() == [is_persistently_absent(*pair) for pair in pairs]
    assert vectorised.severely_absent(absent, possible).tolist() == [is_severely_absent(*pair) for pair in pairs]


def test_a_span_of_days_includes_both_ends_and_may_be_open() -> None:
    monday = date(2025, 11, 3)
    first = days([monday, monday + timedelta(days=1), monday - timedelta(days=9)])
    last = days([monday + timedelta(days=1), None, monday - timedelta(days=1)])
    inside = days_within(session_days([monday]), first, last)
    assert [np.flatnonzero(line).tolist() for line in inside] == [[0, 1, 2, 3], list(range(2, 14)), []]


def test_headline_counts_leave_out_year_11_after_may() -> None:
    mondays = (date(2026, 5, 18), date(2026, 6, 1))
    calendar = Calendar.from_terms(
        [(date(2026, 4, 13), date(2026, 7, 20))], [date(2026, 5, 25) + timedelta(days=n) for n in range(5)]
    )
    births = (date(2010, 1, 1), date(2011, 1, 1), date(2009, 1, 1))
    marks = np.full((3, 2 * SESSIONS), CODES_BY_SYMBOL["I"].byte, dtype=np.uint8)
    summary = summary_of(Year(YearRegister(SCHOOL, 2025, mondays, marks, roll(births), calendar), births))
    assert summary["headline_possible"].tolist() == [10, 20, 0]
    assert summary["headline_absent"].tolist() == [10, 20, 0]
    assert summary["possible"].tolist() == [20, 20, 20]


@given(st.lists(st.dates(date(2003, 1, 1), date(2024, 12, 31)), min_size=1, max_size=60), st.booleans())
def test_compulsory_school_age_equals_the_rules(births: list[date], inside: bool) -> None:
    first, last = school_age(days(births), last_friday_inside=inside)
    spans = [compulsory_school_age(born, last_friday_inside=inside) for born in births]
    assert first.tolist() == [span.first_day for span in spans]
    assert last.tolist() == [span.last_day for span in spans]


@LAW
@given(years(most_weeks=46), st.booleans())
def test_headline_cells_equal_the_rules(year: Year, has_half_term: bool) -> None:
    register = year.register
    if has_half_term:
        register = replace(register, calendar=register.calendar.without([date(2026, 5, 25) + timedelta(days=n) for n in range(5)]))
    cells = register.headline_cells
    until = year_11_last_day(register.calendar, 2025)
    in_year = [column for column, on in enumerate(register.days.astype(object)) if date(2025, 9, 1) <= on < date(2026, 9, 1)]
    for line, born in enumerate(year.births):
        expected = [is_in_headline(born, register.days[column].astype(object), until) for column in in_year]
        assert cells[line, in_year].tolist() == expected
    assert headline_lines(register.roll.date_of_birth, 2025).tolist() == cells[:, :1].ravel().tolist()


@LAW
@given(years())
def test_week_summaries_equal_a_recount_mark_by_mark(year: Year) -> None:
    """Each row against the rules' tally of its cohort, mark by mark."""
    register = year.register
    rows = [dict(zip(WEEK_SUMMARY_COLUMNS, row, strict=True)) for row in week_summary_rows(register, register.weeks)]
    assert len(rows) == len(register.weeks) * (2 + len(set(register.roll.year_group)))
    until = year_11_last_day(register.calendar, 2025)
    for row in rows:
        marks = [
            (line, byte)
            for line, born in enumerate(year.births)
            for column, byte in enumerate(register.marks[line].tolist())
            if is_mark(byte)
            and register.on_roll[line, column]
            and week_of(register.days[column].astype(object)) == row["week"]
            and register.calendar.meets(register.days[column].astype(object), HALVES[column % 2])
            and (row["dimension"] != YEAR_GROUP or register.roll.year_group[line] == row["value"])
            and (row["dimension"] != HEADLINE or is_in_headline(born, register.days[column].astype(object), until))
        ]
        tally = SessionCounts.of(byte for _, byte in marks)
        names = ("possible", "present", "approved", "authorised", "unauthorised", "late_before", "late_after")
        assert {name: row[name] for name in names} == {name: getattr(tally, name) for name in names}
        assert row["enrolments"] == len({line for line, byte in marks if CODES_BY_BYTE[byte].possible})
        assert row["by_code"] == [dict(tally.counts).get(int(byte), 0) for byte in CODE_BYTES]
        assert row["dimension"] in {HEADLINE, EVERYONE, YEAR_GROUP}


@LAW
@given(years())
def test_pupil_summaries_equal_the_rules_for_each_pupil(year: Year) -> None:
    summary, register, on = summary_of(year), year.register, newest_sunday(year)
    recent = recent_weeks(register.calendar, on) if on else None
    last = recent_weeks(register.calendar, on, 1) if on else None
    until = year_11_last_day(register.calendar, 2025)
    used = np.flatnonzero(register.counted.any(axis=0))
    reported = session_ordinal((register.days[used[-1]].astype(object), HALVES[used[-1] % 2])) if used.size else -1
    for line, born in enumerate(year.births):
        marks = year.marks_of(line)
        in_recent_weeks = counts_of(marks, register.calendar, recent) if recent else SessionCounts(())
        in_last_week = counts_of(marks, register.calendar, last) if last else SessionCounts(())
        headline = {session: letters for session, letters in marks.items() if is_in_headline(born, session[0], until)}
        counted = counts_of(headline, register.calendar)
        first, until_day = (register.roll.on_from[line].astype(object), register.roll.on_until[line].astype(object) or date.max)
        expected_sessions = [
            session
            for session in register.calendar.sessions()
            if week_of(session[0]) in register.weeks and session_ordinal(session) <= reported and first <= session[0] <= until_day
        ]
        assert {name: int(summary[name][line]) for name in summary if not name.startswith("threshold")} == {
            **{
                name: getattr(counts_of(marks, register.calendar), name)
                for name in ("possible", "present", "approved", "authorised", "unauthorised", "late_before", "late_after")
            },
            "missing": sum(marks.get(session, "#") in {"#", "Z"} for session in expected_sessions),
            "unexplained": counts_of(marks, register.calendar).count("N"),
            "absence_periods": absence_periods(marks, register.calendar).number,
            "longest_absence": absence_periods(marks, register.calendar).longest,
            "recent_possible": in_recent_weeks.possible,
            "recent_absent": in_recent_weeks.absent,
            "last_week_possible": in_last_week.possible,
            "last_week_absent": in_last_week.absent,
            "headline_possible": counted.possible,
            "headline_absent": counted.absent,
        }


@LAW
@given(years())
def test_completeness_counts_expected_and_missing_marks(year: Year) -> None:
    register = year.register
    expected, missing = completeness(register)
    used = np.flatnonzero(register.counted.any(axis=0))
    last = used[-1] if used.size else -1
    for week in range(len(register.weeks)):
        columns = [column for column in range(week * SESSIONS, (week + 1) * SESSIONS) if register.met[column] and column <= last]
        due = [(line, column) for line in range(len(year.births)) for column in columns if register.on_roll[line, column]]
        assert expected[week] == len(due)
        assert missing[week] == sum(not is_mark(int(register.marks[cell])) for cell in due)


@pytest.mark.parametrize("letters", ["#", "Z"])
def test_an_administrative_code_is_counted_nowhere(letters: str) -> None:
    monday = date(2025, 11, 3)
    calendar = Calendar.from_terms([(monday, monday + timedelta(days=4))])
    marks = np.full((1, SESSIONS), CODES_BY_SYMBOL[letters].byte, dtype=np.uint8)
    year = Year(YearRegister(SCHOOL, 2025, (monday,), marks, roll((date(2014, 6, 1),)), calendar), (date(2014, 6, 1),))
    assert not year.register.counted.any()
    assert not any(counts.any() for counts in summary_of(year).values())
    assert all(row[-1] == [0] * len(CODE_BYTES) for row in week_summary_rows(year.register, (monday,)))
    assert counts_of(year.marks_of(0), calendar).missing == 10


def test_marks_outside_the_days_on_roll_are_stored_and_not_counted() -> None:
    monday = date(2025, 11, 3)
    calendar = Calendar.from_terms([(monday, monday + timedelta(days=4))])
    marks = np.full((1, SESSIONS), CODES_BY_SYMBOL["O"].byte, dtype=np.uint8)
    left = roll((date(2014, 6, 1),), on_until=days([monday + timedelta(days=1)]))
    register = YearRegister(SCHOOL, 2025, (monday,), marks, left, calendar)
    assert summary_of(Year(register, (date(2014, 6, 1),)))["possible"].tolist() == [4]


def test_is_mark_says_of_every_byte_what_the_rules_say() -> None:
    every_byte = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert pages.is_mark(every_byte).ravel().tolist() == [is_mark(byte) for byte in range(256)]
