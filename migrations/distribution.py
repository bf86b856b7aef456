"""The statements that spread the tables over a Citus cluster, each authority on one machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import AddConstraint, DropConstraint

from migrations.owned import APP_ROLE, SHARED_BY_AUTHORITY, policies, shared_policies, visible
from migrations.tables import METADATA
from portal.db.tables import VISIBLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Table
    from sqlalchemy.schema import DDLElement

_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves this one untyped


def statements() -> list[str]:
    """Every statement, in the order in which the owner runs them on the coordinator."""
    owned = [table for table in METADATA.sorted_tables if VISIBLE in table.info]
    shared = [table for table in METADATA.sorted_tables if VISIBLE not in table.info]
    return [
        # Row security reads the scope from SET LOCAL, which Citus keeps to the coordinator unless it is told otherwise.
        f"ALTER ROLE {APP_ROLE} SET citus.propagate_set_commands = 'local'",
        *_unguarded(owned),
        # A key to a table that is not distributed yet is refused, whichever of the two comes first.
        *(_ddl(DropConstraint(key)) for key in _foreign_keys()),
        *(f"SELECT create_reference_table('{table.name}')" for table in shared),
        *_distributed(owned),
        *(_ddl(AddConstraint(key)) for key in _foreign_keys()),
        *_guarded(owned),
    ]


def _unguarded(owned: list[Table]) -> Iterator[str]:
    """Drop the policies, which Citus refuses for their subqueries.

    Row security binds the owner too while it is forced: without a policy it would see no row, and none would be moved. The
    portal's own role sees none until its policies are back.
    """
    for table in owned:
        for policy in policies(table, "true"):
            yield f'DROP POLICY {policy.split()[2]} ON "{table.name}"'
        yield f'ALTER TABLE "{table.name}" NO FORCE ROW LEVEL SECURITY'
    for name in SHARED_BY_AUTHORITY:
        yield from (f'DROP POLICY {policy.split()[2]} ON "{name}"' for policy in shared_policies(name))
        yield f'ALTER TABLE "{name}" NO FORCE ROW LEVEL SECURITY'


def _distributed(owned: list[Table]) -> Iterator[str]:
    """Spread the owned tables. One authority's rows stay together, so that joins and keys stay on one machine."""
    first = owned[0].name
    yield f"SELECT create_distributed_table('{first}', 'authority_id')"
    yield from (
        f"SELECT create_distributed_table('{table.name}', 'authority_id', colocate_with => '{first}')" for table in owned[1:]
    )


def _guarded(owned: list[Table]) -> Iterator[str]:
    """The policies again, under the same conditions without subqueries, and row security forced."""
    for table in owned:
        yield from policies(table, visible(table).sql_without_subqueries)
        yield f'ALTER TABLE "{table.name}" FORCE ROW LEVEL SECURITY'
    for name in SHARED_BY_AUTHORITY:
        yield from (policy.replace("(SELECT ", "(") for policy in shared_policies(name))
        yield f'ALTER TABLE "{name}" FORCE ROW LEVEL SECURITY'


def _foreign_keys() -> Iterator[ForeignKeyConstraint]:
    """Every foreign key, in the order of the tables and of the keys' names."""
    for table in METADATA.sorted_tables:
        keys = (constraint for constraint in table.constraints if isinstance(constraint, ForeignKeyConstraint))
        yield from sorted(keys, key=lambda key: [column.name for column in key.columns])


def _ddl(element: DDLElement) -> str:
    return " ".join(str(element.compile(dialect=_POSTGRESQL)).split())
