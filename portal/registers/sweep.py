r"""The sweep: what `portal.rules` says of one pupil, said of every line of a school at once, in numpy.

Only the exceptional few per cent of marks (byte above `\`) are ever looked at one by one. A property test holds
these answers equal to the rules' own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from portal.registers.pages import APPROVED, AUTHORISED, PRESENT, UNAUTHORISED, count_by_line, places_of
from portal.rules.codes import BY_LETTERS

if TYPE_CHECKING:
    from portal.registers.pages import Marks

Counts = NDArray[np.int64]

#: Bytes at or below this are `/` or `\\` (or no mark): a pupil simply present.
PLAIN = BY_LETTERS["\\"].byte
LATE_BEFORE, LATE_AFTER, UNEXPLAINED = (BY_LETTERS[letters].byte for letters in ("L", "U", "N"))
RECENT_WEEKS = 10
THRESHOLD, THRESHOLD_WEEKS = 10, 10


@dataclass(frozen=True, slots=True)
class Sums:
    """Counts of sessions, one entry a line (or a group)."""

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
        """Sessions missed, whatever the explanation."""
        return self.authorised + self.unauthorised


def sums_by_line(marks: Marks) -> Sums:
    """Each line's counts over all the columns given. Sparse: plain presence is counted, the rest looked at."""
    lines = len(marks)
    line, column = places_of(marks > PLAIN)
    bytes_ = marks[line, column]
    classes = np.bincount(line * 8 + (bytes_ >> 5), minlength=lines * 8).reshape(lines, 8)
    plain = count_by_line(marks) - np.bincount(line, minlength=lines)

    def of(byte: int) -> Counts:
        return np.bincount(line[bytes_ == byte], minlength=lines)

    return Sums(
        present=plain + classes[:, PRESENT],
        approved=classes[:, APPROVED],
        authorised=classes[:, AUTHORISED],
        unauthorised=classes[:, UNAUTHORISED],
        late_before=of(LATE_BEFORE),
        late_after=of(LATE_AFTER),
        unexplained=of(UNEXPLAINED),
    )


@dataclass(frozen=True, slots=True)
class Spells:
    """Per line: how many spells of absence, and the sessions in the longest."""

    number: Counts
    longest: Counts


def spells(marks: Marks) -> Spells:
    """Unbroken runs of absence: only a session attended ends one, so weekends, closures and missing marks do not."""
    met = marks.any(axis=0)
    compact = marks[:, met]
    lines, width = compact.shape
    line, column = places_of((compact >> 5) - np.uint8(PRESENT) > APPROVED - PRESENT)
    absent = np.isin(compact[line, column] >> 5, (AUTHORISED, UNAUTHORISED))
    place = line * (width + 1) + column
    starts = np.concatenate(([True], np.diff(place) != 1)) if place.size else np.zeros(0, dtype=bool)
    run = np.cumsum(starts) - 1
    length = np.bincount(run, weights=absent, minlength=int(run[-1]) + 1 if run.size else 0).astype(np.int64)
    run_line = line[starts] if place.size else line
    real = length > 0
    longest = np.zeros(lines, dtype=np.int64)
    np.maximum.at(longest, run_line[real], length[real])
    return Spells(np.bincount(run_line[real], minlength=lines), longest)


@dataclass(frozen=True, slots=True)
class Threshold:
    """Per line: sessions counted in the newest ten school weeks, the most in any ten, and the column of the tenth (-1: not met)."""

    newest: Counts
    best: Counts
    met_at: Counts


def threshold(marks: Marks, week_of_column: NDArray[np.int64], counts: NDArray[np.bool_] | None = None) -> Threshold:
    """Ten sessions of G, N, O or U within ten consecutive school weeks, for every line.

    `week_of_column` is the column's place among the school's weeks (0, 1, …, never falling), or -1 where the school did
    not meet. `counts`, lines by columns, rules out cells (outside compulsory school age, already dealt with). The
    newest ten weeks end with the newest that has a mark.
    """
    lines = len(marks)
    line, column = places_of((marks >> 5) == UNAUTHORISED)
    kept = week_of_column[column] >= 0
    if counts is not None:
        kept &= counts[line, column]
    line, column = line[kept], column[kept]
    week = week_of_column[column]
    newest_week = int(week_of_column[marks.any(axis=0)].max(initial=-1))
    weeks = int(week_of_column.max(initial=-1)) + 1
    key = line * weeks + week
    first = np.searchsorted(key, line * weeks + np.maximum(week - THRESHOLD_WEEKS + 1, 0))
    to_end_of_week = np.searchsorted(key, key, side="right")
    best = np.zeros(lines, dtype=np.int64)
    np.maximum.at(best, line, to_end_of_week - first)
    recent = week > newest_week - THRESHOLD_WEEKS
    met_at = np.full(lines, -1, dtype=np.int64)
    tenth = np.arange(line.size) - first + 1 >= THRESHOLD
    met_lines, earliest = np.unique(line[tenth], return_index=True)
    met_at[met_lines] = column[tenth][earliest]
    return Threshold(np.bincount(line[recent], minlength=lines), best, met_at)


def persistently_absent(absent: Counts, possible: Counts) -> NDArray[np.bool_]:
    """10% or more of the line's own possible sessions, in integers."""
    return (possible > 0) & (absent * 10 >= possible)


def severely_absent(absent: Counts, possible: Counts) -> NDArray[np.bool_]:
    """50% or more of the line's own possible sessions, in integers."""
    return (possible > 0) & (absent * 2 >= possible)
