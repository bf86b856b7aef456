"""Files: which layout a file has, and its reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.uploads.reading import census, ctf, guard, wonde
from portal.uploads.reading.bulk import read_bulk
from portal.uploads.reading.entries import Entries
from portal.uploads.reading.grid import matrix_columns, read_matrix, read_weekly, titled_week
from portal.uploads.reading.headings import SLOTS, fingerprint, meanings_of
from portal.uploads.reading.long import read_long
from portal.uploads.reading.people import read_people
from portal.uploads.reading.rows import date_texts
from portal.uploads.reading.shapes import DEFAULT, Column, FileRefused, Limits, Reading
from portal.uploads.reading.tables import csv_book, xlsx_book
from portal.uploads.reading.texts import Dates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from portal.uploads.reading.tables import Book, Sheet

READERS = {"long": read_long, "weekly-grid": read_weekly, "date-matrix": read_matrix}
SAMPLES = 5
MOST_COLUMNS_SHOWN = 60
NO_ROWS = "The file has no rows below its headings. Export it again with a row for each mark or pupil, and headings above them."
PUBLISHED = "This is a file of published figures. Load it under Published figures."


def read(
    content: bytes,
    *,
    mapping: Mapping[str, str] | None = None,
    limits: Limits = DEFAULT,
    progress: Callable[[int], None] | None = None,
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
    if not any(sheet.rows for sheet in book.sheets):
        raise FileRefused("empty", NO_ROWS)
    if census.is_dfe_weekly(first.headings):
        return census.read_dfe_weekly(list(first.headings), [(row, list(cells)) for row, cells in first.rows])
    if census.is_census_csv(first.headings):
        return census.read_census_csv(list(first.headings), [(row, list(cells)) for row, cells in first.rows])
    if census.is_published(first):
        raise FileRefused("published", PUBLISHED)
    tables = [(sheet, meanings_of(sheet.headings, mapping)) for sheet in book.sheets]
    dates = Dates(text for sheet, meanings in tables for text in date_texts(sheet, meanings))
    layout, lacking = _layout(*tables[0], dates, asked=bool(mapping))
    facts: dict[str, Any] = {
        "columns": _columns(*tables[0]),
        "fingerprint": fingerprint(first.headings),
        "encoding": book.encoding,
        "hidden_sheets": book.hidden,
        "sheets_read": tuple(sheet.name for sheet in book.sheets),
        "title_rows_skipped": sum(sheet.heading_row - 1 for sheet in book.sheets),
        "totals_rows_skipped": sum(sheet.totals for sheet in book.sheets),
    }
    if lacking:
        return Reading(layout=layout, needs_mapping=True, lacking=lacking, **facts)
    entries, people = Entries(layout), []
    for number, (sheet, meanings) in enumerate(tables):
        # Sheets of another layout are cover sheets and are left.
        if _layout(sheet, meanings, dates, asked=True) != (layout, ()):
            continue
        if layout == "pupil-list":
            people += read_people(entries, sheet, number, meanings, dates, show)
        else:
            READERS[layout](entries, sheet, number, meanings, dates, show)
    entries.problems += dates.told()
    return entries.reading(people=tuple(people), ambiguous_dates=bool(dates.ambiguous), **facts)


def _layout(sheet: Sheet, meanings: Sequence[str | None], dates: Dates, *, asked: bool) -> tuple[str, tuple[str, ...]]:
    """The layout a sheet's headings speak of, and the meanings it lacks. A person who was asked is not asked for a week again."""
    known = set(meanings)
    no_upn = () if "upn" in known else ("upn",)
    if len(known & set(SLOTS)) >= 2:  # noqa: PLR2004  two sessions make a week
        dated = asked or known & {"week_commencing", "date"} or titled_week(sheet, dates)
        return "weekly-grid", no_upn if dated else (*no_upn, "week_commencing")
    if known & {"code", "code_am", "code_pm"} and "date" in known:
        return "long", no_upn
    if matrix_columns(sheet, dates):
        return "date-matrix", no_upn
    if "date_of_birth" in known and known & {"surname", "full_name"}:
        return "pupil-list", ()
    return "long", tuple(one for one in ("upn", "date", "session", "code") if one not in known)


def _columns(sheet: Sheet, meanings: Sequence[str | None]) -> tuple[Column, ...]:
    found = []
    for place, heading in enumerate(sheet.headings[:MOST_COLUMNS_SHOWN]):
        samples = tuple(cells[place] for _, cells in sheet.rows[:SAMPLES] if place < len(cells) and cells[place])
        found.append(Column(heading, meanings[place], samples))
    return tuple(found)
