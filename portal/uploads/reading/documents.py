"""Documents: XML read with everything dangerous off, and told apart by what stands in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from portal.uploads.reading import census, transfers
from portal.uploads.reading.limits import FileRefused
from portal.uploads.reading.texts import decoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.uploads.reading.limits import Limits
    from portal.uploads.reading.results import Reading

_DECLARATION = re.compile(r"\s*<\?xml\b[^>]{0,200}\?>")
_DECLARED = re.compile(r"encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_KNOWN = {"iso-8859-1", "latin-1", "windows-1252", "cp1252", "utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "ascii", "ucs-2"}

_DTD = "The file declares a document type or entities, which are not accepted. Export a fresh Common Transfer File and send that."
_MALFORMED = "The XML is not well formed: {why}. Export the file again and send the new one."
_UNKNOWN = "The file is XML, but neither a Common Transfer File nor a school census. Send marks as a CTF, CSV or XLSX file."


def read_document(content: bytes, limits: Limits, progress: Callable[[int], None] | None) -> Reading:
    """Read a Common Transfer File or a school census.

    Raises:
        FileRefused: when it is neither, is not well formed, or holds what is not accepted.
    """
    root, encoding = parsed(content, limits)
    tags = {_local(root)} | {_local(one) for one in root}
    if "CTFpupilData" in tags or _local(root) == "CTfile":
        return transfers.read_transfer(root, encoding, progress)
    if _first(root, "TermlyAttendance") is not None or "Pupils" in tags or _first(root, "PupilsOnRoll") is not None:
        return census.read_census(root, encoding)
    if _first(root, "SessionAttendance") is not None:
        sentence = "This file names pupils by their number in SIMS, not by UPN. Export a report with the UPN, or a Common Transfer File."
        raise FileRefused("no-upn", sentence)
    raise FileRefused("unknown", _UNKNOWN)


def parsed(content: bytes, limits: Limits) -> tuple[etree._Element, str]:
    """The root element and the encoding found. What the declaration says of the encoding is not believed.

    Raises:
        FileRefused: dtd, encoding, too-many-parts or malformed.
    """
    text, encoding = decoded(content)
    declaration = _DECLARATION.match(text)
    if declaration:
        declared = _DECLARED.search(declaration[0])
        if declared and declared[1].lower() not in _KNOWN:
            sentence = f"The file says its characters are {declared[1]}, which is not accepted. Export it again as UTF-8."
            raise FileRefused("encoding", sentence)
        text = text[declaration.end() :]
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise FileRefused("dtd", _DTD)
    if text.count("<") > limits.tags or text.count("=") > limits.attributes:
        raise FileRefused("too-many-parts", "The file holds far more than a register should. Export one year at a time.")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True, dtd_validation=False
    )
    try:
        root = etree.fromstring(text.lstrip().encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        raise FileRefused("malformed", _MALFORMED.format(why=_said(error))) from None
    return root, encoding


def _said(error: etree.XMLSyntaxError) -> str:
    line = error.lineno or 1
    return f"look at line {line}"


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _first(root: etree._Element, name: str) -> etree._Element | None:
    return next(root.iter(f"{{*}}{name}"), None)
