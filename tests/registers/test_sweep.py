"""The sweep beside the rules: over random calendars, ages and marks, the answer for every line at once is the answer for each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portal.pupils.rolls import days
from portal.registers import sweep
from portal.registers.pages import CODE_BYTES, SESSIONS, session_days
from portal.registers.sheets import Sheet, headline_lines, school_age, second_half_of_summer, within
from portal.registers.tallies import EVERYONE, HEADLINE, TALLY_COLUMNS, YEAR_GROUP, completeness, standings, tally_rows
from portal.rules.calendar import HALVES, Calendar, place_of, week_of
from portal.rules.codes import BY_BYTE, BY_LETTERS
from portal.rules.marks import tally_of
from portal.rules.measures import is_in_headline, is_persistently_absent, is_severely_absent
from portal.rules.patterns import recent_weeks
from portal.rules.penalty_notices import SchoolRecord, threshold
from portal.rules.policy import DEFAULT_POLICY
from portal.rules.school_age import compulsory_school_age
from portal.rules.spells import spells
from portal.rules.tally import Tally
from portal.rules.threshold_now import threshold_now
from tests.registers.almanac import FIRST, SCHOOL, Year, roll, years

#: Enough to meet every kind of closure and run; each example works out up to six pupils in three ways.
LAW = settings(max_examples=60, deadline=None)
NO_TAIL = (np.zeros((0, 0), dtype=np.uint8), ())


def stood(year: Year) -> dict[str, np.ndarray]:
    """The standings of a year with nothing before it."""
    return standings(year.sheet, np.zeros((len(year.births), 0), dtype=np.uint8), ())


def newest(year: Year) -> date | None:
    """The Sunday of the newest week with a mark that counts."""
    used = year.sheet.counted.any(axis=0)
    return week_of(year.sheet.days[used].max().astype(object)) + timedelta(days=6) if used.any() else None


@LAW
@given(years())
def test_sums_are_the_tallies_of_the_rules(year: Year) -> None:
    found = sweep.sums_by_line(year.sheet.counted)
    for line in range(len(year.births)):
        tally = tally_of(year.marks_of(line), year.sheet.calendar)
        names = ("present", "approved", "authorised", "unauthorised", "late_before", "late_after", "possible", "absent")
        assert {name: int(getattr(found, name)[line]) for name in names} == {name: getattr(tally, name) for name in names}
        assert found.unexplained[line] == tally.count("N")


@LAW
@given(years())
def test_spells_are_the_spells_of_the_rules(year: Year) -> None:
    found = sweep.spells(year.sheet.counted)
    for line in range(len(year.births)):
        own = spells(year.marks_of(line), year.sheet.calendar)
        assert (int(found.number[line]), int(found.longest[line])) == (own.number, own.longest)


@LAW
@given(years())
def test_the_threshold_is_the_threshold_of_the_rules(year: Year) -> None:
    stand, sheet = stood(year), year.sheet
    on = newest(year)
    for line, born in enumerate(year.births):
        record = SchoolRecord("here", sheet.calendar, year.marks_of(line))
        assert stand["threshold_best"][line] == threshold(born, [record]).best_count
        now = threshold_now(born, record, on).number if on else 0
        assert stand["threshold_window"][line] == now


@LAW
@given(years())
def test_the_tenth_session_is_the_one_the_rules_name(year: Year) -> None:
    sheet = year.sheet
    first, last = school_age(sheet.roll.date_of_birth)
    counts = (sheet.days >= first[:, None]) & (sheet.days <= last[:, None])
    found = sweep.threshold(sheet.counted, sheet.week_numbers, counts)
    for line, born in enumerate(year.births):
        met = threshold(born, [SchoolRecord("here", sheet.calendar, year.marks_of(line))]).met
        place = int(found.met_at[line])
        assert (place == -1) == (met is None)
        if met is not None:
            assert (sheet.days[place].astype(object), HALVES[place % 2]) == met.on


def test_the_threshold_counts_in_calendar_weeks_even_where_a_week_was_never_sent() -> None:
    """Nine sessions, then ten school weeks for two of which nothing was sent, then one more: not ten in ten weeks."""
    mondays = [date(2025, 9, 1) + timedelta(weeks=number) for number in range(11)]
    calendar = Calendar.from_terms([(mondays[0], mondays[-1] + timedelta(days=4))])
    paged = tuple(mondays[:4] + mondays[6:])
    marks = np.zeros((1, len(paged) * SESSIONS), dtype=np.uint8)
    marks[0, :9], marks[0, -SESSIONS] = 128, 128
    sheet = Sheet(SCHOOL, 2025, paged, marks, roll((date(2014, 1, 1),)), calendar)
    assert stood(Year(sheet, (date(2014, 1, 1),)))["threshold_best"].tolist() == [9]


def test_absence_below_and_above_compulsory_school_age_is_not_counted_towards_the_threshold() -> None:
    monday = date(2025, 11, 3)
    calendar = Calendar.from_terms([(monday, monday + timedelta(days=11))])
    births = (date(2021, 6, 1), date(2014, 6, 1), date(2008, 6, 1))
    marks = np.full((3, 2 * SESSIONS), 128, dtype=np.uint8)
    sheet = Sheet(SCHOOL, 2025, (monday, monday + timedelta(days=7)), marks, roll(births), calendar)
    assert stood(Year(sheet, births))["threshold_best"].tolist() == [0, 20, 0]


def test_a_pupil_who_left_and_came_back_is_one_pupil_to_the_threshold() -> None:
    monday = date(2025, 11, 3)
    calendar = Calendar.from_terms([(monday, monday + timedelta(days=11))])
    births = (date(2014, 6, 1),) * 2
    marks = np.zeros((2, 2 * SESSIONS), dtype=np.uint8)
    marks[0, :6], marks[1, SESSIONS : SESSIONS + 6] = 128, 128
    twice = roll(births, pupil_ids=[UUID(int=1)] * 2)
    sheet = Sheet(SCHOOL, 2025, (monday, monday + timedelta(days=7)), marks, twice, calendar)
    assert stood(Year(sheet, births))["threshold_best"].tolist() == [12, 12]


@LAW
@given(years(), st.integers(1, 9))
def test_ten_weeks_may_span_a_summer(year: Year, before: int) -> None:
    """The tail is the year before: the standing's best window is the rules' over both, on one calendar."""
    chance = np.random.default_rng(before)
    weeks = tuple(date(2025, 7, 14) - timedelta(weeks=back) for back in range(before, 0, -1))
    tail = chance.choice(np.array([32, 128], dtype=np.uint8), (len(year.births), len(weeks) * SESSIONS), p=[0.9, 0.1])
    earlier = [(week + timedelta(days=ahead), half) for week in weeks for ahead in range(5) for half in HALVES]
    calendar = Calendar.together([Calendar.from_sessions(earlier), year.sheet.calendar])
    sheet = replace(year.sheet, calendar=calendar)
    stand = standings(sheet, tail, weeks)
    both = Year(replace(sheet, weeks=weeks + sheet.weeks, marks=np.concatenate([tail, sheet.marks], axis=1)), year.births)
    for line, born in enumerate(year.births):
        own = threshold(born, [SchoolRecord("here", calendar, both.marks_of(line))])
        assert stand["threshold_best"][line] == own.best_count


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=1, max_size=30))
@example([(10, 100), (9, 90), (9, 91), (50, 100), (49, 99), (0, 0), (0, 10)])
def test_persistent_and_severe_absence_are_the_rules(pairs: list[tuple[int, int]]) -> None:
    absent, possible = (np.array(column) for column in zip(*pairs, strict=True))
    assert sweep.persistently_absent(absent, possible).tolist() == [is_persistently_absent(*pair) for pair in pairs]
    assert sweep.severely_absent(absent, possible).tolist() == [is_severely_absent(*pair) for pair in pairs]


def test_a_span_of_days_includes_both_its_ends_and_may_have_no_last() -> None:
    monday = date(2025, 11, 3)
    first = days([monday, monday + timedelta(days=1), monday - timedelta(days=9)])
    last = days([monday + timedelta(days=1), None, monday - timedelta(days=1)])
    held = within(session_days([monday]), first, last)
    assert [np.flatnonzero(line).tolist() for line in held] == [[0, 1, 2, 3], list(range(2, 14)), []]


def test_a_year_11_pupils_summer_after_may_is_left_out_of_headline_standings() -> None:
    mondays = (date(2026, 5, 18), date(2026, 6, 1))
    calendar = Calendar.from_terms(
        [(date(2026, 4, 13), date(2026, 7, 20))], [date(2026, 5, 25) + timedelta(days=n) for n in range(5)]
    )
    births = (date(2010, 1, 1), date(2011, 1, 1), date(2009, 1, 1))
    marks = np.full((3, 2 * SESSIONS), BY_LETTERS["I"].byte, dtype=np.uint8)
    found = stood(Year(Sheet(SCHOOL, 2025, mondays, marks, roll(births), calendar), births))
    assert found["headline_possible"].tolist() == [10, 20, 0]
    assert found["headline_absent"].tolist() == [10, 20, 0]
    assert found["possible"].tolist() == [20, 20, 20]


@given(st.lists(st.dates(date(2003, 1, 1), date(2024, 12, 31)), min_size=1, max_size=60))
def test_compulsory_school_age_is_the_rules(births: list[date]) -> None:
    assert DEFAULT_POLICY.last_friday_inside
    first, last = school_age(days(births))
    spans = [compulsory_school_age(born) for born in births]
    assert first.tolist() == [span.first_day for span in spans]
    assert last.tolist() == [span.last_day for span in spans]


@LAW
@given(years(most_weeks=46), st.booleans())
def test_headline_cells_are_the_rules(year: Year, has_half_term: bool) -> None:
    sheet = year.sheet
    if has_half_term:
        sheet = replace(sheet, calendar=sheet.calendar.without([date(2026, 5, 25) + timedelta(days=n) for n in range(5)]))
    cells = sheet.headline_cells
    until = second_half_of_summer(sheet.calendar, 2025)
    in_year = [place for place, on in enumerate(sheet.days.astype(object)) if date(2025, 9, 1) <= on < date(2026, 9, 1)]
    for line, born in enumerate(year.births):
        own = [is_in_headline(born, sheet.days[place].astype(object), until) for place in in_year]
        assert cells[line, in_year].tolist() == own
    assert headline_lines(sheet.roll.date_of_birth, 2025).tolist() == cells[:, :1].ravel().tolist()


@pytest.mark.parametrize(
    ("closed", "back_on"),
    [
        ((date(2026, 5, 25), date(2026, 5, 29)), date(2026, 6, 1)),
        ((date(2026, 5, 22), date(2026, 6, 1)), date(2026, 6, 2)),
        ((date(2026, 6, 1), date(2026, 6, 5)), date(2026, 6, 8)),
    ],
)
def test_the_second_half_of_summer_begins_on_the_day_after_the_may_half_term(closed: tuple[date, date], back_on: date) -> None:
    away = [closed[0] + timedelta(days=ahead) for ahead in range((closed[1] - closed[0]).days + 1)]
    calendar = Calendar.from_terms([(date(2026, 4, 13), date(2026, 7, 20))], away)
    assert second_half_of_summer(calendar, 2025) == back_on


def test_without_term_dates_the_second_half_of_summer_begins_on_1_june() -> None:
    assert second_half_of_summer(Calendar(()), 2025) == date(2026, 6, 1)


@LAW
@given(years())
def test_tallies_are_a_recount_of_the_pages(year: Year) -> None:
    """Each row against the rules' tally of its cohort, mark by mark."""
    sheet = year.sheet
    rows = [dict(zip(TALLY_COLUMNS, row, strict=True)) for row in tally_rows(sheet, sheet.weeks)]
    assert len(rows) == len(sheet.weeks) * (2 + len(set(sheet.roll.year_group)))
    until = second_half_of_summer(sheet.calendar, 2025)
    for row in rows:
        held = [
            (line, byte)
            for line, born in enumerate(year.births)
            for place, byte in enumerate(sheet.marks[line].tolist())
            if byte
            and week_of(sheet.days[place].astype(object)) == row["week"]
            and sheet.calendar.meets(sheet.days[place].astype(object), HALVES[place % 2])
            and (row["dimension"] != YEAR_GROUP or sheet.roll.year_group[line] == row["value"])
            and (row["dimension"] != HEADLINE or is_in_headline(born, max(sheet.days[place].astype(object), FIRST), until))
        ]
        tally = Tally.of(byte for _, byte in held)
        names = ("possible", "present", "approved", "authorised", "unauthorised", "late_before", "late_after")
        assert {name: row[name] for name in names} == {name: getattr(tally, name) for name in names}
        assert row["enrolments"] == len({line for line, byte in held if BY_BYTE[byte].possible})
        assert row["by_code"] == [dict(tally.counts).get(int(byte), 0) for byte in CODE_BYTES]
        assert row["dimension"] in {HEADLINE, EVERYONE, YEAR_GROUP}


