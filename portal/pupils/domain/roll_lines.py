"""Roll lines: each pupil's line in a school's registers for one academic year.

Worked out in memory from a list, before anything is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from portal.platform.problems import Problem
from portal.pupils.domain.incoming import AGE_OF_RECEPTION, year_group_of, year_number
from portal.rules.calendar import academic_year, academic_year_name, academic_year_span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from uuid import UUID

    from portal.pupils.domain.changes import Changes
    from portal.pupils.domain.incoming import IncomingPupil
    from portal.pupils.models import RollLine

CURRENT = "C"
RECEPTION_STARTS = 5


@dataclass(slots=True)
class RollYear:
    """A school's roll lines of one academic year: the newest of each pupil, and the next free number.

    `has_leaving_dates`: the list gives a leaving date for at least one pupil, so a blank one means "has not left".
    `assumed_starts` counts pupils without an admission date.
    """

    school_id: UUID
    year: int
    lowest_age: int | None
    newest: dict[UUID, RollLine]
    next_line: int
    has_leaving_dates: bool
    assumed_starts: int = 0

    @classmethod
    def of(
        cls, school_id: UUID, year: int, lowest_age: int | None, lines: Sequence[RollLine], listed: Iterable[IncomingPupil]
    ) -> RollYear:
        """Start from the year's existing lines and the pupils of a list."""
        newest = {line.pupil_id: line for line in sorted(lines, key=lambda line: line.line)}
        next_line = max((line.line for line in lines), default=0) + 1
        return cls(school_id, year, lowest_age, newest, next_line, any(pupil.leaving_date for pupil in listed))

    def why_left_out(self, pupil_id: UUID | None, pupil: IncomingPupil) -> Problem | None:
        """Why a listed pupil gets no line in this year, or None when they get one."""
        if pupil_id in self.newest:
            return None
        span, name = academic_year_span(self.year), academic_year_name(self.year)
        if pupil.leaving_date and pupil.leaving_date < span.first_day:
            return Problem(f"Left before {name} began, so not put on its roll.", pupil.row, "leaving date")
        if pupil.admission_date and pupil.admission_date > span.last_day:
            return Problem(f"Joins after {name} ends, so not put on its roll.", pupil.row, "admission date")
        return None

    def add_or_update(self, changes: Changes, pupil_id: UUID, pupil: IncomingPupil) -> Iterator[Problem]:
        """Collect what a list changes in a pupil's roll line, or the new line. Yields notices.

        A line number is never given to another pupil, and leavers keep their lines: register pages refer to them.
        """
        leaving_date = pupil.leaving_date
        if leaving_date and pupil.admission_date and leaving_date < pupil.admission_date:
            leaving_date = None
            sentence = "The leaving date is before the admission date, so it was not kept. Check both dates."
            yield Problem(sentence, pupil.row, "leaving date")
        line = self.newest.get(pupil_id)
        if line is None or _has_come_back(line, pupil):
            self._add_line(changes, pupil_id, pupil, leaving_date)
        else:
            yield from self._update_line(changes, line, pupil, leaving_date)

    def _add_line(self, changes: Changes, pupil_id: UUID, pupil: IncomingPupil, leaving_date: date | None) -> None:
        start = pupil.admission_date or min(self._usual_start(pupil), leaving_date or date.max)
        self.assumed_starts += pupil.admission_date is None
        changes.add(
            "roll_line",
            pupil_id,
            id=uuid4(),
            academic_year=self.year,
            line=self.next_line,
            pupil_id=pupil_id,
            year_group=pupil.year_group or None,
            registration_group=pupil.registration_group or None,
            enrolment_status=pupil.enrolment_status or CURRENT,
            on_roll_from=start,
            on_roll_until=leaving_date,
        )
        self.next_line += 1

    def notices(self) -> Iterator[Problem]:
        """The notices about the list as a whole."""
        if self.assumed_starts:
            subject = "1 pupil has" if self.assumed_starts == 1 else f"{self.assumed_starts} pupils have"
            sentence = f"{subject} no admission date: taken as on roll since the September the school would usually take them in."
            yield Problem(sentence, None, "admission date")

    def _usual_start(self, pupil: IncomingPupil) -> date:
        """The start date where none is given.

        The first day of the academic year in which this pupil would have entered the school's youngest year group.
        """
        number = year_number(pupil.year_group)
        if number is None:
            number = self.year - academic_year(pupil.date_of_birth) - AGE_OF_RECEPTION - 1
        if self.lowest_age is None:
            return academic_year_span(self.year).first_day
        first = 0 if self.lowest_age <= RECEPTION_STARTS else self.lowest_age - AGE_OF_RECEPTION
        return academic_year_span(self.year - max(0, number - first)).first_day

    def _update_line(self, changes: Changes, line: RollLine, pupil: IncomingPupil, leaving_date: date | None) -> Iterator[Problem]:
        until = leaving_date or line.on_roll_until
        if leaving_date is None and line.on_roll_until is not None and self.has_leaving_dates:
            until = None
            sentence = f"Was shown as left on {line.on_roll_until:%d/%m/%Y}; the list has no leaving date, so on roll again."
            yield Problem(sentence, pupil.row, "leaving date")
        start = pupil.admission_date or line.on_roll_from
        values: dict[str, Any] = {
            "year_group": pupil.year_group or line.year_group,
            "registration_group": pupil.registration_group or line.registration_group,
            "enrolment_status": pupil.enrolment_status or line.enrolment_status,
            "on_roll_from": min(start, until) if until else start,
            "on_roll_until": until,
        }
        if any(getattr(line, name) != value for name, value in values.items()):
            changes.change("roll_line", line.pupil_id, id=line.id, **values)


def _has_come_back(line: RollLine, pupil: IncomingPupil) -> bool:
    return line.on_roll_until is not None and pupil.admission_date is not None and pupil.admission_date > line.on_roll_until


def shifted_lines(
    lines: Sequence[RollLine], year: int, ages: tuple[int | None, int | None]
) -> Iterator[tuple[RollLine, str | None]]:
    """Another year's lines that also belong in this year, with each pupil's year group in it.

    Includes pupils on roll on some day of the year, and moves their year groups by the difference. Pupils who would be
    below Reception, above Year 14 or outside the school's ages are left out. Mixed and unknown year groups stay as they
    are.
    """
    span = academic_year_span(year)
    copied_ids: set[UUID] = set()
    for line in sorted(lines, key=lambda line: line.line):
        if line.pupil_id in copied_ids or line.on_roll_from > span.last_day:
            continue
        if line.on_roll_until is not None and line.on_roll_until < span.first_day:
            continue
        number = year_number(line.year_group)
        if number is None:
            copied_ids.add(line.pupil_id)
            yield line, line.year_group
            continue
        number += year - line.academic_year
        group = year_group_of(number)
        if group is not None and _has_age_of(number, ages):
            copied_ids.add(line.pupil_id)
            yield line, group


def _has_age_of(number: int, ages: tuple[int | None, int | None]) -> bool:
    """Would a school of these ages have this year group? Reception counts as 5: many schools give 5 as their lowest age."""
    lowest, highest = ages
    age = max(number + AGE_OF_RECEPTION, RECEPTION_STARTS)
    return (lowest is None or age >= lowest) and (highest is None or number + AGE_OF_RECEPTION < highest)
