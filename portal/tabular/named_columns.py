"""Tables whose columns are known by any of several headings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.tabular.cells import clean, folded
from portal.tabular.rejection import FileRejected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portal.tabular.sheets import Row

#: How many rows are searched for the headings; title rows above them are skipped.
TITLE_ROWS = 20


@dataclass(frozen=True, slots=True)
class NamedColumns:
    """A table's rows below its headings, with their row numbers in the file.

    `columns` gives each known field's index and its heading in the file; `names` the index of each folded heading.
    """

    columns: Mapping[str, tuple[int, str]]
    names: Mapping[str, int]
    rows: Sequence[Row]

    def heading(self, field: str) -> str:
        """The column's heading in the file, or the field's own name."""
        return self.columns[field][1] if field in self.columns else field.replace("_", " ")

    def cell(self, cells: Sequence[str], field: str) -> str:
        """A row's value in the field's column, cleaned; empty where the column or the cell is missing."""
        column = self.columns.get(field)
        return clean(cells[column[0]]) if column is not None and column[0] < len(cells) else ""

    def cell_under(self, cells: Sequence[str], name: str) -> str:
        """A row's value under a folded heading, cleaned."""
        column = self.names.get(name)
        return clean(cells[column]) if column is not None and column < len(cells) else ""


def named_columns(headings: Sequence[str], rows: Sequence[Row], fields: Mapping[str, Sequence[str]]) -> NamedColumns:
    """Find each field's column by its headings, of which the first in `fields` counts.

    Case, spaces and punctuation do not matter.
    """
    names: dict[str, int] = {}
    for index, heading in enumerate(headings):
        names.setdefault(folded(heading), index)
    columns: dict[str, tuple[int, str]] = {}
    for field, headings_of_field in fields.items():
        column = next((names[name] for name in headings_of_field if name in names), None)
        if column is not None:
            columns[field] = column, clean(headings[column])
    return NamedColumns(columns, names, rows)


def find_columns(rows: Sequence[Row], fields: Mapping[str, Sequence[str]], needed: Sequence[str]) -> NamedColumns:
    """The columns by the first row that has every needed heading.

    Raises:
        FileRejected: when no row has. Messages ask for the last heading of a field.
    """
    for index, (_, cells) in enumerate(rows[:TITLE_ROWS]):
        table = named_columns(cells, rows[index + 1 :], fields)
        if all(field in table.columns for field in needed):
            return table
    missing = " and ".join(f"“{fields[field][-1]}”" for field in needed)
    raise FileRejected("no-headings", f"No row of headings was found. The file needs columns named {missing}.")
