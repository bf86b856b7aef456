"""The tidy long layout, a row a mark, for files the bulk reader leaves: quoted cells, workbooks, odd rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portal.uploads.reading.entries import holds_two_codes, two_sessions
from portal.uploads.reading.rows import Cells, fault_in
from portal.uploads.reading.shapes import MISSING
from portal.uploads.reading.texts import clean, code_text, short

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from portal.uploads.reading.entries import Entries
    from portal.uploads.reading.tables import Sheet
    from portal.uploads.reading.texts import Dates

HALVES = {"AM": 0, "PM": 1, "A": 0, "P": 1, "MORNING": 0, "AFTERNOON": 1, "1": 0, "2": 1}
PAIR = ("code_am", "code_pm")
NAMING = ("upn", "former_upn", "surname", "forename", "full_name", "date_of_birth", "school_number")
NOT_A_SESSION = "“{}” is not a session. Write AM or PM."
TWO_CODES = "“{}” holds two marks in the cell of one session. Give one mark."


@dataclass(frozen=True, slots=True)
class _Said:
    """A row's mark: its text, its column from 1, and its half where the column tells it."""

    text: str
    column: int
    half: int | None


def read_long(
    entries: Entries, sheet: Sheet, number: int, meanings: Sequence[str | None], dates: Dates, progress: Callable[[int], None]
) -> None:
    """Read every row: a mark with its session, or the morning's and the afternoon's in columns of their own."""
    rows = _Rows(entries, Cells(sheet, meanings, dates), number)
    for done, (row, values) in enumerate(sheet.rows):
        if done % 20_000 == 0:
            progress(done)
        rows.take(row, values)


class _Rows:
    """Takes the rows of one sheet, each pupil looked at once."""

    def __init__(self, entries: Entries, cells: Cells, sheet: int) -> None:
        self.entries, self.cells, self.sheet = entries, cells, sheet
        self.keys = [cells.place[one] for one in NAMING if one in cells.place]
        self.known: dict[tuple[str, ...], int] = {}
        single = "code" in cells.place and ("session" in cells.place or not any(one in cells.place for one in PAIR))
        pair = [(cells.place[one], half) for half, one in enumerate(PAIR) if one in cells.place]
        self.columns: list[tuple[int, int | None]] = [(cells.place["code"], None)] if single else [*pair]

    def take(self, row: int, values: Sequence[str]) -> None:
        """The marks of a row, or why they cannot be taken."""
        said = [_Said(code_text(values[place] if place < len(values) else ""), place + 1, half) for place, half in self.columns]
        filled = [one for one in said if one.text not in MISSING]
        self.entries.missing += len(said) - len(filled)
        if not filled:
            return
        where: dict[str, Any] = {"sheet": self.sheet, "row": row, "raw": tuple(values)}
        pupil = self._pupil(values)
        if pupil < 0:
            kind, message, value = fault_in(self.cells.key(values)) or ("no-upn", "", None)
            column, count = self.cells.column("upn"), len(filled)
            self.entries.problem(kind, message, column=column, column_name="UPN", value=value, count=count, **where)
            return
        text = self.cells.text(values, "date")
        on = self.cells.dates[text] if text in self.cells.dates.found else None
        if on is None:
            kind, message = self.cells.dates.fault(text)
            column, count = self.cells.column("date"), len(filled)
            self.entries.problem(kind, message, column=column, column_name="Date", value=text, count=count, **where)
            return
        for number, one in enumerate(filled):
            self._mark(one, pupil, on, values, where, first=number == 0)

    def _pupil(self, values: Sequence[str]) -> int:
        """The pupil of a row; -1 where no mark can be placed for them."""
        named = tuple(values[place] if place < len(values) else "" for place in self.keys)
        if named not in self.known:
            key = self.cells.key(values)
            self.known[named] = -1 if fault_in(key) else self.entries.pupil(key)
        return self.known[named]

    def _mark(self, one: _Said, pupil: int, on: date, values: Sequence[str], where: dict[str, Any], *, first: bool) -> None:
        session = self.cells.text(values, "session").upper() if one.half is None else ""
        half = HALVES.get(session) if one.half is None else one.half
        place = {"column": one.column, "sheet": self.sheet, "row": where["row"]}
        if half is None and not session and (both := two_sessions(one.text)):
            for number, mark in enumerate(both):
                self.entries.mark(pupil, on, number, mark, **place)
        elif half is None:
            column, message = self.cells.column("session"), NOT_A_SESSION.format(short(session))
            self.entries.problem("no-session", message, column=column, column_name="Session", value=session, **where)
        elif holds_two_codes(one.text):
            message = TWO_CODES.format(one.text)
            self.entries.problem("two-codes", message, column=one.column, column_name="Code", value=one.text, **where)
        else:
            late = clean(self.cells.text(values, "minutes_late"))
            minutes = int(late) if late.isascii() and late.isdecimal() and int(late) < 600 else None  # noqa: PLR2004  minutes in a school day
            if one.half is not None and one.text not in {"L", "U"}:
                minutes = None
            comment = self.cells.text(values, "comment") if first else ""
            self.entries.mark(pupil, on, half, one.text, minutes=minutes or None, comment=comment or None, **place)
