"""Row security of the owned tables: the SQL that enables it, writes the policies and grants the rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Table

APP_ROLE = "portal_app"

# The settings are read inside a scalar (SELECT …), which PostgreSQL evaluates once for a query. Bare, the setting would be
# read and parsed again for every row: many times slower on a county's table. `current_setting(…, true)` answers
# NULL where nothing was set, and a comparison with NULL lets no row through: without a scope there are no rows.
_IN_AUTHORITY = "authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid)"
_EVERY_SCHOOL = "(SELECT current_setting('app.schools', true) = '*')"
_SCHOOLS = "ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])"

#: Tables that are insert-only: the app may not change or remove a row.
APPEND_ONLY = frozenset({"audit_event", "register_page"})


def visible(table: Table) -> str:
    """The condition under which the app may see a row of this table."""
    if table.name == "school":
        return f"{_IN_AUTHORITY} AND ({_EVERY_SCHOOL} OR id = {_SCHOOLS})"
    if "school_id" in table.columns:
        own_school = f"school_id = {_SCHOOLS}"
        if table.columns["school_id"].nullable:
            own_school = f"school_id IS NULL OR {own_school}"
        return f"{_IN_AUTHORITY} AND ({_EVERY_SCHOOL} OR {own_school})"
    if table.name == "pupil":
        return f"{_IN_AUTHORITY} AND ({_EVERY_SCHOOL} OR {_exists_visible('roll_line', 'pupil_id', 'pupil.id')})"
    if table.name == "parent":
        return f"{_IN_AUTHORITY} AND ({_EVERY_SCHOOL} OR {_exists_visible('pupil_contact', 'parent_id', 'parent.id')})"
    if "pupil_id" in table.columns:
        return f"{_IN_AUTHORITY} AND ({_EVERY_SCHOOL} OR {_exists_visible('roll_line', 'pupil_id', f'{table.name}.pupil_id')})"
    if "upload_id" in table.columns:
        return f"{_IN_AUTHORITY} AND ({_EVERY_SCHOOL} OR {_exists_visible('upload', 'id', f'{table.name}.upload_id')})"
    return _IN_AUTHORITY


def _exists_visible(table: str, column: str, outer: str) -> str:
    """A condition: a row of `table` that the app may see points at this row.

    `table` has policies of its own, which PostgreSQL applies inside this subquery too.
    """
    owner = outer.split(".", maxsplit=1)[0]
    return f"EXISTS (SELECT 1 FROM {table} seen WHERE seen.authority_id = {owner}.authority_id AND seen.{column} = {outer})"


def secure(execute: Callable[[str], object], table: Table) -> None:
    """Enable and force row security on `table`, and create its policies and the app's rights.

    Forced, because an owner is otherwise exempt from its own table's policies. Reading checks the whole condition; adding
    checks authority and school only, because a pupil or a parent is added before the roll line that makes it visible.
    """
    name = f'"{table.name}"'
    condition = visible(table)
    adding = condition if "school_id" in table.columns or table.name == "school" else _IN_AUTHORITY
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
    """Grant the app its rights on a shared table."""
    execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table.name}" TO {APP_ROLE}')
