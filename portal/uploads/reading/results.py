"""What reading hands back: the marks of a file as columns, its pupils, and every row that could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

LAYOUTS = ("long", "weekly-grid", "date-matrix", "ctf", "wonde", "census-xml", "census-csv", "dfe-weekly", "pupil-list")
AM, PM = 0, 1


@dataclass(frozen=True, slots=True)
class Column:
    """A header as found, its place (from 1), and the meaning proposed for it. Not `certain`: a person must say so first."""

    header: str
    position: int
    meaning: str | None = None
    certain: bool = True
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PupilKey:
    """A pupil as one file names them. The UPN is normalised and never guessed; names stand as given."""

    upn: str | None
    former_upn: str | None = None
    surname: str | None = None
    forename: str | None = None
    date_of_birth: date | None = None
    year_group: str | None = None
    registration_group: str | None = None
    school_number: str | None = None
    local_id: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class MarkNote:
    """Minutes late or a comment, for the few marks that have one. `pupil` and `day` are places in the reading's lists."""

    pupil: int
    day: int
    session: int
    minutes_late: int | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a row that could not be read: where it stands, what stands there, and what to do.

    `sheet` is the place in `sheets_read`, `row` and `column` count from 1 as the user sees them (0: none).
    `entries` is how many marks (or people) were refused with it; 0 when nothing was (a warning).
    """

    kind: str
    sheet: int
    row: int
    column: int
    column_name: str | None
    value: str | None
    message: str
    entries: int = 1


@dataclass(frozen=True, slots=True)
class Person:
    """A pupil as a pupil list has them: `fields` by meaning (dates as date, eal as bool), parents as plain mappings."""

    surname: str
    forename: str
    date_of_birth: date
    fields: Mapping[str, Any]
    parents: tuple[Mapping[str, Any], ...] = ()
    row: int = 0
    sheet: int = 0


def _none(kind: Any) -> Any:
    return field(default_factory=lambda: np.zeros(0, dtype=kind))


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One file, read. The arrays have one entry for each mark that says something, in the order of the file.

    `pupil`, `day` and `code` are places in `pupils`, `dates` and `codes`; `session` is 0 for morning and 1 for afternoon;
    `row` and `column` count from 1 as the user sees them; `sheet` is a place in `sheets_read`. Blank cells and "-" are
    counted in `missing` and are not entries. Always: `rows_in` = entries + entries refused in `problems`.
    """

    layout: str
    encoding: str = "utf-8"
    fingerprint: str = ""
    header: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    missing_meanings: tuple[str, ...] = ()
    sheets_read: tuple[str, ...] = ()
    hidden_sheets: tuple[str, ...] = ()
    title_rows_skipped: int = 0
    totals_rows_skipped: int = 0
    pupils: tuple[PupilKey, ...] = ()
    dates: tuple[date, ...] = ()
    codes: tuple[str, ...] = ()
    pupil: NDArray[np.int32] = _none(np.int32)
    day: NDArray[np.int32] = _none(np.int32)
    session: NDArray[np.uint8] = _none(np.uint8)
    code: NDArray[np.int16] = _none(np.int16)
    row: NDArray[np.int32] = _none(np.int32)
    column: NDArray[np.int16] = _none(np.int16)
    sheet: NDArray[np.int16] = _none(np.int16)
    missing: int = 0
    missing_by: Mapping[tuple[date, int], int] = field(default_factory=dict)
    notes: tuple[MarkNote, ...] = ()
    totals: tuple[Mapping[str, Any], ...] = ()
    people: tuple[Person, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    refused_rows: Mapping[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)
    rows_in: int = 0
    one_letter: bool = False
    ambiguous_dates: bool = False

    @property
    def needs_mapping(self) -> bool:
        """Must a person say what the columns mean before the file can be read?"""
        return bool(self.missing_meanings)

    @property
    def refused(self) -> int:
        """How many entries reading itself refused."""
        return sum(problem.entries for problem in self.problems)
