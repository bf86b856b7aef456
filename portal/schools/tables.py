"""Tables as they reach us: bytes to rows whose headings are matched by meaning, and what is wrong with a cell."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Title rows above the headings are passed over, up to this many.
TITLE_ROWS = 20
LARGEST = 120_000_000
DATE_FORMATS = ("%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y", "%d/%m/%y")
YEARS = (1800, 2100)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that stops a row being kept: where it is, what stands there, and what to do about it."""

    row: int | None
    column: str | None
    value: str | None
    what_to_do: str


class UnreadableError(ValueError):
    """The bytes are not a table we can read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table's rows by their number in the file (headings included in the count), and where each known column is."""

    columns: Mapping[str, tuple[int, str]]
    rows: Sequence[tuple[int, Sequence[str]]]

    def has(self, field: str) -> bool:
        """Does the table have this column?"""
        return field in self.columns

    def heading(self, field: str) -> str:
        """The column's heading as the file writes it, or the field's own name."""
        return self.columns[field][1] if field in self.columns else field.replace("_", " ")

    def cell(self, cells: Sequence[str], field: str) -> str:
        """A row's value in the column, trimmed; empty where the column or the cell is not there."""
        place = self.columns.get(field)
        return cells[place[0]].strip() if place is not None and place[0] < len(cells) else ""


def text_of(content: bytes) -> str:
    """The bytes as text: UTF-8 or UTF-16 with or without its mark, otherwise Windows-1252, as GIAS writes it.

    Raises:
        UnreadableError: for a file larger than GIAS's own extract could be.
    """
    if len(content) > LARGEST:
        message = "The file is larger than 120 MB. Send only the rows and columns that are needed."
        raise UnreadableError(message)
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return content.decode("utf-16", errors="replace").replace("\0", "")
    try:
        return content.decode("utf-8-sig").replace("\0", "")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace").replace("\0", "")


def folded_heading(text: str) -> str:
    """A heading as it is compared: letters and digits only, case ignored."""
    return re.sub(r"[^a-z0-9]", "", text.casefold())


def table(content: bytes, names: Mapping[str, Sequence[str]], needed: Sequence[str]) -> Table:
    """Read a CSV whose columns are known by any of their names, whatever the case, spaces or punctuation.

    Title rows above the headings are passed over; comma, semicolon and tab are all understood.

    Raises:
        UnreadableError: when no row holds every needed heading, or the quoting is broken; the message says what to do.
    """
    text = text_of(content)
    known = {name: field for field, wanted in names.items() for name in wanted}
    try:
        rows = _rows(text)
    except csv.Error as error:
        message = f"The file could not be read as CSV ({error}). Save it again as CSV and send that file."
        raise UnreadableError(message) from error
    for place, (_, cells) in enumerate(rows[:TITLE_ROWS]):
        columns = _columns(cells, known)
        if all(field in columns for field in needed):
            return Table(columns, rows[place + 1 :])
    missing = " and ".join(f"“{names[field][-1]}”" for field in needed)
    message = f"No row of headings was found. The file needs columns named {missing}."
    raise UnreadableError(message)


def _rows(text: str) -> list[tuple[int, list[str]]]:
    lines = io.StringIO(text, newline=None)
    sample = text[:20_000]
    delimiter = max(",;\t", key=sample.count)
    found = csv.reader(lines, delimiter=delimiter)
    return [(number, cells) for number, cells in enumerate(found, 1) if any(cell.strip() for cell in cells)]


def _columns(cells: Sequence[str], known: Mapping[str, str]) -> dict[str, tuple[int, str]]:
    columns: dict[str, tuple[int, str]] = {}
    for place, heading in enumerate(cells):
        field = known.get(folded_heading(heading))
        if field is not None and field not in columns:
            columns[field] = (place, heading.strip())
    return columns


def day(text: str) -> date:
    """A day as 2025-09-01, 01/09/2025 or 01-09-2025 (day first, never month first); a time after it is left off.

    Raises:
        ValueError: for anything else.
    """
    plain = text.strip().split("T")[0].split(" ")[0]
    for form in DATE_FORMATS:
        try:
            found = datetime.strptime(plain, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
        if YEARS[0] <= found.year <= YEARS[1]:
            return found
    message = f"{text!r} is not a day we can read."
    raise ValueError(message)
