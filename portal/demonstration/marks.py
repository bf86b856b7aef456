"""The marks: a school's year drawn whole from its seed, and what of it the authority has been sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from portal.demonstration.attending import (
    Canvas,
    byte,
    paint_activities,
    paint_days,
    paint_exam_leave,
    paint_lateness,
    paint_not_possible,
    plainly_present,
)
from portal.demonstration.sessions import EIDS, sessions_of
from portal.demonstration.sources import REASONS, calibrations
from portal.demonstration.spells import PERSISTENT, lay_out
from portal.demonstration.streams import stream
from portal.demonstration.terms import calendar_of

if TYPE_CHECKING:
    from portal.demonstration.plans import Levels, Plan, Register
    from portal.demonstration.sessions import Sessions
    from portal.demonstration.streams import Bytes, Whole

OBSERVES, OBSERVED_SESSIONS = 0.95, 2
#: Of pupils who miss a tenth of the year, how many have a part-time timetable, times how often it is met; its length.
PART_TIME = 50.0
PART_TIME_FROM, PART_TIME_MOST, PART_TIME_SHARE = 30, 60, 0.6
#: How much absence has no reason yet: within 2, 5 and 10 school days of today.
NOT_YET = ((2, 0.30), (5, 0.12), (10, 0.05))
FORGETS_FRIDAY, NEWEST_FORGOTTEN, FRIDAY_AFTERNOON = 4, 3, 9
FORGETS_MARKS, SHARE_FORGOTTEN = 6, 0.012
_EXPLAINED_LATER = np.array([byte(one) for one in ("I", "O", "M", "C")])


def marks(plan: Plan, urn: str, academic_year: int) -> Bytes:
    """A school's marks of one academic year up to the day before the plan's day: lines x weeks met x 14, a byte a mark.

    0 where the school did not meet, the pupil was not on roll, or the session is still to come.
    """
    register = plan.registers[urn, academic_year]
    sessions = sessions_of(calendar_of(plan.terms, plan.closed, urn, academic_year))
    whole = _year(plan.seed, register, sessions)
    today = sessions.place(plan.today)
    _not_yet_explained(plan.seed, register, whole, sessions, today)
    whole[:, today:] = 0
    return sessions.laid_out(whole)[:, : register.met]


def _year(seed: int, register: Register, sessions: Sessions) -> Bytes:
    key = (int(register.urn), register.academic_year)
    levels = register.levels
    window = sessions.windows(register.lines)
    canvas = Canvas(seed, key, sessions, levels, plainly_present(sessions, len(register.lines)))
    possible = window[1] - window[0]
    chance = stream(seed, "quota", *key).random((possible.size, 4))
    quota = np.floor(levels.rate * possible + chance[:, 0]).astype(np.int64)
    quota = np.clip(quota, 0, possible)
    observed = np.where(levels.observant & (chance[:, 1] < OBSERVES), OBSERVED_SESSIONS, 0)
    feasts = sessions.on(EIDS)
    observed = np.minimum(observed * int(feasts.sum() // 2), quota)
    part_time = _part_time(levels, quota - observed, chance[:, 2])
    laid = lay_out(stream(seed, "spells", *key), sessions, levels, window, quota - observed - part_time)
    canvas.marks[laid.line, laid.place] = np.array([byte(one) for one in REASONS])[laid.reason]
    _set_days(canvas, window, observed, part_time, chance[:, 3])
    paint_exam_leave(canvas)
    paint_activities(canvas)
    paint_lateness(canvas)
    paint_not_possible(canvas)
    place = np.arange(sessions.day.size)
    canvas.marks[(place < window[0][:, None]) | (place >= window[1][:, None])] = 0
    return canvas.marks


def _part_time(levels: Levels, quota: Whole, chance: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Whole:
    """How many sessions of each line's absence are an agreed part-time timetable: none for nearly all."""
    share = np.minimum(PART_TIME * np.array([one.often("C2") for one in calibrations()]), 0.9)[levels.table]
    chosen = (chance < share) & (levels.rate >= PERSISTENT) & (levels.group > 0)
    most = PART_TIME_FROM + chance / share * PART_TIME_MOST
    return np.where(chosen, np.minimum(quota * PART_TIME_SHARE, most), 0).astype(np.int64)


def _set_days(
    canvas: Canvas,
    window: tuple[Whole, Whole],
    observed: Whole,
    part_time: Whole,
    chance: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> None:
    """Absence on set days: religious observance, and the afternoons of a part-time timetable."""
    sessions = canvas.sessions
    place = np.arange(sessions.day.size)
    faithful = np.flatnonzero(observed)
    paint_days(canvas, "R", faithful, observed[faithful], np.broadcast_to(sessions.on(EIDS), (faithful.size, place.size)))
    fewer = np.flatnonzero(part_time)
    first = window[0][fewer] + chance[fewer] * 0.4 * (window[1] - window[0])[fewer]
    inside = (place >= first[:, None]) & (place < window[1][fewer][:, None])
    paint_days(canvas, "C2", fewer, part_time[fewer], sessions.afternoon & inside)


def _not_yet_explained(seed: int, register: Register, whole: Bytes, sessions: Sessions, today: int) -> None:
    """Turn some of the latest absence to N: the school has not heard why yet."""
    if today >= sessions.day.size:
        return
    days = np.unique(sessions.day[:today])
    chance = stream(seed, "not yet", int(register.urn), register.academic_year).random(whole.shape, dtype=np.float32)
    often = np.zeros(sessions.day.size, dtype=np.float32)
    for count, share in reversed(NOT_YET):
        if days.size:
            often[:today] = np.where(sessions.day[:today] >= days[-min(count, days.size)], share, often[:today])
    whole[np.isin(whole, _EXPLAINED_LATER) & (chance < often)] = byte("N")


def weeks_sent(plan: Plan, urn: str, academic_year: int) -> int:
    """How many of a register's weeks the authority has been sent: all that were met, less the school's gap this year."""
    register = plan.registers[urn, academic_year]
    gaps = [gap.weeks for gap in plan.gaps if gap.urn == urn and academic_year == plan.years[-1]]
    return max(0, register.met - sum(gaps))


def forgotten(plan: Plan, urn: str, whole: Bytes) -> Bytes:
    """This year's marks as a school sends them: one in four forgets a class's Friday afternoon, one in six marks here and there."""
    register = plan.registers[urn, plan.years[-1]]
    house = plan.school(urn).house
    left = whole.copy()
    draw = stream(plan.seed, "forgotten", int(urn), register.academic_year)
    groups = np.array([line.registration_group for line in register.lines])
    if house % FORGETS_FRIDAY == 1 and register.met > NEWEST_FORGOTTEN:
        row, week = int(draw.integers(groups.size)), register.met - NEWEST_FORGOTTEN
        left[groups == groups[row], week, FRIDAY_AFTERNOON] = 0
    if house % FORGETS_MARKS == 2:  # noqa: PLR2004  any remainder would do, not that of the other schools
        left[draw.random(left.shape, dtype=np.float32) < SHARE_FORGOTTEN] = 0
    return left


def as_first_sent(plan: Plan, urn: str, academic_year: int, week: int, now: Bytes) -> Bytes:
    """A week's page as the school first sent it, before reasons came in: `now` (lines x 14) with some absence still N."""
    draw = stream(plan.seed, "first sent", int(urn), academic_year, week)
    chance = draw.random(now.shape, dtype=np.float32)
    before = now.copy()
    before[np.isin(now, _EXPLAINED_LATER) & (chance < NOT_YET[0][1])] = byte("N")
    return before
