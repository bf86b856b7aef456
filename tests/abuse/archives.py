"""Hostile ZIP archives, written byte by byte.

An ordinary ZIP writer never writes a wrong size or offset; here the directory can claim what the parts do not hold.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

CONTENT_TYPES = b"<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>"
BLOCK_SIZE = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """A part of an archive: its packed bytes and what the archive claims about it."""

    name: str
    packed: bytes
    size: int
    method: int = 8
    flags: int = 0
    claimed_offset: int | None = None
    crc: int = 0


def deflated(name: str, content: bytes, *, claimed_size: int | None = None) -> Entry:
    """A compressed part. Its size is stated truly, or as `claimed_size`."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    size = len(content) if claimed_size is None else claimed_size
    return Entry(name, packer.compress(content) + packer.flush(), size, crc=zlib.crc32(content))


def stored(name: str, content: bytes, *, claimed_offset: int | None = None) -> Entry:
    """An uncompressed part. With `claimed_offset` only its directory entry is written, pointing there."""
    return Entry(name, content, len(content), method=0, claimed_offset=claimed_offset, crc=zlib.crc32(content))


def bomb(name: str, megabytes: int, *, claimed_size: int | None = None) -> Entry:
    """A part that unpacks to this many megabytes of spaces, about a thousand times its packed size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    # After a full flush a block depends on nothing before it, so one packed block can be repeated: ten gigabytes
    # are made without ever holding them.
    head = packer.compress(b"<worksheet>".ljust(BLOCK_SIZE)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * BLOCK_SIZE) + packer.flush(zlib.Z_FULL_FLUSH)
    size = megabytes * BLOCK_SIZE if claimed_size is None else claimed_size
    return Entry(name, head + block * (megabytes - 1) + packer.flush(), size)


def local_record(entry: Entry) -> bytes:
    """A part's local header and its packed bytes."""
    name = entry.name.encode()
    header = struct.pack(
        "<4s5H3L2H", b"PK\x03\x04", 20, entry.flags, entry.method, 0, 0, entry.crc, len(entry.packed), entry.size, len(name), 0
    )
    return header + name + entry.packed


def archive(*entries: Entry, claimed_count: int | None = None, comment: bytes = b"") -> bytes:
    """An archive of these parts.

    Its end record states their number truly, or as `claimed_count`.
    """
    body, directory = bytearray(), bytearray()
    for entry in entries:
        start = len(body) if entry.claimed_offset is None else entry.claimed_offset
        if entry.claimed_offset is None:
            body += local_record(entry)
        name = entry.name.encode()
        sizes = (len(entry.packed), entry.size, len(name), 0, 0, 0, 0, 0, start)
        directory += struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, entry.flags, entry.method, 0, 0, entry.crc, *sizes) + name
    count = len(entries) if claimed_count is None else claimed_count
    end_record = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), len(comment))
    return bytes(body + directory + end_record + comment)


def workbook_of(*entries: Entry, sheet: bytes | None = b"<worksheet/>") -> bytes:
    """An archive with the parts that make it a workbook, followed by these."""
    workbook_parts = [deflated("[Content_Types].xml", CONTENT_TYPES), deflated("xl/workbook.xml", b"<workbook/>")]
    if sheet is not None:
        workbook_parts.append(deflated("xl/worksheets/sheet1.xml", sheet))
    return archive(*workbook_parts, *entries)
