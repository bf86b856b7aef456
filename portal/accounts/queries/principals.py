"""Queries about a person who signs in: account, memberships, scope, sign-ins, reset links, invitations."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import func, or_, select

from portal.accounts.domain.lifecycle import InvitationState
from portal.accounts.domain.roles import COMMAND_LINE, can_manage
from portal.accounts.models import (
    PLATFORM,
    Authority,
    Credential,
    Invitation,
    Membership,
    PasswordReset,
    Person,
    RecoveryCode,
    SignIn,
)
from portal.db.work import needs_sign_in_rights, tx
from portal.platform import clock
from portal.security import scope as scopes
from portal.security.permissions import LA_ROLES, Role, can
from portal.security.scope import Actor, Scope

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select


IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
UNUSED_AFTER = timedelta(days=90)
#: The id of no person.
NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class UsableMembership:
    """A membership a person can act through today: authority, role, schools."""

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
    """The signed-in person: the membership they act through (None until chosen) and the state of the second factor."""

    sign_in_id: UUID
    person_id: UUID
    name: str
    email: str
    membership: UsableMembership | None
    second_factor_done: bool
    has_second_factor: bool
    demonstration: bool
    #: Does the database hold an authority that is no demonstration? The demonstration's people are then nobody.
    beside_real_authority: bool = False

    @property
    def scope(self) -> Scope | None:
        """The scope of the membership; None until one is chosen."""
        return None if self.membership is None else scope_of(self.membership, self.person_id)

    def can(self, permission: str, record: object = None, field: str | None = None) -> bool:
        """May this person do this, to this record, and see this field of it?"""
        scope = self.scope
        return scope is not None and can(scope.actor, permission, record, field)


def hash_token(token: str) -> str:
    """The hash that is stored of a token: SHA-256 in hexadecimal.

    Tokens are 256 random bits, so a plain fast hash is enough: nobody can try them all.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def folded_email(email: str) -> str:
    """An e-mail address in the form used for comparing: trimmed and case-folded."""
    return email.strip().casefold()


@needs_sign_in_rights
def usable_memberships(person_id: UUID) -> list[UsableMembership]:
    """The memberships a person can act through today, oldest first."""
    today = clock.today()
    rows = tx().execute(
        select(Membership, Authority)
        .join(Authority, Authority.id == Membership.authority_id)
        .where(Membership.person_id == person_id, Membership.ended_at.is_(None))
        .where(or_(Membership.until.is_(None), Membership.until >= today))
        .order_by(Membership.created_at, Membership.id)
    )
    return [_usable_membership(membership, authority) for membership, authority in rows]


def _usable_membership(membership: Membership, authority: Authority) -> UsableMembership:
    return UsableMembership(
        membership.id,
        authority.id,
        authority.name,
        authority.slug,
        Role(membership.role),
        frozenset(membership.school_ids),
        membership.agency,
        authority.demonstration,
    )


@needs_sign_in_rights
def principal_by_token(token: str) -> Principal | None:
    """The person whose sign-in has this token; None when the sign-in has ended.

    Read at every request and never cached: the end of a sign-in, a membership or an account then counts from the
    very next request.
    """
    now = clock.now()
    row = (
        tx()
        .execute(
            select(SignIn, Person, Credential.totp_secret.is_not(None), _real_authority().exists())
            .join(Person, Person.id == SignIn.person_id)
            .outerjoin(Credential, Credential.person_id == Person.id)
            .where(SignIn.token_hash == hash_token(token), SignIn.ended_at.is_(None), Person.disabled_at.is_(None))
            .where(SignIn.seen_at > now - IDLE, SignIn.created_at > now - ABSOLUTE)
        )
        .first()
    )
    if row is None:
        return None
    sign_in, person, has_second_factor, beside_real_authority = row
    memberships = {membership.membership_id: membership for membership in usable_memberships(person.id)}
    return Principal(
        sign_in_id=sign_in.id,
        person_id=person.id,
        name=person.name,
        email=person.email,
        membership=memberships.get(sign_in.membership_id) if sign_in.membership_id else None,
        second_factor_done=sign_in.second_factor_at is not None,
        has_second_factor=has_second_factor,
        demonstration=person.demonstration,
        beside_real_authority=beside_real_authority,
    )


