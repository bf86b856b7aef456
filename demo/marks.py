"""The marks: a school's year drawn from its seed, and what the authority has been sent of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from demo.absence_periods import PERSISTENT, lay_out_absence
from demo.mark_layers import (
    Canvas,
    all_present,
    byte_of,
    paint_activities,
    paint_days,
    paint_exam_leave,
    paint_lateness,
    paint_not_possible,
)
from demo.seeded_random import stream
from demo.sessions import EID_DAYS, sessions_of
from demo.sources import REASONS, calibrations
from demo.terms import calendar_of

if TYPE_CHECKING:
    from demo.plans import Levels, Plan, Register
    from demo.seeded_random import Bytes, Ints
    from demo.sessions import Sessions

OBSERVES, OBSERVED_SESSIONS = 0.95, 2
#: How many pupils who miss a tenth of the year have a part-time timetable, as a multiple of its published share.
PART_TIME = 50.0
PART_TIME_FROM, PART_TIME_MOST, PART_TIME_SHARE = 30, 60, 0.6
#: The share of absence without a reason yet, within 2, 5 and 10 school days of today.
WITHOUT_REASON = ((2, 0.30), (5, 0.12), (10, 0.05))
FORGETS_FRIDAY_EVERY, FORGOTTEN_WEEK, FRIDAY_AFTERNOON = 4, 3, 9
FORGETS_MARKS_EVERY, SHARE_FORGOTTEN = 6, 0.012
_EXPLAINED_LATER = np.array([byte_of(code) for code in ("I", "O", "M", "C")])


def marks(plan: Plan, urn: str, academic_year: int) -> Bytes:
    """A school's marks of one academic year up to the day before the plan's day.

    An array of lines by weeks met by 14, one byte a mark. 0 where the school did not meet, the pupil was not on roll, or
    the session is still to come.
    """
    register = plan.registers[urn, academic_year]
    sessions = sessions_of(calendar_of(plan.terms, plan.closed, urn, academic_year))
    drawn = _draw_year(plan.seed, register, sessions)
    end = sessions.index_of(plan.today)
    _remove_recent_reasons(plan.seed, register, drawn, sessions, end)
    drawn[:, end:] = 0
    return sessions.by_week(drawn)[:, : register.met]


def _draw_year(seed: int, register: Register, sessions: Sessions) -> Bytes:
    key = (int(register.urn), register.academic_year)
    levels = register.levels
    window = sessions.windows(register.lines)
    canvas = Canvas(seed, key, sessions, levels, all_present(sessions, len(register.lines)))
    possible = window[1] - window[0]
    chance = stream(seed, "quota", *key).random((possible.size, 4))
    # Adding the chance before rounding down keeps the mean. Plain rounding would lose the absence of pupils who miss little.
    quota = np.floor(levels.rate * possible + chance[:, 0]).astype(np.int64)
    quota = np.clip(quota, 0, possible)
    observed_sessions = np.where(levels.observant & (chance[:, 1] < OBSERVES), OBSERVED_SESSIONS, 0)
    on_eid = sessions.falls_on(EID_DAYS)
    observed_sessions = np.minimum(observed_sessions * int(on_eid.sum() // 2), quota)
    part_time_sessions = _part_time(levels, quota - observed_sessions, chance[:, 2])
    absence = lay_out_absence(
        stream(seed, "spells", *key), sessions, levels, window, quota - observed_sessions - part_time_sessions
    )
    canvas.marks[absence.line, absence.session] = np.array([byte_of(code) for code in REASONS])[absence.reason]
    _paint_set_days(canvas, window, observed_sessions, part_time_sessions, chance[:, 3])
    # Later layers write over earlier ones only where a pupil is still plainly present; the last writes over everything.
    paint_exam_leave(canvas)
    paint_activities(canvas)
    paint_lateness(canvas)
    paint_not_possible(canvas)
    index = np.arange(sessions.day.size)
    canvas.marks[(index < window[0][:, None]) | (index >= window[1][:, None])] = 0
    return canvas.marks


def _part_time(levels: Levels, quota: Ints, chance: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Ints:
    """How many sessions of each line's absence are an agreed part-time timetable: 0 for nearly all."""
    share = np.minimum(PART_TIME * np.array([calibration.session_share("C2") for calibration in calibrations()]), 0.9)[levels.table]
    has_timetable = (chance < share) & (levels.rate >= PERSISTENT) & (levels.group > 0)
    maximum = PART_TIME_FROM + chance / share * PART_TIME_MOST
    return np.where(has_timetable, np.minimum(quota * PART_TIME_SHARE, maximum), 0).astype(np.int64)


