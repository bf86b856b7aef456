"""Rows on their way to marks: distinct texts counted once, rows as small arrays of places in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy as np
    from numpy.typing import NDArray

#: What a row may say of its pupil, in the order a pupil's texts are kept.
PUPIL_FIELDS = (
    "upn",
    "former_upn",
    "surname",
    "forename",
    "name",
    "date_of_birth",
    "year_group",
    "registration_group",
    "school_number",
    "local_id",
)


class Distinct(dict["Hashable", int]):
    """Texts (or tuples of them) and their places; a new one gets the next place on being asked for."""

    def __missing__(self, text: Hashable) -> int:
        place = self[text] = len(self)
        return place


class Slot(NamedTuple):
    """One mark column: its place from 1, and what its header says of the session and the day.

    `session` None: the cell holds a whole day. `by_row`: the row says which session. `day` is a date text of the header
    (matrix) or None; `weekday` counts from the row's week (grid) or is None.
    """

    column: int
    header: str
    session: int | None = None
    by_row: bool = False
    day: str | None = None
    weekday: int | None = None


@dataclass(slots=True)
class Chunk:
    """Some rows of one sheet. `codes` has a column for each slot; the rest have one entry a row."""

    sheet: int
    slots: tuple[Slot, ...]
    rows: NDArray[np.int32]
    pupil: NDArray[np.int32]
    codes: NDArray[np.int32]
    date: NDArray[np.int32] | None = None
    session: NDArray[np.int32] | None = None
    minutes: NDArray[np.int32] | None = None
    comment: NDArray[np.int32] | None = None


@dataclass(slots=True)
class Gathered:
    """Everything read from the tables of a file, before dates, sessions and codes are made of the texts."""

    pupil: Distinct = field(default_factory=Distinct)
    date: Distinct = field(default_factory=Distinct)
    session: Distinct = field(default_factory=Distinct)
    code: Distinct = field(default_factory=Distinct)
    minutes: Distinct = field(default_factory=Distinct)
    comment: Distinct = field(default_factory=Distinct)
    chunks: list[Chunk] = field(default_factory=list)
    #: The column (from 1) of each meaning in each sheet, and the headers, to say where a problem stands.
    places: dict[int, dict[str, int]] = field(default_factory=dict)
    headers: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def distinct(self, meaning: str) -> Distinct:
        """The distinct texts of a meaning that is not the pupil's."""
        found: Distinct = getattr(self, meaning)
        return found
