"""Parses XML and JSON safely: declarations are rejected, and depth and size are bounded."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

from lxml import etree

from portal.tabular.declarations import HEAD, reject_declarations
from portal.tabular.decoding import UTF16_MARKS, decoded
from portal.tabular.rejection import FileRejected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.tabular.limits import Limits

DAMAGED_XML = "The XML is damaged near line {}. Export it again from your system and send it."
DAMAGED_JSON = "The JSON is damaged near line {}. Export it again from your system and send it."
TOO_DEEP_JSON = "The JSON is nested more than {} deep. Export it again from your system."
TOO_DEEP_XML = "The XML is nested more than {} deep. Export it again from your system."
#: The depth at which lxml stops, without `huge_tree`.
LXML_MAX_DEPTH = 255
MAX_ELEMENTS, MAX_ATTRIBUTES, MAX_CONTAINERS = 1_200_000, 300_000, 2_000_000
#: JSON escapes that are not text: NUL, which PostgreSQL cannot store, and half of a surrogate pair, which UTF-8 cannot encode.
_NOT_TEXT = re.compile(r"\\u(?:0000|[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..\\u)[dD][c-fC-F])")


def xml_root(content: bytes, limits: Limits) -> etree._Element:
    """Parse XML safely: no network, no entities, bounded depth, elements and attributes.

    Namespaces, comments and processing instructions are removed.

    Raises:
        FileRejected: when it is damaged, or larger than a register could be.
    """
    if len(content) > limits.size:
        raise FileRejected("too-large", f"The file is larger than {limits.size // 1_000_000} MB. Send it in parts.")
    reject_declarations(content)
    # Counted before parsing: the tree takes many times the memory of the bytes.
    if content.count(b"<") - content.count(b"</") > MAX_ELEMENTS or content.count(b"=") > MAX_ATTRIBUTES:
        raise FileRejected(
            "too-much", "The XML has more elements than a school's file could have. Export it again, a year at a time."
        )
    root = _parse_xml(content.lstrip(b" \t\r\n"))
    if root.xpath("/" + "/".join("*" * (limits.depth + 1))):
        raise FileRejected("too-deep", TOO_DEEP_XML.format(limits.depth))
    if root.tag.startswith("{"):
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
    return root


def _parse_xml(content: bytes) -> etree._Element:
    """Parse XML. Some systems write Windows-1252 and declare UTF-8: such a file is read as Windows-1252."""
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
                raise FileRejected("too-deep", TOO_DEEP_XML.format(LXML_MAX_DEPTH)) from error
            line = getattr(error, "lineno", 0) or 0
    raise FileRejected("damaged", DAMAGED_XML.format(line))


def json_document(content: bytes, limits: Limits) -> Any:
    """Parse JSON with bounded size, depth and number of containers, without NaN and Infinity.

    Raises:
        FileRejected: when it is damaged, or exceeds the limits.
    """
    if len(content) > limits.size or content.count(b"{") + content.count(b"[") > MAX_CONTAINERS:
        raise FileRejected(
            "too-large", "The file holds more than a school's marks could. Send it in parts, such as a term at a time."
        )
    text, _ = decoded(content)
    if _NOT_TEXT.search(text):
        raise FileRejected("not-text", "The JSON has signs that are not text. Export it again from your system.")
    try:
        document = json.loads(text.lstrip("\ufeff"), parse_constant=_reject_constant)
    except FileRejected:
        raise
    except RecursionError as error:
        raise FileRejected("too-deep", TOO_DEEP_JSON.format(limits.depth)) from error
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise FileRejected("damaged", DAMAGED_JSON.format(line)) from error
    # Level by level instead of by recursion, which a deep document would exhaust.
    level = [document]
    for _ in range(limits.depth):
        level = [child for container in level for child in _containers_in(container)]
        if not level:
            return document
    raise FileRejected("too-deep", TOO_DEEP_JSON.format(limits.depth))


def _reject_constant(_name: str) -> NoReturn:
    raise FileRejected(
        "not-a-number", "The JSON has a value that is not a number (NaN or Infinity). Export it again from your system."
    )


def _containers_in(container: Any) -> Iterator[Any]:
    """The objects and arrays directly within an object or array."""
    values = container.values() if isinstance(container, dict) else container if isinstance(container, list) else ()
    return (child for child in values if isinstance(child, dict | list))
