"""Tests of the long layout in the dialects of schools' systems, with the fast and the slow reader."""

from __future__ import annotations

from datetime import date

import pytest

from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading.fast_csv import read_fast_csv
from portal.uploads.domain.reading.headings import ColumnMappings
from portal.uploads.domain.reading.reader import read
from tests.uploads.reading.support import MONDAY, assert_all_marks_accounted, marks, problem_kinds, upn, workbook

EXPECTED = {(upn(1), MONDAY, 0, "/"), (upn(1), MONDAY, 1, "I"), (upn(2), MONDAY, 0, "C1")}
PLAIN = (
    f"UPN,Date,Session,Code\n{upn(1)},2026-09-07,AM,/\n{upn(1)},2026-09-07,PM,I\n"
    f"{upn(2)},2026-09-07,AM,C1\n{upn(2)},2026-09-07,PM,-\n"
)
QUOTED = "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in PLAIN.splitlines())


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PLAIN.rstrip("\n").encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "|").encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        QUOTED.encode(),
        PLAIN.replace("2026-09-07", "07/09/2026").encode(),
        PLAIN.replace("2026-09-07", "7 Sep 2026").encode(),
        PLAIN.replace("2026-09-07", "2026-09-07T00:00:00.000Z").encode(),
        PLAIN.replace("2026-09-07", "2026-Sep-07 00:00:00").encode(),
        PLAIN.replace("2026-09-07", "46272").encode(),
        PLAIN.replace("AM", " am ").replace("PM", "Afternoon").encode(),
        PLAIN.replace(",I\n", ", i\u00a0\n").replace(",C1\n", ",\uff23\uff11\n").encode(),
        PLAIN.replace(",/\n", ",'/\n").encode(),
        PLAIN.replace("UPN,Date", "Unique Pupil Number,Attendance Date").replace("Code", "Mark").encode(),
        f"Attendance for Example School\nPrinted 8 September\n\n{PLAIN}".encode(),
        f"{PLAIN}Total,,,3\n".encode(),
        f"{PLAIN}\n,,,\n\n".encode(),
        PLAIN.lower().replace("upn,", "UPN,").encode(),
    ],
    ids=lambda content: content[:24].decode("latin1"),
)
def test_every_dialect_is_read_the_same(content: bytes) -> None:
    reading = read(content)
    assert reading.layout == "long"
    assert_all_marks_accounted(reading, 3)
    assert marks(reading) == EXPECTED
    assert reading.missing == 1
    assert not any(problem.count for problem in reading.problems)


def test_a_windows_1252_name_is_read() -> None:
    content = f"UPN,Surname,Date,Session,Code\n{upn(1)},O\u2019Example,2026-09-07,AM,/\n".encode("cp1252")
    assert read(content).pupils[0].surname == "O\u2019Example"


def test_iso_and_day_first_dates_may_be_in_one_column() -> None:
    content = f"UPN,Date,Session,Code\n{upn(1)},2022-09-14T00:00:00.000Z,AM,/\n{upn(1)},15/09/2022,AM,/\n".encode()
    assert {on for _, on, _, _ in marks(read(content))} == {date(2022, 9, 14), date(2022, 9, 15)}


def test_ambiguous_dates_have_a_warning() -> None:
    ambiguous = f"UPN,Date,Session,Code\n{upn(1)},07/09/2026,AM,/\n"
    for content in (ambiguous, ambiguous.replace("Code\n", "Code,Comment\n").replace("/\n", "/,On a trip\n")):
        reading = read(content.encode())
        assert (reading.ambiguous_dates, problem_kinds(reading), reading.rows_in) == (True, ["day-first"], 1)
        assert "07/09/2026 is 7 September 2026" in reading.problems[0].sentence
    assert not read(ambiguous.replace("07/09", "09/09").encode()).ambiguous_dates
    proven = read(f"{ambiguous}{upn(1)},14/09/2026,AM,/\n".encode())
    assert (proven.ambiguous_dates, proven.dates) == (False, (MONDAY, date(2026, 9, 14)))


