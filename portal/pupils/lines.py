"""Roll lines: where a listed pupil stands in a school's registers for one academic year, worked out before it is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from portal.pupils.changes import Notice
from portal.pupils.incoming import AGE_OF_RECEPTION, year_group_of, year_number
from portal.rules.calendar import academic_year, academic_year_name, academic_year_span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from uuid import UUID

    from portal.pupils.changes import Changes
    from portal.pupils.incoming import IncomingPupil
    from portal.pupils.models import RollLine

CURRENT = "C"
RECEPTION_STARTS = 5


@dataclass(slots=True)
class YearOfLines:
    """A school's lines for one academic year: those held, and the next free number."""

    school_id: UUID
    year: int
    lowest_age: int | None
    newest: dict[UUID, RollLine]
    next_line: int
    knows_leavers: bool
    started_as_usual: int = 0

    @classmethod
    def of(
        cls, school_id: UUID, year: int, lowest_age: int | None, held: Sequence[RollLine], listed: Iterable[IncomingPupil]
    ) -> YearOfLines:
        """The year as it is held. `knows_leavers`: the list gives a leaving date to somebody, so a blank one means none."""
        newest = {line.pupil_id: line for line in sorted(held, key=lambda line: line.line)}
        following = max((line.line for line in held), default=0) + 1
        return cls(school_id, year, lowest_age, newest, following, any(pupil.leaving_date for pupil in listed))

    def why_left_out(self, pupil_id: UUID | None, pupil: IncomingPupil) -> Notice | None:
        """Why a listed pupil has no place in this year's registers, or None when they have."""
        if pupil_id in self.newest:
            return None
        span, name = academic_year_span(self.year), academic_year_name(self.year)
        if pupil.leaving_date and pupil.leaving_date < span.first_day:
            return Notice(pupil.row, "leaving date", f"Left before {name} began, so not put on its roll.")
        if pupil.admission_date and pupil.admission_date > span.last_day:
            return Notice(pupil.row, "admission date", f"Joins after {name} ends, so not put on its roll.")
        return None

    def place(self, changes: Changes, pupil_id: UUID, pupil: IncomingPupil) -> Iterator[Notice]:
        """Note the line a listed pupil takes or keeps. Lines are never given to another pupil; leavers keep theirs."""
        leaves = pupil.leaving_date
        if leaves and pupil.admission_date and leaves < pupil.admission_date:
            leaves = None
            sentence = "The leaving date is before the admission date, so it was not kept. Check both dates."
            yield Notice(pupil.row, "leaving date", sentence)
        held = self.newest.get(pupil_id)
        if held is None or _has_come_back(held, pupil):
            self._begin(changes, pupil_id, pupil, leaves)
        else:
            yield from self._keep(changes, held, pupil, leaves)

    def _begin(self, changes: Changes, pupil_id: UUID, pupil: IncomingPupil, leaves: date | None) -> None:
        start = pupil.admission_date or min(self._usual_start(pupil), leaves or date.max)
        self.started_as_usual += pupil.admission_date is None
        changes.add(
            "roll_line",
            pupil_id,
            id=uuid4(),
            school_id=self.school_id,
            academic_year=self.year,
            line=self.next_line,
            pupil_id=pupil_id,
            year_group=pupil.year_group or None,
            registration_group=pupil.registration_group or None,
            enrolment_status=pupil.enrolment_status or CURRENT,
            on_roll_from=start,
            on_roll_until=leaves,
        )
        self.next_line += 1

    def notices(self) -> Iterator[Notice]:
        """What is said once about the whole list."""
        if self.started_as_usual:
            who = "1 pupil has" if self.started_as_usual == 1 else f"{self.started_as_usual} pupils have"
            sentence = f"{who} no admission date: taken as on roll since the September the school would usually take them in."
            yield Notice(None, "admission date", sentence)

    def _usual_start(self, pupil: IncomingPupil) -> date:
        """Where no admission date is given: the September the school's youngest year would have begun for this pupil."""
        number = year_number(pupil.year_group)
        if number is None:
            number = self.year - academic_year(pupil.date_of_birth) - AGE_OF_RECEPTION - 1
        if self.lowest_age is None:
            return academic_year_span(self.year).first_day
        first = 0 if self.lowest_age <= RECEPTION_STARTS else self.lowest_age - AGE_OF_RECEPTION
        return academic_year_span(self.year - max(0, number - first)).first_day

    def _keep(self, changes: Changes, held: RollLine, pupil: IncomingPupil, leaves: date | None) -> Iterator[Notice]:
        until = leaves or held.on_roll_until
        if leaves is None and held.on_roll_until is not None and self.knows_leavers:
            until = None
            sentence = f"Was shown as left on {held.on_roll_until:%d/%m/%Y}; the list has no leaving date, so on roll again."
            yield Notice(pupil.row, "leaving date", sentence)
        start = pupil.admission_date or held.on_roll_from
        values: dict[str, Any] = {
            "year_group": pupil.year_group or held.year_group,
            "registration_group": pupil.registration_group or held.registration_group,
            "enrolment_status": pupil.enrolment_status or held.enrolment_status,
            "on_roll_from": min(start, until) if until else start,
            "on_roll_until": until,
        }
        if any(getattr(held, name) != value for name, value in values.items()):
            changes.change("roll_line", held.pupil_id, id=held.id, **values)


def _has_come_back(held: RollLine, pupil: IncomingPupil) -> bool:
    return held.on_roll_until is not None and pupil.admission_date is not None and pupil.admission_date > held.on_roll_until


def shifted_lines(
    lines: Sequence[RollLine], year: int, ages: tuple[int | None, int | None]
) -> Iterator[tuple[RollLine, str | None]]:
    """The lines of another year that belong in this one too, with the year group each pupil is in then.

    Those on roll on some day of the year; year groups move by the difference; who would be below Reception, above
    Year 14 or outside the school's own ages is left out. Mixed and unknown year groups stay as they are.
    """
    span = academic_year_span(year)
    seen: set[UUID] = set()
    for line in sorted(lines, key=lambda one: one.line):
        if line.pupil_id in seen or line.on_roll_from > span.last_day:
            continue
        if line.on_roll_until is not None and line.on_roll_until < span.first_day:
            continue
        number = year_number(line.year_group)
        if number is None:
            seen.add(line.pupil_id)
            yield line, line.year_group
            continue
        number += year - line.academic_year
        group = year_group_of(number)
        if group is not None and _has_age_of(number, ages):
            seen.add(line.pupil_id)
            yield line, group


def _has_age_of(number: int, ages: tuple[int | None, int | None]) -> bool:
    """Would a school of these ages have this year group? Reception counts as 5: many schools give 5 as their lowest age."""
    lowest, highest = ages
    age = max(number + AGE_OF_RECEPTION, RECEPTION_STARTS)
    return (lowest is None or age >= lowest) and (highest is None or number + AGE_OF_RECEPTION < highest)
