"""Abuse of uploads, UPL-01 to 06, 10 and 22 to 24: files that attack their reader, and what they cost and come to instead."""

from __future__ import annotations

import tempfile
import time
import unicodedata
from pathlib import Path

import pytest

from portal.pupils.incoming import folded
from portal.uploads.reading import DEFAULT, FileRefused, Limits, read, read_in_child
from portal.uploads.reading.entries import split_minutes, two_sessions
from portal.uploads.reading.guard import recognised
from portal.uploads.reading.tables import strip_half
from portal.uploads.reading.texts import Dates, clean, code_text, flag, year_group
from portal.web.downloads import disposition, file_name
from tests.abuse.archives import Entry, archive, deflated, local_record, stored, swollen, workbook_of
from tests.abuse.measuring import cheap, guarded, measured
from tests.uploads.reading.support import FILES, MONDAY, accounted, kinds, marks, upn, workbook

MEGABYTE = 1_000_000


def refused(content: bytes) -> str:
    """The kind of refusal of a file that must be refused."""
    with pytest.raises(FileRefused) as caught:
        read(content)
    assert caught.value.message.endswith(".")
    return caught.value.kind


class TestUpl01Bombs:
    """A workbook that unpacks to a thousand times its size."""

    @pytest.mark.parametrize("megabytes", [1_000, 4_000])
    def test_upl_01_a_bomb_that_says_its_size(self, megabytes: int) -> None:
        bomb = workbook_of(swollen("xl/worksheets/sheet2.xml", megabytes))
        assert len(bomb) < 5 * MEGABYTE
        assert cheap(measured(guarded, bomb), megabytes=20) == "too-large"

    def test_upl_01_ten_gigabytes_that_say_they_are_one_megabyte(self) -> None:
        bomb = workbook_of(swollen("xl/worksheets/sheet2.xml", 10_240, says=1_000_000))
        assert cheap(measured(guarded, bomb), megabytes=30) == "damaged"

    def test_upl_01_many_parts_of_which_each_is_small(self) -> None:
        bomb = workbook_of(*[swollen(f"xl/worksheets/sheet{number}.xml", 50) for number in range(2, 6)])
        assert cheap(measured(guarded, bomb), megabytes=20) == "too-large"

    def test_upl_01_the_whole_reader_holds_the_same_limits(self) -> None:
        bomb = workbook_of(swollen("xl/worksheets/sheet2.xml", 1_000))
        assert cheap(measured(read_in_child, bomb)) == "too-large"

    def test_upl_01_a_ratio_no_register_has(self) -> None:
        assert refused(workbook_of(swollen("xl/worksheets/sheet2.xml", 40))) == "too-large"


class TestUpl02Archives:
    """Entries that overlap, archives in archives, headers that lie."""

    def test_upl_02_a_part_that_lies_within_another(self) -> None:
        inner = stored("xl/worksheets/sheet3.xml", b"<worksheet/>")
        outer = stored("xl/worksheets/sheet2.xml", b"<worksheet>" + local_record(inner))
        inside = 30 + len(outer.name) + len("<worksheet>")
        assert refused(archive(outer, stored(inner.name, inner.packed, at=inside))) == "damaged"
        assert recognised(archive(outer, inner), DEFAULT) == "xlsx"

    @pytest.mark.parametrize("says", [0, 5, 11, 13, 4_000])
    def test_upl_02_a_part_that_lies_about_its_size(self, says: int) -> None:
        assert refused(workbook_of(deflated("xl/styles.xml", b"<styleSheet>", says=says))) == "damaged"

    def test_upl_02_a_workbook_within_a_workbook(self) -> None:
        inner = workbook({"Marks": [["UPN"]]})
        assert refused(workbook_of(stored("xl/embeddings/book.xlsx", inner))) == "nested"
        assert refused(workbook_of(deflated("xl/media/image1.png", inner))) == "nested"

    def test_upl_02_more_parts_than_a_workbook_has(self) -> None:
        assert refused(workbook_of(*[stored(f"xl/{number}.xml", b"<a/>") for number in range(200)])) == "too-many-parts"
        assert refused(archive(*[stored(f"xl/{number}.xml", b"<a/>") for number in range(300)], count=3)) == "damaged"

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
    def test_upl_02_damaged_archives(self, content: bytes) -> None:
        assert refused(content) == "damaged"

    def test_upl_02_encrypted_parts(self) -> None:
        assert refused(workbook_of(Entry("xl/styles.xml", b"<a/>", 4, method=0, flags=1))) == "password"


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DOCTYPES = {
    "billion laughs": f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]><CTfile>&l9;</CTfile>',
    "quadratic": f'<!DOCTYPE x [<!ENTITY a "{"a" * 100_000}">]><CTfile>{"&a;" * 1_000}</CTfile>',
    "external": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><CTfile>&a;</CTfile>',
    "over the network": '<!DOCTYPE CTfile SYSTEM "http://192.0.2.1/x.dtd"><CTfile/>',
    "parameter": '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY % a SYSTEM "http://192.0.2.1/x"> %a;]><CTfile/>',
}


