"""A school's year as arrays with one element per session: weekday, half of the day, season."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from demo.sources import SEASONS, TABLES, seasons
from portal.rules.calendar import week_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from demo.plans import Line
    from demo.seeded_random import Bools, Floats, Ints
    from portal.rules.calendar import Calendar, Span

SESSIONS_A_WEEK = 14
HALF_TERMS_IN_A_YEAR = 6
#: Eid al-Fitr and Eid al-Adha as kept in England. They follow the moon, so they are listed and not computed.
EID_DAYS = (
    date(2024, 4, 10),
    date(2024, 6, 17),
    date(2025, 3, 31),
    date(2025, 6, 6),
    date(2026, 3, 20),
    date(2026, 5, 27),
    date(2027, 3, 10),
    date(2027, 5, 17),
    date(2028, 2, 28),
    date(2028, 5, 5),
    date(2029, 2, 14),
    date(2029, 4, 24),
)


@dataclass(frozen=True)
class Sessions:
    """The sessions a school meets for, in order.

    `day` is a date's ordinal; `slot` is the session's index among weeks of fourteen half days.
    """

    calendar: Calendar
    weeks: tuple[date, ...]
    day: Ints
    slot: Ints

    @cached_property
    def weekday(self) -> Ints:
        """The weekday of each session; 0 is Monday."""
        return (self.day - 1) % 7

    @cached_property
    def afternoon(self) -> Bools:
        """Whether each session is an afternoon."""
        halves: Bools = self.slot % 2 == 1
        return halves

    @cached_property
    def _spans(self) -> tuple[Span, ...]:
        return self.calendar.half_terms()

    @cached_property
    def _seasons(self) -> dict[int, dict[str, Floats]]:
        return {}

    @cached_property
    def half_term(self) -> Ints:
        """The half term of each session, 1 to 6. The last takes any beyond."""
        starts = [span.first_day.toordinal() for span in self._spans]
        return np.minimum(np.searchsorted(starts, self.day, side="right"), HALF_TERMS_IN_A_YEAR)

    def season(self, table: int) -> dict[str, Floats]:
        """For each of `SEASONS`, the index of each session by how far into its half term it is."""
        if table not in self._seasons:
            self._seasons[table] = self._season_indexes(table)
        return self._seasons[table]

    def _season_indexes(self, table: int) -> dict[str, Floats]:
        spans = self._spans
        first = np.array([span.first_day.toordinal() for span in spans])
        last = np.array([span.last_day.toordinal() for span in spans])
        span = np.searchsorted(first, self.day, side="right") - 1
        fraction = (self.day - first[span]) / np.maximum(last[span] - first[span] + 1, 1)
        indexes = np.ones((len(SEASONS), self.day.size))
        for half_term in range(1, HALF_TERMS_IN_A_YEAR + 1):
            season_rows = [season_row for season_row in seasons()[TABLES[table]] if season_row[0] == half_term]
            in_half_term = self.half_term == half_term
            fractions = np.array([season_row[1] for season_row in season_rows])
            nearest = np.minimum(np.searchsorted(fractions, fraction[in_half_term], side="right"), len(season_rows) - 1)
            indexes[:, in_half_term] = np.array([season_row[2] for season_row in season_rows])[nearest].T
        return dict(zip(SEASONS, indexes, strict=True))

    def index_of(self, day: date) -> int:
        """The index of the first session on or after a day."""
        return int(np.searchsorted(self.day, day.toordinal()))

    def falls_on(self, days: Sequence[date]) -> Bools:
        """Whether each session falls on one of these days."""
        return np.isin(self.day, [day.toordinal() for day in days])

    def windows(self, lines: Sequence[Line]) -> tuple[Ints, Ints]:
        """For each line, the index of its first session and the index after its last."""
        first = np.array([line.on_roll_from.toordinal() for line in lines])
        last = np.array([line.on_roll_until.toordinal() if line.on_roll_until else date.max.toordinal() for line in lines])
        return np.searchsorted(self.day, first), np.searchsorted(self.day, last, side="right")

    def by_week(self, marks: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Marks of lines by sessions as lines by weeks by fourteen; 0 where the school does not meet."""
        slots = np.zeros((len(marks), len(self.weeks) * SESSIONS_A_WEEK), dtype=np.uint8)
        slots[:, self.slot] = marks
        return slots.reshape(len(marks), len(self.weeks), SESSIONS_A_WEEK)


def sessions_of(calendar: Calendar) -> Sessions:
    """The sessions of a school's calendar for one academic year."""
    weeks = calendar.school_weeks()
    week_numbers = {monday: number for number, monday in enumerate(weeks)}
    positions = np.array(calendar.ordinals)
    day = positions // 2
    week = np.array([week_numbers[week_of(date.fromordinal(int(ordinal)))] for ordinal in day])
    return Sessions(calendar, weeks, day, week * SESSIONS_A_WEEK + (day - 1) % 7 * 2 + positions % 2)
