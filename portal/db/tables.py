"""What a table is: shared by every authority, or owned by one and guarded by row security."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    Constraint,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    Uuid,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from portal.db.types import NOT_PERSONAL
from portal.platform.refusals import CONFLICT
from portal.security import scope as scopes
from portal.security.visibility import Visibility

if TYPE_CHECKING:
    from collections.abc import Sequence


#: The key of a table's `info` under which its visibility stands, for the migrations.
VISIBLE = "visible"


class Base(DeclarativeBase):
    """The declarative base: one naming rule for every constraint."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Shared(Base):
    """A table whose rows belong to no single authority. A test pins the list."""

    __abstract__ = True


def _authority_in_scope() -> UUID:
    return scopes.current().authority_id


class Owned(Base):
    """A table whose every row belongs to one authority.

    `authority_id` is filled from the scope and comes first in every key. `__visible__` says who in that authority may see
    a row (`portal.security.visibility`); the migrations write the table's row security from it.
    """

    __abstract__ = True
    __visible__: ClassVar[Visibility]

    authority_id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, default=_authority_in_scope, info=NOT_PERSONAL, sort_order=-100
    )

    def __init_subclass__(cls, **options: Any) -> None:
        """Refuse a table that does not say who may see its rows.

        Forgotten, it would be open to the whole authority.

        Raises:
            TypeError: when the model says nothing, or says it by inheritance from another table.
        """
        is_table = not cls.__dict__.get("__abstract__", False)
        if is_table and not isinstance(cls.__dict__.get("__visible__"), Visibility):
            message = f"{cls.__name__} is owned: say who may see its rows with __visible__ (portal.security.visibility)."
            raise TypeError(message)
        super().__init_subclass__(**options)
        if isinstance(table := getattr(cls, "__table__", None), Table):
            table.info[VISIBLE] = cls.__visible__


def declared_conflicts() -> dict[str, tuple[str, str | None]]:
    """What each unique constraint or index that declares a `conflict` says: name to sentence and form field."""
    keys: list[Constraint | Index] = []
    for table in Base.metadata.tables.values():
        keys += [*table.constraints, *table.indexes]
    return {str(key.name): key.info[CONFLICT] for key in keys if CONFLICT in key.info}


def tenant_fk(table: str, *columns: str, target: Sequence[str] = ("id",)) -> ForeignKeyConstraint:
    """A foreign key that cannot point into another authority: (authority_id, column…) to (authority_id, id).

    PostgreSQL checks foreign keys without row security, so a key on the id alone would accept another authority's row.
    """
    return ForeignKeyConstraint(["authority_id", *columns], [f"{table}.authority_id", *(f"{table}.{name}" for name in target)])


def same_school_fk(table: str, column: str) -> ForeignKeyConstraint:
    """A foreign key to a row of the same school.

    The database then refuses a row about another school's child.

    It needs a unique key (authority_id, school_id, id) on the other table.
    """
    return tenant_fk(table, "school_id", column, target=("school_id", "id"))
