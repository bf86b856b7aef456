"""The tidy long layout, a row a mark, for files the bulk reader leaves: quoted cells, workbooks, odd rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.uploads.reading.entries import split_minutes, two_sessions
from portal.uploads.reading.grid import NOT_A_DATE
from portal.uploads.reading.rows import Cells, fault_in
from portal.uploads.reading.shapes import MISSING
from portal.uploads.reading.texts import Dates, code_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portal.uploads.reading.entries import Entries
    from portal.uploads.reading.tables import Sheet

HALVES = {"AM": 0, "PM": 1, "A": 0, "P": 1, "MORNING": 0, "AFTERNOON": 1, "1": 0, "2": 1}
NOT_A_SESSION = "“{}” is not a session. Write AM or PM."
TWO_CODES = "“{}” holds two marks in the cell of one session. Give one mark."


def read_long(entries: Entries, sheet: Sheet, number: int, meanings: Sequence[str | None], progress: Callable[[int], None]) -> bool:
    """Read every row. Returns whether the dates could be either way round."""
    cells = Cells(sheet, meanings)
    dates = Dates(cells.texts("date"))
    known: dict[tuple[str, ...], int] = {}
    keys = [cells.place[one] for one in ("upn", "former_upn", "surname", "forename", "full_name", "date_of_birth", "school_number") if one in cells.place]
    for done, (row, values) in enumerate(sheet.rows):
        if done % 20_000 == 0:
            progress(done)
        said = tuple(values[place] if place < len(values) else "" for place in keys)
        if said not in known:
            key = cells.key(values)
            fault = fault_in(key)
            known[said] = -1 if fault else entries.pupil(key)
        _read_row(entries, cells, dates, known[said], number, row, values)
    return dates.ambiguous


def _read_row(entries: Entries, cells: Cells, dates: Dates, pupil: int, sheet: int, row: int, values: Sequence[str]) -> None:
    text = code_text(cells.text(values, "code"))
    where: dict[str, Any] = {"sheet": sheet, "row": row}
    raw = tuple(values)
    if text in MISSING and "code" in cells.place:
        entries.missing += 1
        return
    if pupil < 0:
        kind, message, value = fault_in(cells.key(values)) or ("no-upn", "", None)
        entries.problem(kind, message, column=cells.place.get("upn", -1) + 1, column_name="UPN", value=value, raw=raw, **where)
        return
    said = cells.text(values, "date")
    on = dates[said] if said in dates.found else None
    if on is None:
        column = cells.place.get("date", -1) + 1
        entries.problem("no-date", NOT_A_DATE.format(said), column=column, column_name="Date", value=said, raw=raw, **where)
        return
    half = cells.text(values, "session").upper()
    code_column = cells.place["code"] + 1
    both = two_sessions(text)
    if not half and both:
        for session, mark in enumerate(both):
            entries.mark(pupil, on, session, mark, column=code_column, **where)
        return
    if half not in HALVES:
        column = cells.place.get("session", -1) + 1
        entries.problem("no-session", NOT_A_SESSION.format(half), column=column, column_name="Session", value=half, raw=raw, **where)
        return
    if both and split_minutes(text)[1] is None:
        entries.problem("two-codes", TWO_CODES.format(text), column=code_column, column_name="Code", value=text, raw=raw, **where)
        return
    late = cells.text(values, "minutes_late")
    minutes = int(late) if late.isascii() and late.isdecimal() and int(late) < 600 else None  # noqa: PLR2004  minutes in a school day
    comment = cells.text(values, "comment") or None
    entries.mark(pupil, on, HALVES[half], text, column=code_column, minutes=minutes or None, comment=comment, **where)
