"""Functions that few modules may call: those that widen the scope, open a unit of work, or commit."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.sources import Source, called, calls_of, product

#: The caller of `whole_authority`: the authority's averages.
WHOLE_AUTHORITY_CALLERS = {"portal.registers.views.summaries.authority_weeks"}
#: The callers of `enqueue_for_authority`: after a school's list, its records are linked to the children they are about.
AUTHORITY_ENQUEUERS = {"portal.pupils.actions.lists.write_list"}
#: The modules that open a unit of work.
UNIT_OF_WORK_OPENERS = {
    "portal.accounts.current_user",
    "portal.accounts.routes.steps",
    "portal.accounts.commands.authorities",
    "portal.accounts.commands.keys",
    "portal.accounts.commands.people",
    "portal.benchmarks.commands",
    "portal.platform.command_database",
    "portal.uploads.commands",
    "portal.app",
    "demo.actions",
    "demo.commands",
    "demo.sending",
    "migrations.commands",
    "portal.security.gate",
    "portal.platform.metrics",
    "portal.uploads.actions",
    "portal.jobs.running",
    "workers.run",
}
#: The modules that commit.
COMMITTERS = {
    "migrations.env",
    "portal.db.connection",
    "portal.db.work",
    "portal.jobs.outbox",
    "portal.uploads.actions",
    "portal.jobs.running",
}
SESSION_WIDE = re.compile(r"\bSET\s+(?!LOCAL\b)(?:SESSION\s+)?(?:app\.|ROLE\b|row_security\b|search_path\b)", re.IGNORECASE)
#: Who takes on the role of the tables of signing in for a block. Queries and actions do it by `needs_sign_in_rights`.
SIGN_IN_RIGHTS_CALLERS = {"portal.accounts.routes.steps.redirect_to_next_step", "portal.security.gate._signed_in"}
#: The modules whose queries and actions need those rights.
SIGN_IN_MODULES = {
    "portal.accounts.actions.invitations",
    "portal.accounts.actions.passwords",
    "portal.accounts.actions.people",
    "portal.accounts.actions.second_factors",
    "portal.accounts.actions.sign_ins",
    "portal.accounts.actions.throttling",
    "portal.accounts.queries.people",
    "portal.accounts.queries.principals",
}


def callers(all_sources: tuple[Source, ...], name: str) -> set[str]:
    """Every function that calls a function of this name, apart from where it is defined."""
    return {caller for source in all_sources for caller in calls_of(source, name) if not source.module.startswith("portal.db.")}


def session_wide(source: Source) -> list[str]:
    """Strings that set a tenancy setting for longer than the transaction."""
    return [
        f"{source.name}:{node.lineno}: {node.value.strip()}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SESSION_WIDE.search(node.value)
    ]


def committers(all_sources: tuple[Source, ...]) -> set[str]:
    """Modules that call `commit`."""
    return {
        source.module
        for source in all_sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and called(node) == "commit"
    }


def says_who_sees(source: Source) -> bool:
    """Does `whole_authority` here mean who may see a table's rows, and not the widening of the scope?"""
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "portal.security.visibility"
        and any(imported.name == "whole_authority" for imported in node.names)
        for node in source.tree.body
    )


def test_the_callers_of_whole_authority_are_pinned() -> None:
    widening = tuple(source for source in product() if not says_who_sees(source))
    assert callers(widening, "whole_authority") == WHOLE_AUTHORITY_CALLERS


def test_the_callers_of_sign_in_rights_are_pinned() -> None:
    assert callers(product(), "sign_in_rights") == SIGN_IN_RIGHTS_CALLERS
    users = {source.module for source in product() if "needs_sign_in_rights" in source.text and source.module != "portal.db.work"}
    assert users == SIGN_IN_MODULES


def test_who_enqueues_jobs_with_the_authoritys_reach_is_pinned() -> None:
    assert callers(product(), "enqueue_for_authority") == AUTHORITY_ENQUEUERS


def test_the_openers_of_a_unit_of_work_are_pinned() -> None:
    modules = {
        source.module for source in product() if not source.module.startswith("portal.db.") and calls_of(source, "unit_of_work")
    }
    assert modules == UNIT_OF_WORK_OPENERS


def test_the_modules_that_commit_are_pinned() -> None:
    assert committers(product()) == {
        "migrations.env",
        "portal.db.work",
        "portal.db.connection",
        "portal.uploads.actions",
        "portal.jobs.running",
        "portal.jobs.outbox",
    }


def test_no_tenancy_setting_outlives_its_transaction() -> None:
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
