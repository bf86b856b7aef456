"""The result of reading a file: marks in arrays, people, totals and problems."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from portal.platform import upload_limit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

#: Codes that mean no mark was recorded.
MISSING = frozenset({"", "-"})


class FileRejected(Exception):  # noqa: N818  named for what happened to the file
    """The whole file is rejected; the message is a sentence that says what to do."""

    def __init__(self, kind: str, message: str) -> None:
        """Store the kind and the sentence."""
        super().__init__(kind, message)
        self.kind, self.message = kind, message


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest file that is read. Checked before the file is parsed.

    `size` is the portal's one upload limit. Sizes and memory are in bytes. `part`, `parts`, `unpacked` and `ratio` (of
    unpacked to packed size) are for the parts of a workbook's ZIP; `area` is rows times columns; `cell` is characters;
    `depth` is the nesting of XML or JSON.
    """

    size: int = field(default_factory=upload_limit.in_bytes)
    unpacked: int = 100_000_000
    part: int = 60_000_000
    parts: int = 200
    ratio: int = 200
    rows: int = 1_200_000
    columns: int = 2_000
    area: int = 12_000_000
    cell: int = 32_767
    depth: int = 100
    seconds: int = 120
    memory: int = 1_500_000_000


class PupilKey(NamedTuple):
    """The details by which a file identifies one pupil."""

    upn: str | None = None
    surname: str | None = None
    forename: str | None = None
    date_of_birth: date | None = None
    year_group: str | None = None
    registration_group: str | None = None
    school_number: str | None = None
    local_id: str | None = None
    former_upn: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file: its heading, its proposed meaning, and sample values."""

    header: str
    meaning: str | None
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MarkNote:
    """Minutes late or a comment on a mark. `pupil` and `day` index `Reading.pupils` and `.dates`; session is 0 or 1."""

    pupil: int
    day: int
    session: int
    minutes_late: int | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class Problem:
    """A row or mark that could not be read: where it is, its value, and what to do.

    `count` is the number of marks rejected with it; 0 is a warning.
    """

    kind: str
    sheet: int
    row: int
    column: int
    column_name: str | None
    value: str | None
    message: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Person:
    """One row of a pupil list."""

    surname: str
    forename: str
    date_of_birth: date
    row: int
    fields: Mapping[str, Any]
    parents: Sequence[Mapping[str, Any]] = ()


def _empty_array(kind: type) -> Any:
    return lambda: np.zeros(0, dtype=kind)


@dataclass(frozen=True)
class Reading:
    """A file as read. All arrays have the same length: one entry for each mark.

    `pupil`, `day` and `code` are indexes into `pupils`, `dates` and `codes`; `row` and `column` count from 1 as a spreadsheet does.
    `missing` counts blank cells. Where `needs_mapping` is true, a person must set the column mapping, and `missing_meanings` are
    the meanings no column has.
    """

    layout: str
    pupils: tuple[PupilKey, ...] = ()
    dates: tuple[date, ...] = ()
    codes: tuple[str, ...] = ()
    pupil: NDArray[np.int32] = field(default_factory=_empty_array(np.int32))
    day: NDArray[np.int32] = field(default_factory=_empty_array(np.int32))
    session: NDArray[np.uint8] = field(default_factory=_empty_array(np.uint8))
    code: NDArray[np.int16] = field(default_factory=_empty_array(np.int16))
    row: NDArray[np.int32] = field(default_factory=_empty_array(np.int32))
    column: NDArray[np.int16] = field(default_factory=_empty_array(np.int16))
    sheet: NDArray[np.int16] = field(default_factory=_empty_array(np.int16))
    missing: int = 0
    notes: tuple[MarkNote, ...] = ()
    people: tuple[Person, ...] = ()
    totals: tuple[Mapping[str, Any], ...] = ()
    problems: tuple[Problem, ...] = ()
    rejected_rows: Mapping[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    needs_mapping: bool = False
    missing_meanings: tuple[str, ...] = ()
    fingerprint: str = ""
    one_letter: bool = False
    ambiguous_dates: bool = False
    encoding: str | None = None
    sheets_read: tuple[str, ...] = ()
    hidden_sheets: tuple[str, ...] = ()
    title_rows_skipped: int = 0
    totals_rows_skipped: int = 0

    @property
    def rows_in(self) -> int:
        """The number of marks in the file: those in the arrays and those rejected while reading."""
        return int(self.pupil.size) + sum(problem.count for problem in self.problems)
