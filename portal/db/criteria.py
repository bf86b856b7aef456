"""Conditions added to every ORM statement over owned tables: the authority in scope, and the schools in reach.

Row security decides what may be seen; these add nothing to it. Naming the authority lets a distributed database send the
statement to one machine. Naming the schools gives PostgreSQL a condition that an index serves: a policy's “every school,
or one of these” is tested row by row over the whole authority.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, bindparam
from sqlalchemy.orm import with_loader_criteria

from portal.db.tables import Owned
from portal.security import scope as scopes

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import ORMExecuteState


def _authority_in_scope() -> UUID:
    return scopes.current().authority_id


def _schools_in_reach() -> list[UUID]:
    return list(scopes.current().schools or ())


# The values are read as a statement runs. So the options below are made once and every statement has the same text, which
# SQLAlchemy compiles and PostgreSQL prepares once; options made for each scope cost as much again.
_AUTHORITY = bindparam("scope_authority", callable_=_authority_in_scope, type_=Uuid)
_SCHOOLS = bindparam("scope_schools", callable_=_schools_in_reach, type_=ARRAY(Uuid))


def _of_authority(model: type[Owned]) -> ColumnElement[bool]:
    return model.authority_id == _AUTHORITY


def _of_schools(model: type[Owned]) -> ColumnElement[bool]:
    """Of the authority, and of the schools in reach where the model is seen by its school alone."""
    of_authority = model.authority_id == _AUTHORITY
    visibility = getattr(model, "__visible__", None)  # SQLAlchemy also asks with Owned itself, which says nothing
    column: Any = getattr(model, visibility.school_column or "", None) if visibility else None
    return of_authority if column is None else and_(of_authority, column == any_(_SCHOOLS))


_WHOLE_AUTHORITY = with_loader_criteria(
    Owned, _of_authority, include_aliases=True, propagate_to_loaders=False, track_closure_variables=False
)
_NARROW = with_loader_criteria(Owned, _of_schools, include_aliases=True, propagate_to_loaders=False, track_closure_variables=False)


def name_authority_and_schools(state: ORMExecuteState) -> None:
    """Add the conditions to a SELECT, UPDATE or DELETE. Without a scope there are none, and row security shows no rows."""
    scope = scopes.current_or_none()
    if scope is not None and (state.is_select or state.is_update or state.is_delete):
        state.statement = state.statement.options(_WHOLE_AUTHORITY if scope.schools is None else _NARROW)
