"""Register pages as arrays: lines by fourteen sessions, one byte a mark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from portal.rules.calendar import register_year
from portal.rules.codes import CODES, NOT_MARKS, Category

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from uuid import UUID

SESSIONS = 14
PRESENT, APPROVED, AUTHORISED, UNAUTHORISED, NOT_POSSIBLE = (int(category) for category in Category)

#: A page's marks, or many side by side: unsigned bytes, lines down, sessions across.
Marks = NDArray[np.uint8]
Days = NDArray[np.datetime64]

#: The order of the counts in a summary's `by_code`: the byte of every code, ascending.
CODE_BYTES = np.array(sorted(code.byte for code in CODES), dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Page:
    """One version of a school's week."""

    school_id: UUID
    week: date
    version: int
    upload_id: UUID | None
    marks: Marks

    @property
    def academic_year(self) -> int:
        """The academic year whose roll lines the page's rows are."""
        return register_year(self.week)


#: The bytes of # and Z. They follow each other, which `is_mark` relies on and a test holds.
ADMINISTRATIVE = sorted(NOT_MARKS - {0})


def unpacked(stored: bytes) -> Marks:
    """Stored bytes as an array of lines by fourteen sessions (read-only, not copied)."""
    return np.frombuffer(stored, dtype=np.uint8).reshape(-1, SESSIONS)


def packed(marks: Marks) -> bytes:
    """An array as stored bytes; empty lines at the end are left off."""
    used = np.flatnonzero(marks.any(axis=1))
    return marks[: used[-1] + 1 if used.size else 0].tobytes()


def extended(marks: Marks, lines: int) -> Marks:
    """The marks with at least `lines` lines; a short page gets empty lines at the end."""
    if len(marks) >= lines:
        return marks
    longer = np.zeros((lines, marks.shape[1]), dtype=np.uint8)
    longer[: len(marks)] = marks
    return longer


def masked(marks: Marks, mask: NDArray[np.bool_]) -> Marks:
    """The marks where `mask` is true, 0 elsewhere.

    Multiplication instead of `np.where`, which is many times slower on bytes.
    """
    return marks * mask.view(np.uint8)


def is_mark(marks: Marks) -> NDArray[np.bool_]:
    """The cells that hold a mark, as `rules.codes.is_mark` says of each."""
    # Subtracting wraps around below zero, so that one comparison leaves out all of # and Z, whose bytes follow each other.
    # Many times faster than a look-up in a table of 256.
    mask: NDArray[np.bool_] = (marks - np.uint8(ADMINISTRATIVE[0])) > ADMINISTRATIVE[-1] - ADMINISTRATIVE[0]
    mask &= marks != 0
    return mask


def true_cells(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Line and column of every true cell, line by line.

    The same as `np.nonzero`, and ten times faster where few cells are true.
    """
    flat = _true_indices(mask.ravel())
    line = flat // max(mask.shape[1], 1)
    return line, flat - line * mask.shape[1]


def _true_indices(cells: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The indices of true cells, as `np.flatnonzero` gives them.

    Eight bytes are tested at once as one 64-bit number, and singly only where one of the eight is true.
    """
    blocks_end = cells.size // 8 * 8
    blocks = np.flatnonzero(cells[:blocks_end].view(np.uint64) != 0)
    offsets = np.flatnonzero(cells[:blocks_end].reshape(-1, 8)[blocks])
    return np.concatenate([blocks[offsets // 8] * 8 + offsets % 8, np.flatnonzero(cells[blocks_end:]) + blocks_end])


def used_columns(marks: Marks) -> NDArray[np.bool_]:
    """The columns in which any line has a mark."""
    used: NDArray[np.bool_] = np.bitwise_or.reduce(marks, axis=0) != 0
    return used


def count_by_line(mask: NDArray[np.bool_] | Marks) -> NDArray[np.int64]:
    """How many cells of each line are true (or not 0).

    Bits packed and counted: three times faster than `np.count_nonzero` along a line.
    """
    counts: NDArray[np.int64] = np.bitwise_count(np.packbits(mask, axis=1)).sum(axis=1, dtype=np.int64)
    return counts


def merged(before: Marks, incoming: Marks) -> Marks:
    """The page after `incoming` is written over it; an empty cell never erases a mark."""
    lines = max(len(before), len(incoming))
    existing, new = extended(before, lines), extended(incoming, lines)
    return new | masked(existing, new == 0)


def reverted(before: Marks, written: Marks, now: Marks) -> Marks:
    """The page `now` with one upload's changes reverted, except where a later version changed them again.

    `before` and `written` are the versions around the upload. With nothing later, the answer is `before`.
    """
    lines = max(len(before), len(written), len(now))
    old, new, present = (extended(marks, lines) for marks in (before, written, now))
    return np.where((old != new) & (present == new), old, present)


def side_by_side(weeks: Sequence[tuple[date, Marks]], lines: int) -> Marks:
    """Several weeks of a school as one array: lines by (weeks x 14), in the given order."""
    joined = np.zeros((lines, SESSIONS * len(weeks)), dtype=np.uint8)
    for index, (_, marks) in enumerate(weeks):
        joined[: min(lines, len(marks)), index * SESSIONS : (index + 1) * SESSIONS] = marks[:lines]
    return joined


def session_days(weeks: Sequence[date]) -> Days:
    """The day of each column of weeks side by side, as datetime64[D]."""
    if not weeks:
        return np.zeros(0, dtype="datetime64[D]")
    mondays = np.array(weeks, dtype="datetime64[D]")
    return np.repeat((mondays[:, None] + np.arange(7)).ravel(), 2)


@dataclass(frozen=True, slots=True)
class Change:
    """The cells in which two versions of a page differ.

    Parallel arrays: line (from 0), session (0 to 13), byte before and byte after.
    """

    line: NDArray[np.int64]
    session: NDArray[np.int64]
    before: Marks
    after: Marks


def difference(before: Marks, after: Marks) -> Change:
    """The changes from one version to the next, which make up the amendment log."""
    lines = max(len(before), len(after))
    old, new = extended(before, lines), extended(after, lines)
    line, session = true_cells(old != new)
    return Change(line, session, old[line, session], new[line, session])
