r"""The sweep: what `portal.rules` says of one pupil, said of every line of a school at once, in numpy.

Only the exceptional few per cent of marks (byte above `\`) are ever looked at one by one. A property test holds
these answers equal to the rules' own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from portal.registers.pages import APPROVED, AUTHORISED, PRESENT, UNAUTHORISED, count_by_line, places_of, used_columns
from portal.rules.codes import BY_LETTERS

if TYPE_CHECKING:
    from portal.registers.pages import Marks

Counts = NDArray[np.int64]

#: Bytes at or below this are `/` or `\\` (or no mark): a pupil simply present.
PLAIN = BY_LETTERS["\\"].byte
LATE_BEFORE, LATE_AFTER, UNEXPLAINED = (BY_LETTERS[letters].byte for letters in ("L", "U", "N"))
RECENT_WEEKS = 10
THRESHOLD, THRESHOLD_WEEKS = 10, 10
#: Bytes of one class: the class stands in the top three bits.
CLASS = 1 << 5


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
    met = used_columns(marks)
    lines, width = len(marks), int(np.count_nonzero(met))
    line, column = places_of(met & ((marks >> 5) - np.uint8(PRESENT) > APPROVED - PRESENT))
    absent = np.isin(marks[line, column] >> 5, (AUTHORISED, UNAUTHORISED))
    place = line * (width + 1) + (np.cumsum(met) - 1)[column]
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
    line, column = places_of(marks - np.uint8(UNAUTHORISED << 5) < CLASS)
    kept = week_of_column[column] >= 0
    if counts is not None:
        kept &= counts[line, column]
    line, column = line[kept], column[kept]
    known = week_of_column[week_of_column >= 0]
    lines, first, weeks = len(marks), int(known[0]) if known.size else 0, int(np.ptp(known)) + 1 if known.size else 1
    week = week_of_column[column] - first
    # A week has fourteen sessions at most, so that ten weeks fit a byte.
    in_week = np.bincount(week * lines + line, minlength=weeks * lines).astype(np.uint8).reshape(weeks, lines)
    in_ten = in_week.copy()
    for back in range(1, min(THRESHOLD_WEEKS, weeks)):
        in_ten[back:] += in_week[:-back]
    newest = int(week_of_column[used_columns(marks)].max(initial=-1)) - first
    best = in_ten.max(axis=0, initial=0).astype(np.int64)
    met = np.flatnonzero(best >= THRESHOLD)
    met_in = (in_ten[:, met] >= THRESHOLD).argmax(axis=0)
    before = in_ten[met_in, met].astype(np.int64) - in_week[met_in, met]
    first_of_week = np.searchsorted(line * weeks + week, met * weeks + met_in)
    met_at = np.full(lines, -1, dtype=np.int64)
    met_at[met] = column[first_of_week + THRESHOLD - 1 - before]
    return Threshold(in_ten[newest].astype(np.int64) if newest >= 0 else np.zeros(lines, dtype=np.int64), best, met_at)


def persistently_absent(absent: Counts, possible: Counts) -> NDArray[np.bool_]:
    """10% or more of the line's own possible sessions, in integers."""
    return (possible > 0) & (absent * 10 >= possible)


def severely_absent(absent: Counts, possible: Counts) -> NDArray[np.bool_]:
    """50% or more of the line's own possible sessions, in integers."""
    return (possible > 0) & (absent * 2 >= possible)
