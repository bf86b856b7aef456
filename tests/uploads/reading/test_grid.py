"""Tests of wide layouts: the weekly grid and the date matrix."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from portal.uploads.domain.reading.reader import read
from tests.uploads.reading.support import MONDAY, assert_all_marks_accounted, marks, problem_kinds, upn, workbook

SLOTS = [f"{day}{half}" for day in ("Mon", "Tue", "Wed", "Thu", "Fri") for half in ("AM", "PM")]
WEEK = ["/", "\\", "I", "I", "L", "\\", "", "-", "C1", "\\"]
EXPECTED = {
    (upn(1), MONDAY + timedelta(days=index // 2), index % 2, mark) for index, mark in enumerate(WEEK) if mark not in {"", "-"}
}


def lines(*rows: list[str]) -> bytes:
    return "\n".join(",".join(row) for row in rows).encode()


def test_a_weekly_grid_with_its_week_in_a_column() -> None:
    reading = read(lines(["UPN", "Week commencing", *SLOTS], [upn(1), "07/09/2026", *WEEK], [upn(2), "14/09/2026", *[""] * 10]))
    assert reading.layout == "weekly-grid"
    assert_all_marks_accounted(reading, 8)
    assert marks(reading) == EXPECTED
    assert reading.missing == 12
    assert (reading.row[0], reading.column[0]) == (2, 3)


@pytest.mark.parametrize("title", ["Week commencing 07/09/2026", "Register for the week of 7 September 2026", "w/c 2026-09-07"])
def test_a_weekly_grid_with_its_week_in_the_title(title: str) -> None:
    reading = read(lines(["Example School"], [title], [], ["Name", "UPN", *SLOTS], ['"Example, Ann"', upn(1), *WEEK]))
    assert_all_marks_accounted(reading, 8)
    assert (marks(reading), reading.pupils[0].surname, reading.title_rows_skipped) == (EXPECTED, "Example", 3)


def test_a_weekly_grid_with_full_weekdays_and_padded_marks() -> None:
    headings = [f"{day} {half}" for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday") for half in ("AM", "PM")]
    reading = read(lines(["UPN", "WB", *headings], [upn(1), "2026-09-07", *[f"{mark} " for mark in WEEK]]))
    assert marks(reading) == EXPECTED


def test_any_day_of_a_week_may_name_it() -> None:
    assert marks(read(lines(["UPN", "Week", *SLOTS], [upn(1), "2026-09-09", *WEEK]))) == EXPECTED


def test_a_grid_without_a_week_needs_a_mapping() -> None:
    reading = read(lines(["UPN", *SLOTS], [upn(1), *WEEK], [upn(2), *["/"] * 10]))
    assert (reading.layout, reading.needs_mapping, reading.pupil.size) == ("weekly-grid", True, 0)
    assert [column.header for column in reading.columns] == ["UPN", *SLOTS]


def test_marks_of_a_grid_row_without_a_upn_are_rejected() -> None:
    reading = read(lines(["UPN", "Week", *SLOTS], ["", "2026-09-07", *WEEK]))
    assert_all_marks_accounted(reading, 8)
    assert problem_kinds(reading) == ["no-upn"]


DAYS = [MONDAY + timedelta(days=number) for number in range(5)]


@pytest.mark.parametrize("shape", ["%d/%m/%Y {}", "%d/%m/%y_{}", "%Y-%m-%d {}", "%a %d %b %Y {}", "%d-%m-%Y ({})"])
def test_a_date_matrix_with_one_heading_row(shape: str) -> None:
    headings = [day.strftime(shape).format(half) for day in DAYS for half in ("AM", "PM")]
    reading = read(lines(["UPN", "Surname", *headings], [upn(1), "Example", *WEEK]))
    assert reading.layout == "date-matrix"
    assert_all_marks_accounted(reading, 8)
    assert marks(reading) == EXPECTED
    assert reading.missing == 2


def test_a_date_matrix_with_merged_dates_above_am_and_pm() -> None:
    dates = [text for day in DAYS for text in (day.strftime("%d/%m/%Y"), "")]
    reading = read(lines(["UPN", *dates], ["", *["AM", "PM"] * 5], [upn(1), *WEEK]))
    assert_all_marks_accounted(reading, 8)
    assert marks(reading) == EXPECTED
    assert reading.row[0] == 3


def test_a_date_matrix_of_whole_days() -> None:
    pairs = ["/\\", "I I", "L\\", "", "C1 \\"]
    reading = read(lines(["UPN", *[day.isoformat() for day in DAYS]], [upn(1), *pairs]))
    assert_all_marks_accounted(reading, 8)
    assert marks(reading) == EXPECTED


def test_one_mark_for_a_whole_day_is_rejected_and_counted() -> None:
    reading = read(lines(["UPN", MONDAY.isoformat(), DAYS[1].isoformat()], [upn(1), "I", "/\\"]))
    assert problem_kinds(reading) == ["one-mark-for-a-day"]
    assert_all_marks_accounted(reading, 3)


def test_a_workbook_with_several_sheets_a_hidden_sheet_and_totals() -> None:
    dates = [cell for day in DAYS for cell in (day, None)]
    halves = [None, *["AM", "PM"] * 5]
    sheets = {
        "7A": [["Example School"], [], ["UPN", *dates], halves, [upn(1), *WEEK], ["Total", 9]],
        "7B": [["UPN", *dates], halves, [upn(2), *["/"] * 10]],
        "Old": [["UPN", *dates], halves, [upn(3), *["I"] * 10]],
        "Empty": [],
    }
    reading = read(workbook(sheets, hidden=["Old"]))
    assert_all_marks_accounted(reading, 28)
    assert {mark[0] for mark in marks(reading)} == {upn(1), upn(2), upn(3)}
    assert marks(reading) >= EXPECTED
    assert (reading.sheets_read, reading.hidden_sheets) == (("7A", "7B", "Old"), ("Old",))
    assert (reading.title_rows_skipped, reading.totals_rows_skipped) == (2, 1)
    assert set(reading.sheet.tolist()) == {0, 1, 2}
    assert int(reading.row.min()) == 3


def test_dates_of_all_columns_of_a_matrix_are_judged_together() -> None:
    reading = read(lines(["UPN", "07/09/2026 AM", "14/09/2026 AM"], [upn(1), "/", "/"]))
    assert reading.dates == (MONDAY, date(2026, 9, 14))
    assert not reading.ambiguous_dates
