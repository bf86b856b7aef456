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
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date
    from uuid import UUID

    from portal.demonstration.plans import Plan, School

#: How far a file goes: applied, or checked and left waiting for someone to apply it.
APPLIED, WAITING = "applied", "waiting"
MARKS, PUPILS = "marks", "pupils"
FEWEST_WEEKS = 3


@dataclass(frozen=True, slots=True)
class Parcel:
    """A file on its way: what it is of, how far it goes, and the Monday from which the school's marks come only so."""

    file: SentFile
    kind: str
    goes: str
    first: date | None

    @property
    def urn(self) -> str:
        """The school that sends it."""
        return self.file.urn


def files_of(plan: Plan) -> list[Parcel]:
    """The files a plan's schools send for their newest two weeks; none before three weeks of the year have met."""
    year = plan.years[-1]
    silent = {gap.urn for gap in plan.gaps}
    able = [school for school in plan.schools if school.urn not in silent and weeks_sent(plan, school.urn, year) >= FEWEST_WEEKS]
    parcels = []
    for phase, wishes in _WISHES.items():
        here = [school for school in able if school.phase == phase]
        parcels += [_parcel(plan, school, make, goes) for school, (make, goes) in zip(here, wishes, strict=False)]
    primaries = [school for school in able if school.phase == "primary"]
    parcels += [Parcel(pupil_list(plan, school.urn, year), PUPILS, APPLIED, None) for school in primaries[:1]]
    parcels += [Parcel(_unreadable(school), MARKS, WAITING, None) for school in primaries[5:6]]
    return parcels


def _parcel(plan: Plan, school: School, make: Callable[[Plan, str, int], SentFile], goes: str) -> Parcel:
    year = plan.years[-1]
    file, register = make(plan, school.urn, year), plan.registers[school.urn, year]
    newest = -1 if file.layout == "weekly-grid" else -2
    return Parcel(file, MARKS, goes, register.weeks[register.met + newest])


def _spoiled(plan: Plan, urn: str, year: int) -> SentFile:
    return long_file(plan, urn, year, [-2, -1])


def _clean(plan: Plan, urn: str, year: int) -> SentFile:
    return long_file(plan, urn, year, [-2, -1], spoil=False)


def _grid(plan: Plan, urn: str, year: int) -> SentFile:
    return weekly_grid(plan, urn, year, -1)


def _matrix(plan: Plan, urn: str, year: int) -> SentFile:
    return date_matrix(plan, urn, year, [-2, -1])


def _transfer(plan: Plan, urn: str, year: int) -> SentFile:
    return transfer_file(plan, urn, year, [-2, -1])


#: Which schools send what, by phase and in order of their numbers.
_WISHES: Mapping[str, Sequence[tuple[Callable[[Plan, str, int], SentFile], str]]] = {
    "primary": ((_spoiled, APPLIED), (_grid, APPLIED), (_clean, APPLIED), (_spoiled, WAITING)),
    "secondary": ((_matrix, APPLIED), (_clean, APPLIED)),
    "special": ((_transfer, APPLIED),),
    "alternative": ((_clean, APPLIED),),
}


def _unreadable(school: School) -> SentFile:
    """What arrives when someone scans the paper register and sends that."""
    return SentFile("registers scanned.pdf", school.urn, "none", b"%PDF-1.4\n% a picture of a register, not a register\n", 0)


def send(parcels: Sequence[Parcel], plan: Plan, authority_id: UUID, sending: Mapping[str, tuple[UUID, Actor]]) -> int:
    """Send the files as the people of their schools, each when it would have come. Answers how many.

    `sending` holds each school's id and who acts for it, by URN.
    """
    for parcel, at in zip(parcels, _moments(plan, len(parcels)), strict=True):
        school_id, actor = sending[parcel.urn]
        with unit_of_work(Scope(authority_id, frozenset({school_id}), actor)), clock.at(min(at, clock.now())):
            act = take if parcel.goes == APPLIED else rehearse
            act(school_id, kind=parcel.kind, file_name=parcel.file.name, content=parcel.file.content)
    return len(parcels)


def _moments(plan: Plan, count: int) -> Iterator[datetime]:
    """One moment after another this morning, a few minutes apart."""
    first = datetime(plan.today.year, plan.today.month, plan.today.day, 8, 5, tzinfo=clock.LONDON)
    return (first + timedelta(minutes=4 * number) for number in range(count))
