"""The registers written as they would have come in: last year at once, this year up to lately, then week by week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from portal import clock
from portal.demonstration.marks import as_first_sent, forgotten, marks, weeks_sent
from portal.registers.actions import write_pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from uuid import UUID

    from portal.demonstration.plans import Plan
    from portal.demonstration.streams import Bytes

#: How many of the newest weeks came in one by one, each with the last one's reasons put right. A county has fewer.
WEEK_BY_WEEK, IN_A_COUNTY, COUNTY = 4, 1, 60
FRIDAY, AFTERNOON, MORNING = 4, 15, 8


@dataclass(frozen=True, slots=True)
class Stage:
    """Weeks that came in at one moment: of one academic year, those whose Mondays lie from `first` to `last`."""

    name: str
    at: datetime
    academic_year: int
    first: date
    last: date
    urns: tuple[str, ...]


def stages(plan: Plan) -> Iterator[Stage]:
    """The moments at which registers came in, oldest first."""
    before, now = plan.years
    urns = tuple(school.urn for school in plan.schools)
    last_year = sorted({week for urn in urns for week in plan.registers[urn, before].weeks})
    yield Stage(f"of {before}/{now % 100}", _closing(last_year[-1]), before, last_year[0], last_year[-1], urns)
    weeks = sorted({week for urn in urns for week in _met(plan, urn)})
    if not weeks:
        return
    one_by_one = IN_A_COUNTY if len(urns) >= COUNTY else WEEK_BY_WEEK
    older, newer = weeks[:-one_by_one], weeks[-one_by_one:]
    if older:
        yield Stage(f"up to {older[-1]:%d %B}", _closing(older[-1]), now, older[0], older[-1], urns)
    for week in newer:
        at = min(_closing(week), datetime(plan.today.year, plan.today.month, plan.today.day, MORNING, tzinfo=clock.LONDON))
        yield Stage(f"of the week of {week:%d %B}", at, now, week, week, urns)


def _met(plan: Plan, urn: str) -> tuple[date, ...]:
    register = plan.registers[urn, plan.years[-1]]
    return register.weeks[: register.met]


def _closing(week: date) -> datetime:
    """The Friday afternoon of a week."""
    friday = week + timedelta(days=FRIDAY)
    return datetime(friday.year, friday.month, friday.day, AFTERNOON, tzinfo=clock.LONDON)


class Keeper:
    """Writes a plan's registers; keeps this year's marks at hand, because a stage asks for one week at a time."""

    def __init__(self, plan: Plan, left_to_files: Mapping[str, date]) -> None:
        """`left_to_files`: schools (by URN) whose weeks from a Monday on come in as files, and so not here."""
        self.plan, self.left_to_files = plan, left_to_files
        self._marks: dict[str, Bytes] = {}

    def write(self, school_id: UUID, urn: str, stage: Stage) -> None:
        """Write a school's weeks of a stage: the newest as first sent, and the week before it as it now stands.

        Weeks the school has not sent are left out, and so are those it sends as files.
        """
        plan, year = self.plan, stage.academic_year
        register, sent = plan.registers[urn, year], weeks_sent(plan, urn, year)
        until = self.left_to_files.get(urn)
        weeks = [week for week in register.weeks[:sent] if until is None or week < until]
        chosen = [place for place, week in enumerate(weeks) if stage.first <= week <= stage.last]
        if not chosen:
            return
        whole = self._whole(urn, year)
        pages = {weeks[place]: whole[:, place] for place in chosen}
        if stage.first == stage.last:
            place = chosen[0]
            if place + 1 < len(weeks):
                pages[weeks[place]] = as_first_sent(plan, urn, year, place, whole[:, place])
            if place:
                pages[weeks[place - 1]] = whole[:, place - 1]
        write_pages(school_id, pages, upload_id=None, reason="history")

    def _whole(self, urn: str, year: int) -> Bytes:
        if year != self.plan.years[-1]:
            return marks(self.plan, urn, year)
        if urn not in self._marks:
            self._marks[urn] = forgotten(self.plan, urn, marks(self.plan, urn, year))
        return self._marks[urn]
