"""A small world: an authority with two schools, and a look-alike neighbour that must never be seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from portal.accounts.actions import people as people_actions
from portal.accounts.models import PLATFORM
from portal.accounts.queries.principals import command_line_scope
from portal.audit.actions import record
from portal.audit.events import event
from portal.db.work import action, tx, unit_of_work
from portal.schools.models import ClosedDays, School, Term
from portal.security.permissions import LA_ROLES, Role
from portal.security.scope import Actor, Scope

if TYPE_CHECKING:
    from collections.abc import Callable

#: The time in every test unless it sets another: Wednesday 25 November 2026, 09:05 UK time.
NOW = datetime(2026, 11, 25, 9, 5, tzinfo=UTC)

SET_UP = event("test.furnished", "A test set something up")


@dataclass
class AuthorityWorld:
    """An authority: its schools, and the person id and membership id of each role."""

    id: UUID
    slug: str
    primary: UUID
    secondary: UUID
    people: dict[Role, tuple[UUID, UUID]] = field(default_factory=dict)

    def scope(self, role: Role = Role.LA_MANAGER) -> Scope:
        """The scope of the person in this role. School roles are bound to the primary school."""
        person, membership = self.people[role]
        schools = None if role in LA_ROLES else frozenset({self.primary} if role != Role.PARTNER else ())
        return Scope(self.id, schools, Actor(person, membership, role))


@dataclass
class World:
    """The authority under test and its neighbour."""

    authority: AuthorityWorld
    neighbour: AuthorityWorld


@action
def write_rows(change: Callable[[], None]) -> None:
    """Let a test write rows inside an action, since rows cannot be committed without an audit event."""
    change()
    tx().flush()
    record(SET_UP, None)


TERMS = (
    ("Autumn term", date(2025, 9, 1), date(2025, 12, 19)),
    ("Spring term", date(2026, 1, 5), date(2026, 3, 27)),
    ("Summer term", date(2026, 4, 13), date(2026, 7, 20)),
    ("Autumn term", date(2026, 9, 1), date(2026, 12, 18)),
    ("Spring term", date(2027, 1, 4), date(2027, 3, 24)),
    ("Summer term", date(2027, 4, 12), date(2027, 7, 21)),
)
HALF_TERMS = (
    (date(2025, 10, 27), date(2025, 10, 31)),
    (date(2026, 2, 16), date(2026, 2, 20)),
    (date(2026, 5, 25), date(2026, 5, 29)),
    (date(2026, 10, 26), date(2026, 10, 30)),
    (date(2027, 2, 15), date(2027, 2, 19)),
    (date(2027, 5, 31), date(2027, 6, 4)),
)


def make_world() -> World:
    """Make the world in the connected database."""
    with unit_of_work(command_line_scope(PLATFORM)):
        people_actions.ensure_platform()
    authority = _authority("wrenfold", "Wrenfold", "001", ("900001", "900002"))
    neighbour = _authority("eastmarch", "Eastmarch", "002", ("900001", "900002"))
    return World(authority, neighbour)


def _authority(slug: str, name: str, la_code: str, urns: tuple[str, str]) -> AuthorityWorld:
    authority = AuthorityWorld(uuid4(), slug, uuid4(), uuid4())
    with unit_of_work(command_line_scope(authority.id)):
        people_actions.add_authority(slug, name, la_code, demonstration=True)
        write_rows(lambda: _schools(authority, la_code, urns))
        for role in Role:
            _person(authority, role)
    return authority


def _schools(authority: AuthorityWorld, la_code: str, urns: tuple[str, str]) -> None:
    tx().add(School(id=authority.primary, urn=urns[0], laestab=f"{la_code}2001", name="Brook Lane Primary School", phase="primary"))
    tx().add(School(id=authority.secondary, urn=urns[1], laestab=f"{la_code}4001", name="Hill Top School", phase="secondary"))
    for name, first, last in TERMS:
        tx().add(Term(school_id=None, name=name, first_day=first, last_day=last))
    for first, last in HALF_TERMS:
        tx().add(ClosedDays(school_id=None, name="Half term", first_day=first, last_day=last))


def _person(authority: AuthorityWorld, role: Role) -> None:
    if role == Role.PLATFORM_OPERATOR:
        return
    person = people_actions.add_person(
        f"{role.value.replace('-', ' ').title()} Example", f"{role.value}@{authority.slug}.example", demonstration=True
    )
    schools = frozenset() if role in LA_ROLES or role == Role.PARTNER else frozenset({authority.primary})
    membership = people_actions.add_membership(
        person.id,
        role,
        school_ids=schools,
        agency="Wrenfold Youth Service" if role == Role.PARTNER else None,
        until=date(2027, 8, 31) if role == Role.PARTNER else None,
    )
    authority.people[role] = (person.id, membership.id)
