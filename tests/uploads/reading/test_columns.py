"""Tests of columns: two heading rows, two marks in a row, column mappings and apostrophes."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import xlsxwriter

from portal.tabular.rejection import FileRejected
from portal.uploads.domain.findings import reading_findings
from portal.uploads.domain.reading.headings import ColumnMappings
from portal.uploads.domain.reading.reader import read
from portal.uploads.domain.reading.result import Reading, ReadingProblem
from tests.uploads.reading.support import MONDAY, assert_all_marks_accounted, marks, problem_kinds, upn, workbook

if TYPE_CHECKING:
    from collections.abc import Sequence

DAYS = [MONDAY, MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)]
CODES = ["/", "\\", "I", "I", "L", ""]
EXPECTED = {(upn(1), DAYS[index // 2], index % 2, code) for index, code in enumerate(CODES) if code}
NAMES, BLANKS = ["UPN", "Surname", "Forename"], ["", "", ""]
HALVES = ["AM", "PM"] * 3
ROW = [upn(1), "Example", "Ann", *CODES]


def merged(*days: object) -> list[object]:
    return [cell for day in days for cell in (day, "")]


@pytest.mark.parametrize(
    "titles", [[], [["Attendance, Example School"]], [["Example School"], ["Autumn"], ["Printed 9 September"]]]
)
@pytest.mark.parametrize("names_below", [False, True], ids=["names above", "names below"])
@pytest.mark.parametrize("shape", ["%d/%m/%Y", "%a %d %b %Y", "%Y-%m-%d", "serial", "repeated"])
def test_dates_above_am_and_pm_in_text(shape: str, names_below: bool, titles: list[list[str]]) -> None:
    if shape == "serial":
        dates = merged(*[str((day - date(1899, 12, 30)).days) for day in DAYS])
    elif shape == "repeated":
        dates = [day.isoformat() for day in DAYS for _ in range(2)]
    else:
        dates = merged(*[day.strftime(shape) for day in DAYS])
    above, below = ([*BLANKS, *dates], [*NAMES, *HALVES]) if names_below else ([*NAMES, *dates], [*BLANKS, *HALVES])
    rows = [*titles, above, below, ROW]
    assert_matrix(read("\n".join(",".join(map(str, row)) for row in rows).encode()), len(titles))
    assert_matrix(read(workbook({"7A": rows})), len(titles))


def assert_matrix(reading: Reading, titles: int) -> None:
    assert (reading.layout, reading.needs_mapping, reading.title_rows_skipped) == ("date-matrix", False, titles)
    assert_all_marks_accounted(reading, 5)
    assert marks(reading) == EXPECTED
    assert reading.pupils[0].surname == "Example"
    assert (int(reading.row[0]), int(reading.column[0])) == (titles + 3, 4)


@pytest.mark.parametrize("names_row", [1, 2])
def test_merged_dates_above_am_and_pm_in_a_workbook(names_row: int) -> None:
    assert_matrix(read(workbook_of_merged_dates(names_row)), 1)


def workbook_of_merged_dates(names_row: int) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False}) as book:
        page, date_format = book.add_worksheet("Year 7"), book.add_format({"num_format": "dd/mm/yyyy"})
        page.write_string(0, 0, "Attendance, Example School")
        page.write_row(names_row, 0, NAMES)
        for index, day in enumerate(DAYS):
            page.merge_range(1, 3 + index * 2, 1, 4 + index * 2, "", date_format)
            page.write_datetime(1, 3 + index * 2, datetime(day.year, day.month, day.day), date_format)  # noqa: DTZ001  a sheet's days have no zone
        page.write_row(2, 3, HALVES)
        page.write_row(3, 0, ROW)
    return content.getvalue()


def test_weekdays_above_am_and_pm_are_a_weekly_grid() -> None:
    rows = [["", "", *merged("Mon", "Tuesday")], ["UPN", "Week", *HALVES[:4]], [upn(1), "07/09/2026", *CODES[:4]]]
    reading = read("\n".join(",".join(map(str, row)) for row in rows).encode())
    assert (reading.layout, marks(reading)) == ("weekly-grid", {mark for mark in EXPECTED if mark[1] < DAYS[2]})


def test_rows_and_columns_are_numbered_as_the_sheet_shows_them() -> None:
    blank_rows: list[list[object]] = [[], []]
    rows = [*blank_rows, *[[None, *row] for row in (["UPN", "Date", "Session", "Code"], [upn(1), "2026-09-07", "AM", "/"])]]
    reading = read(workbook({"A": rows}))
    assert (reading.row.tolist(), reading.column.tolist()) == ([4], [5])


@pytest.mark.parametrize("headings", [("AM", "PM"), ("AM Mark", "PM Mark"), ("Morning", "Afternoon"), ("Code AM", "Code PM")])
def test_a_row_may_have_the_marks_of_both_halves(headings: Sequence[str]) -> None:
    rows = f"UPN,Date,{','.join(headings)}\n{upn(1)},07/09/2026,/,\\\n{upn(1)},08/09/2026,I,-\n,09/09/2026,I,I\n"
    reading = read(rows.encode())
    assert (reading.layout, reading.missing) == ("long", 1)
    assert_all_marks_accounted(reading, 5)
    assert marks(reading) == {(upn(1), DAYS[0], 0, "/"), (upn(1), DAYS[0], 1, "\\"), (upn(1), DAYS[1], 0, "I")}
    assert [(problem.kind, problem.count) for problem in reading.problems if problem.count] == [("no-upn", 2)]
    assert set(reading.column.tolist()) == {3, 4}


def test_minutes_late_go_to_the_mark_that_was_late() -> None:
    reading = read(f"UPN,Date,AM,PM,Minutes late\n{upn(1)},07/09/2026,/,L,12\n".encode())
    assert [(note.session, note.minutes_late) for note in reading.notes] == [(1, 12)]


def test_a_mapping_overrides_the_headings_it_names_and_no_others() -> None:
    content = f"UPN,Date,Session,Letter,Code,Surname\n{upn(1)},2026-09-07,AM,I,x,Example\n".encode()
    reading = read(content, ColumnMappings({"Letter": "code"}))
    assert (marks(reading), reading.pupils[0].surname) == ({(upn(1), MONDAY, 0, "I")}, "Example")
    assert read(content, ColumnMappings({"Letter": "code", "Surname": ""})).pupils[0].surname is None


def test_a_grid_without_a_week_needs_a_mapping_and_accepts_one() -> None:
    content = f"UPN,Starts,MonAM,MonPM\n{upn(1)},07/09/2026,/,\\\n".encode()
    reading = read(content)
    assert (reading.needs_mapping, reading.missing_meanings, reading.rows_in) == (True, ("week_commencing",), 0)
    assert [column.header for column in reading.columns] == ["UPN", "Starts", "MonAM", "MonPM"]
    assert len(marks(read(content, ColumnMappings({"Starts": "week_commencing"})))) == 2
    assert_all_marks_accounted(read(content, ColumnMappings({"Starts": ""})), 2)


def test_a_leading_apostrophe_is_removed_except_from_a_name() -> None:
    content = f"UPN,Surname,Date,Session,Code\n'{upn(1)},'t Example,'07/09/2026,'AM,'I\n'{upn(2)},'Example,07/09/2026,AM,'/\n"
    for text in (content, content.replace(",AM", ',"AM"')):
        reading = read(text.encode())
        assert marks(reading) == {(upn(1), MONDAY, 0, "I"), (upn(2), MONDAY, 0, "/")}
        assert [pupil.surname for pupil in reading.pupils] == ["'t Example", "'Example"]


@pytest.mark.parametrize("code", ["AB", "ZZ9", "A1", "XA"])
def test_two_letters_that_are_not_both_codes_are_one_unknown_mark(code: str) -> None:
    for quote in ("", '"'):
        reading = read(f"UPN,Date,Session,Code\n{upn(1)},2026-09-07,AM,{quote}{code}{quote}\n".encode())
        assert (marks(reading), problem_kinds(reading)) == ({(upn(1), MONDAY, 0, code)}, [])


def test_two_codes_in_the_cell_of_one_session_are_rejected() -> None:
    assert problem_kinds(read(f"UPN,Date,Session,Code\n{upn(1)},2026-09-07,AM,/I\n".encode())) == ["two-codes"]


def test_published_figures_are_rejected_with_the_page_to_load_them() -> None:
    figures = b"time_period,time_identifier,geographic_level,country_code,absence_rate\n202425,Autumn,National,E92,6.4\n"
    for content in (figures, figures.replace(b",", b'","').replace(b"\n", b'"\n')):
        with pytest.raises(FileRejected, match="This is a file of published figures"):
            read(content)


def test_findings_count_marks_and_name_the_letters_of_a_column() -> None:
    problems = (
        ReadingProblem("Say when.", 3, "B", "soon", "no-date", count=10),
        ReadingProblem("Say when.", 4, "B", "soon", "no-date", count=2),
        ReadingProblem("They differ.", 5, "Attendance", kind="totals-differ", count=0),
    )
    rejection, warning = reading_findings(Reading("long", problems=problems))
    assert (rejection.rejected, rejection.count, rejection.column, rejection.rows) == (True, 12, "B", "3 to 4")
    assert (warning.rejected, warning.count, warning.column) == (False, 1, "Attendance")
