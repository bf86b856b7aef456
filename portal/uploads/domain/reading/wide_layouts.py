"""Wide layouts: the weekly grid (MonAM … FriPM) and the date matrix (columns headed by dates)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from portal.tabular.cells import shortened
from portal.uploads.domain.reading.builder import two_sessions
from portal.uploads.domain.reading.headings import SLOTS
from portal.uploads.domain.reading.parsing import code_text
from portal.uploads.domain.reading.rows import DATE_IN_TITLE, CellReader, pupil_of_row
from portal.uploads.domain.reading.tables import strip_half

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portal.uploads.domain.reading.builder import ReadingBuilder
    from portal.uploads.domain.reading.parsing import Dates
    from portal.uploads.domain.reading.tables import Sheet

NO_WEEK = "The row has no week. Add a column “Week commencing”, or a title with the Monday's date."
ONE_MARK = "“{}” is one mark in a column for a whole day. Give the morning and the afternoon, such as /\\ or II."
BLANK = frozenset({"", "-"})
WEEK_WORDS = ("week commencing", "week beginning", "week", "w/c", "w/b")


def read_weekly(
    builder: ReadingBuilder,
    sheet: Sheet,
    sheet_number: int,
    meanings: Sequence[str | None],
    dates: Dates,
    progress: Callable[[int], None],
) -> None:
    """Read a weekly grid: one row for each pupil and week, one column for each session."""
    cells = CellReader(sheet, meanings, dates)
    week_of_title = week_in_title(sheet, dates)
    week_meaning = "week_commencing" if "week_commencing" in cells.columns else "date"
    slots = [(SLOTS.index(meaning), column) for column, meaning in enumerate(meanings) if meaning in SLOTS]
    for done, (row, values) in enumerate(sheet.rows):
        if done % 500 == 0:
            progress(done)
        text = cells.text(values, week_meaning) or week_of_title
        day_of_week = dates[text] if text else None
        mark_count = sum(values[column].strip() not in BLANK for _, column in slots if column < len(values))
        if day_of_week is None:
            kind, message = dates.fault(text) if text else ("no-date", NO_WEEK)
            builder.add_problem(
                kind,
                message,
                sheet=sheet_number,
                row=row,
                column=cells.column_number(week_meaning),
                value=text or None,
                count=mark_count,
                raw=tuple(values),
            )
            continue
        pupil = pupil_of_row(builder, cells, values, sheet_number, row, mark_count)
        if pupil is None:
            continue
        monday = day_of_week - timedelta(days=day_of_week.weekday())
        for slot, column in slots:
            if column < len(values):
                day = monday + timedelta(days=slot // 2)
                builder.add_mark(pupil, day, slot % 2, values[column], row=row, column=column + 1, sheet=sheet_number)


def week_in_title(sheet: Sheet, dates: Dates) -> str:
    """The date in a sheet's titles as written, titles about a week first; empty if there is none."""
    titles = sorted(sheet.titles, key=lambda title: not any(words in title.casefold() for words in WEEK_WORDS))
    return next((text for title in titles for text in DATE_IN_TITLE.findall(title) if dates.looks_like_date(text)), "")


def matrix_columns(sheet: Sheet, dates: Dates) -> list[tuple[int, str, int | None]]:
    """The columns headed by a date: index, text of the date, half (None for a whole day)."""
    stripped = [strip_half(heading) for heading in sheet.headings]
    return [(column, text, half) for column, (text, half) in enumerate(stripped) if text and dates.looks_like_date(text)]


def read_matrix(
    builder: ReadingBuilder,
    sheet: Sheet,
    sheet_number: int,
    meanings: Sequence[str | None],
    dates: Dates,
    progress: Callable[[int], None],
) -> None:
    """Read a date matrix: one row for each pupil, one column for each half day or whole day."""
    date_columns = matrix_columns(sheet, dates)
    columns = [(column, on, half) for column, text, half in date_columns if (on := dates[text]) is not None]
    for column, text, half in date_columns:
        if dates[text] is None:
            kind, message = dates.fault(text)
            lost = sum(_mark_count(values, column, half) for _, values in sheet.rows)
            builder.add_problem(kind, message, sheet=sheet_number, row=sheet.heading_row, column=column + 1, value=text, count=lost)
    cells = CellReader(sheet, meanings, dates)
    for done, (row, values) in enumerate(sheet.rows):
        if done % 100 == 0:
            progress(done * len(columns))
        mark_count = sum(_mark_count(values, column, half) for column, _, half in columns)
        pupil = pupil_of_row(builder, cells, values, sheet_number, row, mark_count)
        if pupil is None:
            continue
        for column, on, half in columns:
            text = values[column] if column < len(values) else ""
            if half is not None:
                builder.add_mark(pupil, on, half, text, row=row, column=column + 1, sheet=sheet_number)
            else:
                _add_whole_day(builder, pupil, on, text, sheet_number, row, column)


def _mark_count(values: Sequence[str], column: int, half: int | None) -> int:
    """The number of marks in a cell: none, one, or two for a whole day."""
    return 0 if column >= len(values) or values[column].strip() in BLANK else 2 if half is None else 1


def _add_whole_day(builder: ReadingBuilder, pupil: int, on: date, text: str, sheet: int, row: int, column: int) -> None:
    """Add the two marks of a cell for a whole day."""
    code = code_text(text)
    marks = ("", "") if code in {"", "-", "--"} else two_sessions(text)
    if marks is None:
        builder.add_problem(
            "one-mark-for-a-day", ONE_MARK.format(shortened(code)), sheet=sheet, row=row, column=column + 1, value=code, count=1
        )
        return
    for session, mark in enumerate(marks):
        builder.add_mark(pupil, on, session, mark, row=row, column=column + 1, sheet=sheet)