def _paint_set_days(
    canvas: Canvas,
    window: tuple[Ints, Ints],
    observed_sessions: Ints,
    part_time_sessions: Ints,
    chance: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> None:
    """Paint absence on set days: religious observance, and the afternoons of a part-time timetable."""
    sessions = canvas.sessions
    index = np.arange(sessions.day.size)
    observant = np.flatnonzero(observed_sessions)
    paint_days(
        canvas,
        "R",
        observant,
        observed_sessions[observant],
        np.broadcast_to(sessions.falls_on(EID_DAYS), (observant.size, index.size)),
    )
    part_time = np.flatnonzero(part_time_sessions)
    first = window[0][part_time] + chance[part_time] * 0.4 * (window[1] - window[0])[part_time]
    inside = (index >= first[:, None]) & (index < window[1][part_time][:, None])
    paint_days(canvas, "C2", part_time, part_time_sessions[part_time], sessions.afternoon & inside)


def _remove_recent_reasons(seed: int, register: Register, drawn: Bytes, sessions: Sessions, end: int) -> None:
    """Turn some of the latest absence to N: the school does not know the reason yet."""
    if end >= sessions.day.size:
        return
    days = np.unique(sessions.day[:end])
    chance = stream(seed, "not yet", int(register.urn), register.academic_year).random(drawn.shape, dtype=np.float32)
    share_without = np.zeros(sessions.day.size, dtype=np.float32)
    for days_back, share in reversed(WITHOUT_REASON):
        if days.size:
            share_without[:end] = np.where(sessions.day[:end] >= days[-min(days_back, days.size)], share, share_without[:end])
    drawn[np.isin(drawn, _EXPLAINED_LATER) & (chance < share_without)] = byte_of("N")


def weeks_sent(plan: Plan, urn: str, academic_year: int) -> int:
    """How many of a register's weeks the authority has been sent.

    These are all the weeks met, less the school's gap this year.
    """
    register = plan.registers[urn, academic_year]
    gaps = [gap.weeks for gap in plan.gaps if gap.urn == urn and academic_year == plan.years[-1]]
    return max(0, register.met - sum(gaps))


def with_missing_marks(plan: Plan, urn: str, sent: Bytes) -> Bytes:
    """This year's marks as a school sends them.

    One school in four forgets a class's Friday afternoon, and one in six forgets single marks.
    """
    register = plan.registers[urn, plan.years[-1]]
    number = plan.school(urn).number
    marks_left = sent.copy()
    rng = stream(plan.seed, "forgotten", int(urn), register.academic_year)
    groups = np.array([line.registration_group for line in register.lines])
    if number % FORGETS_FRIDAY_EVERY == 1 and register.met > FORGOTTEN_WEEK:
        row, week = int(rng.integers(groups.size)), register.met - FORGOTTEN_WEEK
        marks_left[groups == groups[row], week, FRIDAY_AFTERNOON] = 0
    if number % FORGETS_MARKS_EVERY == 2:
        marks_left[rng.random(marks_left.shape, dtype=np.float32) < SHARE_FORGOTTEN] = 0
    return marks_left


def as_first_sent(plan: Plan, urn: str, academic_year: int, week: int, current: Bytes) -> Bytes:
    """A week's page as the school first sent it, before it knew every reason.

    `current` (lines x 14) is the page of today; some of its absence becomes N again.
    """
    rng = stream(plan.seed, "first sent", int(urn), academic_year, week)
    chance = rng.random(current.shape, dtype=np.float32)
    first = current.copy()
    first[np.isin(current, _EXPLAINED_LATER) & (chance < WITHOUT_REASON[0][1])] = byte_of("N")
    return first
