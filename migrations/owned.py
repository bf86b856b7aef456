"""Row security of the owned tables: the SQL that enables it, writes the policies and grants the rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.db.tables import VISIBLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Table

    from portal.security.visibility import Visibility

APP_ROLE = "portal_app"
#: The role of the tables of signing in, which the app's role takes on for the length of a query or an action.
SIGN_IN_ROLE = "portal_sign_in"

#: Tables that the app only reads: rows enter through a function of the database.
READ_ONLY = frozenset({"audit_event", "audit_head"})
#: Tables that are insert-only: the app may not change or remove a row.
APPEND_ONLY = frozenset({"audit_event", "authority_setting", "read_log", "register_page"})


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
    execute(f"GRANT {rights(table)} ON {name} TO {APP_ROLE}")


def rights(table: Table) -> str:
    """What the app may do with the rows of a table, as far as its policies let it."""
    if table.name in READ_ONLY:
        return "SELECT"
    return "SELECT, INSERT" if table.name in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"


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


_AUTHORITY = "(SELECT nullif(current_setting('app.authority', true), '')::uuid)"
#: Shared tables of which the app sees the rows of the scope's authority alone: the condition for seeing and changing a
#: row, and for adding one.
SHARED_BY_AUTHORITY: Mapping[str, tuple[str, str]] = {
    "invitation": (f"authority_id = {_AUTHORITY}", f"authority_id = {_AUTHORITY}"),
    "membership": (f"authority_id = {_AUTHORITY}", f"authority_id = {_AUTHORITY}"),
    "person": (f"{_AUTHORITY} = ANY (authority_ids)", f"authority_ids = ARRAY[{_AUTHORITY}]"),
}
#: The tables that the app's own role has no right on.
OF_SIGNING_IN = frozenset({"credential", "password_reset", "recovery_code", "sign_in", "sign_in_attempt"})


def shared_policies(name: str) -> list[str]:
    """The statements that create the policies of a shared table. The role of signing in, which has no scope yet, sees all."""
    visible_if, addable_if = SHARED_BY_AUTHORITY[name]
    return [
        f"CREATE POLICY {name}_seen ON {name} FOR SELECT TO {APP_ROLE} USING ({visible_if})",
        f"CREATE POLICY {name}_added ON {name} FOR INSERT TO {APP_ROLE} WITH CHECK ({addable_if})",
        f"CREATE POLICY {name}_changed ON {name} FOR UPDATE TO {APP_ROLE} USING ({visible_if})",
        f"CREATE POLICY {name}_signing_in ON {name} TO {SIGN_IN_ROLE} USING (true)",
    ]


def share(execute: Callable[[str], object], table: Table) -> None:
    """Grant the app its rights on a shared table."""
    execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table.name}" TO {APP_ROLE}')
