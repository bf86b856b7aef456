"""The guard: what a file is by its content, and everything that could harm whoever reads it refused before it is read."""

from __future__ import annotations

import json
import re
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from lxml import etree

from portal.uploads.reading.extents import furthest
from portal.uploads.reading.shapes import FileRefused
from portal.uploads.reading.texts import decoded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.uploads.reading.shapes import Limits

HEAD = 4096
BLOCK, FEED = 256 * 1024, 32 * 1024
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
SAVE_AS = "Save it as XLSX or CSV and send that."
OLD_WORKBOOK = "This is an old kind of workbook (.xls). Save it as XLSX without a password and send that."
NUMBERS = "This is a Numbers file. In Numbers choose File, Export To, then Excel or CSV, and send what it makes."
ZIPPED = "This file is compressed (.zip). Unpack it, then send each file inside on its own."
#: What files that are not for reading begin with, and what they are called.
OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "pdf", "This is a PDF, whatever its name says. Export the register from your system as CSV or XLSX and send that."),
    (b"\x89PNG", "image", f"This is a picture. {SAVE_AS}"),
    (b"\xff\xd8\xff", "image", f"This is a picture. {SAVE_AS}"),
    (b"GIF8", "image", f"This is a picture. {SAVE_AS}"),
    (b"II*\x00", "image", f"This is a picture. {SAVE_AS}"),
    (b"MM\x00*", "image", f"This is a picture. {SAVE_AS}"),
    (b"\x7fELF", "program", "This is a program, not a register. Check which file you chose."),
    (b"#!", "program", "This is a program, not a register. Check which file you chose."),
    (b"\xca\xfe\xba\xbe", "program", "This is a program, not a register. Check which file you chose."),
    (b"\xcf\xfa\xed\xfe", "program", "This is a program, not a register. Check which file you chose."),
    (b"\x1f\x8b", "archive", "This file is compressed. Unpack it and send the file inside."),
    (b"7z\xbc\xaf", "archive", "This file is compressed. Unpack it and send the file inside."),
    (b"Rar!", "archive", "This file is compressed. Unpack it and send the file inside."),
    (b"BZh", "archive", "This file is compressed. Unpack it and send the file inside."),
    (b"\xfd7zXZ", "archive", "This file is compressed. Unpack it and send the file inside."),
    *((begins, "old-workbook", OLD_WORKBOOK) for begins in (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00")),
    (b"X5O!P%@AP[4", "virus", "This file has the mark of a virus, and is not kept. Tell whoever looks after your computers."),
    (b"{\\rtf", "document", f"This is a text document. {SAVE_AS}"),
    (b"+/v", "encoding", "This file is written in UTF-7. Save it as UTF-8 and send it."),
    (b"\xff\xfe\x00\x00", "encoding", "This file is written in UTF-32. Save it as UTF-8 and send it."),
    (b"\x00\x00\xfe\xff", "encoding", "This file is written in UTF-32. Save it as UTF-8 and send it."),
)
WEB_PAGE = frozenset("html head body table script meta style div svg iframe".split())  # noqa: SIM905  a list of words
#: Encodings in which an ASCII sign is always itself, so that a search of the bytes finds every declaration.
ENCODINGS = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "latin1", "windows-1252", "cp1252"})
WIDE = frozenset({"utf-16", "utf-16le", "utf-16be", "unicode"})
#: "<!" with the D, E, A or N of a DOCTYPE, ENTITY, ELEMENT, ATTLIST or NOTATION, in one byte a sign and in two.
DECLARATION = re.compile(rb"<![DEANdean]|<\x00!\x00[DEANdean]\x00|\x00<\x00!\x00[DEANdean]")
NO_DECLARATIONS = "The file has XML declarations (DOCTYPE or ENTITY) that no register needs. Export it again from your system."
DAMAGED_XML = "The XML is damaged near line {}. Export it again from your system and send it."
DAMAGED_JSON = "The JSON is damaged near line {}. Export it again from your system and send it."
TOO_DEEP_XML = "The XML is nested more than {} deep. Export it again from your system."
#: How deep lxml goes before it stops, without `huge_tree`.
DEEPEST = 255
MOST_ELEMENTS, MOST_ATTRIBUTES, MOST_CONTAINERS = 1_200_000, 300_000, 2_000_000
_ENCODING = re.compile(r"""<\?xml[^>]{0,200}?encoding\s{0,9}=\s{0,9}["']([^"']{1,40})["']""")
#: What JSON can write and no text can hold: a NUL, and half of a pair.
_NO_SIGN = re.compile(r"\\u(?:0000|[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..\\u)[dD][c-fC-F])")
_FIRST_NAME = re.compile(r"\s*(?:(?:<\?[^>]{0,500}>|<!--(?:(?!-->).){0,2000}-->)\s*){0,20}<([A-Za-z!][\w:.-]{0,60})", re.DOTALL)


