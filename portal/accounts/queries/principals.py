"""What we know of someone signing in: their account, places, scope and sign-ins, links and invitations."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import func, or_, select

from portal import clock
from portal.accounts.models import PLATFORM, Authority, Invitation, Membership, PasswordReset, Person, RecoveryCode, SignIn
from portal.accounts.roles import COMMAND_LINE
from portal.db import tx
from portal.permissions import LA_ROLES, Role, can
from portal.scope import Actor, Scope

if TYPE_CHECKING:
    from uuid import UUID


IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
UNUSED_AFTER = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Place:
    """One membership as a person chooses it: authority, role, schools."""

    membership_id: UUID
    authority_id: UUID
    authority_name: str
    authority_slug: str
    role: Role
    school_ids: frozenset[UUID]
    agency: str | None
    demonstration: bool


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is signed in: the person, the membership they act through (None until chosen), and whether the factor is done."""

    sign_in_id: UUID
    person_id: UUID
    name: str
    email: str
    place: Place | None
    second_factor_done: bool
    has_second_factor: bool
    demonstration: bool

    @property
    def scope(self) -> Scope | None:
        """The scope the membership opens; None until one is chosen."""
        return None if self.place is None else scope_of(self.place, self.person_id)

    def can(self, permission: str) -> bool:
        """Has the membership's role this permission?"""
        return self.place is not None and can(self.place.role, permission)


def hashed(token: str) -> str:
    """What is kept of a token: its SHA-256, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def folded_email(email: str) -> str:
    """An e-mail address as it is compared: trimmed and case-folded."""
    return email.strip().casefold()


def places_of(person_id: UUID) -> list[Place]:
    """The memberships a person can act through today, oldest first."""
    today = clock.today()
    found = tx().execute(
        select(Membership, Authority)
        .join(Authority, Authority.id == Membership.authority_id)
        .where(Membership.person_id == person_id, Membership.ended_at.is_(None))
        .where(or_(Membership.until.is_(None), Membership.until >= today))
        .order_by(Membership.created_at, Membership.id)
    )
    return [_place(membership, authority) for membership, authority in found]


def _place(membership: Membership, authority: Authority) -> Place:
    return Place(
        membership.id,
        authority.id,
        authority.name,
        authority.slug,
        Role(membership.role),
        frozenset(membership.school_ids),
        membership.agency,
        authority.demonstration,
    )


def principal(token: str) -> Principal | None:
    """The person a session token stands for, read from shared tables on every request; None when it has ended.

    Ends of a sign-in, a membership or a person count at the very next request: nothing is cached.
    """
    now = clock.now()
    row = (
        tx()
        .execute(
            select(SignIn, Person)
            .join(Person, Person.id == SignIn.person_id)
            .where(SignIn.token_hash == hashed(token), SignIn.ended_at.is_(None), Person.disabled_at.is_(None))
            .where(SignIn.seen_at > now - IDLE, SignIn.created_at > now - ABSOLUTE)
        )
        .first()
    )
    if row is None:
        return None
    sign_in, person = row
    places = {place.membership_id: place for place in places_of(person.id)}
    return Principal(
        sign_in_id=sign_in.id,
        person_id=person.id,
        name=person.name,
        email=person.email,
        place=places.get(sign_in.membership_id) if sign_in.membership_id else None,
        second_factor_done=sign_in.second_factor_at is not None,
        has_second_factor=person.totp_secret is not None,
        demonstration=person.demonstration,
    )


def command_line(authority_id: UUID | None = None) -> Scope:
    """The scope of the command line in one authority, or in one about to be added (a new id)."""
    return Scope(authority_id or uuid4(), None, Actor(None, None, COMMAND_LINE))


def platform_scope() -> Scope:
    """The scope of the command line in the platform's own chain; it reaches no school."""
    return replace(command_line(PLATFORM), schools=frozenset())


def scope_of(place: Place, person_id: UUID) -> Scope:
    """The scope a place opens: LA roles reach every school, others their own; operators reach no school."""
    schools = None if place.role in LA_ROLES else place.school_ids
    return Scope(place.authority_id, schools, Actor(person_id, place.membership_id, place.role))


def before_the_gate(person_id: UUID | None) -> Scope:
    """The scope in which the acts of someone still signing in are recorded. It reaches no school.

    The chain is that of the authority of their oldest current membership; the platform's where there is none.
    """
    places = places_of(person_id) if person_id is not None else []
    return Scope(places[0].authority_id if places else PLATFORM, frozenset(), Actor(person_id, None, "signing in"))


