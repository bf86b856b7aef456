"""Builds a reading mark by mark, for layouts the fast CSV reader does not take."""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING, Any

import numpy as np

from portal.rules.codes import CODES_BY_SYMBOL
from portal.tabular.cells import column_letters, shortened
from portal.uploads.domain.reading.parsing import code_text
from portal.uploads.domain.reading.result import MISSING, MarkNote, PupilKey, Reading, ReadingProblem

if TYPE_CHECKING:
    from datetime import date

ARRAYS = ("pupil", "day", "session", "code", "row", "column", "sheet")
_WITH_MINUTES = re.compile(r"([A-Z][0-9]?)\s*\((\d{1,3})\)$")


class ReadingBuilder:
    """Collects pupils, marks, notes and problems; `build` turns them into a reading."""

    def __init__(self, layout: str) -> None:
        """Start empty."""
        self.layout = layout
        self.missing = 0
        self.problems: list[ReadingProblem] = []
        self.raw_rows: dict[tuple[int, int], tuple[str, ...]] = {}
        self._pupils: dict[PupilKey, int] = {}
        self._days: dict[date, int] = {}
        self._codes: dict[str, int] = {}
        self._normalised: dict[str, tuple[str, int | None]] = {}
        self._notes: list[MarkNote] = []
        self._columns: dict[str, array[int]] = {name: array("i") for name in ARRAYS}

    def pupil_index(self, key: PupilKey) -> int:
        """The index of the pupil, added if new."""
        return self._pupils.setdefault(key, len(self._pupils))

    def add_mark(  # noqa: PLR0913  a mark and where it is in the file
        self,
        pupil: int,
        on: date,
        session: int,
        text: str,
        *,
        row: int,
        column: int = 0,
        sheet: int = 0,
        minutes: int | None = None,
        comment: str | None = None,
    ) -> None:
        """Add one mark. Blank and "-" count as missing; "L (12)" is L with 12 minutes."""
        # A file has few distinct code texts, so each is normalised once.
        if text not in self._normalised:
            self._normalised[text] = split_minutes(shortened(code_text(text)))
        code, minutes_in_code = self._normalised[text]
        if code in MISSING:
            self.missing += 1
            return
        day = self._days.setdefault(on, len(self._days))
        values = (pupil, day, session, self._codes.setdefault(code, len(self._codes)), row, column, sheet)
        for name, value in zip(self._columns, values, strict=True):
            self._columns[name].append(value)
        minutes = minutes_in_code if minutes is None else minutes
        if minutes is not None or comment:
            self._notes.append(MarkNote(pupil, day, session, minutes, comment))

    def add_problem(  # noqa: PLR0913  a problem and where it is in the file
        self,
        kind: str,
        message: str,
        *,
        sheet: int = 0,
        row: int = 0,
        column: int = 0,
        column_name: str | None = None,
        value: str | None = None,
        count: int = 1,
        raw: tuple[str, ...] = (),
    ) -> None:
        """Add a problem with a row or mark; `raw` is the row as sent.

        `column` counts from 1; `column_name` is for files that have no columns.
        """
        shown_column = column_letters(column) or column_name
        shown_value = value and shortened(value)
        self.problems.append(ReadingProblem(message, row or None, shown_column, shown_value, kind, sheet, count))
        if raw:
            self.raw_rows[sheet, row] = raw

    def build(self, **extra: Any) -> Reading:
        """The reading, with its dates in order."""
        days = sorted(self._days)
        # Marks index days in the order they were met: map that to the sorted order.
        sorted_index = np.zeros(max(len(days), 1), dtype=np.int32)
        for number, on in enumerate(days):
            sorted_index[self._days[on]] = number
        columns = {name: np.array(values, dtype=np.int32) for name, values in self._columns.items()}
        return Reading(
            layout=self.layout,
            pupils=tuple(self._pupils),
            dates=tuple(days),
            codes=tuple(self._codes),
            pupil=columns["pupil"],
            day=sorted_index[columns["day"]],
            session=columns["session"].astype(np.uint8),
            code=columns["code"].astype(np.int16),
            row=columns["row"],
            column=columns["column"].astype(np.int16),
            sheet=columns["sheet"].astype(np.int16),
            missing=self.missing,
            notes=tuple(
                MarkNote(note.pupil, int(sorted_index[note.day]), note.session, note.minutes_late, note.comment)
                for note in self._notes
            ),
            problems=tuple(self.problems),
            rejected_rows=self.raw_rows,
            **extra,
        )


def split_minutes(code: str) -> tuple[str, int | None]:
    """Split a code from the minutes after it, if any: "L (12)" is L and 12."""
    match = _WITH_MINUTES.match(code)
    return (match[1], int(match[2])) if match else (code, None)


def two_sessions(text: str) -> tuple[str, str] | None:
    """Split a whole day's cell ("I/", "C1 /", two slants) into marks; None if it is one mark."""
    code = code_text(text)
    parts = code.split()
    if split_minutes(code)[1] is not None:
        return None
    if len(parts) == 2:
        return parts[0], parts[1]
    if len(parts) == 1 and len(code) == 2 and not code[1].isdigit():
        return code[0], code[1]
    return None


def holds_two_codes(text: str) -> bool:
    """Whether the cell of one session holds two known codes. "AB" does not: it is one unknown mark."""
    marks = two_sessions(text)
    return marks is not None and marks[0] in CODES_BY_SYMBOL and marks[1] in CODES_BY_SYMBOL
