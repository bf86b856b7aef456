"""Finds the layout of a file, and reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.tabular.csv_rows import read_csv
from portal.tabular.file_guard import file_kind
from portal.tabular.limits import Limits
from portal.tabular.rejection import FileRejected
from portal.tabular.workbook import read_workbook
from portal.uploads.domain.reading import census, ctf, wonde
from portal.uploads.domain.reading.builder import ReadingBuilder
from portal.uploads.domain.reading.fast_csv import read_fast_csv
from portal.uploads.domain.reading.headings import NO_MAPPINGS, fingerprint
from portal.uploads.domain.reading.long_layout import read_long
from portal.uploads.domain.reading.markup import json_document, xml_root
from portal.uploads.domain.reading.pupil_list import read_people
from portal.uploads.domain.reading.result import Column, Reading
from portal.uploads.domain.reading.sheet_layouts import (
    layouts_of,
    main_sheet,
    refuse_unread_columns,
    warn_of_unread_sheet,
    without_unread_texts,
)
from portal.uploads.domain.reading.tables import book_of
from portal.uploads.domain.reading.wide_layouts import read_matrix, read_weekly

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portal.uploads.domain.reading.headings import ColumnMappings
    from portal.uploads.domain.reading.sheet_layouts import SheetLayout
    from portal.uploads.domain.reading.tables import Book, Sheet

READERS = {"long": read_long, "weekly-grid": read_weekly, "date-matrix": read_matrix}
SAMPLES = 5
MAX_COLUMNS_SHOWN = 60
NO_ROWS = "The file has no rows below its headings. Export it again with a row for each mark or pupil, and headings above them."
PUBLISHED = "This is a file of published figures. Load it under Published figures."


def read(
    content: bytes,
    mappings: ColumnMappings = NO_MAPPINGS,
    *,
    limits: Limits | None = None,
    progress: Callable[[int], None] | None = None,
) -> Reading:
    """Read a file of any known layout, with the column mapping that people set for its headings.

    Raises:
        FileRejected: when the whole file is rejected, with a sentence that says what to do.
    """
    limits = limits or Limits()
    show = progress or (lambda _rows: None)
    kind = file_kind(content, limits)
    if kind == "xml":
        return _read_xml(content, limits)
    if kind == "json":
        return wonde.read_wonde(json_document(content, limits), limits)
    # The fast reader takes most CSVs; None means this one needs the slow, row by row reader.
    if kind == "text" and (reading := read_fast_csv(content, mappings, show)) is not None:
        return reading
    file = read_workbook(content, limits) if kind == "xlsx" else read_csv(content, limits)
    return _read_book(book_of(file), mappings, show)


def _read_xml(content: bytes, limits: Limits) -> Reading:
    root = xml_root(content, limits)
    if root.tag == "CTfile":
        return ctf.read_ctf(root, limits)
    return census.read_census_xml(root, limits)


def _read_book(book: Book, mappings: ColumnMappings, show: Callable[[int], None]) -> Reading:
    if not any(sheet.rows for sheet in book.sheets):
        raise FileRejected("empty", NO_ROWS)
    sheets, dates = layouts_of(book.sheets, mappings)
    if (totals := _totals(sheets)) is not None:
        return totals
    main = main_sheet(sheets)
    details: dict[str, Any] = {
        "columns": _columns(main.sheet, main.meanings),
        "fingerprint": fingerprint(main.sheet.headings),
        "encoding": book.encoding,
        "hidden_sheets": book.hidden,
        "sheets_read": tuple(sheet.name for sheet in book.sheets),
        "title_rows_skipped": sum(sheet.heading_row - 1 for sheet in book.sheets if not sheet.is_below_another),
        "totals_rows_skipped": sum(sheet.totals for sheet in book.sheets),
    }
    if main.missing_meanings:
        return Reading(layout=main.layout, needs_mapping=True, missing_meanings=main.missing_meanings, **details)
    builder, people = ReadingBuilder(main.layout), []
    for layout in sheets:
        if not layout.is_read_with(main, dates):
            warn_of_unread_sheet(builder, layout)
            continue
        sheet = without_unread_texts(builder, layout)
        if layout.layout == "pupil-list":
            people += read_people(builder, sheet, layout.number, layout.meanings, dates, show)
        else:
            READERS[layout.layout](builder, sheet, layout.number, layout.meanings, dates, show)
            refuse_unread_columns(builder, layout, dates)
    builder.problems += dates.problems()
    return builder.build(people=tuple(people), ambiguous_dates=bool(dates.ambiguous), **details)


def _totals(sheets: Sequence[SheetLayout]) -> Reading | None:
    """The totals of the first sheet that has some, unless a sheet of marks comes before it.

    Raises:
        FileRejected: for published figures.
    """
    for layout in sheets:
        sheet = layout.sheet
        if census.is_dfe_weekly(sheet.headings):
            return census.read_dfe_weekly(sheet.headings, sheet.rows)
        if census.is_census_csv(sheet.headings):
            return census.read_census_csv(sheet.headings, sheet.rows)
        if census.is_published(sheet):
            raise FileRejected("published", PUBLISHED)
        if layout.is_register:
            break
    return None


def _columns(sheet: Sheet, meanings: Sequence[str | None]) -> tuple[Column, ...]:
    columns = []
    for index, heading in enumerate(sheet.headings[:MAX_COLUMNS_SHOWN]):
        samples = tuple(cells[index] for _, cells in sheet.rows[:SAMPLES] if index < len(cells) and cells[index])
        columns.append(Column(heading, meanings[index], samples))
    return tuple(columns)
