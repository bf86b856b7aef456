"""The threshold: its sentences, what would have changed the answer, and an authority's settings."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.rules.calendar import Calendar, Half, Session
from portal.rules.penalty_notices import Outcome, Reason, SchoolRecord, Threshold, threshold
from portal.rules.policy import Policy, TwoSchools, Window
from portal.rules.threshold_now import threshold_now
from tests.rules.casebook.building import CLOSED, TERMS
from tests.support.processor_time import assert_linear

TWO_YEARS = Calendar.from_terms(
    [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in TERMS],
    [date.fromisoformat(on) for on in CLOSED],
)
DOB = date(2014, 3, 10)
AM: Half = "AM"
PM: Half = "PM"
SESSIONS = TWO_YEARS.sessions((date(2025, 9, 1), date(2026, 7, 31)))
TEN: dict[Session, str] = dict.fromkeys(TWO_YEARS.sessions((date(2025, 9, 15), date(2025, 9, 19))), "O")
marks_of_a_year = st.dictionaries(st.sampled_from(SESSIONS), st.sampled_from("GNOUI/"), max_size=45)
#: Marks close enough together that ten in ten weeks are common.
dense_marks = st.dictionaries(st.sampled_from(SESSIONS[:140]), st.sampled_from("GNOU"), min_size=8, max_size=16)


def threshold_at(marks: dict[Session, str], policy: Policy | None = None, *, school: str = "School A") -> Threshold:
    return threshold(DOB, [SchoolRecord(school, TWO_YEARS, marks)], (), policy or Policy())


@given(marks_of_a_year)
def test_one_more_session_raises_the_count_by_at_most_one(marks: dict[Session, str]) -> None:
    before = threshold_at(marks)
    after = threshold_at({**marks, SESSIONS[100]: "O"})
    assert after.best_count >= before.best_count
    assert after.best_count - before.best_count <= 1
    assert before.outcome is not Outcome.MET or after.outcome is Outcome.MET


@given(marks_of_a_year)
def test_it_is_met_exactly_when_some_ten_weeks_have_ten(marks: dict[Session, str]) -> None:
    answer = threshold_at(marks)
    assert (answer.outcome is Outcome.MET) == (answer.best_count >= 10)
    if answer.met is not None:
        assert len(answer.met.counted) == 10
        assert answer.met.counted[-1].session == answer.met.on
        assert answer.met.first_week <= answer.met.counted[0].session[0]


@given(dense_marks, st.integers(-30, 30))
def test_moving_everything_by_whole_weeks_moves_only_the_dates(marks: dict[Session, str], weeks: int) -> None:
    shift = timedelta(days=7 * weeks)
    moved_calendar = Calendar.from_sessions((on + shift, half) for on, half in TWO_YEARS.sessions())
    moved_marks = {(on + shift, half): code for (on, half), code in marks.items()}
    original = threshold_at(marks)
    moved = threshold(DOB, [SchoolRecord("School A", moved_calendar, moved_marks)])
    assert original.outcome == moved.outcome
    assert original.best_count == moved.best_count
    if original.met is not None and moved.met is not None:
        assert moved.met.on[0] - original.met.on[0] == shift


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from(SESSIONS[:110]), st.sampled_from("GNOU"), min_size=9, max_size=12))
def test_no_fewer_corrections_would_be_enough(marks: dict[Session, str]) -> None:
    fewest = threshold_at(marks).what_would_change.corrections
    # Every way of correcting so many and of correcting one fewer, tried in turn.
    for number in {fewest, max(fewest - 1, 0)}:
        choices = itertools.combinations(sorted(marks), number)
        corrected = ({session: code for session, code in marks.items() if session not in choice} for choice in choices)
        assert any(threshold_at(remaining).outcome is not Outcome.MET for remaining in corrected) == (number == fewest)


def test_the_sentence_and_facts_when_met() -> None:
    answer = threshold_at({**TEN, (date(2025, 10, 28), AM): "O"})
    assert answer.sentence.startswith(
        "The threshold was met at School A on the afternoon of 19 September 2025: ten sessions of unauthorised absence"
    )
    assert "not automatic" in answer.sentence
    labels = [fact.label for fact in answer.facts]
    assert labels[:3] == ["Outcome", "Sessions counted", "Most in any ten school weeks"]
    assert any("the school was closed" in fact.value for fact in answer.facts)
    assert "It would not be met if 1 counted session were corrected." in answer.what_would_change.sentence
    assert all(source.name for source in answer.sources)


def test_marks_left_out_have_a_reason() -> None:
    marks = {**TEN, (date(2025, 10, 28), AM): "O"}
    dealt_with = [(date(2025, 9, 15), AM)]
    answer = threshold(date(2020, 10, 15), [SchoolRecord("School A", TWO_YEARS, marks)], dealt_with)
    assert {mark.reason for mark in answer.schools[0].left_out} == {Reason.NOT_A_SESSION, Reason.AGE}
    answer = threshold(DOB, [SchoolRecord("School A", TWO_YEARS, TEN)], dealt_with)
    assert [mark.reason for mark in answer.schools[0].left_out] == [Reason.DEALT_WITH]
    assert answer.what_would_change.short_by == 1
    assert "1 more session would meet it." in answer.what_would_change.sentence


def test_explaining_an_n_may_change_the_answer() -> None:
    marks = {**TEN, (date(2025, 9, 19), PM): "N"}
    change = threshold_at(marks).what_would_change
    assert change.unexplained == 1
    assert change.without_unexplained is Outcome.NOT_MET
    assert "With a reason found for 1 counted session of N, it may not be met." in change.sentence


def test_two_schools_together_are_for_a_person_to_review() -> None:
    first_six = dict(list(TEN.items())[:6])
    last_four = dict(list(TEN.items())[6:])
    records = [SchoolRecord("School A", TWO_YEARS, first_six), SchoolRecord("School B", TWO_YEARS, last_four)]
    answer = threshold(DOB, records)
    assert answer.outcome is Outcome.REVIEW
    assert answer.school is None
    assert answer.met is None
    assert "School A (6) and School B (4)" in answer.sentence
    assert "A person decides." in answer.sentence
    combined = threshold(DOB, records, (), Policy(two_schools=TwoSchools.COMBINE))
    assert combined.outcome is Outcome.MET
    assert combined.school is None
    assert combined.met is not None


def test_when_two_schools_reach_ten_at_once_the_first_listed_is_named() -> None:
    records = [SchoolRecord(name, TWO_YEARS, TEN) for name in ("School A", "School B")]
    assert threshold(DOB, records).school == "School A"
    assert threshold(DOB, list(reversed(records))).school == "School B"


def test_a_pupil_at_no_school_has_not_met_it() -> None:
    answer = threshold(DOB, [])
    assert answer.outcome is Outcome.NOT_MET
    assert answer.best_count == 0
    assert "no sessions" in answer.sentence


@given(dense_marks)
def test_a_window_rolling_to_the_day_finds_no_fewer_pupils(marks: dict[Session, str]) -> None:
    whole_weeks, rolling = threshold_at(marks), threshold_at(marks, Policy(window=Window.TO_THE_DAY))
    assert rolling.best_count >= 0
    assert whole_weeks.outcome is not Outcome.MET or rolling.outcome is Outcome.MET
    if whole_weeks.met is not None and rolling.met is not None:
        assert rolling.met.on <= whole_weeks.met.on


def test_a_window_rolling_to_the_day_begins_in_an_eleventh_week() -> None:
    november: dict[Session, str] = dict.fromkeys(TWO_YEARS.sessions((date(2025, 11, 17), date(2025, 11, 20))), "O")
    in_tenth_week: dict[Session, str] = dict.fromkeys(TWO_YEARS.sessions((date(2025, 9, 12), date(2025, 9, 12))), "O")
    in_eleventh_week: dict[Session, str] = dict.fromkeys(TWO_YEARS.sessions((date(2025, 9, 5), date(2025, 9, 5))), "O")
    assert threshold_at(in_tenth_week | november).outcome is Outcome.MET
    assert threshold_at(in_eleventh_week | november).outcome is Outcome.NOT_MET
    assert threshold_at(in_eleventh_week | november, Policy(window=Window.TO_THE_DAY)).outcome is Outcome.MET


def test_a_week_may_start_on_another_day() -> None:
    autumn = TWO_YEARS.sessions((date(2025, 9, 1), date(2025, 12, 19)))
    marks: dict[Session, str] = dict.fromkeys([session for session in autumn if session[0] == date(2025, 9, 9)], "O")
    marks |= dict.fromkeys(TWO_YEARS.sessions((date(2025, 11, 17), date(2025, 11, 20))), "O")
    assert threshold_at(marks).outcome is Outcome.MET
    assert threshold_at(marks, Policy(week_starts_on=2)).outcome is Outcome.NOT_MET
    with pytest.raises(ValueError, match="0 \\(Monday\\) to 6"):
        Policy(week_starts_on=7)


def test_the_last_friday_in_june_is_a_setting() -> None:
    week = dict.fromkeys(TWO_YEARS.sessions((date(2026, 6, 22), date(2026, 6, 26))), "O")
    record = [SchoolRecord("School A", TWO_YEARS, week)]
    assert threshold(date(2010, 3, 10), record).outcome is Outcome.MET
    assert threshold(date(2010, 3, 10), record, (), Policy(last_friday_inside=False)).best_count == 8


def test_sessions_towards_the_threshold_as_at_a_day() -> None:
    record = SchoolRecord("School A", TWO_YEARS, TEN)
    wednesday = threshold_now(DOB, record, date(2025, 9, 17))
    assert (wednesday.number, wednesday.needed) == (6, 4)
    assert (wednesday.first_week, wednesday.last_week) == (date(2025, 9, 1), date(2025, 9, 15))
    # The week of 15 September is the first of the ten that end with 24 November, so it leaves on 1 December.
    assert wednesday.oldest_drops_on == date(2025, 12, 1)
    assert wednesday.sentence.endswith("The oldest no longer count from 1 December 2025.")
    assert threshold_now(DOB, record, date(2025, 11, 30)).number == 10
    assert threshold_now(DOB, record, date(2025, 12, 1)).number == 0
    assert threshold_now(DOB, record, date(2025, 10, 29), [(date(2025, 9, 15), AM)]).needed == 1
    assert threshold_now(DOB, record, date(2026, 12, 31)).oldest_drops_on is None
    before = threshold_now(DOB, record, date(2025, 8, 1))
    assert before.sentence == "The school has not been open yet, so nothing counts."
    assert before.facts[0].value == "none"


@given(marks_of_a_year)
def test_the_threshold_is_met_on_the_first_day_with_ten_in_ten_weeks(marks: dict[Session, str]) -> None:
    answer = threshold_at(marks)
    record = SchoolRecord("School A", TWO_YEARS, marks)
    days = sorted({on for on, _ in marks})
    first_day = next((on for on in days if threshold_now(DOB, record, on).number >= 10), None)
    assert (None if answer.met is None else answer.met.on[0]) == first_day


def test_the_work_grows_with_a_pupils_marks() -> None:
    codes = "/\\/\\/\\/\\O"
    marks = {session: codes[index % len(codes)] for index, session in enumerate(SESSIONS)}
    assert_linear(lambda size: threshold_at(dict(list(marks.items())[:size])), len(marks))