class TestUpl03Declarations:
    """Entities and document types: none is needed, so none is read."""

    @pytest.mark.parametrize("name", DOCTYPES)
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
    def test_upl_03_in_xml_of_any_encoding(self, name: str, encoding: str) -> None:
        cost = measured(read, DOCTYPES[name].encode(encoding))
        assert cheap(cost, seconds=0.5, megabytes=30) in {"declarations", "not-text"}

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_upl_03_in_a_part_of_a_workbook(self, encoding: str) -> None:
        part = (" " * 300_000 + DOCTYPES["billion laughs"]).encode(encoding)
        assert refused(workbook_of(deflated("xl/sharedStrings.xml", part))) == "declarations"

    def test_upl_03_wherever_in_a_part_the_declaration_stands(self) -> None:
        for before in (262_140, 262_143, 262_144, 262_150):
            part = b"<sst>".ljust(before) + b"<!ENTITY a 'b'>"
            assert refused(workbook_of(deflated("xl/sharedStrings.xml", part))) == "declarations"


class TestUpl04Xml:
    """XML that is deep, wide, or not in the encoding it says."""

    def test_upl_04_a_million_deep(self) -> None:
        assert cheap(measured(read_in_child, b"<x>" * 1_000_000 + b"</x>" * 1_000_000)) in {"damaged", "too-deep", "too-much"}

    def test_upl_04_millions_of_attributes(self) -> None:
        attributes = b" ".join(b'a%d=""' % number for number in range(1_500_000))
        assert cheap(measured(read_in_child, b"<CTfile " + attributes + b"/>")) == "too-much"

    def test_upl_04_ten_million_attributes_are_too_large_to_begin_with(self) -> None:
        assert cheap(measured(read, b"<CTfile " + b'a="" ' * 10_000_000 + b"/>")) == "too-large"

    def test_upl_04_millions_of_elements(self) -> None:
        assert cheap(measured(read_in_child, b"<CTfile>" + b"<a/>" * 5_000_000 + b"</CTfile>")) == "too-much"

    def test_upl_04_utf_7(self) -> None:
        text = "+ADwAIQ-DOCTYPE x+AFsAPAAh-ENTITY a SYSTEM +ACI-file:///etc/passwd+ACIAPgBdAD4-"
        assert refused(b'<?xml version="1.0" encoding="UTF-7"?>' + text.encode()) == "encoding"
        assert refused(b"+/v8-" + text.encode()) == "encoding"

    @pytest.mark.parametrize("encoding", ["utf-32", "ebcdic-cp-us", "cp037", "shift_jis", "x" * 40])
    def test_upl_04_encodings_in_which_a_declaration_could_hide(self, encoding: str) -> None:
        assert refused(f'<?xml version="1.0" encoding="{encoding}"?><CTfile/>'.encode()) == "encoding"

    def test_upl_04_a_register_in_utf_16_is_read_and_one_that_lies_about_it_is_not(self) -> None:
        text = (FILES / "ctf_marks.xml").read_text(encoding="utf-8")
        accounted(read(text.replace("utf-8", "utf-16").encode("utf-16")), 14)
        assert refused(text.replace("utf-8", "utf-16").encode()) == "damaged"


