"""Workbooks: the visible sheets of an XLSX file as tables. Formulas are never worked out; hidden sheets are only named."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from portal.uploads.reading.archives import check_workbook
from portal.uploads.reading.headings import Heading, heading_of
from portal.uploads.reading.limits import FileRefused
from portal.uploads.reading.tables import HEAD_ROWS
from portal.uploads.reading.texts import cell_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from python_calamine import CalamineSheet

    from portal.uploads.reading.limits import Limits


class SheetTable:
    """One sheet of a workbook. Rows are made into texts as they are asked for, and not kept."""

    def __init__(self, sheet: CalamineSheet, place: int, mapping: Mapping[str, str] | None) -> None:
        self._rows = sheet
        self.sheet = place
        self.name = sheet.name
        # Cells begin where the sheet's first filled cell stands; rows and columns are told as the user sees them.
        self._above, self._left = sheet.start or (0, 0)
        head = [row for _, row in zip(range(HEAD_ROWS), self._texts(), strict=False)]
        self.found: Heading | None = heading_of(head, mapping, name=self.name)

    @property
    def heading(self) -> Heading:
        """The heading, of a sheet that has one."""
        if self.found is None:
            raise FileRefused("empty", "The sheet has no rows.")
        return self.found

    def _texts(self) -> Iterator[list[str]]:
        for _ in range(self._above):
            yield []
        margin = [""] * self._left
        for row in self._rows.iter_rows():
            yield margin + [cell if isinstance(cell, str) else cell_text(cell) for cell in row]

    def rows(self, *, after: int = 0) -> Iterator[tuple[int, list[str]]]:
        """Every row after a number, with its number."""
        for number, row in enumerate(self._texts(), 1):
            if number > after:
                yield number, row

    def raw(self, wanted: Collection[int]) -> dict[int, tuple[str, ...]]:
        """The cells of some rows as they stand."""
        numbers = set(wanted)
        return {number: tuple(row) for number, row in self.rows() if number in numbers}


def sheets_of(content: bytes, mapping: Mapping[str, str] | None, limits: Limits) -> tuple[list[SheetTable], tuple[str, ...]]:
    """The visible sheets that have rows, and the names of the hidden ones.

    Raises:
        FileRefused: when the workbook is not accepted.
    """
    check_workbook(content, limits)
    try:
        book = CalamineWorkbook.from_filelike(BytesIO(content))
        seen = [one for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
        hidden = tuple(one.name for one in seen if one.visible != SheetVisibleEnum.Visible)
        tables = []
        for one in seen:
            if one.visible == SheetVisibleEnum.Visible:
                table = SheetTable(book.get_sheet_by_name(one.name), len(tables), mapping)
                if table.found is not None:
                    tables.append(table)
    except CalamineError:
        sentence = "The workbook could not be opened. Open it, save it again as an Excel workbook (.xlsx), and send the new file."
        raise FileRefused("damaged", sentence) from None
    return tables, hidden
