"""The scope: whose records may be seen now, and who is acting. Opened at the front doors, enforced by PostgreSQL."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID


class NoScopeError(RuntimeError):
    """Something asked for the scope where none is open."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is acting: a person through one membership, or a named machine ("command line", "schedule")."""

    person_id: UUID | None
    membership_id: UUID | None
    role: str


@dataclass(frozen=True, slots=True)
class Scope:
    """One authority, the schools in reach (None: every school), the agency if any, and the actor."""

    authority_id: UUID
    schools: frozenset[UUID] | None
    actor: Actor

    def whole_authority(self) -> Scope:
        """The same actor with every school of the authority in reach: for matching pupils who move, nothing else."""
        return replace(self, schools=None)

    def reaches(self, school_id: UUID) -> bool:
        """Is this school within the scope? (The database asks again.)."""
        return self.schools is None or school_id in self.schools


_open: ContextVar[Scope | None] = ContextVar("scope", default=None)


def maybe() -> Scope | None:
    """The open scope, or None before sign-in."""
    return _open.get()


def current() -> Scope:
    """The open scope.

    Raises:
        NoScopeError: where no front door has opened one.
    """
    scope = _open.get()
    if scope is None:
        message = "No scope is open: only shared tables can be seen."
        raise NoScopeError(message)
    return scope


@contextmanager
def opened(scope: Scope | None) -> Iterator[None]:
    """Make `scope` the current one while the block runs. `db.unit_of_work` is the only caller."""
    token = _open.set(scope)
    try:
        yield
    finally:
        _open.reset(token)