def recognised(content: bytes, limits: Limits) -> str:
    """What the bytes are: "xlsx", "xml", "json" or "text". The file's name is never asked.

    Raises:
        FileRefused: for anything else, and for a file that would harm its reader; the sentence says what to do.
    """
    if len(content) > limits.size:
        _refuse("too-large", f"The file is larger than {limits.size // 1_000_000} MB. Send it in parts, such as a term at a time.")
    if not content[:HEAD].strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00") and not content.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00"):
        _refuse("empty", "The file is empty. Export it again from your system and send it.")
    if content.startswith(OLE):
        _refuse_ole(content)
    if content.startswith(b"PK"):
        _guard_workbook(content, limits)
        return "xlsx"
    start = content[:HEAD] if content.startswith(b"\x09") else content[:HEAD].lstrip(b"\xef\xbb\xbf \r\n")
    for beginning, kind, message in OTHERS:
        if start.startswith(beginning):
            _refuse(kind, message)
    if content.startswith((b"MZ", b"BM", b"RIFF")) and b"\x00" in content[:HEAD]:
        _refuse("program", "This is not a register. Check which file you chose.")
    return _written(content)


def _refuse(kind: str, message: str) -> NoReturn:
    raise FileRefused(kind, message)


def _refuse_ole(content: bytes) -> NoReturn:
    """An old Office file, or a new one with a password: both are kept in the same wrapper."""
    if "EncryptedPackage".encode("utf-16-le") in content:
        _refuse("password", "The workbook has a password. Save it as XLSX without a password and send that.")
    if "WordDocument".encode("utf-16-le") in content:
        _refuse("document", f"This is a text document. {SAVE_AS}")
    _refuse("old-workbook", OLD_WORKBOOK)


def _written(content: bytes) -> str:
    """A file of text: XML, JSON, or rows."""
    head = _head(content)
    if head.startswith("<"):
        match = _FIRST_NAME.match(head)
        name = match[1].casefold() if match else ""
        if name in WEB_PAGE or head[:2000].casefold().startswith("<!doctype html"):
            _refuse("web-page", f"This is a web page, even if its name says otherwise. Open it in a spreadsheet program. {SAVE_AS}")
        if name.rpartition(":")[2] == "workbook":
            _refuse("old-workbook", f"This is an old kind of workbook (XML Spreadsheet). {SAVE_AS}")
        _refuse_declarations(content)
        return "xml"
    wide = content.startswith(UTF16_MARKS)
    if not wide and b"\x00" in content:
        row = content.count(b"\n", 0, content.index(b"\x00")) + 1
        _refuse("not-text", f"Row {row} has signs that are not text. Save the file as CSV or XLSX and send it.")
    if re.match(r'\{\s*["}]|\[\s*[\[\]{"]', head):
        return "json"
    return "text"


