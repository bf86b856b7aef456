"""What a person checks before applying a file: changes by pupil, and pupils left out or new."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from uuid import UUID

import numpy as np

from portal.pupils.domain.matching import MatchKind
from portal.registers.domain.pages import extended
from portal.rules.calendar import HALVES, register_year
from portal.rules.codes import CODES_BY_BYTE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from portal.pupils.domain.matching import Match
    from portal.pupils.domain.rolls import Roll
    from portal.registers.domain.pages import Marks
    from portal.uploads.domain.kinds import CheckedMarks
    from portal.uploads.domain.reading.result import PupilKey, Reading

#: More changes than a person can check by hand are counted and not listed, so that a preview stays small.
MOST_CHANGES = 2_000


class MarkChange(NamedTuple):
    """One mark that becomes another. `before` is empty for a session without a mark."""

    number: int
    pupil_id: UUID
    on: date
    session: str
    before: str
    after: str


class NewPupil(NamedTuple):
    """A pupil who would be added. `pupil_id` is known where the file has marks of the pupil."""

    name: str
    pupil_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewLists:
    """The lists beside a preview. `on_roll` counts the pupils on roll in the days the file covers."""

    changes: tuple[MarkChange, ...] = ()
    on_roll: int = 0
    not_in_file: tuple[UUID, ...] = ()
    new_pupils: tuple[NewPupil, ...] = ()

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read them as stored."""
        return cls(
            changes=tuple(
                MarkChange(number, UUID(pupil_id), date.fromisoformat(on), *codes)
                for number, (pupil_id, on, *codes) in enumerate(document["changes"], start=1)
            ),
            on_roll=document["on_roll"],
            not_in_file=tuple(map(UUID, document["not_in_file"])),
            new_pupils=tuple(NewPupil(name, UUID(pupil_id) if pupil_id else None) for name, pupil_id in document["new_pupils"]),
        )

    def without_existing(self, existing: Collection[UUID]) -> Self:
        """These lists, with only those new pupils who are not on the portal yet."""
        new_pupils = tuple(pupil for pupil in self.new_pupils if pupil.pupil_id not in existing)
        return replace(self, new_pupils=new_pupils, on_roll=self.on_roll - len(new_pupils))

    def document(self) -> dict[str, Any]:
        """As stored."""
        return {
            "changes": [
                (str(change.pupil_id), change.on.isoformat(), change.session, change.before, change.after)
                for change in self.changes
            ],
            "on_roll": self.on_roll,
            "not_in_file": list(map(str, self.not_in_file)),
            "new_pupils": [(pupil.name, str(pupil.pupil_id) if pupil.pupil_id else None) for pupil in self.new_pupils],
        }


def lists_of_marks(reading: Reading, checked: CheckedMarks, current: Mapping[date, Marks]) -> PreviewLists:
    """The lists of a file of marks. Marks that replace others come first: they are what a person checks most.

    Every pupil of the file stands under the new ones, as the roll may have been opened for them in a dry run.
    """
    replaced = islice(_changes(checked, current, are_replaced=True), MOST_CHANGES)
    changes = [*replaced]
    changes += islice(_changes(checked, current, are_replaced=False), MOST_CHANGES - len(changes))
    in_file: dict[UUID, PupilKey] = {}
    on_roll: dict[UUID, None] = {}
    for year in checked.years.values():
        rows = ((year.roll.index_by_upn.get(pupil.upn or ""), pupil) for pupil in reading.pupils)
        in_file |= {year.roll.pupil_ids[row]: pupil for row, pupil in rows if row is not None}
        if checked.first_day and checked.last_day:
            on_roll |= dict.fromkeys(_on_roll(year.roll, checked.first_day, checked.last_day))
    return PreviewLists(
        changes=tuple(change._replace(number=number) for number, change in enumerate(changes, start=1)),
        on_roll=len(on_roll),
        not_in_file=tuple(pupil_id for pupil_id in on_roll if pupil_id not in in_file),
        new_pupils=tuple(NewPupil(_name(pupil.forename, pupil.surname), pupil_id) for pupil_id, pupil in in_file.items()),
    )


def lists_of_pupils(matches: Sequence[Match], roll: Roll, today: date) -> PreviewLists:
    """The lists of a pupil list."""
    in_file = {match.pupil_id for match in matches}
    on_roll = dict.fromkeys(_on_roll(roll, today, today))
    new = (match.incoming for match in matches if match.kind is MatchKind.NEW)
    return PreviewLists(
        on_roll=len(on_roll),
        not_in_file=tuple(pupil_id for pupil_id in on_roll if pupil_id not in in_file),
        new_pupils=tuple(NewPupil(_name(pupil.forename, pupil.surname), None) for pupil in new),
    )


def _name(forename: str | None, surname: str | None) -> str:
    return f"{forename or ''} {surname or ''}".strip()


def _on_roll(roll: Roll, first: date, last: date) -> Iterator[UUID]:
    """The pupils on roll on any of these days, in the order of the roll."""
    has_joined = roll.on_from <= np.datetime64(last)
    has_not_left = np.isnat(roll.on_until) | (roll.on_until >= np.datetime64(first))
    return (roll.pupil_ids[row] for row in np.flatnonzero(has_joined & has_not_left).tolist())


def _changes(checked: CheckedMarks, current: Mapping[date, Marks], *, are_replaced: bool) -> Iterator[MarkChange]:
    """The marks that replace another mark, or that fill a session without one, by week and line."""
    for week, new in sorted(checked.pages.items()):
        before = extended(current.get(week, new[:0]), len(new))[: len(new)]
        changed = (new != 0) & (before != new) & ((before != 0) == are_replaced)
        pupil_ids = checked.years[register_year(week)].roll.pupil_ids
        for line, slot in np.argwhere(changed).tolist():
            old_code, new_code = (CODES_BY_BYTE[code].letters if code else "" for code in (before[line, slot], new[line, slot]))
            on = week + timedelta(days=slot // len(HALVES))
            yield MarkChange(0, pupil_ids[line], on, HALVES[slot % len(HALVES)], old_code, new_code)
