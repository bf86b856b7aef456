"""The tables of accounts: authorities, people, memberships, invitations, sign-ins and mail.

All are shared between authorities: a person may have memberships in several, and signing in comes before any scope.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from portal.accounts.domain.lifecycle import INVITATION, InvitationState
from portal.db.tables import Shared
from portal.db.types import (
    NOT_PERSONAL,
    PERSONAL,
    Bool,
    Id,
    Instant,
    Int,
    OptionalDay,
    OptionalIdRef,
    OptionalInstant,
    OptionalPersonalStr,
    OptionalStr,
    PersonalStr,
    Str,
)
from portal.platform.refusals import conflict

SLUG_TAKEN = "Another authority has the short name you entered. Choose a different one."
EMAIL_TAKEN = "Someone already has an account with this e-mail address."

#: The id of the platform's own authority row. Its audit chain holds the operators' acts; it has no school and no pupil.
PLATFORM = UUID(int=1)


class Authority(Shared):
    """A local authority: one tenant."""

    __tablename__ = "authority"
    __table_args__ = (
        UniqueConstraint("slug", info=conflict(SLUG_TAKEN, "slug")),
        CheckConstraint("slug ~ '^[a-z0-9-]{2,60}$'", name="slug_plain"),
    )

    id: Mapped[Id]
    slug: Mapped[Str]
    name: Mapped[Str]
    la_code: Mapped[Str]
    demonstration: Mapped[Bool] = mapped_column(default=False, info=NOT_PERSONAL)
    created_at: Mapped[Instant]


class Person(Shared):
    """A person who can sign in. One row, however many memberships they have."""

    __tablename__ = "person"
    __table_args__ = (UniqueConstraint("email_folded", info=conflict(EMAIL_TAKEN, "email")),)

    id: Mapped[Id]
    name: Mapped[PersonalStr]
    email: Mapped[PersonalStr]
    email_folded: Mapped[PersonalStr]
    #: The authorities that know this person, by a membership now or earlier: row security shows them to no other.
    authority_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list, info=NOT_PERSONAL)
    demonstration: Mapped[Bool] = mapped_column(default=False, info=NOT_PERSONAL)
    disabled_at: Mapped[OptionalInstant]
    reinstated_at: Mapped[OptionalInstant]
    last_signed_in_at: Mapped[OptionalInstant]
    created_at: Mapped[Instant]


class Credential(Shared):
    """A person's password and second factor. Like all tables of signing in it belongs to a role of its own."""

    __tablename__ = "credential"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, info=NOT_PERSONAL)
    password_hash: Mapped[OptionalStr]
    totp_secret: Mapped[bytes | None] = mapped_column(info=NOT_PERSONAL)
    totp_last_step: Mapped[int | None] = mapped_column(info=NOT_PERSONAL)


class RecoveryCode(Shared):
    """A one-time code used in place of the second factor. Only its hash is stored."""

    __tablename__ = "recovery_code"

    id: Mapped[Id]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True, info=NOT_PERSONAL)
    code_hash: Mapped[Str]
    used_at: Mapped[OptionalInstant]


class Membership(Shared):
    """A person's role in one authority, with the schools or the agency it is limited to."""

    __tablename__ = "membership"
    __table_args__ = (Index("ix_membership_authority_id", "authority_id"),)

    id: Mapped[Id]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=NOT_PERSONAL)
    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"), info=NOT_PERSONAL)
    role: Mapped[Str]
    school_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list, info=NOT_PERSONAL)
    agency: Mapped[OptionalStr]
    title: Mapped[OptionalStr]
    until: Mapped[OptionalDay]
    ended_at: Mapped[OptionalInstant]
    created_at: Mapped[Instant]


class Invitation(Shared):
    """An invitation to a membership, for one e-mail address. Open for seven days, accepted once."""

    __tablename__ = "invitation"
    __table_args__ = (
        INVITATION.constraint(),
        CheckConstraint("(state = 'accepted') = (accepted_at IS NOT NULL)", name="accepted_when"),
        CheckConstraint("(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="withdrawn_when"),
    )

    id: Mapped[Id]
    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"), index=True, info=NOT_PERSONAL)
    state: Mapped[Str] = mapped_column(default=InvitationState.SENT, info=NOT_PERSONAL)
    email: Mapped[PersonalStr]
    name: Mapped[PersonalStr]
    role: Mapped[Str]
    school_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list, info=NOT_PERSONAL)
    agency: Mapped[OptionalStr]
    until: Mapped[OptionalDay]
    token_hash: Mapped[Str] = mapped_column(unique=True, info=NOT_PERSONAL)
    invited_by: Mapped[OptionalIdRef]
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    accepted_at: Mapped[OptionalInstant]
    withdrawn_at: Mapped[OptionalInstant]


class PasswordReset(Shared):
    """A mailed link to choose a new password. It works once, within one hour."""

    __tablename__ = "password_reset"

    id: Mapped[Id]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), info=NOT_PERSONAL)
    token_hash: Mapped[Str] = mapped_column(unique=True, info=NOT_PERSONAL)
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    used_at: Mapped[OptionalInstant]


class SignIn(Shared):
    """A signed-in browser. The cookie holds only a token, and this row its hash."""

    __tablename__ = "sign_in"
    __bookkeeping__ = True

    id: Mapped[Id]
    token_hash: Mapped[Str] = mapped_column(unique=True, info=NOT_PERSONAL)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True, info=NOT_PERSONAL)
    membership_id: Mapped[OptionalIdRef]
    second_factor_at: Mapped[OptionalInstant]
    device: Mapped[PersonalStr] = mapped_column(Text, default="", info=PERSONAL)
    created_at: Mapped[Instant]
    seen_at: Mapped[Instant]
    ended_at: Mapped[OptionalInstant]


class SignInAttempt(Shared):
    """A try at signing in, counted to slow down guessing and never to lock an account.

    `key_hash` is a keyed hash of the account or the address. In rows of kind "everywhere" it is the purpose, in plain text.
    """

    __tablename__ = "sign_in_attempt"
    __bookkeeping__ = True
    __table_args__ = (Index("ix_sign_in_attempt_key_at", "key_hash", "at"),)

    id: Mapped[Id]
    key_hash: Mapped[Str]
    kind: Mapped[Str]
    succeeded: Mapped[Bool]
    at: Mapped[Instant]


class Mail(Shared):
    """A message to a person who uses the portal: a link and a reference, never a pupil's name.

    The demonstration shows messages on a page instead of sending them.
    """

    __tablename__ = "mail"
    __bookkeeping__ = True

    id: Mapped[Id]
    to: Mapped[PersonalStr]
    subject: Mapped[Str]
    body: Mapped[OptionalPersonalStr]
    attempts: Mapped[Int] = mapped_column(default=0, info=NOT_PERSONAL)
    created_at: Mapped[Instant]
    sent_at: Mapped[OptionalInstant]
