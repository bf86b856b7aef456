"""Tests of dates: day first, month first, with a weekday, and all dates of a file together."""

from __future__ import annotations

from datetime import date

import pytest

from portal.uploads.domain.reading.parsing import MONTH_FIRST, Dates
from portal.uploads.domain.reading.reader import read
from tests.uploads.reading.support import MONDAY, assert_all_marks_accounted, marks, problem_kinds, upn, workbook

HEADINGS = "UPN,DOB,Date,Session,Code"


def rows(*dates: str, date_of_birth: str = "2016-01-15") -> bytes:
    return "\n".join([HEADINGS, *[f"{upn(1)},{date_of_birth},{on},AM,/" for on in dates]]).encode()


@pytest.mark.parametrize("quoted", [False, True])
def test_one_date_that_is_month_first_rejects_all_numeric_dates(quoted: bool) -> None:
    content = rows("09/15/2026", "09/01/2026", "2026-09-07")
    reading = read(content.replace(b"AM", b'"AM"') if quoted else content)
    assert_all_marks_accounted(reading, 3)
    assert marks(reading) == {(upn(1), MONDAY, 0, "/")}
    assert {(problem.kind, problem.sentence) for problem in reading.problems} == {("month-first", MONTH_FIRST)}
    assert date(2026, 1, 9) not in reading.dates


def test_a_date_of_birth_that_is_month_first_rejects_all_numeric_dates() -> None:
    assert problem_kinds(read(rows("09/01/2026", date_of_birth="05/23/2016"))) == ["month-first"]


def test_dates_are_day_first_in_a_file_that_has_both() -> None:
    reading = read(rows("15/09/2026", "09/15/2026", "09/01/2026"))
    assert problem_kinds(reading) == ["no-date"]
    assert set(reading.dates) == {date(2026, 9, 15), date(2026, 1, 9)}
    assert not reading.ambiguous_dates


def test_dates_of_all_sheets_are_judged_together() -> None:
    head = ["UPN", "Date", "Session", "Code"]
    book = workbook({"A": [head, [upn(1), "09/01/2026", "AM", "/"]], "B": [head, [upn(2), "09/15/2026", "AM", "/"]]})
    assert problem_kinds(read(book)) == ["month-first", "month-first"]


def test_columns_of_a_matrix_that_is_month_first_are_rejected() -> None:
    reading = read(f"UPN,09/14/2026 AM,09/01/2026 AM\n{upn(1)},/,I\n{upn(2)},/,\n".encode())
    assert_all_marks_accounted(reading, 3)
    assert [(problem.kind, problem.column, problem.count) for problem in reading.problems] == [
        ("month-first", "B", 2),
        ("month-first", "C", 1),
    ]


@pytest.mark.parametrize("text", ["Tue 14 Sep 2026", "Tuesday, 14/09/2026", "Tue 14-09-26"])
def test_a_date_with_the_wrong_weekday_is_a_problem(text: str) -> None:
    assert Dates([text])[text] is None
    problem = read(rows(f'"{text}"', "2026-09-07")).problems[0]
    assert (problem.kind, problem.value) == ("other-weekday", text)
    assert "is a Monday" in problem.sentence


def test_a_column_headed_with_the_wrong_weekday_is_a_problem() -> None:
    reading = read(f"UPN,Mon 7 Sep 2026 AM,Wed 8 Sep 2026 AM\n{upn(1)},/,I\n".encode())
    assert_all_marks_accounted(reading, 2)
    assert (problem_kinds(reading), marks(reading)) == (["other-weekday"], {(upn(1), MONDAY, 0, "/")})


def test_a_date_with_the_right_weekday_is_read() -> None:
    texts = ["Mon 14 Sep 2026", "monday 14/09/2026", "Mon, 14-9-26"]
    dates = Dates(texts)
    assert {dates[text] for text in texts} == {date(2026, 9, 14)}


def test_an_admission_date_that_cannot_be_read_is_only_a_warning() -> None:
    reading = read(f"UPN,Surname,DOB,Admission date\n{upn(1)},Example,2016-01-15,soon\n".encode())
    assert [(problem.kind, problem.count, problem.column) for problem in reading.problems] == [("no-date", 0, "D")]
    assert reading.people[0].fields["admission_date"] is None


def test_a_weekday_proves_that_a_date_is_day_first() -> None:
    for heading, expected in (("Mon 07/09/2026 AM", []), ("07/09/2026 AM", ["day-first"])):
        assert problem_kinds(read(f"UPN,{heading}\n{upn(1)},/\n".encode())) == expected