class TestUpl05Text:
    """Rows without end, columns without end, quotation marks that never close."""

    @pytest.mark.parametrize("line", ["x" * 24_000_000, "x," * 12_000_000, '"' + "x," * 12_000_000, 'a,b\n"' + "x" * 24_000_000])
    def test_upl_05_one_line_of_the_whole_size(self, line: str) -> None:
        cost = measured(read_in_child, line.encode())
        assert cheap(cost) == "long-row"
        assert cost.message.startswith(f"Row {line.count(chr(10)) + 1} is longer")

    def test_upl_05_more_than_the_limit_is_refused_unread(self) -> None:
        assert (
            cheap(measured(read, b"x" * 1_000_000_000 if _roomy() else b"x" * 26_000_000), seconds=0.5, megabytes=5) == "too-large"
        )

    def test_upl_05_nuls_are_named_by_their_row(self) -> None:
        content = b"UPN,Date,Session,Code\n" * 500 + b"x\x00y\n"
        with pytest.raises(FileRefused, match="Row 501 "):
            read(content)

    def test_upl_05_a_hundred_thousand_columns(self) -> None:
        with pytest.raises(FileRefused, match=r"Row 1 has more than 2,000 columns"):
            read(b",".join(b"c%d" % number for number in range(100_000)) + b"\n")

    def test_upl_05_a_quotation_mark_that_is_never_closed(self) -> None:
        rows = f'UPN,Date,Session,Code\n{upn(1)},2026-09-07,AM,/\n"{upn(1)},2026-09-07,PM,/\n'
        for following in (3, 2_000):
            with pytest.raises(FileRefused, match=r"Row \d+ has .*quotation mark that is never closed"):
                read((rows + f"{upn(1)},2026-09-08,PM,/\n" * following).encode())

    def test_upl_05_line_ends_of_every_kind_in_one_file(self) -> None:
        lines = [f"{upn(number)},2026-09-07,AM,/" for number in range(1, 7)]
        text = "UPN,Date,Session,Code\r\n" + "".join(line + end for line, end in zip(lines, ["\n", "\r", "\r\n"] * 2, strict=True))
        accounted(read(text.encode()), 6)


def _roomy() -> bool:
    """Is there memory for a gigabyte of test?"""
    return int(Path("/proc/meminfo").read_text(encoding="ascii").split("MemAvailable:")[1].split()[0]) > 6_000_000


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 504


class TestUpl06Kinds:
    """What a file is, is in its bytes."""

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
    def test_upl_06_files_that_are_no_register(self, content: bytes, kind: str) -> None:
        assert refused(content) == kind

    def test_upl_06_markup_in_a_csv_stays_text(self) -> None:
        rows = f"UPN,Surname,Date,Session,Code\n{upn(1)},<script>alert(1)</script>,2026-09-07,AM,/\n"
        assert read(rows.encode()).pupils[0].surname == "<script>alert(1)</script>"


class TestUpl10Names:
    """A file's name comes from us; theirs is only ever told."""

    @pytest.mark.parametrize(
        "name",
        ["../../etc/x", "x" * 300, "gpj.\u202eexe", "a\r\nSet-Cookie: x=1", "<script>alert(1)</script>", "", "\x00", "con", "é/\\"],
    )
    def test_upl_10_a_name_of_ours(self, name: str) -> None:
        made = file_name(name, "csv")
        assert made.endswith(".csv")
        assert len(made) <= 90
        assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
        assert not made.startswith((".", "-"))

    @pytest.mark.parametrize("name", ['a";x="b.csv', "a\r\nX: y.csv", "naïve.csv", "\u202egnp.csv", "../x.csv"])
    def test_upl_10_a_header_of_one_line(self, name: str) -> None:
        header = disposition(name)
        assert header.isascii()
        assert not set(header) & set("\r\n/\\")
        assert header.count('"') == 2
        assert header.startswith("attachment; ")