def _real_authority() -> Select[UUID]:
    return select(Authority.id).where(Authority.demonstration.is_(False), Authority.id != PLATFORM)


def has_real_authority() -> bool:
    """Does the database hold an authority that is no demonstration?"""
    return tx().scalar(_real_authority().limit(1)) is not None


def has_demonstration() -> bool:
    """Does the database hold the demonstration, as whose people anyone may sign in?"""
    return tx().scalar(select(Authority.id).where(Authority.demonstration.is_(True)).limit(1)) is not None


def command_line_scope(authority_id: UUID | None = None) -> Scope:
    """The scope of the command line in one authority. Without an id, that of an authority about to be added."""
    return Scope(authority_id or uuid4(), None, Actor(None, None, COMMAND_LINE))


def platform_scope() -> Scope:
    """The scope of the command line in the platform's own audit chain. It reaches no school."""
    return replace(command_line_scope(PLATFORM), schools=frozenset())


def scope_of(membership: UsableMembership, person_id: UUID) -> Scope:
    """The scope of a membership. LA roles reach every school, others only the schools of the membership."""
    schools = None if membership.role in LA_ROLES else membership.school_ids
    return Scope(membership.authority_id, schools, Actor(person_id, membership.membership_id, membership.role))


def sign_in_scope(person_id: UUID | None) -> Scope:
    """The scope for recording the acts of a person who is still signing in. It reaches no school.

    It is in the authority of the person's oldest usable membership, or in the platform for a person without one.
    """
    # Asked for nobody too: a query more for those who have an account would tell by its time who they are.
    memberships = usable_memberships(person_id or NOBODY)
    authority_id = memberships[0].authority_id if memberships else PLATFORM
    return Scope(authority_id, frozenset(), Actor(person_id, None, "signing in"))


def is_unused(person: Person) -> bool:
    """Was this account unused for 90 days? Never true for the demonstration's people."""
    uses = (person.last_signed_in_at, person.reinstated_at, person.created_at)
    return not person.demonstration and max(at for at in uses if at) < clock.now() - UNUSED_AFTER


def authority_by_slug(slug: str) -> Authority | None:
    """The authority with this short name."""
    return tx().scalar(select(Authority).where(Authority.slug == slug))


@needs_sign_in_rights
def current_person() -> Person | None:
    """The person who is acting; None for a program."""
    person_id = scopes.current().actor.person_id
    return None if person_id is None else tx().get(Person, person_id)


@needs_sign_in_rights
def person_by_email(email: str) -> Person | None:
    """The person with this e-mail address. Case makes no difference."""
    return tx().scalar(select(Person).where(Person.email_folded == folded_email(email)))


@needs_sign_in_rights
def membership_scope(membership_id: UUID) -> tuple[Scope, Role] | None:
    """The current scope and role of a membership; None when it has ended.

    A job runs with the rights of the person who started it, as they are when the job runs.
    """
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
    membership, authority, person = row
    usable = _usable_membership(membership, authority)
    return scope_of(usable, person.id), usable.role


@dataclass(frozen=True, slots=True)
class Account:
    """The facts about an account that signing in needs."""

    person_id: UUID
    password_hash: str | None
    words: tuple[str, ...]
    suspended: bool
    demonstration: bool


def _account_where(is_theirs: ColumnElement[bool]) -> Account | None:
    # One query, whether there is an account or not: see `sign_in_scope`.
    statement = select(Person, Credential.password_hash).outerjoin(Credential, Credential.person_id == Person.id)
    row = tx().execute(statement.where(is_theirs)).first()
    if row is None:
        return None
    person, password_hash = row
    suspended = person.disabled_at is not None or is_unused(person)
    return Account(person.id, password_hash, (person.name, person.email), suspended, person.demonstration)


