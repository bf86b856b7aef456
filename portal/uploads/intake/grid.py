"""Registers laid out across: the weekly grid (MonAM … FriPM) and the date matrix (a column for each day and half)."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

from portal.uploads.intake.entries import two_sessions
from portal.uploads.intake.headings import SLOTS
from portal.uploads.intake.rows import Cells, keyed
from portal.uploads.intake.tables import strip_half
from portal.uploads.intake.texts import Dates, a_date, code_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portal.uploads.intake.entries import Entries
    from portal.uploads.intake.tables import Sheet

_IN_TITLE = re.compile(r"(\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4}|\d{1,2} [A-Za-z]{3,9} \d{4})")
NO_WEEK = "The row has no week. Add a column “Week commencing”, or a title with the Monday's date."
NOT_A_DATE = "“{}” is not a date we can read. Write it as 07/09/2026 or 2026-09-07."


def read_weekly(entries: Entries, sheet: Sheet, number: int, meanings: Sequence[str | None], progress: Callable[[int], None]) -> bool:
    """A row a pupil and week, a column a session. Returns whether the dates could be either way round."""
    cells = Cells(sheet, meanings)
    titled = _week_in(sheet.titles)
    dates = Dates(cells.texts("week_commencing"))
    slots = [(SLOTS.index(meaning), place) for place, meaning in enumerate(meanings) if meaning in SLOTS]
    for done, (row, values) in enumerate(sheet.rows):
        if done % 500 == 0:
            progress(done)
        text = cells.text(values, "week_commencing")
        week = dates[text] if text else titled
        filled = [(slot, place) for slot, place in slots if place < len(values) and values[place].strip() not in {"", "-"}]
        if week is None:
            message = NOT_A_DATE.format(text) if text else NO_WEEK
            entries.problem("no-date", message, sheet=number, row=row, value=text or None, count=len(filled), raw=tuple(values))
            continue
        pupil = keyed(entries, cells, values, number, row, len(filled))
        if pupil is None:
            continue
        monday = week - timedelta(days=week.weekday())
        for slot, place in slots:
            if place < len(values):
                entries.mark(pupil, monday + timedelta(days=slot // 2), slot % 2, values[place], row=row, column=place + 1, sheet=number)
    return dates.ambiguous


def _week_in(titles: Sequence[str]) -> date | None:
    for title in titles:
        match = _IN_TITLE.search(title)
        if match and (found := a_date(match[1])):
            return found
    return None


def matrix_columns(sheet: Sheet) -> tuple[list[tuple[int, date, int | None]], int, bool]:
    """The dated columns as (place, day, half or None for a whole day), how many heading rows they take, and their ambiguity."""
    stripped = [strip_half(heading) for heading in sheet.headings]
    dates = Dates([text for text, _ in stripped if text])
    if sum(dates[text] is not None for text, _ in stripped if text) == 0:
        return [], 1, False
    below = sheet.rows[0][1] if sheet.rows else ()
    halves = [code_text(cell) for cell in below]
    if sum(half in {"AM", "PM"} for half in halves) >= 2:  # noqa: PLR2004  a second heading row names the halves
        return _two_rows(stripped, halves, dates), 2, dates.ambiguous
    found = [(place, on, half) for place, (text, half) in enumerate(stripped) if text and (on := dates[text]) is not None]
    return found, 1, dates.ambiguous


def _two_rows(stripped: Sequence[tuple[str, int | None]], halves: Sequence[str], dates: Dates) -> list[tuple[int, date, int | None]]:
    """Dates with blanks beneath merged headings: each blank belongs to the date on its left."""
    found: list[tuple[int, date, int | None]] = []
    on: date | None = None
    for place, half in enumerate(halves):
        text = stripped[place][0] if place < len(stripped) else ""
        on = dates[text] if text else on
        if on is not None and half in {"AM", "PM"}:
            found.append((place, on, 0 if half == "AM" else 1))
    return found


def read_matrix(
    entries: Entries, sheet: Sheet, number: int, meanings: Sequence[str | None], progress: Callable[[int], None]
) -> bool:
    """A row a pupil, a column a day and half (or a day whose cell holds both). Returns whether the dates could be either way round."""
    columns, heading_rows, ambiguous = matrix_columns(sheet)
    cells = Cells(sheet, meanings)
    for done, (row, values) in enumerate(sheet.rows[heading_rows - 1 :]):
        if done % 100 == 0:
            progress(done * len(columns))
        filled = sum(2 if half is None else 1 for place, _, half in columns if place < len(values) and values[place].strip() not in {"", "-"})
        pupil = keyed(entries, cells, values, number, row, filled)
        if pupil is None:
            continue
        for place, on, half in columns:
            text = values[place] if place < len(values) else ""
            if half is not None:
                entries.mark(pupil, on, half, text, row=row, column=place + 1, sheet=number)
            else:
                _whole_day(entries, pupil, on, text, number, row, place)
    return ambiguous


def _whole_day(entries: Entries, pupil: int, on: date, text: str, sheet: int, row: int, place: int) -> None:
    """A cell that stands for both halves of a day."""
    plain = code_text(text)
    both = ("", "") if plain in {"", "-", "--"} else two_sessions(text)
    if both is None:
        message = f"“{plain}” is one mark in a column for a whole day. Give the morning and the afternoon, such as /\\ or II."
        entries.problem("one-mark-for-a-day", message, sheet=sheet, row=row, column=place + 1, value=plain, count=1)
        return
    for session, mark in enumerate(both):
        entries.mark(pupil, on, session, mark, row=row, column=place + 1, sheet=sheet)
