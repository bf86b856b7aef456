"""What we know of the people of an authority: who is in an administrator's reach, who was invited, who the demonstration has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from portal import clock
from portal import scope as scopes
from portal.accounts.models import PLATFORM, Authority, Invitation, Mail, Membership, Person
from portal.accounts.queries.principals import is_unused, places_of
from portal.accounts.roles import roles_offered
from portal.db import tx
from portal.permissions import Role

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy import Select

    from portal.accounts.queries.principals import Place


def authorities() -> list[Authority]:
    """Every authority, by name, the platform itself left out."""
    return list(tx().scalars(select(Authority).where(Authority.id != PLATFORM).order_by(Authority.name)))


@dataclass(frozen=True, slots=True)
class Colleague:
    """A membership as the people pages show it."""

    membership_id: UUID
    person_id: UUID
    name: str
    email: str
    role: Role
    school_ids: frozenset[UUID]
    agency: str | None
    title: str | None
    until: date | None
    suspended: bool
    last_signed_in_at: datetime | None
    has_second_factor: bool


def _within_reach() -> Select[Membership, Person]:
    """Current memberships of the scope's authority whose role and schools are the actor's to look after."""
    here = scopes.current()
    found = (
        select(Membership, Person)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.authority_id == here.authority_id, Membership.ended_at.is_(None))
        .where(Membership.role.in_(roles_offered(here.actor.role)))
    )
    return found if here.schools is None else found.where(Membership.school_ids.contained_by(list(here.schools)))


def _colleague(membership: Membership, person: Person) -> Colleague:
    return Colleague(
        membership.id,
        person.id,
        person.name,
        person.email,
        Role(membership.role),
        frozenset(membership.school_ids),
        membership.agency,
        membership.title,
        membership.until,
        person.disabled_at is not None or is_unused(person),
        person.last_signed_in_at,
        person.totp_secret is not None,
    )


def colleagues(named: str = "", *, page: int = 1, size: int = 50) -> tuple[list[Colleague], int]:
    """A page of the people in the actor's reach by name, those whose name or e-mail holds `named`; and how many there are."""
    found = _within_reach()
    if named:
        found = found.where(or_(Person.name.icontains(named, autoescape=True), Person.email.icontains(named, autoescape=True)))
    count = tx().scalar(select(func.count()).select_from(found.subquery())) or 0
    rows = tx().execute(found.order_by(Person.name, Membership.id).limit(size).offset((page - 1) * size))
    return [_colleague(membership, person) for membership, person in rows], count


def colleague(membership_id: UUID) -> Colleague | None:
    """One person in the actor's reach, by membership."""
    row = tx().execute(_within_reach().where(Membership.id == membership_id)).first()
    return None if row is None else _colleague(row[0], row[1])


def names_of_memberships(membership_ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of the people behind memberships of the scope's authority, ended ones too: who sent, who changed."""
    rows = tx().execute(
        select(Membership.id, Person.name)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.id.in_(membership_ids), Membership.authority_id == scopes.current().authority_id)
    )
    return {row.id: row.name for row in rows}


def open_invitations() -> list[Invitation]:
    """Invitations in the actor's reach that nobody has accepted yet, newest first."""
    here = scopes.current()
    found = (
        select(Invitation)
        .where(Invitation.authority_id == here.authority_id, Invitation.role.in_(roles_offered(here.actor.role)))
        .where(Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None), Invitation.expires_at > clock.now())
        .order_by(Invitation.created_at.desc())
    )
    if here.schools is not None:
        found = found.where(Invitation.school_ids.contained_by(list(here.schools)))
    return list(tx().scalars(found))


@dataclass(frozen=True, slots=True)
class DemonstrationPerson:
    """Someone of the demonstration, as the sign-in page lists them."""

    membership_id: UUID
    name: str
    role: Role
    title: str | None
    authority_name: str


def demonstration_people() -> list[DemonstrationPerson]:
    """The demonstration's people, one line a membership, by authority (the first made comes first) and name."""
    rows = tx().execute(
        select(Person, Membership, Authority)
        .join(Membership, Membership.person_id == Person.id)
        .join(Authority, Authority.id == Membership.authority_id)
        .where(Person.demonstration.is_(True), Person.disabled_at.is_(None), Membership.ended_at.is_(None))
        .where(or_(Membership.until.is_(None), Membership.until >= clock.today()))
        .order_by(Authority.created_at, Authority.name, Person.name, Membership.id)
    )
    return [DemonstrationPerson(m.id, p.name, Role(m.role), m.title, a.name) for p, m, a in rows]


def demonstration_place(membership_id: UUID) -> tuple[UUID, Place] | None:
    """Whose membership this is and its place, if they belong to the demonstration."""
    person = tx().scalar(
        select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.id == membership_id, Person.demonstration.is_(True), Person.disabled_at.is_(None))
    )
    places = places_of(person.id) if person is not None else []
    return next(((person.id, place) for place in places if person and place.membership_id == membership_id), None)


def recent_mail(limit: int = 100) -> list[Mail]:
    """The newest messages, for the page of the demonstration that shows what would have been sent."""
    return list(tx().scalars(select(Mail).order_by(Mail.created_at.desc(), Mail.id).limit(limit)))
