"""Declarations in XML, such as a document type or an entity. No table needs one, and it can harm its reader."""

from __future__ import annotations

import re

from portal.tabular.decoding import UTF16_MARKS
from portal.tabular.rejection import FileRejected

HEAD = 4096
#: Encodings in which ASCII characters are single bytes, so that a search of the bytes finds every declaration.
BYTE_ENCODINGS = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "latin1", "windows-1252", "cp1252"})
UTF16_ENCODINGS = frozenset({"utf-16", "utf-16le", "utf-16be", "unicode"})
#: "<!" with the D, E, A or N of a DOCTYPE, ENTITY, ELEMENT, ATTLIST or NOTATION, in encodings of one byte and of two.
DECLARATION = re.compile(rb"<![DEANdean]|<\x00!\x00[DEANdean]\x00|\x00<\x00!\x00[DEANdean]")
NO_DECLARATIONS = "The file has XML declarations (DOCTYPE or ENTITY) that no table needs. Export it again from your system."
_ENCODING = re.compile(r"""<\?xml[^>]{0,200}?encoding\s{0,9}=\s{0,9}["']([^"']{1,40})["']""")


def decoded_head(content: bytes) -> str:
    """The first characters of a file, without byte order mark and leading space."""
    start = content[:HEAD]
    if start.startswith(UTF16_MARKS):
        return start.decode("utf-16", errors="replace").lstrip("\ufeff \t\r\n")
    if start.startswith(b"<\x00"):
        return start.decode("utf-16-le", errors="replace")
    if start.startswith(b"\x00<"):
        return start.decode("utf-16-be", errors="replace")
    return start.decode("utf-8-sig", errors="replace").lstrip("\ufeff \t\r\n")


def reject_declarations(content: bytes) -> None:
    """Reject DOCTYPE and ENTITY, and any encoding that could hide them from a search."""
    match = _ENCODING.match(decoded_head(content))
    encoding = match[1].casefold().replace("_", "-") if match else "utf-8"
    if encoding not in BYTE_ENCODINGS and encoding not in UTF16_ENCODINGS:
        raise FileRejected("encoding", f"The file says it is written in {encoding[:20]}. Export it as UTF-8 and send it.")
    if has_declaration(content):
        raise FileRejected("declarations", NO_DECLARATIONS)


def has_declaration(content: bytes) -> bool:
    """Whether the bytes have an XML declaration such as DOCTYPE."""
    # The plain search is fast and rarely finds anything. "<\0!" occurs in both byte orders of UTF-16.
    return (b"<!" in content or b"<\x00!" in content) and DECLARATION.search(content) is not None
