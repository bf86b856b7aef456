"""Attacks by hostile files, which are rejected or read cheaply (UPL-01 to 06, 10, 22 to 24)."""

from __future__ import annotations

import tempfile
import unicodedata
from contextlib import suppress
from pathlib import Path

import pytest

from portal.platform import upload_limit
from portal.pupils.domain.incoming import folded
from portal.tabular.cells import clean
from portal.tabular.file_guard import file_kind
from portal.tabular.limits import Limits
from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading.builder import split_minutes, two_sessions
from portal.uploads.domain.reading.parsing import Dates, code_text, parse_yes_no, year_group
from portal.uploads.domain.reading.reader import read
from portal.uploads.domain.reading.tables import strip_half
from portal.web.downloads import content_disposition, file_name
from tests.abuse.archives import Entry, archive, bomb, deflated, local_record, stored, workbook_of
from tests.abuse.measuring import cheap_outcome, measured, measured_reading, run_guard
from tests.support.processor_time import assert_linear
from tests.uploads.reading.support import FILES, MONDAY, assert_all_marks_accounted, marks, problem_kinds, upn, workbook

MEGABYTE = 1_000_000


def rejection(content: bytes) -> str:
    """The kind of rejection of a file that must be rejected."""
    with pytest.raises(FileRejected) as caught:
        read(content)
    assert caught.value.message.endswith(".")
    return caught.value.kind


class TestZipBombs:
    """Attack UPL-01: a workbook that unpacks to a thousand times its size."""

    @pytest.mark.parametrize("megabytes", [1_000, 4_000])
    def test_a_bomb_that_states_its_size_is_rejected(self, megabytes: int) -> None:
        content = workbook_of(bomb("xl/worksheets/sheet2.xml", megabytes))
        assert len(content) < 5 * MEGABYTE
        assert cheap_outcome(measured(run_guard, content), megabytes=20) == "too-large"

    def test_ten_gigabytes_that_claim_to_be_one_megabyte_are_rejected(self) -> None:
        content = workbook_of(bomb("xl/worksheets/sheet2.xml", 10_240, claimed_size=1_000_000))
        assert cheap_outcome(measured(run_guard, content), megabytes=30) == "damaged"

    def test_many_small_parts_that_are_large_together_are_rejected(self) -> None:
        content = workbook_of(*[bomb(f"xl/worksheets/sheet{number}.xml", 50) for number in range(2, 6)])
        assert cheap_outcome(measured(run_guard, content), megabytes=20) == "too-large"

    def test_the_whole_reader_rejects_a_bomb_as_cheaply(self) -> None:
        content = workbook_of(bomb("xl/worksheets/sheet2.xml", 1_000))
        assert cheap_outcome(measured_reading(content)) == "too-large"

    def test_a_part_that_unpacks_a_thousandfold_is_rejected(self) -> None:
        assert rejection(workbook_of(bomb("xl/worksheets/sheet2.xml", 40))) == "too-large"


