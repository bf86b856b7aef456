"""Pages of marks: bytes in PostgreSQL, arrays here. Lines by fourteen sessions, a byte a mark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from portal.rules.calendar import register_year
from portal.rules.codes import CODES, Category

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from uuid import UUID

SESSIONS, EIGHT = 14, 8
PRESENT, APPROVED, AUTHORISED, UNAUTHORISED, NOT_POSSIBLE = (int(category) for category in Category)

#: A page's marks, or many side by side: unsigned bytes, lines down, sessions across.
Marks = NDArray[np.uint8]
Days = NDArray[np.datetime64]

#: The order in which a tally's `by_code` counts stand: every byte a code has, ascending.
CODE_BYTES = np.array(sorted(code.byte for code in CODES), dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Page:
    """One version of one school's week."""

    school_id: UUID
    week: date
    version: int
    upload_id: UUID | None
    marks: Marks

    @property
    def academic_year(self) -> int:
        """The academic year whose roll lines the page's lines are."""
        return register_year(self.week)


def unpacked(stored: bytes) -> Marks:
    """Stored bytes as an array of lines by fourteen sessions (read-only, no copy)."""
    return np.frombuffer(stored, dtype=np.uint8).reshape(-1, SESSIONS)


def packed(marks: Marks) -> bytes:
    """An array as stored: lines with no mark at the end are left off."""
    used = np.flatnonzero(marks.any(axis=1))
    return marks[: used[-1] + 1 if used.size else 0].tobytes()


def extended(marks: Marks, lines: int) -> Marks:
    """The same marks with at least `lines` lines; a short page is extended with empty ones."""
    if len(marks) >= lines:
        return marks
    longer = np.zeros((lines, marks.shape[1]), dtype=np.uint8)
    longer[: len(marks)] = marks
    return longer


def only(marks: Marks, where: NDArray[np.bool_]) -> Marks:
    """The marks where `where` is so, 0 elsewhere: `np.where`, many times faster."""
    return marks * where.view(np.uint8)


def places_of(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Line and column of every cell that is so, line by line: `np.nonzero`, ten times faster where few are."""
    flat = _so(mask.ravel())
    line = flat // max(mask.shape[1], 1)
    return line, flat - line * mask.shape[1]


def _so(cells: NDArray[np.bool_]) -> NDArray[np.int64]:
    """`np.flatnonzero`: eight cells looked at together, and again only where one of them is so."""
    whole = cells.size // EIGHT * EIGHT
    eights = np.flatnonzero(cells[:whole].view(np.uint64) != 0)
    among = np.flatnonzero(cells[:whole].reshape(-1, EIGHT)[eights])
    return np.concatenate([eights[among // EIGHT] * EIGHT + among % EIGHT, np.flatnonzero(cells[whole:]) + whole])


def used_columns(marks: Marks) -> NDArray[np.bool_]:
    """Columns in which somebody has a mark."""
    used: NDArray[np.bool_] = np.bitwise_or.reduce(marks, axis=0) != 0
    return used


def count_by_line(mask: NDArray[np.bool_] | Marks) -> NDArray[np.int64]:
    """How many cells of each line are so: `np.count_nonzero` along a line, three times faster."""
    counts: NDArray[np.int64] = np.bitwise_count(np.packbits(mask, axis=1)).sum(axis=1, dtype=np.int64)
    return counts


def merged(before: Marks, arriving: Marks) -> Marks:
    """What a page says once `arriving` is written over it: an empty cell never erases a mark."""
    lines = max(len(before), len(arriving))
    held, new = extended(before, lines), extended(arriving, lines)
    return new | only(held, new == 0)


def undone(before: Marks, written: Marks, now: Marks) -> Marks:
    """The page `now` with what one upload changed taken back, where nothing since has changed it again.

    `before` and `written` are the versions around the upload. With nothing since, this is `before`.
    """
    lines = max(len(before), len(written), len(now))
    old, new, present = (extended(marks, lines) for marks in (before, written, now))
    return np.where((old != new) & (present == new), old, present)


def side_by_side(weeks: Sequence[tuple[date, Marks]], lines: int) -> Marks:
    """Several weeks of one school as one array: lines by (weeks x 14), in the order given."""
    whole = np.zeros((lines, SESSIONS * len(weeks)), dtype=np.uint8)
    for place, (_, marks) in enumerate(weeks):
        whole[: min(lines, len(marks)), place * SESSIONS : (place + 1) * SESSIONS] = marks[:lines]
    return whole


def session_days(weeks: Sequence[date]) -> Days:
    """For each column of weeks side by side, its day, as datetime64[D]."""
    if not weeks:
        return np.zeros(0, dtype="datetime64[D]")
    mondays = np.array(weeks, dtype="datetime64[D]")
    return np.repeat((mondays[:, None] + np.arange(7)).ravel(), 2)


@dataclass(frozen=True, slots=True)
class Change:
    """Cells two versions disagree on: parallel arrays of line (from 0), session (0 to 13), byte before and byte after."""

    line: NDArray[np.int64]
    session: NDArray[np.int64]
    before: Marks
    after: Marks


def difference(before: Marks, after: Marks) -> Change:
    """What changed from one version to the next: the amendment log is made of these."""
    lines = max(len(before), len(after))
    old, new = extended(before, lines), extended(after, lines)
    line, session = places_of(old != new)
    return Change(line, session, old[line, session], new[line, session])
