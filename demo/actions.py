"""Makes the demonstration: writes an invented authority and its neighbour to the database, and reports progress."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from demo.authorities import plan_authority, plan_neighbour
from demo.events import AUTHORITY_WRITTEN, MADE, PUPILS_WRITTEN
from demo.people import OPERATOR
from demo.registers import RegisterWriter, stages
from demo.removal import remove_demonstrations
from demo.rows import load_pupils, load_schools
from demo.sending import planned_uploads, upload_files
from portal.accounts.actions import people as people_actions
from portal.accounts.queries.people import authorities
from portal.accounts.queries.principals import authority_by_slug, command_line_scope, person_by_email, platform_scope
from portal.audit.actions import record
from portal.benchmarks.actions import load_bundled
from portal.db.work import action, unit_of_work
from portal.platform import clock
from portal.security.permissions import Role
from portal.security.scope import Actor

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.plans import Person, Plan


SEED = 20250901
OPENING_HOUR = 8
#: Roles that may send files. Where a school has several, the last person added sends.
SENDING_ROLES = frozenset({Role.LA_ADMINISTRATOR, Role.ATTENDANCE_LEAD, Role.SCHOOL_OFFICE})


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids given to what a plan holds: the authority, and schools by URN.

    `actors`: who sends a school's files, by URN. The key "" is the authority's own administrator.
    """

    authority: UUID
    schools: dict[str, UUID] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan) -> Ids:
        """Fresh ids for everything in a plan."""
        return cls(uuid4(), {school.urn: uuid4() for school in plan.schools})


def make_demonstration(
    *,
    schools: int = 24,
    pupils: int = 9000,
    if_empty: bool = False,
    reset: bool = False,
    owner_url: str = "",
    tell: Callable[[str], None] | None = None,
) -> dict[str, object]:
    """Make Wrenfold, of the size asked for, and its neighbour Eastmarch.

    Returns what was made, or why nothing was. With `if_empty` nothing is made when there is any authority; without `reset`
    nothing is made when there is a demonstration. With `reset` the existing demonstration is removed first, as the
    database's owner (`owner_url`). Each step commits; run again with `reset` after an interruption.
    """
    progress = Progress(tell or _to_terminal)
    with unit_of_work(None):
        slugs = [authority.slug for authority in authorities()]
    if reset:
        progress.step("Removing the demonstration that is there")
        remove_demonstrations(owner_url)
        # Removal committed on a connection of its own, so the list is read again in a new transaction.
        with unit_of_work(None):
            slugs = [authority.slug for authority in authorities()]
    today = clock.today()
    if slugs and if_empty:
        return {"made": False, "why": "There are authorities already."}
    progress.step(f"Drawing {schools} schools and about {pupils:,} pupils")
    plan = plan_authority(SEED, today=today, schools=schools, pupils=pupils)
    next_door = plan_neighbour(plan)
    if {plan.slug, next_door.slug} & set(slugs):
        return {"made": False, "why": "The demonstration is there already. Use --reset to make it afresh."}
    _load_platform(progress)
    written = [write_plan(plan, progress) for plan in (plan, next_door)]
    progress.step("Ready")
    return {"made": True, "authorities": written, "seconds": round(progress.seconds, 1)}


class Progress:
    """Reports each step, with the seconds since the start."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """Start the clock."""
        self._tell, self._start = tell, time.monotonic()

    @property
    def seconds(self) -> float:
        """The seconds since the start."""
        return time.monotonic() - self._start

    def step(self, sentence: str) -> None:
        """Report that a step begins."""
        self._tell(f"{self.seconds:6.1f} s  {sentence}")


def _to_terminal(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _load_platform(progress: Progress) -> None:
    progress.step("Loading the published figures")
    with unit_of_work(platform_scope()):
        people_actions.ensure_platform()
        load_bundled()
        if person_by_email(OPERATOR.email) is None:
            _add_person(OPERATOR, {}, None)


def write_plan(plan: Plan, progress: Progress) -> dict[str, object]:
    """Write one plan, with the clock set to when each step would have happened. Returns a summary."""
    ids = Ids.of(plan)
    scope = command_line_scope(ids.authority)
    line_count = sum(len(register.lines) for register in plan.registers.values())
    year_start = datetime(plan.years[0], 9, 1, OPENING_HOUR, tzinfo=clock.LONDON)
    # The clock is never set beyond now: audit events and jobs must not lie in the future.
    with unit_of_work(scope), clock.frozen_at(min(year_start, clock.now())):
        progress.step(f"{plan.name}: {len(plan.schools)} schools, their term dates and {len(plan.people)} people")
        write_authority(plan, ids)
        progress.step(f"{plan.name}: {len(plan.pupils):,} pupils, their families and {line_count:,} roll lines")
        write_pupils(plan, ids)
    uploads = planned_uploads(plan)
    writer = RegisterWriter(plan, {upload.urn: upload.first_week for upload in uploads if upload.first_week})
    with unit_of_work(scope):
        for stage in stages(plan):
            progress.step(f"{plan.name}: registers {stage.name}")
            with clock.frozen_at(min(stage.at, clock.now())):
                for urn in stage.urns:
                    writer.write(ids.schools[urn], urn, stage)
    progress.step(f"{plan.name}: {len(uploads)} files as schools send them")
    senders = {upload.urn: (ids.schools[upload.urn], ids.actors.get(upload.urn, ids.actors[""])) for upload in uploads}
    sent_count = upload_files(uploads, ids.authority, senders)
    with unit_of_work(scope):
        record_made(plan)
    return {
        "slug": plan.slug,
        "schools": len(plan.schools),
        "pupils": len(plan.pupils),
        "roll_lines": line_count,
        "files": sent_count,
    }


@action
def write_authority(plan: Plan, ids: Ids) -> None:
    """Write a plan's authority, trusts, schools, term dates and people."""
    people_actions.add_authority(plan.slug, plan.name, plan.la_code, demonstration=True)
    load_schools(plan, ids.schools)
    until = date(plan.years[-1] + 1, 8, 31)
    for person in plan.people:
        actor = _add_person(person, ids.schools, until)
        if person.role in SENDING_ROLES:
            ids.actors[person.schools[0] if person.schools else ""] = actor
    record(AUTHORITY_WRITTEN, ids.authority, schools=len(plan.schools))


@action
def write_pupils(plan: Plan, ids: Ids) -> None:
    """Write a plan's children: each school's records of them, with contacts, circumstances and roll lines, and the links."""
    load_pupils(plan, ids.schools)
    record(PUPILS_WRITTEN, ids.authority, pupils=len(plan.pupils))


@action
def record_made(plan: Plan) -> None:
    """Record in the audit that a demonstration is complete."""
    authority = authority_by_slug(plan.slug)
    record(MADE, authority.id if authority else None, schools=len(plan.schools), pupils=len(plan.pupils))


def _add_person(person: Person, schools: dict[str, UUID], until: date | None) -> Actor:
    added = people_actions.add_person(person.name, person.email, demonstration=True)
    membership = people_actions.add_membership(
        added.id,
        person.role,
        school_ids=[schools[urn] for urn in person.schools],
        agency=person.agency,
        title=person.title,
        until=until if person.role is Role.PARTNER else None,
    )
    return Actor(added.id, membership.id, person.role)
