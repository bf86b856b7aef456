"""The scope: whose records may be seen now, and who is acting.

The gate, the jobs and the command line open it; PostgreSQL's row security enforces it.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from portal.platform.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID


#: Case parts open to one person at once. Every statement is checked against the list, and no caseload comes near it.
MOST_SHARES = 2_000


class NoScopeError(RuntimeError):
    """The scope was asked for while none was open."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is acting: a person through one membership, or a program ("command line", "schedule", "portal")."""

    person_id: UUID | None
    membership_id: UUID | None
    role: str


@dataclass(frozen=True, slots=True)
class Scope:
    """One authority, the schools in reach (None: every school), and the actor.

    A partner's practitioner also has their agency, and the parts of cases open to their membership today.
    """

    authority_id: UUID
    schools: frozenset[UUID] | None
    actor: Actor
    agency: UUID | None = None
    shares: frozenset[UUID] = frozenset()

    def __post_init__(self) -> None:
        """Refuse more shares than a statement can be checked against in good time.

        Raises:
            RefusedError: with more than 2,000 shares.
        """
        if len(self.shares) > MOST_SHARES:
            sentence = f"More than {MOST_SHARES:,} parts of cases are open to this person."
            raise RefusedError(f"{sentence} Ask the authority to end the shares that are no longer needed.")

    def whole_authority(self) -> Scope:
        """The same actor with every school of the authority in reach. Only `db.whole_authority` calls it."""
        return replace(self, schools=None)

    def reaches(self, school_id: UUID) -> bool:
        """Is this school within the scope? Row security checks again in the database."""
        return self.schools is None or school_id in self.schools


_open: ContextVar[Scope | None] = ContextVar("scope", default=None)


def current_or_none() -> Scope | None:
    """The open scope, or None before sign-in."""
    return _open.get()


def current() -> Scope:
    """The open scope.

    Raises:
        NoScopeError: when none is open.
    """
    scope = _open.get()
    if scope is None:
        message = "No scope is open: only shared tables can be seen."
        raise NoScopeError(message)
    return scope


@contextmanager
def opened(scope: Scope | None) -> Iterator[None]:
    """Make `scope` the current one while the block runs. Only `portal.db` calls it, which tells PostgreSQL too."""
    token = _open.set(scope)
    try:
        yield
    finally:
        _open.reset(token)
