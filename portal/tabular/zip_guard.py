"""Checks a workbook's ZIP before it is unpacked: its parts, their real sizes and what is in them.

Reads the directory itself. The standard library's zipfile reads as many entries as a file claims, does not notice entries that
overlap (Python 3.11), and stops at the declared size, so it would not notice a part that is larger.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.tabular.declarations import NO_DECLARATIONS, has_declaration
from portal.tabular.rejection import FileRejected
from portal.tabular.sheet_size import sheet_extent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.tabular.limits import Limits

BLOCK, FEED = 256 * 1024, 32 * 1024
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
NUMBERS = "This is a Numbers file. In Numbers choose File, Export To, then Excel or CSV, and send what it makes."
ZIPPED = "This file is compressed (.zip). Unpack it, then send each file inside on its own."
_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
DAMAGED_ZIP = "The workbook is damaged, or made to look smaller than it is. Save it again as XLSX and send it."
TOO_LARGE_ZIP = "The workbook is too large once unpacked. Remove what is not needed, or send it in parts as CSV."
#: Bytes of the directory for each entry, at most.
MAX_ENTRY = 2_048
#: The ratio of unpacked to packed size is only checked for parts larger than this: small ones compress well without harm.
MIN_SIZE_FOR_RATIO = 1_000_000
TOO_LARGE_SHEET = "A sheet has cells far beyond its table. Delete its empty rows and columns, or save it as CSV and send that."
#: Flags of encryption and strong encryption, and the two methods a workbook uses.
ENCRYPTED, STORED, DEFLATED = 0x41, 0, 8
#: Bytes of a block searched again with the next one, for references and declarations that span two blocks.
TAIL = 64


@dataclass(frozen=True, slots=True)
class _Part:
    """An entry of the ZIP's directory, as declared."""

    name: str
    method: int
    packed: int
    size: int
    start: int


def check_workbook(content: bytes, limits: Limits) -> None:
    """Reject any ZIP but an ordinary workbook within the limits. Its real size is measured."""
    parts, directory = _directory(content, limits)
    names = {part.name.casefold().replace("\\", "/") for part in parts}
    if len(names) != len(parts):
        raise FileRejected("damaged", DAMAGED_ZIP)
    _reject_other_kinds(names)
    if sum(part.size for part in parts) > limits.unpacked or any(part.size > limits.part for part in parts):
        raise FileRejected("too-large", TOO_LARGE_ZIP)
    if any(part.size > MIN_SIZE_FOR_RATIO and part.size > limits.ratio * max(part.packed, 1) for part in parts):
        raise FileRejected("too-large", TOO_LARGE_ZIP)
    for part, packed in _packed_parts(content, parts, directory):
        _check_part(part, packed, limits)


def _reject_other_kinds(names: set[str]) -> None:
    """Reject archives that are not an XLSX workbook without macros."""
    if any(name.endswith("vbaproject.bin") or name.startswith("xl/macrosheets/") for name in names):
        raise FileRejected("macros", "The workbook has macros (.xlsm). Save it as XLSX without macros and send that.")
    if "xl/workbook.bin" in names:
        raise FileRejected("old-workbook", "This is a binary workbook (.xlsb). Save it as XLSX and send that.")
    if "mimetype" in names or "content.xml" in names:
        raise FileRejected("opendocument", "This is an OpenDocument file (.ods). Save it as XLSX and send that.")
    if any(name.endswith(".iwa") for name in names):
        raise FileRejected("numbers", NUMBERS)
    if any(name.startswith(("word/", "ppt/")) for name in names):
        raise FileRejected("document", "This is a document, not a workbook. Save it as XLSX or CSV and send that.")
    if not any(name.startswith("xl/") for name in names):
        raise FileRejected("archive", ZIPPED)


def _directory_bounds(content: bytes, limits: Limits) -> tuple[int, int, int]:
    """Where the central directory starts and ends, and its number of entries, from the end record."""
    # The end record is the last in the file, before a comment of up to 65,535 bytes.
    end_record = content.rfind(b"PK\x05\x06", max(0, len(content) - _END.size - 65_535))
    if end_record < 0 or end_record + _END.size > len(content):
        raise FileRejected("damaged", DAMAGED_ZIP)
    _, disk, first_disk, count_on_disk, count, size, start, comment = _END.unpack_from(content, end_record)
    if count > limits.parts or count_on_disk != count:
        message = f"The workbook has more than {limits.parts} parts. Save only the table as XLSX or CSV and send that."
        raise FileRejected("too-many-parts", message)
    if disk or first_disk or end_record + _END.size + comment != len(content):
        raise FileRejected("damaged", DAMAGED_ZIP)
    if start + size != end_record or size > count * MAX_ENTRY:
        raise FileRejected("damaged", DAMAGED_ZIP)
    return start, end_record, count


