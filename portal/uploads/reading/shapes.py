"""What reading gives back, whatever the file was: marks in columns of numbers, people, totals, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

MISSING = frozenset({"", "-"})


class FileRefused(Exception):  # noqa: N818  named for what happened to the file
    """The whole file cannot be read; the message is a sentence that says what to do."""

    def __init__(self, kind: str, message: str) -> None:
        """Keep the kind beside the sentence."""
        super().__init__(kind, message)
        self.kind, self.message = kind, message


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may be, asked before it is parsed."""

    size: int = 25_000_000
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


DEFAULT = Limits()


class PupilKey(NamedTuple):
    """How a file names one pupil."""

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
    """A column of the file: its heading, what it is taken to mean, and some of its values."""

    header: str
    meaning: str | None
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MarkNote:
    """Minutes late or a comment with a mark: indexes into `pupils` and `dates`, session 0 or 1."""

    pupil: int
    day: int
    session: int
    minutes_late: int | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class Problem:
    """A row (or mark) reading could not take: where, what was there, and what to do. `count` marks are refused with it."""

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


def _none(kind: type) -> Any:
    return lambda: np.zeros(0, dtype=kind)


@dataclass(frozen=True)
class Reading:
    """A file as read. The arrays are of one length, an entry a mark; `rows_in` is that length and every refused mark.

    `lacking` are the meanings no column has, where a person is asked what the columns mean (`needs_mapping`).
    """

    layout: str
    pupils: tuple[PupilKey, ...] = ()
    dates: tuple[date, ...] = ()
    codes: tuple[str, ...] = ()
    pupil: NDArray[np.int32] = field(default_factory=_none(np.int32))
    day: NDArray[np.int32] = field(default_factory=_none(np.int32))
    session: NDArray[np.uint8] = field(default_factory=_none(np.uint8))
    code: NDArray[np.int16] = field(default_factory=_none(np.int16))
    row: NDArray[np.int32] = field(default_factory=_none(np.int32))
    column: NDArray[np.int16] = field(default_factory=_none(np.int16))
    sheet: NDArray[np.int16] = field(default_factory=_none(np.int16))
    missing: int = 0
    notes: tuple[MarkNote, ...] = ()
    people: tuple[Person, ...] = ()
    totals: tuple[Mapping[str, Any], ...] = ()
    problems: tuple[Problem, ...] = ()
    refused_rows: Mapping[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    needs_mapping: bool = False
    lacking: tuple[str, ...] = ()
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
        """Marks with something to say: those in the arrays and those refused here."""
        return int(self.pupil.size) + sum(problem.count for problem in self.problems)
