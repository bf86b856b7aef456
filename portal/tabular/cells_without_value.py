"""Finds the cells of a workbook that hold an error, or a formula without a value.

The reader of workbooks gives both as blank, so a mark behind a broken formula would be no mark, and nobody would be told.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portal.tabular.limits import Limits

#: A formula, or a cell whose type is an error. Sheets without either are not parsed.
_SUSPECT = re.compile(rb"""<(?:[\w.-]{1,40}:)?f[\s/>]|\st\s{0,9}=\s{0,9}["']e["']""")
_REFERENCE = re.compile(r"([A-Za-z]{1,3})\d{1,7}$")
WORKBOOK, RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
SAFE: Mapping[str, Any] = {"resolve_entities": False, "no_network": True, "load_dtd": False, "recover": True}


def cells_without_value(content: bytes, limits: Limits) -> dict[str, dict[tuple[int, int], str]]:
    """By sheet, the row and column (from 0) of each such cell, with the error or the formula.

    The workbook has passed the guard, so its parts are within the limits and have no declarations.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {entry.filename.casefold().replace("\\", "/"): entry for entry in archive.infolist()}
        if not {WORKBOOK, RELATIONS} <= parts.keys():
            return {}
        workbook, relations = (_root(archive.read(parts[name])) for name in (WORKBOOK, RELATIONS))
        cells_by_sheet = {}
        for name, part in _parts_of_sheets(workbook, relations):
            if part in parts and (cells := _cells_of_sheet(archive.read(parts[part]), limits)):
                cells_by_sheet[name] = cells
        return cells_by_sheet


def _root(content: bytes) -> etree._Element | None:
    return etree.fromstring(content, etree.XMLParser(**SAFE))


def _parts_of_sheets(workbook: etree._Element | None, relations: etree._Element | None) -> Iterator[tuple[str, str]]:
    """Each sheet's name and the part that holds it."""
    if workbook is None or relations is None:
        return
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    for sheet in workbook.iter("{*}sheet"):
        identity = next((value for name, value in sheet.items() if name.endswith("}id")), None)
        target = targets.get(identity, "")
        yield sheet.get("name", ""), (target.lstrip("/") if target.startswith("/") else f"xl/{target}").casefold()


def _cells_of_sheet(content: bytes, limits: Limits) -> dict[tuple[int, int], str]:
    if not _SUSPECT.search(content.replace(b"\x00", b"")):
        return {}
    cells: dict[tuple[int, int], str] = {}
    row_index = -1
    for _, row in etree.iterparse(io.BytesIO(content), tag="{*}row", **SAFE):
        number = row.get("r", "")
        row_index = int(number) - 1 if number.isdecimal() else row_index + 1
        column = -1
        for cell in row.iterchildren("{*}c"):
            column = _column(cell.get("r", ""), column + 1)
            text = _text_without_value(cell)
            if text is not None and column < limits.columns and row_index < limits.rows:
                cells[row_index, column] = text
        # A row that has been read is let go: the whole tree takes many times the memory of the bytes.
        row.clear()
        while row.getprevious() is not None:
            del row.getparent()[0]
    return cells


def _column(reference: str, following: int) -> int:
    """The index of a cell's column. A cell without a reference stands after the one before it."""
    match = _REFERENCE.match(reference)
    if match is None:
        return following
    number = 0
    for letter in match[1].upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _text_without_value(cell: etree._Element) -> str | None:
    """The cell's error or formula; None if it has a value, or is blank."""
    formula, value = cell.find("{*}f"), cell.find("{*}v")
    kind = cell.get("t", "n")
    if kind == "e":
        return (value.text if value is not None else None) or "#ERROR!"
    if formula is None or kind == "inlineStr":
        return None
    # A formula may have an empty text for its value. It is then of kind "str", and blank.
    has_value = value is not None and (value.text or kind == "str")
    return None if has_value else f"={formula.text or ''}"
