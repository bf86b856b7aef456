"""The long layout (one row for each mark), for files the fast CSV reader does not take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portal.tabular.cells import shortened
from portal.uploads.domain.reading.builder import holds_two_codes, two_sessions
from portal.uploads.domain.reading.parsing import code_text, parse_minutes
from portal.uploads.domain.reading.result import MISSING
from portal.uploads.domain.reading.rows import CellReader, upn_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from portal.uploads.domain.reading.builder import ReadingBuilder
    from portal.uploads.domain.reading.parsing import Dates
    from portal.uploads.domain.reading.tables import Sheet

HALF_BY_WORD = {"AM": 0, "PM": 1, "A": 0, "P": 1, "MORNING": 0, "AFTERNOON": 1, "1": 0, "2": 1}
HALF_DAY_CODES = ("code_am", "code_pm")
PUPIL_MEANINGS = ("upn", "former_upn", "surname", "forename", "full_name", "date_of_birth", "school_number")
NOT_A_SESSION = "“{}” is not a session. Write AM or PM."
NOT_MINUTES = "“{}” is not a number of minutes, and was left out. Write it as 12."
TWO_CODES = "“{}” holds two marks in the cell of one session. Give one mark."


@dataclass(frozen=True, slots=True)
class _Mark:
    """A mark in a row: text, column (from 1), and half if its column is for one half."""

    text: str
    column: int
    half: int | None


def read_long(
    builder: ReadingBuilder,
    sheet: Sheet,
    sheet_number: int,
    meanings: Sequence[str | None],
    dates: Dates,
    progress: Callable[[int], None],
) -> None:
    """Read rows of one mark and its session, or of two marks in columns for morning and afternoon."""
    reader = _RowReader(builder, CellReader(sheet, meanings, dates), sheet_number)
    for done, (row, values) in enumerate(sheet.rows):
        if done % 20_000 == 0:
            progress(done)
        reader.add_row(row, values)


class _RowReader:
    """Reads the rows of one sheet. Each distinct pupil is identified once, as a file repeats them hundreds of times."""

    def __init__(self, builder: ReadingBuilder, cells: CellReader, sheet: int) -> None:
        self.builder, self.cells, self.sheet = builder, cells, sheet
        columns = cells.columns
        self.pupil_columns = [columns[meaning] for meaning in PUPIL_MEANINGS if meaning in columns]
        self.pupils: dict[tuple[str, ...], int] = {}
        half_days = [(columns[meaning], half) for half, meaning in enumerate(HALF_DAY_CODES) if meaning in columns]
        has_one_code = "code" in columns and ("session" in columns or not half_days)
        self.code_columns: list[tuple[int, int | None]] = [(columns["code"], None)] if has_one_code else [*half_days]

    def add_row(self, row: int, values: Sequence[str]) -> None:
        """Add the marks of a row, or a problem that says why they are rejected."""
        cells = [(values[column] if column < len(values) else "", column, half) for column, half in self.code_columns]
        marks = [_Mark(code, column + 1, half) for text, column, half in cells if (code := code_text(text)) not in MISSING]
        self.builder.missing += len(cells) - len(marks)
        if not marks:
            return
        where: dict[str, Any] = {"sheet": self.sheet, "row": row, "raw": tuple(values)}
        pupil = self._pupil(values)
        if pupil < 0:
            kind, message, value = upn_fault(self.cells.pupil_key(values)) or ("no-upn", "", None)
            column, count = self.cells.column_number("upn"), len(marks)
            self.builder.add_problem(kind, message, column=column, column_name="UPN", value=value, count=count, **where)
            return
        text = self.cells.text(values, "date")
        on = self.cells.dates[text] if text in self.cells.dates.day_of else None
        if on is None:
            kind, message = self.cells.dates.fault(text)
            column, count = self.cells.column_number("date"), len(marks)
            self.builder.add_problem(kind, message, column=column, column_name="Date", value=text, count=count, **where)
            return
        for number, mark in enumerate(marks):
            self._add_mark(mark, pupil, on, values, where, is_first=number == 0)

    def _pupil(self, values: Sequence[str]) -> int:
        """The index of the row's pupil; -1 if their UPN cannot be used."""
        cells = tuple(values[column] if column < len(values) else "" for column in self.pupil_columns)
        if cells not in self.pupils:
            key = self.cells.pupil_key(values)
            self.pupils[cells] = -1 if upn_fault(key) else self.builder.pupil_index(key)
        return self.pupils[cells]

    def _add_mark(self, mark: _Mark, pupil: int, on: date, values: Sequence[str], where: dict[str, Any], *, is_first: bool) -> None:
        session = self.cells.text(values, "session").upper() if mark.half is None else ""
        half = HALF_BY_WORD.get(session) if mark.half is None else mark.half
        position = {"column": mark.column, "sheet": self.sheet, "row": where["row"]}
        if half is None and not session and (codes := two_sessions(mark.text)):
            for number, code in enumerate(codes):
                self.builder.add_mark(pupil, on, number, code, **position)
        elif half is None:
            column, message = self.cells.column_number("session"), NOT_A_SESSION.format(shortened(session))
            self.builder.add_problem("no-session", message, column=column, column_name="Session", value=session, **where)
        elif holds_two_codes(mark.text):
            message = TWO_CODES.format(mark.text)
            self.builder.add_problem("two-codes", message, column=mark.column, column_name="Code", value=mark.text, **where)
        else:
            minutes = self._minutes(values, where, is_first=is_first)
            # In a row of two marks the minutes belong to the mark that was late.
            if mark.half is not None and mark.text not in {"L", "U"}:
                minutes = None
            comment = self.cells.text(values, "comment") if is_first else ""
            self.builder.add_mark(pupil, on, half, mark.text, minutes=minutes or None, comment=comment or None, **position)

    def _minutes(self, values: Sequence[str], where: dict[str, Any], *, is_first: bool) -> int | None:
        """The minutes late of a row. A text that gives none is said once."""
        text = self.cells.text(values, "minutes_late")
        minutes = parse_minutes(text)
        if text and minutes is None and is_first:
            column, message = self.cells.column_number("minutes_late"), NOT_MINUTES.format(shortened(text))
            self.builder.add_problem("unread-minutes", message, column=column, value=text, count=0, **(where | {"raw": ()}))
        return minutes