def _directory(content: bytes, limits: Limits) -> tuple[list[_Part], int]:
    """The entries of the central directory, and where it starts.

    Its length and number of entries must be those in the end record, so that no entry is hidden from this guard.
    """
    start, end, count = _directory_bounds(content, limits)
    parts, at = [], start
    while at < end:
        if at + _CENTRAL.size > end:
            raise FileRejected("damaged", DAMAGED_ZIP)
        signature, _, _, flags, method, _, _, _, packed, size, name, extra, comment, _, _, _, local = _CENTRAL.unpack_from(
            content, at
        )
        if signature != b"PK\x01\x02":
            raise FileRejected("damaged", DAMAGED_ZIP)
        if flags & ENCRYPTED:
            raise FileRejected("password", "The workbook has a password. Save it as XLSX without a password and send that.")
        if method not in {STORED, DEFLATED}:
            raise FileRejected("damaged", DAMAGED_ZIP)
        at += _CENTRAL.size
        parts.append(_Part(content[at : at + name].decode("utf-8", errors="replace"), method, packed, size, local))
        at += name + extra + comment
    if at != end or len(parts) != count:
        raise FileRejected("damaged", DAMAGED_ZIP)
    return parts, start


def _packed_parts(content: bytes, parts: list[_Part], directory: int) -> Iterator[tuple[_Part, memoryview]]:
    """Each part with its packed bytes, which must not overlap another part or the directory."""
    # Parts that share bytes let a small file unpack to an enormous one.
    view, previous_end = memoryview(content), 0
    for part in sorted(parts, key=lambda part: part.start):
        if part.start < previous_end or part.start + _LOCAL.size > directory:
            raise FileRejected("damaged", DAMAGED_ZIP)
        signature, _, flags, method, _, _, _, _, _, name, extra = _LOCAL.unpack_from(content, part.start)
        name_start = part.start + _LOCAL.size
        begin = name_start + name + extra
        end = begin + part.packed
        # A local header that contradicts the directory may show another reader another file.
        local_name = content[name_start : name_start + name].decode("utf-8", errors="replace")
        if signature != b"PK\x03\x04" or flags & ENCRYPTED or method != part.method or local_name != part.name or end > directory:
            raise FileRejected("damaged", DAMAGED_ZIP)
        previous_end = end
        yield part, view[begin:end]


def _check_part(part: _Part, packed: memoryview, limits: Limits) -> None:
    """Unpack a part block by block, without storing it, and check its real size and content."""
    size, tail, extent = 0, b"", (0, 0)
    is_xml: bool | None = None
    for block in _blocks(part, packed):
        if size == 0 and block.startswith((b"PK\x03\x04", OLE)):
            raise FileRejected(
                "nested", "The workbook has another file inside it. Remove it, save the workbook as XLSX and send that."
            )
        if is_xml is None and (start := block.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")):
            is_xml = start.startswith(b"<")
        size += len(block)
        if size > part.size:
            raise FileRejected("damaged", DAMAGED_ZIP)
        if is_xml:
            if has_declaration(tail + block):
                raise FileRejected("declarations", NO_DECLARATIONS)
            extent = _checked_extent(tail + block, extent, limits)
        tail = block[-TAIL:]
    if size != part.size:
        raise FileRejected("damaged", DAMAGED_ZIP)


def _checked_extent(block: bytes, extent: tuple[int, int], limits: Limits) -> tuple[int, int]:
    """The last column and row so far. They are limited because a reader allocates memory for the whole area."""
    column, row = sheet_extent(block)
    column, row = max(column, extent[0]), max(row, extent[1])
    if column > limits.columns or row * max(column, 1) > limits.area:
        raise FileRejected("rows", TOO_LARGE_SHEET)
    return column, row


def _blocks(part: _Part, packed: memoryview) -> Iterator[bytes]:
    """The unpacked bytes of a part in blocks."""
    if part.method == STORED:
        yield from (bytes(packed[at : at + BLOCK]) for at in range(0, len(packed), BLOCK))
        return
    # At most one block is unpacked at a time, so a part that is larger than declared never fills the memory.
    unpacker = zlib.decompressobj(-15)
    try:
        for at in range(0, len(packed), FEED):
            pending = bytes(packed[at : at + FEED])
            while block := unpacker.decompress(pending, BLOCK):
                yield block
                pending = unpacker.unconsumed_tail
    except zlib.error as error:
        raise FileRejected("damaged", DAMAGED_ZIP) from error
