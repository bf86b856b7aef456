"""The one place a file for a spreadsheet is made: CSV and XLSX whose cells are words and numbers, never formulas."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
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
#: What a spreadsheet may take for the beginning of a formula or a command: the full-width = + - @ included.
RISKY = frozenset("=+-@\t\r\n|%\uff1d\uff0b\uff0d\uff20")
LONGEST_NAME = 80
LONGEST_CELL = 32_767
ROWS_OF_A_SHEET = 1_048_576
#: Digits beyond these are lost when a spreadsheet reads a number.
EXACT = 10**15


class Kind(StrEnum):
    """The kinds of file we make."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES = {
    Kind.CSV: "text/csv; charset=utf-8",
    Kind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A CSV as spreadsheets read it: UTF-8 with its mark, CRLF, one header row. Text that could act is quoted with '."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([neutral(name) for name in columns])
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, most: int = ROWS_OF_A_SHEET - 1) -> bytes:
    """An XLSX of one sheet: text stays text whatever it begins with, numbers are numbers, the header row stays in view.

    Raises:
        ValueError: for more than `most` rows, which is what a sheet can hold.
    """
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(content, options) as book:
        page = book.add_worksheet("Figures")
        heading = book.add_format({"bold": True, "bottom": 1})
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for number, name in enumerate(columns):
            page.write_string(0, number, str(name), heading)
            page.set_column(number, number, min(max(len(str(name)) + 2, 12), 40))
        for line, row in enumerate(rows, start=1):
            if line > most:
                message = f"A sheet holds {most:,} rows: download this as CSV."
                raise ValueError(message)
            for number, cell in enumerate(row):
                _write(page, line, number, cell, day)
        page.freeze_panes(1, 0)
    return content.getvalue()


def download(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], kind: Kind | str = Kind.CSV, *, on: date | None = None
) -> Response:
    """The file as a response, to be kept under a name of ours: `name` in plain words, and the day when one is given."""
    kind = Kind(kind)
    content = as_csv(columns, rows) if kind is Kind.CSV else as_xlsx(columns, rows)
    return attachment(file_name(f"{name} {on.isoformat()}" if on else name, kind.value), content, MEDIA_TYPES[kind])


def attachment(name: str, content: bytes, media_type: str) -> Response:
    """Bytes as a file to keep, never to open in the page, under a name made by `file_name`."""
    response = Response(content, content_type=media_type)
    response.headers["Content-Disposition"] = disposition(name)
    return response


def neutral(text: str) -> str:
    """Text no spreadsheet takes for a formula: with ' before it when its first sign could begin one.

    A name keeps all its letters: take the one ' away and it is what it was.
    """
    begins = text.lstrip(" \u00a0\ufeff\u200b")[:1]
    return f"'{text}" if begins in RISKY and begins else text


def file_name(words: str, extension: str) -> str:
    """A file's name from words: letters, digits and hyphens only, so that no path, sign or direction mark is left."""
    ascii_only = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")[:LONGEST_NAME].strip("-")
    return f"{plain or 'download'}.{re.sub(r'[^a-z0-9]', '', extension.lower())}"


def disposition(name: str) -> str:
    """The Content-Disposition of a file to keep (RFC 6266): a plain name, and the whole one in UTF-8 when it differs."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    header = f'attachment; filename="{plain}"'
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"


def _plain(cell: Cell) -> str:
    """A cell of a CSV."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return neutral(cell)
    if isinstance(cell, Fraction):
        return repr(float(cell))
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _write(page: Worksheet, line: int, number: int, cell: Cell, day: Format) -> None:
    """A cell of a sheet, typed."""
    if cell is None:
        return
    if isinstance(cell, date):
        moment = cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell
        page.write_datetime(line, number, moment, day)
    elif isinstance(cell, int | float | Decimal | Fraction) and not isinstance(cell, bool) and -EXACT < cell < EXACT:
        page.write_number(line, number, float(cell))
    else:
        page.write_string(line, number, str(cell)[:LONGEST_CELL])
