"""Archives: a workbook's parts counted, measured and searched before any parser sees them."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from io import BytesIO
from typing import TYPE_CHECKING

from portal.uploads.reading.limits import MEGABYTE, FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portal.uploads.reading.limits import Limits

_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_SIGN = b"PK\x03\x04"
_GRAIN = 1 << 16
_OVERLAP = 16
_ENCRYPTED = 0x1
_DTD = (b"<!DOCTYPE", b"<!ENTITY", "<!DOCTYPE".encode("utf-16-le"), "<!DOCTYPE".encode("utf-16-be"), "<!ENTITY".encode("utf-16-le"))
#: Small parts may shrink a great deal and still be small.
_RATIO_FROM = MEGABYTE // 4
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_CELL = re.compile(rb"<(?:\w+:)?c\b[^<>]{0,200}?\br\s*=\s*[\"']\s*([A-Za-z]{1,4})([0-9]{1,8})")
_ROW = re.compile(rb"<(?:\w+:)?row\b[^<>]{0,400}?\br\s*=\s*[\"']\s*([0-9]{1,10})")

SAVE_AS = "Open it, choose “Save as”, and save it as an Excel workbook (.xlsx) or as CSV UTF-8 (.csv)."
_BOMB = "The workbook unpacks to far more than a register holds. Export the marks again, one term or one year group at a time."
_ODD = f"The workbook is not put together as a workbook should be. {SAVE_AS}"


def check_workbook(content: bytes, limits: Limits) -> None:
    """Refuse a workbook that is not one, or could cost too much to read. Its parts are unpacked to be counted, and not kept.

    Raises:
        FileRefused: with what to do instead.
    """
    try:
        archive = zipfile.ZipFile(BytesIO(content))
        parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeDecodeError, struct.error, EOFError):
        raise FileRefused("damaged", "The file is damaged or incomplete. Export it again and send the new file.") from None
    with archive:
        if len(parts) > limits.parts:
            raise FileRefused("too-many-parts", _BOMB)
        _refuse_by_kind({part.filename for part in parts})
        if any(part.flag_bits & _ENCRYPTED for part in parts):
            raise FileRefused("password", "The file is protected by a password. Save it without one and send it again.")
        _refuse_declared(parts, limits)
        _refuse_overlap(content, parts, archive.start_dir)
    _count(content, parts, limits)


def _refuse_by_kind(names: set[str]) -> None:
    lower = {name.lower() for name in names}
    if any(name.endswith("vbaproject.bin") for name in lower):
        raise FileRefused("macros", f"The workbook holds macros (.xlsm), which are not accepted. {SAVE_AS}")
    if "xl/workbook.bin" in lower:
        raise FileRefused("xlsb", f"This is a binary workbook (.xlsb). {SAVE_AS}")
    if "content.xml" in lower and "mimetype" in lower:
        raise FileRefused("ods", f"This is an OpenDocument file (.ods). {SAVE_AS}")
    if "word/document.xml" in lower or "ppt/presentation.xml" in lower:
        raise FileRefused("not-a-workbook", "This is a document, not a workbook. Export the marks as an Excel workbook or as CSV.")
    if "xl/workbook.xml" not in lower:
        raise FileRefused("zip", "This is a zip archive. Unpack it and send the files inside it one by one.")
    if len(lower) < len(names) or "[content_types].xml" not in lower:
        raise FileRefused("damaged", _ODD)


def _refuse_declared(parts: Sequence[zipfile.ZipInfo], limits: Limits) -> None:
    whole = 0
    for part in parts:
        whole += part.file_size
        if part.file_size > limits.part_size or whole > limits.unpacked:
            raise FileRefused("too-big-unpacked", _BOMB)
        if part.file_size > _RATIO_FROM and part.file_size > limits.ratio * max(part.compress_size, 1):
            raise FileRefused("too-big-unpacked", _BOMB)
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise FileRefused("damaged", _ODD)


def _refuse_overlap(content: bytes, parts: Sequence[zipfile.ZipInfo], end: int) -> None:
    """Each part must lie behind the one before it, under the same name in both of its headers."""
    free_from = 0
    for part in sorted(parts, key=lambda one: one.header_offset):
        first = part.header_offset
        if first < free_from or first + _LOCAL.size > end:
            raise FileRefused("damaged", _ODD)
        sign, *_, name_size, extra_size = _LOCAL.unpack_from(content, first)
        begins = first + _LOCAL.size + name_size + extra_size
        name = content[first + _LOCAL.size : first + _LOCAL.size + name_size]
        if sign != _LOCAL_SIGN or name.decode("utf-8", "replace") != part.orig_filename:
            raise FileRefused("damaged", _ODD)
        free_from = begins + part.compress_size
        if free_from > end:
            raise FileRefused("damaged", _ODD)


def _count(content: bytes, parts: Sequence[zipfile.ZipInfo], limits: Limits) -> None:
    """Unpack every part piece by piece, believing no header: count its bytes, and look for what must not be in it."""
    whole = 0
    for part in parts:
        size, before = 0, b""
        extent = _Extent(limits) if _SHEET.fullmatch(part.filename) else None
        for piece in _unpacked(content, part):
            if size == 0 and piece.startswith(_LOCAL_SIGN):
                raise FileRefused("damaged", _ODD)
            size += len(piece)
            whole += len(piece)
            if size > part.file_size or size > limits.part_size or whole > limits.unpacked:
                raise FileRefused("too-big-unpacked", _BOMB)
            joined = before + piece
            if any(sign in joined for sign in _DTD):
                raise FileRefused("dtd", f"The workbook declares entities of its own, which are not accepted. {SAVE_AS}")
            if extent is not None:
                extent.see(joined)
            before = piece[-_OVERLAP:] if extent is None else extent.rest
        if size != part.file_size:
            raise FileRefused("damaged", _ODD)


def _unpacked(content: bytes, part: zipfile.ZipInfo) -> Iterator[bytes]:
    *_, name_size, extra_size = _LOCAL.unpack_from(content, part.header_offset)
    first = part.header_offset + _LOCAL.size + name_size + extra_size
    packed = memoryview(content)[first : first + part.compress_size]
    if part.compress_type == zipfile.ZIP_STORED:
        for at in range(0, len(packed), _GRAIN):
            yield bytes(packed[at : at + _GRAIN])
        return
    engine = zlib.decompressobj(-15)
    try:
        for at in range(0, len(packed), _GRAIN):
            piece = engine.decompress(packed[at : at + _GRAIN], 4 * _GRAIN)
            while piece:
                yield piece
                piece = engine.decompress(engine.unconsumed_tail, 4 * _GRAIN)
    except zlib.error:
        raise FileRefused("damaged", "The file is damaged or incomplete. Export it again and send the new file.") from None
    if not engine.eof:
        raise FileRefused("damaged", "The file is damaged or incomplete. Export it again and send the new file.")


class _Extent:
    """How far a sheet reaches by the addresses of its cells: readers make room for the whole rectangle."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rows = self.columns = 1
        self.rest = b""

    def see(self, xml: bytes) -> None:
        """Take in a piece of the sheet; what may go on in the next piece is kept in `rest`."""
        cut = xml.rfind(b"<")
        self.rest = xml[cut:] if 0 <= cut and len(xml) - cut < _GRAIN else xml[-_OVERLAP:]
        rows = [int(one) for one in _ROW.findall(xml)]
        self.rows = max(self.rows, *rows) if rows else self.rows
        # The last cell of each row is enough, and so is one look at each distinct column.
        for letters, row in set(_CELL.findall(xml)):
            self.columns = max(self.columns, column_number(letters))
            self.rows = max(self.rows, int(row))
        if self.rows > self.limits.rows:
            raise FileRefused("too-many-rows", f"A sheet has more than {self.limits.rows:,} rows. Send one year at a time.")
        if self.columns > self.limits.columns or self.rows * self.columns > self.limits.cells:
            sentence = "A sheet reaches far beyond its table. Delete the columns and rows that are not part of it, and send it again."
            raise FileRefused("too-many-columns", sentence)


def column_number(letters: bytes) -> int:
    """A column's number from its letters: A is 1, XFD is 16,384."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
