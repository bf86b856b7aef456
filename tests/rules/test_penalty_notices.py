"""The threshold's own value: what it says, what would have changed it, and an authority's settings."""

from __future__ import annotations

import itertools
import time
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.rules.calendar import Calendar, Half, Session
from portal.rules.penalty_notices import Outcome, Reason, SchoolRecord, Threshold, threshold
from portal.rules.policy import Policy, TwoSchools, Window
from portal.rules.threshold_now import threshold_now
from tests.rules.casebook.building import CLOSED, TERMS

TWO_YEARS = Calendar.from_terms(
    [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in TERMS],
    [date.fromisoformat(on) for on in CLOSED],
)
DOB = date(2014, 3, 10)
AM: Half = "AM"
PM: Half = "PM"
PLACES = TWO_YEARS.sessions((date(2025, 9, 1), date(2026, 7, 31)))
TEN: dict[Session, str] = dict.fromkeys(TWO_YEARS.sessions((date(2025, 9, 15), date(2025, 9, 19))), "O")
marks_of_a_year = st.dictionaries(st.sampled_from(PLACES), st.sampled_from("GNOUI/"), max_size=45)
#: Marks close enough together for ten to be common.
crowded = st.dictionaries(st.sampled_from(PLACES[:140]), st.sampled_from("GNOU"), min_size=8, max_size=16)


def at(marks: dict[Session, str], policy: Policy | None = None, *, school: str = "School A") -> Threshold:
    return threshold(DOB, [SchoolRecord(school, TWO_YEARS, marks)], (), policy or Policy())


@given(marks_of_a_year)
def test_a_session_more_never_lowers_the_count(marks: dict[Session, str]) -> None:
    before = at(marks)
    after = at({**marks, PLACES[100]: "O"})
    assert after.best_count >= before.best_count
    assert after.best_count - before.best_count <= 1
    assert before.outcome is not Outcome.MET or after.outcome is Outcome.MET


@given(marks_of_a_year)
def test_met_exactly_when_some_ten_weeks_hold_ten(marks: dict[Session, str]) -> None:
    answer = at(marks)
    assert (answer.outcome is Outcome.MET) == (answer.best_count >= 10)
    if answer.met is not None:
        assert len(answer.met.counted) == 10
        assert answer.met.counted[-1].session == answer.met.on
        assert answer.met.first_week <= answer.met.counted[0].session[0]


@given(crowded, st.integers(-30, 30))
def test_moving_everything_by_whole_weeks_moves_the_answer(marks: dict[Session, str], weeks: int) -> None:
    ahead = timedelta(days=7 * weeks)
    moved_calendar = Calendar.from_sessions((on + ahead, half) for on, half in TWO_YEARS.sessions())
    moved = {(on + ahead, half): letters for (on, half), letters in marks.items()}
    here = at(marks)
    there = threshold(DOB, [SchoolRecord("School A", moved_calendar, moved)])
    assert here.outcome == there.outcome
    assert here.best_count == there.best_count
    if here.met is not None and there.met is not None:
        assert there.met.on[0] - here.met.on[0] == ahead


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from(PLACES[:110]), st.sampled_from("GNOU"), min_size=9, max_size=12))
def test_the_fewest_corrections_are_the_fewest(marks: dict[Session, str]) -> None:
    fewest = at(marks).what_would_change.corrections
    # Every way of correcting so many and of correcting one fewer, tried in turn.
    for number in {fewest, max(fewest - 1, 0)}:
        ways = itertools.combinations(sorted(marks), number)
        left = ({each: code for each, code in marks.items() if each not in way} for way in ways)
        assert any(at(each).outcome is not Outcome.MET for each in left) == (number == fewest)


def test_it_says_itself() -> None:
    answer = at({**TEN, (date(2025, 10, 28), AM): "O"})
    assert answer.sentence.startswith(
        "The threshold was met at School A on the afternoon of 19 September 2025: ten sessions of unauthorised absence"
    )
    assert "not automatic" in answer.sentence
    labels = [fact.label for fact in answer.facts]
    assert labels[:3] == ["Outcome", "Sessions counted", "Most in any ten school weeks"]
    assert any("the school did not meet" in fact.value for fact in answer.facts)
    assert "It would not be met if 1 counted session were corrected." in answer.what_would_change.sentence
    assert all(source.name for source in answer.sources)


def test_it_says_what_was_left_out_and_why() -> None:
    marks = {**TEN, (date(2025, 10, 28), AM): "O"}
    gone = [(date(2025, 9, 15), AM)]
    answer = threshold(date(2020, 10, 15), [SchoolRecord("School A", TWO_YEARS, marks)], gone)
    assert {each.reason for each in answer.schools[0].left_out} == {Reason.NOT_A_SESSION, Reason.AGE}
    answer = threshold(DOB, [SchoolRecord("School A", TWO_YEARS, TEN)], gone)
    assert [each.reason for each in answer.schools[0].left_out] == [Reason.DEALT_WITH]
    assert answer.what_would_change.short_by == 1
    assert "1 more session would meet it." in answer.what_would_change.sentence


def test_a_reason_found_for_n_may_change_it() -> None:
    marks = {**TEN, (date(2025, 9, 19), PM): "N"}
    change = at(marks).what_would_change
    assert change.unexplained == 1
    assert change.without_unexplained is Outcome.NOT_MET
    assert "With a reason found for 1 counted session of N, it may not be met." in change.sentence


