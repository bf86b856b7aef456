"""Which sheets of a file hold marks or pupils, and in which layout. A cover sheet or a legend of codes may come first."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from portal.rules.codes import CODES_BY_SYMBOL
from portal.tabular.cells import folded, shortened
from portal.uploads.domain.reading.builder import two_sessions
from portal.uploads.domain.reading.headings import SLOTS, SYNONYMS, meanings_of
from portal.uploads.domain.reading.parsing import Dates, code_text
from portal.uploads.domain.reading.result import MISSING
from portal.uploads.domain.reading.rows import DATE_MEANINGS, date_texts
from portal.uploads.domain.reading.wide_layouts import matrix_columns, week_in_title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.uploads.domain.reading.builder import ReadingBuilder
    from portal.uploads.domain.reading.headings import ColumnMappings
    from portal.uploads.domain.reading.tables import Sheet

PUPIL_LIST = "pupil-list"
#: Meanings whose cells are refused, and their marks counted, if they hold an error or a formula without a value.
REFUSED_IF_UNREAD = DATE_MEANINGS | {"upn", "session", "code", "code_am", "code_pm", *SLOTS}
NO_VALUE = "“{}” is an error, or a formula whose value is not in the file. It was left out. Correct it in the sheet, and save it."
UNREAD_COLUMN = "The column “{}” was not read: another has its meaning, or its day has no year. Correct the heading."
MARK_MEANINGS = frozenset({"code", "code_am", "code_pm", *SLOTS})
_DAY_WORDS = re.compile(
    r"\b(?:am|pm|mon|tue|wed|thu|fri|monday|tuesday|wednesday|thursday|friday)\b|\b\d{1,2}[/ -](?:\d{1,2}|[a-z]{3})\b"
)
UNREAD_SHEET = "Sheet “{}” was not read: it has no marks under headings we know. If it should have, send it on its own."
UNREAD_PUPILS = "Sheet “{}” was not read: it is a pupil list, and this file holds marks. Send it on its own."


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """A sheet with its number from 0, the meaning of each heading, and its layout.

    `missing_meanings` are those the layout needs and no column has.
    """

    number: int
    sheet: Sheet
    meanings: Sequence[str | None]
    layout: str
    missing_meanings: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether the sheet has rows and every meaning its layout needs."""
        return bool(self.sheet.rows) and not self.missing_meanings

    @property
    def is_register(self) -> bool:
        """Whether the sheet has marks that can be read."""
        return self.is_complete and self.layout != PUPIL_LIST

    def is_read_with(self, main: SheetLayout, dates: Dates) -> bool:
        """Whether the sheet is read beside the main one: marks beside marks, pupils beside pupils.

        A weekly grid that has no week is read, so that its rows are refused one by one.
        """
        if (self.layout == PUPIL_LIST) != (main.layout == PUPIL_LIST):
            return False
        return not _layout(self.sheet, self.meanings, dates, is_mapped=True)[1]


def layouts_of(sheets: Sequence[Sheet], mappings: ColumnMappings) -> tuple[list[SheetLayout], Dates]:
    """The layout of each sheet, and all the dates of the file."""
    mapped = [(sheet, mappings.of(sheet.headings)) for sheet in sheets]
    tables = [(sheet, mapping, meanings_of(sheet.headings, mapping)) for sheet, mapping in mapped]
    columns = [column for sheet, _, meanings in tables for column in date_texts(sheet, meanings)]
    dates = Dates(text for column in columns for text in column)
    for column in columns:
        dates.compare_forms(column)
    layouts = [
        SheetLayout(number, sheet, meanings, *_layout(sheet, meanings, dates, is_mapped=bool(mapping)))
        for number, (sheet, mapping, meanings) in enumerate(tables)
    ]
    return layouts, dates


def main_sheet(layouts: Sequence[SheetLayout]) -> SheetLayout:
    """The sheet that decides what the file is.

    It is the first register, or else the first pupil list, or else the sheet likeliest to be mapped.
    """

    def rank(layout: SheetLayout) -> tuple[bool, bool, int, int]:
        sheet = layout.sheet
        size = 0 if layout.is_complete else len(sheet.rows) * len(sheet.headings)
        return layout.is_register, layout.is_complete, -len(layout.missing_meanings), size

    return max(layouts, key=rank)


