"""Properties of reading: no mark is lost, and the fast and the slow reader agree."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import TYPE_CHECKING

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading.fast_csv import read_fast_csv
from portal.uploads.domain.reading.headings import ColumnMappings
from portal.uploads.domain.reading.reader import read
from tests.uploads.reading.support import MONDAY, Mark, assert_all_marks_accounted, marks, outcome, upn, workbook

if TYPE_CHECKING:
    from portal.uploads.domain.reading.result import Reading

CODES = st.sampled_from(["/", "\\", "L", "I", "C1", "J1", "Y7", "#", "Z", "7", "-", ""])
CELLS = st.tuples(st.integers(1, 5), st.integers(0, 20), st.integers(0, 1))
REGISTERS = st.dictionaries(CELLS, CODES, min_size=1, max_size=60)
Register = dict[tuple[int, int, int], str]


def expected(register: Register) -> set[Mark]:
    """The marks of a register that are not blank."""
    return {(upn(pupil), on(day), half, code) for (pupil, day, half), code in register.items() if code not in {"", "-"}}


def on(day: int) -> date:
    return MONDAY + timedelta(days=day)


def long_rows(register: Register) -> list[list[str]]:
    rows = [[upn(pupil), on(day).isoformat(), "AM" if half == 0 else "PM", code] for (pupil, day, half), code in register.items()]
    return [["UPN", "Date", "Session", "Code"], *rows]


def written(rows: list[list[str]], *, delimiter: str = ",", quoted: bool = False, line_end: str = "\n") -> bytes:
    text = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=line_end).writerows(rows)
    return text.getvalue().encode()


def assert_read_completely(reading: Reading, register: Register) -> None:
    assert_all_marks_accounted(reading, len(expected(register)))
    assert marks(reading) == expected(register)
    assert reading.missing == len(register) - len(expected(register))


@settings(max_examples=40)
@given(REGISTERS, st.sampled_from(",;\t|"), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_a_long_file_is_read_completely(register: Register, delimiter: str, quoted: bool, line_end: str) -> None:
    reading = read(written(long_rows(register), delimiter=delimiter, quoted=quoted, line_end=line_end))
    assert_read_completely(reading, register)


@settings(max_examples=25)
@given(REGISTERS)
def test_the_fast_and_the_slow_reader_agree(register: Register) -> None:
    rows = long_rows(register)
    plain, quoted, sheet = read(written(rows)), read(written(rows, quoted=True)), read(workbook({"Marks": rows}))
    for reading in (plain, quoted, sheet):
        assert_read_completely(reading, register)
        assert sorted(reading.row.tolist()) == sorted(plain.row.tolist())


@settings(max_examples=40)
@given(REGISTERS, st.sampled_from(";\t|"), st.booleans(), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_the_fast_reader_reads_every_delimiter_as_a_workbook_is_read(
    register: Register, delimiter: str, quoted: bool, line_end: str, with_comma: bool
) -> None:
    rows = [["Reg", *long_rows(register)[0]], *([", 7A" if with_comma else "7A", *row] for row in long_rows(register)[1:])]
    content = written(rows, delimiter=delimiter, quoted=quoted, line_end=line_end)
    assert read_fast_csv(content, ColumnMappings(), lambda _rows: None) is not None
    reading, plain = read(content), read(workbook({"Marks": rows}))
    assert (reading.dates, reading.missing, reading.fingerprint) == (plain.dates, plain.missing, plain.fingerprint)
    assert (set(reading.pupils), set(reading.codes)) == (set(plain.pupils), set(plain.codes))
    assert sorted(reading.row.tolist()) == sorted(plain.row.tolist())
    assert_read_completely(reading, register)


GROUPS = st.sampled_from(["7A", "", "7,A", '7"A', "7\nA", '"', " 7A", "7A "])


def quoted_cell(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(1, 3), GROUPS, CODES, st.tuples(*[st.booleans()] * 5)), min_size=1, max_size=9))
def test_quotation_marks_do_not_change_the_reading(rows: list[tuple[int, str, str, tuple[bool, ...]]]) -> None:
    lines = ["UPN,Reg,Date,Session,Code"]
    for day, (pupil, group, code, quoted) in enumerate(rows):
        cells = zip((upn(pupil), group, on(day).isoformat(), "AM", code), quoted, strict=True)
        lines.append(",".join(quoted_cell(cell) if is_quoted or set(cell) & set(',"\n') else cell for cell, is_quoted in cells))
    plain = [["UPN", "Reg", "Date", "Session", "Code"]]
    plain += [[upn(pupil), group, on(day).isoformat(), "AM", code] for day, (pupil, group, code, _) in enumerate(rows)]
    reading, expected_reading = read("\n".join(lines).encode()), read(written(plain, delimiter=";"))
    assert marks(reading) == marks(expected_reading)
    assert (reading.rows_in, reading.missing) == (expected_reading.rows_in, expected_reading.missing)
    assert reading.row.tolist() == expected_reading.row.tolist()


@settings(max_examples=40)
@given(REGISTERS)
def test_a_date_matrix_is_read_completely(register: Register) -> None:
    days = sorted({day for _, day, _ in register})
    headings = [f"{on(day):%d/%m/%Y} {half}" for day in days for half in ("AM", "PM")]
    pupils = sorted({pupil for pupil, _, _ in register})
    rows = [[upn(pupil), *[register.get((pupil, day, half), "") for day in days for half in (0, 1)]] for pupil in pupils]
    reading = read(written([["UPN", *headings], *rows]))
    assert_all_marks_accounted(reading, len(expected(register)))
    assert marks(reading) == expected(register)


@settings(max_examples=40)
@given(REGISTERS)
def test_a_weekly_grid_is_read_completely(register: Register) -> None:
    slots = [f"{day}{half}" for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun") for half in ("AM", "PM")]
    weeks = sorted({(pupil, day // 7) for pupil, day, _ in register})
    rows = [
        [upn(pupil), on(week * 7).isoformat(), *[register.get((pupil, week * 7 + slot // 2, slot % 2), "") for slot in range(14)]]
        for pupil, week in weeks
    ]
    reading = read(written([["UPN", "Week commencing", *slots], *rows]))
    assert_all_marks_accounted(reading, len(expected(register)))
    assert marks(reading) == expected(register)


ODD_CODES = st.sampled_from(["", "-", "/", "I", "ZZ", "/\\", "L (5)", "?", "é", '"', "1E2", "x" * 70, "'=1", "\u200b"])


@settings(max_examples=120)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([upn(1), upn(2), "", "A1"]),
            st.sampled_from(["2026-09-07", "7/9/26", "x", ""]),
            st.sampled_from(["AM", "pm", "?", ""]),
            ODD_CODES,
        ),
        min_size=1,
        max_size=20,
    )
)
def test_no_row_of_a_long_file_is_ever_dropped(rows: list[tuple[str, ...]]) -> None:
    blank_rows = sum(not any(cell.strip() for cell in row) for row in rows)
    assume(blank_rows < len(rows))
    reading = read(written([["UPN", "Date", "Session", "Code"], *[list(row) for row in rows]]))
    # A cell without a session may hold two marks: such a row counts twice.
    double_rows = sum(row[2] == "" and row[3] in {"/\\", "ZZ"} and row[1] not in {"x", ""} and len(row[0]) == 13 for row in rows)
    assert reading.rows_in + reading.missing == len(rows) - blank_rows + double_rows


def is_valid(result: FileRejected | Reading) -> bool:
    """Whether the outcome is a reading, or a rejection with a sentence."""
    return result.message.endswith(".") if isinstance(result, FileRejected) else result.rows_in >= 0


@settings(max_examples=150)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_rejected_with_a_sentence(content: bytes) -> None:
    assert is_valid(outcome(content))


@settings(max_examples=80)
@given(st.text(max_size=300))
def test_any_text_is_read_or_rejected_with_a_sentence(text: str) -> None:
    for beginning in ("", "UPN,Date,Session,Code\n", "<CTfile>", '{"attendance":', "UPN,MonAM,MonPM\n"):
        assert is_valid(outcome((beginning + text).encode("utf-8", "surrogatepass")))
