"""Writes the registers in the order in which they would have come in.

Last year comes at once, then this year except the newest weeks, then those week by week.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from demo.marks import as_first_sent, marks, weeks_sent, with_missing_marks
from portal.platform import clock
from portal.registers.actions import write_pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from uuid import UUID

    from demo.plans import Plan
    from demo.seeded_random import Bytes

#: How many of the newest weeks came in one by one, each with corrected reasons of the week before. Fewer in a county.
WEEK_BY_WEEK, WEEK_BY_WEEK_IN_A_COUNTY, COUNTY_SCHOOLS = 4, 1, 60
FRIDAY, AFTERNOON, MORNING = 4, 15, 8


@dataclass(frozen=True, slots=True)
class Stage:
    """Weeks that came in at one moment: those of one academic year with Mondays from `first` to `last`."""

    name: str
    at: datetime
    academic_year: int
    first: date
    last: date
    urns: tuple[str, ...]


def stages(plan: Plan) -> Iterator[Stage]:
    """The moments at which registers came in, oldest first."""
    last_year_number, this_year = plan.years
    urns = tuple(school.urn for school in plan.schools)
    last_year = sorted({week for urn in urns for week in plan.registers[urn, last_year_number].weeks})
    yield Stage(
        f"of {last_year_number}/{this_year % 100}", _closing(last_year[-1]), last_year_number, last_year[0], last_year[-1], urns
    )
    weeks = sorted({week for urn in urns for week in _weeks_met(plan, urn)})
    if not weeks:
        return
    newest_count = WEEK_BY_WEEK_IN_A_COUNTY if len(urns) >= COUNTY_SCHOOLS else WEEK_BY_WEEK
    older, newest = weeks[:-newest_count], weeks[-newest_count:]
    if older:
        yield Stage(f"up to {older[-1]:%d %B}", _closing(older[-1]), this_year, older[0], older[-1], urns)
    for week in newest:
        at = min(_closing(week), datetime(plan.today.year, plan.today.month, plan.today.day, MORNING, tzinfo=clock.LONDON))
        yield Stage(f"of the week of {week:%d %B}", at, this_year, week, week, urns)


def _weeks_met(plan: Plan, urn: str) -> tuple[date, ...]:
    register = plan.registers[urn, plan.years[-1]]
    return register.weeks[: register.met]


def _closing(week: date) -> datetime:
    """The Friday afternoon of a week."""
    friday = week + timedelta(days=FRIDAY)
    return datetime(friday.year, friday.month, friday.day, AFTERNOON, tzinfo=clock.LONDON)


class RegisterWriter:
    """Writes a plan's registers. Keeps this year's marks, because each stage asks for one week of them."""

    def __init__(self, plan: Plan, left_to_files: Mapping[str, date]) -> None:
        """Start with a plan.

        `left_to_files`: schools (by URN) whose weeks from a Monday on come in as files, and are not written here.
        """
        self.plan, self.left_to_files = plan, left_to_files
        self._marks: dict[str, Bytes] = {}

    def write(self, school_id: UUID, urn: str, stage: Stage) -> None:
        """Write a school's weeks of a stage.

        The newest week is written as it was first sent, and the week before it as it is now. Weeks that the school has not sent,
        or sends as files, are left out.
        """
        plan, year = self.plan, stage.academic_year
        register, sent_count = plan.registers[urn, year], weeks_sent(plan, urn, year)
        files_from = self.left_to_files.get(urn)
        weeks = [week for week in register.weeks[:sent_count] if files_from is None or week < files_from]
        indexes = [index for index, week in enumerate(weeks) if stage.first <= week <= stage.last]
        if not indexes:
            return
        drawn = self._marks_of(urn, year)
        pages = {weeks[index]: drawn[:, index] for index in indexes}
        if stage.first == stage.last:
            index = indexes[0]
            if index + 1 < len(weeks):
                pages[weeks[index]] = as_first_sent(plan, urn, year, index, drawn[:, index])
            if index:
                pages[weeks[index - 1]] = drawn[:, index - 1]
        write_pages(school_id, pages, upload_id=None, reason="history")

    def _marks_of(self, urn: str, year: int) -> Bytes:
        if year != self.plan.years[-1]:
            return marks(self.plan, urn, year)
        if urn not in self._marks:
            self._marks[urn] = with_missing_marks(self.plan, urn, marks(self.plan, urn, year))
        return self._marks[urn]
