"""A school's roll for one academic year: arrays aligned with the lines of its register pages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

Days = NDArray[np.datetime64]

_EPOCH, _NO_DAY = date(1970, 1, 1).toordinal(), np.iinfo(np.int64).min


@dataclass(frozen=True, eq=False)
class Roll:
    """Columns of a roll: row n is line n + 1. `on_until` is NaT while a pupil is on roll."""

    school_id: UUID
    academic_year: int
    pupil_ids: list[UUID]
    upn: list[str | None]
    former_upn: list[str | None]
    date_of_birth: Days
    on_from: Days
    on_until: Days
    year_group: list[str | None]
    registration_group: list[str | None]
    enrolment_status: list[str]

    def __len__(self) -> int:
        """How many lines there are."""
        return len(self.pupil_ids)

    @property
    def lines(self) -> NDArray[np.int64]:
        """The line numbers: 1 to n."""
        return np.arange(1, len(self.pupil_ids) + 1)

    @cached_property
    def rows_by_upn(self) -> Mapping[str, tuple[int, ...]]:
        """The rows of each UPN and former UPN, oldest line first.

        More than one row when a pupil left and came back.
        """
        rows: dict[str, tuple[int, ...]] = {}
        for row, upns in enumerate(zip(self.upn, self.former_upn, strict=True)):
            for upn in {*upns} - {None, ""}:
                rows[str(upn)] = (*rows.get(str(upn), ()), row)
        return rows

    @cached_property
    def ambiguous_upns(self) -> frozenset[str]:
        """UPNs that belong to more than one child on this roll. No mark may be placed by them."""
        return frozenset(upn for upn, rows in self.rows_by_upn.items() if len({self.pupil_ids[row] for row in rows}) > 1)

    @cached_property
    def index_by_upn(self) -> Mapping[str, int]:
        """The row of each UPN and former UPN: the pupil's newest line. Ambiguous UPNs are left out."""
        return {upn: rows[-1] for upn, rows in self.rows_by_upn.items() if upn not in self.ambiguous_upns}

    @cached_property
    def rows_by_pupil(self) -> Mapping[UUID, int]:
        """The row of each pupil's newest line."""
        return {pupil_id: row for row, pupil_id in enumerate(self.pupil_ids)}

    @cached_property
    def on_roll_twice(self) -> frozenset[UUID]:
        """Pupils with two lines: they left and came back within the year."""
        if len({pupil_id.int for pupil_id in self.pupil_ids}) == len(self.pupil_ids):
            return frozenset()
        return frozenset(pupil_id for pupil_id, lines in Counter(self.pupil_ids).items() if lines > 1)


def days(values: Sequence[date | None]) -> Days:
    """Dates, or None for NaT, as an array of days."""
    numbers = [_NO_DAY if day is None else day.toordinal() - _EPOCH for day in values]
    return np.array(numbers, dtype=np.int64).view("datetime64[D]")
