"""Recognition: what a file is, by what stands in it and never by its name, and the one way in to reading it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from portal.uploads.reading import documents, feeds, people, totals
from portal.uploads.reading.archives import SAVE_AS
from portal.uploads.reading.headings import CENSUS_DETAIL, PUBLISHED
from portal.uploads.reading.limits import DEFAULT, FileRefused, Limits, refuse_if_too_big
from portal.uploads.reading.results import Problem
from portal.uploads.reading.synonyms import MEANINGS, fold_header
from portal.uploads.reading.tables import TextTable
from portal.uploads.reading.tabular import asks_for_mapping, marks_of
from portal.uploads.reading.workbooks import sheets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from portal.uploads.reading.headings import Heading
    from portal.uploads.reading.results import Reading
    from portal.uploads.reading.tables import Table
    from portal.uploads.reading.workbooks import SheetTable

#: How files begin that are not read, and what they are.
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "pdf", "This is a PDF. Export the marks as an Excel workbook or as CSV instead."),
    (b"MZ", "program", "This is a program, not a register. Send a CSV, XLSX, CTF (XML) or JSON file."),
    (b"\x7fELF", "program", "This is a program, not a register. Send a CSV, XLSX, CTF (XML) or JSON file."),
    (b"\x89PNG", "picture", "This is a picture. Export the marks as an Excel workbook or as CSV instead."),
    (b"\xff\xd8\xff", "picture", "This is a picture. Export the marks as an Excel workbook or as CSV instead."),
    (b"GIF8", "picture", "This is a picture. Export the marks as an Excel workbook or as CSV instead."),
    (b"\x1f\x8b", "zip", "This file is compressed. Unpack it and send the file inside it."),
    (b"7z\xbc\xaf", "zip", "This file is compressed. Unpack it and send the file inside it."),
    (b"Rar!", "zip", "This file is compressed. Unpack it and send the file inside it."),
    (b"{\\rtf", "document", "This is a document. Export the marks as an Excel workbook or as CSV instead."),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCKED = "EncryptedPackage".encode("utf-16-le")
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body|table|script|meta|style|div)\b", re.IGNORECASE)
_SPREADSHEET_XML = "urn:schemas-microsoft-com:office:spreadsheet"
_HEAD = 4096
MARKS = ("long", "weekly-grid", "date-matrix")


def read(
    content: bytes,
    *,
    mapping: Mapping[str, str] | None = None,
    limits: Limits = DEFAULT,
    progress: Callable[[int], None] | None = None,
) -> Reading:
    """Read a file a school sent, in this process. `mapping` is a person's word for what headers mean ("" for not used).

    `progress` is told the number of rows read so far.

    Raises:
        FileRefused: when the whole file cannot be read; the message says what to do.
    """
    refuse_if_too_big(len(content), limits)
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        tables, hidden = sheets_of(content, mapping, limits)
        return _workbook(tables, hidden, limits, progress)
    start = _beginning(content)
    if start.startswith("<"):
        if _HTML.match(start):
            raise FileRefused("html", f"This is a web page under another name. {SAVE_AS}")
        if _SPREADSHEET_XML in start:
            raise FileRefused("spreadsheet-xml", f"This is an XML spreadsheet. {SAVE_AS}")
        return documents.read_document(content, limits, progress)
    if start.startswith(("{", "[")):
        return feeds.read_feed(content, limits)
    table = TextTable(content, mapping, limits)
    return _one_layout([table], {"encoding": table.encoding}, limits, progress)


def _beginning(content: bytes) -> str:
    """The first characters, however they are encoded, without a byte-order mark and blanks; refuses what is not text.

    Raises:
        FileRefused: for a file of another kind.
    """
    for sign, kind, sentence in _OTHERS:
        if content.startswith(sign):
            raise FileRefused(kind, sentence)
    if content.startswith(_OLE):
        if _LOCKED in content:
            raise FileRefused("password", "The file is protected by a password. Save it without one and send it again.")
        raise FileRefused("xls", f"This is an old Excel file (.xls). {SAVE_AS}")
    head = content[:_HEAD]
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head[:4]
    text = head.replace(b"\0", b"").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff") if wide else head
    return text.removeprefix(b"\xef\xbb\xbf").decode("latin-1").lstrip()


def _workbook(
    tables: Sequence[SheetTable], hidden: tuple[str, ...], limits: Limits, progress: Callable[[int], None] | None
) -> Reading:
    """Read the sheets that share the workbook's layout; say which were left."""
    if not tables:
        raise FileRefused("empty", "The workbook has no visible rows. Export it again and check that it opens before sending it.")
    complete = [table for table in tables if not table.heading.missing]
    chosen = max(complete, key=lambda table: _weight(table.heading), default=None)
    if chosen is None:
        widest = max(tables, key=lambda table: (len(table.heading.places), len(table.heading.headers)))
        widest.sheet = 0
        return asks_for_mapping(widest.heading, {"encoding": "xlsx", "sheets_read": (widest.name,), "hidden_sheets": hidden})
    read_ones = [table for table in complete if table.heading.layout == chosen.heading.layout]
    for place, table in enumerate(read_ones):
        table.sheet = place
    left = [table for table in tables if table not in read_ones]
    facts: dict[str, Any] = {
        "encoding": "xlsx",
        "sheets_read": tuple(table.name for table in read_ones),
        "hidden_sheets": hidden,
    }
    reading = _one_layout(read_ones, facts, limits, progress)
    return _with_warnings(reading, [_left_out(table) for table in left])


def _weight(heading: Heading) -> tuple[int, int]:
    return int(heading.layout in MARKS), len(heading.slots) + len(heading.places)


def _left_out(table: SheetTable) -> Problem:
    wants = " and ".join(MEANINGS[meaning].lower() for meaning in table.heading.missing)
    why = f"no column for {wants} was found" if wants else "it is laid out in another way than the others"
    return Problem("sheet-not-read", 0, 0, 0, None, table.name, f"The sheet “{table.name}” was not read: {why}.", entries=0)


def _with_warnings(reading: Reading, more: list[Problem]) -> Reading:
    return replace(reading, warnings=(*reading.warnings, *more)) if more else reading


def _one_layout(
    tables: Sequence[Table], facts: Mapping[str, Any], limits: Limits, progress: Callable[[int], None] | None
) -> Reading:
    heading = tables[0].heading
    folded = {fold_header(header) for header in heading.headers}
    if folded >= PUBLISHED:
        sentence = "This is a file of published statistics, not a register. Load it under Published figures."
        raise FileRefused("published-figures", sentence)
    if folded >= CENSUS_DETAIL:
        sentence = "This census table has reasons without UPNs. Send the table of pupils on roll (pupilonroll), which has the totals too."
        raise FileRefused("census-detail", sentence)
    if heading.missing:
        return asks_for_mapping(heading, facts)
    if heading.layout in MARKS:
        return marks_of(tables, limits, facts, progress)
    if heading.layout == "pupil-list":
        return people.people_of(tables, limits, facts)
    return totals.totals_of(tables, limits, facts)
