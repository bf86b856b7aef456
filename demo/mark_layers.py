"""Layers of marks other than absence: activities, lateness, and sessions that were not possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from demo.seeded_random import stream
from demo.sources import calibrations
from portal.rules.codes import CODES_BY_SYMBOL

if TYPE_CHECKING:
    from demo.plans import Levels
    from demo.seeded_random import Bools, Bytes, Floats, Ints
    from demo.sessions import Sessions

RECEPTION, YEAR_6, YEAR_8, YEAR_10, YEAR_11 = 0, 6, 8, 10, 11
SECONDARY, SPECIAL = 1, 2
GOES_ON_TRIP, RESIDENTIAL, GOES_AWAY = 0.95, 0.5, 0.6
IN_A_TEAM, YEARS_IN_SECONDARY = 0.12, 5
ARRANGED_SESSIONS, WEEKLY_FROM = 70, 0.5
MORNING_LATE, AFTERNOON_LATE = 1.62, 0.38
LATE_BY_WEEKDAY = (1.10, 1.04, 1.0, 0.97, 0.89)
ATTENDED_SHARE = 0.9
MOST_LATE = 0.5
PHASED_START, PHASED_DAYS, PART_TIME_RECEPTION = 0.6, 20, 0.03
SNOW, BOILER, CUT_OFF = 0.25, 0.08, 0.02
REVISES_AT_HOME, REVISION_SESSIONS, AFTER_HALF_TERM = 0.25, 8, 0.7
FREE_PERIODS = 0.22
WITHOUT_ACCESS = 0.01


def byte_of(code: str) -> np.uint8:
    """The byte of a code."""
    return np.uint8(CODES_BY_SYMBOL[code].byte)


_AM, _PM = byte_of("/"), byte_of("\\")


@dataclass(frozen=True, slots=True)
class Canvas:
    """The marks of a school year while they are drawn: lines by sessions. Each layer changes them in place."""

    seed: int
    key: tuple[int, int]
    sessions: Sessions
    levels: Levels
    marks: Bytes

    def stream(self, purpose: str) -> np.random.Generator:
        """The random stream of one layer of this school year."""
        return stream(self.seed, purpose, *self.key)

    @property
    def attended(self) -> Bools:
        """Where the marks still say plainly present."""
        plain: Bools = (self.marks == _AM) | (self.marks == _PM)
        return plain

    def paint(self, code: str, where: Bools) -> None:
        """Put a code where a pupil is plainly present."""
        self.marks[where & self.attended] = byte_of(code)

    def session_shares(self, code: str) -> Floats:
        """For each line, the share of its possible sessions to carry a code."""
        return np.array([calibration.session_share(code) for calibration in calibrations()])[self.levels.table]


def all_present(sessions: Sessions, lines: int) -> Bytes:
    """Marks of everyone present, all year."""
    return np.repeat(np.where(sessions.afternoon, _PM, _AM)[None, :], lines, axis=0)


def paint_activities(canvas: Canvas) -> None:
    """Paint approved educational activity: trips, residentials, work experience, weekly placements, sport."""
    _paint_trips(canvas)
    _paint_work_experience(canvas)
    rng, levels, sessions = canvas.stream("placements"), canvas.levels, canvas.sessions
    count = sessions.day.size
    chances = rng.random((levels.group.size, 5))
    weeks = sessions.slot[-1] // 14 + 1
    weekly = chances[:, 0] < canvas.session_shares("B") * count / (2 * weeks * (1 - WEEKLY_FROM / 2) * 0.92)
    starts = chances[:, 1] * WEEKLY_FROM * count
    on_day = (sessions.weekday[None, :] == (chances[:, 2] * 5).astype(int)[:, None]) & (np.arange(count) >= starts[:, None])
    canvas.paint("B", weekly[:, None] & on_day)
    arranged = chances[:, 3] < canvas.session_shares("K") * count / ARRANGED_SESSIONS
    first = chances[:, 4] * (count - ARRANGED_SESSIONS)
    in_placement = (np.arange(count) >= first[:, None]) & (np.arange(count) < first[:, None] + ARRANGED_SESSIONS)
    canvas.paint("K", arranged[:, None] & in_placement)
    in_team = rng.random(levels.group.size) < IN_A_TEAM
    share = canvas.session_shares("P") / IN_A_TEAM * 2
    canvas.paint(
        "P", (in_team[:, None] & sessions.afternoon) & (rng.random((in_team.size, count), dtype=np.float32) < share[:, None])
    )


def _paint_trips(canvas: Canvas) -> None:
    rng, levels, sessions = canvas.stream("trips"), canvas.levels, canvas.sessions
    chance = rng.random(levels.group.size)
    for group in np.unique(levels.group):
        in_group = levels.group == group
        table = int(levels.table[in_group][0])
        season = sessions.season(table)["activity"]
        residential = group in {YEAR_6, YEAR_8} and rng.random() < RESIDENTIAL
        days = calibrations()[table].session_share("V") * sessions.day.size / 2 / GOES_ON_TRIP / 0.9
        trip_days = rng.choice(sessions.day, size=rng.poisson(max(days - 0.9 * residential, 0.4)), p=season / season.sum())
        canvas.paint("V", (in_group & (chance < GOES_ON_TRIP))[:, None] & np.isin(sessions.day, trip_days))
        if residential:
            summer_days = np.unique(sessions.day[sessions.half_term >= 5])
            mondays = summer_days[(summer_days - 1) % 7 == 0]
            first = int(rng.choice(mondays))
            is_away = (sessions.day >= first) & (sessions.day < first + int(rng.integers(3, 6)))
            canvas.paint("V", (in_group & (chance < GOES_AWAY))[:, None] & is_away)


def _paint_work_experience(canvas: Canvas) -> None:
    rng, levels, sessions = canvas.stream("work experience"), canvas.levels, canvas.sessions
    summer_days = np.unique(sessions.day[sessions.half_term == 6])
    mondays = summer_days[(summer_days - 1) % 7 == 0]
    chance = rng.random(levels.group.size)
    if mondays.size == 0:
        return
    first = int(rng.choice(mondays))
    share = canvas.session_shares("W") * sessions.day.size * YEARS_IN_SECONDARY / 10
    week = (sessions.day >= first) & (sessions.day < first + 5)
    canvas.paint("W", ((levels.group == YEAR_10) & (chance < share))[:, None] & week)


def paint_lateness(canvas: Canvas) -> None:
    """Paint lateness before the register closed.

    It concentrates on a few pupils, on mornings, and on Mondays.
    """
    rng, levels, sessions = canvas.stream("late"), canvas.levels, canvas.sessions
    by_half_day = np.where(sessions.afternoon, AFTERNOON_LATE, MORNING_LATE)
    usual = canvas.session_shares("L") * levels.lateness / ATTENDED_SHARE
    chance = rng.random(canvas.marks.shape, dtype=np.float32)
    for table in np.unique(levels.table):
        in_phase = levels.table == table
        by_session = by_half_day * np.array(LATE_BY_WEEKDAY)[sessions.weekday] * sessions.season(int(table))["late"]
        probability = np.minimum(usual[in_phase, None] * by_session, MOST_LATE)
        late = np.zeros(canvas.marks.shape, dtype=bool)
        late[in_phase] = chance[in_phase] < probability
        canvas.paint("L", late)


def paint_not_possible(canvas: Canvas) -> None:
    """Paint sessions that were not possible.

    Reasons: not of compulsory school age, at another school, school closed, cut off by weather, no access.
    """
    rng, levels, sessions, marks = canvas.stream("not possible"), canvas.levels, canvas.sessions, canvas.marks
    in_reception = levels.group == RECEPTION
    chances = rng.random((levels.group.size, 3))
    phased_days = np.arange(sessions.day.size) < PHASED_DAYS * (rng.random() < PHASED_START)
    autumn = sessions.half_term < 3
    part_time = (chances[:, 0] < PART_TIME_RECEPTION)[:, None] & autumn
    marks[in_reception[:, None] & sessions.afternoon & (phased_days | part_time)] = byte_of("X")
    sixth_form = levels.group > YEAR_11
    is_free = rng.random((levels.group.size, 10)) < FREE_PERIODS
    marks[sixth_form[:, None] & is_free[:, sessions.slot % 14 % 10]] = byte_of("X")
    first_session = chances[:, 2] * sessions.day.size
    without_access = (np.arange(sessions.day.size) >= first_session[:, None]) & (
        np.arange(sessions.day.size) < first_session[:, None] + 6
    )
    marks[((levels.table == SPECIAL) & (chances[:, 1] < WITHOUT_ACCESS))[:, None] & without_access] = byte_of("Q")
    early_week = sessions.weekday <= 2  # Monday to Wednesday
    marks[(levels.away == 1)[:, None] & early_week] = byte_of("D")
    marks[(levels.away == 2)[:, None] & ~early_week] = byte_of("D")
    _paint_closures(canvas, chances[:, 0])


def _paint_closures(canvas: Canvas, chance: Floats) -> None:
    """Paint a day of snow and rare boiler faults.

    Snow closes some schools, and cuts a few pupils off from the others.
    """
    rng, sessions = canvas.stream("closures"), canvas.sessions
    winter_days = np.unique(sessions.day[sessions.half_term == 3])
    on_snow_day = sessions.day == winter_days[int(stream(canvas.seed, "snow", canvas.key[1]).integers(3, winter_days.size))]
    snow_chance, boiler_chance = rng.random(2)
    if snow_chance < SNOW:
        canvas.marks[:, on_snow_day] = byte_of("Y4")
    else:
        canvas.marks[(chance > 1 - CUT_OFF)[:, None] & on_snow_day] = byte_of("Y1")
    if boiler_chance < BOILER:
        cold_days = np.unique(sessions.day[sessions.half_term <= 3])
        canvas.marks[:, sessions.day == int(rng.choice(cold_days))] = byte_of("Y4")


def paint_exam_leave(canvas: Canvas) -> None:
    """Paint study leave for Year 11: some from the middle of May, most after the half term."""
    rng, sessions = canvas.stream("exam leave"), canvas.sessions
    in_year_11 = canvas.levels.group == YEAR_11
    chances = rng.random((in_year_11.size, 2))
    last_sessions = np.flatnonzero(sessions.half_term == 5)[-20:]
    if last_sessions.size:
        first = last_sessions[0] + chances[:, 1] * (last_sessions.size - REVISION_SESSIONS)
        index = np.arange(sessions.day.size)
        in_block = (index >= first[:, None]) & (index < first[:, None] + REVISION_SESSIONS)
        canvas.paint("S", (in_year_11 & (chances[:, 0] < REVISES_AT_HOME))[:, None] & in_block)
    after_half_term = (sessions.half_term == 6) & (rng.random(canvas.marks.shape, dtype=np.float32) < AFTER_HALF_TERM)
    canvas.paint("S", in_year_11[:, None] & after_half_term)


def paint_days(canvas: Canvas, code: str, lines: Ints, counts: Ints, where: Bools) -> None:
    """Put a code on the first `counts` plainly attended sessions within `where` (lines x sessions), line by line."""
    free = canvas.attended[lines] & where
    rank = np.cumsum(free, axis=1)
    rows = canvas.marks[lines]
    rows[free & (rank <= counts[:, None])] = byte_of(code)
    canvas.marks[lines] = rows
