"""Checks of the policies of row security against PostgreSQL's catalogue: what they read, and how often."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

SETTING = "current_setting"
#: In the tree of a condition: a column of the row outside the subquery that names it. Such a subquery runs for every row.
OUTER_COLUMN = re.compile(r":varlevelsup [1-9]")


def faults(connection: Connection[Any]) -> list[str]:
    """Every fault of the policies, each a sentence that begins with a name."""
    return [
        *_dependencies(connection),
        *_settings(connection),
        *_immutable_functions(connection),
    ]


def _dependencies(connection: Connection[Any]) -> Iterator[str]:
    """Tables and functions that a policy depends on, other than its own table. A function could read any table."""
    rows = connection.execute(
        "SELECT DISTINCT p.polname, p.polrelid::regclass::text, d.refclassid::regclass::text,"
        " CASE WHEN d.refclassid = 'pg_class'::regclass THEN d.refobjid::regclass::text ELSE d.refobjid::regproc::text END"
        " FROM pg_policy p JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid"
        " WHERE d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass) AND d.refobjid <> p.polrelid ORDER BY 1, 4"
    )
    kinds = {"pg_class": "reads the table", "pg_proc": "calls the function"}
    yield from (f"{table}: its policy {policy} {kinds[kind]} {name}" for policy, table, kind, name in rows)


def _settings(connection: Connection[Any]) -> Iterator[str]:
    """Settings read outside a scalar subquery, or in one that runs for every row."""
    rows = connection.execute(
        "SELECT polname, polrelid::regclass::text, pg_get_expr(part, polrelid), part::text"
        " FROM pg_policy, LATERAL (VALUES (polqual), (polwithcheck)) parts (part)"
        " WHERE part IS NOT NULL ORDER BY 1"
    )
    for policy, table, condition, tree in rows:
        if SETTING in without_subqueries(condition):
            yield f"{table}: its policy {policy} reads a setting for every row"
        if OUTER_COLUMN.search(tree):
            yield f"{table}: its policy {policy} runs a subquery for every row"


def without_subqueries(condition: str) -> str:
    """A condition with everything inside `( SELECT … )` taken out."""
    outside, depths, depth = "", [], 0
    for index, character in enumerate(condition):
        if character == "(":
            depth += 1
            if re.match(r"\(\s*SELECT\b", condition[index:]):
                depths.append(depth)
        if not depths:
            outside += character
        if character == ")":
            if depths and depths[-1] == depth:
                depths.pop()
            depth -= 1
    return outside


def _immutable_functions(connection: Connection[Any]) -> Iterator[str]:
    """Functions marked IMMUTABLE that read a setting: PostgreSQL may keep the answer of another scope."""
    rows = connection.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND provolatile = 'i'"
        " AND (prosrc ILIKE %s OR pg_get_functiondef(oid) ILIKE %s) ORDER BY 1",
        [f"%{SETTING}%", f"%{SETTING}%"],
    )
    yield from (f"{name}: is IMMUTABLE and reads a setting" for (name,) in rows)
