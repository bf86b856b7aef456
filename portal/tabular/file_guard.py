"""Recognises a file by its content, and rejects one that could harm its reader before it is parsed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from portal.tabular.declarations import HEAD, decoded_head, reject_declarations
from portal.tabular.decoding import UTF16_MARKS
from portal.tabular.rejection import FileRejected
from portal.tabular.zip_guard import OLE, check_workbook

if TYPE_CHECKING:
    from portal.tabular.limits import Limits

SAVE_AS = "Save it as XLSX or CSV and send that."
OLD_WORKBOOK = "This is an old kind of workbook (.xls). Save it as XLSX without a password and send that."
#: The first bytes of files that are not read, the kind of rejection, and what to do.
REJECTED_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "pdf", "This is a PDF. Export it from your system as CSV or XLSX and send that."),
    (b"\x89PNG", "image", f"This is a picture. {SAVE_AS}"),
    (b"\xff\xd8\xff", "image", f"This is a picture. {SAVE_AS}"),
    (b"GIF8", "image", f"This is a picture. {SAVE_AS}"),
    (b"II*\x00", "image", f"This is a picture. {SAVE_AS}"),
    (b"MM\x00*", "image", f"This is a picture. {SAVE_AS}"),
    (b"\x7fELF", "program", "This is a program. Check which file you chose."),
    (b"#!", "program", "This is a program. Check which file you chose."),
    (b"\xca\xfe\xba\xbe", "program", "This is a program. Check which file you chose."),
    (b"\xcf\xfa\xed\xfe", "program", "This is a program. Check which file you chose."),
    (b"\x1f\x8b", "archive", "This file is compressed. Unpack it and send the file inside."),
    (b"7z\xbc\xaf", "archive", "This file is compressed. Unpack it and send the file inside."),
    (b"Rar!", "archive", "This file is compressed. Unpack it and send the file inside."),
    (b"BZh", "archive", "This file is compressed. Unpack it and send the file inside."),
    (b"\xfd7zXZ", "archive", "This file is compressed. Unpack it and send the file inside."),
    *((signature, "old-workbook", OLD_WORKBOOK) for signature in (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00")),
    (b"X5O!P%@AP[4", "virus", "This file has the mark of a virus, and is not kept. Tell whoever looks after your computers."),
    (b"{\\rtf", "document", f"This is a text document. {SAVE_AS}"),
    (b"+/v", "encoding", "This file is written in UTF-7. Save it as UTF-8 and send it."),
    (b"\xff\xfe\x00\x00", "encoding", "This file is written in UTF-32. Save it as UTF-8 and send it."),
    (b"\x00\x00\xfe\xff", "encoding", "This file is written in UTF-32. Save it as UTF-8 and send it."),
)
HTML_ELEMENTS = frozenset({"html", "head", "body", "table", "script", "meta", "style", "div", "svg", "iframe"})
_FIRST_ELEMENT = re.compile(r"\s*(?:(?:<\?[^>]{0,500}>|<!--(?:(?!-->).){0,2000}-->)\s*){0,20}<([A-Za-z!][\w:.-]{0,60})", re.DOTALL)


def file_kind(content: bytes, limits: Limits) -> str:
    """The kind of a file by its content: "xlsx", "xml", "json" or "text". The file name is not used.

    Raises:
        FileRejected: for any other kind, and for a file that could harm its reader; the sentence says what to do.
    """
    if len(content) > limits.size:
        raise FileRejected("too-large", f"The file is larger than {limits.size // 1_000_000} MB. {limits.advice}")
    if not content[:HEAD].strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00") and not content.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00"):
        raise FileRejected("empty", "The file is empty. Export it again from your system and send it.")
    if content.startswith(OLE):
        _reject_ole(content)
    if content.startswith(b"PK"):
        check_workbook(content, limits)
        return "xlsx"
    start = content[:HEAD] if content.startswith(b"\x09") else content[:HEAD].lstrip(b"\xef\xbb\xbf \r\n")
    for signature, kind, message in REJECTED_SIGNATURES:
        if start.startswith(signature):
            raise FileRejected(kind, message)
    # These letters may also begin a CSV: only a NUL shows that the file is a program or picture.
    if content.startswith((b"MZ", b"BM", b"RIFF")) and b"\x00" in content[:HEAD]:
        raise FileRejected("program", "This is a program or a picture. Check which file you chose.")
    return _text_kind(content)


def _reject_ole(content: bytes) -> NoReturn:
    """Reject an old Office file, or a new one with a password: both are OLE containers."""
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise FileRejected("password", "The workbook has a password. Save it as XLSX without a password and send that.")
    if "WordDocument".encode("utf-16-le") in content:
        raise FileRejected("document", f"This is a text document. {SAVE_AS}")
    raise FileRejected("old-workbook", OLD_WORKBOOK)


def _text_kind(content: bytes) -> str:
    """The kind of a text file: "xml", "json" or "text"."""
    head = decoded_head(content)
    if head.startswith("<"):
        match = _FIRST_ELEMENT.match(head)
        name = match[1].casefold() if match else ""
        if name in HTML_ELEMENTS or head[:2000].casefold().startswith("<!doctype html"):
            raise FileRejected(
                "web-page", f"This is a web page, even if its name says otherwise. Open it in a spreadsheet program. {SAVE_AS}"
            )
        if name.rpartition(":")[2] == "workbook":
            raise FileRejected("old-workbook", f"This is an old kind of workbook (XML Spreadsheet). {SAVE_AS}")
        reject_declarations(content)
        return "xml"
    is_utf16 = content.startswith(UTF16_MARKS)
    if not is_utf16 and b"\x00" in content:
        row = content.count(b"\n", 0, content.index(b"\x00")) + 1
        message = "The row has signs that are not text. Save the file as CSV or XLSX and send it."
        raise FileRejected("not-text", message, row)
    # A CSV may begin with a bracket too: JSON is recognised by what follows it.
    if re.match(r'\{\s*["}]|\[\s*[\[\]{"]', head):
        return "json"
    return "text"