class TestUpl22Remains:
    """Reading leaves nothing behind: it writes no file, and its child may not."""

    def test_upl_22_no_file_is_left_by_a_reader_that_is_killed(self, tmp_path: Path) -> None:
        before = set(Path(tempfile.gettempdir()).iterdir())
        rows = "UPN,Surname,Date,Session,Code\n" + "".join(f'"{upn(n % 900)}",X,2026-09-07,AM,/\n' for n in range(200_000))
        cost = measured(lambda content: read_in_child(content, limits=Limits(seconds=0)), rows.encode())
        assert cheap(cost, seconds=5) == "too-much"
        assert set(Path(tempfile.gettempdir()).iterdir()) <= before | {tmp_path.parent, tmp_path.parent.parent}


LONG = 50_000


class TestUpl23Patterns:
    """No pattern takes longer than its text deserves."""

    @pytest.mark.parametrize(
        "text",
        [
            "1" * LONG,
            " " * LONG + "x",
            "Mon " * (LONG // 4),
            "1/" * (LONG // 2),
            "a " * (LONG // 2),
            "L(" + "1" * LONG,
            "YEAR " + " " * LONG + "!",
            "- " * (LONG // 2),
            "2026-09-07T" + "0:" * (LONG // 2),
            "\u00a0" * LONG,
        ],
        ids=lambda text: text[:8],
    )
    def test_upl_23_dates_names_and_codes(self, text: str) -> None:
        started = time.perf_counter()
        Dates([text])
        for pattern in (clean, code_text, year_group, flag, strip_half, two_sessions, folded):
            pattern(text)
        split_minutes(text)
        assert time.perf_counter() - started < 0.1

    @pytest.mark.parametrize(
        "head",
        [
            "<?" * LONG,
            "<!--" * LONG,
            "<?xml " + " " * LONG,
            "<!-- -->" * LONG,
            "<" + "a" * LONG,
            "<?xml encoding=" + " " * LONG + "'",
            " " * LONG + "<",
        ],
    )
    def test_upl_23_the_beginning_of_a_file(self, head: str) -> None:
        cost = measured(guarded, head.encode())
        assert cost.seconds < 0.1


class TestUpl24Names:
    """Names are kept as given and matched as they are meant; letters that only look alike are not the same."""

    def test_upl_24_composed_and_decomposed_names(self) -> None:
        composed, apart = unicodedata.normalize("NFC", "Zoë Ó’Näme"), unicodedata.normalize("NFD", "Zoë Ó’Näme")
        for name in (composed, apart):
            rows = f"UPN,Surname,Date,Session,Code\n{upn(1)},{name},2026-09-07,AM,/\n"
            assert read(rows.encode()).pupils[0].surname == name
        assert folded(composed) == folded(apart) == folded("ZOE ONAME")

    def test_upl_24_zero_width_signs(self) -> None:
        rows = f"UPN,Surname,Date,Session,Code\n\u200b{upn(1)}\ufeff,Exam\u200bple,2026-09-07\u200b,AM,\u200b/\n"
        reading = read(rows.encode())
        assert kinds(reading) == []
        assert marks(reading) == {(upn(1), MONDAY, 0, "/")}
        assert folded(reading.pupils[0].surname or "") == "example"

    def test_upl_24_letters_that_look_alike(self) -> None:
        assert folded("\u0415\u0445ample") != folded("Example")
        arabic = upn(1).replace("9", "\u0669")
        reading = read(f"UPN,Date,Session,Code\n{arabic},2026-09-07,AM,/\n".encode())
        assert kinds(reading) == ["odd-upn"]