class TestFalseArchives:
    """Attack UPL-02: parts that overlap, archives inside archives, false headers."""

    def test_a_part_inside_another_is_rejected(self) -> None:
        inner = stored("xl/worksheets/sheet3.xml", b"<worksheet/>")
        outer = stored("xl/worksheets/sheet2.xml", b"<worksheet>" + local_record(inner))
        # A local header is 30 bytes long and is followed by the name.
        offset = 30 + len(outer.name) + len("<worksheet>")
        assert rejection(archive(outer, stored(inner.name, inner.packed, claimed_offset=offset))) == "damaged"
        assert file_kind(archive(outer, inner), Limits()) == "xlsx"

    @pytest.mark.parametrize("claimed_size", [0, 5, 11, 13, 4_000])
    def test_a_part_with_a_false_size_is_rejected(self, claimed_size: int) -> None:
        assert rejection(workbook_of(deflated("xl/styles.xml", b"<styleSheet>", claimed_size=claimed_size))) == "damaged"

    def test_a_workbook_inside_a_workbook_is_rejected(self) -> None:
        inner = workbook({"Marks": [["UPN"]]})
        assert rejection(workbook_of(stored("xl/embeddings/book.xlsx", inner))) == "nested"
        assert rejection(workbook_of(deflated("xl/media/image1.png", inner))) == "nested"

    def test_too_many_parts_are_rejected(self) -> None:
        assert rejection(workbook_of(*[stored(f"xl/{number}.xml", b"<a/>") for number in range(200)])) == "too-many-parts"
        assert rejection(archive(*[stored(f"xl/{number}.xml", b"<a/>") for number in range(300)], claimed_count=3)) == "damaged"

    @pytest.mark.parametrize(
        "content",
        [
            workbook_of(stored("xl/styles.xml", b"<a/>"), stored("xl/styles.xml", b"<b/>")),
            workbook_of()[:-1],
            workbook_of()[:200],
            workbook_of() + b"PK",
            b"PK\x03\x04",
            b"PK\x03\x04" + workbook_of(),
            workbook_of(Entry("xl/styles.xml", b"no deflate at all", 17)),
            workbook_of(Entry("xl/styles.xml", b"<a/>", 4, method=12)),
        ],
        ids=["a name twice", "cut short", "cut in half", "more behind", "nothing else", "shifted", "not packed", "another method"],
    )
    def test_a_damaged_archive_is_rejected(self, content: bytes) -> None:
        assert rejection(content) == "damaged"

    def test_an_encrypted_part_is_rejected(self) -> None:
        assert rejection(workbook_of(Entry("xl/styles.xml", b"<a/>", 4, method=0, flags=1))) == "password"


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DOCTYPES = {
    "billion laughs": f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]><CTfile>&l9;</CTfile>',
    "quadratic": f'<!DOCTYPE x [<!ENTITY a "{"a" * 100_000}">]><CTfile>{"&a;" * 1_000}</CTfile>',
    "external": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><CTfile>&a;</CTfile>',
    "over the network": '<!DOCTYPE CTfile SYSTEM "http://192.0.2.1/x.dtd"><CTfile/>',
    "parameter": '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY % a SYSTEM "http://192.0.2.1/x"> %a;]><CTfile/>',
}


class TestXmlDeclarations:
    """Attack UPL-03: entities and document types. No register needs one, so every one is rejected."""

    @pytest.mark.parametrize("name", DOCTYPES)
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
    def test_a_declaration_in_xml_of_any_encoding_is_rejected(self, name: str, encoding: str) -> None:
        cost = measured(read, DOCTYPES[name].encode(encoding))
        assert cheap_outcome(cost, seconds=0.5, megabytes=30) in {"declarations", "not-text"}

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_a_declaration_in_a_part_of_a_workbook_is_rejected(self, encoding: str) -> None:
        part = (" " * 300_000 + DOCTYPES["billion laughs"]).encode(encoding)
        assert rejection(workbook_of(deflated("xl/sharedStrings.xml", part))) == "declarations"

    def test_a_declaration_across_two_blocks_is_rejected(self) -> None:
        for before in (262_140, 262_143, 262_144, 262_150):
            part = b"<sst>".ljust(before) + b"<!ENTITY a 'b'>"
            assert rejection(workbook_of(deflated("xl/sharedStrings.xml", part))) == "declarations"


