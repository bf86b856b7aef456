"""Reads a plain CSV in the long layout with array operations instead of row by row.

Most of the time a cell is the same as the one above it. Each column is therefore stored as runs of equal cells, and each distinct
text is parsed once. A file that is not plain (quoted delimiters, two marks in a cell, faults) is left to the row by row reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from portal.tabular.cells import clean, clean_value
from portal.tabular.csv_rows import delimiter_of
from portal.tabular.decoding import decoded_cell
from portal.uploads.domain.reading.builder import holds_two_codes, split_minutes
from portal.uploads.domain.reading.headings import fingerprint, meanings_of
from portal.uploads.domain.reading.long_layout import HALF_BY_WORD
from portal.uploads.domain.reading.parsing import Dates, code_text
from portal.uploads.domain.reading.result import MISSING, PupilKey, Reading
from portal.uploads.domain.reading.rows import CellReader, upn_fault
from portal.uploads.domain.reading.tables import Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date

    from portal.uploads.domain.reading.headings import ColumnMappings

#: Bytes of a machine word: cells are compared eight bytes at a time.
WORD = 8
MAX_CELL, MAX_HEADING_ROW = 64, 65_536
#: Bytes a chunk needs after its last row, as whole words are read from the start of each cell.
PADDING = MAX_CELL + WORD
#: Bytes read at a time: arrays of this size stay in the processor's cache.
CHUNK = 1 << 18
#: For n from 0 to 8, a mask of the first n bytes of a little-endian word.
FIRST_BYTES = np.array([(1 << 8 * n) - 1 for n in range(WORD + 1)], dtype=np.uint64)
NEWLINE, RETURN, QUOTE = ord("\n"), ord("\r"), ord('"')
REQUIRED = frozenset({"upn", "date", "session", "code"})
#: Meanings whose cells are all read. Other columns describe the pupil, and are read in the first row of each pupil.
READ_IN_FULL = REQUIRED | {"date_of_birth", "school_number"}
#: Meanings this reader supports. A file with any other meaning (such as minutes late) is read row by row.
SUPPORTED = frozenset(
    {
        "upn",
        "former_upn",
        "surname",
        "forename",
        "date_of_birth",
        "year_group",
        "registration_group",
        "school_number",
        "date",
        "session",
        "code",
        None,
    }
)

Indexes = NDArray[np.int64]
Word = NDArray[np.unsignedinteger[Any]]
Value = TypeVar("Value")


class _NotPlainError(Exception):
    """The file is not plain, and must be read row by row."""


@dataclass(frozen=True)
class _TextColumn:
    """One column as distinct texts and runs of equal cells.

    For each run, `text_of_run` is an index into `texts` and `run_length` the number of rows; `first_rows` has the first row with
    each text.
    """

    texts: list[str]
    text_of_run: Indexes
    run_length: Indexes
    first_rows: list[int]

    def per_row(self, per_text: NDArray[Any]) -> NDArray[Any]:
        """Expand an array with one value for each text to one value for each row."""
        per_run = per_text[self.text_of_run]
        return per_run if per_run.size == self.run_length.sum() else np.repeat(per_run, self.run_length)


def read_fast_csv(content: bytes, mappings: ColumnMappings, progress: Callable[[int], None]) -> Reading | None:
    """Read a plain CSV in the long layout; None if the file must be read row by row."""
    try:
        return _read(content, mappings, progress)
    except _NotPlainError:
        return None


def _read(content: bytes, mappings: ColumnMappings, progress: Callable[[int], None]) -> Reading:
    text = content.removeprefix(b"\xef\xbb\xbf")
    if text.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in text:
        raise _NotPlainError
    if text.endswith((b"\n\n", b"\n\r\n")):
        text = text.rstrip(b"\r\n")
    heading_row = decoded_cell(text[: max(0, text.find(b"\n", 0, MAX_HEADING_ROW))])[0].rstrip("\r").replace('"', "")
    delimiter = delimiter_of(heading_row)
    headings = [clean(cell) for cell in heading_row.split(delimiter)]
    meanings = meanings_of(headings, mappings.of(headings))
    if not REQUIRED <= set(meanings) <= SUPPORTED:
        raise _NotPlainError
    if b'"' in text:
        text = _without_quotes(text, ord(delimiter))
    columns = {meaning: column for column, meaning in enumerate(meanings) if meaning in READ_IN_FULL}
    return _build_reading(_Table(text, delimiter, len(headings), columns, progress), headings, meanings)


def _without_quotes(text: bytes, delimiter: int) -> bytes:
    """Remove the quotation marks of a file that has them only around whole cells.

    Raises:
        _NotPlainError: when a mark is elsewhere, or there is a delimiter or line end between a pair.
    """
    raw = np.frombuffer(b"\n" + text + b"\n", dtype=np.uint8)
    is_open = False
    for start in range(0, len(text), CHUNK):
        # One byte more on each side: an opening mark must follow a delimiter, and a closing one precede a delimiter or line end.
        chunk = raw[start : start + CHUNK + 2]
        is_delimiter = (chunk == delimiter) | (chunk == NEWLINE)
        is_end = is_delimiter | (chunk == RETURN)
        is_quote = chunk[1:-1] == QUOTE
        # An odd number of marks so far means that this byte is inside a pair.
        is_inside = np.bitwise_xor.accumulate(is_quote.view(np.uint8)).view(bool) ^ is_open
        opens, closes = is_quote & is_inside, is_quote & ~is_inside
        if (is_end[1:-1] & is_inside).any() or (opens & ~is_delimiter[:-2]).any() or (closes & ~is_end[2:]).any():
            raise _NotPlainError
        is_open = bool(is_inside[-1])
    if is_open:
        raise _NotPlainError
    return text.translate(None, b'"')


def _chunks(text: bytes) -> Iterator[tuple[bytes, int, int, int]]:
    """Chunks of whole rows below the headings.

    Each is a buffer, where it starts and stops in the buffer, and the offset of the buffer in the file.
    """
    start = text.find(b"\n") + 1
    while start < len(text):
        stop = len(text) if len(text) - start <= CHUNK else text.rfind(b"\n", start, start + CHUNK) + 1
        if stop <= start:
            raise _NotPlainError
        if stop + PADDING <= len(text):
            yield text, start, stop, 0
        else:
            # The last chunk is copied and padded: reading whole words would otherwise go beyond the end of the file.
            last = text[start:stop].removesuffix(b"\n") + b"\n"
            yield last + bytes(PADDING), 0, len(last), start
        start = stop


def _words(buffer: bytes, start: Indexes, length: Indexes) -> list[Word]:
    """The cells of a column as arrays of words, eight bytes of each cell in each array.

    Bytes beyond the end of a cell are zero, so equal cells have equal words.
    """
    shortest, longest = int(length.min()), int(length.max())
    if longest > MAX_CELL:
        raise _NotPlainError
    # Where all cells are equally long one mask is enough: NumPy applies it to all.
    lengths = length[:1] if shortest == longest else length
    if longest <= 2:
        # Marks and sessions fit into two bytes, which are faster to compare.
        raw = np.frombuffer(buffer, dtype=np.uint8)
        two_bytes = raw[start] | np.left_shift(raw[start + 1], 8, dtype=np.uint16)
        return [two_bytes & FIRST_BYTES[lengths].astype(np.uint16)]
    # A view with a stride of one byte: a word can be read at any offset, aligned or not, without a copy.
    word_at = np.ndarray(len(buffer) - WORD + 1, dtype="<u8", buffer=buffer, strides=(1,))
    words: list[Word] = []
    for offset in range(0, longest, WORD):
        word = word_at[start + offset]
        if shortest < offset + WORD:
            word &= FIRST_BYTES[np.clip(lengths - offset, 0, WORD)]
        words.append(word)
    return words


class _Table:
    """The columns to be read in full, as runs of equal cells. The file is read chunk by chunk."""

    def __init__(
        self, text: bytes, delimiter: str, width: int, columns: Mapping[str, int], progress: Callable[[int], None]
    ) -> None:
        self.text, self.delimiter, self.width, self.columns = text, delimiter, width, columns
        self.has_returns = b"\r" in text
        self.rows = 0
        #: By meaning, for each chunk: the first row of each run, and the words of its cell.
        self.run_starts: dict[str, list[NDArray[np.int32]]] = {meaning: [] for meaning in columns}
        self.run_words: dict[str, list[list[Word]]] = {meaning: [] for meaning in columns}
        row_starts: list[Indexes] = []
        for buffer, start, stop, offset in _chunks(text):
            row_starts.append(self._add_chunk(buffer, start, stop) + offset)
            progress(self.rows)
        if not self.rows:
            raise _NotPlainError
        self.row_starts = np.concatenate(row_starts)

    def _add_chunk(self, buffer: bytes, start: int, stop: int) -> Indexes:
        """Split a chunk into cells and store the runs of each column. Returns where each row starts in the buffer."""
        raw = np.frombuffer(buffer, dtype=np.uint8)
        chunk = raw[start:stop]
        is_newline = chunk == NEWLINE
        cell_ends = np.flatnonzero(is_newline | (chunk == ord(self.delimiter)))
        row_ends = cell_ends[self.width - 1 :: self.width]
        # Every row must have the same number of cells, or the strides below would take cells of other columns.
        is_regular = cell_ends.size == row_ends.size * self.width and np.count_nonzero(is_newline) == row_ends.size
        if not is_regular or not is_newline[row_ends].all():
            raise _NotPlainError
        # Cell ends become positions in the buffer; row ends are a view of them and move with them.
        cell_ends += start
        row_starts = np.concatenate(([start], row_ends[:-1] + 1))
        for meaning, column in self.columns.items():
            cell_start = cell_ends[column - 1 :: self.width] + 1 if column else row_starts
            length = cell_ends[column :: self.width] - cell_start
            if self.has_returns and column == self.width - 1:
                length -= raw[np.maximum(row_ends - 1, 0)] == RETURN
            words = _words(buffer, cell_start, length)
            is_change = np.ones(row_ends.size, dtype=bool)
            is_change[1:] = words[0][1:] != words[0][:-1]
            for word in words[1:]:
                is_change[1:] |= word[1:] != word[:-1]
            run_starts = np.flatnonzero(is_change)
            self.run_starts[meaning].append((run_starts + self.rows).astype(np.int32))
            self.run_words[meaning].append([word[run_starts] for word in words])
        self.rows += row_ends.size
        return row_starts

    def text_column(self, meaning: str) -> _TextColumn:
        """A column with its distinct texts, each decoded once."""
        run_starts, chunks = np.concatenate(self.run_starts[meaning]), self.run_words[meaning]
        # Chunks whose longest cell is shorter have fewer words: zeros stand for the rest.
        zeros = [np.zeros(len(chunk[0]), dtype=np.uint16) for chunk in chunks]
        words = [
            np.concatenate([chunk[n] if n < len(chunk) else zero for chunk, zero in zip(chunks, zeros, strict=True)])
            for n in range(max(map(len, chunks)))
        ]
        # Number the distinct texts word by word. Each step combines two numbers into one, and factorises again to keep it small.
        text_of_run: Indexes = pd.factorize(words[0])[0].astype(np.int64, copy=False)
        for word in words[1:]:
            number, distinct = pd.factorize(word)
            text_of_run = pd.factorize(text_of_run * (len(distinct) + 1) + number)[0].astype(np.int64, copy=False)
        # Texts are numbered in order of appearance, so the first run of a text is where the highest number so far rises.
        first_runs = np.flatnonzero(np.diff(np.maximum.accumulate(text_of_run), prepend=-1))
        cells = np.stack([word[first_runs].astype("<u8") for word in words], axis=1)
        texts = [decoded_cell(cell.tobytes().rstrip(b"\0"))[0] for cell in cells]
        run_length = np.empty(run_starts.size, dtype=np.int64)
        run_length[:-1], run_length[-1] = run_starts[1:] - run_starts[:-1], self.rows - run_starts[-1]
        return _TextColumn(texts, text_of_run, run_length, run_starts[first_runs].tolist())

    def cells(self, row: int) -> list[str]:
        """The cells of one row."""
        start = int(self.row_starts[row])
        end = self.text.find(b"\n", start)
        line = self.text[start : end if end >= 0 else None]
        return decoded_cell(line)[0].rstrip("\r").split(self.delimiter)


def _build_reading(table: _Table, headings: list[str], meanings: list[str | None]) -> Reading:
    columns = {meaning: table.text_column(meaning) for meaning in table.columns}
    dates = _dates(columns)
    days, day_of_text = _days(columns["date"], dates)
    half_of_text = np.array([HALF_BY_WORD.get(clean_value(text).upper(), 9) for text in columns["session"].texts], dtype=np.uint8)
    codes, code_of_text = _codes(columns["code"])
    pupils = _pupils(table, columns, headings, meanings, dates)
    code, day = columns["code"].per_row(code_of_text), columns["date"].per_row(day_of_text)
    session = columns["session"].per_row(half_of_text)
    pupil = columns["upn"].per_row(np.arange(len(pupils), dtype=np.int32))
    has_mark = code >= 0
    # A blank row needs no date. A mark without one is a fault, and only the row by row reader reports those.
    if (has_mark & ((day < 0) | (session > 1))).any():
        raise _NotPlainError
    rows = np.flatnonzero(has_mark)
    if rows.size < has_mark.size:
        session, code = session[rows], code[rows]
        pupils, pupil = _without_unused(pupils, pupil[rows])
        days, day = _without_unused(days, day[rows])
    column = meanings.index("code") + 1
    return Reading(
        layout="long",
        pupils=pupils,
        dates=days,
        codes=codes,
        pupil=pupil,
        day=day,
        session=session,
        code=code,
        row=rows.astype(np.int32) + np.int32(2),
        column=np.full(rows.size, column, dtype=np.int16),
        sheet=np.zeros(rows.size, dtype=np.int16),
        missing=int(table.rows - rows.size),
        fingerprint=fingerprint(headings),
        problems=dates.problems(),
        ambiguous_dates=bool(dates.ambiguous),
        encoding="utf-8",
        sheets_read=("",),
    )


def _dates(columns: Mapping[str, _TextColumn]) -> Dates:
    """The dates of the file: of its marks, and of birth."""
    births = columns["date_of_birth"].texts if "date_of_birth" in columns else []
    date_columns = columns["date"].texts, [clean_value(text) for text in births]
    dates = Dates(text for column in date_columns for text in column)
    for column in date_columns:
        dates.compare_forms(column)
    return dates


def _days(column: _TextColumn, dates: Dates) -> tuple[tuple[date, ...], NDArray[np.int32]]:
    """The distinct dates in order, and for each distinct text its index in them (or -1)."""
    days = tuple(sorted({on for text in column.texts if (on := dates[text]) is not None}))
    index_of = {on: index for index, on in enumerate(days)}
    day_of_text = [-1 if (on := dates[text]) is None else index_of[on] for text in column.texts]
    return days, np.array(day_of_text, dtype=np.int32)


def _without_unused(values: tuple[Value, ...], indexes: NDArray[np.int32]) -> tuple[tuple[Value, ...], NDArray[np.int32]]:
    """Remove values to which no mark refers, and renumber the indexes."""
    used = np.bincount(indexes, minlength=len(values)) > 0
    remaining = tuple(value for value, is_used in zip(values, used, strict=True) if is_used)
    return remaining, (np.cumsum(used, dtype=np.int32) - 1)[indexes]


def _codes(column: _TextColumn) -> tuple[tuple[str, ...], NDArray[np.int16]]:
    """The distinct codes, and for each distinct text the index of its code (-1 if it is blank)."""
    codes: dict[str, int] = {}
    code_of_text = []
    for raw in column.texts:
        code = code_text(raw)
        if code in MISSING:
            code_of_text.append(-1)
            continue
        if holds_two_codes(code) or split_minutes(code)[1] is not None:
            raise _NotPlainError
        code_of_text.append(codes.setdefault(code, len(codes)))
    return tuple(codes), np.array(code_of_text, dtype=np.int16)


def _pupils(
    table: _Table, columns: Mapping[str, _TextColumn], headings: list[str], meanings: list[str | None], dates: Dates
) -> tuple[PupilKey, ...]:
    """One pupil for each distinct UPN, with the details of the first row that has it."""
    upns = columns["upn"]
    first_rows = [(row + 2, table.cells(row)) for row in upns.first_rows]
    cells = CellReader(Sheet("", tuple(headings), first_rows), meanings, dates)
    pupils = tuple(cells.pupil_key(values) for _, values in first_rows)
    if any(upn_fault(pupil) for pupil in pupils):
        raise _NotPlainError
    pupil_of_row = upns.per_row(np.arange(len(pupils)))
    # The checks compare these two with the roll: rows that contradict the pupil's first row must not be lost.
    for meaning in {"school_number", "date_of_birth"} & set(columns):
        column = columns[meaning]
        pairs = pupil_of_row * len(column.texts) + column.per_row(np.arange(len(column.texts)))
        if pd.unique(pairs).size > len(pupils):
            raise _NotPlainError
    return pupils
