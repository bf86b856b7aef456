"""Tables: a delimited text or a workbook's sheets as numbered rows of texts, whatever they came from."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from portal.uploads.reading.headings import DEEPEST, heading_of
from portal.uploads.reading.limits import FileRefused
from portal.uploads.reading.scanning import Scan, fields_of
from portal.uploads.reading.texts import as_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from portal.uploads.reading.headings import Heading
    from portal.uploads.reading.limits import Limits
    from portal.uploads.reading.results import Problem

HEAD_ROWS = DEEPEST + 40
_HEAD_BYTES = 1 << 20
_DELIMITERS = (",", ";", "\t", "|")
_SEP = "sep="


class Table(Protocol):
    """Rows of texts, numbered from 1 as the user sees them."""

    sheet: int
    name: str
    heading: Heading

    def rows(self, *, after: int = 0) -> Iterator[tuple[int, list[str]]]:
        """Every row after a number, with its number."""

    def raw(self, wanted: Collection[int]) -> dict[int, tuple[str, ...]]:
        """The cells of some rows as sent."""


class TextTable:
    """A CSV, TSV or semicolon file as a table."""

    sheet = 0
    name = ""

    def __init__(self, content: bytes, mapping: Mapping[str, str] | None, limits: Limits) -> None:
        self.content, self.encoding = as_lines(content)
        self.limits = limits
        self.codec = "cp1252" if self.encoding == "cp1252" else "utf-8"
        self._refuse_endless_line()
        self.delimiter, self.heading = self._heading(mapping)
        self.scan: Scan | None = None

    def _refuse_endless_line(self) -> None:
        first = self.content.find(b"\n")
        if (first if first >= 0 else len(self.content)) > self.limits.line:
            sentence = "Row 1 is too long to be a row of a register. Export the file again as CSV, with one line for each row."
            raise FileRefused("line-too-long", sentence)

    def _heading(self, mapping: Mapping[str, str] | None) -> tuple[str, Heading]:
        """The delimiter that makes the most of the first rows, and the heading they then have."""
        cut = self.content.rfind(b"\n", 0, _HEAD_BYTES) + 1 if len(self.content) > _HEAD_BYTES else len(self.content)
        text = self.content[: cut or _HEAD_BYTES].decode(self.codec, "replace")
        said = text[:6].lower()
        delimiters: tuple[str, ...] = (text[4],) if said.startswith(_SEP) and len(text) > len(_SEP) and text[4] in _DELIMITERS else _DELIMITERS
        best: tuple[tuple[int, int, int], str, Heading] | None = None
        for delimiter in delimiters:
            head = self._head(text, delimiter)
            heading = heading_of(head, mapping)
            if heading is not None:
                worth = (len(heading.places) + len(heading.slots), int(heading.row > 0), max(len(row) for row in head))
                if best is None or worth > best[0]:
                    best = (worth, delimiter, heading)
        if best is None:
            raise FileRefused("empty", "The file has no rows. Export it again and check that it opens before sending it.")
        return best[1], best[2]

    def _head(self, text: str, delimiter: str) -> list[list[str]]:
        head: list[list[str]] = []
        # Where a row is malformed the scan says what is wrong with it, and where.
        with suppress(csv.Error):
            for row in csv.reader(io.StringIO(text), delimiter=delimiter):
                if len(row) > self.limits.columns:
                    raise too_many_columns(len(head) + 1, self.limits)
                head.append(row)
                if len(head) >= HEAD_ROWS:
                    break
        return head

    def rows(self, *, after: int = 0) -> Iterator[tuple[int, list[str]]]:
        """Every row after a number, with its number. Only as many columns as limits allow."""
        scan = self.scanned()
        for block in scan.blocks(after=after):
            regular = {int(number): None for number in block.rows}
            odd = dict(block.odd)
            for number in sorted(regular | odd):
                row = odd[number] if number in odd else scan_fields(scan.text_of(number), self.delimiter)
                if len(row) > self.limits.columns:
                    raise too_many_columns(number, self.limits)
                yield number, row

    def scanned(self) -> Scan:
        """A fresh scan of the text."""
        self.scan = Scan(
            self.content, delimiter=self.delimiter, codec=self.codec, width=max(len(self.heading.headers), 1), limits=self.limits
        )
        return self.scan

    def raw(self, wanted: Collection[int]) -> dict[int, tuple[str, ...]]:
        """The cells of some rows, which have been passed."""
        return {number: self.scan.record(number) for number in wanted} if self.scan is not None else {}


def scan_fields(text: str, delimiter: str) -> list[str]:
    """A record as texts; without quotation marks it is only cut."""
    return text.split(delimiter) if '"' not in text else fields_of(text, delimiter)


def too_many_columns(row: int, limits: Limits) -> FileRefused:
    """The refusal of a table that is too wide."""
    return FileRefused("too-many-columns", f"Row {row} has more than {limits.columns:,} columns. Send one term at a time.")


def too_many_rows(limits: Limits) -> FileRefused:
    """The refusal of a table that is too long."""
    return FileRefused("too-many-rows", f"The file has more than {limits.rows:,} rows. Send one year at a time.")


def refuse_too_many(problems: Sequence[Problem], limits: Limits) -> None:
    """Refuse a file in which nearly nothing can be read, naming the first row.

    Raises:
        FileRefused: too-many-refused.
    """
    if len(problems) > limits.refused_rows:
        first = problems[0]
        sentence = f"More than {limits.refused_rows:,} rows cannot be read. The first is row {first.row}: {first.message}"
        raise FileRefused("too-many-refused", sentence)
