"""What every reader of tables returns: sheets of rows of text, as the file has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: A row's number as a spreadsheet shows it, from 1, and its cells.
Row = tuple[int, "Sequence[str]"]


@dataclass(frozen=True, slots=True)
class SheetRows:
    """One sheet, or the whole of a CSV (which has no name).

    `without_value` has the row and column (from 0) of each cell that holds an error, or a formula that was never worked out.
    The cell's text is then the error or the formula: it must not count as blank.
    """

    name: str
    rows: Sequence[Row]
    without_value: Mapping[tuple[int, int], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file's sheets, the names of those hidden, and its encoding if it is text."""

    sheets: tuple[SheetRows, ...]
    hidden: tuple[str, ...] = ()
    encoding: str | None = None
