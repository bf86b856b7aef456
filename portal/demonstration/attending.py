"""What marks say besides absence: trips, placements and lateness on attended sessions; and sessions not possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from portal.demonstration.sources import calibrations
from portal.demonstration.streams import stream
from portal.rules.codes import BY_LETTERS

if TYPE_CHECKING:
    from portal.demonstration.plans import Levels
    from portal.demonstration.sessions import Sessions
    from portal.demonstration.streams import Bytes, Floats, Truths, Whole

RECEPTION, YEAR_6, YEAR_8, YEAR_10, YEAR_11 = 0, 6, 8, 10, 11
SECONDARY, SPECIAL = 1, 2
HALF_TERM_3, HALF_TERM_5, HALF_TERM_6 = 3, 5, 6
GOES_ON_TRIP, RESIDENTIAL, GOES_AWAY = 0.95, 0.5, 0.6
IN_A_TEAM, YEARS_IN_SECONDARY = 0.12, 5
ARRANGED_SESSIONS, WEEKLY_FROM = 70, 0.5
MORNING_LATE, AFTERNOON_LATE = 1.62, 0.38
LATE_BY_WEEKDAY = (1.10, 1.04, 1.0, 0.97, 0.89)
ATTENDING = 0.9
MOST_LATE = 0.5
PHASED_START, PHASED_DAYS, PART_TIME_RECEPTION = 0.6, 20, 0.03
SNOW, BOILER, CUT_OFF = 0.25, 0.08, 0.02
REVISES_AT_HOME, REVISION_SESSIONS, AFTER_HALF_TERM = 0.25, 8, 0.7
FREE_PERIODS = 0.22
WITHOUT_ACCESS = 0.01


def byte(letters: str) -> np.uint8:
    """The byte of a code."""
    return np.uint8(BY_LETTERS[letters].byte)


_AM, _PM = byte("/"), byte("\\")


@dataclass(frozen=True, slots=True)
class Canvas:
    """A school year being painted: `marks` is lines by sessions; each layer changes it in place."""

    seed: int
    key: tuple[int, int]
    sessions: Sessions
    levels: Levels
    marks: Bytes

    def stream(self, purpose: str) -> np.random.Generator:
        """The random stream of one layer of this school year."""
        return stream(self.seed, purpose, *self.key)

    @property
    def attended(self) -> Truths:
        """Where the marks still say plainly present."""
        plain: Truths = (self.marks == _AM) | (self.marks == _PM)
        return plain

    def paint(self, letters: str, where: Truths) -> None:
        """Put a code where a pupil was plainly present."""
        self.marks[where & self.attended] = byte(letters)

    def often(self, letters: str) -> Floats:
        """For each line, the share of its possible sessions to carry a code."""
        return np.array([one.often(letters) for one in calibrations()])[self.levels.table]


def plainly_present(sessions: Sessions, lines: int) -> Bytes:
    """Everyone present, all year."""
    return np.repeat(np.where(sessions.afternoon, _PM, _AM)[None, :], lines, axis=0)


def paint_activities(canvas: Canvas) -> None:
    """Approved educational activity: trips by year group, residentials, work experience, weekly placements, sport."""
    _trips(canvas)
    _work_experience(canvas)
    draw, levels, sessions = canvas.stream("placements"), canvas.levels, canvas.sessions
    count = sessions.day.size
    chance = draw.random((levels.group.size, 5))
    weeks = sessions.slot[-1] // 14 + 1
    weekly = chance[:, 0] < canvas.often("B") * count / (2 * weeks * (1 - WEEKLY_FROM / 2) * 0.92)
    starts = chance[:, 1] * WEEKLY_FROM * count
    on_day = (sessions.weekday[None, :] == (chance[:, 2] * 5).astype(int)[:, None]) & (np.arange(count) >= starts[:, None])
    canvas.paint("B", weekly[:, None] & on_day)
    arranged = chance[:, 3] < canvas.often("K") * count / ARRANGED_SESSIONS
    begins = chance[:, 4] * (count - ARRANGED_SESSIONS)
    run = (np.arange(count) >= begins[:, None]) & (np.arange(count) < begins[:, None] + ARRANGED_SESSIONS)
    canvas.paint("K", arranged[:, None] & run)
    team = draw.random(levels.group.size) < IN_A_TEAM
    often = canvas.often("P") / IN_A_TEAM * 2
    canvas.paint("P", (team[:, None] & sessions.afternoon) & (draw.random((team.size, count), dtype=np.float32) < often[:, None]))


def _trips(canvas: Canvas) -> None:
    draw, levels, sessions = canvas.stream("trips"), canvas.levels, canvas.sessions
    goes = draw.random(levels.group.size)
    for group in np.unique(levels.group):
        here = levels.group == group
        table = int(levels.table[here][0])
        season = sessions.season(table)["activity"]
        residential = group in {YEAR_6, YEAR_8} and draw.random() < RESIDENTIAL
        days = calibrations()[table].often("V") * sessions.day.size / 2 / GOES_ON_TRIP / 0.9
        chosen = draw.choice(sessions.day, size=draw.poisson(max(days - 0.9 * residential, 0.4)), p=season / season.sum())
        canvas.paint("V", (here & (goes < GOES_ON_TRIP))[:, None] & np.isin(sessions.day, chosen))
        if residential:
            late = np.unique(sessions.day[sessions.half_term >= HALF_TERM_5])
            mondays = late[(late - 1) % 7 == 0]
            first = int(draw.choice(mondays))
            away = (sessions.day >= first) & (sessions.day < first + int(draw.integers(3, 6)))
            canvas.paint("V", (here & (goes < GOES_AWAY))[:, None] & away)


def _work_experience(canvas: Canvas) -> None:
    draw, levels, sessions = canvas.stream("work experience"), canvas.levels, canvas.sessions
    late = np.unique(sessions.day[sessions.half_term == HALF_TERM_6])
    mondays = late[(late - 1) % 7 == 0]
    chance = draw.random(levels.group.size)
    if mondays.size == 0:
        return
    first = int(draw.choice(mondays))
    share = canvas.often("W") * sessions.day.size * YEARS_IN_SECONDARY / 10
    week = (sessions.day >= first) & (sessions.day < first + 5)
    canvas.paint("W", ((levels.group == YEAR_10) & (chance < share))[:, None] & week)


def paint_lateness(canvas: Canvas) -> None:
    """Late before the register closed: the same few pupils again and again, in the morning, most of all on Mondays."""
    draw, levels, sessions = canvas.stream("late"), canvas.levels, canvas.sessions
    half = np.where(sessions.afternoon, AFTERNOON_LATE, MORNING_LATE)
    often = canvas.often("L") * levels.lateness / ATTENDING
    chance = draw.random(canvas.marks.shape, dtype=np.float32)
    for table in np.unique(levels.table):
        here = levels.table == table
        when = half * np.array(LATE_BY_WEEKDAY)[sessions.weekday] * sessions.season(int(table))["late"]
        likely = np.minimum(often[here, None] * when, MOST_LATE)
        late = np.zeros(canvas.marks.shape, dtype=bool)
        late[here] = chance[here] < likely
        canvas.paint("L", late)


def paint_not_possible(canvas: Canvas) -> None:
    """Sessions that were not possible: under compulsory school age, at another school, closed, cut off, or no access."""
    draw, levels, sessions, marks = canvas.stream("not possible"), canvas.levels, canvas.sessions, canvas.marks
    young = levels.group == RECEPTION
    chance = draw.random((levels.group.size, 3))
    first = np.arange(sessions.day.size) < PHASED_DAYS * (draw.random() < PHASED_START)
    autumn = sessions.half_term < HALF_TERM_3
    part_time = (chance[:, 0] < PART_TIME_RECEPTION)[:, None] & autumn
    marks[young[:, None] & sessions.afternoon & (first | part_time)] = byte("X")
    sixth_form = levels.group > YEAR_11
    free = draw.random((levels.group.size, 10)) < FREE_PERIODS
    marks[sixth_form[:, None] & free[:, sessions.slot % 14 % 10]] = byte("X")
    begins = chance[:, 2] * sessions.day.size
    few = (np.arange(sessions.day.size) >= begins[:, None]) & (np.arange(sessions.day.size) < begins[:, None] + 6)
    marks[((levels.table == SPECIAL) & (chance[:, 1] < WITHOUT_ACCESS))[:, None] & few] = byte("Q")
    early_week = sessions.weekday <= 2  # noqa: PLR2004  Monday to Wednesday
    marks[(levels.away == 1)[:, None] & early_week] = byte("D")
    marks[(levels.away == 2)[:, None] & ~early_week] = byte("D")  # noqa: PLR2004  see Levels.away
    _closures(canvas, chance[:, 0])


def _closures(canvas: Canvas, chance: Floats) -> None:
    """A day of snow that closes some schools and cuts a few pupils off from others; here and there a boiler fails."""
    draw, sessions = canvas.stream("closures"), canvas.sessions
    winter = np.unique(sessions.day[sessions.half_term == HALF_TERM_3])
    snow = sessions.day == winter[int(stream(canvas.seed, "snow", canvas.key[1]).integers(3, winter.size))]
    fate, boiler = draw.random(2)
    if fate < SNOW:
        canvas.marks[:, snow] = byte("Y4")
    else:
        canvas.marks[(chance > 1 - CUT_OFF)[:, None] & snow] = byte("Y1")
    if boiler < BOILER:
        cold = np.unique(sessions.day[sessions.half_term <= HALF_TERM_3])
        canvas.marks[:, sessions.day == int(draw.choice(cold))] = byte("Y4")


def paint_exam_leave(canvas: Canvas) -> None:
    """Study leave for Year 11: a few from the middle of May, most after the May half term."""
    draw, sessions = canvas.stream("exam leave"), canvas.sessions
    oldest = canvas.levels.group == YEAR_11
    chance = draw.random((oldest.size, 2))
    before = np.flatnonzero(sessions.half_term == HALF_TERM_5)[-20:]
    if before.size:
        begins = before[0] + chance[:, 1] * (before.size - REVISION_SESSIONS)
        place = np.arange(sessions.day.size)
        block = (place >= begins[:, None]) & (place < begins[:, None] + REVISION_SESSIONS)
        canvas.paint("S", (oldest & (chance[:, 0] < REVISES_AT_HOME))[:, None] & block)
    later = (sessions.half_term == HALF_TERM_6) & (draw.random(canvas.marks.shape, dtype=np.float32) < AFTER_HALF_TERM)
    canvas.paint("S", oldest[:, None] & later)


def paint_days(canvas: Canvas, letters: str, lines: Whole, wanted: Whole, places: Truths) -> None:
    """Put a code on the first `wanted` plainly attended sessions of `places` (lines x sessions), line by line."""
    free = canvas.attended[lines] & places
    rank = np.cumsum(free, axis=1)
    rows = canvas.marks[lines]
    rows[free & (rank <= wanted[:, None])] = byte(letters)
    canvas.marks[lines] = rows
