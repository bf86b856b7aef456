"""Files of every layout sent by command say the same marks; what cannot be done is one document that says what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import xlsxwriter

from tests.commands import county
from tests.commands.conftest import SLUG, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

WHERE = ("--authority", SLUG)
AT = (*WHERE, "--school", "999102")
DAYS = [date(2026, 9, 14) + timedelta(days=ahead) for ahead in range(5)]
WEEK = ("I", "I", "/", "\\", "L", "\\", "C1", "C2", "V", "U")
PUPILS = [one for one in county.children() if one.urn == "999102" and one.number < 236]
CHOSEN = PUPILS[3:6]
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ready(terminal: Terminal) -> Terminal:
    """An authority with its schools, dates and one roll, and no marks."""
    terminal.done("authority", "add", SLUG, "--name", "Northshire", "--la-code", "001")
    terminal.done("schools", "import", *WHERE, terminal.file("schools.csv", county.school_list()))
    terminal.done("term-dates", "import", *WHERE, terminal.file("terms.csv", county.term_list()))
    pupils = terminal.file("pupils.csv", county.pupil_list("999102", 2026))
    told = terminal.done("pupils", "import", *AT, "--academic-year", "2026/27", pupils)
    assert told["taken"]["added"] == told["rows_in"]
    return terminal


def long_layout() -> list[list[str]]:
    rows = [["UPN", "Date", "Session", "Code"]]
    for one in CHOSEN:
        rows += [[one.upn, f"{DAYS[n // 2]:%d/%m/%Y}", ("AM", "PM")[n % 2], code] for n, code in enumerate(WEEK)]
    return rows


def weekly_grid() -> list[list[str]]:
    slots = [f"{day}{half}" for day in ("Mon", "Tue", "Wed", "Thu", "Fri") for half in ("AM", "PM")]
    return [["UPN", "Week commencing", *slots], *([one.upn, f"{DAYS[0]:%d/%m/%Y}", *WEEK] for one in CHOSEN)]


def one_heading_row() -> list[list[str]]:
    slots = [f"{on:%d/%m/%Y} {half}" for on in DAYS for half in ("AM", "PM")]
    return [["UPN", "Surname", *slots], *([one.upn, f"Ash{one.number}", *WEEK] for one in CHOSEN)]


def two_heading_rows() -> list[list[str]]:
    dates = [text for on in DAYS for text in (f"{on:%d/%m/%Y}", "")]
    halves = ["AM", "PM"] * len(DAYS)
    return [["UPN", "Surname", *dates], ["", "", *halves], *([one.upn, f"Ash{one.number}", *WEEK] for one in CHOSEN)]


def as_csv(folder: Path, rows: list[list[str]]) -> Path:
    path = folder / f"{uuid4()}.csv"
    path.write_text("\n".join(",".join(row) for row in rows) + "\n")
    return path


def as_workbook(folder: Path, rows: list[list[str]]) -> Path:
    path = folder / f"{uuid4()}.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            for place, text in enumerate(row):
                sheet.write_string(number, place, text)
    return path


def wonde(folder: Path) -> Path:
    codes = sorted(set(WEEK))
    marks = [
        {
            "student_id": one.number,
            "date": DAYS[n // 2].isoformat(),
            "session": ("AM", "PM")[n % 2],
            "attendance_code_id": codes.index(code),
        }
        for one in CHOSEN
        for n, code in enumerate(WEEK)
    ]
    told = {
        "students": [{"id": one.number, "upn": one.upn, "surname": f"Ash{one.number}"} for one in CHOSEN],
        "attendance": marks,
        "attendance-codes": [{"id": place, "code": code} for place, code in enumerate(codes)],
    }
    path = folder / "wonde.json"
    path.write_text(json.dumps(told))
    return path


LAYOUTS: dict[str, Callable[[Path], Path]] = {
    "long CSV": lambda folder: as_csv(folder, long_layout()),
    "long XLSX": lambda folder: as_workbook(folder, long_layout()),
    "grid CSV": lambda folder: as_csv(folder, weekly_grid()),
    "grid XLSX": lambda folder: as_workbook(folder, weekly_grid()),
    "matrix CSV": lambda folder: as_csv(folder, one_heading_row()),
    "matrix XLSX": lambda folder: as_workbook(folder, one_heading_row()),
    "two-row matrix CSV": lambda folder: as_csv(folder, two_heading_rows()),
    "two-row matrix XLSX": lambda folder: as_workbook(folder, two_heading_rows()),
    "Wonde": wonde,
}


def held(terminal: Terminal) -> dict[str, int]:
    """The sessions of each code at the school."""
    (group,) = terminal.done("measures", *AT, "--include-all-ages")["groups"]
    return dict(group["codes"])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_says_the_same_and_undo_takes_it_back(ready: Terminal, tmp_path: Path, layout: str) -> None:
    file = LAYOUTS[layout](tmp_path)
    told = ready.done("marks", "import", *AT, "--rehearse", file)
    assert (told["rehearsed"], told["added"], held(ready)) == (True, 30, {})
    told = ready.done("marks", "import", *AT, file)
    assert (told["rows_in"], told["rows_stored"], told["rows_refused"], told["added"]) == (30, 30, 0, 30), told
    assert held(ready) == {code: WEEK.count(code) * len(CHOSEN) for code in WEEK}
    again = ready.done("marks", "import", *AT, file)
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 30)
    assert again["files"][0]["same_as"] is not None
    for one in (again, told):
        assert ready.done("marks", "undo", one["files"][0]["upload"])["state"] == "undone"
    assert held(ready) == {}
    ready.refused("marks", "undo", told["files"][0]["upload"])


def test_a_transfer_file_says_every_calendar_day(ready: Terminal, tmp_path: Path) -> None:
    one = CHOSEN[0]
    text = (
        "<CTfile><Header><DocumentName>Common Transfer File</DocumentName><CTFversion>25.0</CTFversion>"
        "<SourceSchool><LEA>001</LEA><Estab>9999</Estab><AcademicYear>2026</AcademicYear></SourceSchool></Header>"
        f"<CTFpupilData><Pupil><UPN>{one.upn}</UPN><Surname>Ash{one.number}</Surname><Forename>Bryn</Forename>"
        f"<DOB>{one.born}</DOB><Sex>F</Sex><Attendance><YearData><Year>2026</Year><LEA>001</LEA><Estab>9999</Estab>"
        "<AttendSessions><AttendanceStartDate>2026-09-11</AttendanceStartDate>"
        "<AttendanceMarks>/\\####IIL\\</AttendanceMarks></AttendSessions></YearData></Attendance></Pupil></CTFpupilData></CTfile>"
    )
    (tmp_path / "ctf.xml").write_text(text)
    told = ready.done("marks", "import", *AT, tmp_path / "ctf.xml")
    assert told["rows_refused"] == 0, told
    assert told["rows_stored"] == told["added"] == sum(held(ready).values())
    assert {code: count for code, count in held(ready).items() if code != "#"} == {"/": 1, "\\": 2, "I": 2, "L": 1}
    ready.done("marks", "undo", told["files"][0]["upload"])


def test_a_folder_with_one_file_out_of_place_is_not_begun(ready: Terminal, tmp_path: Path) -> None:
    as_csv(tmp_path, long_layout()).rename(tmp_path / "999102.csv")
    (tmp_path / "123456.csv").write_text("UPN,Date,Session,Code\n")
    told = ready.refused("marks", "import", *WHERE, "--by-filename", tmp_path)
    assert "123456.csv" in told["error"]
    assert held(ready) == {}


@pytest.mark.parametrize(
    "words",
    [
        ("measures", "--authority", "nowhere"),
        ("measures", *WHERE, "--school", "000000"),
        ("measures", *WHERE, "--phase", "tertiary"),
        ("measures", *WHERE, "--from", "2026-13-01"),
        ("measures", *WHERE, "--from", "2026-09-02", "--to", "2026-09-01"),
        ("authority", "add", SLUG, "--name", "Again", "--la-code", "001"),
        ("authority", "add", "no such slug", "--name", " ", "--la-code", "1"),
        ("schools", "import", *WHERE, "not-there.csv"),
        ("term-dates", "import", *WHERE, "."),
        ("pupils", "import", *AT, "--academic-year", "soon", "x.csv"),
        ("marks", "import", *AT, "not-there.csv"),
        ("marks", "undo", "no-uuid"),
        ("marks", "undo", str(uuid4())),
        ("audit", "verify", "--authority", "nowhere"),
    ],
)
def test_what_cannot_be_done_is_one_document(ready: Terminal, words: tuple[str, ...]) -> None:
    ready.refused(*words)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"one,two,three\n1,2,3\n", b"\x00\x01\x02" * 99, b"{", b"<a/>"])
def test_a_file_that_is_no_list_is_one_document(ready: Terminal, content: bytes) -> None:
    file = ready.file("odd.csv", content)
    ready.refused("schools", "import", *WHERE, file)
    ready.refused("term-dates", "import", *WHERE, file)
    ready.refused("marks", "import", *AT, file)
    ready.refused("pupils", "import", *AT, file)


def test_thousands_of_problems_are_grouped_and_the_answer_stays_small(ready: Terminal) -> None:
    ten = [DAYS[0] - timedelta(days=7 * n) for n in range(2)]
    rows = [
        f"A0019999{number:05d},{on + timedelta(days=day)},{half},Z{number % 700}"
        for number in range(2500)
        for on in ten
        for day in range(5)
        for half in ("AM", "PM")
    ]
    file = ready.file("many.csv", "UPN,Date,Session,Code\n" + "\n".join(rows) + "\n")
    began = time.monotonic()
    told = ready.done("marks", "import", *AT, file)
    assert time.monotonic() - began < 30
    assert (told["rows_in"], told["rows_stored"] + told["rows_refused"]) == (50_000, 50_000)
    assert len(json.dumps(told)) < 400_000


def spawn(terminal: Terminal, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "portal", *map(str, words)],
        env={**os.environ, **terminal.environment, "PYTHONPATH": str(REPOSITORY)},
        cwd=terminal.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_two_files_of_one_week_at_once_are_both_kept(ready: Terminal, tmp_path: Path) -> None:
    rows = long_layout()
    first = as_csv(tmp_path, [rows[0], *rows[1:16]])
    second = as_csv(tmp_path, [rows[0], *rows[16:]])
    at_once = [spawn(ready, "marks", "import", *AT, file) for file in (first, second)]
    answers = [(one.communicate(timeout=60), one.returncode) for one in at_once]
    assert [status for _, status in answers] == [0, 0], "".join(said[-1500:] for (_, said), _ in answers)
    told: list[dict[str, Any]] = [json.loads(out) for (out, _), _ in answers]
    assert [one["added"] for one in told] == [15, 15]
    assert sum(held(ready).values()) == 30
    for one in told:
        ready.done("marks", "undo", one["files"][0]["upload"])


def test_words_that_are_no_command_go_to_standard_error(ready: Terminal) -> None:
    asked = spawn(ready, "marks", "import", "--authority", SLUG)
    out, said = asked.communicate(timeout=60)
    assert (asked.returncode, out) == (2, "")
    assert "FILE" in said
