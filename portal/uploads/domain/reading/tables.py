"""A CSV or workbook as sheets of text. Finds the heading row below any titles, and drops totals rows."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import python_calamine

from portal.uploads.domain.reading.headings import ALSO_CELLS, SYNONYMS, folded
from portal.uploads.domain.reading.parsing import DAY_NAMES, Dates, cell_text, clean, code_text, decoded
from portal.uploads.domain.reading.result import FileRejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portal.uploads.domain.reading.result import Limits

#: The rows searched for headings.
HEADING_SEARCH_ROWS = 30
LONGEST_LINE = 1_000_000
DELIMITERS = ",\t;|"
HALF_NAMES = {"AM": "AM", "PM": "PM", "MORNING": "AM", "AFTERNOON": "PM"}
WEEKDAYS = frozenset(word for name in DAY_NAMES for word in (name.casefold(), name[:3].casefold()))
TOTALS = ("total", "totals", "grand total", "average", "overall")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of text. `rows` are those below the headings, each with its row number as shown in a spreadsheet."""

    name: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[int, Sequence[str]]]
    titles: tuple[str, ...] = ()
    heading_row: int = 1
    totals: int = 0


@dataclass(frozen=True, slots=True)
class Book:
    """A file's sheets, the names of hidden ones, and its encoding."""

    sheets: tuple[Sheet, ...]
    hidden: tuple[str, ...] = ()
    encoding: str | None = None


def csv_book(content: bytes, limits: Limits) -> Book:
    """Read a CSV, TSV or semicolon-separated file.

    Raises:
        FileRejected: when it has no table, or exceeds the limits.
    """
    text, encoding = decoded(content)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    _reject_long_lines(text)
    rows = csv.reader(io.StringIO(text), delimiter=delimiter_of(text[:20_000]))
    # The limit is global to the process, but each file is read in a child process of its own.
    csv.field_size_limit(limits.cell)
    numbered: list[tuple[int, list[str]]] = []
    try:
        numbered.extend(enumerate(_limited_rows(rows, limits), start=1))
    except csv.Error as error:
        fault = "has a cell that is too long or a quotation mark that is never closed"
        message = f"Row {len(numbered) + 1} {fault}. Correct it and send the file again."
        raise FileRejected("quotes", message) from error
    # The CSV module accepts a quotation mark that is never closed, and reads the rest of the file as one cell.
    if numbered and numbered[-1][1] and "\n" in numbered[-1][1][-1] and not text.rstrip("\n").endswith('"'):
        message = f"Row {len(numbered)} has a quotation mark that is never closed. Correct it and send the file again."
        raise FileRejected("quotes", message)
    return Book((_sheet("", numbered),), encoding=encoding)


def _reject_long_lines(text: str) -> None:
    """Reject a file with a line longer than a register could have, before the CSV module builds it."""
    start = 0
    while len(text) - start > LONGEST_LINE:
        end = text.rfind("\n", start, start + LONGEST_LINE)
        if end < 0:
            row = text.count("\n", 0, start) + 1
            message = f"Row {row} is longer than a row of a register could be. Export the file again from your system."
            raise FileRejected("long-row", message)
        start = end + 1


def delimiter_of(text: str) -> str:
    """The delimiter of a CSV: the one that occurs most often in one of the first lines."""
    lines = [line for line in text.split("\n")[:HEADING_SEARCH_ROWS] if line.strip()]
    return max(DELIMITERS, key=lambda mark: (max((line.count(mark) for line in lines), default=0), -DELIMITERS.index(mark)))


def _limited_rows(rows: Iterable[list[str]], limits: Limits) -> Iterable[list[str]]:
    for number, row in enumerate(rows, start=1):
        if number > limits.rows:
            message = f"The file has more than {limits.rows:,} rows. Send it in parts."
            raise FileRejected("rows", message)
        if len(row) > limits.columns:
            message = f"Row {number} has more than {limits.columns:,} columns. Remove the empty columns and send the file again."
            raise FileRejected("columns", message)
        yield row


def xlsx_book(content: bytes, limits: Limits) -> Book:
    """Read the sheets of a workbook that are not empty, hidden ones included.

    Raises:
        FileRejected: when it is damaged, too large or empty.
    """
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        hidden = tuple(sheet.name for sheet in book.sheets_metadata if sheet.visible != python_calamine.SheetVisibleEnum.Visible)
        sheets = []
        for meta in book.sheets_metadata:
            if meta.typ != python_calamine.SheetTypeEnum.WorkSheet:
                continue
            worksheet = book.get_sheet_by_name(meta.name)
            if worksheet.total_height > limits.rows or worksheet.total_width > limits.columns:
                message = f"Sheet {meta.name} is too large. Remove its empty rows and columns, or send it in parts."
                raise FileRejected("rows", message)
            # iter_rows starts with the sheet's first row but with the first column in use: pad, so that columns keep their numbers.
            padding = [""] * (worksheet.start or (0, 0))[1]
            rows = [
                (number, padding + [cell_text(cell) for cell in row]) for number, row in enumerate(worksheet.iter_rows(), start=1)
            ]
            _reject_long_cells(meta.name, rows, limits)
            if any(cell.strip() for _, cells in rows for cell in cells):
                sheets.append(_sheet(meta.name, rows))
    except (python_calamine.CalamineError, ValueError, KeyError) as error:
        raise FileRejected("damaged", "The workbook could not be opened. Save it again as XLSX or CSV and send it.") from error
    if not sheets:
        raise FileRejected("empty", "The workbook has no rows. Send one with marks or pupils in it.")
    return Book(tuple(sheets), hidden)