def _head(content: bytes) -> str:
    """The first signs of a file, without its byte order mark and leading space."""
    start = content[:HEAD]
    if start.startswith(UTF16_MARKS):
        return start.decode("utf-16", errors="replace").lstrip("\ufeff \t\r\n")
    if start.startswith(b"<\x00"):
        return start.decode("utf-16-le", errors="replace")
    if start.startswith(b"\x00<"):
        return start.decode("utf-16-be", errors="replace")
    return start.decode("utf-8-sig", errors="replace").lstrip("\ufeff \t\r\n")


def _refuse_declarations(content: bytes) -> None:
    """No DOCTYPE, no ENTITY, and no encoding in which one could hide."""
    head = _head(content)
    match = _ENCODING.match(head)
    said = match[1].casefold().replace("_", "-") if match else "utf-8"
    if said not in ENCODINGS and said not in WIDE:
        _refuse("encoding", f"The file says it is written in {said[:20]}. Export it as UTF-8 and send it.")
    if _declares(content):
        _refuse("declarations", NO_DECLARATIONS)


def _declares(content: bytes) -> bool:
    """Is there a declaration? Asked quickly first: "<!" is rare, and the same two signs stand in both orders of UTF-16."""
    return (b"<!" in content or b"<\x00!" in content) and DECLARATION.search(content) is not None


def xml_root(content: bytes, limits: Limits) -> etree._Element:
    """The root of an XML file, names without their namespaces, comments and instructions left out.

    Nothing is fetched, no entity is expanded, and depth, elements and attributes are bounded.

    Raises:
        FileRefused: when it is damaged, or is more than a register could be.
    """
    if len(content) > limits.size:
        _refuse("too-large", f"The file is larger than {limits.size // 1_000_000} MB. Send it in parts.")
    _refuse_declarations(content)
    if content.count(b"<") - content.count(b"</") > MOST_ELEMENTS or content.count(b"=") > MOST_ATTRIBUTES:
        _refuse("too-much", "The XML has more elements than a school's file could have. Export it again, a year at a time.")
    root = _parsed(content.lstrip(b" \t\r\n"))
    if root.xpath("/" + "/".join("*" * (limits.depth + 1))):
        _refuse("too-deep", TOO_DEEP_XML.format(limits.depth))
    if root.tag.startswith("{"):
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
    return root


