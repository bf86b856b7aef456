"""Files of every layout imported by command give the same marks, and a failed command prints one document."""

from __future__ import annotations

import json
import os
import subprocess
import sys
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

AUTHORITY = ("--authority", SLUG)
AT_SCHOOL = (*AUTHORITY, "--school", "999102")
DAYS = [date(2026, 9, 14) + timedelta(days=offset) for offset in range(5)]
WEEK = ("I", "I", "/", "\\", "L", "\\", "C1", "C2", "V", "U")
PUPILS = [child for child in county.children() if child.urn == "999102" and child.number < 236]
SENT_PUPILS = PUPILS[3:6]
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def terminal_ready(terminal: Terminal) -> Terminal:
    """An authority with its schools, dates and one roll, and no marks."""
    terminal.succeed("authority", "add", SLUG, "--name", "Northshire", "--la-code", "001")
    terminal.succeed("schools", "import", *AUTHORITY, terminal.file("schools.csv", county.school_list()))
    terminal.succeed("term-dates", "import", *AUTHORITY, terminal.file("terms.csv", county.term_list()))
    pupils = terminal.file("pupils.csv", county.pupil_list("999102", 2026))
    document = terminal.succeed("pupils", "import", *AT_SCHOOL, "--academic-year", "2026/27", pupils)
    assert document["taken"]["added"] == document["rows_in"]
    return terminal


def long_layout() -> list[list[str]]:
    rows = [["UPN", "Date", "Session", "Code"]]
    for pupil in SENT_PUPILS:
        rows += [[pupil.upn, f"{DAYS[n // 2]:%d/%m/%Y}", ("AM", "PM")[n % 2], code] for n, code in enumerate(WEEK)]
    return rows


def weekly_grid() -> list[list[str]]:
    slots = [f"{day}{half}" for day in ("Mon", "Tue", "Wed", "Thu", "Fri") for half in ("AM", "PM")]
    return [["UPN", "Week commencing", *slots], *([pupil.upn, f"{DAYS[0]:%d/%m/%Y}", *WEEK] for pupil in SENT_PUPILS)]


def one_heading_row() -> list[list[str]]:
    slots = [f"{day:%d/%m/%Y} {half}" for day in DAYS for half in ("AM", "PM")]
    return [["UPN", "Surname", *slots], *([pupil.upn, f"Ash{pupil.number}", *WEEK] for pupil in SENT_PUPILS)]


def two_heading_rows() -> list[list[str]]:
    dates = [text for day in DAYS for text in (f"{day:%d/%m/%Y}", "")]
    halves = ["AM", "PM"] * len(DAYS)
    return [["UPN", "Surname", *dates], ["", "", *halves], *([pupil.upn, f"Ash{pupil.number}", *WEEK] for pupil in SENT_PUPILS)]


def as_csv(folder: Path, rows: list[list[str]]) -> Path:
    path = folder / f"{uuid4()}.csv"
    path.write_text("\n".join(",".join(row) for row in rows) + "\n")
    return path


def as_workbook(folder: Path, rows: list[list[str]]) -> Path:
    path = folder / f"{uuid4()}.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            for column, text in enumerate(row):
                sheet.write_string(number, column, text)
    return path