def _layout(sheet: Sheet, meanings: Sequence[str | None], dates: Dates, *, is_mapped: bool) -> tuple[str, tuple[str, ...]]:
    """The layout that a sheet's headings show, and the meanings no column has.

    Once a person has mapped the columns they are not asked for the week again: rows without one are then rejected one by one.
    """
    present = set(meanings)
    no_upn = () if "upn" in present else ("upn",)
    if len(present & set(SLOTS)) >= 2:
        has_week = is_mapped or present & {"week_commencing", "date"} or week_in_title(sheet, dates)
        return "weekly-grid", no_upn if has_week else (*no_upn, "week_commencing")
    if present & {"code", "code_am", "code_pm"} and "date" in present:
        return "long", no_upn
    if matrix_columns(sheet, dates):
        return "date-matrix", no_upn
    if "date_of_birth" in present and present & {"surname", "full_name"}:
        return PUPIL_LIST, ()
    return "long", tuple(meaning for meaning in ("upn", "date", "session", "code") if meaning not in present)


def warn_of_unread_sheet(builder: ReadingBuilder, layout: SheetLayout) -> None:
    """Say that a sheet was left out, if it could hold marks.

    It then has a row of at least two cells below its headings.
    """
    if any(sum(bool(cell.strip()) for cell in cells) > 1 for _, cells in layout.sheet.rows):
        name = shortened(layout.sheet.name)
        sentence = UNREAD_PUPILS if layout.layout == PUPIL_LIST else UNREAD_SHEET
        builder.add_problem("unread-sheet", sentence.format(name), sheet=layout.number, count=0)


def without_unread_texts(builder: ReadingBuilder, layout: SheetLayout) -> Sheet:
    """The sheet with names and other details blank where they hold an error, each with a warning.

    Otherwise an error would become a pupil's name. Marks, dates and UPNs stay as they are, and are refused for what they hold.
    """
    sheet = layout.sheet
    rows_in_use = {number - 1 for number, _ in sheet.rows}
    blank = set()
    for (row, column), text in sheet.without_value.items():
        meaning = layout.meanings[column] if column < len(layout.meanings) else None
        if meaning and meaning not in REFUSED_IF_UNREAD and row in rows_in_use:
            blank.add((row, column))
            sentence = NO_VALUE.format(shortened(text))
            builder.add_problem("no-value", sentence, sheet=layout.number, row=row + 1, column=column + 1, value=text, count=0)
    if not blank:
        return sheet
    rows = [
        (number, ["" if (number - 1, column) in blank else cell for column, cell in enumerate(cells)])
        for number, cells in sheet.rows
    ]
    return replace(sheet, rows=rows)


def refuse_unread_columns(builder: ReadingBuilder, layout: SheetLayout, dates: Dates) -> None:
    """Refuse and count the marks of columns that are not read.

    Such a column is headed by a day without a year, or belongs to a second block of the same days.
    """
    if not layout.is_register:
        return
    read_columns = {column for column, _, _ in matrix_columns(layout.sheet, dates)} if layout.layout == "date-matrix" else set()
    for column, (heading, meaning) in enumerate(zip(layout.sheet.headings, layout.meanings, strict=True)):
        if meaning or column in read_columns or not _may_head_marks(heading):
            continue
        cells = [cells[column] for _, cells in layout.sheet.rows if column < len(cells)]
        marks = [code for cell in cells if (code := code_text(cell)) not in MISSING]
        if marks and all(code in CODES_BY_SYMBOL or two_sessions(code) for code in marks):
            sentence = UNREAD_COLUMN.format(shortened(heading))
            row, number = layout.sheet.heading_row, column + 1
            builder.add_problem(
                "unread-column", sentence, sheet=layout.number, row=row, column=number, value=heading, count=len(marks)
            )


def _may_head_marks(heading: str) -> bool:
    """Whether a heading names a session, a weekday or a day, or has the meaning of a code."""
    name = folded(heading)
    return SYNONYMS.get(name) in MARK_MEANINGS or bool(_DAY_WORDS.search(heading.casefold()))
