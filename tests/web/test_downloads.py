"""Downloads: no cell is a formula, names keep their letters, and file names are safe."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from portal.web import downloads
from portal.web.downloads import Kind, as_csv, as_xlsx, content_disposition, download, file_name, neutralise_formula

FORMULAS = [
    "=1+1",
    "+44",
    "-2+3",
    "@SUM(A1)",
    "\tcmd",
    "\rcmd",
    "|calc",
    "\uff1d1+1",
    "\uff20x",
    " =1+1",
    "\ufeff=1",
    '=HYPERLINK("x")',
]


def read_back(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("formula", FORMULAS)
def test_upl_09_a_csv_cell_never_begins_a_formula(formula: str) -> None:
    [[heading], [cell]] = read_back(as_csv([formula], [[formula]]))
    assert cell == heading == f"'{formula}"


@pytest.mark.parametrize("text", [*FORMULAS, "http://example.test", "1234", "{=1}"])
def test_upl_09_an_xlsx_cell_stays_the_text_it_was(text: str) -> None:
    content = as_xlsx(["Name"], [[text]])
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet
    assert 't="s"' in sheet
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert str(rows[1][0]).strip() == text.strip()


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40))
def test_upl_09_a_name_keeps_all_its_letters(text: str) -> None:
    [_heading, [cell]] = read_back(as_csv(["Name"], [[text]]))
    assert cell.replace("'", "") == text.replace("'", ""), "nothing but marks is added, and nothing is taken away"
    assert cell.lstrip(" \u00a0\ufeff\u200b")[:1] not in {"=", "+", "-", "@", "\t", "\r", "|", "\uff1d"}


#: How a spreadsheet may cut and trim what it opens: at other separators, and without what shows nothing.
CUTS = (";", ",", "\t", "|", "\n", "\r")
BLANKS = ("", " ", "\u00a0", "\u3000", "\u2003", "\ufeff", "\u200b", "\u2060", "\u00ad", "\x0b", "\x85", "\u3164", "\u202e")


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("cut", ["", *CUTS])
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "%", "\uff1d"])
def test_upl_09_no_piece_of_a_cell_begins_a_formula_however_a_spreadsheet_cuts_it(cut: str, blank: str, start: str) -> None:
    """Attack C12: `Smith;=HYPERLINK(x)`, and a formula behind a space of another script."""
    text = f"{'Smith' if cut else ''}{cut}{blank}{start}HYPERLINK(x)"
    file = as_csv(["Name"], [[text]])
    [_heading, [cell]] = read_back(file)
    for piece in [cell, *(piece for separator in CUTS for piece in cell.split(separator))]:
        assert piece.lstrip("".join(BLANKS))[:1] != start, repr(piece)
    assert file.split(b"\r\n", 1)[1].startswith(b'"'), "a field that is not quoted is cut at other separators"


def test_upl_09_every_field_is_quoted_numbers_and_days_too() -> None:
    """Attack C12: some programs guess the separator from the fields that are not quoted."""
    file = as_csv(["a;b", "c"], [["Ann", 1], [None, date(2026, 9, 7)], ["", Fraction(1, 3)]]).decode("utf-8-sig")
    assert all(line.startswith('"') and line.endswith('"') for line in file.splitlines())
    assert file.count('"') == 16


@pytest.mark.parametrize("text", ["=" * 50_000, ";=" * 25_000, " " * 50_000 + "=", ";" * 50_000, "\t\u3000" * 25_000])
def test_upl_23_marking_takes_time_in_proportion_to_the_length(text: str) -> None:
    neutralise_formula(text)


@pytest.mark.parametrize("address", ["1 High Street\r\nWrenfold", "Flat 2,\n3 Low Lane", "Smith; Jones"])
def test_an_address_of_two_lines_is_left_alone(address: str) -> None:
    assert neutralise_formula(address) == address


@pytest.mark.parametrize("name", ["O'Brien", "Łukasz", "علي", "Anne-Marie", "Siân"])
def test_ordinary_names_are_left_alone(name: str) -> None:
    assert neutralise_formula(name) == name


def test_a_csv_opens_in_a_spreadsheet_with_its_accents_and_numbers() -> None:
    content = as_csv(["Name", "Rate", "Day"], [["Zoë", Fraction(1, 4), date(2026, 9, 7)], [None, Decimal("-0.50"), -3]])
    assert content.startswith(b'\xef\xbb\xbf"Name","Rate","Day"\r\n')
    assert read_back(content)[1:] == [["Zoë", "0.25", "2026-09-07"], ["", "-0.50", "-3"]]


def test_an_xlsx_has_numbers_days_and_long_identifiers_as_they_are() -> None:
    identifier = UUID(int=7)
    content = as_xlsx(["a", "b", "c", "d"], [[0.5, date(2026, 9, 7), 10**16, identifier], [None, True, "x" * 40_000, -1]])
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert rows[1] == [0.5, date(2026, 9, 7), str(10**16), str(identifier)]
    assert rows[2][1] == "True"
    assert len(str(rows[2][2])) == downloads.LONGEST_CELL


def test_too_many_rows_for_a_sheet_are_rejected_in_words() -> None:
    with pytest.raises(ValueError, match="download this as CSV"):
        as_xlsx(["a"], [[1], [2], [3]], max_rows=2)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Alder Primary School: marks", "alder-primary-school-marks.csv"),
        ("../../etc/passwd", "etc-passwd.csv"),
        ("a\r\nSet-Cookie: x", "a-set-cookie-x.csv"),
        ("\u202ecsv.exe", "csv-exe.csv"),
        ("<script>", "script.csv"),
        ("علي", "download.csv"),
        ("", "download.csv"),
        ("x" * 300, "x" * 80 + ".csv"),
    ],
)
def test_upl_10_a_file_name_is_made_from_plain_letters(words: str, expected: str) -> None:
    assert file_name(words, "csv") == expected


def test_upl_10_a_name_with_special_characters_has_an_ascii_and_a_utf_8_form() -> None:
    assert content_disposition("marks.csv") == 'attachment; filename="marks.csv"'
    assert content_disposition('Zoë "x"\r\n.csv') == (
        "attachment; filename=\"Zo_ _x___.csv\"; filename*=UTF-8''Zo%C3%AB%20%22x%22%0D%0A.csv"
    )


def test_a_download_is_saved_and_never_opened_in_the_page() -> None:
    response = download("Weekly figures", ["Week"], [["7 Sep"]], on=date(2026, 9, 11))
    assert response.headers["Content-Disposition"] == 'attachment; filename="weekly-figures-2026-09-11.csv"'
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    workbook = download("Weekly figures", ["Week"], [["7 Sep"]], Kind.XLSX)
    assert workbook.headers["Content-Disposition"].endswith('.xlsx"')
    assert workbook.data.startswith(b"PK")
    with pytest.raises(ValueError, match="pdf"):
        download("x", [], [], "pdf")
