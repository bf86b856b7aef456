"""The number of queries does not grow with the rows, in the lists that are read most."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import select

from portal.db.work import tx
from portal.platform.clock import today
from portal.registers.views.summaries import every_school
from portal.schools.models import School
from portal.schools.queries import schools
from portal.security.permissions import Role
from portal.uploads.queries import registers_received
from tests.support.growth import extra_statements, statements
from tests.support.world import write_rows
from tests.uploads import files

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from tests.support.world import World


def _add_schools() -> None:
    def change() -> None:
        tx().add_all(
            School(id=uuid4(), urn=f"9100{n:02d}", laestab=f"00130{n:02d}", name=f"School {n}", phase="primary") for n in range(10)
        )

    write_rows(change)


def test_the_list_of_schools_takes_no_more_queries_with_more_schools(as_role: Callable[[Role], Session]) -> None:
    as_role(Role.LA_MANAGER)
    assert extra_statements(schools, _add_schools) == []


def test_the_authoritys_summaries_take_no_more_queries_with_more_schools(as_role: Callable[[Role], Session]) -> None:
    as_role(Role.LA_MANAGER)
    assert extra_statements(lambda: every_school(2026, recent_from=today()), _add_schools) == []


def test_the_board_of_registers_received_takes_no_more_queries_with_more_uploads(
    world: World, as_role: Callable[[Role], Session]
) -> None:
    as_role(Role.LA_MANAGER)
    files.import_rows(world.authority.primary, *files.rows(), add_pupils=True)
    another = files.row(40, "02/11/2026", "AM", "/")
    assert (
        extra_statements(
            lambda: registers_received(date(2026, 9, 1)),
            lambda: files.import_rows(world.authority.secondary, another, add_pupils=True),
        )
        == []
    )


def test_a_query_for_each_row_is_found(as_role: Callable[[Role], Session]) -> None:
    as_role(Role.LA_MANAGER)

    def one_by_one() -> None:
        for school_id in tx().scalars(select(School.id)).all():
            tx().execute(select(School.name).where(School.id == school_id))

    assert len(extra_statements(one_by_one, _add_schools)) == 10


def test_the_statements_that_open_a_unit_of_work_are_not_counted(as_role: Callable[[Role], Session]) -> None:
    with statements() as counted:
        as_role(Role.LA_MANAGER)
        tx().execute(select(School.id))
    assert len(counted) == 1
