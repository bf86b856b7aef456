"""A workbook as sheets of rows of text, hidden sheets included."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import python_calamine
from lxml import etree

from portal.tabular.cells import cell_text
from portal.tabular.cells_without_value import cells_without_value
from portal.tabular.rejection import FileRejected
from portal.tabular.sheets import SheetRows, TableFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from portal.tabular.limits import Limits
    from portal.tabular.sheets import Row

DAMAGED = "The workbook could not be opened. Save it again as XLSX or CSV and send it."


def read_workbook(content: bytes, limits: Limits) -> TableFile:
    """Read the sheets of a workbook that are not empty. It must have passed `file_kind`.

    Raises:
        FileRejected: when it is damaged, too large or empty.
    """
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        hidden = tuple(sheet.name for sheet in book.sheets_metadata if sheet.visible != python_calamine.SheetVisibleEnum.Visible)
        sheets = tuple(_filled_sheets(book, cells_without_value(content, limits), limits))
    except FileRejected:
        raise
    except (python_calamine.CalamineError, etree.XMLSyntaxError, zipfile.BadZipFile, ValueError, KeyError) as error:
        raise FileRejected("damaged", DAMAGED) from error
    if not sheets:
        raise FileRejected("empty", "The workbook has no rows. Send one with marks or pupils in it.")
    return TableFile(sheets, hidden)


def _filled_sheets(
    book: python_calamine.CalamineWorkbook, without_value: Mapping[str, Mapping[tuple[int, int], str]], limits: Limits
) -> Iterator[SheetRows]:
    for meta in book.sheets_metadata:
        if meta.typ != python_calamine.SheetTypeEnum.WorkSheet:
            continue
        worksheet = book.get_sheet_by_name(meta.name)
        if worksheet.total_height > limits.rows or worksheet.total_width > limits.columns:
            message = f"Sheet {meta.name} is too large. Remove its empty rows and columns, or send it in parts."
            raise FileRejected("rows", message)
        # iter_rows starts with the sheet's first row but with the first column in use: pad, so that columns keep their numbers.
        padding = [""] * (worksheet.start or (0, 0))[1]
        rows = [padding + [cell_text(cell) for cell in row] for row in worksheet.iter_rows()]
        cells = without_value.get(meta.name, {})
        _fill(rows, cells)
        numbered = list(enumerate(rows, start=1))
        _reject_long_cells(meta.name, numbered, limits)
        if any(cell.strip() for row in rows for cell in row):
            yield SheetRows(meta.name, numbered, cells)


def _fill(rows: list[list[str]], cells: Mapping[tuple[int, int], str]) -> None:
    """Put the errors and formulas without a value in their cells, adding rows and columns if need be."""
    for (row, column), text in cells.items():
        rows.extend([] for _ in range(row + 1 - len(rows)))
        rows[row].extend("" for _ in range(column + 1 - len(rows[row])))
        rows[row][column] = text


def _reject_long_cells(name: str, rows: Sequence[Row], limits: Limits) -> None:
    """Reject a sheet with a cell longer than a spreadsheet program can write."""
    for number, cells in rows:
        if max(map(len, cells), default=0) > limits.cell:
            raise FileRejected(
                "long-cell", f"Sheet {name} has a cell that is too long. Correct it and send the file again.", number
            )
