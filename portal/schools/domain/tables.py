"""Reading CSV tables: rows whose columns are matched by their headings, and problems in cells."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from portal.platform.problems import Problem, ProblemsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: How many rows are searched for the headings; title rows above them are skipped.
TITLE_ROWS = 20
MAX_BYTES = 120_000_000
DATE_FORMATS = ("%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y", "%d/%m/%y")
YEARS = (1800, 2100)


@dataclass(frozen=True, slots=True)
class Table:
    """A table's rows with their row numbers in the file (headings counted).

    `columns` gives each known field's index and its heading in the file.
    """

    columns: Mapping[str, tuple[int, str]]
    rows: Sequence[tuple[int, Sequence[str]]]

    def has(self, field: str) -> bool:
        """Does the table have this column?"""
        return field in self.columns

    def heading(self, field: str) -> str:
        """The column's heading in the file, or the field's own name."""
        return self.columns[field][1] if field in self.columns else field.replace("_", " ")

    def cell(self, cells: Sequence[str], field: str) -> str:
        """A row's value in the column, trimmed; empty where the column or the cell is missing."""
        column = self.columns.get(field)
        return cells[column[0]].strip() if column is not None and column[0] < len(cells) else ""


def text_of(content: bytes) -> str:
    """The bytes as text: UTF-8, UTF-16 with its byte order mark, otherwise Windows-1252 as GIAS writes it.

    Raises:
        ProblemsError: for a file larger than GIAS's own extract could be.
    """
    if len(content) > MAX_BYTES:
        message = "The file is larger than 120 MB. Send only the rows and columns that are needed."
        raise ProblemsError([Problem(message)])
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return content.decode("utf-16", errors="replace").replace("\0", "")
    try:
        return content.decode("utf-8-sig").replace("\0", "")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace").replace("\0", "")


def folded_heading(text: str) -> str:
    """A heading in the form used for comparing: lower-case letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", text.casefold())


def table(content: bytes, names: Mapping[str, Sequence[str]], needed: Sequence[str]) -> Table:
    """Read a CSV whose columns are known by any of several headings.

    Case, spaces and punctuation in headings do not matter. Title rows above them are skipped. The delimiter may be comma,
    semicolon or tab.

    Raises:
        ProblemsError: when no row has every needed heading, or the quoting is broken.
    """
    text = text_of(content)
    field_of = {name: field for field, headings in names.items() for name in headings}
    try:
        rows = _rows(text)
    except csv.Error as error:
        message = f"The file could not be read as CSV ({error}). Save it again as CSV and send that file."
        raise ProblemsError([Problem(message)]) from error
    for index, (_, cells) in enumerate(rows[:TITLE_ROWS]):
        columns = _columns(cells, field_of)
        if all(field in columns for field in needed):
            return Table(columns, rows[index + 1 :])
    missing = " and ".join(f"“{names[field][-1]}”" for field in needed)
    message = f"No row of headings was found. The file needs columns named {missing}."
    raise ProblemsError([Problem(message)])


def _rows(text: str) -> list[tuple[int, list[str]]]:
    lines = io.StringIO(text, newline=None)
    sample = text[:20_000]
    delimiter = max(",;\t", key=sample.count)
    reader = csv.reader(lines, delimiter=delimiter)
    return [(number, cells) for number, cells in enumerate(reader, 1) if any(cell.strip() for cell in cells)]


def _columns(cells: Sequence[str], field_of: Mapping[str, str]) -> dict[str, tuple[int, str]]:
    columns: dict[str, tuple[int, str]] = {}
    for index, heading in enumerate(cells):
        field = field_of.get(folded_heading(heading))
        if field is not None and field not in columns:
            columns[field] = (index, heading.strip())
    return columns


def day(text: str) -> date:
    """A day as 2025-09-01, 01/09/2025 or 01-09-2025; never month first. A time after it is ignored.

    Raises:
        ValueError: for anything else.
    """
    day_text = text.strip().split("T")[0].split(" ")[0]
    for date_format in DATE_FORMATS:
        try:
            result = datetime.strptime(day_text, date_format).replace(tzinfo=UTC).date()
        except ValueError:
            continue
        if YEARS[0] <= result.year <= YEARS[1]:
            return result
    message = f"{text!r} is not a day we can read."
    raise ValueError(message)
