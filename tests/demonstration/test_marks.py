"""The marks: drawn again alike, inside calendar and roll, and shaped as real registers are."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from portal.demonstration.marks import as_first_sent, marks, weeks_sent
from portal.demonstration.sessions import sessions_of
from portal.demonstration.sources import REASONS, spell_lengths
from portal.demonstration.spells import lay_out
from portal.demonstration.streams import normal_scores, stratified, stream
from portal.demonstration.terms import calendar_of
from portal.rules.codes import BY_BYTE, BY_LETTERS, Category
from portal.rules.school_age import is_compulsory_school_age

if TYPE_CHECKING:
    from portal.demonstration.plans import Plan

AM, PM, LATE = (BY_LETTERS[letters].byte for letters in ("/", "\\", "L"))


def _byte(letters: str) -> int:
    return BY_LETTERS[letters].byte


def test_any_school_can_be_drawn_again_alone(plan: Plan) -> None:
    urn = plan.schools[3].urn
    whole = marks(plan, urn, 2025)
    assert np.array_equal(whole, marks(plan, urn, 2025))
    assert not np.array_equal(whole[:50], marks(plan, plan.schools[4].urn, 2025)[:50])


@pytest.mark.parametrize("year", [2025, 2026])
def test_marks_stand_only_where_the_school_met_and_the_pupil_was_on_roll(plan: Plan, year: int) -> None:
    for school in plan.schools:
        register = plan.registers[school.urn, year]
        whole = marks(plan, school.urn, year)
        calendar = calendar_of(plan.terms, plan.closed, school.urn, year)
        assert whole.shape == (len(register.lines), register.met, 14)
        assert whole.dtype == np.uint8
        for week, monday in enumerate(register.weeks[: register.met]):
            for column in range(14):
                on = monday + timedelta(days=column // 2)
                expected = calendar.meets(on, ("AM", "PM")[column % 2]) and on < plan.today
                on_roll = [
                    line.on_roll_from <= on and (line.on_roll_until is None or on <= line.on_roll_until) for line in register.lines
                ]
                assert np.array_equal(whole[:, week, column] != 0, np.array(on_roll) & expected)


def test_every_byte_is_a_code_in_its_own_half_of_the_day(plan: Plan) -> None:
    whole = marks(plan, plan.schools[-3].urn, 2025)
    assert set(np.unique(whole).tolist()) <= set(BY_BYTE) | {0}
    assert not (whole[:, :, 1::2] == AM).any()
    assert not (whole[:, :, 0::2] == PM).any()


def test_x_is_only_for_those_under_or_over_compulsory_school_age(plan: Plan) -> None:
    pupils = {pupil.number: pupil for pupil in plan.pupils}
    seen = 0
    for (urn, year), register in plan.registers.items():
        whole = marks(plan, urn, year)
        for row, week, column in np.argwhere(whole == _byte("X")):
            on = register.weeks[week] + timedelta(days=int(column) // 2)
            assert not is_compulsory_school_age(pupils[register.lines[row].pupil].date_of_birth, on)
            seen += 1
    assert seen > 100


def test_a_dual_registered_pupil_has_d_at_one_school_and_a_real_mark_at_the_other(plan: Plan) -> None:
    centre = next(school for school in plan.schools if school.phase == "alternative")
    here = plan.registers[centre.urn, 2025]
    there = {
        line.pupil: (urn, line.line - 1)
        for (urn, year), one in plan.registers.items()
        if year == 2025
        for line in one.lines
        if line.enrolment_status == "M"
    }
    dual = [line for line in here.lines if line.enrolment_status == "S"]
    assert dual
    for line in dual:
        urn, row = there[line.pupil]
        theirs, ours = marks(plan, urn, 2025)[row], marks(plan, centre.urn, 2025)[line.line - 1]
        d = _byte("D")
        main, other = plan.registers[urn, 2025].weeks, here.weeks
        for monday in set(main) & set(other):
            a, b = theirs[main.index(monday)], ours[other.index(monday)]
            both = (a != 0) & (b != 0)
            assert ((a == d) != (b == d))[both].all()
        assert (theirs == d).any()
        assert (ours == d).any()


def test_year_11_goes_at_the_end_of_june(plan: Plan) -> None:
    school = next(school for school in plan.schools if school.phase == "secondary")
    register = plan.registers[school.urn, 2025]
    oldest = [row for row, line in enumerate(register.lines) if line.year_group == "11"]
    whole = marks(plan, school.urn, 2025)[oldest]
    july = [place for place, monday in enumerate(register.weeks) if monday >= date(2026, 6, 29)]
    june = [place for place, monday in enumerate(register.weeks) if date(2026, 6, 1) <= monday <= date(2026, 6, 22)]
    assert not whole[:, july].any()
    assert (whole[:, june] == _byte("S")).sum() > 0.5 * (whole[:, june] != 0).sum()


def test_some_of_the_newest_absence_has_no_reason_yet_and_older_has(plan: Plan) -> None:
    n = _byte("N")
    newest = older = absent_newest = absent_older = 0
    for school in plan.schools:
        whole = marks(plan, school.urn, 2026)
        absent = (whole >> 5 == Category.AUTHORISED) | (whole >> 5 == Category.UNAUTHORISED)
        newest, absent_newest = newest + (whole[:, -1] == n).sum(), absent_newest + absent[:, -1].sum()
        older, absent_older = older + (whole[:, :-3] == n).sum(), absent_older + absent[:, :-3].sum()
    assert newest / absent_newest > 0.15
    assert older / absent_older < 0.03


def test_the_page_as_first_sent_differs_only_in_reasons_not_yet_known(plan: Plan) -> None:
    urn = plan.schools[-3].urn
    now = marks(plan, urn, 2026)[:, 4]
    before = as_first_sent(plan, urn, 2026, 4, now)
    changed = before != now
    assert changed.any()
    assert (before[changed] == _byte("N")).all()


def test_the_silent_school_has_sent_three_weeks_fewer(plan: Plan) -> None:
    silent = next(gap for gap in plan.gaps if gap.weeks == 3)
    assert weeks_sent(plan, silent.urn, 2026) == plan.registers[silent.urn, 2026].met - 3
    assert weeks_sent(plan, silent.urn, 2025) == plan.registers[silent.urn, 2025].met


def test_spells_add_up_to_the_quota_inside_the_window_and_never_overlap(plan: Plan) -> None:
    urn = plan.schools[-3].urn
    register = plan.registers[urn, 2025]
    sessions = sessions_of(calendar_of(plan.terms, plan.closed, urn, 2025))
    window = sessions.windows(register.lines)
    draw = stream(1, "quota of the test")
    quota = np.floor(draw.random(len(register.lines)) ** 3 * (window[1] - window[0] + 1)).astype(np.int64)
    quota[:5] = (window[1] - window[0])[:5]
    laid = lay_out(stream(1, "spells of the test"), sessions, register.levels, window, quota)
    assert np.array_equal(np.bincount(laid.line, minlength=quota.size), quota)
    assert np.unique(laid.line * 10_000 + laid.place).size == laid.line.size
    assert (laid.place >= window[0][laid.line]).all()
    assert (laid.place < window[1][laid.line]).all()
    assert laid.reason.max() < len(REASONS)


def test_absence_comes_in_spells_of_a_day_or_two_and_more_on_fridays(plan: Plan) -> None:
    lengths, absent, possible = [], np.zeros(5), np.zeros(5)
    for school in plan.schools:
        if school.phase == "primary":
            sessions = sessions_of(calendar_of(plan.terms, plan.closed, school.urn, 2025))
            category = marks(plan, school.urn, 2025).reshape(-1, len(sessions.weeks) * 14)[:, sessions.slot] >> 5
            away = np.isin(category, [Category.AUTHORISED, Category.UNAUTHORISED])
            for weekday in range(5):
                absent[weekday] += away[:, sessions.weekday == weekday].sum()
                possible[weekday] += np.isin(category[:, sessions.weekday == weekday], [1, 2, 3, 4]).sum()
            edge = np.diff(np.pad(away.astype(np.int8), ((0, 0), (1, 1))), axis=1)
            lengths.append(np.argwhere(edge == -1)[:, 1] - np.argwhere(edge == 1)[:, 1])
    spells = np.concatenate(lengths)
    assert 0.4 < np.isin(spells, [2, 3, 4]).mean() < 0.56
    assert np.median(spells) == 2
    by_day = absent / possible
    assert by_day.argmax() == 4
    assert 1.08 < by_day[4] / by_day.mean() < 1.25


def test_normal_scores_are_those_of_the_tables() -> None:
    shares = np.array([0.001, 0.025, 0.16, 0.5, 0.84, 0.975, 0.999])
    known = np.array([-3.090232, -1.959964, -0.994458, 0.0, 0.994458, 1.959964, 3.090232])
    assert np.allclose(normal_scores(shares), known, atol=1e-6)
    assert abs(stratified(stream(1, "any"), 45).mean()) < 1e-9


def test_tables_of_lengths_hold_their_weights() -> None:
    illness = spell_lengths()[REASONS.index("I")]
    assert (illness == 2).mean() == pytest.approx(0.434, abs=0.005)
    assert illness.max() == 20
    assert LATE == 34
