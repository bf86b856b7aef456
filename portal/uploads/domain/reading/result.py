"""The result of reading a file: marks in arrays, people, totals and problems."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from portal.platform.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

#: Codes that mean no mark was recorded.
MISSING = frozenset({"", "-"})


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
class ReadingProblem(Problem):
    """A row or mark that could not be read. `column` is its letters in a spreadsheet, or its name in other files.

    `kind` is a short name of it, `sheet` the sheet's number from 0, `count` the marks rejected with it; 0 is a warning.
    """

    kind: str = ""
    sheet: int = 0
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
    problems: tuple[ReadingProblem, ...] = ()
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
