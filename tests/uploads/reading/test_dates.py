"""Tests of dates: month first, both ways round at once, days beside another weekday's name, and a whole file's dates together."""

from __future__ import annotations

from datetime import date

import pytest

from portal.uploads.reading import read
from portal.uploads.reading.texts import MONTH_FIRST, Dates
from tests.uploads.reading.support import MONDAY, accounted, kinds, marks, upn, workbook

HEADINGS = "UPN,DOB,Date,Session,Code"


def rows(*dates: str, born: str = "2016-01-15") -> bytes:
    return "\n".join([HEADINGS, *[f"{upn(1)},{born},{on},AM,/" for on in dates]]).encode()


@pytest.mark.parametrize("quoted", [False, True])
def test_one_date_that_is_month_first_refuses_every_date_of_its_shape(quoted: bool) -> None:
    content = rows("09/15/2026", "09/01/2026", "2026-09-07")
    reading = read(content.replace(b"AM", b'"AM"') if quoted else content)
    accounted(reading, 3)
    assert marks(reading) == {(upn(1), MONDAY, 0, "/")}
    assert {(one.kind, one.message) for one in reading.problems} == {("month-first", MONTH_FIRST)}
    assert date(2026, 1, 9) not in reading.dates


def test_a_birth_that_is_month_first_speaks_for_the_dates_beside_it() -> None:
    assert kinds(read(rows("09/01/2026", born="05/23/2016"))) == ["month-first"]


def test_where_both_kinds_occur_the_day_stands_first() -> None:
    reading = read(rows("15/09/2026", "09/15/2026", "09/01/2026"))
    assert kinds(reading) == ["no-date"]
    assert set(reading.dates) == {date(2026, 9, 15), date(2026, 1, 9)}
    assert not reading.ambiguous_dates


def test_sheets_of_a_workbook_are_read_together() -> None:
    head = ["UPN", "Date", "Session", "Code"]
    book = workbook({"A": [head, [upn(1), "09/01/2026", "AM", "/"]], "B": [head, [upn(2), "09/15/2026", "AM", "/"]]})
    assert kinds(read(book)) == ["month-first", "month-first"]


def test_a_matrix_that_is_month_first_refuses_its_columns() -> None:
    reading = read(f"UPN,09/14/2026 AM,09/01/2026 AM\n{upn(1)},/,I\n{upn(2)},/,\n".encode())
    accounted(reading, 3)
    assert [(one.kind, one.column, one.count) for one in reading.problems] == [("month-first", 2, 2), ("month-first", 3, 1)]


@pytest.mark.parametrize("text", ["Tue 14 Sep 2026", "Tuesday, 14/09/2026", "Tue 14-09-26"])
def test_a_day_beside_another_weekdays_name_is_a_problem(text: str) -> None:
    assert Dates([text])[text] is None
    problem = read(rows(f'"{text}"', "2026-09-07")).problems[0]
    assert (problem.kind, problem.value) == ("other-weekday", text)
    assert "is a Monday" in problem.message


def test_a_column_beside_another_weekdays_name_is_a_problem() -> None:
    reading = read(f"UPN,Mon 7 Sep 2026 AM,Wed 8 Sep 2026 AM\n{upn(1)},/,I\n".encode())
    accounted(reading, 2)
    assert (kinds(reading), marks(reading)) == (["other-weekday"], {(upn(1), MONDAY, 0, "/")})


def test_a_day_beside_its_own_name_is_read() -> None:
    texts = ["Mon 14 Sep 2026", "monday 14/09/2026", "Mon, 14-9-26"]
    found = Dates(texts)
    assert {found[text] for text in texts} == {date(2026, 9, 14)}


def test_a_pupils_date_of_admission_that_cannot_be_read_is_told_and_the_pupil_kept() -> None:
    reading = read(f"UPN,Surname,DOB,Admission date\n{upn(1)},Example,2016-01-15,soon\n".encode())
    assert [(one.kind, one.count, one.column) for one in reading.problems] == [("no-date", 0, 4)]
    assert reading.people[0].fields["admission_date"] is None


def test_a_weekday_beside_a_day_settles_which_way_round_it_is() -> None:
    for heading, kinds_told in (("Mon 07/09/2026 AM", []), ("07/09/2026 AM", ["day-first"])):
        assert kinds(read(f"UPN,{heading}\n{upn(1)},/\n".encode())) == kinds_told
