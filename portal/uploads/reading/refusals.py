"""Refusals: marks that could not be read, each with where it stands, what stands there and what to do. None is dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from portal.uploads.reading.limits import FileRefused
from portal.uploads.reading.lookups import BAD, BAD_SESSION, BAD_WEEK, NO_DATE, NO_SESSION, Reason
from portal.uploads.reading.results import Problem
from portal.uploads.reading.synonyms import fold_header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from portal.uploads.reading.gathering import Chunk, Gathered, Slot
    from portal.uploads.reading.limits import Limits
    from portal.uploads.reading.lookups import Lookups
    from portal.uploads.reading.tables import Table

_TOTAL_WORDS = ("total", "grandtotal", "subtotal", "average", "overall", "summary", "count", "numberofpupils", "percentage")


def is_totals_row(cells: Sequence[str]) -> bool:
    """Is it a row of totals: does its first cell with something in it say so?"""
    first = next((cell for cell in cells if cell.strip()), "")
    return fold_header(first).startswith(_TOTAL_WORDS)


class Refusals:
    """Collects what could not be read. Whole rows become one problem, single cells one each, a header one for its column."""

    def __init__(self, gathered: Gathered, lookups: Lookups, tables: Sequence[Table], limits: Limits) -> None:
        self.gathered, self.lookups, self.limits = gathered, lookups, limits
        self.tables = {table.sheet: table for table in tables}
        self.problems: list[Problem] = []
        self.raw: dict[tuple[int, int], tuple[str, ...]] = {}
        self._rows: dict[tuple[int, int], tuple[str, str | None, str | None, str]] = {}
        self._entries: dict[tuple[int, int], int] = {}
        self._columns: dict[tuple[int, Slot], tuple[Reason, int]] = {}
        self._pupil_bad: set[tuple[int, int]] = set()
        self._texts: dict[str, list[str]] = {}

    def note(  # noqa: PLR0913  what is known of the cells
        self,
        chunk: Chunk,
        slot: Slot,
        reason: Reason | None,
        bad: NDArray[np.intp],
        raw_code: NDArray[np.int32],
        day: NDArray[np.int64],
        session: NDArray[np.int64],
    ) -> None:
        """Note the cells of one mark column that say something and cannot be read."""
        pupil = self.lookups.identities.place[chunk.pupil[bad]]
        if reason is not None:
            before = self._columns.get((chunk.sheet, slot), (reason, 0))[1]
            self._columns[chunk.sheet, slot] = (reason, before + int((pupil >= 0).sum()))
            bad = bad[pupil < 0]
        if len(self._rows) + len(self.problems) > self.limits.refused_rows:
            raise self._hopeless(chunk, bad)
        for place in bad.tolist():
            key = (chunk.sheet, int(chunk.rows[place]))
            if self.lookups.identities.place[chunk.pupil[place]] < 0:
                kind, meaning, value, sentence = self.lookups.identities.reasons[int(chunk.pupil[place])]
                self._pupil_bad.add(key)
                self._row(key, kind, meaning, value, sentence)
            elif day[place] <= 0:
                self._row(key, *self._day_reason(chunk, slot, place))
            elif session[place] < 0:
                self._row(key, *self._session_reason(chunk, place))
            else:
                self._cell(key, slot, int(raw_code[place]))

    def _text(self, meaning: str, number: int) -> str:
        texts = self._texts.setdefault(meaning, [])
        if number >= len(texts):
            texts[:] = [str(text) for text in self.gathered.distinct(meaning)]
        return texts[number]

    def _row(self, key: tuple[int, int], kind: str, meaning: str | None, value: str | None, sentence: str) -> None:
        self._rows.setdefault(key, (kind, meaning, value, sentence))
        self._entries[key] = self._entries.get(key, 0) + 1

    def _day_reason(self, chunk: Chunk, slot: Slot, place: int) -> tuple[str, str, str | None, str]:
        meaning = "date" if slot.weekday is None else "week"
        if chunk.date is None:
            return "no-date", meaning, None, NO_DATE
        number = int(chunk.date[place])
        value = self._text("date", number)
        found = self.lookups.day_reason.get(number)
        if found is not None:
            return found.kind, meaning, value, found.sentence
        if slot.weekday is not None and self.lookups.week[number] == BAD:
            return "week-begins-sunday", meaning, value, BAD_WEEK
        return "no-date", meaning, value, NO_DATE

    def _session_reason(self, chunk: Chunk, place: int) -> tuple[str, str, str | None, str]:
        value = self._text("session", int(chunk.session[place])) if chunk.session is not None else None
        if value is None or not value.strip():
            return "no-session", "session", value, NO_SESSION
        return "unreadable-session", "session", value, BAD_SESSION

    def _cell(self, key: tuple[int, int], slot: Slot, raw: int) -> None:
        whole_day = slot.session is None and not slot.by_row
        reason = (self.lookups.day_code_reason if whole_day else self.lookups.one_reason)[raw]
        value = self._text("code", raw)[:60]
        self.problems.append(Problem(reason.kind, key[0], key[1], slot.column, slot.header or None, value, reason.sentence))

    def _hopeless(self, chunk: Chunk, bad: NDArray[np.intp]) -> FileRefused:
        first = next(iter(self._rows.items()), None)
        row = first[0][1] if first else int(chunk.rows[bad[0]])
        why = first[1][3] if first else self.problems[0].message
        sentence = f"More than {self.limits.refused_rows:,} rows cannot be read. The first is row {row}: {why}"
        return FileRefused("too-many-refused", sentence)

    def settle(self) -> int:
        """Turn what was noted into problems in the order of the file, leaving totals rows out. Returns how many those were."""
        self._fetch_raw()
        totals = {key for key in self._pupil_bad if is_totals_row(self.raw.get(key, ()))}
        for key, (kind, meaning, value, sentence) in self._rows.items():
            if key not in totals:
                column = self.gathered.places[key[0]].get(meaning or "", 0)
                name = self._header(key[0], column)
                self.problems.append(Problem(kind, *key, column, name, value[:60] if value else value, sentence, self._entries[key]))
        for key in totals:
            del self.raw[key]
        for (sheet, slot), (reason, entries) in self._columns.items():
            row = self.tables[sheet].heading.row
            if entries:
                self.problems.append(Problem(reason.kind, sheet, row, slot.column, slot.header, slot.header, reason.sentence, entries))
        self.problems.sort(key=lambda one: (one.sheet, one.row, one.column))
        return len(totals)

    def _header(self, sheet: int, column: int) -> str | None:
        headers = self.gathered.headers[sheet]
        return headers[column - 1] or None if 0 < column <= len(headers) else None

    def _fetch_raw(self) -> None:
        wanted: dict[int, set[int]] = {}
        for sheet, row in [*self._rows, *((one.sheet, one.row) for one in self.problems)]:
            wanted.setdefault(sheet, set()).add(row)
        for sheet, rows in wanted.items():
            for row, cells in self.tables[sheet].raw(rows).items():
                self.raw[sheet, row] = cells
