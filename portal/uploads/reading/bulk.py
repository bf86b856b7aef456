"""The bulk reader: a long CSV of any size read in arrays, never a row at a time. It takes plain files and leaves the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from portal.uploads.reading.entries import holds_two_codes, split_minutes
from portal.uploads.reading.headings import fingerprint, meanings_of
from portal.uploads.reading.long import HALVES
from portal.uploads.reading.rows import Cells, fault_in
from portal.uploads.reading.shapes import MISSING, PupilKey, Reading
from portal.uploads.reading.tables import Sheet, delimiter_of
from portal.uploads.reading.texts import Dates, clean, code_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

WORD = 8
LONGEST, LONGEST_HEAD = 64, 65_536
#: Bytes after the last row that may be looked at with it.
ROOM = LONGEST + WORD
#: Cells no longer than this are kept in two bytes.
NARROW = 2
#: Bytes looked at together: they fit a processor's own memory.
PIECE = 1 << 18
#: The bits that stand for the first n bytes of a word.
KEPT = np.array([(1 << 8 * n) - 1 for n in range(WORD + 1)], dtype=np.uint64)
NEWLINE, RETURN, QUOTE = ord("\n"), ord("\r"), ord('"')
NEEDED = frozenset({"upn", "date", "session", "code"})
#: The meanings whose every cell is looked at; the others only describe a pupil.
LOOKED_AT = NEEDED | {"date_of_birth", "school_number"}
#: The meanings the bulk reader takes; a file with any other column that speaks of marks is read row by row.
TAKEN = frozenset(
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

Places = NDArray[np.int64]
Word = NDArray[np.unsignedinteger[Any]]
Value = TypeVar("Value")


class _LeaveItError(Exception):
    """This file is not plain enough: read it row by row."""


@dataclass(frozen=True)
class Field:
    """One column: the distinct texts in it, the runs of rows that say one of them, and the first row that says each."""

    texts: list[str]
    run: Places
    length: Places
    first: list[int]

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """For every row, the value of its text."""
        said = values[self.run]
        return said if said.size == self.length.sum() else np.repeat(said, self.length)


def read_bulk(content: bytes, mapping: Mapping[str, str] | None, progress: Callable[[int], None]) -> Reading | None:
    """The reading of a plain long CSV, or None when the file must be read row by row."""
    try:
        return _read(content, mapping, progress)
    except _LeaveItError:
        return None


def _read(content: bytes, mapping: Mapping[str, str] | None, progress: Callable[[int], None]) -> Reading:
    text = content.removeprefix(b"\xef\xbb\xbf")
    if text.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in text:
        raise _LeaveItError
    if text.endswith((b"\n\n", b"\n\r\n")):
        text = text.rstrip(b"\r\n")
    head = _decoded(text[: max(0, text.find(b"\n", 0, LONGEST_HEAD))]).rstrip("\r").replace('"', "")
    separator = delimiter_of(head)
    headings = [clean(cell) for cell in head.split(separator)]
    meanings = meanings_of(headings, mapping)
    if not NEEDED <= set(meanings) <= TAKEN:
        raise _LeaveItError
    if b'"' in text:
        text = _unquoted(text, ord(separator))
    places = {meaning: place for place, meaning in enumerate(meanings) if meaning in LOOKED_AT}
    return _assembled(_Table(text, separator, len(headings), places, progress), headings, meanings)


def _unquoted(text: bytes, separator: int) -> bytes:
    """A file whose quotation marks stand only around whole cells, with no separator or line end within any, without them."""
    raw = np.frombuffer(b"\n" + text + b"\n", dtype=np.uint8)
    open_before = False
    for start in range(0, len(text), PIECE):
        piece = raw[start : start + PIECE + 2]
        is_quote = piece == QUOTE
        separates = (piece == separator) | (piece == NEWLINE)
        ends = separates | (piece == RETURN)
        quote = is_quote[1:-1]
        within = np.bitwise_xor.accumulate(quote.view(np.uint8)).view(bool) ^ open_before
        opens, closes = quote & within, quote & ~within
        if (ends[1:-1] & within).any() or (opens & ~separates[:-2]).any() or (closes & ~ends[2:]).any():
            raise _LeaveItError
        open_before = bool(within[-1])
    if open_before:
        raise _LeaveItError
    return text.translate(None, b'"')


def _decoded(cell: bytes) -> str:
    try:
        return cell.decode("utf-8")
    except UnicodeDecodeError:
        return cell.decode("cp1252", errors="replace")


def _pieces(text: bytes) -> Iterator[tuple[bytes, int, int, int]]:
    """The rows beneath the headings in pieces: a buffer with room to look past the end, where in it, and what stands before it."""
    begin = text.find(b"\n") + 1
    while begin < len(text):
        stop = len(text) if len(text) - begin <= PIECE else text.rfind(b"\n", begin, begin + PIECE) + 1
        if stop <= begin:
            raise _LeaveItError
        if stop + ROOM <= len(text):
            yield text, begin, stop, 0
        else:
            last = text[begin:stop].removesuffix(b"\n") + b"\n"
            yield last + bytes(ROOM), 0, len(last), begin
        begin = stop


def _words(buffer: bytes, start: Places, length: Places) -> list[Word]:
    """Eight bytes of each cell at a time as one number, zero beyond its end; short cells as two bytes, which is quicker."""
    shortest, longest = int(length.min()), int(length.max())
    if longest > LONGEST:
        raise _LeaveItError
    left = length[:1] if shortest == longest else length
    if longest <= NARROW:
        raw = np.frombuffer(buffer, dtype=np.uint8)
        two = raw[start] | np.left_shift(raw[start + 1], 8, dtype=np.uint16)
        return [two & KEPT[left].astype(np.uint16)]
    eight = np.ndarray(len(buffer) - WORD + 1, dtype="<u8", buffer=buffer, strides=(1,))
    found: list[Word] = []
    for part in range(0, longest, WORD):
        word = eight[start + part]
        if shortest < part + WORD:
            word &= KEPT[np.clip(left - part, 0, WORD)]
        found.append(word)
    return found


class _Table:
    """The columns that are looked at, read piece by piece: each piece is split into cells, and only what changes is kept."""

    def __init__(
        self, text: bytes, separator: str, columns: int, places: Mapping[str, int], progress: Callable[[int], None]
    ) -> None:
        self.text, self.separator, self.columns, self.places = text, separator, columns, places
        self.returns = b"\r" in text
        self.rows = 0
        self.heads: dict[str, list[NDArray[np.int32]]] = {meaning: [] for meaning in places}
        self.said: dict[str, list[list[Word]]] = {meaning: [] for meaning in places}
        starts: list[Places] = []
        for buffer, begin, stop, before in _pieces(text):
            starts.append(self._take(buffer, begin, stop) + before)
            progress(self.rows)
        if not self.rows:
            raise _LeaveItError
        self.row_starts = np.concatenate(starts)

    def _take(self, buffer: bytes, begin: int, stop: int) -> Places:
        """Split whole rows of the buffer into cells, and keep where each column's cells change; where each row starts."""
        raw = np.frombuffer(buffer, dtype=np.uint8)
        piece = raw[begin:stop]
        newline = piece == NEWLINE
        marks = np.flatnonzero(newline | (piece == ord(self.separator)))
        ends = marks[self.columns - 1 :: self.columns]
        if marks.size != ends.size * self.columns or np.count_nonzero(newline) != ends.size or not newline[ends].all():
            raise _LeaveItError
        marks += begin
        row = np.concatenate(([begin], ends[:-1] + 1))
        for meaning, place in self.places.items():
            start = marks[place - 1 :: self.columns] + 1 if place else row
            length = marks[place :: self.columns] - start
            if self.returns and place == self.columns - 1:
                length -= raw[np.maximum(ends - 1, 0)] == RETURN
            words = _words(buffer, start, length)
            changed = np.ones(ends.size, dtype=bool)
            changed[1:] = words[0][1:] != words[0][:-1]
            for word in words[1:]:
                changed[1:] |= word[1:] != word[:-1]
            heads = np.flatnonzero(changed)
            self.heads[meaning].append((heads + self.rows).astype(np.int32))
            self.said[meaning].append([word[heads] for word in words])
        self.rows += ends.size
        return row

    def field(self, meaning: str) -> Field:
        """A column's distinct texts: the words at the heads of its runs, each looked up once."""
        heads, pieces = np.concatenate(self.heads[meaning]), self.said[meaning]
        parts = max(len(words) for words in pieces)
        nothing = [np.zeros(len(words[0]), dtype=np.uint16) for words in pieces]
        words = [
            np.concatenate([one[part] if part < len(one) else none for one, none in zip(pieces, nothing, strict=True)])
            for part in range(parts)
        ]
        run: Places = pd.factorize(words[0])[0].astype(np.int64, copy=False)
        for word in words[1:]:
            part, distinct = pd.factorize(word)
            run = pd.factorize(run * (len(distinct) + 1) + part)[0].astype(np.int64, copy=False)
        head_of = np.flatnonzero(np.diff(np.maximum.accumulate(run), prepend=-1))
        cells = np.stack([word[head_of].astype("<u8") for word in words], axis=1)
        texts = [_decoded(cell.tobytes().rstrip(b"\0")) for cell in cells]
        length = np.empty(heads.size, dtype=np.int64)
        length[:-1], length[-1] = heads[1:] - heads[:-1], self.rows - heads[-1]
        return Field(texts, run, length, heads[head_of].tolist())

    def cells(self, row: int) -> list[str]:
        """One row as texts."""
        start = int(self.row_starts[row])
        end = self.text.find(b"\n", start)
        line = self.text[start : end if end >= 0 else None]
        return _decoded(line).rstrip("\r").split(self.separator)


