"""Assembling: rows of places become marks, each with its pupil, day, session and code; the rest is handed to refusals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from portal.uploads.reading.lookups import BAD, BLANK, Lookups, Reason
from portal.uploads.reading.refusals import Refusals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from portal.uploads.reading.gathering import Chunk, Gathered, Slot
    from portal.uploads.reading.headings import Heading
    from portal.uploads.reading.limits import Limits
    from portal.uploads.reading.tables import Table


@dataclass(slots=True)
class Entries:
    """Marks of one chunk that say something and can be read, one entry each; `day` as ordinals, `minutes` and `comment` as places."""

    pupil: NDArray[np.int32]
    day: NDArray[np.int64]
    session: NDArray[np.int64]
    code: NDArray[np.int64]
    row: NDArray[np.int32]
    column: NDArray[np.int64]
    sheet: NDArray[np.int64]
    minutes: NDArray[np.int64]
    comment: NDArray[np.int64]


@dataclass(slots=True)
class Assembled:
    """All entries of a file, how many cells were missing, and what was refused."""

    entries: Entries
    lookups: Lookups
    refusals: Refusals
    missing: int = 0
    missing_at: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = field(default_factory=list)
    skipped_rows: int = 0


@dataclass(slots=True)
class _Layer:
    """One session of one mark column, for every row of a chunk."""

    slot: Slot
    code: NDArray[np.int64]
    day: NDArray[np.int64]
    session: NDArray[np.int64]
    raw_code: NDArray[np.int32]
    reason: Reason | None


def assemble(gathered: Gathered, tables: Sequence[Table], limits: Limits) -> Assembled:
    """Make marks of what was gathered.

    Raises:
        FileRefused: when so many rows cannot be read that the file cannot be what it seems to be.
    """
    headings = [table.heading for table in tables]
    lookups = Lookups(gathered, headings)
    work = Assembled(_no_entries(), lookups, Refusals(gathered, lookups, tables, limits))
    by_sheet = {table.sheet: table.heading for table in tables}
    parts = [_entries_of(work, chunk, by_sheet[chunk.sheet]) for chunk in gathered.chunks]
    work.entries = _joined(parts)
    work.skipped_rows += work.refusals.settle()
    return work


def _entries_of(work: Assembled, chunk: Chunk, heading: Heading) -> Entries:
    pupil = work.lookups.identities.place[chunk.pupil]
    layers = [layer for place, slot in enumerate(chunk.slots) for layer in _layers(work.lookups, chunk, heading, place, slot)]
    said = [layer.code != BLANK for layer in layers]
    anything = np.logical_or.reduce(said)
    # A row that names no pupil and says nothing is a footer or a total, not a gap in the register.
    known = pupil >= 0
    work.skipped_rows += int((~known & ~anything).sum())
    good = []
    for layer, says in zip(layers, said, strict=True):
        fits = known & (layer.day > 0) & (layer.session >= 0)
        good.append(says & fits & (layer.code != BAD))
        gaps = ~says & known
        work.missing += int(gaps.sum())
        where = np.flatnonzero(gaps & fits)
        if where.size:
            work.missing_at.append((layer.day[where], layer.session[where]))
        bad = np.flatnonzero(says & ~good[-1])
        if bad.size:
            work.refusals.note(chunk, layer.slot, layer.reason, bad, layer.raw_code, layer.day, layer.session)
    return _picked(work.lookups, chunk, pupil, layers, good)


def _layers(lookups: Lookups, chunk: Chunk, heading: Heading, place: int, slot: Slot) -> list[_Layer]:
    raw = chunk.codes[:, place]
    day, reason = _days(lookups, chunk, heading, slot)
    size = raw.size
    if slot.by_row:
        session = lookups.session[chunk.session] if chunk.session is not None else np.full(size, BLANK)
        return [_Layer(slot, lookups.one[raw], day, session, raw, reason)]
    if slot.session is not None:
        return [_Layer(slot, lookups.one[raw], day, np.full(size, slot.session), raw, reason)]
    return [_Layer(slot, lookups.halves[half][raw], day, np.full(size, half), raw, reason) for half in (0, 1)]


def _days(lookups: Lookups, chunk: Chunk, heading: Heading, slot: Slot) -> tuple[NDArray[np.int64], Reason | None]:
    size = chunk.rows.size
    named = lookups.slot_day(slot)
    if isinstance(named, Reason):
        return np.full(size, BAD), named
    if named is not None:
        return np.full(size, named), None
    if slot.weekday is None:
        return (lookups.day[chunk.date] if chunk.date is not None else np.full(size, BLANK)), None
    if chunk.date is not None:
        week = lookups.week[chunk.date]
        if heading.week is not None:
            week = np.where(week == BLANK, lookups.monday(heading.week.toordinal()), week)
    else:
        week = np.full(size, lookups.monday(heading.week.toordinal()) if heading.week else BLANK)
    return np.where(week > 0, week + slot.weekday, week), None


def _picked(lookups: Lookups, chunk: Chunk, pupil: NDArray[np.int32], layers: list[_Layer], good: list[NDArray[np.bool_]]) -> Entries:
    """The good cells in the order of the sheet: row by row, left to right, morning before afternoon."""
    if len(layers) == 1:
        rows = np.flatnonzero(good[0])
        which = np.zeros(rows.size, dtype=np.int64)
    else:
        rows, which = np.nonzero(np.stack(good, axis=1))
    layer_of = _Picker(layers, rows, which)
    columns = np.array([layer.slot.column for layer in layers], dtype=np.int64)
    minutes, comment = _notes(lookups, chunk, layers, rows, which)
    return Entries(
        pupil[rows],
        layer_of("day"),
        layer_of("session"),
        layer_of("code"),
        chunk.rows[rows],
        columns[which],
        np.full(rows.size, chunk.sheet, dtype=np.int64),
        minutes,
        comment,
    )


class _Picker:
    def __init__(self, layers: list[_Layer], rows: NDArray[np.int64], which: NDArray[np.int64]) -> None:
        self.layers, self.rows, self.which = layers, rows, which

    def __call__(self, name: str) -> NDArray[np.int64]:
        if len(self.layers) == 1:
            found: NDArray[np.int64] = getattr(self.layers[0], name)[self.rows]
        else:
            found = np.stack([getattr(layer, name) for layer in self.layers], axis=1)[self.rows, self.which]
        return found


def _notes(
    lookups: Lookups, chunk: Chunk, layers: list[_Layer], rows: NDArray[np.int64], which: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Minutes late (as the number) and comments (as a place, or BAD) for each entry. A row's minutes go with a late mark."""
    minutes = np.zeros(rows.size, dtype=np.int64)
    comment = np.full(rows.size, BAD, dtype=np.int64)
    if lookups.code_minutes:
        raw = np.stack([layer.raw_code for layer in layers], axis=1)[rows, which]
        for place in np.flatnonzero(lookups.has_code_minutes[raw]).tolist():
            minutes[place] = lookups.code_minutes[int(raw[place])]
    if chunk.minutes is not None and lookups.has_minutes.any():
        late = [lookups.codes[letters] for letters in ("L", "U")]
        for place in np.flatnonzero(lookups.has_minutes[chunk.minutes[rows]] & (minutes == 0)).tolist():
            if len(layers) == 1 or layers[which[place]].code[rows[place]] in late:
                minutes[place] = lookups.minutes[int(chunk.minutes[rows[place]])] or 0
    if chunk.comment is not None and lookups.has_comment.any():
        said = chunk.comment[rows]
        comment = np.where(lookups.has_comment[said] & (which == 0), said, BAD)
    return minutes, comment


def _no_entries() -> Entries:
    small, wide = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)
    return Entries(small, wide, wide, wide, small, wide, wide, wide, wide)


def _joined(parts: list[Entries]) -> Entries:
    """All entries, in the order of sheets and rows."""
    if not parts:
        return _no_entries()
    whole = Entries(*(np.concatenate([getattr(part, name) for part in parts]) for name in Entries.__slots__))
    place = whole.sheet * (1 << 32) + whole.row
    if place.size > 1 and (place[1:] < place[:-1]).any():
        order = np.argsort(place, kind="stable")
        whole = Entries(*(getattr(whole, name)[order] for name in Entries.__slots__))
    return whole
