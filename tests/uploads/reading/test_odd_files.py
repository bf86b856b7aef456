"""Files sent by mistake: each is rejected with a sentence that says what to do."""

from __future__ import annotations

import random

import pytest

from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading.reader import read
from portal.uploads.domain.reading.sandbox import read_in_child
from tests.abuse.archives import archive, deflated, stored
from tests.abuse.test_uploads_workbooks import row_of, sheet_of
from tests.uploads.reading.support import assert_all_marks_accounted, problem_kinds, upn, workbook

HEADINGS = "UPN,Date,Session,Code\n"
ROW = f"{upn(1)},2026-09-07,AM,/\n"
BODY = [["UPN", "Date", "Session", "Code"], [upn(1), "2026-09-07", "AM", "/"]]
LONG_TEXT = "".join(random.Random(1).choices("abcdefghijklmnop0123456789", k=2_000_000))  # noqa: S311  a cell, not a secret
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 504
OPEN_DOCUMENT = stored("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")
EMPTY = "The file is empty. Export it again"
NO_ROWS = "no rows below its headings. Export it again with a row for each mark or pupil"

CASES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", EMPTY),
    "a byte order mark alone": (b"\xef\xbb\xbf", EMPTY),
    "blanks": (b"  \n\n \t\r\n", EMPTY),
    "separators": (b",,,\n,,,\n", "The file has no rows. Send one"),
    "a workbook of blanks": (workbook({"Marks": [[" ", " "], [" "]]}), "The workbook has no rows. Send one"),
    "headings": (HEADINGS.encode(), NO_ROWS),
    "headings of a matrix": (b"UPN,14/09/2026 AM,14/09/2026 PM\n", NO_ROWS),
    "headings of a pupil list": (b"UPN,Surname,Forename,Date of birth", NO_ROWS),
    "headings of a census table": (b"pupilonrolltableid,sessions,attendancereason\n", NO_ROWS),
    "headings over blank rows": ((HEADINGS + ",,,\n" * 3).encode(), NO_ROWS),
    "headings of a workbook": (workbook({"Marks": BODY[:1]}), NO_ROWS),
    "a row without headings": (ROW.encode(), NO_ROWS),
    "a cell of 2 MB": (
        f"{HEADINGS}{upn(1)},2026-09-07,AM,{LONG_TEXT}\n".encode(),
        "Row 2: The row is longer than a row of a table",
    ),
    "a quoted cell of 2 MB": (
        (HEADINGS + ROW + '"' + "x\n" * 1_000_000 + '",,,\n').encode(),
        "Row 3: The row has a cell that is too long",
    ),
    "a workbook's cell of 2 MB": (
        sheet_of(row_of(1, *BODY[0]) + row_of(2, upn(1), "2026-09-07", "AM", LONG_TEXT)),
        "Row 2: Sheet Marks has a cell that is too long. Correct it",
    ),
    "40,000 columns": (",".join(f"c{n}" for n in range(40_000)).encode() + b"\n", "Remove the empty columns"),
    "a PDF called a CSV": (b"%PDF-1.7\n1 0 obj", "This is a PDF. Export it"),
    "a PDF after a line end": (b"\r\n%PDF-1.4\n", "This is a PDF"),
    "a password": (OLE + "EncryptedPackage".encode("utf-16-le"), "has a password. Save it as XLSX without a password"),
    ".xls": (OLE + "Workbook".encode("utf-16-le"), "old kind of workbook (.xls). Save it as XLSX"),
    ".xls of the first kind": (b"\x09\x00\x04\x00\x02\x00\x10\x00" + b"\x00" * 20, "old kind of workbook (.xls). Save it as XLSX"),
    ".ods": (archive(OPEN_DOCUMENT, stored("content.xml", b"<a/>")), "OpenDocument file (.ods). Save it as XLSX"),
    ".numbers": (
        archive(deflated("Index/Document.iwa", b"x" * 99), stored("preview.jpg", b"\xff\xd8\xff")),
        "In Numbers choose File",
    ),
    "a ZIP of CSVs": (
        archive(stored("a.csv", ROW.encode()), stored("b.csv", ROW.encode())),
        "Unpack it, then send each file inside on",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_that_cannot_be_read_says_what_to_do(case: str) -> None:
    content, words = CASES[case]
    with pytest.raises(FileRejected) as caught:
        read_in_child(content)
    assert words in caught.value.message
    assert caught.value.message.endswith(".")
    assert len(caught.value.message) < 200


def test_a_file_of_one_row_is_read_even_with_a_blank_sheet() -> None:
    assert_all_marks_accounted(read((HEADINGS + ROW).encode()), 1)
    assert_all_marks_accounted(read(workbook({"Marks": BODY, "Notes": [[" "]]})), 1)


@pytest.mark.parametrize("column", range(1, 4))
def test_a_very_long_cell_is_cut_short_in_messages(column: int) -> None:
    cells = ROW.strip().split(",")
    cells[column] = LONG_TEXT[:30_000]
    reading = read((HEADINGS + ",".join(cells) + "\n").encode())
    assert_all_marks_accounted(reading, 1)
    texts = [*reading.codes, *(text for problem in reading.problems for text in (problem.sentence, problem.value or ""))]
    assert max(map(len, texts)) < 200
    assert problem_kinds(reading) == [["no-date"], ["no-session"], []][column - 1]
