"""A trust's lists in a county read the rows of its schools, and each setting once."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import event

from bench.trust import ACADEMIC_YEAR, LISTS, TRUST_SCHOOLS, plant
from migrations import owner_engine
from portal.db.work import bound_to, tx, unit_of_work
from portal.platform import clock
from portal.security.permissions import Role
from tests.support import servers
from tests.support import world as worlds
from tests.support.forked_db import copied_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from portal.security.scope import Scope

#: The county's pupils; `PORTAL_COUNTY_PUPILS=140000` for a whole county.
PUPILS = int(os.environ.get("PORTAL_COUNTY_PUPILS", "3000"))
SCHOOLS = 300
#: A trust's list may cost this many times the whole authority's; it ought to cost a fraction.
MOST = 3

Plan = dict[str, Any]


@pytest.fixture(scope="module")
def scopes(server_allowed: None) -> Iterator[tuple[Scope, Scope]]:
    """The scopes of a county and of a trust, in a database that PostgreSQL has analysed.

    Without statistics PostgreSQL plans for one row, and what it would do in a county stays unseen.
    """
    with copied_database("portal_county") as name:
        engine = owner_engine(os.environ[servers.APP].format(name))
        with engine.connect() as connection, clock.frozen_at(worlds.NOW), bound_to(connection):
            authority = worlds.make_world().authority
            trust = plant(authority.id, schools=SCHOOLS, pupils=PUPILS)
            assert len(trust) == TRUST_SCHOOLS
            connection.commit()
            with psycopg.connect(os.environ[servers.SUPER], dbname=name, autocommit=True) as superuser:
                superuser.execute("VACUUM ANALYZE")
            yield authority.scope(Role.LA_MANAGER), replace(authority.scope(Role.TRUST_LEAD), schools=trust)
        engine.dispose()


def _plans(scope: Scope, read: Callable[[], object]) -> list[Plan]:
    """The plans of the statements that a list sends, with the rows that running them took."""
    sent: list[tuple[str, Any]] = []

    def record(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            sent.append((statement, parameters))

    with unit_of_work(scope):
        connection = tx().connection()
        event.listen(connection, "before_cursor_execute", record)
        try:
            read()
        finally:
            event.remove(connection, "before_cursor_execute", record)
        return [_explained(statement, parameters) for statement, parameters in sent]


def _explained(statement: str, parameters: Any = ()) -> Plan:
    explain = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}"
    plan: Plan = tx().connection().exec_driver_sql(explain, parameters).scalar_one()[0]["Plan"]
    return plan


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _repeated(plan: Plan) -> list[str]:
    """Subqueries of a plan that ran more than once."""
    parts = [node for node in _nodes(plan) if node.get("Parent Relationship") in {"InitPlan", "SubPlan"}]
    return [f"{node['Subplan Name']} ran {node['Actual Loops']} times" for node in parts if node["Actual Loops"] > 1]


def _rows_read(plan: Plan) -> float:
    """Rows that the plan's scans looked at, those they threw away included."""
    scans = [node for node in _nodes(plan) if node["Node Type"].endswith("Scan") and "Relation Name" in node]
    return sum((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"] for node in scans)


@pytest.mark.parametrize("name", LISTS)
def test_a_trusts_list_costs_at_most_three_times_the_whole_authoritys(scopes: tuple[Scope, Scope], name: str) -> None:
    authority, trust = (_plans(scope, LISTS[name]) for scope in scopes)
    assert len(authority) == len(trust)
    assert [repeated for plan in (*authority, *trust) if (repeated := _repeated(plan))] == []
    assert sum(plan["Total Cost"] for plan in trust) <= MOST * sum(plan["Total Cost"] for plan in authority)
    assert sum(map(_rows_read, trust)) <= sum(map(_rows_read, authority))


def test_a_trusts_count_reads_the_rows_of_its_schools_alone(scopes: tuple[Scope, Scope]) -> None:
    _, trust = scopes
    (plan,) = _plans(trust, LISTS["pupils counted"])
    assert _rows_read(plan) == TRUST_SCHOOLS * (PUPILS // SCHOOLS)


def test_a_count_that_does_not_name_its_schools_reads_every_row(scopes: tuple[Scope, Scope]) -> None:
    _, trust = scopes
    count = "SELECT count(*) FROM pupil_year_summary WHERE authority_id = %(authority)s AND academic_year = %(year)s"
    with unit_of_work(trust):
        plan = _explained(count, {"authority": trust.authority_id, "year": ACADEMIC_YEAR})
    assert _rows_read(plan) == PUPILS


def test_a_subquery_that_runs_for_every_row_is_found(scopes: tuple[Scope, Scope]) -> None:
    authority, _ = scopes
    through = "SELECT count(*) FROM pupil_year_summary p WHERE EXISTS (SELECT 1 FROM school s WHERE s.id = p.school_id OFFSET 0)"
    with unit_of_work(authority):
        assert _repeated(_explained(through)) != []
