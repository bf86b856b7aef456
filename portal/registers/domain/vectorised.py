r"""Vectorised rules: what `portal.rules` counts for one pupil, counted in numpy for every line of a school.

Only the few per cent of marks that are not plain presence (byte above `\`) are handled one by one. A property test
keeps these answers equal to those of the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from portal.registers.domain.pages import APPROVED, AUTHORISED, PRESENT, UNAUTHORISED, count_by_line, true_cells, used_columns
from portal.rules.calendar import DAYS_IN_A_WEEK
from portal.rules.codes import CODES_BY_SYMBOL
from portal.rules.measures import PERSISTENT, SEVERE
from portal.rules.penalty_notices import THRESHOLD, WINDOW_WEEKS

if TYPE_CHECKING:
    from portal.registers.domain.pages import Marks
    from portal.rules.measures import Line

Counts = NDArray[np.int64]

#: Bytes up to this one are `/`, `\\` or no mark. They are nearly all marks, and counted without looking at each.
PLAIN_PRESENT = CODES_BY_SYMBOL["\\"].byte
LATE_BEFORE, LATE_AFTER, UNEXPLAINED = (CODES_BY_SYMBOL[letters].byte for letters in ("L", "U", "N"))
#: How many bytes each class has: the class is in a byte's top three bits.
CLASS_SIZE = 1 << 5


@dataclass(frozen=True, slots=True)
class Sums:
    """Counts of sessions, one for each line (or group)."""

    present: Counts
    approved: Counts
    authorised: Counts
    unauthorised: Counts
    late_before: Counts
    late_after: Counts
    unexplained: Counts

    @property
    def possible(self) -> Counts:
        """Sessions that could be attended."""
        return self.present + self.approved + self.authorised + self.unauthorised

    @property
    def absent(self) -> Counts:
        """Sessions missed, with or without permission."""
        return self.authorised + self.unauthorised


def sums_by_line(marks: Marks) -> Sums:
    """Each line's counts over the given columns."""
    lines = len(marks)
    # Plain presence is counted as a whole; only the other few per cent of marks are looked at one by one.
    line, column = true_cells(marks > PLAIN_PRESENT)
    bytes_ = marks[line, column]
    classes = np.bincount(line * 8 + (bytes_ >> 5), minlength=lines * 8).reshape(lines, 8)
    plain = count_by_line(marks) - np.bincount(line, minlength=lines)

    def count_of(byte: int) -> Counts:
        return np.bincount(line[bytes_ == byte], minlength=lines)

    return Sums(
        present=plain + classes[:, PRESENT],
        approved=classes[:, APPROVED],
        authorised=classes[:, AUTHORISED],
        unauthorised=classes[:, UNAUTHORISED],
        late_before=count_of(LATE_BEFORE),
        late_after=count_of(LATE_AFTER),
        unexplained=count_of(UNEXPLAINED),
    )


@dataclass(frozen=True, slots=True)
class AbsencePeriods:
    """Per line: the number of periods of absence, and the sessions missed in the longest."""

    number: Counts
    longest: Counts


def absence_periods(marks: Marks) -> AbsencePeriods:
    """Periods of absence: missed sessions with no attended session between them.

    Only an attended session ends a period, so weekends, closures and missing marks do not.
    """
    has_mark = used_columns(marks)
    lines, width = len(marks), int(np.count_nonzero(has_mark))
    # Only cells that are not attended can belong to a period: subtracting wraps around below zero, so that one comparison
    # finds the bytes outside the classes present and approved, empty cells among them.
    line, column = true_cells(has_mark & ((marks >> 5) - np.uint8(PRESENT) > APPROVED - PRESENT))
    absent = np.isin(marks[line, column] >> 5, (AUTHORISED, UNAUTHORISED))
    # One column more than there is keeps the last cell of a line apart from the first of the next.
    position = line * (width + 1) + (np.cumsum(has_mark) - 1)[column]
    is_start = np.concatenate(([True], np.diff(position) != 1)) if position.size else np.zeros(0, dtype=bool)
    period = np.cumsum(is_start) - 1
    length = np.bincount(period, weights=absent, minlength=int(period[-1]) + 1 if period.size else 0).astype(np.int64)
    period_line = line[is_start] if position.size else line
    has_absence = length > 0
    longest = np.zeros(lines, dtype=np.int64)
    np.maximum.at(longest, period_line[has_absence], length[has_absence])
    return AbsencePeriods(np.bincount(period_line[has_absence], minlength=lines), longest)