def test_rejected_rows_have_row_column_and_value() -> None:
    rows = (
        f"UPN,Date,Session,Code\n{upn(1)},2026-09-07,AM,/\n,2026-09-07,AM,/\nA12,2026-09-07,AM,/\n"
        f"{upn(1)},soon,AM,/\n{upn(1)},2026-09-07,lunch,/\n,2026-09-07,PM,-\n{upn(1)},2026-09-07,PM,/ \\\n"
    )
    reading = read(rows.encode())
    assert_all_marks_accounted(reading, 6)
    assert [(problem.kind, problem.row, problem.value) for problem in reading.problems] == [
        ("no-upn", 3, None),
        ("odd-upn", 4, "A12"),
        ("no-date", 5, "soon"),
        ("no-session", 6, "LUNCH"),
        ("two-codes", 8, "/ \\"),
    ]
    assert reading.rejected_rows[0, 5] == (upn(1), "soon", "AM", "/")


def test_minutes_late_and_comments_are_read_with_their_mark() -> None:
    rows = f"UPN,Date,Session,Code,Minutes late,Comment\n{upn(1)},2026-09-07,AM,L,12,bus\n{upn(2)},2026-09-07,AM,L (7),,\n"
    reading = read(rows.encode())
    assert_all_marks_accounted(reading, 2)
    assert [(note.minutes_late, note.comment) for note in reading.notes] == [(12, "bus"), (7, None)]
    assert {mark[3] for mark in marks(reading)} == {"L"}


def test_a_cell_may_have_both_sessions_if_there_is_no_session_column() -> None:
    reading = read(f"UPN,Date,Code\n{upn(1)},2026-09-07,/I\n".encode())
    assert_all_marks_accounted(reading, 2)
    assert marks(reading) == {(upn(1), MONDAY, 0, "/"), (upn(1), MONDAY, 1, "I")}


def test_a_workbook_of_dates_serial_days_and_numeric_codes() -> None:
    rows = [
        ["UPN", "Date", "Session", "Code"],
        [upn(1), MONDAY, "AM", "/"],
        [upn(1), 46272, "PM", 7],
        [upn(2), "07/09/2026", "AM", None],
    ]
    reading = read(workbook({"Marks": rows}))
    assert_all_marks_accounted(reading, 2)
    assert marks(reading) == {(upn(1), MONDAY, 0, "/"), (upn(1), MONDAY, 1, "7")}
    assert reading.missing == 1


def test_a_file_with_unknown_headings_needs_a_mapping_and_accepts_one() -> None:
    rows = f"Who,When,Bit,What\n{upn(1)},2026-09-07,AM,/\n".encode()
    unmapped = read(rows)
    assert (unmapped.needs_mapping, [column.header for column in unmapped.columns]) == (True, ["Who", "When", "Bit", "What"])
    assert unmapped.columns[0].samples == (upn(1),)
    mapped = read(rows, ColumnMappings({"Who": "upn", "When": "date", "Bit": "session", "What": "code"}))
    assert marks(mapped) == {(upn(1), MONDAY, 0, "/")}


@pytest.mark.parametrize("content", [b"", b" \n\n", b"\xef\xbb\xbf\r\n", "\ufeff\n".encode("utf-16")])
def test_an_empty_file_is_rejected_as_empty(content: bytes) -> None:
    with pytest.raises(FileRejected, match=r"empty|no rows"):
        read(content)


def test_a_local_identifier_is_not_read_as_a_upn() -> None:
    content = f"StudentId,UPN,Date,Session,Code\n12,{upn(1)},2026-09-07,AM,/\n".encode()
    assert (read(content).pupils[0].upn, read(content).pupils[0].local_id) == (upn(1), "12")


def test_the_fast_reader_reads_a_quoted_file_like_a_plain_one() -> None:
    lines = [f"{upn(number % 9)},2026-09-{7 + number % 5:02d},{('AM', 'PM')[number % 2]},I" for number in range(1_000)]
    plain = "\n".join(["UPN,Date,Session,Code", *lines])
    quoted = '"' + plain.replace(",", '","').replace("\n", '"\n"') + '"'
    readings = [read_fast_csv(content.encode(), ColumnMappings(), lambda _rows: None) for content in (plain, quoted)]
    assert [reading is not None and reading.pupil.size for reading in readings] == [1_000, 1_000]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_fast_reader_reads_a_file_that_ends_in_blank_lines(line_end: str) -> None:
    content = line_end.join(["UPN,Date,Session,Code", f"{upn(1)},2026-09-07,AM,/", f"{upn(2)},2026-09-07,PM,I", "", "", ""])
    reading = read_fast_csv(content.encode(), ColumnMappings(), lambda _rows: None)
    assert reading is not None
    assert [reading.codes[code] for code in reading.code] == ["/", "I"]
