"""A school's marks as a management information system would list them, before any faults are added."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from demo.marks import marks
from portal.rules.codes import CODES_BY_BYTE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from demo.plans import Line, Plan, Pupil

SCHOOL_DAYS = 5
CODES = {number: code.letters for number, code in CODES_BY_BYTE.items()} | {0: ""}


@dataclass(frozen=True, slots=True)
class Extract:
    """Some weeks of a school's register: its lines, their pupils, and the codes of each week's ten sessions."""

    plan: Plan
    urn: str
    academic_year: int
    weeks: tuple[date, ...]
    lines: tuple[Line, ...]
    pupils: tuple[Pupil, ...]
    codes: tuple[tuple[tuple[str, ...], ...], ...]

    def days(self) -> Iterator[tuple[int, int, date]]:
        """Each week's Monday to Friday: (week, weekday, date)."""
        for week, monday in enumerate(self.weeks):
            for weekday in range(SCHOOL_DAYS):
                yield week, weekday, monday + timedelta(days=weekday)

    def has_marks(self, week: int, weekday: int) -> bool:
        """Whether anyone has a mark that day. If nobody has, the school did not meet."""
        return any(line[week][weekday * 2] or line[week][weekday * 2 + 1] for line in self.codes)

    def rows_on_roll(self) -> Iterator[int]:
        """The rows with at least one mark in these weeks."""
        return (row for row, line in enumerate(self.codes) if any(any(week) for week in line))


def extract(plan: Plan, urn: str, academic_year: int, weeks: Sequence[int]) -> Extract:
    """The extract of some weeks of a register.

    `weeks` are indexes among the register's weeks; negative ones count from the newest week met.
    """
    register = plan.registers[urn, academic_year]
    drawn = marks(plan, urn, academic_year)
    indexes = [register.met + week if week < 0 else week for week in weeks]
    by_number = {pupil.number: pupil for pupil in plan.pupils}
    codes = tuple(
        tuple(tuple(CODES[int(byte)] for byte in page) for page in drawn[row, indexes, : SCHOOL_DAYS * 2])
        for row in range(len(register.lines))
    )
    return Extract(
        plan=plan,
        urn=urn,
        academic_year=academic_year,
        weeks=tuple(register.weeks[week] for week in indexes),
        lines=register.lines,
        pupils=tuple(by_number[line.pupil] for line in register.lines),
        codes=codes,
    )
