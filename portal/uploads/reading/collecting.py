"""Collecting: the rows of a table turned into places among distinct texts, fast for a long CSV, plainly for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from portal.uploads.reading.gathering import PUPIL_FIELDS, Chunk
from portal.uploads.reading.limits import FileRefused
from portal.uploads.reading.places import Places, column_places, joined_places
from portal.uploads.reading.tables import TextTable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from portal.uploads.reading.gathering import Distinct, Gathered
    from portal.uploads.reading.limits import Limits
    from portal.uploads.reading.scanning import Block, Scan
    from portal.uploads.reading.tables import Table

_COLUMN_OF = {"session": ("session",), "minutes": ("minutes_late",), "comment": ("comment",)}
_CHUNK = 50_000
#: Up to this many mark columns a scan by columns is faster than row by row.
_NARROW = 4


def collect(table: Table, gathered: Gathered, limits: Limits, progress: Callable[[int], None] | None = None) -> None:
    """Add a table's rows to what is gathered.

    Raises:
        FileRefused: when the table cannot be taken apart, or is too large.
    """
    gathered.places[table.sheet] = table.heading.places
    gathered.headers[table.sheet] = table.heading.headers
    if isinstance(table, TextTable) and len(table.heading.slots) <= _NARROW:
        _Columns(table, gathered).collect(progress)
    else:
        _collect_rows(table, gathered, limits, progress)


def _row_columns(table: Table) -> dict[str, int | None]:
    """The column (from 0) of each thing a row says beside its pupil and marks."""
    places = table.heading.places
    chosen: dict[str, int | None] = {}
    days = {"long": ("date",), "weekly-grid": ("week", "date")}.get(table.heading.layout, ())
    for meaning, names in {"date": days, **_COLUMN_OF}.items():
        found = [places[name] - 1 for name in names if name in places]
        chosen[meaning] = found[0] if found else None
    return chosen


def _pupil_columns(table: Table) -> list[int | None]:
    return [table.heading.places[meaning] - 1 if meaning in table.heading.places else None for meaning in PUPIL_FIELDS]


class _Columns:
    """A delimited text by columns: no row is ever an object."""

    def __init__(self, table: TextTable, gathered: Gathered) -> None:
        self.table, self.gathered = table, gathered
        self.pupil_columns = _pupil_columns(table)
        self.row_columns = {meaning: column for meaning, column in _row_columns(table).items() if column is not None}
        self.slot_columns = [slot.column - 1 for slot in table.heading.slots]
        self.pupil = Places(gathered.pupil)
        self.code = Places(gathered.code)
        self.others = {meaning: Places(gathered.distinct(meaning)) for meaning in self.row_columns}

    def collect(self, progress: Callable[[int], None] | None) -> None:
        scan = self.table.scanned()
        for block in scan.blocks(after=self.table.heading.row, progress=progress):
            if block.rows.size:
                self._refuse_long_cells(scan, block)
                self.gathered.chunks.append(self._chunk(scan, block))
            if block.odd:
                width = len(self.table.heading.headers)
                rows = [(number, row) for number, row in block.odd if any(cell.strip() for cell in row)]
                if any(len(row) > self.table.limits.columns for _, row in rows):
                    raise FileRefused("too-many-columns", f"The file has more than {self.table.limits.columns:,} columns. Send one term at a time.")
                if rows:
                    self.gathered.chunks.append(_chunk_of_rows(self.table, self.gathered, [(n, row + [""] * (width - len(row))) for n, row in rows]))

    def _refuse_long_cells(self, scan: Scan, block: Block) -> None:
        too_long = np.flatnonzero(block.ends[:, -1] - block.starts[:, 0] > scan.limits.cell)
        for place in too_long.tolist():
            if int((block.ends[place] - block.starts[place]).max()) > scan.limits.cell:
                raise cell_too_long(int(block.rows[place]), scan.limits)

    def _chunk(self, scan: Scan, block: Block) -> Chunk:
        found = {meaning: column_places(scan, block, column, self.others[meaning]) for meaning, column in self.row_columns.items()}
        codes = [column_places(scan, block, column, self.code) for column in self.slot_columns]
        pupil = joined_places(scan, block, self.pupil_columns, self.pupil)
        stacked = codes[0].reshape(-1, 1) if len(codes) == 1 else np.stack(codes, axis=1)
        return Chunk(0, self.table.heading.slots, block.rows.astype(np.int32), pupil, stacked, **found)


def cell_too_long(row: int, limits: Limits) -> FileRefused:
    """The refusal of a cell longer than a spreadsheet's."""
    return FileRefused("cell-too-long", f"A cell in row {row} has more than {limits.cell:,} characters. Take it out and send the file again.")


def _collect_rows(table: Table, gathered: Gathered, limits: Limits, progress: Callable[[int], None] | None) -> None:
    """Row by row, for spreadsheets and wide tables."""
    width = max(len(table.heading.headers), *(slot.column for slot in table.heading.slots))
    rows: list[tuple[int, list[str]]] = []
    for number, row in table.rows(after=table.heading.row):
        if number > limits.rows:
            raise FileRefused("too-many-rows", f"The file has more than {limits.rows:,} rows. Send one year at a time.")
        if any(map(str.strip, row)):
            rows.append((number, row + [""] * (width - len(row))))
        if len(rows) * width >= _CHUNK * 10:
            gathered.chunks.append(_chunk_of_rows(table, gathered, rows))
            rows = []
            if progress is not None:
                progress(number)
    if rows:
        gathered.chunks.append(_chunk_of_rows(table, gathered, rows))
        if progress is not None:
            progress(rows[-1][0])


def _chunk_of_rows(table: Table, gathered: Gathered, rows: Sequence[tuple[int, list[str]]]) -> Chunk:
    pupil_columns = _pupil_columns(table)
    slots = table.heading.slots
    said = [
        tuple("" if column is None or column >= len(row) else row[column] for column in pupil_columns) for _, row in rows
    ]
    found = {
        meaning: _placed([row[column] for _, row in rows], gathered.distinct(meaning))
        for meaning, column in _row_columns(table).items()
        if column is not None
    }
    columns = [slot.column - 1 for slot in slots]
    place = gathered.code.__getitem__
    low, high = columns[0], columns[-1] + 1
    if high - low == len(columns):
        codes = np.array([list(map(place, row[low:high])) for _, row in rows], dtype=np.int32)
    else:
        codes = np.array([[place(row[column]) for column in columns] for _, row in rows], dtype=np.int32)
    numbers = np.array([number for number, _ in rows], dtype=np.int32)
    return Chunk(table.sheet, slots, numbers, _placed(said, gathered.pupil), codes, **found)


def _placed(texts: Sequence[object], distinct: Distinct) -> NDArray[np.int32]:
    return np.array(list(map(distinct.__getitem__, texts)), dtype=np.int32)