@LAW
@given(years())
def test_standings_are_each_pupils_own(year: Year) -> None:
    stand, sheet, on = stood(year), year.sheet, newest(year)
    recent = recent_weeks(sheet.calendar, on) if on else None
    last = recent_weeks(sheet.calendar, on, 1) if on else None
    until = second_half_of_summer(sheet.calendar, 2025)
    used = np.flatnonzero(sheet.counted.any(axis=0))
    reported = place_of((sheet.days[used[-1]].astype(object), HALVES[used[-1] % 2])) if used.size else -1
    for line, born in enumerate(year.births):
        marks = year.marks_of(line)
        lately = tally_of(marks, sheet.calendar, recent) if recent else Tally(())
        lastly = tally_of(marks, sheet.calendar, last) if last else Tally(())
        headline = {one: letters for one, letters in marks.items() if is_in_headline(born, max(one[0], FIRST), until)}
        counted = tally_of(headline, sheet.calendar)
        due = [one for one in sheet.calendar.sessions() if week_of(one[0]) in sheet.weeks and place_of(one) <= reported]
        assert {name: int(stand[name][line]) for name in stand if not name.startswith("threshold")} == {
            **{
                name: getattr(tally_of(marks, sheet.calendar), name)
                for name in ("possible", "present", "approved", "authorised", "unauthorised", "late_before", "late_after")
            },
            "missing": sum(one not in marks for one in due),
            "unexplained": tally_of(marks, sheet.calendar).count("N"),
            "spells": spells(marks, sheet.calendar).number,
            "longest_spell": spells(marks, sheet.calendar).longest,
            "recent_possible": lately.possible,
            "recent_absent": lately.absent,
            "last_week_possible": lastly.possible,
            "last_week_absent": lastly.absent,
            "headline_possible": counted.possible,
            "headline_absent": counted.absent,
        }


@LAW
@given(years())
def test_completeness_counts_every_mark_expected_and_missing(year: Year) -> None:
    sheet = year.sheet
    expected, missing = completeness(sheet)
    used = np.flatnonzero(sheet.counted.any(axis=0))
    last = used[-1] if used.size else -1
    for place in range(len(sheet.weeks)):
        columns = [at for at in range(place * SESSIONS, (place + 1) * SESSIONS) if sheet.met[at] and at <= last]
        assert expected[place] == len(columns) * len(year.births)
        assert missing[place] == sum(sheet.marks[line, at] == 0 for line in range(len(year.births)) for at in columns)
