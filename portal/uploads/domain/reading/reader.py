"""Finds the layout of a file, and reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.uploads.domain.reading import census, ctf, wonde
from portal.uploads.domain.reading.builder import ReadingBuilder
from portal.uploads.domain.reading.fast_csv import read_fast_csv
from portal.uploads.domain.reading.file_guard import file_kind
from portal.uploads.domain.reading.headings import SLOTS, ColumnMappings, fingerprint, meanings_of
from portal.uploads.domain.reading.long_layout import read_long
from portal.uploads.domain.reading.markup import json_document, xml_root
from portal.uploads.domain.reading.parsing import Dates
from portal.uploads.domain.reading.pupil_list import read_people
from portal.uploads.domain.reading.result import Column, FileRejected, Limits, Reading
from portal.uploads.domain.reading.rows import date_texts
from portal.uploads.domain.reading.tables import csv_book, xlsx_book
from portal.uploads.domain.reading.wide_layouts import matrix_columns, read_matrix, read_weekly, week_in_title

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portal.uploads.domain.reading.tables import Book, Sheet

READERS = {"long": read_long, "weekly-grid": read_weekly, "date-matrix": read_matrix}
NO_MAPPINGS = ColumnMappings()
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
    book = xlsx_book(content, limits) if kind == "xlsx" else csv_book(content, limits)
    return _read_book(book, mappings, show)


def _read_xml(content: bytes, limits: Limits) -> Reading:
    root = xml_root(content, limits)
    if root.tag == "CTfile":
        return ctf.read_ctf(root, limits)
    return census.read_census_xml(root, limits)


def _read_book(book: Book, mappings: ColumnMappings, show: Callable[[int], None]) -> Reading:
    first = book.sheets[0]
    if not any(sheet.rows for sheet in book.sheets):
        raise FileRejected("empty", NO_ROWS)
    if census.is_dfe_weekly(first.headings):
        return census.read_dfe_weekly(list(first.headings), [(row, list(cells)) for row, cells in first.rows])
    if census.is_census_csv(first.headings):
        return census.read_census_csv(list(first.headings), [(row, list(cells)) for row, cells in first.rows])
    if census.is_published(first):
        raise FileRejected("published", PUBLISHED)
    mapping = mappings.of(first.headings)
    tables = [(sheet, meanings_of(sheet.headings, mapping)) for sheet in book.sheets]
    dates = Dates(text for sheet, meanings in tables for text in date_texts(sheet, meanings))
    layout, missing_meanings = _layout(*tables[0], dates, is_mapped=bool(mapping))
    details: dict[str, Any] = {
        "columns": _columns(*tables[0]),
        "fingerprint": fingerprint(first.headings),
        "encoding": book.encoding,
        "hidden_sheets": book.hidden,
        "sheets_read": tuple(sheet.name for sheet in book.sheets),
        "title_rows_skipped": sum(sheet.heading_row - 1 for sheet in book.sheets),
        "totals_rows_skipped": sum(sheet.totals for sheet in book.sheets),
    }
    if missing_meanings:
        return Reading(layout=layout, needs_mapping=True, missing_meanings=missing_meanings, **details)
    builder, people = ReadingBuilder(layout), []
    for number, (sheet, meanings) in enumerate(tables):
        # Sheets of another layout are cover sheets: skip them.
        if _layout(sheet, meanings, dates, is_mapped=True) != (layout, ()):
            continue
        if layout == "pupil-list":
            people += read_people(builder, sheet, number, meanings, dates, show)
        else:
            READERS[layout](builder, sheet, number, meanings, dates, show)
    builder.problems += dates.problems()
    return builder.build(people=tuple(people), ambiguous_dates=bool(dates.ambiguous), **details)


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
        return "pupil-list", ()
    return "long", tuple(meaning for meaning in ("upn", "date", "session", "code") if meaning not in present)


def _columns(sheet: Sheet, meanings: Sequence[str | None]) -> tuple[Column, ...]:
    columns = []
    for index, heading in enumerate(sheet.headings[:MAX_COLUMNS_SHOWN]):
        samples = tuple(cells[index] for _, cells in sheet.rows[:SAMPLES] if index < len(cells) and cells[index])
        columns.append(Column(heading, meanings[index], samples))
    return tuple(columns)
