"""Cases drawn at random from fixed seeds, answered by the reference engine alone.

The order of the random calls matters: another order gives other cases, and the published file would no longer match.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.rules.casebook.building import MONDAYS, WEEKS, Case, Json, amended, calendar, school, session_calendar, threshold_case

if TYPE_CHECKING:
    from collections.abc import Iterator

CASE_COUNT = 30
CODES = "OOOOGGNU/\\LICX#"


def _marks(rng: random.Random, share: float) -> list[Json]:
    first = rng.randrange(30)
    week_sessions = [pair for monday in MONDAYS[first : first + 22] for pair in WEEKS[monday]]
    return [{"date": on, "session": session, "code": rng.choice(CODES)} for on, session in week_sessions if rng.random() < share]


def _calendar(rng: random.Random) -> Json:
    if rng.random() < 0.5:
        days = [pair[0] for monday in MONDAYS for pair in WEEKS[monday]]
        closed = [rng.choice(days) for _ in range(12)]
        halves = [(rng.choice(days), rng.choice(("AM", "PM"))) for _ in range(12)]
        return calendar(closed=(*closed, *halves))
    return session_calendar([pair for monday in MONDAYS[4:44] for pair in WEEKS[monday] if rng.random() < 0.8])


def _school(rng: random.Random, name: str, share: float, school_calendar: Json) -> Json:
    marks = _marks(rng, share)
    rng.shuffle(marks)
    corrected = rng.sample(marks, k=min(len(marks), 4))
    # Each mark is corrected twice, so that the latest correction has to be found.
    amendments = [
        amended(rng.choice("IONG"), mark["session"], mark["date"], f"2026-{rng.randrange(1, 13):02d}-{day:02d}")
        for day, mark in enumerate(corrected + corrected, 1)
    ]
    return school(name, marks, school_calendar=school_calendar, amendments=amendments)


def mixed() -> Iterator[Case]:
    """Thirty pupils, a third of them at two schools that share a calendar.

    How two different calendars merge is not settled, so no case depends on it.
    """
    for seed in range(CASE_COUNT):
        rng = random.Random(seed)  # noqa: S311 -- cases drawn, nothing kept secret
        share = rng.choice((0.06, 0.09, 0.12, 0.2))
        school_calendar = _calendar(rng)
        schools = [_school(rng, name, share, school_calendar) for name in ("School A", "School B")[: 1 + (seed % 3 == 0)]]
        marks = schools[0]["attendance"]
        dealt_with = [{"date": mark["date"], "session": mark["session"]} for mark in marks[: rng.randrange(4)]]
        dob = rng.choice(("2014-03-10", "2014-03-10", "2010-06-01", "2020-11-11", "2021-02-01"))
        yield threshold_case(f"X-mixed-{seed:02d}", schools, None, "Drawn at random", dob=dob, dealt_with=dealt_with)


CASES: tuple[Case, ...] = tuple(mixed())