def _assembled(table: _Table, headings: list[str], meanings: list[str | None]) -> Reading:
    fields = {meaning: table.field(meaning) for meaning in table.places}
    births = fields["date_of_birth"].texts if "date_of_birth" in fields else []
    dates = Dates([*fields["date"].texts, *map(clean, births)])
    days = tuple(sorted({on for text in fields["date"].texts if (on := dates[text]) is not None}))
    place = {on: number for number, on in enumerate(days)}
    day_of = np.array([place[on] if (on := dates[text]) is not None else -1 for text in fields["date"].texts], dtype=np.int32)
    half_of = np.array([HALVES.get(clean(text).upper(), 9) for text in fields["session"].texts], dtype=np.uint8)
    codes, code_of = _codes(fields["code"])
    pupils = _pupils(table, fields, headings, meanings, dates)
    code, day, session = (fields[name].spread(of) for name, of in (("code", code_of), ("date", day_of), ("session", half_of)))
    pupil = fields["upn"].spread(np.arange(len(pupils), dtype=np.int32))
    said = code >= 0
    if (said & ((day < 0) | (session > 1))).any():
        raise _LeaveItError
    kept = np.flatnonzero(said)
    if kept.size < said.size:
        session, code = session[kept], code[kept]
        pupils, pupil = _spoken_of(pupils, pupil[kept])
        days, day = _spoken_of(days, day[kept])
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
        row=kept.astype(np.int32) + np.int32(2),
        column=np.full(kept.size, column, dtype=np.int16),
        sheet=np.zeros(kept.size, dtype=np.int16),
        missing=int(table.rows - kept.size),
        fingerprint=fingerprint(headings),
        problems=dates.told(),
        ambiguous_dates=bool(dates.ambiguous),
        encoding="utf-8",
        sheets_read=("",),
    )