def _parsed(content: bytes) -> etree._Element:
    """Parse; a file that says UTF-8 and is Windows-1252, as some systems write, is read as what it is."""
    encodings: tuple[str | None, ...] = (None,)
    if not content.startswith(UTF16_MARKS) and b"\x00" not in content[:HEAD]:
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            encodings = (None, "windows-1252")
    line = 0
    for encoding in encodings:
        parser = etree.XMLParser(
            encoding=encoding,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            return etree.fromstring(content, parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            if "depth" in str(error):
                raise FileRefused("too-deep", TOO_DEEP_XML.format(DEEPEST)) from error
            line = getattr(error, "lineno", 0) or 0
    raise FileRefused("damaged", DAMAGED_XML.format(line))


def json_document(content: bytes, limits: Limits) -> Any:
    """A JSON file's content: size, depth and number of containers bounded, NaN and Infinity refused.

    Raises:
        FileRefused: when it is damaged or too much.
    """
    if len(content) > limits.size or content.count(b"{") + content.count(b"[") > MOST_CONTAINERS:
        _refuse("too-large", "The file holds more than a school's marks could. Send it in parts, such as a term at a time.")
    text, _ = decoded(content)
    if _NO_SIGN.search(text):
        _refuse("not-text", "The JSON has signs that are not text. Export it again from your system.")
    try:
        document = json.loads(text.lstrip("\ufeff"), parse_constant=_no_constant)
    except RecursionError:
        _refuse("too-deep", f"The JSON is nested more than {limits.depth} deep. Export it again from your system.")
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise FileRefused("damaged", DAMAGED_JSON.format(line)) from error
    level = [document]
    for _ in range(limits.depth):
        level = [child for one in level for child in _children(one)]
        if not level:
            return document
    _refuse("too-deep", f"The JSON is nested more than {limits.depth} deep. Export it again from your system.")


def _no_constant(_name: str) -> NoReturn:
    _refuse("not-a-number", "The JSON has a value that is not a number (NaN or Infinity). Export it again from your system.")


def _children(one: Any) -> Iterator[Any]:
    """The containers directly within a container."""
    values = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
    return (child for child in values if isinstance(child, dict | list))


# The zip guard. Its own walk of the directory: the standard library's reads as many entries as a file claims, does not
# see entries that overlap (Python 3.11), and stops at the declared size, so that a part that lies is not found out.

_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
DAMAGED_ZIP = "The workbook is damaged, or made to look smaller than it is. Save it again as XLSX and send it."
TOO_LARGE_ZIP = "The workbook is too large once unpacked. Remove what is not a register, or send it in parts as CSV."
LONGEST_ENTRY = 2_048
RATIO_FROM = 1_000_000
TOO_LARGE_SHEET = "A sheet has cells far beyond its register. Delete its empty rows and columns, or save it as CSV and send that."
ENCRYPTED, STORED, DEFLATED = 0x41, 0, 8
TAIL = 64


@dataclass(frozen=True, slots=True)
class _Part:
    """An entry of the directory: what it says of itself."""

    name: str
    method: int
    packed: int
    size: int
    start: int


def _guard_workbook(content: bytes, limits: Limits) -> None:
    """Refuse every zip but an ordinary workbook within limits; its real bytes are counted."""
    parts, directory = _directory(content, limits)
    names = {part.name.casefold().replace("\\", "/") for part in parts}
    if len(names) != len(parts):
        _refuse("damaged", DAMAGED_ZIP)
    _refuse_other_kinds(names)
    if sum(part.size for part in parts) > limits.unpacked or any(part.size > limits.part for part in parts):
        _refuse("too-large", TOO_LARGE_ZIP)
    if any(part.size > RATIO_FROM and part.size > limits.ratio * max(part.packed, 1) for part in parts):
        _refuse("too-large", TOO_LARGE_ZIP)
    for part, data in _placed(content, parts, directory):
        _counted(part, data, limits)


def _refuse_other_kinds(names: set[str]) -> None:
    """Only a workbook without programs in it is read."""
    if any(name.endswith("vbaproject.bin") or name.startswith("xl/macrosheets/") for name in names):
        _refuse("macros", "The workbook has macros (.xlsm). Save it as XLSX without macros and send that.")
    if "xl/workbook.bin" in names:
        _refuse("old-workbook", "This is a binary workbook (.xlsb). Save it as XLSX and send that.")
    if "mimetype" in names or "content.xml" in names:
        _refuse("opendocument", "This is an OpenDocument file (.ods). Save it as XLSX and send that.")
    if any(name.endswith(".iwa") for name in names):
        _refuse("numbers", NUMBERS)
    if any(name.startswith(("word/", "ppt/")) for name in names):
        _refuse("document", f"This is a document, not a workbook. {SAVE_AS}")
    if not any(name.startswith("xl/") for name in names):
        _refuse("archive", ZIPPED)


def _directory(content: bytes, limits: Limits) -> tuple[list[_Part], int]:
    """The entries of the central directory and where it begins; it must be as long, and hold as many, as the end record says."""
    place = content.rfind(b"PK\x05\x06", max(0, len(content) - _END.size - 65_535))
    if place < 0 or place + _END.size > len(content):
        _refuse("damaged", DAMAGED_ZIP)
    _, disk, first_disk, here, count, size, start, comment = _END.unpack_from(content, place)
    if count > limits.parts or here != count:
        message = f"The workbook has more than {limits.parts} parts. Save only the register as XLSX or CSV and send that."
        _refuse("too-many-parts", message)
    if disk or first_disk or place + _END.size + comment != len(content) or start + size != place or size > count * LONGEST_ENTRY:
        _refuse("damaged", DAMAGED_ZIP)
    parts, at = [], start
    while at < place:
        if at + _CENTRAL.size > place:
            _refuse("damaged", DAMAGED_ZIP)
        signature, _, _, flags, method, _, _, _, packed, real, name, extra, note, _, _, _, local = _CENTRAL.unpack_from(content, at)
        if signature != b"PK\x01\x02":
            _refuse("damaged", DAMAGED_ZIP)
        if flags & ENCRYPTED:
            _refuse("password", "The workbook has a password. Save it as XLSX without a password and send that.")
        if method not in {STORED, DEFLATED}:
            _refuse("damaged", DAMAGED_ZIP)
        at += _CENTRAL.size
        parts.append(_Part(content[at : at + name].decode("utf-8", errors="replace"), method, packed, real, local))
        at += name + extra + note
    if at != place or len(parts) != count:
        _refuse("damaged", DAMAGED_ZIP)
    return parts, start


def _placed(content: bytes, parts: list[_Part], directory: int) -> Iterator[tuple[_Part, memoryview]]:
    """Each part with its packed bytes, which no other part shares and which end before the directory begins."""
    view, free_from = memoryview(content), 0
    for part in sorted(parts, key=lambda one: one.start):
        if part.start < free_from or part.start + _LOCAL.size > directory:
            _refuse("damaged", DAMAGED_ZIP)
        signature, _, flags, method, _, _, _, _, _, name, extra = _LOCAL.unpack_from(content, part.start)
        begins = part.start + _LOCAL.size + name + extra
        free_from = begins + part.packed
        named = content[part.start + _LOCAL.size : part.start + _LOCAL.size + name].decode("utf-8", errors="replace")
        if signature != b"PK\x03\x04" or flags & ENCRYPTED or method != part.method or named != part.name or free_from > directory:
            _refuse("damaged", DAMAGED_ZIP)
        yield part, view[begins:free_from]


def _counted(part: _Part, data: memoryview, limits: Limits) -> None:
    """Unpack a part block by block, keeping none of it: its size must be what was declared, and its content harmless."""
    real, tail, extent = 0, b"", (0, 0)
    is_xml: bool | None = None
    for block in _blocks(part, data):
        if real == 0 and block.startswith((b"PK\x03\x04", OLE)):
            _refuse("nested", "The workbook has another file inside it. Remove it, save the workbook as XLSX and send that.")
        if is_xml is None and (shown := block.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")):
            is_xml = shown.startswith(b"<")
        real += len(block)
        if real > part.size:
            _refuse("damaged", DAMAGED_ZIP)
        if is_xml:
            if _declares(tail + block):
                _refuse("declarations", NO_DECLARATIONS)
            extent = _extent(tail + block, extent, limits)
        tail = block[-TAIL:]
    if real != part.size:
        _refuse("damaged", DAMAGED_ZIP)


def _extent(block: bytes, extent: tuple[int, int], limits: Limits) -> tuple[int, int]:
    """The last column and row of any cell so far. Whoever reads a sheet makes room for all of them, so they are bounded here."""
    column, row = furthest(block)
    column, row = max(column, extent[0]), max(row, extent[1])
    if column > limits.columns or row * max(column, 1) > limits.area:
        _refuse("rows", TOO_LARGE_SHEET)
    return column, row


def _blocks(part: _Part, data: memoryview) -> Iterator[bytes]:
    """A part's real bytes in blocks."""
    if part.method == STORED:
        yield from (bytes(data[at : at + BLOCK]) for at in range(0, len(data), BLOCK))
        return
    unpacker = zlib.decompressobj(-15)
    try:
        for at in range(0, len(data), FEED):
            waiting = bytes(data[at : at + FEED])
            while block := unpacker.decompress(waiting, BLOCK):
                yield block
                waiting = unpacker.unconsumed_tail
    except zlib.error as error:
        raise FileRefused("damaged", DAMAGED_ZIP) from error