def wonde(folder: Path) -> Path:
    codes = sorted(set(WEEK))
    marks = [
        {
            "student_id": pupil.number,
            "date": DAYS[n // 2].isoformat(),
            "session": ("AM", "PM")[n % 2],
            "attendance_code_id": codes.index(code),
        }
        for pupil in SENT_PUPILS
        for n, code in enumerate(WEEK)
    ]
    document = {
        "students": [{"id": pupil.number, "upn": pupil.upn, "surname": f"Ash{pupil.number}"} for pupil in SENT_PUPILS],
        "attendance": marks,
        "attendance-codes": [{"id": number, "code": code} for number, code in enumerate(codes)],
    }
    path = folder / "wonde.json"
    path.write_text(json.dumps(document))
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


def stored_codes(terminal: Terminal) -> dict[str, int]:
    """How many sessions of each code the school's registers hold."""
    (group,) = terminal.succeed("measures", *AT_SCHOOL, "--include-all-ages")["groups"]
    return dict(group["codes"])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_stores_the_same_marks_and_can_be_reverted(terminal_ready: Terminal, tmp_path: Path, layout: str) -> None:
    file = LAYOUTS[layout](tmp_path)
    document = terminal_ready.succeed("marks", "import", *AT_SCHOOL, "--rehearse", file)
    assert (document["rehearsed"], document["added"], stored_codes(terminal_ready)) == (True, 30, {})
    document = terminal_ready.succeed("marks", "import", *AT_SCHOOL, file)
    assert (document["rows_in"], document["rows_stored"], document["rows_refused"], document["added"]) == (30, 30, 0, 30), document
    assert stored_codes(terminal_ready) == {code: WEEK.count(code) * len(SENT_PUPILS) for code in WEEK}
    again = terminal_ready.succeed("marks", "import", *AT_SCHOOL, file)
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 30)
    assert again["files"][0]["same_as"] is not None
    for imported in (again, document):
        assert terminal_ready.succeed("marks", "undo", imported["files"][0]["upload"])["state"] == "undone"
    assert stored_codes(terminal_ready) == {}
    terminal_ready.fail("marks", "undo", document["files"][0]["upload"])


def test_a_transfer_file_has_a_mark_for_every_calendar_day(terminal_ready: Terminal, tmp_path: Path) -> None:
    pupil = SENT_PUPILS[0]
    text = (
        "<CTfile><Header><DocumentName>Common Transfer File</DocumentName><CTFversion>25.0</CTFversion>"
        "<SourceSchool><LEA>001</LEA><Estab>9999</Estab><AcademicYear>2026</AcademicYear></SourceSchool></Header>"
        f"<CTFpupilData><Pupil><UPN>{pupil.upn}</UPN><Surname>Ash{pupil.number}</Surname><Forename>Bryn</Forename>"
        f"<DOB>{pupil.born}</DOB><Sex>F</Sex><Attendance><YearData><Year>2026</Year><LEA>001</LEA><Estab>9999</Estab>"
        "<AttendSessions><AttendanceStartDate>2026-09-11</AttendanceStartDate>"
        "<AttendanceMarks>/\\####IIL\\</AttendanceMarks></AttendSessions></YearData></Attendance></Pupil></CTFpupilData></CTfile>"
    )
    (tmp_path / "ctf.xml").write_text(text)
    document = terminal_ready.succeed("marks", "import", *AT_SCHOOL, tmp_path / "ctf.xml")
    assert document["rows_refused"] == 0, document
    assert document["rows_stored"] == document["added"] == sum(stored_codes(terminal_ready).values())
    assert {code: count for code, count in stored_codes(terminal_ready).items() if code != "#"} == {"/": 1, "\\": 2, "I": 2, "L": 1}
    terminal_ready.succeed("marks", "undo", document["files"][0]["upload"])


def test_a_folder_with_one_misnamed_file_is_not_imported_at_all(terminal_ready: Terminal, tmp_path: Path) -> None:
    as_csv(tmp_path, long_layout()).rename(tmp_path / "999102.csv")
    (tmp_path / "123456.csv").write_text("UPN,Date,Session,Code\n")
    document = terminal_ready.fail("marks", "import", *AUTHORITY, "--by-filename", tmp_path)
    assert "123456.csv" in document["error"]
    assert stored_codes(terminal_ready) == {}


