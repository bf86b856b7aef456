"""Files: which layout a file has, and its reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.uploads.intake import census, ctf, guard, wonde
from portal.uploads.intake.bulk import read_bulk
from portal.uploads.intake.entries import Entries
from portal.uploads.intake.grid import matrix_columns, read_matrix, read_weekly
from portal.uploads.intake.headings import SLOTS, fingerprint, meanings_of
from portal.uploads.intake.long import read_long
from portal.uploads.intake.people import read_people
from portal.uploads.intake.shapes import DEFAULT, Column, Limits, Reading
from portal.uploads.intake.tables import csv_book, xlsx_book

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from portal.uploads.intake.tables import Book, Sheet

READERS = {"long": read_long, "weekly-grid": read_weekly, "date-matrix": read_matrix}
SAMPLES = 5
MOST_COLUMNS_SHOWN = 60


def read(
    content: bytes, *, mapping: Mapping[str, str] | None = None, limits: Limits = DEFAULT, progress: Callable[[int], None] | None = None
) -> Reading:
    """Read a file of any layout we know. `mapping` (heading to meaning) is a person's word for its columns.

    Raises:
        FileRefused: when the whole file cannot be read, with a sentence that says what to do.
    """
    show = progress or (lambda _rows: None)
    kind = guard.recognised(content, limits)
    if kind == "xml":
        return _xml(content, limits)
    if kind == "json":
        return wonde.read_wonde(guard.json_document(content, limits), limits)
    if kind == "text":
        bulk = read_bulk(content, mapping, show)
        if bulk is not None:
            return bulk
    book = xlsx_book(content, limits) if kind == "xlsx" else csv_book(content, limits)
    return _book(book, mapping, show)


def _xml(content: bytes, limits: Limits) -> Reading:
    root = guard.xml_root(content, limits)
    if root.tag == "CTfile":
        return ctf.read_ctf(root, limits)
    return census.read_census_xml(root, limits)


def _book(book: Book, mapping: Mapping[str, str] | None, show: Callable[[int], None]) -> Reading:
    first = book.sheets[0]
    if census.is_dfe_weekly(first.headings):
        return census.read_dfe_weekly(list(first.headings), [(row, list(cells)) for row, cells in first.rows])
    if census.is_census_csv(first.headings):
        return census.read_census_csv(list(first.headings), [(row, list(cells)) for row, cells in first.rows])
    meanings = meanings_of(first.headings, mapping)
    layout, lacking = _layout(first, meanings)
    facts: dict[str, Any] = {
        "columns": _columns(first, meanings),
        "fingerprint": fingerprint(first.headings),
        "encoding": book.encoding,
        "hidden_sheets": book.hidden,
        "sheets_read": tuple(sheet.name for sheet in book.sheets),
        "title_rows_skipped": sum(sheet.heading_row - 1 for sheet in book.sheets),
        "totals_rows_skipped": sum(sheet.totals for sheet in book.sheets),
    }
    if lacking:
        return Reading(layout=layout, needs_mapping=True, **facts)
    return _sheets(book, layout, mapping, show, facts)


def _sheets(book: Book, layout: str, mapping: Mapping[str, str] | None, show: Callable[[int], None], facts: dict[str, Any]) -> Reading:
    """Every sheet that has the first one's layout; others are cover sheets and are left."""
    entries, ambiguous = Entries(layout), False
    people = []
    for number, sheet in enumerate(book.sheets):
        meanings = meanings_of(sheet.headings, mapping)
        found, lacking = _layout(sheet, meanings)
        if found != layout or lacking:
            continue
        if layout == "pupil-list":
            people += read_people(entries, sheet, number, meanings, show)
        else:
            ambiguous |= READERS[layout](entries, sheet, number, meanings, show)
    return entries.reading(people=tuple(people), ambiguous_dates=ambiguous, **facts)


def _layout(sheet: Sheet, meanings: Sequence[str | None]) -> tuple[str, bool]:
    """The layout a sheet's headings speak of, and whether something it needs is not there."""
    known = set(meanings)
    if len(known & set(SLOTS)) >= 2:  # noqa: PLR2004  two sessions make a week
        return "weekly-grid", "upn" not in known
    if "code" in known and "date" in known:
        return "long", "upn" not in known
    if matrix_columns(sheet)[0]:
        return "date-matrix", "upn" not in known
    if "date_of_birth" in known and known & {"surname", "full_name"}:
        return "pupil-list", False
    return "long", True


def _columns(sheet: Sheet, meanings: Sequence[str | None]) -> tuple[Column, ...]:
    found = []
    for place, heading in enumerate(sheet.headings[:MOST_COLUMNS_SHOWN]):
        samples = tuple(cells[place] for _, cells in sheet.rows[:SAMPLES] if place < len(cells) and cells[place])
        found.append(Column(heading, meanings[place], samples))
    return tuple(found)
