"""Delimited text taken apart in arrays: where each field of each record begins and ends, block by block."""

from __future__ import annotations

import csv
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from portal.uploads.reading.limits import FileRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from portal.uploads.reading.limits import Limits

BLOCK = 1 << 18
_QUOTE, _LF, _CR = ord('"'), ord("\n"), ord("\r")
#: Every field can be read eight bytes at a time without running over the end.
_PADDING = bytes(8)


@dataclass(frozen=True, slots=True)
class Block:
    """Some records. `starts` and `ends` have a row for each regular record and a column for each field (quotes taken off).

    `rows` are the regular records' numbers, from 1; `odd` are the records of another width, as texts.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    rows: NDArray[np.int64]
    odd: tuple[tuple[int, list[str]], ...]
    last_row: int


class Scan:
    """A delimited text of a known width. `content` ends its lines with LF or CRLF and has no NUL."""

    def __init__(self, content: bytes, *, delimiter: str, codec: str, width: int, limits: Limits) -> None:
        self.content = content
        self.delimiter, self.codec, self.width, self.limits = delimiter, codec, width, limits
        self.buffer = np.frombuffer(content + _PADDING, dtype=np.uint8)
        self.words: NDArray[np.uint64] = np.ndarray((len(content) + 1,), "<u8", self.buffer, strides=(1,))
        self._quotes = b'"' in content
        self._firsts: list[int] = []
        self._starts: list[NDArray[np.int64]] = []

    def blocks(self, *, after: int, progress: Callable[[int], None] | None = None) -> Iterator[Block]:
        """Every block of records whose number is greater than `after`.

        Raises:
            FileRefused: a line that is too long, a quotation mark never closed, too many rows.
        """
        low, row = 0, 0
        while low < len(self.content):
            high = self._end_of_block(low, row)
            block = self._block(low, high, row, after)
            low, row = high, block.last_row
            if row > self.limits.rows:
                raise FileRefused("too-many-rows", f"The file has more than {self.limits.rows:,} rows. Send one year at a time.")
            if progress is not None:
                progress(row)
            yield block

    def _end_of_block(self, low: int, row: int) -> int:
        """Where a block beginning at `low` ends: after a line end that stands outside quotation marks."""
        size = len(self.content)
        high = size if low + BLOCK >= size else self.content.rfind(b"\n", low, low + BLOCK) + 1
        if high <= 0:
            high = self._line_end(low, low + BLOCK)
        open_quote = self._quotes and self.content.count(b'"', low, high) % 2 == 1
        while open_quote and high < size:
            further = self._line_end(low, high)
            open_quote = self.content.count(b'"', high, further) % 2 == 0
            high = further
            if high - low > BLOCK + self.limits.line:
                break
        if open_quote:
            at = row + 1 + self.content.count(b"\n", low, self.content.rfind(b'"', low, high))
            sentence = f"A quotation mark in or above row {at} is never closed. Close it, or export the file again as an XLSX workbook."
            raise FileRefused("unclosed-quote", sentence)
        if high - low > BLOCK:
            self._refuse_long_lines(low, high, row)
        return high

    def _line_end(self, low: int, start: int) -> int:
        found = self.content.find(b"\n", start)
        high = len(self.content) if found < 0 else found + 1
        return min(high, low + BLOCK + 2 * self.limits.line)

    def _refuse_long_lines(self, low: int, high: int, row: int) -> None:
        for number, line in enumerate(self.content[low:high].split(b"\n"), row + 1):
            if len(line) > self.limits.line:
                sentence = f"Row {number} is too long to be a row of a register. Export the file again as CSV, with one line for each row."
                raise FileRefused("line-too-long", sentence)

    def _block(self, low: int, high: int, row: int, after: int) -> Block:
        part = self.buffer[low:high]
        is_end = part == _LF
        is_separator = (part == ord(self.delimiter)) | is_end
        if self._quotes and self.content.find(b'"', low, high) >= 0:
            is_quote = part == _QUOTE
            self._refuse_stray_quotes(part, np.flatnonzero(is_quote)[::2], row, low)
            is_separator &= (np.add.accumulate(is_quote, dtype=np.uint8) & 1) == 0
        separators = np.flatnonzero(is_separator)
        last = separators.size - 1
        if last < 0 or separators[last] != high - low - 1 or not is_end[-1]:
            separators = np.append(separators, high - low)
            ends_at = np.flatnonzero(np.append(is_end[separators[:-1]], True))
        else:
            ends_at = np.flatnonzero(is_end[separators])
        separators += low
        counts = np.diff(ends_at, prepend=-1)
        record_ends = separators[ends_at]
        record_starts = np.concatenate(([low], record_ends[:-1] + 1))
        self._firsts.append(row + 1)
        self._starts.append(record_starts)
        numbers = np.arange(row + 1, row + 1 + counts.size)
        return self._regular(separators, ends_at, counts, record_starts, numbers, after)

    def _refuse_stray_quotes(self, part: NDArray[np.uint8], opening: NDArray[np.intp], row: int, low: int) -> None:
        """A quotation mark opens a value only at its start; elsewhere it could swallow the rows up to the next one."""
        before = part[opening - 1]
        stray = (opening > 0) & ~np.isin(before, [ord(self.delimiter), _LF, _CR, _QUOTE])
        if stray.any():
            at = row + 1 + self.content.count(b"\n", low, low + int(opening[stray][0]))
            sentence = f"Row {at} has a quotation mark inside a value. Take it out, or export the file again as an XLSX workbook."
            raise FileRefused("stray-quote", sentence)

    def _regular(  # noqa: PLR0913  the parts of one block
        self,
        separators: NDArray[np.int64],
        ends_at: NDArray[np.int64],
        counts: NDArray[np.int64],
        record_starts: NDArray[np.int64],
        numbers: NDArray[np.int64],
        after: int,
    ) -> Block:
        fits = (counts == self.width) & (numbers > after)
        whole = bool(fits.all())
        if whole:
            ends = separators.reshape(-1, self.width)
            begins = record_starts
        else:
            ends = separators[(ends_at[fits] - self.width + 1)[:, None] + np.arange(self.width)]
            begins = record_starts[fits]
        starts = np.empty_like(ends)
        starts[:, 0] = begins
        starts[:, 1:] = ends[:, :-1] + 1
        ends = ends.copy()
        ends[:, -1] -= (ends[:, -1] > starts[:, -1]) & (self.buffer[ends[:, -1] - 1] == _CR)
        rows = numbers if whole else numbers[fits]
        odd = [] if whole else [(int(n), self._record(int(n))) for n in numbers[~fits & (numbers > after)]]
        if self._quotes:
            starts, ends, rows = self._unquoted(starts, ends, rows, odd)
        return Block(starts, ends, rows, tuple(odd), int(numbers[-1]) if numbers.size else after)

    def _unquoted(
        self, starts: NDArray[np.int64], ends: NDArray[np.int64], rows: NDArray[np.int64], odd: list[tuple[int, list[str]]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Take the quotation marks off; records in which they stand in odd places are read one by one instead."""
        opens = (self.buffer[starts] == _QUOTE) & (ends - starts > 1)
        closes = opens & (self.buffer[ends - 1] == _QUOTE)
        strange = (opens != closes).any(axis=1)
        if strange.any():
            odd += [(int(n), self._record(int(n))) for n in rows[strange]]
            odd.sort()
            starts, ends, rows, closes = starts[~strange], ends[~strange], rows[~strange], closes[~strange]
        return starts + closes, ends - closes, rows

    def _record(self, number: int) -> list[str]:
        return fields_of(self.text_of(number), self.delimiter)

    def text_of(self, number: int) -> str:
        """The text of one record that has been passed, without its line end."""
        at = bisect_right(self._firsts, number) - 1
        starts = self._starts[at]
        place = number - self._firsts[at]
        low = int(starts[place])
        if place + 1 < starts.size:
            high = int(starts[place + 1])
        elif at + 1 < len(self._starts):
            high = int(self._starts[at + 1][0])
        else:
            high = len(self.content)
        return self.content[low:high].decode(self.codec, "replace").rstrip("\r\n")

    def field(self, start: int, end: int) -> str:
        """The text of a field."""
        text = self.content[start:end].decode(self.codec, "replace")
        return text.replace('""', '"') if self._quotes else text

    def record(self, number: int) -> tuple[str, ...]:
        """One record that has been passed, as texts."""
        return tuple(self._record(number))


def fields_of(text: str, delimiter: str) -> list[str]:
    """One record as texts; a record the csv rules cannot read is split at its delimiters."""
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return text.split(delimiter)