@pytest.mark.parametrize(
    "arguments",
    [
        ("measures", "--authority", "nowhere"),
        ("measures", *AUTHORITY, "--school", "000000"),
        ("measures", *AUTHORITY, "--phase", "tertiary"),
        ("measures", *AUTHORITY, "--from", "2026-13-01"),
        ("measures", *AUTHORITY, "--from", "2026-09-02", "--to", "2026-09-01"),
        ("authority", "add", SLUG, "--name", "Again", "--la-code", "001"),
        ("authority", "add", "no such slug", "--name", " ", "--la-code", "1"),
        ("schools", "import", *AUTHORITY, "not-there.csv"),
        ("term-dates", "import", *AUTHORITY, "."),
        ("pupils", "import", *AT_SCHOOL, "--academic-year", "soon", "x.csv"),
        ("marks", "import", *AT_SCHOOL, "not-there.csv"),
        ("marks", "undo", "no-uuid"),
        ("marks", "undo", str(uuid4())),
        ("audit", "verify", "--authority", "nowhere"),
        ("retention", "--authority", "nowhere"),
    ],
)
def test_a_failed_command_prints_one_document(terminal_ready: Terminal, arguments: tuple[str, ...]) -> None:
    terminal_ready.fail(*arguments)


def test_how_long_each_table_is_kept_is_listed(terminal_ready: Terminal) -> None:
    rows = {row["table"]: row for row in terminal_ready.succeed("retention", *AUTHORITY)}
    assert rows["register_page"]["period"] == "6 years from recorded_at"
    assert rows["register_page"]["due"] == 0
    assert rows["characteristic"]["due"] is None


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"one,two,three\n1,2,3\n", b"\x00\x01\x02" * 99, b"{", b"<a/>"])
def test_a_file_that_is_not_a_list_gives_one_document(terminal_ready: Terminal, content: bytes) -> None:
    file = terminal_ready.file("odd.csv", content)
    terminal_ready.fail("schools", "import", *AUTHORITY, file)
    terminal_ready.fail("term-dates", "import", *AUTHORITY, file)
    terminal_ready.fail("marks", "import", *AT_SCHOOL, file)
    terminal_ready.fail("pupils", "import", *AT_SCHOOL, file)


def test_thousands_of_problems_are_grouped_into_a_small_document(terminal_ready: Terminal) -> None:
    mondays = [DAYS[0] - timedelta(days=7 * n) for n in range(2)]
    rows = [
        f"A0019999{number:05d},{monday + timedelta(days=day)},{half},Z{number % 700}"
        for number in range(2500)
        for monday in mondays
        for day in range(5)
        for half in ("AM", "PM")
    ]
    file = terminal_ready.file("many.csv", "UPN,Date,Session,Code\n" + "\n".join(rows) + "\n")
    document = terminal_ready.succeed("marks", "import", *AT_SCHOOL, file)
    assert (document["rows_in"], document["rows_stored"] + document["rows_refused"]) == (50_000, 50_000)
    assert len(json.dumps(document)) < 400_000


def spawn(terminal: Terminal, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "portal", *map(str, arguments)],
        env={**os.environ, **terminal.environment, "PYTHONPATH": str(REPOSITORY)},
        cwd=terminal.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_two_files_of_one_week_sent_at_once_are_both_stored(terminal_ready: Terminal, tmp_path: Path) -> None:
    rows = long_layout()
    first = as_csv(tmp_path, [rows[0], *rows[1:16]])
    second = as_csv(tmp_path, [rows[0], *rows[16:]])
    processes = [spawn(terminal_ready, "marks", "import", *AT_SCHOOL, file) for file in (first, second)]
    outcomes = [(process.communicate(timeout=60), process.returncode) for process in processes]
    assert [status for _, status in outcomes] == [0, 0], "".join(errors[-1500:] for (_, errors), _ in outcomes)
    documents: list[dict[str, Any]] = [json.loads(output) for (output, _), _ in outcomes]
    assert [document["added"] for document in documents] == [15, 15]
    assert sum(stored_codes(terminal_ready).values()) == 30
    for document in documents:
        terminal_ready.succeed("marks", "undo", document["files"][0]["upload"])


def test_wrong_arguments_are_explained_on_standard_error(terminal_ready: Terminal) -> None:
    process = spawn(terminal_ready, "marks", "import", "--authority", SLUG)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (2, "")
    assert "FILE" in errors
