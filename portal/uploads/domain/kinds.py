"""The kinds of file a school sends, and the outcome of checking each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from uuid import UUID

    import numpy as np
    from numpy.typing import NDArray

    from portal.pupils.domain.incoming import IncomingPupil
    from portal.registers.domain.pages import Marks
    from portal.uploads.domain.checks import YearContext
    from portal.uploads.domain.findings import Finding

    #: Minutes late or a comment on an accepted mark: pupil, date, "AM" or "PM", minutes, comment.
    Note = tuple[UUID, date, str, int | None, str | None]


class Kind(StrEnum):
    """What is in a file. A person says it, and the file's layout corrects them."""

    MARKS = "marks"
    PUPILS = "pupils"
    TOTALS = "totals"


#: Each kind as screens name it.
KIND_WORDS: Mapping[str, str] = {Kind.MARKS: "Marks", Kind.PUPILS: "Pupil list", Kind.TOTALS: "Reported totals"}
#: The layouts whose kind is certain. A Common Transfer File or a JSON feed may be marks or a pupil list.
KIND_OF_LAYOUT: Mapping[str, Kind] = {
    "pupil-list": Kind.PUPILS,
    "census-xml": Kind.TOTALS,
    "census-csv": Kind.TOTALS,
    "dfe-weekly": Kind.TOTALS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The outcome of checking a file. Always rows_in = rows_stored + rows_rejected."""

    rows_in: int
    rows_rejected: int
    findings: Sequence[Finding]

    @property
    def rows_stored(self) -> int:
        """The number of accepted marks or rows."""
        return self.rows_in - self.rows_rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedMarks(Checked):
    """A checked file of marks: the pages to write. `reason` says for each mark why it is rejected; 0 if it is not."""

    pages: Mapping[date, Marks]
    missing: int
    reason: NDArray[np.uint8]
    years: Mapping[int, YearContext]
    first_day: date | None = None
    last_day: date | None = None
    notes: Sequence[Note] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPupils(Checked):
    """A checked pupil list: the pupils to import into the roll of one academic year."""

    people: Sequence[IncomingPupil]
    academic_year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedTotals(Checked):
    """A checked file of reported totals: those of this school, to be stored."""

    totals: Sequence[Mapping[str, Any]]
