"""CSV and XLSX downloads whose cells are text and numbers, never formulas.

Every file for a spreadsheet is made here, so that no cell misses the check.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import UUID

import xlsxwriter
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

Cell = str | int | float | Decimal | Fraction | date | UUID | None
#: Characters that may begin a formula or a command in a spreadsheet, with the full-width = + - @.
FORMULA_STARTS = frozenset("=+-@\t\r\n|%\uff1d\uff0b\uff0d\uff20")
#: Characters at which a spreadsheet set to another separator, or to none, cuts a cell in two.
SEPARATORS = frozenset(";,|\t\r\n")
#: What begins a formula after a separator. Without line ends and tabs, which would be marked in every address of two lines.
LATER_STARTS = FORMULA_STARTS - SEPARATORS
#: Letters that show nothing, beside the spaces and control characters.
BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
LONGEST_NAME = 80
LONGEST_CELL = 32_767
MAX_SHEET_ROWS = 1_048_576
#: A spreadsheet stores numbers as floats and loses digits beyond these, so larger numbers are written as text.
LARGEST_EXACT = 10**15


class Kind(StrEnum):
    """The file formats of a download."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES = {
    Kind.CSV: "text/csv; charset=utf-8",
    Kind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A CSV as spreadsheets read it: UTF-8 with a byte order mark, CRLF and one header row.

    Every field is quoted, or a spreadsheet whose list separator is a semicolon would cut fields in two. Text that could
    begin a formula gets a leading '.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow([neutralise_formula(column) for column in columns])
    writer.writerows([_csv_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, max_rows: int = MAX_SHEET_ROWS - 1) -> bytes:
    """An XLSX with one sheet. Text stays text, numbers stay numbers, and the header row stays in view.

    Raises:
        ValueError: for more than `max_rows` rows, the limit of a sheet.
    """
    content = io.BytesIO()
    # The library guesses formulas, links and numbers from text by default, which would bring formulas back.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(content, options) as workbook:
        sheet = workbook.add_worksheet("Figures")
        heading_format = workbook.add_format({"bold": True, "bottom": 1})
        date_format = workbook.add_format({"num_format": "dd/mm/yyyy"})
        for column_number, heading in enumerate(columns):
            sheet.write_string(0, column_number, str(heading), heading_format)
            sheet.set_column(column_number, column_number, min(max(len(str(heading)) + 2, 12), 40))
        for row_number, row in enumerate(rows, start=1):
            if row_number > max_rows:
                message = f"A sheet holds {max_rows:,} rows: download this as CSV."
                raise ValueError(message)
            for column_number, cell in enumerate(row):
                _write_cell(sheet, row_number, column_number, cell, date_format)
        sheet.freeze_panes(1, 0)
    return content.getvalue()


def download(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], kind: Kind | str = Kind.CSV, *, on: date | None = None
) -> Response:
    """The response with a CSV or XLSX file, named after `name` and, if given, the day `on`."""
    kind = Kind(kind)
    content = as_csv(columns, rows) if kind is Kind.CSV else as_xlsx(columns, rows)
    return attachment(file_name(f"{name} {on.isoformat()}" if on else name, kind.value), content, MEDIA_TYPES[kind])


def attachment(name: str, content: bytes, media_type: str) -> Response:
    """The response that saves `content` as a file and never opens it in the page.

    `name` comes from `file_name`.
    """
    response = Response(content, content_type=media_type)
    response.headers["Content-Disposition"] = content_disposition(name)
    return response


def neutralise_formula(text: str) -> str:
    """Text that no spreadsheet reads as a formula: a leading ' is added where it could begin one.

    It could at the beginning, and after anything that some spreadsheet takes for a separator. Nothing is removed, so a
    name keeps all its letters.
    """
    if FORMULA_STARTS.isdisjoint(text):
        return text
    marks: list[int] = []
    begin: int | None = 0
    for position, character in enumerate(text):
        if begin is not None:
            if character in (FORMULA_STARTS if begin == 0 else LATER_STARTS):
                marks.append(begin)
                begin = None
            elif not _is_blank(character):
                begin = None
        if character in SEPARATORS:
            begin = position + 1
    pieces = [text[start:end] for start, end in pairwise([0, *marks, len(text)])]
    return "'".join(pieces)


def _is_blank(character: str) -> bool:
    """Does this character show nothing? Spreadsheets skip such characters before they look for a formula."""
    return character.isspace() or unicodedata.category(character) in {"Cc", "Cf"} or character in BLANK_LETTERS


def file_name(words: str, extension: str) -> str:
    """A file name of lower-case letters, digits and hyphens, made from plain words.

    So no path, quotation mark or text direction mark reaches the header or the disk.
    """
    ascii_only = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")[:LONGEST_NAME].strip("-")
    return f"{plain or 'download'}.{re.sub(r'[^a-z0-9]', '', extension.lower())}"


def content_disposition(name: str) -> str:
    """The Content-Disposition header of a download (RFC 6266).

    It holds an ASCII name, and the full name in UTF-8 where the two differ.
    """
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    header = f'attachment; filename="{plain}"'
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"


def _csv_cell(cell: Cell) -> str:
    """The text of a CSV cell."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return neutralise_formula(cell)
    if isinstance(cell, Fraction):
        return repr(float(cell))
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _write_cell(sheet: Worksheet, row_number: int, column_number: int, cell: Cell, date_format: Format) -> None:
    """Write a cell as a date, a number or text."""
    if cell is None:
        return
    if isinstance(cell, date):
        naive = cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell  # Excel has no time zones
        sheet.write_datetime(row_number, column_number, naive, date_format)
    elif (
        isinstance(cell, int | float | Decimal | Fraction) and not isinstance(cell, bool) and -LARGEST_EXACT < cell < LARGEST_EXACT
    ):
        sheet.write_number(row_number, column_number, float(cell))
    else:
        sheet.write_string(row_number, column_number, str(cell)[:LONGEST_CELL])
