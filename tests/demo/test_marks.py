"""The marks: the same for the same seed, inside calendar and roll, and distributed as in real registers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from demo.absence_periods import lay_out_absence
from demo.marks import as_first_sent, marks, weeks_sent
from demo.seeded_random import normal_scores, stratified, stream
from demo.sessions import sessions_of
from demo.sources import REASONS, period_lengths
from demo.terms import calendar_of
from portal.rules.codes import CODES_BY_BYTE, CODES_BY_SYMBOL, Category
from portal.rules.school_age import is_compulsory_school_age

if TYPE_CHECKING:
    from demo.plans import Plan

AM, PM, LATE = (CODES_BY_SYMBOL[code].byte for code in ("/", "\\", "L"))


def _byte_of(code: str) -> int:
    return CODES_BY_SYMBOL[code].byte


def test_one_school_can_be_drawn_again_without_the_others(plan: Plan) -> None:
    urn = plan.schools[3].urn
    drawn = marks(plan, urn, 2025)
    assert np.array_equal(drawn, marks(plan, urn, 2025))
    assert not np.array_equal(drawn[:50], marks(plan, plan.schools[4].urn, 2025)[:50])


@pytest.mark.parametrize("year", [2025, 2026])
def test_there_are_marks_only_where_the_school_met_and_the_pupil_was_on_roll(plan: Plan, year: int) -> None:
    for school in plan.schools:
        register = plan.registers[school.urn, year]
        drawn = marks(plan, school.urn, year)
        calendar = calendar_of(plan.terms, plan.closed, school.urn, year)
        assert drawn.shape == (len(register.lines), register.met, 14)
        assert drawn.dtype == np.uint8
        for week, monday in enumerate(register.weeks[: register.met]):
            for column in range(14):
                on = monday + timedelta(days=column // 2)
                expected = calendar.meets(on, ("AM", "PM")[column % 2]) and on < plan.today
                on_roll = [
                    line.on_roll_from <= on and (line.on_roll_until is None or on <= line.on_roll_until) for line in register.lines
                ]
                assert np.array_equal(drawn[:, week, column] != 0, np.array(on_roll) & expected)


def test_every_byte_is_a_code_in_its_own_half_of_the_day(plan: Plan) -> None:
    drawn = marks(plan, plan.schools[-3].urn, 2025)
    assert set(np.unique(drawn).tolist()) <= set(CODES_BY_BYTE) | {0}
    assert not (drawn[:, :, 1::2] == AM).any()
    assert not (drawn[:, :, 0::2] == PM).any()


def test_x_is_given_only_outside_compulsory_school_age(plan: Plan) -> None:
    pupils = {pupil.number: pupil for pupil in plan.pupils}
    count = 0
    for (urn, year), register in plan.registers.items():
        drawn = marks(plan, urn, year)
        for row, week, column in np.argwhere(drawn == _byte_of("X")):
            on = register.weeks[week] + timedelta(days=int(column) // 2)
            assert not is_compulsory_school_age(pupils[register.lines[row].pupil].date_of_birth, on)
            count += 1
    assert count > 100


def test_a_dual_registered_pupil_has_d_at_one_school_and_a_real_mark_at_the_other(plan: Plan) -> None:
    centre = next(school for school in plan.schools if school.phase == "alternative")
    subsidiary = plan.registers[centre.urn, 2025]
    main_rows = {
        line.pupil: (urn, line.line - 1)
        for (urn, year), register in plan.registers.items()
        if year == 2025
        for line in register.lines
        if line.enrolment_status == "M"
    }
    dual = [line for line in subsidiary.lines if line.enrolment_status == "S"]
    assert dual
    for line in dual:
        urn, row = main_rows[line.pupil]
        main, second = marks(plan, urn, 2025)[row], marks(plan, centre.urn, 2025)[line.line - 1]
        d_byte = _byte_of("D")
        main_weeks, second_weeks = plan.registers[urn, 2025].weeks, subsidiary.weeks
        for monday in set(main_weeks) & set(second_weeks):
            main_page, second_page = main[main_weeks.index(monday)], second[second_weeks.index(monday)]
            on_both = (main_page != 0) & (second_page != 0)
            assert ((main_page == d_byte) != (second_page == d_byte))[on_both].all()
        assert (main == d_byte).any()
        assert (second == d_byte).any()


def test_year_11_leaves_at_the_end_of_june(plan: Plan) -> None:
    school = next(school for school in plan.schools if school.phase == "secondary")
    register = plan.registers[school.urn, 2025]
    oldest = [row for row, line in enumerate(register.lines) if line.year_group == "11"]
    drawn = marks(plan, school.urn, 2025)[oldest]
    july = [week for week, monday in enumerate(register.weeks) if monday >= date(2026, 6, 29)]
    june = [week for week, monday in enumerate(register.weeks) if date(2026, 6, 1) <= monday <= date(2026, 6, 22)]
    assert not drawn[:, july].any()
    assert (drawn[:, june] == _byte_of("S")).sum() > 0.5 * (drawn[:, june] != 0).sum()


def test_new_absence_often_has_no_reason_yet_and_older_absence_has(plan: Plan) -> None:
    n_byte = _byte_of("N")
    newest = older = absent_newest = absent_older = 0
    for school in plan.schools:
        drawn = marks(plan, school.urn, 2026)
        absent = (drawn >> 5 == Category.AUTHORISED) | (drawn >> 5 == Category.UNAUTHORISED)
        newest, absent_newest = newest + (drawn[:, -1] == n_byte).sum(), absent_newest + absent[:, -1].sum()
        older, absent_older = older + (drawn[:, :-3] == n_byte).sum(), absent_older + absent[:, :-3].sum()
    assert newest / absent_newest > 0.15
    assert older / absent_older < 0.03


def test_the_page_as_first_sent_differs_only_in_reasons_not_yet_known(plan: Plan) -> None:
    urn = plan.schools[-3].urn
    current = marks(plan, urn, 2026)[:, 4]
    first_sent = as_first_sent(plan, urn, 2026, 4, current)
    changed = first_sent != current
    assert changed.any()
    assert (first_sent[changed] == _byte_of("N")).all()


def test_the_silent_school_has_sent_three_weeks_fewer(plan: Plan) -> None:
    silent = next(gap for gap in plan.gaps if gap.weeks == 3)
    assert weeks_sent(plan, silent.urn, 2026) == plan.registers[silent.urn, 2026].met - 3
    assert weeks_sent(plan, silent.urn, 2025) == plan.registers[silent.urn, 2025].met


def test_periods_add_up_to_the_quota_inside_the_window_and_never_overlap(plan: Plan) -> None:
    urn = plan.schools[-3].urn
    register = plan.registers[urn, 2025]
    sessions = sessions_of(calendar_of(plan.terms, plan.closed, urn, 2025))
    window = sessions.windows(register.lines)
    rng = stream(1, "quota of the test")
    quota = np.floor(rng.random(len(register.lines)) ** 3 * (window[1] - window[0] + 1)).astype(np.int64)
    quota[:5] = (window[1] - window[0])[:5]
    absence = lay_out_absence(stream(1, "spells of the test"), sessions, register.levels, window, quota)
    assert np.array_equal(np.bincount(absence.line, minlength=quota.size), quota)
    assert np.unique(absence.line * 10_000 + absence.session).size == absence.line.size
    assert (absence.session >= window[0][absence.line]).all()
    assert (absence.session < window[1][absence.line]).all()
    assert absence.reason.max() < len(REASONS)


def test_absence_lasts_a_day_or_two_and_is_higher_on_fridays(plan: Plan) -> None:
    lengths, absent, possible = [], np.zeros(5), np.zeros(5)
    for school in plan.schools:
        if school.phase == "primary":
            sessions = sessions_of(calendar_of(plan.terms, plan.closed, school.urn, 2025))
            category = marks(plan, school.urn, 2025).reshape(-1, len(sessions.weeks) * 14)[:, sessions.slot] >> 5
            is_absent = np.isin(category, [Category.AUTHORISED, Category.UNAUTHORISED])
            for weekday in range(5):
                absent[weekday] += is_absent[:, sessions.weekday == weekday].sum()
                possible[weekday] += np.isin(category[:, sessions.weekday == weekday], [1, 2, 3, 4]).sum()
            edges = np.diff(np.pad(is_absent.astype(np.int8), ((0, 0), (1, 1))), axis=1)
            lengths.append(np.argwhere(edges == -1)[:, 1] - np.argwhere(edges == 1)[:, 1])
    periods = np.concatenate(lengths)
    assert 0.4 < np.isin(periods, [2, 3, 4]).mean() < 0.56
    assert np.median(periods) == 2
    by_day = absent / possible
    assert by_day.argmax() == 4
    assert 1.08 < by_day[4] / by_day.mean() < 1.25


def test_normal_scores_match_the_published_tables() -> None:
    shares = np.array([0.001, 0.025, 0.16, 0.5, 0.84, 0.975, 0.999])
    expected = np.array([-3.090232, -1.959964, -0.994458, 0.0, 0.994458, 1.959964, 3.090232])
    assert np.allclose(normal_scores(shares), expected, atol=1e-6)
    assert abs(stratified(stream(1, "any"), 45).mean()) < 1e-9


def test_tables_of_lengths_keep_their_weights() -> None:
    illness = period_lengths()[REASONS.index("I")]
    assert (illness == 2).mean() == pytest.approx(0.434, abs=0.005)
    assert illness.max() == 20
    assert LATE == 34