def _reject_long_cells(name: str, rows: Sequence[tuple[int, Sequence[str]]], limits: Limits) -> None:
    """Reject a sheet with a cell longer than a spreadsheet program can write."""
    for number, cells in rows:
        if max(map(len, cells), default=0) > limits.cell:
            message = f"Row {number} of sheet {name} has a cell that is too long. Correct it and send the file again."
            raise FileRejected("long-cell", message)


def _sheet(name: str, rows: Sequence[tuple[int, Sequence[str]]]) -> Sheet:
    """Find the heading row, and drop the titles above it and the totals below."""
    if not any(any(cell.strip() for cell in row) for _, row in rows[:HEADING_SEARCH_ROWS]):
        raise FileRejected("empty", "The file has no rows. Send one with marks or pupils in it.")
    likeliest = max(range(min(HEADING_SEARCH_ROWS, len(rows))), key=lambda number: (_heading_score(rows[number][1]), -number))
    first, last, headings = _headings(rows, likeliest)
    titles = tuple(" ".join(cell.strip() for cell in row if cell.strip()) for _, row in rows[:first])
    body = [(number, row) for number, row in rows[last + 1 :] if any(cell.strip() for cell in row)]
    end = len(body)
    while end and _is_total(body[end - 1][1]):
        end -= 1
    titles = tuple(title for title in titles if title)
    return Sheet(name, headings, body[:end], titles, heading_row=rows[first][0], totals=len(body) - end)


def _headings(rows: Sequence[tuple[int, Sequence[str]]], likeliest: int) -> tuple[int, int, tuple[str, ...]]:
    """The first and last heading row, and their headings. There are two rows if dates are above AM and PM."""
    for upper in (likeliest, likeliest - 1):
        if 0 <= upper < len(rows) - 1 and (combined := _combined_headings(rows[upper][1], rows[upper + 1][1])):
            return upper, upper + 1, combined
    return likeliest, likeliest, tuple(clean(cell) for cell in rows[likeliest][1])


def _combined_headings(upper: Sequence[str], lower: Sequence[str]) -> tuple[str, ...]:
    """Combine a row of dates or weekdays with a row of AM and PM.

    Dates may be merged cells. Returns nothing if the rows are not such a pair.
    """
    width = max(len(upper), len(lower))
    above = [clean(cell) for cell in upper] + [""] * (width - len(upper))
    below = [clean(cell) for cell in lower] + [""] * (width - len(lower))
    halves = [HALF_NAMES.get(code_text(cell), "") for cell in below]
    dates = Dates(above)
    is_days = [dates.looks_like_date(cell) or cell.casefold() in WEEKDAYS for cell in above]
    has_day_over_half = any(is_day and half for is_day, half in zip(is_days, halves, strict=True))
    if not has_day_over_half or sum(map(bool, halves)) < 2 or any(SYNONYMS.get(folded(cell)) == "date" for cell in below):
        return ()
    headings, day = [], ""
    for upper_cell, lower_cell, is_day, half in zip(above, below, is_days, halves, strict=True):
        # A merged date is only in the first of its cells: it holds until another heading.
        day = upper_cell if is_day else "" if upper_cell else day
        heading = lower_cell if not upper_cell or folded(lower_cell) in SYNONYMS else upper_cell
        headings.append(f"{day} {half}" if day and half else heading)
    return tuple(headings)


def _heading_score(row: Sequence[str]) -> int:
    """How likely a row is to be headings: it has cells that are known headings, or dates."""
    synonyms = sum((heading := folded(cell)) in SYNONYMS and heading not in ALSO_CELLS for cell in row if cell.strip())
    dates = _date_count(row)
    # One date may be a title's, and two may be a row's own: its date and a date of birth.
    return synonyms * 3 + (dates if synonyms or dates > 2 else 0)


def _date_count(row: Sequence[str]) -> int:
    """The number of cells that are dates, with or without AM or PM."""
    texts = [strip_half(cell)[0] for cell in row if cell.strip()]
    dates = Dates(texts)
    return sum(dates.looks_like_date(text) for text in texts)


def strip_half(text: str) -> tuple[str, int | None]:
    """Split a heading into date and half of the day.

    "07/09/2026 AM" gives the date and 0; without AM or PM the half is None.
    """
    heading = clean(text)
    upper = heading.upper()
    for half, session in (("AM", 0), ("PM", 1)):
        if upper.endswith(half):
            return heading[:-2].rstrip(" -_("), session
        if upper.endswith(f"({half})"):
            return heading[:-4].strip(), session
    return heading, None


def _is_total(row: Sequence[str]) -> bool:
    first = next((cell.strip().casefold() for cell in row if cell.strip()), "")
    return any(first == word or first.startswith((f"{word} ", f"{word}:")) for word in TOTALS)
