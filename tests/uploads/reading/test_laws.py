"""Laws of reading: what is written comes back, nothing is dropped, and the quick and the slow reader agree."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from portal.uploads.reading import FileRefused, Reading, read
from portal.uploads.reading.bulk import read_bulk
from tests.uploads.reading.support import MONDAY, Mark, accounted, marks, outcome, upn, workbook

CODES = st.sampled_from(["/", "\\", "L", "I", "C1", "J1", "Y7", "#", "Z", "7", "-", ""])
CELLS = st.tuples(st.integers(1, 5), st.integers(0, 20), st.integers(0, 1))
REGISTERS = st.dictionaries(CELLS, CODES, min_size=1, max_size=60)
Register = dict[tuple[int, int, int], str]


def expected(register: Register) -> set[Mark]:
    """The marks a register says."""
    return {(upn(who), on(day), half, code) for (who, day, half), code in register.items() if code not in {"", "-"}}


def on(day: int) -> date:
    return MONDAY + timedelta(days=day)


def long_rows(register: Register) -> list[list[str]]:
    rows = [[upn(who), on(day).isoformat(), "AM" if half == 0 else "PM", code] for (who, day, half), code in register.items()]
    return [["UPN", "Date", "Session", "Code"], *rows]


def written(rows: list[list[str]], *, delimiter: str = ",", quoted: bool = False, ends: str = "\n") -> bytes:
    text = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=ends).writerows(rows)
    return text.getvalue().encode()


def same(reading: Reading, register: Register) -> None:
    accounted(reading, len(expected(register)))
    assert marks(reading) == expected(register)
    assert reading.missing == len(register) - len(expected(register))


@settings(max_examples=40, deadline=None)
@given(REGISTERS, st.sampled_from(",;\t|"), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_a_long_file_comes_back(register: Register, delimiter: str, quoted: bool, ends: str) -> None:
    same(read(written(long_rows(register), delimiter=delimiter, quoted=quoted, ends=ends)), register)


@settings(max_examples=25, deadline=None)
@given(REGISTERS)
def test_the_quick_and_the_slow_reader_agree(register: Register) -> None:
    rows = long_rows(register)
    quick, quoted, sheet = read(written(rows)), read(written(rows, quoted=True)), read(workbook({"Marks": rows}))
    for reading in (quick, quoted, sheet):
        same(reading, register)
        assert sorted(reading.row.tolist()) == sorted(quick.row.tolist())


@settings(max_examples=40, deadline=None)
@given(REGISTERS, st.sampled_from(";\t|"), st.booleans(), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_every_separator_is_read_in_bulk_as_a_workbook_is_read(
    register: Register, delimiter: str, quoted: bool, ends: str, with_comma: bool
) -> None:
    rows = [["Reg", *long_rows(register)[0]], *([", 7A" if with_comma else "7A", *row] for row in long_rows(register)[1:])]
    content = written(rows, delimiter=delimiter, quoted=quoted, ends=ends)
    assert read_bulk(content, None, lambda _rows: None) is not None
    reading, plain = read(content), read(workbook({"Marks": rows}))
    assert (reading.dates, reading.missing, reading.fingerprint) == (plain.dates, plain.missing, plain.fingerprint)
    assert (set(reading.pupils), set(reading.codes)) == (set(plain.pupils), set(plain.codes))
    assert sorted(reading.row.tolist()) == sorted(plain.row.tolist())
    same(reading, register)


GROUPS = st.sampled_from(["7A", "", "7,A", '7"A', "7\nA", '"', " 7A", "7A "])


def in_quotes(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), GROUPS, CODES, st.tuples(*[st.booleans()] * 5)), min_size=1, max_size=9))
def test_quotation_marks_change_nothing(rows: list[tuple[int, str, str, tuple[bool, ...]]]) -> None:
    lines = ["UPN,Reg,Date,Session,Code"]
    for day, (who, group, code, quoted) in enumerate(rows):
        cells = zip((upn(who), group, on(day).isoformat(), "AM", code), quoted, strict=True)
        lines.append(",".join(in_quotes(cell) if asked or set(cell) & set(',"\n') else cell for cell, asked in cells))
    plain = [["UPN", "Reg", "Date", "Session", "Code"]]
    plain += [[upn(who), group, on(day).isoformat(), "AM", code] for day, (who, group, code, _) in enumerate(rows)]
    sent, slow = read("\n".join(lines).encode()), read(written(plain, delimiter=";"))
    assert marks(sent) == marks(slow)
    assert (sent.rows_in, sent.missing, sent.row.tolist()) == (slow.rows_in, slow.missing, slow.row.tolist())


@settings(max_examples=40, deadline=None)
@given(REGISTERS)
def test_a_date_matrix_comes_back(register: Register) -> None:
    days = sorted({day for _, day, _ in register})
    headings = [f"{on(day):%d/%m/%Y} {half}" for day in days for half in ("AM", "PM")]
    pupils = sorted({who for who, _, _ in register})
    rows = [[upn(who), *[register.get((who, day, half), "") for day in days for half in (0, 1)]] for who in pupils]
    reading = read(written([["UPN", *headings], *rows]))
    accounted(reading, len(expected(register)))
    assert marks(reading) == expected(register)


@settings(max_examples=40, deadline=None)
@given(REGISTERS)
def test_a_weekly_grid_comes_back(register: Register) -> None:
    slots = [f"{day}{half}" for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun") for half in ("AM", "PM")]
    weeks = sorted({(who, day // 7) for who, day, _ in register})
    rows = [
        [upn(who), on(week * 7).isoformat(), *[register.get((who, week * 7 + place // 2, place % 2), "") for place in range(14)]]
        for who, week in weeks
    ]
    reading = read(written([["UPN", "Week commencing", *slots], *rows]))
    accounted(reading, len(expected(register)))
    assert marks(reading) == expected(register)


ODD = st.sampled_from(["", "-", "/", "I", "ZZ", "/\\", "L (5)", "?", "é", '"', "1E2", "x" * 70, "'=1", "\u200b"])


@settings(max_examples=120, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([upn(1), upn(2), "", "A1"]),
            st.sampled_from(["2026-09-07", "7/9/26", "x", ""]),
            st.sampled_from(["AM", "pm", "?", ""]),
            ODD,
        ),
        min_size=1,
        max_size=20,
    )
)
def test_no_row_of_a_long_file_is_ever_dropped(rows: list[tuple[str, ...]]) -> None:
    blank = sum(not any(cell.strip() for cell in row) for row in rows)
    assume(blank < len(rows))
    reading = read(written([["UPN", "Date", "Session", "Code"], *[list(row) for row in rows]]))
    told = reading.rows_in + reading.missing
    both = sum(row[2] == "" and row[3] in {"/\\", "ZZ"} and row[1] not in {"x", ""} and len(row[0]) == 13 for row in rows)
    assert told == len(rows) - blank + both


def sane(found: FileRefused | Reading) -> bool:
    """Is it a reading, or a sentence?"""
    return found.message.endswith(".") if isinstance(found, FileRefused) else found.rows_in >= 0


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_with_a_sentence(content: bytes) -> None:
    assert sane(outcome(content))


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    for beginning in ("", "UPN,Date,Session,Code\n", "<CTfile>", '{"attendance":', "UPN,MonAM,MonPM\n"):
        assert sane(outcome((beginning + text).encode("utf-8", "surrogatepass")))