@dataclass(frozen=True, slots=True)
class Threshold:
    """Per line: sessions that count towards the penalty notice threshold.

    `newest`: in the newest ten school weeks. `best`: the most in any window. `met_column`: the column of the tenth session
    (-1 where there is none).
    """

    newest: Counts
    best: Counts
    met_column: Counts


def threshold(
    marks: Marks, week_of_column: NDArray[np.int64], counts: NDArray[np.bool_] | None = None, day_in_week: Counts | None = None
) -> Threshold:
    """Ten sessions of G, N, O or U within ten consecutive school weeks, for every line.

    `week_of_column` is the index of the column's week among the school's weeks (0, 1, …, never falling), or -1 where the
    school did not meet. `counts`, lines by columns, rules out cells (outside compulsory school age, or already dealt with).
    With `day_in_week`, each column's day in its week (0 to 6), the window rolls back from the day and not from the week.
    The newest ten weeks end with the newest that has a mark.
    """
    units_in_week = 1 if day_in_week is None else DAYS_IN_A_WEEK
    line, column = _unauthorised_cells(marks, week_of_column, counts)
    met_weeks = week_of_column[week_of_column >= 0]
    first = int(met_weeks[0]) if met_weeks.size else 0
    units = (int(np.ptp(met_weeks)) + 1 if met_weeks.size else 1) * units_in_week
    unit_of_column = (week_of_column - first) * units_in_week + (0 if day_in_week is None else day_in_week)
    unit = unit_of_column[column]
    lines = len(marks)
    # A week has at most fourteen sessions, so ten weeks fit into a byte.
    in_unit = np.bincount(unit * lines + line, minlength=units * lines).astype(np.uint8).reshape(units, lines)
    in_window = in_unit.copy()
    for distance in range(1, min(WINDOW_WEEKS * units_in_week, units)):
        in_window[distance:] += in_unit[:-distance]
    newest = int(week_of_column[used_columns(marks)].max(initial=-1)) - first
    newest_weeks = slice(max(0, newest - WINDOW_WEEKS + 1) * units_in_week, max(0, newest + 1) * units_in_week)
    best = in_window.max(axis=0, initial=0).astype(np.int64)
    met_lines = np.flatnonzero(best >= THRESHOLD)
    last_unit = (in_window[:, met_lines] >= THRESHOLD).argmax(axis=0)
    earlier = in_window[last_unit, met_lines].astype(np.int64) - in_unit[last_unit, met_lines]
    first_of_unit = np.searchsorted(line * units + unit, met_lines * units + last_unit)
    met_column = np.full(lines, -1, dtype=np.int64)
    met_column[met_lines] = column[first_of_unit + THRESHOLD - 1 - earlier]
    return Threshold(in_unit[newest_weeks].sum(axis=0, dtype=np.int64), best, met_column)


def _unauthorised_cells(
    marks: Marks, week_of_column: NDArray[np.int64], counts: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Line and column of the cells that count, line by line."""
    # Wraps around below the class, so that one comparison keeps the unauthorised bytes only.
    line, column = true_cells(marks - np.uint8(UNAUTHORISED << 5) < CLASS_SIZE)
    is_counted = week_of_column[column] >= 0
    if counts is not None:
        is_counted &= counts[line, column]
    return line[is_counted], column[is_counted]


def persistently_absent(absent: Counts, possible: Counts) -> NDArray[np.bool_]:
    """The lines that reach the rules' line of persistent absence, in integers."""
    return _reaches(PERSISTENT, absent, possible)


def severely_absent(absent: Counts, possible: Counts) -> NDArray[np.bool_]:
    """The lines that reach the rules' line of severe absence, in integers."""
    return _reaches(SEVERE, absent, possible)


def _reaches(line: Line, absent: Counts, possible: Counts) -> NDArray[np.bool_]:
    return (possible > 0) & (absent * line.out_of >= possible * line.parts)