def _spoken_of(values: tuple[Value, ...], of: NDArray[np.int32]) -> tuple[tuple[Value, ...], NDArray[np.int32]]:
    """Only the values a mark speaks of, and the marks by their new places."""
    used = np.bincount(of, minlength=len(values)) > 0
    return tuple(value for value, one in zip(values, used, strict=True) if one), (np.cumsum(used, dtype=np.int32) - 1)[of]


def _codes(found: Field) -> tuple[tuple[str, ...], NDArray[np.int16]]:
    """Distinct codes, and which one each distinct text stands for (-1: missing). A cell of two marks is not plain."""
    codes: dict[str, int] = {}
    of = []
    for raw in found.texts:
        text = code_text(raw)
        if text in MISSING:
            of.append(-1)
            continue
        if holds_two_codes(text) or split_minutes(text)[1] is not None:
            raise _LeaveItError
        of.append(codes.setdefault(text, len(codes)))
    return tuple(codes), np.array(of, dtype=np.int16)


def _pupils(
    table: _Table, fields: Mapping[str, Field], headings: list[str], meanings: list[str | None], dates: Dates
) -> tuple[PupilKey, ...]:
    """One pupil for each distinct UPN, described by the first row that names it. A column that disagrees later is not plain."""
    found = fields["upn"]
    heads = [(row + 2, table.cells(row)) for row in found.first]
    cells = Cells(Sheet("", tuple(headings), heads), meanings, dates)
    keys = tuple(cells.key(values) for _, values in heads)
    if any(fault_in(key) for key in keys):
        raise _LeaveItError
    upn = found.spread(np.arange(len(keys)))
    for meaning in {"school_number", "date_of_birth"} & set(fields):
        other = fields[meaning]
        together = upn * len(other.texts) + other.spread(np.arange(len(other.texts)))
        if pd.unique(together).size > len(keys):
            raise _LeaveItError
    return keys
