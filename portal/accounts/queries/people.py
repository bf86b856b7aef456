"""Queries on an authority's people and invitations, on the demonstration's people, and on mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from portal.accounts.domain.lifecycle import InvitationState
from portal.accounts.domain.roles import COMMAND_LINE, can_manage, grantable_roles
from portal.accounts.models import PLATFORM, Authority, Invitation, Mail, Membership, Person
from portal.accounts.queries.principals import is_unused, usable_memberships
from portal.db.work import needs_sign_in_rights, tx
from portal.platform import clock
from portal.security import scope as scopes
from portal.security.permissions import Role
from portal.web.paging import select_page

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy import Select

    from portal.accounts.queries.principals import UsableMembership
    from portal.web.paging import Page, Position


def authorities() -> list[Authority]:
    """Every authority by name, without the platform itself."""
    return list(tx().scalars(select(Authority).where(Authority.id != PLATFORM).order_by(Authority.name)))


def every_authority_id() -> list[UUID]:
    """The id of every authority that has an audit of its own, the platform's among them."""
    return list(tx().scalars(select(Authority.id).order_by(Authority.id)))


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person with one membership, as the people pages show them."""

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


def _managed_memberships() -> Select[Membership, Person]:
    """Current memberships of the scope's authority that the actor manages, by role and schools."""
    # These tables are shared between authorities, so no row security helps: the authority must be in the query.
    scope = scopes.current()
    query = (
        select(Membership, Person)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.authority_id == scope.authority_id, Membership.ended_at.is_(None))
        .where(Membership.role.in_(grantable_roles(scope.actor.role)))
    )
    return query if scope.schools is None else query.where(Membership.school_ids.contained_by(list(scope.schools)))


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
    )


def colleagues(text: str, position: Position) -> tuple[Page[Colleague], int]:
    """A page of the people the actor manages, by name, and how many there are.

    With `text`, only those whose name or e-mail address contains it.
    """
    query = _managed_memberships()
    if text:
        query = query.where(or_(Person.name.icontains(text, autoescape=True), Person.email.icontains(text, autoescape=True)))
    count = tx().scalar(select(func.count()).select_from(query.subquery())) or 0
    page = select_page(query, Person.name, Membership.id, position=position)
    return page.of([_colleague(membership, person) for membership, person in page.items]), count


def colleague(membership_id: UUID) -> Colleague | None:
    """One person the actor manages, by membership."""
    row = tx().execute(_managed_memberships().where(Membership.id == membership_id)).first()
    return None if row is None else _colleague(row[0], row[1])


def administrators(role: Role = Role.LA_ADMINISTRATOR, *, without: UUID | None = None) -> list[str]:
    """The e-mail addresses of the scope's administrators, without one person's. The platform's have another role."""
    addresses = (
        select(Person.email)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.authority_id == scopes.current().authority_id, Membership.role == role)
        .where(Membership.ended_at.is_(None), or_(Membership.until.is_(None), Membership.until >= clock.today()))
        .where(Person.disabled_at.is_(None))
        .order_by(Person.email)
    )
    if without is not None:
        addresses = addresses.where(Person.id != without)
    return list(tx().scalars(addresses.distinct()))


def memberships_outside_reach(person_id: UUID) -> list[UsableMembership]:
    """The person's current memberships, in any authority, that the actor does not manage. The command line manages all."""
    scope = scopes.current()
    if scope.actor.role == COMMAND_LINE:
        return []
    return [
        membership
        for membership in usable_memberships(person_id)
        if membership.authority_id != scope.authority_id or not can_manage(scope, membership.role, membership.school_ids)
    ]


def names_of_memberships(membership_ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of the people behind memberships of the scope's authority, including ended ones."""
    rows = tx().execute(
        select(Membership.id, Person.name)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.id.in_(membership_ids), Membership.authority_id == scopes.current().authority_id)
    )
    return {row.id: row.name for row in rows}


def open_invitations() -> list[Invitation]:
    """The open invitations the actor manages, newest first."""
    scope = scopes.current()
    query = (
        select(Invitation)
        .where(Invitation.authority_id == scope.authority_id, Invitation.role.in_(grantable_roles(scope.actor.role)))
        .where(Invitation.state == InvitationState.SENT, Invitation.expires_at > clock.now())
        .order_by(Invitation.created_at.desc())
    )
    if scope.schools is not None:
        query = query.where(Invitation.school_ids.contained_by(list(scope.schools)))
    return list(tx().scalars(query))


@dataclass(frozen=True, slots=True)
class DemonstrationPerson:
    """A person of the demonstration, as the sign-in page lists them."""

    membership_id: UUID
    name: str
    role: Role
    title: str | None
    authority_name: str


@needs_sign_in_rights
def demonstration_people() -> list[DemonstrationPerson]:
    """The demonstration's people, one for each membership, by authority (oldest first) and name."""
    rows = tx().execute(
        select(Person, Membership, Authority)
        .join(Membership, Membership.person_id == Person.id)
        .join(Authority, Authority.id == Membership.authority_id)
        .where(Person.demonstration.is_(True), Person.disabled_at.is_(None), Membership.ended_at.is_(None))
        .where(or_(Membership.until.is_(None), Membership.until >= clock.today()))
        .order_by(Authority.created_at, Authority.name, Person.name, Membership.id)
    )
    return [
        DemonstrationPerson(membership.id, person.name, Role(membership.role), membership.title, authority.name)
        for person, membership, authority in rows
    ]


@needs_sign_in_rights
def demonstration_membership(membership_id: UUID) -> tuple[UUID, UsableMembership] | None:
    """The person's id and the membership, if the person belongs to the demonstration."""
    person = tx().scalar(
        select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.id == membership_id, Person.demonstration.is_(True), Person.disabled_at.is_(None))
    )
    if person is None:
        return None
    memberships = usable_memberships(person.id)
    return next(((person.id, membership) for membership in memberships if membership.membership_id == membership_id), None)


@needs_sign_in_rights
def recent_demonstration_mail(limit: int = 100) -> list[Mail]:
    """The newest messages to the demonstration's people, and to those invited to it who have no account.

    Messages to anyone else may hold a link that works, and this is for a page that everybody can open.
    """
    recipient = func.lower(func.btrim(Mail.to))
    people = select(Person.email_folded).where(Person.demonstration.is_(True))
    real_people = select(Person.email_folded).where(Person.demonstration.is_(False))
    invited = (
        select(func.lower(func.btrim(Invitation.email)))
        .join(Authority, Authority.id == Invitation.authority_id)
        .where(Authority.demonstration.is_(True))
    )
    query = select(Mail).where(or_(recipient.in_(people), recipient.in_(invited) & recipient.not_in(real_people)))
    return list(tx().scalars(query.order_by(Mail.created_at.desc(), Mail.id).limit(limit)))
