"""Entries: marks gathered one at a time into the arrays of a reading, for layouts that are not read in bulk."""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING, Any

import numpy as np

from portal.rules.codes import BY_LETTERS
from portal.uploads.reading.shapes import MISSING, MarkNote, Problem, PupilKey, Reading
from portal.uploads.reading.texts import code_text, short

if TYPE_CHECKING:
    from datetime import date

ARRAYS = ("pupil", "day", "session", "code", "row", "column", "sheet")
_WITH_MINUTES = re.compile(r"([A-Z][0-9]?)\s*\((\d{1,3})\)$")


class Entries:
    """Gathers pupils, marks, notes and problems; `reading` turns them into arrays."""

    def __init__(self, layout: str) -> None:
        """Start empty."""
        self.layout = layout
        self.missing = 0
        self.problems: list[Problem] = []
        self.refused: dict[tuple[int, int], tuple[str, ...]] = {}
        self._pupils: dict[PupilKey, int] = {}
        self._days: dict[date, int] = {}
        self._codes: dict[str, int] = {}
        self._cleaned: dict[str, tuple[str, int | None]] = {}
        self._notes: list[MarkNote] = []
        self._columns: dict[str, array[int]] = {name: array("i") for name in ARRAYS}

    def pupil(self, key: PupilKey) -> int:
        """The pupil's index, new or known."""
        return self._pupils.setdefault(key, len(self._pupils))

    def mark(  # noqa: PLR0913  a mark's place is six facts
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
        """One mark. Blank and "-" are missing; "L (12)" is L with 12 minutes."""
        if text not in self._cleaned:
            self._cleaned[text] = split_minutes(short(code_text(text)))
        code, noted = self._cleaned[text]
        if code in MISSING:
            self.missing += 1
            return
        day = self._days.setdefault(on, len(self._days))
        values = (pupil, day, session, self._codes.setdefault(code, len(self._codes)), row, column, sheet)
        for name, value in zip(self._columns, values, strict=True):
            self._columns[name].append(value)
        minutes = noted if minutes is None else minutes
        if minutes is not None or comment:
            self._notes.append(MarkNote(pupil, day, session, minutes, comment))

    def problem(  # noqa: PLR0913  a problem's place, words and cost are told together
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
        """A row or mark that cannot be taken; `raw` is the row as sent."""
        self.problems.append(Problem(kind, sheet, row, column, column_name, value and short(value), message, count))
        if raw:
            self.refused[sheet, row] = raw

    def reading(self, **extra: Any) -> Reading:
        """Everything gathered, the days put in order."""
        days = sorted(self._days)
        place = np.zeros(max(len(days), 1), dtype=np.int32)
        for number, on in enumerate(days):
            place[self._days[on]] = number
        columns = {name: np.array(values, dtype=np.int32) for name, values in self._columns.items()}
        return Reading(
            layout=self.layout,
            pupils=tuple(self._pupils),
            dates=tuple(days),
            codes=tuple(self._codes),
            pupil=columns["pupil"],
            day=place[columns["day"]],
            session=columns["session"].astype(np.uint8),
            code=columns["code"].astype(np.int16),
            row=columns["row"],
            column=columns["column"].astype(np.int16),
            sheet=columns["sheet"].astype(np.int16),
            missing=self.missing,
            notes=tuple(MarkNote(n.pupil, int(place[n.day]), n.session, n.minutes_late, n.comment) for n in self._notes),
            problems=tuple(self.problems),
            refused_rows=self.refused,
            **extra,
        )


def split_minutes(code: str) -> tuple[str, int | None]:
    """A code and the minutes written behind it, if any: "L (12)" is L and 12."""
    match = _WITH_MINUTES.match(code)
    return (match[1], int(match[2])) if match else (code, None)


def two_sessions(text: str) -> tuple[str, str] | None:
    """The two marks of a cell that holds a whole day ("I/", "C1 /", two slants), or None where it is one mark."""
    plain = code_text(text)
    parts = plain.split()
    if split_minutes(plain)[1] is not None:
        return None
    if len(parts) == 2:  # noqa: PLR2004  morning and afternoon
        return parts[0], parts[1]
    if len(parts) == 1 and len(plain) == 2 and not plain[1].isdigit():  # noqa: PLR2004  as above
        return plain[0], plain[1]
    return None


def holds_two_codes(text: str) -> bool:
    """Does the cell of one session hold two marks, each a code we know? "AB" does not: it is one mark, of no meaning."""
    both = two_sessions(text)
    return both is not None and both[0] in BY_LETTERS and both[1] in BY_LETTERS
