"""Making the demonstration: an invented authority and its neighbour written into the database, step by step, with progress."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from portal import clock
from portal.accounts import actions as accounts
from portal.accounts.queries import authorities, authority_by_slug, command_line, person_by_email, platform_scope
from portal.audit.actions import record
from portal.audit.events import event
from portal.benchmarks.actions import load_shipped
from portal.db import action, unit_of_work
from portal.demonstration.authorities import authority, neighbour
from portal.demonstration.people import OPERATOR
from portal.demonstration.registers import Keeper, stages
from portal.demonstration.removal import remove
from portal.demonstration.rows import load_people_of_schools, load_places
from portal.demonstration.sending import files_of, send
from portal.permissions import Role
from portal.scope import Actor

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.demonstration.plans import Person, Plan

MADE = event("demonstration.made", "A demonstration authority was made", "schools", "pupils")
FOUNDED = event("demonstration.founded", "A demonstration's schools and term dates were written", "schools")
ENROLLED = event("demonstration.enrolled", "A demonstration's pupils were written", "pupils")

SEED = 20250901
OPENS_AT = 8
#: Who sends files, the later in a school the rather.
SENDERS = frozenset({Role.LA_ADMINISTRATOR, Role.ATTENDANCE_LEAD, Role.SCHOOL_OFFICE})


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids given to what a plan holds: the authority, its schools by URN, its pupils and parents by number.

    `actors`: who sends a school's files, by URN; under "" the authority's own administrator.
    """

    authority: UUID
    schools: dict[str, UUID] = field(default_factory=dict)
    pupils: dict[int, UUID] = field(default_factory=dict)
    parents: dict[int, UUID] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan) -> Ids:
        """Fresh ids for everything in a plan."""
        return cls(
            uuid4(),
            {school.urn: uuid4() for school in plan.schools},
            {pupil.number: uuid4() for pupil in plan.pupils},
            {parent.number: uuid4() for parent in plan.parents},
        )


def make_demonstration(
    *,
    schools: int = 24,
    pupils: int = 9000,
    if_empty: bool = False,
    reset: bool = False,
    owner_url: str = "",
    tell: Callable[[str], None] | None = None,
) -> dict[str, object]:
    """Make Wrenfold, of the size asked for, and Eastmarch next door; answers what was made, or why nothing was.

    Nothing is made beside an authority with `if_empty`, nor beside a demonstration without `reset`. With `reset` the
    demonstration there is removed first, as the database's owner (`owner_url`). Each step commits; one cut short is
    made good by `reset`.
    """
    said = Progress(tell or _to_terminal)
    with unit_of_work(None):
        there = [one.slug for one in authorities()]
    if reset:
        said.step("Removing the demonstration that is there")
        remove(owner_url)
        with unit_of_work(None):
            there = [one.slug for one in authorities()]
    today = clock.today()
    if there and if_empty:
        return {"made": False, "why": "There are authorities already."}
    said.step(f"Drawing {schools} schools and about {pupils:,} pupils")
    plan = authority(SEED, today=today, schools=schools, pupils=pupils)
    beside = neighbour(plan)
    if {plan.slug, beside.slug} & set(there):
        return {"made": False, "why": "The demonstration is there already. Use --reset to make it afresh."}
    _platform(said)
    made = [write_down(one, said) for one in (plan, beside)]
    said.step("Ready")
    return {"made": True, "authorities": made, "seconds": round(said.seconds, 1)}


class Progress:
    """Says each step, with the seconds since the start."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """Begin now."""
        self._tell, self._began = tell, time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self._began

    def step(self, sentence: str) -> None:
        """Say that a step begins."""
        self._tell(f"{self.seconds:6.1f} s  {sentence}")


def _to_terminal(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _platform(said: Progress) -> None:
    said.step("Loading the published figures")
    with unit_of_work(platform_scope()):
        accounts.ensure_platform()
        load_shipped()
        if person_by_email(OPERATOR.email) is None:
            _add_person(OPERATOR, {}, None)


def write_down(plan: Plan, said: Progress) -> dict[str, object]:
    """Write one plan, the clock set to when each thing would have happened; answers what was written."""
    ids = Ids.of(plan)
    scope = command_line(ids.authority)
    lines = sum(len(one.lines) for one in plan.registers.values())
    first = datetime(plan.years[0], 9, 1, OPENS_AT, tzinfo=clock.LONDON)
    with unit_of_work(scope), clock.at(min(first, clock.now())):
        said.step(f"{plan.name}: {len(plan.schools)} schools, their term dates and {len(plan.people)} people")
        found(plan, ids)
        said.step(f"{plan.name}: {len(plan.pupils):,} pupils, their families and {lines:,} roll lines")
        enrol(plan, ids)
    parcels = files_of(plan)
    keeper = Keeper(plan, {parcel.urn: parcel.first for parcel in parcels if parcel.first})
    with unit_of_work(scope):
        for stage in stages(plan):
            said.step(f"{plan.name}: registers {stage.name}")
            with clock.at(min(stage.at, clock.now())):
                for urn in stage.urns:
                    keeper.write(ids.schools[urn], urn, stage)
    said.step(f"{plan.name}: {len(parcels)} files as schools send them")
    sending = {parcel.urn: (ids.schools[parcel.urn], ids.actors.get(parcel.urn, ids.actors[""])) for parcel in parcels}
    sent = send(parcels, ids.authority, sending)
    with unit_of_work(scope):
        finish(plan)
    return {"slug": plan.slug, "schools": len(plan.schools), "pupils": len(plan.pupils), "roll_lines": lines, "files": sent}


@action
def found(plan: Plan, ids: Ids) -> None:
    """Write a plan's authority, trusts, schools, term dates and people."""
    accounts.add_authority(plan.slug, plan.name, plan.la_code, demonstration=True)
    load_places(plan, ids.schools)
    until = date(plan.years[-1] + 1, 8, 31)
    for person in plan.people:
        actor = _add_person(person, ids.schools, until)
        if person.role in SENDERS:
            ids.actors[person.schools[0] if person.schools else ""] = actor
    record(FOUNDED, ids.authority, schools=len(plan.schools))


@action
def enrol(plan: Plan, ids: Ids) -> None:
    """Write a plan's pupils, parents, circumstances and roll lines."""
    load_people_of_schools(plan, ids.schools, ids.pupils, ids.parents)
    record(ENROLLED, ids.authority, pupils=len(plan.pupils))


@action
def finish(plan: Plan) -> None:
    """Record that a demonstration is whole."""
    held = authority_by_slug(plan.slug)
    record(MADE, held.id if held else None, schools=len(plan.schools), pupils=len(plan.pupils))


def _add_person(person: Person, schools: dict[str, UUID], until: date | None) -> Actor:
    added = accounts.add_person(person.name, person.email, demonstration=True)
    membership = accounts.add_membership(
        added.id,
        person.role,
        school_ids=[schools[urn] for urn in person.schools],
        agency=person.agency,
        title=person.title,
        until=until if person.role is Role.PARTNER else None,
    )
    return Actor(added.id, membership.id, person.role)
