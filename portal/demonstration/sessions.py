"""A school's year as arrays, a place for each session: its weekday, its half, its season, and who was on roll then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from portal.demonstration.sources import SEASONS, TABLES, seasons
from portal.rules.calendar import week_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from portal.demonstration.plans import Line
    from portal.demonstration.streams import Floats, Truths, Whole
    from portal.rules.calendar import Calendar, Span

A_WEEK = 14
HALF_TERMS_IN_A_YEAR = 6
#: Religious observance falls by the moon: the days of Eid al-Fitr and Eid al-Adha as kept in England.
EIDS = (
    date(2024, 4, 10), date(2024, 6, 17), date(2025, 3, 31), date(2025, 6, 6), date(2026, 3, 20), date(2026, 5, 27),
    date(2027, 3, 10), date(2027, 5, 17), date(2028, 2, 28), date(2028, 5, 5), date(2029, 2, 14), date(2029, 4, 24),
)  # fmt: skip


@dataclass(frozen=True)
class Sessions:
    """`day` is a day number, `slot` the place among weeks x 14; both run along the sessions the school meets for."""

    calendar: Calendar
    weeks: tuple[date, ...]
    day: Whole
    slot: Whole

    @cached_property
    def weekday(self) -> Whole:
        """0 is Monday."""
        return (self.day - 1) % 7

    @cached_property
    def afternoon(self) -> Truths:
        """Whether each session is an afternoon."""
        halves: Truths = self.slot % 2 == 1
        return halves

    @cached_property
    def _spans(self) -> tuple[Span, ...]:
        return self.calendar.half_terms()

    @cached_property
    def _seasons(self) -> dict[int, dict[str, Floats]]:
        return {}

    @cached_property
    def half_term(self) -> Whole:
        """Which half term each session is in, 1 to 6; the last takes any beyond."""
        starts = [span.first_day.toordinal() for span in self._spans]
        return np.minimum(np.searchsorted(starts, self.day, side="right"), HALF_TERMS_IN_A_YEAR)

    def season(self, table: int) -> dict[str, Floats]:
        """For each of `SEASONS`, the index of each session: how far into its half term decides."""
        if table not in self._seasons:
            self._seasons[table] = self._season(table)
        return self._seasons[table]

    def _season(self, table: int) -> dict[str, Floats]:
        spans = self._spans
        first = np.array([span.first_day.toordinal() for span in spans])
        last = np.array([span.last_day.toordinal() for span in spans])
        place = np.searchsorted(first, self.day, side="right") - 1
        along = (self.day - first[place]) / np.maximum(last[place] - first[place] + 1, 1)
        found = np.ones((len(SEASONS), self.day.size))
        for half_term in range(1, HALF_TERMS_IN_A_YEAR + 1):
            rows = [row for row in seasons()[TABLES[table]] if row[0] == half_term]
            here = self.half_term == half_term
            edges = np.array([row[1] for row in rows])
            row = np.minimum(np.searchsorted(edges, along[here], side="right"), len(rows) - 1)
            found[:, here] = np.array([row_[2] for row_ in rows])[row].T
        return dict(zip(SEASONS, found, strict=True))

    def place(self, on: date) -> int:
        """The place of the first session on or after a day."""
        return int(np.searchsorted(self.day, on.toordinal()))

    def on(self, days: Sequence[date]) -> Truths:
        """Which sessions fall on one of these days."""
        return np.isin(self.day, [one.toordinal() for one in days])

    def windows(self, lines: Sequence[Line]) -> tuple[Whole, Whole]:
        """For each line, the place of its first session and the place after its last."""
        begin = np.array([line.on_roll_from.toordinal() for line in lines])
        end = np.array([line.on_roll_until.toordinal() if line.on_roll_until else date.max.toordinal() for line in lines])
        return np.searchsorted(self.day, begin), np.searchsorted(self.day, end, side="right")

    def laid_out(self, marks: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Lines by sessions set out as lines by weeks by fourteen, 0 where the school does not meet."""
        whole = np.zeros((len(marks), len(self.weeks) * A_WEEK), dtype=np.uint8)
        whole[:, self.slot] = marks
        return whole.reshape(len(marks), len(self.weeks), A_WEEK)


def sessions_of(calendar: Calendar) -> Sessions:
    """The sessions of a school's calendar for one academic year."""
    weeks = calendar.school_weeks()
    number = {monday: place for place, monday in enumerate(weeks)}
    places = np.array(calendar.places)
    day = places // 2
    week = np.array([number[week_of(date.fromordinal(int(one)))] for one in day])
    return Sessions(calendar, weeks, day, week * A_WEEK + (day - 1) % 7 * 2 + places % 2)
