"""Attacks by workbooks: far cells, millions of ranges and styles, formulas (UPL-07 and 08)."""

from __future__ import annotations

import io

import pytest
import xlsxwriter

from portal.uploads.domain.reading.reader import read
from tests.abuse.archives import Entry, archive, deflated, workbook_of
from tests.abuse.measuring import cheap_outcome, measured, measured_reading, run_guard
from tests.uploads.reading.support import MONDAY, assert_all_marks_accounted, marks, upn, workbook


def sheet_of(rows: str, after_rows: str = "", *further_parts: Entry) -> bytes:
    """A workbook with one sheet, whose XML is written by hand."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relations = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    book = f'<Relationship Id="r1" Type="{kind}/officeDocument" Target="xl/workbook.xml"/>'
    sheet = f'<Relationship Id="r1" Type="{kind}/worksheet" Target="worksheets/sheet1.xml"/>'
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{package}">{book}</Relationships>',
        "xl/workbook.xml": f'<workbook {main} {relations}><sheets><sheet name="Marks" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}">{sheet}</Relationships>',
        "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>{rows}</sheetData>{after_rows}</worksheet>",
    }
    return archive(*[deflated(name, content.encode()) for name, content in parts.items()], *further_parts)


def row_of(number: int, *cells: str) -> str:
    """A row of text cells."""
    cell_xml = "".join(
        f'<c r="{chr(65 + column)}{number}" t="inlineStr"><is><t>{cell}</t></is></c>' for column, cell in enumerate(cells)
    )
    return f'<row r="{number}">{cell_xml}</row>'


ROWS = row_of(1, "UPN", "Date", "Session", "Code") + row_of(2, upn(1), "2026-09-07", "AM", "/")


class TestOversizedWorkbooks:
    """Attack UPL-07: a cell in the last corner, a million merged ranges, countless styles, links, hidden sheets."""

    def test_a_hand_written_sheet_is_read(self) -> None:
        assert marks(read(sheet_of(ROWS))) == {(upn(1), MONDAY, 0, "/")}

    def test_a_cell_in_the_last_column_of_the_last_row_costs_little(self) -> None:
        last_corner = ROWS + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
        assert cheap_outcome(measured_reading(sheet_of(last_corner)), seconds=10) in {"rows", "too-much", "damaged"}

    def test_a_million_merged_ranges_cost_little(self) -> None:
        ranges = "".join(f'<mergeCell ref="A{n}:B{n}"/>' for n in range(1, 1_000_001))
        book = sheet_of(ROWS, f'<mergeCells count="1000000">{ranges}</mergeCells>')
        assert cheap_outcome(measured_reading(book), seconds=10, megabytes=400) in {"read", "too-large"}

    def test_a_hundred_thousand_styles_cost_little(self) -> None:
        formats = "".join(f'<xf numFmtId="{number}" fontId="{number % 911}"/>' for number in range(100_000))
        styles = deflated("xl/styles.xml", f"<styleSheet><cellXfs>{formats}</cellXfs></styleSheet>".encode())
        assert cheap_outcome(measured_reading(sheet_of(ROWS, "", styles)), seconds=5) == "read"

    def test_external_links_are_not_followed(self) -> None:
        link = b'<externalLink xmlns:r="r"><externalBook r:id="rId1"/></externalLink>'
        target = b'<Relationships><Relationship Id="rId1" Target="http://192.0.2.1/x.xlsx" TargetMode="External"/></Relationships>'
        parts = (
            deflated("xl/externalLinks/externalLink1.xml", link),
            deflated("xl/externalLinks/_rels/externalLink1.xml.rels", target),
        )
        assert cheap_outcome(measured(run_guard, workbook_of(*parts))) == "read"

    def test_hidden_sheets_are_named(self) -> None:
        rows = [["UPN", "Date", "Session", "Code"], [upn(1), "2026-09-07", "AM", "/"]]
        reading = read(workbook({"Shown": rows, "Kept back": [*rows[:1], [upn(2), "2026-09-07", "AM", "I"]]}, hidden=["Kept back"]))
        assert (reading.hidden_sheets, len(marks(reading))) == (("Kept back",), 2)


class TestFormulas:
    """Attack UPL-08: formulas. None is evaluated: a cell's stored value is read as text."""

    def test_a_formula_in_a_workbook_is_not_evaluated(self) -> None:
        content = io.BytesIO()
        with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, ["UPN", "Surname", "Date", "Session", "Code"])
            sheet.write_row(1, 0, [upn(1), "Example", "2026-09-07", "AM"])
            sheet.write_formula(1, 4, '=HYPERLINK("http://192.0.2.1","I")', None, "I")
            sheet.write_row(2, 0, [upn(2), "Example", "2026-09-07", "AM"])
            sheet.write_formula(2, 4, "=1+1", None, "")
        reading = read(content.getvalue())
        assert {mark for _, _, _, mark in marks(reading)} == {"I", "=1+1"}
        assert (upn(1), MONDAY, 0, "I") in marks(reading)

    @pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)", '=HYPERLINK("x")'])
    def test_a_formula_in_a_csv_stays_text(self, text: str) -> None:
        cell = '"' + text.replace('"', '""') + '"'
        reading = read(f"UPN,Surname,Date,Session,Code\n{upn(1)},{cell},2026-09-07,AM,{cell}\n".encode())
        assert reading.pupils[0].surname == text
        assert_all_marks_accounted(reading, 1)
