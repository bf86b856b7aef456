"""Tests of the guard: files are recognised by content, and harmful ones are rejected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.tabular.cells import cell_text, column_letters
from portal.tabular.decoding import decoded
from portal.tabular.file_guard import file_kind
from portal.tabular.limits import Limits
from portal.tabular.rejection import FileRejected
from portal.tabular.sheet_size import sheet_extent
from portal.uploads.domain.reading.markup import json_document, xml_root
from tests.abuse.archives import deflated, workbook_of
from tests.uploads.reading.support import upn, workbook


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"UPN,Date\n", "text"),
        ("UPN\tDate\n".encode("utf-16"), "text"),
        (b"MZ,BM,RIFF\n", "text"),
        (b"PUPIL,Date\n", "text"),
        (b"[,]\n", "text"),
        (b' \n{"attendance": []}', "json"),
        (b'\xef\xbb\xbf[{"id": 1}]', "json"),
        (b"<CTfile/>", "xml"),
        (b"\xef\xbb\xbf\n <?xml version='1.0' encoding='ISO-8859-1'?><!-- table --><CTfile/>", "xml"),
        ("<?xml version='1.0' encoding='utf-16'?><CTfile/>".encode("utf-16"), "xml"),
        ("<CTfile/>".encode("utf-16-le"), "xml"),
    ],
)
def test_content_is_recognised(content: bytes, kind: str) -> None:
    assert file_kind(content, Limits()) == kind


def test_a_large_workbook_is_recognised() -> None:
    content = workbook({"Marks": [[upn(1), "2026-09-07", "AM", f"{row}"] for row in range(20_000)]})
    assert file_kind(content, Limits()) == "xlsx"


def test_the_size_limit_is_checked_first() -> None:
    with pytest.raises(FileRejected, match="larger than 1 MB"):
        file_kind(b"x" * 1_000_001, Limits(size=1_000_000))


def test_deep_or_damaged_xml_is_rejected() -> None:
    assert xml_root(b"<a>" * 100 + b"</a>" * 100, Limits()).tag == "a"
    with pytest.raises(FileRejected, match="nested more than 100 deep"):
        xml_root(b"<a>" * 101 + b"</a>" * 101, Limits())
    with pytest.raises(FileRejected, match="damaged near line 2"):
        xml_root(b"<a>\n<b></a>", Limits())


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": }',
        b"[" * 101 + b"]" * 101,
        b"[" * 100_000,
        b'{"a": ' + b"9" * 9_999 + b"}",
        b'{"a": "\\u0000"}',
        b'{"a": "\\ud800"}',
        b'{"a": "\\ude00x"}',
        b'{"a": "\\ude00\\ud83d"}',
    ],
)
def test_harmful_json_is_rejected(content: bytes) -> None:
    with pytest.raises(FileRejected):
        json_document(content, Limits())


def test_json_within_limits_is_read() -> None:
    assert json_document(b"[" * 100 + b"]" * 100, Limits())
    assert json_document(b'{"a": "\\ud83d\\ude00\\u00e9"}', Limits()) == {"a": "😀é"}
    assert json_document('{"é": [1.5, "NaN"]}'.encode("utf-16"), Limits()) == {"é": [1.5, "NaN"]}


@pytest.mark.parametrize("depth", [101, 200, 300, 5_000])
def test_deep_xml_is_rejected_as_too_deep_with_any_element_names(depth: int) -> None:
    for name in ("a", "p", "x", "CTfile"):
        content = f"<{name}>".encode() * depth + f"</{name}>".encode() * depth
        assert file_kind(content, Limits()) == "xml"
        with pytest.raises(FileRejected) as caught:
            xml_root(content, Limits())
        assert caught.value.kind == "too-deep"


DISTANT_CELLS = [
    '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
    '<row r="2"><c r="A2"/></row><row r="1048576"><c r="Z1048576"/></row>',
    "<row r = '99999999'><c><v>1</v></c></row>",
    '<row r="3"><c\n\ts="1"\n\tr="BXY3"/></row>',
    '<row r="3"><c r="xfd3"/></row>',
]


@pytest.mark.parametrize("rows", DISTANT_CELLS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_sheet_with_distant_cells_is_rejected_before_memory_is_allocated(rows: str, encoding: str) -> None:
    sheet = f"<worksheet><sheetData>{rows}</sheetData></worksheet>".encode(encoding)
    with pytest.raises(FileRejected) as caught:
        file_kind(workbook_of(deflated("xl/worksheets/sheet2.xml", sheet)), Limits())
    assert caught.value.kind == "rows"


def test_a_sheet_with_distant_cells_within_the_limits_is_read() -> None:
    for rows in ('<row r="200000"><c r="AA200000"/></row>', '<row r="40"><c r="BXX40"/></row>', '<row r="1048576"/>'):
        sheet = f"<worksheet><sheetData>{rows}</sheetData></worksheet>".encode()
        assert file_kind(workbook_of(deflated("xl/worksheets/sheet2.xml", sheet)), Limits()) == "xlsx"


def test_a_reference_that_spans_two_blocks_is_found() -> None:
    for before in range(262_100, 262_150):
        sheet = b"<worksheet>".ljust(before) + b'<row r="9"><c r="XFD9"/></row>'
        with pytest.raises(FileRejected, match="rows"):
            file_kind(workbook_of(deflated("xl/worksheets/sheet2.xml", sheet)), Limits())


@given(st.lists(st.tuples(st.integers(1, 20_000), st.integers(1, 2_000_000)), max_size=12), st.sampled_from(['r="{}"', "r = '{}'"]))
def test_the_extent_of_a_sheet_is_its_last_column_and_row(references: list[tuple[int, int]], shape: str) -> None:
    cells = "".join(f"<c {shape.format(f'{column_letters(column)}{row}')}/>" for column, row in references)
    expected = (max((column for column, _ in references), default=0), max((row for _, row in references), default=0))
    assert sheet_extent(f"<sheetData>{cells}</sheetData>".encode()) == expected


def test_nul_is_removed_from_cells_and_rejected_in_text_files() -> None:
    assert cell_text("Marsh\0, Robin") == "Marsh, Robin"
    with pytest.raises(FileRejected, match="damaged"):
        decoded("UPN,Surname\nA,Mar\0sh\n".encode("utf-16"))
