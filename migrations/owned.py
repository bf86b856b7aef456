"""Row security of the owned tables: the SQL that enables it, writes the policies and grants the rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.db.tables import VISIBLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Table

    from portal.security.visibility import Visibility

APP_ROLE = "portal_app"

#: Tables that are insert-only: the app may not change or remove a row.
APPEND_ONLY = frozenset({"audit_event", "authority_setting", "register_page"})


def visible(table: Table) -> Visibility:
    """Who may see the rows of this table, as its model says."""
    visibility: Visibility = table.info[VISIBLE]
    return visibility


def secure(execute: Callable[[str], object], table: Table) -> None:
    """Enable and force row security on `table`, and create its policies and the app's rights.

    Forced, because an owner is otherwise exempt from its own table's policies.
    """
    name = f'"{table.name}"'
    execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
    for statement in policies(table, visible(table).sql):
        execute(statement)
    rights = "SELECT, INSERT" if table.name in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"
    execute(f"GRANT {rights} ON {name} TO {APP_ROLE}")


def policies(table: Table, condition: str) -> list[str]:
    """The statements that create a table's policies: the app sees, adds, changes and removes rows under one condition."""
    name, on = table.name, f'ON "{table.name}"'
    statements = [
        f"CREATE POLICY {name}_seen {on} FOR SELECT USING ({condition})",
        f"CREATE POLICY {name}_added {on} FOR INSERT WITH CHECK ({condition})",
    ]
    if name not in APPEND_ONLY:
        statements += [
            f"CREATE POLICY {name}_changed {on} FOR UPDATE USING ({condition}) WITH CHECK ({condition})",
            f"CREATE POLICY {name}_removed {on} FOR DELETE USING ({condition})",
        ]
    return statements


def share(execute: Callable[[str], object], table: Table) -> None:
    """Grant the app its rights on a shared table."""
    execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table.name}" TO {APP_ROLE}')
