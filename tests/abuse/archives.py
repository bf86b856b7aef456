"""Archives that lie: workbooks written byte by byte, so that a test may say one thing in the directory and do another."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

CONTENT_TYPES = b"<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>"
FLUSHED = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """A part: its packed bytes and what the archive says of it."""

    name: str
    packed: bytes
    size: int
    method: int = 8
    flags: int = 0
    at: int | None = None
    crc: int = 0


def deflated(name: str, content: bytes, *, says: int | None = None) -> Entry:
    """A part packed as usual; `says` is the size it claims."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return Entry(name, packer.compress(content) + packer.flush(), len(content) if says is None else says, crc=zlib.crc32(content))


def stored(name: str, content: bytes, *, at: int | None = None) -> Entry:
    """A part kept as it is; `at` claims that it begins somewhere else, and nothing of it is written."""
    return Entry(name, content, len(content), method=0, at=at, crc=zlib.crc32(content))


def swollen(name: str, megabytes: int, *, says: int | None = None) -> Entry:
    """A part of so many megabytes of spaces in a thousandth of the room, made without ever unpacking it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = packer.compress(b"<worksheet>".ljust(FLUSHED)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * FLUSHED) + packer.flush(zlib.Z_FULL_FLUSH)
    return Entry(name, head + block * (megabytes - 1) + packer.flush(), megabytes * FLUSHED if says is None else says)


def local_record(entry: Entry) -> bytes:
    """A part as it stands in the archive."""
    name = entry.name.encode()
    head = struct.pack(
        "<4s5H3L2H", b"PK\x03\x04", 20, entry.flags, entry.method, 0, 0, entry.crc, len(entry.packed), entry.size, len(name), 0
    )
    return head + name + entry.packed


def archive(*entries: Entry, count: int | None = None, comment: bytes = b"") -> bytes:
    """The archive; `count` is how many entries the end record claims."""
    body, directory = bytearray(), bytearray()
    for entry in entries:
        start = len(body) if entry.at is None else entry.at
        if entry.at is None:
            body += local_record(entry)
        name = entry.name.encode()
        sizes = (len(entry.packed), entry.size, len(name), 0, 0, 0, 0, 0, start)
        directory += struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, entry.flags, entry.method, 0, 0, entry.crc, *sizes) + name
    said = len(entries) if count is None else count
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, said, said, len(directory), len(body), len(comment))
    return bytes(body + directory + end + comment)


def workbook_of(*entries: Entry, sheet: bytes | None = b"<worksheet/>") -> bytes:
    """A workbook by its parts' names, with these beside them."""
    usual = [deflated("[Content_Types].xml", CONTENT_TYPES), deflated("xl/workbook.xml", b"<workbook/>")]
    if sheet is not None:
        usual.append(deflated("xl/worksheets/sheet1.xml", sheet))
    return archive(*usual, *entries)
