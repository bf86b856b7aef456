"""Actions on authorities, people and memberships: add, change, end, suspend."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import func, select, update

from portal.accounts.actions.grants import OWN_ROLE, tell_other_administrators, withdraw_unsupported_invitations
from portal.accounts.actions.sign_ins import end_sign_ins_of_membership
from portal.accounts.actions.whole_people import record_for_whole_person, refuse_unless_whole_person_in_reach
from portal.accounts.domain.roles import Reach, RoleNotGrantableError, can_manage, validated
from portal.accounts.events import (
    AUTHORITY_ADDED,
    AUTHORITY_NOTED,
    MEMBERSHIP_ADDED,
    MEMBERSHIP_CHANGED,
    MEMBERSHIP_ENDED,
    PERSON_ADDED,
    PERSON_REINSTATED,
    PERSON_SUSPENDED,
)
from portal.accounts.models import EMAIL_TAKEN, PLATFORM, SLUG_TAKEN, Authority, Credential, Membership, Person
from portal.accounts.queries.principals import folded_email, is_unused
from portal.audit.actions import record
from portal.db.work import action, needs_sign_in_rights, tx
from portal.platform import clock
from portal.platform.refusals import NotFoundError, RefusedError, must_exist
from portal.security import scope
from portal.security.permissions import Role

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date
    from uuid import UUID


@action
def ensure_platform() -> Authority:
    """Return the platform's own authority row, and add it the first time.

    Its audit chain holds the operators' acts. Run it in the platform's scope.
    """
    platform = tx().get(Authority, PLATFORM)
    return platform if platform is not None else add_authority("platform", "The platform", "")


@action
def add_authority(slug: str, name: str, la_code: str, *, demonstration: bool = False) -> Authority:
    """Add the authority whose id the scope carries (see `queries.command_line`).

    The event is the first one in the authority's own audit chain.

    Raises:
        RefusedError: when another authority has the short name.
    """
    if tx().scalar(select(Authority.id).where(Authority.slug == slug)) is not None:
        raise RefusedError(SLUG_TAKEN, "slug")
    authority = Authority(
        id=scope.current().authority_id,
        slug=slug,
        name=name,
        la_code=la_code,
        demonstration=demonstration,
        created_at=clock.now(),
    )
    tx().add(authority)
    record(AUTHORITY_ADDED, authority.id, slug=slug)
    return authority


@action
def note_authority(authority_id: UUID, slug: str) -> None:
    """Record in the platform's audit chain that an operator added an authority."""
    record(AUTHORITY_NOTED, authority_id, slug=slug)


@needs_sign_in_rights
@action
def add_person(name: str, email: str, *, password_hash: str | None = None, demonstration: bool = False) -> Person:
    """Add a person known to the scope's authority, without a membership yet.

    `password_hash` comes from `passwords.hash_password`.

    Raises:
        RefusedError: when the e-mail address belongs to someone.
    """
    if tx().scalar(select(Person.id).where(Person.email_folded == folded_email(email))) is not None:
        raise RefusedError(EMAIL_TAKEN, "email")
    person = Person(
        id=uuid4(),
        name=name.strip(),
        email=email.strip(),
        email_folded=folded_email(email),
        authority_ids=[scope.current().authority_id],
        demonstration=demonstration,
        created_at=clock.now(),
    )
    tx().add(person)
    tx().flush()
    tx().add(Credential(person_id=person.id, password_hash=password_hash))
    record(PERSON_ADDED, person.id)
    return person


@action
def add_membership(
    person_id: UUID,
    role: Role,
    *,
    school_ids: Collection[UUID] = (),
    agency: str | None = None,
    title: str | None = None,
    until: date | None = None,
) -> Membership:
    """Give a person a role in the scope's authority.

    School roles need schools, partners need an agency and a last day.

    Raises:
        RefusedError: when role, schools, agency and last day do not go together.
    """
    authority_id = scope.current().authority_id
    reach = validated(Reach(role, frozenset(school_ids), agency, until), platform=authority_id == PLATFORM)
    membership = Membership(
        id=uuid4(),
        person_id=person_id,
        authority_id=authority_id,
        role=reach.role,
        school_ids=sorted(reach.school_ids),
        agency=reach.agency,
        title=title,
        until=reach.until,
        created_at=clock.now(),
    )
    _make_known(person_id, authority_id)
    tx().add(membership)
    record(MEMBERSHIP_ADDED, person_id, **_audit_facts(membership))
    return membership


