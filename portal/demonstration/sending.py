"""Files sent through the front door: a few schools' newest weeks, in several layouts, some clean and some as they come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from portal import clock
from portal.db import unit_of_work
from portal.demonstration.dirt import SentFile, long_file
from portal.demonstration.layouts import date_matrix, pupil_list, transfer_file, weekly_grid
from portal.demonstration.marks import weeks_sent
from portal.scope import Actor, Scope
from portal.uploads.actions import rehearse, take

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from uuid import UUID

    from portal.demonstration.plans import Plan, School

    Make = Callable[[Plan, str, int, Sequence[int]], SentFile]

#: How far a file goes: applied, or checked and left waiting for someone to apply it.
APPLIED, WAITING = "applied", "waiting"
MARKS, PUPILS = "marks", "pupils"
FEWEST_WEEKS = 6
#: In a county, only so many schools of a phase send files; the rest of its registers are written straight.
MOST_OF_A_PHASE = 20
FRIDAY, OPENS, CLOSES, MINUTES_APART = 4, 8, 15, 4


@dataclass(frozen=True, slots=True)
class Parcel:
    """A file on its way: when it comes, how far it goes, and the Monday from which the school's marks come only so."""

    file: SentFile
    kind: str
    goes: str
    first: date | None
    at: datetime

    @property
    def urn(self) -> str:
        """The school that sends it."""
        return self.file.urn


def files_of(plan: Plan) -> list[Parcel]:
    """The files a plan's schools send for the newest weeks they have sent, in order of time; none early in the year."""
    year = plan.years[-1]
    parcels: list[Parcel] = []
    for phase in dict.fromkeys(school.phase for school in plan.schools):
        here = [one for one in plan.schools if one.phase == phase and weeks_sent(plan, one.urn, year) >= FEWEST_WEEKS]
        for place, school in enumerate(here[:MOST_OF_A_PHASE]):
            first = _FIRST.get(phase, ())
            make, goes = first[place] if place < len(first) else (_AFTER[place % len(_AFTER)], APPLIED)
            parcels.append(_parcel(plan, school, len(parcels), make=make, goes=goes))
    primaries = [one for one in plan.schools if one.phase == "primary"]
    if parcels:
        morning = _morning(plan) + timedelta(minutes=30)
        parcels.append(Parcel(pupil_list(plan, primaries[0].urn, year), PUPILS, APPLIED, None, morning))
        parcels.append(Parcel(_unreadable(primaries[-1]), MARKS, WAITING, None, morning))
    return sorted(parcels, key=lambda parcel: parcel.at)


def _parcel(plan: Plan, school: School, number: int, *, make: Make, goes: str) -> Parcel:
    register, sent = plan.registers[school.urn, plan.years[-1]], weeks_sent(plan, school.urn, plan.years[-1])
    weeks = [sent - 1] if make is weekly_grid else [sent - 2, sent - 1]
    friday = register.weeks[sent - 1] + timedelta(days=FRIDAY)
    closing = datetime(friday.year, friday.month, friday.day, CLOSES, tzinfo=clock.LONDON)
    at = min(closing, _morning(plan)) + timedelta(minutes=MINUTES_APART * number)
    return Parcel(make(plan, school.urn, plan.years[-1], weeks), MARKS, goes, register.weeks[weeks[0]], at)


def _morning(plan: Plan) -> datetime:
    return datetime(plan.today.year, plan.today.month, plan.today.day, OPENS, tzinfo=clock.LONDON) - timedelta(hours=16)


def _clean(plan: Plan, urn: str, year: int, weeks: Sequence[int]) -> SentFile:
    return long_file(plan, urn, year, weeks, spoil=False)


#: What the first schools of each phase send, and what those after them send in turn.
_FIRST: Mapping[str, Sequence[tuple[Make, str]]] = {
    "primary": ((long_file, APPLIED), (weekly_grid, APPLIED), (_clean, APPLIED), (long_file, WAITING)),
    "secondary": ((date_matrix, APPLIED), (_clean, APPLIED)),
    "special": ((transfer_file, APPLIED),),
}
_AFTER: Sequence[Make] = (_clean, weekly_grid, date_matrix)


def _unreadable(school: School) -> SentFile:
    """What arrives when someone scans the paper register and sends that."""
    return SentFile("registers scanned.pdf", school.urn, "none", b"%PDF-1.4\n% a picture of a register, not a register\n", 0)


def send(parcels: Sequence[Parcel], authority_id: UUID, sending: Mapping[str, tuple[UUID, Actor]]) -> int:
    """Send the files as the people of their schools, each when it would have come. Answers how many.

    `sending` holds each school's id and who acts for it, by URN.
    """
    for parcel in parcels:
        school_id, actor = sending[parcel.urn]
        with unit_of_work(Scope(authority_id, frozenset({school_id}), actor)), clock.at(min(parcel.at, clock.now())):
            act = take if parcel.goes == APPLIED else rehearse
            act(school_id, kind=parcel.kind, file_name=parcel.file.name, content=parcel.file.content)
    return len(parcels)
