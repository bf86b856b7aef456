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
from portal.rules.codes import CODES_BY_SYMBOL

if TYPE_CHECKING:
    from portal.registers.domain.pages import Marks

Counts = NDArray[np.int64]

#: Bytes up to this one are `/`, `\\` or no mark. They are nearly all marks, and counted without looking at each.
PLAIN_PRESENT = CODES_BY_SYMBOL["\\"].byte
LATE_BEFORE, LATE_AFTER, UNEXPLAINED = (CODES_BY_SYMBOL[letters].byte for letters in ("L", "U", "N"))
RECENT_WEEKS = 10
THRESHOLD, THRESHOLD_WEEKS = 10, 10
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

    `newest`: in the newest ten school weeks. `best`: the most in any ten. `met_column`: the column of the tenth session (-1 where
    there is none).
    """

    newest: Counts
    best: Counts
    met_column: Counts


def threshold(marks: Marks, week_of_column: NDArray[np.int64], counts: NDArray[np.bool_] | None = None) -> Threshold:
    """Ten sessions of G, N, O or U within ten consecutive school weeks, for every line.

    `week_of_column` is the index of the column's week among the school's weeks (0, 1, …, never falling), or -1 where the
    school did not meet. `counts`, lines by columns, rules out cells (outside compulsory school age, or already dealt with).
    The newest ten weeks end with the newest that has a mark.
    """
    # Wraps around below the class, so that one comparison keeps the unauthorised bytes only.
    line, column = true_cells(marks - np.uint8(UNAUTHORISED << 5) < CLASS_SIZE)
    is_counted = week_of_column[column] >= 0
    if counts is not None:
        is_counted &= counts[line, column]
    line, column = line[is_counted], column[is_counted]
    week_numbers = week_of_column[week_of_column >= 0]
    lines, first, weeks = (
        len(marks),
        int(week_numbers[0]) if week_numbers.size else 0,
        int(np.ptp(week_numbers)) + 1 if week_numbers.size else 1,
    )
    week = week_of_column[column] - first
    # A week has at most fourteen sessions, so ten weeks fit into a byte.
    in_week = np.bincount(week * lines + line, minlength=weeks * lines).astype(np.uint8).reshape(weeks, lines)
    in_ten = in_week.copy()
    for distance in range(1, min(THRESHOLD_WEEKS, weeks)):
        in_ten[distance:] += in_week[:-distance]
    newest = int(week_of_column[used_columns(marks)].max(initial=-1)) - first
    best = in_ten.max(axis=0, initial=0).astype(np.int64)
    met_lines = np.flatnonzero(best >= THRESHOLD)
    last_week = (in_ten[:, met_lines] >= THRESHOLD).argmax(axis=0)
    earlier = in_ten[last_week, met_lines].astype(np.int64) - in_week[last_week, met_lines]
    first_of_week = np.searchsorted(line * weeks + week, met_lines * weeks + last_week)
    met_column = np.full(lines, -1, dtype=np.int64)
    met_column[met_lines] = column[first_of_week + THRESHOLD - 1 - earlier]
    return Threshold(in_ten[newest].astype(np.int64) if newest >= 0 else np.zeros(lines, dtype=np.int64), best, met_column)


def persistently_absent(absent: Counts, possible: Counts) -> NDArray[np.bool_]:
    """10% or more of the line's own possible sessions, in integers."""
    return (possible > 0) & (absent * 10 >= possible)


def severely_absent(absent: Counts, possible: Counts) -> NDArray[np.bool_]:
    """50% or more of the line's own possible sessions, in integers."""
    return (possible > 0) & (absent * 2 >= possible)