def is_unused(person: Person) -> bool:
    """Has nobody used this account for 90 days? Demonstration people are always welcome."""
    marks = (person.last_signed_in_at, person.reinstated_at, person.created_at)
    return not person.demonstration and max(mark for mark in marks if mark) < clock.now() - UNUSED_AFTER


def authority_by_slug(slug: str) -> Authority | None:
    """The authority with this short name."""
    return tx().scalar(select(Authority).where(Authority.slug == slug))


def person_by_email(email: str) -> Person | None:
    """The person with this e-mail address, compared folded."""
    return tx().scalar(select(Person).where(Person.email_folded == folded_email(email)))


def membership_scope(membership_id: UUID) -> tuple[Scope, Role] | None:
    """The scope a membership opens now, for a job that carries its originator's rights; None when it has ended."""
    row = (
        tx()
        .execute(
            select(Membership, Authority, Person)
            .join(Authority, Authority.id == Membership.authority_id)
            .join(Person, Person.id == Membership.person_id)
            .where(Membership.id == membership_id, Membership.ended_at.is_(None), Person.disabled_at.is_(None))
            .where(or_(Membership.until.is_(None), Membership.until >= clock.today()))
        )
        .first()
    )
    if row is None:
        return None
    place = _place(row[0], row[1])
    return scope_of(place, row[2].id), place.role


@dataclass(frozen=True, slots=True)
class Account:
    """What is asked of an account while its owner signs in."""

    person_id: UUID
    password_hash: str | None
    words: tuple[str, ...]
    suspended: bool
    demonstration: bool


def _account(person: Person) -> Account:
    suspended = person.disabled_at is not None or is_unused(person)
    return Account(person.id, person.password_hash, (person.name, person.email), suspended, person.demonstration)


def account_by_email(email: str) -> Account | None:
    """The account with this e-mail address, compared folded."""
    person = person_by_email(email)
    return None if person is None else _account(person)


def account(person_id: UUID) -> Account | None:
    """A person's account."""
    person = tx().get(Person, person_id)
    return None if person is None else _account(person)


def sign_ins_of(person_id: UUID) -> list[SignIn]:
    """A person's sign-ins that are open now, the last used first."""
    now = clock.now()
    return list(
        tx().scalars(
            select(SignIn)
            .where(SignIn.person_id == person_id, SignIn.ended_at.is_(None))
            .where(SignIn.seen_at > now - IDLE, SignIn.created_at > now - ABSOLUTE)
            .order_by(SignIn.seen_at.desc(), SignIn.id)
        )
    )


def recovery_codes_left(person_id: UUID) -> int:
    """How many recovery codes a person has not used."""
    left = select(func.count()).where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))
    return tx().scalar(left) or 0


def reset_owner(token: str) -> UUID | None:
    """Whose open reset this token stands for, in a link or exchanged; None when its hour is over or it was used."""
    found = select(PasswordReset.person_id).where(
        PasswordReset.token_hash == hashed(token), PasswordReset.used_at.is_(None), PasswordReset.expires_at > clock.now()
    )
    return tx().scalar(found)


@dataclass(frozen=True, slots=True)
class Offer:
    """An open invitation as the one invited sees it."""

    authority_id: UUID
    authority_name: str
    name: str
    email: str
    role: Role
    has_account: bool


def invited(offer: Offer, person_id: UUID | None) -> Scope:
    """The scope in which an invitation is accepted: its authority, no school."""
    return Scope(offer.authority_id, frozenset(), Actor(person_id, None, "invited"))


def offer(token: str) -> Offer | None:
    """The open invitation of a token; None when it is used, withdrawn or more than seven days old."""
    row = (
        tx()
        .execute(
            select(Invitation, Authority)
            .join(Authority, Authority.id == Invitation.authority_id)
            .where(Invitation.token_hash == hashed(token), Invitation.accepted_at.is_(None))
            .where(Invitation.withdrawn_at.is_(None), Invitation.expires_at > clock.now())
        )
        .first()
    )
    if row is None:
        return None
    invitation, authority = row
    known = person_by_email(invitation.email) is not None
    return Offer(authority.id, authority.name, invitation.name, invitation.email, Role(invitation.role), known)
