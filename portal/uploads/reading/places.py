"""Fields of a scanned text turned into places among their distinct texts, without making a text of each."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from numpy.typing import NDArray

    from portal.uploads.reading.gathering import Distinct
    from portal.uploads.reading.scanning import Block, Scan

_TABLE_BITS = 16
_SHIFT = np.uint64(64 - _TABLE_BITS)
_HALF = np.uint64(32)
_ONE = np.uint64(1)
_WORD = 8
_MASKS = np.array([0, *((1 << (8 * size)) - 1 for size in range(1, 9))], dtype=np.uint64)
#: Drawn anew in each process, so that no file can be written whose different texts are taken for one.
_KEYS = np.array([secrets.randbits(64) | 1 for _ in range(64)], dtype=np.uint64)


def hashes(scan: Scan, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A 64-bit hash of each field's bytes."""
    widths = ends - starts
    found: NDArray[np.uint64] = (scan.words[starts] & _MASKS[np.minimum(widths, _WORD)]) * _KEYS[0]
    longest = int(widths.max(initial=0))
    step = 1
    while step * _WORD < longest:
        some = np.flatnonzero(widths > step * _WORD)
        words = scan.words[starts[some] + step * _WORD] & _MASKS[np.minimum(widths[some] - step * _WORD, _WORD)]
        found[some] = mixed(found[some], words, step)
        step += 1
    return found


def mixed(before: NDArray[np.uint64], more: NDArray[np.uint64], step: int) -> NDArray[np.uint64]:
    """One hash from two."""
    turned: NDArray[np.uint64] = ((before ^ (before >> _HALF)) * _KEYS[step % 31 + 1]) + (more ^ (more >> _HALF)) * _KEYS[step % 31 + 32]
    return turned


class Places:
    """The places of hashed texts in a `Distinct`, looked up in a table; only new texts are ever decoded."""

    def __init__(self, distinct: Distinct) -> None:
        self.distinct = distinct
        self._keys = np.zeros(1 << _TABLE_BITS, dtype=np.uint64)
        self._places = np.zeros(1 << _TABLE_BITS, dtype=np.int32)
        self._known: dict[int, int] = {}

    def of(self, found: NDArray[np.uint64], text_at: Callable[[int], Hashable]) -> NDArray[np.int32]:
        """The place of each text; `text_at(i)` decodes the i-th."""
        spread = (found ^ (found >> _HALF)) * _KEYS[63] | _ONE
        slots = (spread >> _SHIFT).astype(np.intp)
        places = self._places[slots]
        missed = np.flatnonzero(self._keys[slots] != spread)
        if missed.size:
            distinct, first, back = np.unique(spread[missed], return_index=True, return_inverse=True)
            new = np.empty(distinct.size, dtype=np.int32)
            # In order of appearance, so that the list of pupils keeps the order of the file.
            for number in np.argsort(first, kind="stable").tolist():
                new[number] = self._place(int(distinct[number]), int(missed[first[number]]), text_at)
            places[missed] = new[back]
        return places

    def _place(self, key: int, at: int, text_at: Callable[[int], Hashable]) -> int:
        place = self._known.get(key)
        if place is None:
            place = self._known[key] = self.distinct[text_at(at)]
            slot = key >> int(_SHIFT)
            if self._keys[slot] == 0:
                self._keys[slot], self._places[slot] = key, place
        return place


def column_places(scan: Scan, block: Block, column: int, places: Places) -> NDArray[np.int32]:
    """The places of one column's texts in a block."""
    starts, ends = block.starts[:, column], block.ends[:, column]
    return places.of(hashes(scan, starts, ends), lambda at: scan.field(int(starts[at]), int(ends[at])))


def joined_places(scan: Scan, block: Block, columns: Sequence[int | None], places: Places) -> NDArray[np.int32]:
    """The places of several columns' texts taken together, as tuples; a column that is None gives an empty text."""
    found = np.zeros(block.rows.size, dtype=np.uint64)
    for step, column in enumerate(columns):
        if column is not None:
            found = mixed(found, hashes(scan, block.starts[:, column], block.ends[:, column]), step)

    def text_at(at: int) -> tuple[str, ...]:
        return tuple(
            "" if column is None else scan.field(int(block.starts[at, column]), int(block.ends[at, column])) for column in columns
        )

    return places.of(found, text_at)
