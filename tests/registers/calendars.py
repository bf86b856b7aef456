"""Random school years for property tests: a calendar, a roll and marks.

The calendar has holidays and closures, pupils may be of any age, and every code occurs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from hypothesis import strategies as st

from portal.pupils.domain.rolls import Roll, days
from portal.registers.domain.pages import CODE_BYTES, SESSIONS
from portal.registers.domain.year_register import YearRegister
from portal.rules.calendar import HALVES, Calendar
from portal.rules.codes import CODES_BY_BYTE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from portal.rules.calendar import Session

SCHOOL = UUID(int=7)
FIRST = date(2025, 9, 1)
CURRENT = np.array([byte for byte in CODE_BYTES if not CODES_BY_BYTE[int(byte)].legacy], dtype=np.uint8)
UNAUTHORISED = np.array([byte for byte in CODE_BYTES if byte >> 5 == 4], dtype=np.uint8)


@dataclass(frozen=True)
class Year:
    """A year register, and the birth dates it was made from."""

    register: YearRegister
    births: tuple[date, ...]

    def marks_of(self, line: int) -> dict[Session, str]:
        """One line's marks while on roll in the form the rules take, on any day."""
        row, roll = self.register.marks[line], self.register.roll
        days = self.register.days.astype(object)
        first, last = roll.on_from[line].astype(object), roll.on_until[line].astype(object) or date.max
        return {
            (days[column], HALVES[column % 2]): CODES_BY_BYTE[int(row[column])].letters
            for column in np.flatnonzero(row).tolist()
            if first <= days[column] <= last
        }


@st.composite
def years(draw: st.DrawFn, *, most_weeks: int = 24) -> Year:
    """Up to 24 weeks from September, with whole weeks, days and half days closed.

    Some weeks have no page, and marks are random.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weeks = draw(st.integers(1, most_weeks))
    calendar = _calendar(rng, weeks)
    mondays = [FIRST + timedelta(weeks=number) for number in range(weeks)]
    page_weeks = tuple(monday for monday in mondays if rng.random() < 0.85) or (mondays[0],)
    births = tuple(draw(st.lists(st.dates(date(2007, 1, 1), date(2021, 12, 31)), min_size=1, max_size=6)))
    marks = _marks(rng, len(births), len(page_weeks), draw(st.sampled_from((0.0, 0.05, 0.3))))
    on_roll = _days_on_roll(rng, len(births), weeks)
    return Year(YearRegister(SCHOOL, 2025, page_weeks, marks, roll(births, **on_roll), calendar), births)


def _days_on_roll(rng: np.random.Generator, lines: int, weeks: int) -> dict[str, NDArray[np.datetime64]]:
    """Some join late and some leave early; a mark outside these days is stored and does not count."""
    joined = [FIRST + timedelta(days=int(rng.integers(0, 7 * weeks)) if rng.random() < 0.2 else -900) for _ in range(lines)]
    left = [FIRST + timedelta(days=int(rng.integers(0, 7 * weeks))) if rng.random() < 0.2 else None for _ in range(lines)]
    return {"on_from": days(joined), "on_until": days(left)}


def _calendar(rng: np.random.Generator, weeks: int) -> Calendar:
    """Weekdays without closures, and rarely a Saturday.

    A week of the year before comes first, so that week 0 of the year is not the calendar's first.
    """
    sessions = [(date(2025, 7, 14) + timedelta(days=weekday), half) for weekday in range(5) for half in HALVES]
    closed_weeks = {number for number in range(weeks) if rng.random() < 0.12}
    for number in set(range(weeks + 2)) - closed_weeks:
        for weekday in range(7):
            on = FIRST + timedelta(weeks=number, days=weekday)
            if rng.random() < (0.94 if weekday < 5 else 0.02):
                sessions += [(on, half) for half in HALVES if rng.random() < 0.97]
    return Calendar.from_sessions(sessions)


def _marks(rng: np.random.Generator, lines: int, weeks: int, unauthorised: float) -> NDArray[np.uint8]:
    """Mostly present, some of every code, some missing; absence comes in whole days."""
    size = (lines, weeks * SESSIONS)
    marks = np.where(np.arange(size[1]) % 2 == 0, np.uint8(32), np.uint8(33)) * np.ones(size, dtype=np.uint8)
    for share, codes in ((0.25, CURRENT), (unauthorised, UNAUTHORISED), (0.1, np.zeros(1, dtype=np.uint8))):
        is_chosen = np.repeat(rng.random((lines, weeks * SESSIONS // 2)) < share, 2, axis=1)
        marks = np.where(is_chosen, rng.choice(codes, size), marks)
    marks[:, rng.random(size[1]) < 0.05] = 0
    return marks.astype(np.uint8)


def roll(births: tuple[date, ...], **changes: object) -> Roll:
    """A roll of pupils with these dates of birth, on roll all year."""
    count = len(births)
    columns: dict[str, object] = {
        "pupil_ids": [UUID(int=line + 1) for line in range(count)],
        "upn": [None] * count,
        "former_upn": [None] * count,
        "date_of_birth": days(births),
        "on_from": days([date(2020, 9, 1)] * count),
        "on_until": days([None] * count),
        "year_group": [str(line % 3 + 1) for line in range(count)],
        "registration_group": [None] * count,
        "enrolment_status": ["C"] * count,
    }
    return Roll(SCHOOL, 2025, **{**columns, **changes})  # type: ignore[arg-type]  # the keys are the fields