class TestHostileXml:
    """Attack UPL-04: XML that is very deep, very wide, or in another encoding than it states."""

    def test_xml_a_million_elements_deep_is_rejected(self) -> None:
        assert cheap_outcome(measured_reading(b"<x>" * 1_000_000 + b"</x>" * 1_000_000)) in {
            "damaged",
            "too-deep",
            "too-much",
        }

    def test_an_element_with_millions_of_attributes_is_rejected(self) -> None:
        attributes = b" ".join(b'a%d=""' % number for number in range(1_500_000))
        assert cheap_outcome(measured_reading(b"<CTfile " + attributes + b"/>")) == "too-much"

    def test_ten_million_attributes_are_rejected_for_their_size(self) -> None:
        assert cheap_outcome(measured(read, b"<CTfile " + b'a="" ' * 10_000_000 + b"/>")) == "too-large"

    def test_millions_of_elements_are_rejected(self) -> None:
        assert cheap_outcome(measured_reading(b"<CTfile>" + b"<a/>" * 5_000_000 + b"</CTfile>")) == "too-much"

    def test_utf_7_is_rejected(self) -> None:
        text = "+ADwAIQ-DOCTYPE x+AFsAPAAh-ENTITY a SYSTEM +ACI-file:///etc/passwd+ACIAPgBdAD4-"
        assert rejection(b'<?xml version="1.0" encoding="UTF-7"?>' + text.encode()) == "encoding"
        assert rejection(b"+/v8-" + text.encode()) == "encoding"

    @pytest.mark.parametrize("encoding", ["utf-32", "ebcdic-cp-us", "cp037", "shift_jis", "x" * 40])
    def test_an_encoding_that_could_hide_a_declaration_is_rejected(self, encoding: str) -> None:
        assert rejection(f'<?xml version="1.0" encoding="{encoding}"?><CTfile/>'.encode()) == "encoding"

    def test_utf_16_is_read_and_a_false_claim_of_it_is_rejected(self) -> None:
        text = (FILES / "ctf_marks.xml").read_text(encoding="utf-8")
        assert_all_marks_accounted(read(text.replace("utf-8", "utf-16").encode("utf-16")), 14)
        assert rejection(text.replace("utf-8", "utf-16").encode()) == "damaged"


class TestHostileText:
    """Attack UPL-05: text with endless lines, too many columns, or quotation marks that never close."""

    @pytest.mark.parametrize("line", ["x" * 24_000_000, "x," * 12_000_000, '"' + "x," * 12_000_000, 'a,b\n"' + "x" * 24_000_000])
    def test_a_file_of_one_endless_line_is_rejected(self, line: str) -> None:
        cost = measured_reading(line.encode())
        assert cheap_outcome(cost) == "long-row"
        assert cost.message.startswith(f"Row {line.count(chr(10)) + 1}: The row is longer")

    def test_a_file_over_the_limit_is_rejected_unread(self) -> None:
        content = b"x" * (1_000_000_000 if _has_free_memory() else upload_limit.in_bytes() + 1)
        assert cheap_outcome(measured(read, content), seconds=0.5, megabytes=5) == "too-large"

    def test_a_nul_character_is_reported_with_its_row(self) -> None:
        content = b"UPN,Date,Session,Code\n" * 500 + b"x\x00y\n"
        with pytest.raises(FileRejected, match="Row 501: "):
            read(content)

    def test_a_hundred_thousand_columns_are_rejected(self) -> None:
        with pytest.raises(FileRejected, match=r"Row 1: The row has more than 2,000 columns"):
            read(b",".join(b"c%d" % number for number in range(100_000)) + b"\n")

    def test_an_unclosed_quotation_mark_costs_its_own_row_alone(self) -> None:
        rows = f'UPN,Date,Session,Code\n{upn(1)},2026-09-07,AM,/\n"{upn(1)},2026-09-07,PM,/\n'
        for following in (3, 2_000):
            reading = read((rows + f"{upn(1)},2026-09-08,PM,/\n" * following).encode())
            assert_all_marks_accounted(reading, following + 2)
            assert [(problem.kind, problem.row) for problem in reading.problems] == [("odd-upn", 3)]

    def test_an_unclosed_quotation_mark_that_cannot_be_placed_is_reported_with_its_row(self) -> None:
        rows = f'UPN,Date,Session,Code\n{upn(1)},2026-09-07,AM,/\n{upn(1)},2026-09-07,"PM,/,late\n'
        for following in (3, 2_000):
            with pytest.raises(FileRejected, match=r"Row 3: .*quotation mark that is never closed"):
                read((rows + f"{upn(1)},2026-09-08,PM,/\n" * following).encode())

    def test_mixed_line_endings_are_read(self) -> None:
        lines = [f"{upn(number)},2026-09-07,AM,/" for number in range(1, 7)]
        endings = ["\n", "\r", "\r\n"] * 2
        text = "UPN,Date,Session,Code\r\n" + "".join(line + ending for line, ending in zip(lines, endings, strict=True))
        assert_all_marks_accounted(read(text.encode()), 6)


