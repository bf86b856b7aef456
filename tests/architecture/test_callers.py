"""The doors that must stay few: who widens the scope, who opens a unit of work, and what is done at module level only."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.sources import Source, called, calls_of, product

#: Looking across the authority's schools: to match a pupil who moves school, and for the authority's averages as sums.
WIDENING = {"portal.pupils.queries.matching", "portal.registers.overview.authority_weeks"}
#: The front doors, each of which opens a scope and calls the same queries and actions.
OPENING = {
    "portal.accounts.presence",
    "portal.accounts.routes.steps",
    "portal.commands",
    "portal.demonstration.actions",
    "portal.demonstration.sending",
    "portal.gate",
    "portal.health",
    "portal.uploads.actions",
    "workers.jobs",
    "workers.run",
}
SESSION_WIDE = re.compile(r"\bSET\s+(?!LOCAL\b)(?:SESSION\s+)?(?:app\.|ROLE\b|row_security\b|search_path\b)", re.IGNORECASE)
#: Where a session-wide SET is meant: a connection gives up its rights as it opens, and migrations wait briefly for locks.
SESSION_WIDE_MEANT = {"portal/db.py": "SET SESSION ROLE"}


def callers(found: tuple[Source, ...], name: str) -> set[str]:
    """Every function that calls a function of this name, apart from where it is defined."""
    return {caller for source in found for caller in calls_of(source, name) if source.module != "portal.db"}


def session_wide(source: Source) -> list[str]:
    """Texts that set something of the tenancy for longer than the transaction."""
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SESSION_WIDE.search(node.value):
            meant = SESSION_WIDE_MEANT.get(source.name)
            if meant is None or not node.value.startswith(meant):
                found.append(f"{source.name}:{node.lineno}: {node.value.strip()}")
    return found


def committers(found: tuple[Source, ...]) -> set[str]:
    """Modules that commit by their own hand."""
    return {
        source.module
        for source in found
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and called(node) == "commit"
    }


def test_who_looks_across_schools_is_pinned() -> None:
    assert callers(product(), "whole_authority") == WIDENING


def test_who_opens_a_unit_of_work_is_pinned() -> None:
    modules = {source.module for source in product() if source.module != "portal.db" and calls_of(source, "unit_of_work")}
    assert modules == OPENING


def test_who_commits_is_pinned() -> None:
    assert committers(product()) == {"migrations.env", "portal.db", "portal.uploads.actions", "workers.jobs", "workers.queue"}


def test_nothing_of_the_tenancy_outlives_its_transaction() -> None:
    assert [fault for source in product() for fault in session_wide(source)] == []


@pytest.mark.parametrize(
    "text",
    ["SET app.authority = 'x'", "SET SESSION app.schools = '*'", "set role portal_owner", "SET row_security = off"],
)
def test_a_set_without_local_is_found(text: str) -> None:
    assert session_wide(Source("portal/one.py", f'"""One."""\nSQL = "{text}"\n'))


def test_a_set_local_passes() -> None:
    assert session_wide(Source("portal/one.py", '"""One."""\nSQL = f"SET LOCAL app.authority = \'{1}\'"\n')) == []


def test_a_planted_caller_is_found() -> None:
    planted = Source(
        "portal/cases/queries.py", '"""One."""\n\ndef every():\n    with db.whole_authority():\n        tx().commit()\n'
    )
    assert callers((planted,), "whole_authority") == {"portal.cases.queries.every"}
    assert committers((planted,)) == {"portal.cases.queries"}