def test_two_schools_give_a_person_each_schools_count() -> None:
    first = dict(list(TEN.items())[:6])
    second = dict(list(TEN.items())[6:])
    records = [SchoolRecord("School A", TWO_YEARS, first), SchoolRecord("School B", TWO_YEARS, second)]
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


def test_at_one_session_at_both_schools_the_first_listed_is_named() -> None:
    records = [SchoolRecord(name, TWO_YEARS, TEN) for name in ("School A", "School B")]
    assert threshold(DOB, records).school == "School A"
    assert threshold(DOB, list(reversed(records))).school == "School B"


def test_a_pupil_at_no_school() -> None:
    answer = threshold(DOB, [])
    assert answer.outcome is Outcome.NOT_MET
    assert answer.best_count == 0
    assert "no sessions" in answer.sentence


@given(crowded)
def test_rolling_to_the_day_finds_no_fewer(marks: dict[Session, str]) -> None:
    whole, rolling = at(marks), at(marks, Policy(window=Window.TO_THE_DAY))
    assert rolling.best_count >= 0
    assert whole.outcome is not Outcome.MET or rolling.outcome is Outcome.MET
    if whole.met is not None and rolling.met is not None:
        assert rolling.met.on <= whole.met.on


def test_rolling_to_the_day_reaches_back_to_the_same_weekday() -> None:
    eight: dict[Session, str] = dict.fromkeys(TWO_YEARS.sessions((date(2025, 11, 17), date(2025, 11, 20))), "O")
    friday: dict[Session, str] = dict.fromkeys(TWO_YEARS.sessions((date(2025, 9, 12), date(2025, 9, 12))), "O")
    before: dict[Session, str] = dict.fromkeys(TWO_YEARS.sessions((date(2025, 9, 5), date(2025, 9, 5))), "O")
    assert at(friday | eight).outcome is Outcome.MET
    assert at(before | eight).outcome is Outcome.NOT_MET
    assert at(before | eight, Policy(window=Window.TO_THE_DAY)).outcome is Outcome.MET


def test_a_week_may_start_on_another_day() -> None:
    autumn = TWO_YEARS.sessions((date(2025, 9, 1), date(2025, 12, 19)))
    marks: dict[Session, str] = dict.fromkeys([each for each in autumn if each[0] == date(2025, 9, 9)], "O")
    marks |= dict.fromkeys([each for each in autumn if date(2025, 11, 17) <= each[0] <= date(2025, 11, 20)], "O")
    assert at(marks).outcome is Outcome.MET
    assert at(marks, Policy(week_starts_on=2)).outcome is Outcome.NOT_MET
    with pytest.raises(ValueError, match="0 \\(Monday\\) to 6"):
        Policy(week_starts_on=7)


def test_the_last_friday_in_june_is_a_setting() -> None:
    week = dict.fromkeys(TWO_YEARS.sessions((date(2026, 6, 22), date(2026, 6, 26))), "O")
    record = [SchoolRecord("School A", TWO_YEARS, week)]
    assert threshold(date(2010, 3, 10), record).outcome is Outcome.MET
    assert threshold(date(2010, 3, 10), record, (), Policy(last_friday_inside=False)).best_count == 8


def test_where_a_pupil_stands_on_a_day() -> None:
    record = SchoolRecord("School A", TWO_YEARS, TEN)
    wednesday = threshold_now(DOB, record, date(2025, 9, 17))
    assert (wednesday.number, wednesday.needed) == (6, 4)
    assert (wednesday.first_week, wednesday.last_week) == (date(2025, 9, 1), date(2025, 9, 15))
    # The week of 15 September is the tenth back from 24 November; it has gone when the week of 1 December begins.
    assert wednesday.oldest_drops_on == date(2025, 12, 1)
    assert wednesday.sentence.endswith("The oldest no longer count from 1 December 2025.")
    assert threshold_now(DOB, record, date(2025, 11, 30)).number == 10
    assert threshold_now(DOB, record, date(2025, 12, 1)).number == 0
    assert threshold_now(DOB, record, date(2025, 10, 29), [(date(2025, 9, 15), AM)]).needed == 1
    assert threshold_now(DOB, record, date(2026, 12, 31)).oldest_drops_on is None
    before = threshold_now(DOB, record, date(2025, 8, 1))
    assert before.sentence == "The school has not met yet, so nothing counts."
    assert before.facts[0].value == "none"


@given(marks_of_a_year)
def test_the_threshold_is_met_on_a_day_its_ten_weeks_hold_ten(marks: dict[Session, str]) -> None:
    answer = at(marks)
    record = SchoolRecord("School A", TWO_YEARS, marks)
    days = sorted({on for on, _ in marks})
    first = next((on for on in days if threshold_now(DOB, record, on).number >= 10), None)
    assert (None if answer.met is None else answer.met.on[0]) == first


def test_a_pupils_year_takes_well_under_ten_milliseconds() -> None:
    codes = "/\\/\\/\\/\\O"
    marks = {session: codes[place % len(codes)] for place, session in enumerate(PLACES)}
    best = min(_seconds(marks) for _ in range(5))
    assert best < 0.01


def _seconds(marks: dict[Session, str]) -> float:
    began = time.perf_counter()
    at(marks)
    return time.perf_counter() - began
