"""Random school years for the laws: a calendar with holidays and closures, a roll of odd ages, and marks of every code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from hypothesis import strategies as st

from portal.pupils.rolls import Roll, days
from portal.registers.pages import CODE_BYTES, SESSIONS
from portal.registers.sheets import Sheet
from portal.rules.calendar import HALVES, Calendar
from portal.rules.codes import BY_BYTE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from portal.rules.calendar import Session

SCHOOL = UUID(int=7)
FIRST = date(2025, 9, 1)
CURRENT = np.array([byte for byte in CODE_BYTES if not BY_BYTE[int(byte)].legacy], dtype=np.uint8)
UNAUTHORISED = np.array([byte for byte in CODE_BYTES if byte >> 5 == 4], dtype=np.uint8)


@dataclass(frozen=True)
class Year:
    """A sheet, and what it was made of."""

    sheet: Sheet
    births: tuple[date, ...]

    def marks_of(self, line: int) -> dict[Session, str]:
        """One line's marks as the rules take them, inside the calendar or not."""
        row = self.sheet.marks[line]
        on = self.sheet.days.astype(object)
        return {(on[place], HALVES[place % 2]): BY_BYTE[int(row[place])].letters for place in np.flatnonzero(row).tolist()}


@st.composite
def years(draw: st.DrawFn, *, most_weeks: int = 24) -> Year:
    """Up to 24 weeks from September with whole weeks, days and halves closed; some weeks with no page; marks at random."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weeks = draw(st.integers(1, most_weeks))
    calendar = _calendar(chance, weeks)
    mondays = [FIRST + timedelta(weeks=number) for number in range(weeks)]
    paged = tuple(monday for monday in mondays if chance.random() < 0.85) or (mondays[0],)
    births = tuple(draw(st.lists(st.dates(date(2007, 1, 1), date(2021, 12, 31)), min_size=1, max_size=6)))
    marks = _marks(chance, len(births), len(paged), draw(st.sampled_from((0.0, 0.05, 0.3))))
    sheet = Sheet(SCHOOL, 2025, paged, marks, roll(births), calendar)
    return Year(sheet, births)


def _calendar(chance: np.random.Generator, weeks: int) -> Calendar:
    """Weekdays, less closures; now and then a Saturday; a term of the year before, so that week 0 is not the first."""
    sessions = [(date(2025, 7, 14) + timedelta(days=ahead), half) for ahead in range(5) for half in HALVES]
    shut_weeks = {number for number in range(weeks) if chance.random() < 0.12}
    for number in set(range(weeks + 2)) - shut_weeks:
        for ahead in range(7):
            on = FIRST + timedelta(weeks=number, days=ahead)
            if chance.random() < (0.94 if ahead < 5 else 0.02):
                sessions += [(on, half) for half in HALVES if chance.random() < 0.97]
    return Calendar.from_sessions(sessions)


def _marks(chance: np.random.Generator, lines: int, weeks: int, unauthorised: float) -> NDArray[np.uint8]:
    """Mostly present, some of every code, some missing; absence comes in runs."""
    size = (lines, weeks * SESSIONS)
    marks = np.where(np.arange(size[1]) % 2 == 0, np.uint8(32), np.uint8(33)) * np.ones(size, dtype=np.uint8)
    for share, codes in ((0.25, CURRENT), (unauthorised, UNAUTHORISED), (0.1, np.zeros(1, dtype=np.uint8))):
        run = np.repeat(chance.random((lines, weeks * SESSIONS // 2)) < share, 2, axis=1)
        marks = np.where(run, chance.choice(codes, size), marks)
    marks[:, chance.random(size[1]) < 0.05] = 0
    return marks.astype(np.uint8)


def roll(births: tuple[date, ...], **said: object) -> Roll:
    """A roll of pupils born on these days, on it all year."""
    number = len(births)
    facts: dict[str, object] = {
        "pupil_ids": [UUID(int=line + 1) for line in range(number)],
        "upn": [None] * number,
        "former_upn": [None] * number,
        "date_of_birth": days(births),
        "on_from": days([date(2020, 9, 1)] * number),
        "on_until": days([None] * number),
        "year_group": [str(line % 3 + 1) for line in range(number)],
        "registration_group": [None] * number,
        "enrolment_status": ["C"] * number,
    }
    return Roll(SCHOOL, 2025, **{**facts, **said})  # type: ignore[arg-type]  # the facts are the fields, by name
