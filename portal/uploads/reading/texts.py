"""Bytes as text and cells as text: encodings, line ends, and the invisible signs that spreadsheets and systems leave."""

from __future__ import annotations

import codecs
import math
import re
import unicodedata
from datetime import date, datetime, time, timedelta

from portal.uploads.reading.limits import FileRefused

#: Signs that are not seen and mean nothing: zero-width ones, direction marks, soft hyphen, byte-order mark.
_UNSEEN = dict.fromkeys([0x00AD, 0x180E, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, 0xFEFF])
_DASHES = dict.fromkeys([0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2212], "-")
_FORMULA = "=+-@"
_NOT_PLAIN = re.compile(r"[^ -&(-~]")
_WIDE = 0.3


def plain(text: str) -> str:
    """A code, identifier or date as it is compared: compatibility forms, no unseen signs, trimmed, no leading apostrophe."""
    if _NOT_PLAIN.search(text):
        text = unicodedata.normalize("NFKC", text).translate(_UNSEEN).translate(_DASHES)
        text = " ".join(text.split()).removeprefix("'")
    return text.strip()


def as_given(text: str) -> str:
    """A name or a comment as given, trimmed; an apostrophe that only guards against formulas is taken away."""
    text = text.strip().strip("\u200b\ufeff\u00a0").strip()
    if len(text) > 1 and text[0] == "'" and text[1] in _FORMULA:
        return text[1:]
    return text


def cell_text(value: object) -> str:
    """A spreadsheet's cell as text: whole numbers without a point, dates as ISO."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value)


def decoded(content: bytes) -> tuple[str, str]:
    """The text and the encoding it was in: a byte-order mark first, then UTF-8, then UTF-16 by its look, then Windows-1252.

    Raises:
        FileRefused: when it is none of them.
    """
    encoding = encoding_of(content)
    try:
        return content.decode("utf-8-sig" if encoding == "utf-8" else encoding), encoding
    except UnicodeDecodeError:
        sentence = "The file's characters could not be read. Save it again as “CSV UTF-8”, or as an XLSX workbook."
        raise FileRefused("encoding", sentence) from None


def encoding_of(content: bytes) -> str:
    """The name of the encoding a text file is in."""
    if content.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = content[:4096]
    if len(head) > 1 and head[1::2].count(0) > _WIDE * len(head) / 2:
        return "utf-16-le"
    if len(head) > 1 and head[0::2].count(0) > _WIDE * len(head) / 2:
        return "utf-16-be"
    if content.isascii():
        return "utf-8"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def as_lines(content: bytes) -> tuple[bytes, str]:
    """The bytes in an encoding that keeps ASCII in single bytes (UTF-8 or Windows-1252), every line ended by LF, and its name.

    Raises:
        FileRefused: encoding, or not-text.
    """
    encoding = encoding_of(content)
    if encoding.startswith("utf-16"):
        text, _ = decoded(content)
        content = text.encode("utf-8", "surrogatepass")
    elif encoding == "utf-8-sig":
        content = content[len(codecs.BOM_UTF8) :]
    elif encoding == "cp1252":
        decoded(content)
    at = content.find(b"\0")
    if at >= 0:
        row = content.count(b"\n", 0, at) + 1
        sentence = f"Row {row} holds signs that are not text. Export the file again, as CSV or as an XLSX workbook."
        raise FileRefused("not-text", sentence)
    if b"\r" in content and content.count(b"\r") != content.count(b"\r\n"):
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return content, encoding