def _has_free_memory() -> bool:
    """Is there enough free memory to make a file of a gigabyte?"""
    return int(Path("/proc/meminfo").read_text(encoding="ascii").split("MemAvailable:")[1].split()[0]) > 6_000_000


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 504


class TestFileTypes:
    """Attack UPL-06: files of another type than their names say. The type is read from the bytes."""

    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            (OLE + "Workbook".encode("utf-16-le"), "old-workbook"),
            (OLE + "EncryptedPackage".encode("utf-16-le"), "password"),
            (OLE + "WordDocument".encode("utf-16-le"), "document"),
            (workbook_of(stored("xl/vbaProject.bin", b"macro")), "macros"),
            (workbook_of(stored("xl/macrosheets/sheet1.xml", b"<a/>")), "macros"),
            (workbook_of(stored("xl/workbook.bin", b"x")), "old-workbook"),
            (
                archive(stored("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"), stored("content.xml", b"<a/>")),
                "opendocument",
            ),
            (archive(stored("word/document.xml", b"<a/>")), "document"),
            (archive(stored("marks.csv", b"UPN,Date\n")), "archive"),
            (b"<!DOCTYPE html><html><table><tr><td>UPN,Date,Session,Code</td></tr></table></html>", "web-page"),
            (b"<table><tr><td>UPN</td></tr></table>\nUPN,Date,Session,Code\n", "web-page"),
            (b"<!-- x --><HTML><script>alert(1)</script>", "web-page"),
            (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>', "old-workbook"),
            (b"MZ\x90\x00\x03\x00\x00\x00", "program"),
            (b"\x7fELF\x02\x01\x01\x00", "program"),
            (b"#!/bin/sh\n", "program"),
            (b"%PDF-1.7\n", "pdf"),
            (b"\x89PNG\r\n\x1a\n", "image"),
            (b"\xff\xd8\xff\xe0", "image"),
            (b"\x1f\x8b\x08\x00", "archive"),
            (b"{\\rtf1 UPN}", "document"),
            (b"UPN,Date\n\x00\x01\x02", "not-text"),
        ],
    )
    def test_a_file_of_another_type_is_rejected_by_its_content(self, content: bytes, kind: str) -> None:
        assert rejection(content) == kind

    def test_markup_in_a_csv_stays_text(self) -> None:
        rows = f"UPN,Surname,Date,Session,Code\n{upn(1)},<script>alert(1)</script>,2026-09-07,AM,/\n"
        assert read(rows.encode()).pupils[0].surname == "<script>alert(1)</script>"


