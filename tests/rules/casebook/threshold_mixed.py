"""Cases drawn at random from fixed seeds: everything at once, answered by the slow and literal reading alone."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.rules.casebook.building import MONDAYS, WEEKS, Case, Json, amended, asked, calendar, met_for, school

if TYPE_CHECKING:
    from collections.abc import Iterator

HOW_MANY = 30
CODES = "OOOOGGNU/\\LICX#"


def _marks(draw: random.Random, share: float) -> list[Json]:
    first = draw.randrange(30)
    places = [pair for monday in MONDAYS[first : first + 22] for pair in WEEKS[monday]]
    return [{"date": on, "session": session, "code": draw.choice(CODES)} for on, session in places if draw.random() < share]


def _calendar(draw: random.Random) -> Json:
    if draw.random() < 0.5:
        days = [pair[0] for monday in MONDAYS for pair in WEEKS[monday]]
        closed = [draw.choice(days) for _ in range(12)]
        halves = [(draw.choice(days), draw.choice(("AM", "PM"))) for _ in range(12)]
        return calendar(closed=(*closed, *halves))
    return met_for([pair for monday in MONDAYS[4:44] for pair in WEEKS[monday] if draw.random() < 0.8])


def _school(draw: random.Random, name: str, share: float, when: Json) -> Json:
    marks = _marks(draw, share)
    draw.shuffle(marks)
    chosen = draw.sample(marks, k=min(len(marks), 4))
    made = [
        amended(draw.choice("IONG"), mark["session"], mark["date"], f"2026-{draw.randrange(1, 13):02d}-{day:02d}")
        for day, mark in enumerate(chosen + chosen, 1)
    ]
    return school(name, marks, when=when, amendments=made)


def mixed() -> Iterator[Case]:
    """Thirty pupils, a third of them at two schools that meet on the same days: how calendars merge is not settled."""
    for seed in range(HOW_MANY):
        draw = random.Random(seed)  # noqa: S311 -- cases drawn, nothing kept secret
        share = draw.choice((0.06, 0.09, 0.12, 0.2))
        when = _calendar(draw)
        schools = [_school(draw, name, share, when) for name in ("School A", "School B")[: 1 + (seed % 3 == 0)]]
        marks = schools[0]["attendance"]
        gone = [{"date": mark["date"], "session": mark["session"]} for mark in marks[: draw.randrange(4)]]
        dob = draw.choice(("2014-03-10", "2014-03-10", "2010-06-01", "2020-11-11", "2021-02-01"))
        yield asked(f"X-mixed-{seed:02d}", schools, None, "Drawn at random", dob=dob, gone=gone)


CASES: tuple[Case, ...] = tuple(mixed())
