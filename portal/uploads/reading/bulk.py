"""The bulk reader: a long CSV of any size read in arrays, never a row at a time. It takes plain files and leaves the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from portal.uploads.reading.entries import holds_two_codes, split_minutes
from portal.uploads.reading.headings import fingerprint, meanings_of
from portal.uploads.reading.long import HALVES
from portal.uploads.reading.rows import Cells, fault_in
from portal.uploads.reading.shapes import MISSING, PupilKey, Reading
from portal.uploads.reading.tables import Sheet
from portal.uploads.reading.texts import Dates, clean, code_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WORD = 8
LONGEST, LONGEST_HEAD = 64, 65_536
#: Bytes looked at together: they fit a processor's own memory.
PIECE = 1 << 18
NEWLINE, RETURN, QUOTE, COMMA = ord("\n"), ord("\r"), ord('"'), ord(",")
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


class _LeaveItError(Exception):
    """This file is not plain enough: read it row by row."""


@dataclass(frozen=True)
class Field:
    """One column: the distinct texts in it, and which of them each row has."""

    texts: list[str]
    of: NDArray[np.int64]
    first: list[int] = field(default_factory=list)


def read_bulk(content: bytes, mapping: Mapping[str, str] | None, progress: Callable[[int], None]) -> Reading | None:
    """The reading of a plain long CSV, or None when the file must be read row by row."""
    try:
        return _read(content, mapping, progress)
    except _LeaveItError:
        return None


def _read(content: bytes, mapping: Mapping[str, str] | None, progress: Callable[[int], None]) -> Reading:
    text = content.removeprefix(b"\xef\xbb\xbf")
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _LeaveItError
    if b'"' in text:
        text = _unquoted(text)
    head = text[: text.find(b"\n", 0, LONGEST_HEAD)] if b"\n" in text[:LONGEST_HEAD] else b""
    headings = [clean(cell) for cell in _decoded(head).rstrip("\r").split(",")]
    meanings = meanings_of(headings, mapping)
    if not {"upn", "date", "session", "code"} <= set(meanings) or not set(meanings) <= TAKEN:
        raise _LeaveItError
    table = _Table(text, len(head) + 1, len(headings))
    progress(table.rows // 4)
    fields = {
        meaning: table.field(place) for place, meaning in enumerate(meanings) if meaning in {"upn", "date", "session", "code"}
    }
    progress(table.rows // 2)
    return _assembled(table, fields, headings, meanings)


def _unquoted(text: bytes) -> bytes:
    """A file whose quotation marks stand only around whole cells, with no comma or line end within any, without them."""
    raw = np.frombuffer(b"\n" + text + b"\n", dtype=np.uint8)
    open_before = False
    for start in range(0, len(text), PIECE):
        piece = raw[start : start + PIECE + 2]
        is_quote = piece == QUOTE
        separates = (piece == COMMA) | (piece == NEWLINE)
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


class _Table:
    """Where every cell of the file starts and ends."""

    def __init__(self, text: bytes, body: int, columns: int) -> None:
        self.text = text
        raw = np.frombuffer(text + b"\n" * (WORD + 1), dtype=np.uint8)
        end = len(text) if text.endswith(b"\n") else len(text) + 1
        self.words = np.ndarray(len(raw) - WORD + 1, dtype="<u8", buffer=raw.data, strides=(1,))
        chunk = raw[body:end]
        marks = np.flatnonzero((chunk == ord(",")) | (chunk == NEWLINE)) + body
        if marks.size == 0 or marks.size % columns:
            raise _LeaveItError
        ends = marks.reshape(-1, columns)
        if not (raw[ends[:, -1]] == NEWLINE).all() or (raw[ends[:, :-1]] == NEWLINE).any():
            raise _LeaveItError
        starts = np.empty_like(ends)
        starts[:, 1:] = ends[:, :-1] + 1
        starts[0, 0] = body
        starts[1:, 0] = ends[:-1, -1] + 1
        self.starts, self.ends, self.rows = starts, ends, len(ends)
        if self.rows and (raw[np.maximum(ends[:, -1] - 1, 0)] == RETURN).any():
            returned = raw[np.maximum(ends[:, -1] - 1, 0)] == RETURN
            self.ends = ends.copy()
            self.ends[:, -1] -= returned
        self.raw = raw

    def cell(self, row: int, column: int) -> str:
        return _decoded(self.text[self.starts[row, column] : self.ends[row, column]])

    def field(self, column: int) -> Field:
        """Factorise a column: runs of equal cells first, then the distinct words among their heads."""
        starts, lengths = self.starts[:, column], self.ends[:, column] - self.starts[:, column]
        longest = int(lengths.max(initial=0))
        if longest > LONGEST:
            raise _LeaveItError
        words = [self._word(starts, lengths, part) for part in range(max(1, -(-longest // WORD)))]
        changed = np.zeros(self.rows, dtype=bool)
        changed[:1] = True
        for word in words:
            changed[1:] |= word[1:] != word[:-1]
        heads = np.flatnonzero(changed)
        codes: NDArray[np.int64] = pd.factorize(words[0][heads])[0].astype(np.int64)
        for word in words[1:]:
            part, distinct = pd.factorize(word[heads])
            codes = pd.factorize(codes * (len(distinct) + 1) + part)[0].astype(np.int64)
        first = np.full(int(codes.max(initial=-1)) + 1, -1, dtype=np.int64)
        first[codes[::-1]] = heads[::-1]
        of = codes[np.cumsum(changed) - 1]
        return Field([self.cell(int(row), column) for row in first], of, first.tolist())

    def _word(self, starts: Places, lengths: Places, part: int) -> NDArray[np.uint64]:
        """Eight bytes of each cell as one number, zero beyond its end."""
        if lengths.size and lengths.min() == lengths.max():
            lengths = lengths[:1]
        left = np.clip(lengths - part * WORD, 0, WORD)
        at = np.minimum(starts + part * WORD, self.words.size - 1)
        keep = np.where(left == WORD, np.uint64(2**64 - 1), (np.uint64(1) << (left * 8).astype(np.uint64)) - np.uint64(1))
        found: NDArray[np.uint64] = np.bitwise_and(self.words[at], keep)
        return found


def _assembled(table: _Table, fields: Mapping[str, Field], headings: list[str], meanings: list[str | None]) -> Reading:
    births = table.field(meanings.index("date_of_birth")).texts if "date_of_birth" in meanings else []
    dates = Dates([*fields["date"].texts, *map(clean, births)])
    days = sorted({on for text in fields["date"].texts if (on := dates[text]) is not None})
    place = {on: number for number, on in enumerate(days)}
    day_of = np.array([place[on] if (on := dates[text]) is not None else -1 for text in fields["date"].texts], dtype=np.int32)
    half_of = np.array([HALVES.get(clean(text).upper(), 9) for text in fields["session"].texts], dtype=np.uint8)
    codes, code_of = _codes(fields["code"])
    pupils, pupil_of = _pupils(table, fields["upn"], headings, meanings, dates)
    code = code_of[fields["code"].of]
    said = code >= 0
    day, session, pupil = day_of[fields["date"].of], half_of[fields["session"].of], pupil_of[fields["upn"].of]
    if (said & ((day < 0) | (session > 1) | (pupil < 0))).any():
        raise _LeaveItError
    kept = np.flatnonzero(said)
    column = meanings.index("code") + 1
    return Reading(
        layout="long",
        pupils=pupils,
        dates=tuple(days),
        codes=codes,
        pupil=pupil[kept],
        day=day[kept],
        session=session[kept],
        code=code[kept],
        row=(kept + 2).astype(np.int32),
        column=np.full(kept.size, column, dtype=np.int16),
        sheet=np.zeros(kept.size, dtype=np.int16),
        missing=int(table.rows - kept.size),
        fingerprint=fingerprint(headings),
        ambiguous_dates=dates.ambiguous,
        encoding="utf-8",
        sheets_read=("",),
    )


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
    table: _Table, found: Field, headings: list[str], meanings: list[str | None], dates: Dates
) -> tuple[tuple[PupilKey, ...], NDArray[np.int32]]:
    """One pupil for each distinct UPN, described by the first row that names it. A column that disagrees later is not plain."""
    heads = [(row + 2, [table.cell(row, place) for place in range(len(headings))]) for row in found.first]
    sheet = Sheet("", tuple(headings), heads)
    cells = Cells(sheet, meanings, dates)
    keys = [cells.key(values) for _, values in heads]
    others = [place for place, meaning in enumerate(meanings) if meaning in {"school_number", "date_of_birth"}]
    for place in others:
        other = table.field(place)
        together = found.of * len(other.texts) + other.of
        if pd.unique(together).size > len(found.texts):
            raise _LeaveItError
    of = np.array([-1 if fault_in(key) else number for number, key in enumerate(keys)], dtype=np.int32)
    if (of < 0).any():
        raise _LeaveItError
    return tuple(keys), of
