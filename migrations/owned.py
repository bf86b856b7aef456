"""Row security: what makes a table owned, in the database itself. Enabled, forced, one policy, and no more rights than needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Table

APP_ROLE = "portal_app"

_AUTHORITY = "authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid)"
_ALL_SCHOOLS = "(SELECT current_setting('app.schools', true) = '*')"
_MY_SCHOOLS = "ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])"

#: Tables only ever added to: the app may not change or remove a row.
APPEND_ONLY = frozenset({"audit_event", "register_page"})


def visible(table: Table) -> str:
    """The condition under which the app may see a row of this table."""
    if table.name == "school":
        return f"{_AUTHORITY} AND ({_ALL_SCHOOLS} OR id = {_MY_SCHOOLS})"
    if "school_id" in table.columns:
        mine = f"school_id = {_MY_SCHOOLS}"
        if table.columns["school_id"].nullable:
            mine = f"school_id IS NULL OR {mine}"
        return f"{_AUTHORITY} AND ({_ALL_SCHOOLS} OR {mine})"
    if table.name == "pupil":
        return f"{_AUTHORITY} AND ({_ALL_SCHOOLS} OR {_some_visible('roll_line', 'pupil_id', 'pupil.id')})"
    if table.name == "parent":
        return f"{_AUTHORITY} AND ({_ALL_SCHOOLS} OR {_some_visible('parenthood', 'parent_id', 'parent.id')})"
    if "pupil_id" in table.columns:
        return f"{_AUTHORITY} AND ({_ALL_SCHOOLS} OR {_some_visible('roll_line', 'pupil_id', f'{table.name}.pupil_id')})"
    if "upload_id" in table.columns:
        return f"{_AUTHORITY} AND ({_ALL_SCHOOLS} OR {_some_visible('upload', 'id', f'{table.name}.upload_id')})"
    return _AUTHORITY


def _some_visible(table: str, column: str, outer: str) -> str:
    """Some row of `table`, itself row-secured, points at this one."""
    owner = outer.split(".", maxsplit=1)[0]
    return f"EXISTS (SELECT 1 FROM {table} seen WHERE seen.authority_id = {owner}.authority_id AND seen.{column} = {outer})"


def secure(execute: Callable[[str], object], table: Table) -> None:
    """Make `table` owned: row security enabled and forced, its policy, and the app's rights.

    Reading asks the whole condition. Adding asks authority and school only, since a pupil or a parent is
    added before the roll line that makes it visible.
    """
    name = f'"{table.name}"'
    condition = visible(table)
    adding = condition if "school_id" in table.columns or table.name == "school" else _AUTHORITY
    execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
    execute(f"CREATE POLICY {table.name}_seen ON {name} FOR SELECT USING ({condition})")
    execute(f"CREATE POLICY {table.name}_added ON {name} FOR INSERT WITH CHECK ({adding})")
    rights = "SELECT, INSERT"
    if table.name not in APPEND_ONLY:
        execute(f"CREATE POLICY {table.name}_changed ON {name} FOR UPDATE USING ({condition}) WITH CHECK ({adding})")
        execute(f"CREATE POLICY {table.name}_removed ON {name} FOR DELETE USING ({condition})")
        rights = "SELECT, INSERT, UPDATE, DELETE"
    execute(f"GRANT {rights} ON {name} TO {APP_ROLE}")


def share(execute: Callable[[str], object], table: Table) -> None:
    """Give the app its rights on a shared table."""
    execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table.name}" TO {APP_ROLE}')
