"""Guards acts on a whole person, not on one membership: who may do them, where they are recorded.

A person has one password, one second factor and one list of sign-ins for all their memberships. Someone who
manages one membership must not reach the others through these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.accounts.events import CHANGED_ELSEWHERE
from portal.accounts.queries.people import memberships_outside_reach
from portal.accounts.queries.principals import usable_memberships
from portal.audit.actions import record
from portal.db.work import action
from portal.jobs.outbox import enqueue_in
from portal.platform.refusals import RefusedError
from portal.security import scope

if TYPE_CHECKING:
    from uuid import UUID

    from portal.audit.events import Event

IN_ANOTHER_AUTHORITY = (
    "They also have a role outside your authority, and this would act on it too. Ask the people who run the portal to do it."
)
OUTSIDE_YOUR_SCHOOLS = "They also have a role outside your schools, and this would act on it too. Ask an LA administrator to do it."


def refuse_unless_whole_person_in_reach(person_id: UUID) -> None:
    """Refuse to act on a person who has a current membership that the actor does not manage.

    Raises:
        RefusedError: with a sentence that says whom to ask instead.
    """
    outside = memberships_outside_reach(person_id)
    if not outside:
        return
    is_elsewhere = any(membership.authority_id != scope.current().authority_id for membership in outside)
    raise RefusedError(IN_ANOTHER_AUTHORITY if is_elsewhere else OUTSIDE_YOUR_SCHOOLS)


def record_for_whole_person(event: Event, person_id: UUID, **facts: object) -> None:
    """Record an event about a whole person, and that it happened in their other authorities.

    The others' entries are jobs, which commit with this transaction: two transactions that each held the newest link of
    one chain and waited for the other's would never end.
    """
    record(event, person_id, **facts)
    authority_ids = {membership.authority_id for membership in usable_memberships(person_id)}
    for authority_id in sorted(authority_ids - {scope.current().authority_id}):
        enqueue_in(authority_id, "accounts.record_elsewhere", person_id=person_id, event_name=event.name)


@action
def record_elsewhere(person_id: UUID, event_name: str) -> None:
    """Record in this authority what was done to one of its people in another."""
    record(CHANGED_ELSEWHERE, person_id, event_name=event_name)
