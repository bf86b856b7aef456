"""Mark lists: marks that come from documents rather than tables, gathered pupil by pupil into a reading's arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from portal.uploads.reading.gathering import Distinct
from portal.uploads.reading.tabular import days_of, missing_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from portal.uploads.reading.results import PupilKey


@dataclass(slots=True)
class MarkList:
    """Entries in the making. Days are ordinals until all are known."""

    pupils: dict[PupilKey, int] = field(default_factory=dict)
    codes: Distinct = field(default_factory=Distinct)
    missing: int = 0
    _parts: list[tuple[NDArray[Any], ...]] = field(default_factory=list)
    _missing_at: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = field(default_factory=list)

    def place(self, pupil: PupilKey) -> int:
        """The place of a pupil, in order of first appearance."""
        return self.pupils.setdefault(pupil, len(self.pupils))

    def add(self, pupil: int, row: int, days: NDArray[np.int64], sessions: NDArray[np.int64], codes: NDArray[np.int64]) -> None:
        """Add some marks of one pupil that stand in one row."""
        self.add_columns(np.full(days.size, pupil), days, sessions, codes, np.full(days.size, row))

    def add_columns(
        self,
        pupils: NDArray[np.int64],
        days: NDArray[np.int64],
        sessions: NDArray[np.int64],
        codes: NDArray[np.int64],
        rows: NDArray[np.int64],
    ) -> None:
        """Add marks of several pupils."""
        self._parts.append((pupils, days, sessions, codes, rows))

    def add_missing(self, days: NDArray[np.int64], sessions: NDArray[np.int64]) -> None:
        """Count cells that say nothing."""
        self.missing += int(days.size)
        if days.size:
            self._missing_at.append((days, sessions))

    def facts(self) -> dict[str, Any]:
        """The fields of a reading these marks make. They stand in no column."""
        joined: Sequence[NDArray[Any]] = (
            [np.concatenate([part[number] for part in self._parts]) for number in range(5)]
            if self._parts
            else [np.zeros(0, dtype=np.int64)] * 5
        )
        pupil, ordinals, session, code, row = joined
        dates, day = days_of(ordinals, self._missing_at)
        return {
            "pupils": tuple(self.pupils),
            "dates": dates,
            "codes": tuple(str(code) for code in self.codes),
            "pupil": pupil.astype(np.int32),
            "day": day,
            "session": session.astype(np.uint8),
            "code": code.astype(np.int16),
            "row": row.astype(np.int32),
            "column": np.zeros(pupil.size, dtype=np.int16),
            "sheet": np.zeros(pupil.size, dtype=np.int16),
            "missing": self.missing,
            "missing_by": missing_by(self._missing_at),
        }
