"""The ORM adds the authority to statements over owned tables, and in a narrow scope the schools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import aliased

from portal.accounts.models import Person
from portal.db.work import tx, unit_of_work, whole_authority
from portal.pupils.models import RollLine
from portal.schools.models import School, Term
from portal.security.permissions import Role
from portal.uploads.models import Finding, Upload
from tests.architecture.authority_named import unnamed_tables
from tests.architecture.test_catalogue import OWNED
from tests.support.growth import statements
from tests.support.world import write_rows
from tests.uploads import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tests.support.browser import Browser
    from tests.support.world import World

OTHER = aliased(RollLine)
SELECTS = {
    "columns": select(Upload.id),
    "a count": select(func.count()).select_from(Upload),
    "an alias": select(OTHER.id),
    "a join": select(Upload.id).join(School, (School.authority_id == Upload.authority_id) & (School.id == Upload.school_id)),
    "an outer join": select(School.id).outerjoin(
        Upload, (Upload.authority_id == School.authority_id) & (School.id == Upload.school_id)
    ),
    "exists": select(exists().where(RollLine.line == 1)),
    "a subquery": select(School.id).where(School.id.in_(select(RollLine.school_id))),
    "a union": select(Upload.id).union_all(select(Finding.upload_id)),
    "a common table expression": select(select(RollLine.line).cte("lines").c.line),
}


@pytest.mark.parametrize("name", SELECTS)
def test_a_select_names_the_authority_and_in_a_narrow_scope_the_schools(world: World, name: str) -> None:
    with unit_of_work(world.authority.scope(Role.LA_MANAGER)), statements() as sent:
        tx().execute(SELECTS[name]).all()
    tables = sent[-1].count("scope_authority")
    assert tables >= 1
    assert "scope_schools" not in sent[-1]
    assert unnamed_tables(sent[-1], OWNED, qualified=True) == []
    with unit_of_work(world.authority.scope(Role.TRUST_LEAD)), statements() as sent:
        tx().execute(SELECTS[name]).all()
    assert sent[-1].count("scope_authority") == sent[-1].count("scope_schools") == tables


def test_rows_that_no_school_may_own_are_not_narrowed(world: World) -> None:
    with unit_of_work(world.authority.scope(Role.TRUST_LEAD)), statements() as sent:
        assert tx().scalars(select(Term.id)).all()
    assert "scope_schools" not in sent[-1]


def test_shared_tables_and_statements_without_a_scope_are_left_as_they_are(world: World) -> None:
    with unit_of_work(None), statements() as sent:
        tx().execute(select(Person.id)).all()
        assert tx().execute(select(Upload.id)).all() == []
    assert "scope_" not in "".join(sent)


def test_changes_in_bulk_name_both(world: World) -> None:
    with unit_of_work(world.authority.scope(Role.TRUST_LEAD)), statements() as sent:
        write_rows(lambda: tx().execute(update(Upload).values(add_pupils=True)) and tx().execute(delete(Finding)))
    changes = [text for text in sent if text.startswith(("UPDATE upload", "DELETE FROM finding"))]
    assert len(changes) == 2
    assert all("scope_authority" in text and "scope_schools" in text for text in changes)


def test_the_whole_authority_is_not_narrowed_while_it_is_open(world: World) -> None:
    with unit_of_work(world.authority.scope(Role.TRUST_LEAD)):
        assert tx().scalars(select(School.id)).all() == [world.authority.primary]
        with whole_authority():
            assert len(tx().scalars(select(School.id)).all()) == 2
        assert tx().scalars(select(School.id)).all() == [world.authority.primary]


def test_values_are_those_of_the_scope_in_which_a_statement_runs(world: World) -> None:
    # The statement is compiled once; a value kept with it would show the first authority's schools to the second.
    for authority in (world.authority, world.neighbour, world.authority):
        with unit_of_work(authority.scope(Role.TRUST_LEAD)):
            assert tx().scalars(select(School.id)).all() == [authority.primary]


PAGES = ("/", "/schools", "/pupils", "/pupils/matches", "/uploads", "/dashboards/")


@pytest.mark.parametrize("role", [Role.LA_MANAGER, Role.ATTENDANCE_LEAD])
def test_every_statement_behind_the_lists_names_the_authority(
    world: World, signed_in: Callable[[Role], Browser], role: Role
) -> None:
    with unit_of_work(world.authority.scope(Role.LA_MANAGER)):
        files.import_rows(world.authority.primary, *files.rows(), add_pupils=True)
    browser = signed_in(role)
    with statements() as sent:
        for page in PAGES:
            browser.get(page)
    over_owned: list[Any] = [text for text in sent if any(f" {table}" in text for table in OWNED)]
    assert len(over_owned) > 5
    assert {text: names for text in over_owned if (names := unnamed_tables(text, OWNED, qualified=True))} == {}
