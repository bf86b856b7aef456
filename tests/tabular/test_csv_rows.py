"""The law of the table reader: what is written is read back equal, or a problem says where."""

from __future__ import annotations

import csv
import io
import random

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from portal.tabular.csv_rows import DELIMITERS, csv_rows, delimiter_of, records
from portal.tabular.limits import Limits
from portal.tabular.rejection import FileRejected

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252")
QUOTINGS = (csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC)
HEADINGS = ["UPN", "Date", "Session", "Code", "Comment", "Surname"]
SIGNS = ",;\t|\"'\n =-/\\éŁ’\u02bb?0aZ"
TEXTS = st.text(st.sampled_from(SIGNS), max_size=12)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """A row of headings without any delimiter in them, and rows of any text below it."""
    width = draw(st.integers(2, len(HEADINGS)))
    return [HEADINGS[:width], *draw(st.lists(st.lists(TEXTS, min_size=width, max_size=width), min_size=1, max_size=8))]


def written(rows: list[list[str]], delimiter: str, quoting: int, line_end: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=line_end).writerows(rows)
    return text.getvalue()


def encoded(text: str, encoding: str) -> bytes:
    """The text in an encoding that has all its letters, if the bytes mean nothing else in UTF-8."""
    content = text.encode(encoding, errors="replace")
    assume(content.decode(encoding).removeprefix("\ufeff") == text)
    if encoding == "cp1252" and not content.isascii():
        assume(content.decode("utf-8", errors="replace") != content.decode("utf-8", errors="ignore"))
    return content


@settings(max_examples=400)
@given(
    tables(),
    st.sampled_from(DELIMITERS),
    st.sampled_from(ENCODINGS),
    st.sampled_from(QUOTINGS),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_any_table_is_read_back_equal_or_a_problem_says_where(
    rows: list[list[str]], delimiter: str, encoding: str, quoting: int, line_end: str
) -> None:
    # Before Python 3.13 a line feed is not quoted where lines end in a carriage return.
    assume(line_end != "\r" or not any("\n" in cell for row in rows for cell in row))
    content = encoded(written(rows, delimiter, quoting, line_end), encoding)
    try:
        read_rows = csv_rows(content)
    except FileRejected as rejection:
        event("rejected")
        (problem,) = rejection.problems
        assert problem.row is not None
        assert 1 < problem.row <= len(rows)
        assert problem.sentence.endswith(".")
        # Only a cell whose every line would be a row of its own can be taken for rows that a stray mark swallowed.
        assert any(cell.count("\n") for cell in rows[problem.row - 1])
        return
    event("read")
    expected = [(number, row) for number, row in enumerate(rows, start=1) if any(cell.strip() for cell in row)]
    assert read_rows == expected


@settings(max_examples=60)
@given(tables(), st.sampled_from(DELIMITERS), st.sampled_from(["", "Example School", "Autumn, term; week | 1"]))
def test_the_delimiter_is_found_below_titles(rows: list[list[str]], delimiter: str, title: str) -> None:
    text = (f"{title}\n\n" if title else "") + written([rows[0]] * 3 + rows, delimiter, csv.QUOTE_MINIMAL, "\n")
    assert delimiter_of(text) == delimiter


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_large_table_is_read_back_equal(encoding: str) -> None:
    rng = random.Random(1)  # noqa: S311  cells, not secrets
    rows = [HEADINGS, *[["".join(rng.choices('abcdefghijklmnop,;"\n é', k=9)) for _ in HEADINGS] for _ in range(3_000)]]
    content = written(rows, ";", csv.QUOTE_MINIMAL, "\r\n").encode(encoding)
    assert [cells for _, cells in csv_rows(content)] == rows


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('1,"Ada "Addie" Ash",x', ["1", 'Ada "Addie" Ash', "x"]),
        ('1,"Ada "Addie"" Ash",x', ["1", 'Ada "Addie" Ash', "x"]),
        ('1,"Ada" ,x', ["1", "Ada", "x"]),
        ('"1","Ash, "Addie" Ada","x"', ["1", 'Ash, "Addie" Ada', "x"]),
        ('1,"Ada,x', ["1", '"Ada', "x"]),
        ('1,"Addie" Ash,"x"', ["1", '"Addie" Ash', '"x"']),
        ('1,6" ruler,x', ["1", '6" ruler', "x"]),
    ],
)
def test_a_stray_quotation_mark_stays_in_its_row(line: str, cells: list[str]) -> None:
    content = f'a,b,c\n{line}\n2,"B, C",y\n'.encode()
    assert [row for _, row in csv_rows(content)] == [["a", "b", "c"], cells, ["2", "B, C", "y"]]


@pytest.mark.parametrize(
    "content",
    ['a,b,c\n1,"x,y,z\n2,p,q\n', 'a,b\n1,"x\n"y" z\n', 'a,b,c,d\n1,"x,y,z\n2,w",y,z\n'],
)
def test_quotation_marks_that_cannot_be_placed_are_reported_with_their_row(content: str) -> None:
    with pytest.raises(FileRejected, match="Row 2: "):
        csv_rows(content.encode())


def test_a_file_over_its_limits_says_what_to_do() -> None:
    small = Limits(size=100, rows=3, columns=3, line=50, cell=10, advice="Send less.")
    cases = {
        "a\n" * 60: "Send less.",
        "a,b\n" * 4: "Send less.",
        "a,b,c,d\n": "Row 1: ",
        "a\n" + "b" * 60: "Row 2: ",
        "a,b\nc," + "d" * 11: "Row 2",
    }
    for text, words in cases.items():
        with pytest.raises(FileRejected, match=words):
            csv_rows(text.encode(), small)


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_a_file_of_quotation_marks_is_answered_at_once(delimiter: str) -> None:
    for text in ('"' * 900_000, ('"' + delimiter) * 400_000, ('"x' + delimiter + "\n") * 200_000, '""" ' * 200_000):
        rejected = False
        try:
            csv_rows(f"a{delimiter}b\n{text}".encode())
        except FileRejected:
            rejected = True
        assert rejected in {True, False}


def test_records_are_found_by_their_headings() -> None:
    assert records(b'a,b\n1,"2, 3"\n\n4,\n') == [{"a": "1", "b": "2, 3"}, {"a": "4", "b": ""}]
