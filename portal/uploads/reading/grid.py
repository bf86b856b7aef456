"""Registers laid out across: the weekly grid (MonAM … FriPM) and the date matrix (a column for each day and half)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from portal.uploads.reading.entries import two_sessions
from portal.uploads.reading.headings import SLOTS
from portal.uploads.reading.rows import IN_TITLE, Cells, keyed
from portal.uploads.reading.tables import strip_half
from portal.uploads.reading.texts import code_text, short

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portal.uploads.reading.entries import Entries
    from portal.uploads.reading.tables import Sheet
    from portal.uploads.reading.texts import Dates

NO_WEEK = "The row has no week. Add a column “Week commencing”, or a title with the Monday's date."
BLANK = frozenset({"", "-"})
OF_WEEKS = ("week commencing", "week beginning", "week", "w/c", "w/b")


def read_weekly(
    entries: Entries, sheet: Sheet, number: int, meanings: Sequence[str | None], dates: Dates, progress: Callable[[int], None]
) -> None:
    """A row a pupil and week, a column a session."""
    cells = Cells(sheet, meanings, dates)
    titled = titled_week(sheet, dates)
    of_week = "week_commencing" if "week_commencing" in cells.place else "date"
    slots = [(SLOTS.index(meaning), place) for place, meaning in enumerate(meanings) if meaning in SLOTS]
    for done, (row, values) in enumerate(sheet.rows):
        if done % 500 == 0:
            progress(done)
        text = cells.text(values, of_week) or titled
        week = dates[text] if text else None
        filled = sum(values[place].strip() not in BLANK for _, place in slots if place < len(values))
        if week is None:
            kind, message = dates.fault(text) if text else ("no-date", NO_WEEK)
            column, raw = cells.column(of_week), tuple(values)
            entries.problem(kind, message, sheet=number, row=row, column=column, value=text or None, count=filled, raw=raw)
            continue
        pupil = keyed(entries, cells, values, number, row, filled)
        if pupil is None:
            continue
        monday = week - timedelta(days=week.weekday())
        for slot, place in slots:
            if place < len(values):
                entries.mark(
                    pupil, monday + timedelta(days=slot // 2), slot % 2, values[place], row=row, column=place + 1, sheet=number
                )


def titled_week(sheet: Sheet, dates: Dates) -> str:
    """The date in a sheet's titles, as written: that of a title about a week before any other; empty where there is none."""
    of_weeks = sorted(sheet.titles, key=lambda title: not any(words in title.casefold() for words in OF_WEEKS))
    return next((text for title in of_weeks for text in IN_TITLE.findall(title) if dates.looks(text)), "")


def matrix_columns(sheet: Sheet, dates: Dates) -> list[tuple[int, str, int | None]]:
    """The columns whose heading is written as a date: place, the text of the date, and the half or None for a whole day."""
    stripped = [strip_half(heading) for heading in sheet.headings]
    return [(place, text, half) for place, (text, half) in enumerate(stripped) if text and dates.looks(text)]


def read_matrix(
    entries: Entries, sheet: Sheet, number: int, meanings: Sequence[str | None], dates: Dates, progress: Callable[[int], None]
) -> None:
    """A row a pupil, a column a day and half (or a day whose cell holds both)."""
    every = matrix_columns(sheet, dates)
    columns = [(place, on, half) for place, text, half in every if (on := dates[text]) is not None]
    for place, text, half in every:
        if dates[text] is None:
            kind, message = dates.fault(text)
            lost = sum(_filled(values, place, half) for _, values in sheet.rows)
            entries.problem(kind, message, sheet=number, row=sheet.heading_row, column=place + 1, value=text, count=lost)
    cells = Cells(sheet, meanings, dates)
    for done, (row, values) in enumerate(sheet.rows):
        if done % 100 == 0:
            progress(done * len(columns))
        pupil = keyed(entries, cells, values, number, row, sum(_filled(values, place, half) for place, _, half in columns))
        if pupil is None:
            continue
        for place, on, half in columns:
            text = values[place] if place < len(values) else ""
            if half is not None:
                entries.mark(pupil, on, half, text, row=row, column=place + 1, sheet=number)
            else:
                _whole_day(entries, pupil, on, text, number, row, place)


def _filled(values: Sequence[str], place: int, half: int | None) -> int:
    """How many marks a cell holds: none, one, or two where it stands for a whole day."""
    return 0 if place >= len(values) or values[place].strip() in BLANK else 2 if half is None else 1


def _whole_day(entries: Entries, pupil: int, on: date, text: str, sheet: int, row: int, place: int) -> None:
    """A cell that stands for both halves of a day."""
    plain = code_text(text)
    both = ("", "") if plain in {"", "-", "--"} else two_sessions(text)
    if both is None:
        message = (
            f"“{short(plain)}” is one mark in a column for a whole day. Give the morning and the afternoon, such as /\\ or II."
        )
        entries.problem("one-mark-for-a-day", message, sheet=sheet, row=row, column=place + 1, value=plain, count=1)
        return
    for session, mark in enumerate(both):
        entries.mark(pupil, on, session, mark, row=row, column=place + 1, sheet=sheet)