class TestFileNames:
    """Attack UPL-10: hostile file names. Downloads get names made by the portal."""

    @pytest.mark.parametrize(
        "name",
        ["../../etc/x", "x" * 300, "gpj.\u202eexe", "a\r\nSet-Cookie: x=1", "<script>alert(1)</script>", "", "\x00", "con", "é/\\"],
    )
    def test_a_hostile_file_name_is_replaced(self, name: str) -> None:
        safe_name = file_name(name, "csv")
        assert safe_name.endswith(".csv")
        assert len(safe_name) <= 90
        assert set(safe_name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
        assert not safe_name.startswith((".", "-"))

    @pytest.mark.parametrize("name", ['a";x="b.csv', "a\r\nX: y.csv", "naïve.csv", "\u202egnp.csv", "../x.csv"])
    def test_a_hostile_file_name_adds_no_header(self, name: str) -> None:
        header = content_disposition(name)
        assert header.isascii()
        assert not set(header) & set("\r\n/\\")
        assert header.count('"') == 2
        assert header.startswith("attachment; ")


class TestLeftoverFiles:
    """Attack UPL-22: temporary files after a reader was killed. It writes no file, and its child process cannot."""

    def test_a_killed_reader_leaves_no_file(self, tmp_path: Path) -> None:
        files_before = set(Path(tempfile.gettempdir()).iterdir())
        rows = "UPN,Surname,Date,Session,Code\n" + "".join(f'"{upn(n % 900)}",X,2026-09-07,AM,/\n' for n in range(200_000))
        cost = measured_reading(rows.encode(), Limits(seconds=0))
        assert cheap_outcome(cost, seconds=5) == "too-much"
        assert set(Path(tempfile.gettempdir()).iterdir()) <= files_before | {tmp_path.parent, tmp_path.parent.parent}


LONG = 50_000


class TestSlowPatterns:
    """Attack UPL-23: texts that make a regular expression take very long."""

    @pytest.mark.parametrize(
        ("start", "repeated", "end"),
        [
            ("", "1", ""),
            ("", " ", "x"),
            ("", "Mon ", ""),
            ("", "1/", ""),
            ("", "a ", ""),
            ("L(", "1", ""),
            ("YEAR ", " ", "!"),
            ("", "- ", ""),
            ("2026-09-07T", "0:", ""),
            ("", "\u00a0", ""),
        ],
    )
    def test_a_long_cell_takes_no_long_time(self, start: str, repeated: str, end: str) -> None:
        def parse_all(size: int) -> None:
            text = start + repeated * (size // len(repeated)) + end
            Dates([text])
            for parse in (clean, code_text, year_group, parse_yes_no, strip_half, two_sessions, folded, split_minutes):
                parse(text)

        assert_linear(parse_all, LONG)

    @pytest.mark.parametrize(
        ("start", "repeated", "end"),
        [
            ("", "<?", ""),
            ("", "<!--", ""),
            ("<?xml ", " ", ""),
            ("", "<!-- -->", ""),
            ("<", "a", ""),
            ("<?xml encoding=", " ", "'"),
            ("", " ", "<"),
        ],
    )
    def test_a_long_beginning_of_a_file_takes_no_long_time(self, start: str, repeated: str, end: str) -> None:
        def guard(size: int) -> None:
            with suppress(FileRejected):
                run_guard((start + repeated * size + end).encode())

        assert_linear(guard, LONG)


class TestLookalikeNames:
    """Attack UPL-24: names in other Unicode forms. They are stored as given and compared in one form.

    Letters of another alphabet that only look alike do not match.
    """

    def test_composed_and_decomposed_names_match(self) -> None:
        composed, decomposed = (unicodedata.normalize(form, "Zoë Ó’Näme") for form in ("NFC", "NFD"))
        for name in (composed, decomposed):
            rows = f"UPN,Surname,Date,Session,Code\n{upn(1)},{name},2026-09-07,AM,/\n"
            assert read(rows.encode()).pupils[0].surname == name
        assert folded(composed) == folded(decomposed) == folded("ZOE ONAME")

    def test_zero_width_characters_are_ignored(self) -> None:
        rows = f"UPN,Surname,Date,Session,Code\n\u200b{upn(1)}\ufeff,Exam\u200bple,2026-09-07\u200b,AM,\u200b/\n"
        reading = read(rows.encode())
        assert problem_kinds(reading) == []
        assert marks(reading) == {(upn(1), MONDAY, 0, "/")}
        assert folded(reading.pupils[0].surname or "") == "example"

    def test_letters_that_look_alike_do_not_match(self) -> None:
        assert folded("\u0415\u0445ample") != folded("Example")
        arabic = upn(1).replace("9", "\u0669")
        reading = read(f"UPN,Date,Session,Code\n{arabic},2026-09-07,AM,/\n".encode())
        assert problem_kinds(reading) == ["odd-upn"]