@action
def change_membership(membership_id: UUID, reach: Reach) -> Membership:
    """Change a membership's role, schools, agency or last day, from the person's next request.

    Raises:
        NotFoundError: when the actor manages no such current membership.
        RoleNotGrantableError: when the actor may not give this role or one of these schools.
        RefusedError: when it is the actor's own, when the parts do not go together, or when the authority would have no
            LA administrator.
    """
    membership = _managed_membership(membership_id)
    if not can_manage(scope.current(), reach.role, reach.school_ids):
        raise RoleNotGrantableError(reach.role)
    if membership.person_id == scope.current().actor.person_id:
        raise RefusedError(OWN_ROLE, "role")
    is_new_role = membership.role != reach.role
    validated(reach, platform=membership.authority_id == PLATFORM)
    # A last day counts as leaving too: an authority whose only administrator has one would end up without.
    if reach.role != Role.LA_ADMINISTRATOR or reach.until is not None:
        _refuse_last_administrator(membership)
    membership.role, membership.school_ids = reach.role, sorted(reach.school_ids)
    membership.agency, membership.until = reach.agency, reach.until
    record(MEMBERSHIP_CHANGED, membership.person_id, **_audit_facts(membership))
    withdraw_unsupported_invitations(membership.person_id)
    if is_new_role:
        tell_other_administrators(reach.role)
    return membership


@action
def end_membership(membership_id: UUID) -> None:
    """End a membership now, and every sign-in that uses it.

    Raises:
        NotFoundError: when the actor manages no such current membership.
        RefusedError: when it is the authority's last LA administrator.
    """
    membership = _managed_membership(membership_id)
    _refuse_last_administrator(membership)
    membership.ended_at = clock.now()
    end_sign_ins_of_membership(membership.id)
    record(MEMBERSHIP_ENDED, membership.person_id, membership=membership.id, role=membership.role)
    withdraw_unsupported_invitations(membership.person_id)


@action
def reinstate(person_id: UUID) -> None:
    """Reopen a suspended account for another 90 days.

    Raises:
        NotFoundError: when there is no such person.
        RefusedError: when the person has a role outside the actor's reach.
    """
    person = must_exist(tx().get(Person, person_id, with_for_update=True))
    refuse_unless_whole_person_in_reach(person_id)
    person.disabled_at, person.reinstated_at = None, clock.now()
    record_for_whole_person(PERSON_REINSTATED, person.id)


@action
def suspend_unused() -> int:
    """Suspend the accounts of the scope's authority that were unused for 90 days. Returns how many.

    Signing in makes the same check, so an account is closed in time even when this nightly job did not run.
    """
    now = clock.now()
    members = select(Membership.person_id).where(
        Membership.authority_id == scope.current().authority_id, Membership.ended_at.is_(None)
    )
    people = tx().scalars(
        select(Person)
        .where(Person.id.in_(members), Person.disabled_at.is_(None), Person.demonstration.is_(False))
        .with_for_update()
    )
    suspended = [person for person in people if is_unused(person)]
    for person in suspended:
        person.disabled_at = now
        record_for_whole_person(PERSON_SUSPENDED, person.id)
    return len(suspended)


@needs_sign_in_rights
def _make_known(person_id: UUID, authority_id: UUID) -> None:
    """Let an authority see a person it gives a role to. It goes on seeing them, in its audit, when the role has ended."""
    unknown = update(Person).where(Person.id == person_id, ~Person.authority_ids.contains([authority_id]))
    tx().execute(unknown.values(authority_ids=func.array_append(Person.authority_ids, authority_id)))


def _audit_facts(membership: Membership) -> dict[str, object]:
    return {
        "membership": membership.id,
        "role": membership.role,
        "schools": membership.school_ids,
        "until": membership.until,
    }


def _managed_membership(membership_id: UUID) -> Membership:
    """A current membership the actor manages, locked until the commit.

    Raises:
        NotFoundError: when there is none; a membership outside the actor's reach looks the same as a missing one.
    """
    membership = tx().scalar(
        select(Membership)
        .where(Membership.id == membership_id, Membership.authority_id == scope.current().authority_id)
        .where(Membership.ended_at.is_(None))
        .with_for_update()
    )
    if membership is None or not can_manage(scope.current(), membership.role, membership.school_ids):
        raise NotFoundError(membership_id)
    return membership


def _refuse_last_administrator(leaving: Membership) -> None:
    """Refuse to remove an authority's last LA administrator.

    Raises:
        RefusedError: when nobody else has that role without a last day.
    """
    if leaving.role != Role.LA_ADMINISTRATOR:
        return
    # All of them are locked: without that, two administrators could remove each other at the same moment,
    # each transaction still seeing the other one in place.
    administrators = tx().scalars(
        select(Membership)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.authority_id == leaving.authority_id, Membership.role == Role.LA_ADMINISTRATOR)
        .where(Membership.ended_at.is_(None), Membership.until.is_(None), Person.disabled_at.is_(None))
        .with_for_update(of=Membership)
    )
    if all(administrator.id == leaving.id for administrator in administrators):
        message = "This is the only LA administrator. Give someone else that role first: an authority needs one."
        raise RefusedError(message, "role")
