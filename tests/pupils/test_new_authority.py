"""Queries read a new authority's rows in proportion to their number, before the database has statistics of it.

PostgreSQL takes an authority that it has not analysed yet for one with a single row. Nested joins over links then read every
row for every other row, and a page takes longer than a request may.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import select, text

from migrations import owner_engine
from portal.db.work import bound_to, tx, unit_of_work
from portal.platform import clock
from portal.pupils import queries
from portal.pupils.actions.children import link_children
from portal.pupils.actions.lists import import_pupil_list
from portal.pupils.models import Pupil
from portal.pupils.queries import PupilFilter
from portal.pupils.views import children
from portal.web.paging import Position
from tests.pupils.support import YEAR, child
from tests.pupils.test_queries import TODAY
from tests.support import servers
from tests.support import world as worlds
from tests.support.forked_db import copied_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from tests.support.world import AuthorityWorld

PUPILS = 200
#: Times the rows of the authority that a query may read: once for each of its tables and indexes, and for the page before.
MOST = 12
ROWS_READ = text("SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables")
QUERIES: dict[str, Callable[[UUID], object]] = {
    "other records": children.other_records,
    "lines of a child": children.lines_of_child,
    "kept apart": children.kept_apart,
    "questions": lambda _: children.possible_same_children(Position()),
    "two rolls": lambda _: children.on_two_rolls(TODAY, Position()),
    "list": lambda _: queries.pupils(PupilFilter(includes_leavers=True), Position(), today=TODAY),
    "current list": lambda _: queries.pupils(PupilFilter(), Position(), today=TODAY),
    "roll history": queries.roll_history,
}


def import_everywhere(authority: AuthorityWorld, pupils: int) -> None:
    """Import the same pupils at both schools of an authority, and link their records."""
    with unit_of_work(authority.scope()):
        for school_id in (authority.primary, authority.secondary):
            import_pupil_list(school_id, [child(number) for number in range(1, pupils + 1)], academic_year=YEAR)
            link_children(school_id)


@pytest.fixture(scope="module")
def new_authority(server_allowed: None) -> Iterator[AuthorityWorld]:
    """An authority whose rows came after PostgreSQL analysed those of its neighbour."""
    with copied_database("portal_new_authority") as name:
        engine = owner_engine(os.environ[servers.APP].format(name))
        with engine.connect() as connection, clock.frozen_at(worlds.NOW), bound_to(connection):
            world = worlds.make_world()
            import_everywhere(world.neighbour, PUPILS)
            connection.commit()
            with psycopg.connect(os.environ[servers.SUPER], dbname=name, autocommit=True) as superuser:
                superuser.execute("ANALYZE")
            import_everywhere(world.authority, PUPILS)
            yield world.authority
        engine.dispose()


@pytest.mark.parametrize("name", QUERIES)
def test_a_new_authority_is_read_in_proportion_to_its_size(new_authority: AuthorityWorld, name: str) -> None:
    with unit_of_work(new_authority.scope()):
        pupil_id = tx().scalars(select(Pupil.id).order_by(Pupil.reference)).first()
        assert pupil_id is not None
        before = tx().scalar(ROWS_READ) or 0
        QUERIES[name](pupil_id)
        assert (tx().scalar(ROWS_READ) or 0) - before <= MOST * 2 * PUPILS
