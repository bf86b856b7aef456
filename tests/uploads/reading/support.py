"""Helpers of the reading tests: made-up UPNs, workbooks, and the marks of a reading as a set."""

from __future__ import annotations

import io
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import xlsxwriter

from portal.pupils.domain.incoming import check_letter
from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading.reader import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portal.uploads.domain.reading.result import Reading

FILES = Path(__file__).parent / "files"
MONDAY = date(2026, 9, 7)
Mark = tuple[str | None, date, int, str]


def upn(number: int) -> str:
    """A UPN with the correct check letter, of an authority and a school that do not exist."""
    body = f"9999999{22:02d}{number:03d}"
    letter = check_letter(f"A{body}")
    assert letter is not None
    return letter + body


def marks(reading: Reading) -> set[Mark]:
    """All marks of a reading: UPN, date, session (0 or 1) and code."""
    columns = (reading.pupil.tolist(), reading.day.tolist(), reading.session.tolist(), reading.code.tolist())
    return {
        (reading.pupils[pupil].upn, reading.dates[day], session, reading.codes[code])
        for pupil, day, session, code in zip(*columns, strict=True)
    }


def problem_kinds(reading: Reading) -> list[str]:
    """The kinds of a reading's problems, in order."""
    return [problem.kind for problem in reading.problems]


def outcome(content: bytes) -> FileRejected | Reading:
    """The reading of a file, or its rejection. Any other exception fails the test."""
    try:
        return read(content)
    except FileRejected as rejection:
        return rejection


def assert_all_marks_accounted(reading: Reading, mark_count: int) -> None:
    """Assert that each mark was accepted or rejected, and that all arrays have the same length."""
    rejected = sum(problem.count for problem in reading.problems)
    arrays = (reading.pupil, reading.day, reading.session, reading.code, reading.row, reading.column, reading.sheet)
    assert len({array.size for array in arrays}) == 1
    assert reading.rows_in == reading.pupil.size + rejected == mark_count


def workbook(sheets: Mapping[str, Sequence[Sequence[object]]], hidden: Sequence[str] = ()) -> bytes:
    """An XLSX file with these sheets. Dates are written as dates, and text like a formula as text."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False}) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for name, rows in sheets.items():
            page = book.add_worksheet(name)
            if name in hidden:
                page.hide()
            for line, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, date):
                        page.write_datetime(line, column, datetime(cell.year, cell.month, cell.day), day)  # noqa: DTZ001  a sheet's days have no zone
                    elif cell is not None:
                        page.write(line, column, cell)
    return content.getvalue()
