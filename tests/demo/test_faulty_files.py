"""The faulty files: every fault of the answer key is there, and nothing else is wrong."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from lxml import etree
from python_calamine import CalamineWorkbook

from demo.faulty_files import HEADERS, MARK, READ_ANYWAY, REJECTED, TITLE_ROWS, encode_windows, long_file
from demo.layouts import LIST_HEADERS, date_matrix, pupil_list, transfer_file, weekly_grid

if TYPE_CHECKING:
    from demo.plans import Plan


@pytest.fixture(scope="module")
def urn(plan: Plan) -> str:
    """A primary school that has sent everything."""
    return plan.schools[0].urn


def _rows(content: bytes, encoding: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(encoding))))


def test_a_long_file_holds_each_fault_where_the_key_says(plan: Plan, urn: str) -> None:
    sent = long_file(plan, urn, 2026, [-3, -2])
    rows = _rows(sent.content, "cp1252")
    assert rows[TITLE_ROWS] == list(HEADERS)
    assert rows[-1][0].startswith("Total")
    for fault in sent.faults:
        assert rows[fault.row - 1][HEADERS.index(fault.column)] == fault.value
        assert rows[fault.row - 1][0] == fault.upn
    assert set(sent.answer_key) >= {*READ_ANYWAY, *(set(REJECTED) - {"not-on-roll"}), "missing", "own-mark"}


def test_the_other_rows_of_a_long_file_are_true(plan: Plan, urn: str) -> None:
    with_faults, without_faults = long_file(plan, urn, 2026, [-3, -2]), long_file(plan, urn, 2026, [-3, -2], with_faults=False)
    faulty = {fault.row for fault in with_faults.faults}
    clean_rows, rows = _rows(without_faults.content, "cp1252"), _rows(with_faults.content, "cp1252")
    for number, (clean_row, row) in enumerate(zip(clean_rows[:-1], rows, strict=False), start=1):
        assert clean_row == row or number in faulty
    assert not without_faults.faults
    assert with_faults.marks == sum(bool(row[MARK].strip(" -")) for row in rows[TITLE_ROWS + 1 : -1])
    added = len(rows) - len(clean_rows)
    assert added == sum(fault.row > len(clean_rows) - 1 for fault in with_faults.faults)


def test_the_same_arguments_give_the_same_file(plan: Plan, urn: str) -> None:
    assert long_file(plan, urn, 2026, [-2]).content == long_file(plan, urn, 2026, [-2]).content
    assert date_matrix(plan, urn, 2026, [-2]).content == date_matrix(plan, urn, 2026, [-2]).content


def test_letters_missing_from_windows_1252_lose_their_accents() -> None:
    assert encode_windows("Dąbrowski, Łucja – Siân’s Đức").decode("cp1252") == "Dabrowski, Lucja – Siân’s Duc"


def test_a_weekly_grid_has_one_class_with_the_slants_swapped(plan: Plan, urn: str) -> None:
    sent = weekly_grid(plan, urn, 2026, [-2])
    assert sent.content.startswith(b"\xef\xbb\xbf")
    rows = _rows(sent.content, "utf-8-sig")
    for fault in sent.faults:
        assert rows[fault.row - 1][rows[0].index(fault.column)] == fault.value
    kinds = Counter(fault.kind for fault in sent.faults)
    assert kinds["wrong-slant"] > 50
    assert kinds["missing"] > 5


def test_a_date_matrix_has_two_header_rows_and_one_mark_that_is_no_code(plan: Plan, urn: str) -> None:
    sent = date_matrix(plan, urn, 2026, [-3, -2])
    book = CalamineWorkbook.from_filelike(io.BytesIO(sent.content))
    assert book.sheet_names[-1] == "Sheet3"
    first = book.get_sheet_by_name(book.sheet_names[0]).to_python()
    assert first[1][:3] == ["UPN", "Surname", "Forename"]
    assert str(first[1][3]).startswith("2026-11-")
    assert first[2][:5] == ["", "", "", "AM", "PM"]
    fault = sent.faults[0]
    assert any(fault.value in row for row in first)
    filled = sum(
        bool(cell) for name in book.sheet_names[:-1] for row in book.get_sheet_by_name(name).to_python()[3:] for cell in row[3:]
    )
    assert filled == sent.marks


def test_a_transfer_file_counts_its_own_marks_right(plan: Plan, urn: str) -> None:
    sent = transfer_file(plan, urn, 2026, range(8))
    root = etree.fromstring(sent.content)
    total = 0
    for pupil in root.iter("Pupil"):
        text = pupil.findtext("Attendance/YearData/AttendSessions/AttendanceMarks") or ""
        possible = int(pupil.findtext("Attendance/YearData/SessionsPossible") or 0)
        assert len(text) % 14 == 0
        counted = Counter(text)
        assert possible == len(text) - sum(counted[letter] for letter in "#-XYDQ")
        total += len(text) - counted["#"] - counted["-"]
    assert total == sent.marks


def test_a_pupil_list_has_everyone_on_the_roll(plan: Plan, urn: str) -> None:
    rows = _rows(pupil_list(plan, urn, 2026).content, "utf-8")
    assert tuple(rows[0]) == LIST_HEADERS
    assert len(rows) - 1 == len(plan.registers[urn, 2026].lines)
    assert {row[LIST_HEADERS.index("SEN provision")] for row in rows[1:]} <= {"N", "K", "E"}