@needs_sign_in_rights
def account_by_email(email: str) -> Account | None:
    """The account with this e-mail address. Case makes no difference."""
    return _account_where(Person.email_folded == folded_email(email))


@needs_sign_in_rights
def account(person_id: UUID) -> Account | None:
    """A person's account."""
    return _account_where(Person.id == person_id)


@needs_sign_in_rights
def sign_ins_of(person_id: UUID) -> list[SignIn]:
    """A person's open sign-ins, the last used first."""
    now = clock.now()
    return list(
        tx().scalars(
            select(SignIn)
            .where(SignIn.person_id == person_id, SignIn.ended_at.is_(None))
            .where(SignIn.seen_at > now - IDLE, SignIn.created_at > now - ABSOLUTE)
            .order_by(SignIn.seen_at.desc(), SignIn.id)
        )
    )


@needs_sign_in_rights
def has_second_factor(person_id: UUID) -> bool:
    """Has a person set up an authenticator app?"""
    secret = select(Credential.person_id).where(Credential.person_id == person_id, Credential.totp_secret.is_not(None))
    return tx().scalar(secret) is not None


@needs_sign_in_rights
def recovery_codes_left(person_id: UUID) -> int:
    """How many recovery codes a person has not used."""
    left = select(func.count()).where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))
    return tx().scalar(left) or 0


@needs_sign_in_rights
def reset_owner(token: str) -> UUID | None:
    """The id of the person whose open password reset has this token.

    None when the reset expired or was used. The token is the one in the mailed link, or the one it was exchanged for.
    """
    owner = select(PasswordReset.person_id).where(
        PasswordReset.token_hash == hash_token(token), PasswordReset.used_at.is_(None), PasswordReset.expires_at > clock.now()
    )
    return tx().scalar(owner)


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """An open invitation as the invited person sees it."""

    authority_id: UUID
    authority_name: str
    name: str
    email: str
    role: Role
    school_ids: frozenset[UUID]
    has_account: bool


@needs_sign_in_rights
def has_standing_inviter(invitation: Invitation) -> bool:
    """May the sender of this invitation still give its role and schools? The command line always may.

    Asked again when it is accepted: an invitation would otherwise outlive the authority of its sender by a week.
    """
    if invitation.invited_by is None:
        return True
    inviter = tx().get(Person, invitation.invited_by)
    if inviter is None or inviter.disabled_at is not None or is_unused(inviter):
        return False
    # A platform operator invites the first administrator of an authority they have no role in.
    authority_ids = {invitation.authority_id, PLATFORM}
    return any(
        membership.authority_id in authority_ids
        and can_manage(scope_of(membership, inviter.id), invitation.role, invitation.school_ids)
        for membership in usable_memberships(inviter.id)
    )


def invitation_scope(invitation: OpenInvitation, person_id: UUID | None) -> Scope:
    """The scope for accepting an invitation: in its authority, reaching no school."""
    return Scope(invitation.authority_id, frozenset(), Actor(person_id, None, "invited"))


@needs_sign_in_rights
def invitation_by_token(token: str) -> OpenInvitation | None:
    """The open invitation with this token.

    None when it is used, withdrawn, more than seven days old, or from someone who may no longer give the role.
    """
    row = (
        tx()
        .execute(
            select(Invitation, Authority)
            .join(Authority, Authority.id == Invitation.authority_id)
            .where(Invitation.token_hash == hash_token(token))
            .where(Invitation.state == InvitationState.SENT, Invitation.expires_at > clock.now())
        )
        .first()
    )
    if row is None:
        return None
    invitation, authority = row
    if not has_standing_inviter(invitation):
        return None
    has_account = person_by_email(invitation.email) is not None
    return OpenInvitation(
        authority_id=authority.id,
        authority_name=authority.name,
        name=invitation.name,
        email=invitation.email,
        role=Role(invitation.role),
        school_ids=frozenset(invitation.school_ids),
        has_account=has_account,
    )
