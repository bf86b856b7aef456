"""Queries take as many statements for many pupils as for few, and never reveal a hidden home."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from portal.db.work import unit_of_work
from portal.pupils import queries
from portal.pupils.actions import lists as actions
from portal.pupils.actions.children import link_children
from portal.pupils.queries import PupilFilter
from portal.pupils.views import children
from portal.security.permissions import Role
from portal.web.paging import Position
from tests.pupils.support import YEAR, child, parent, statements

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from tests.support.world import World

TODAY = date(2026, 11, 25)


def page_queries(school_id: UUID) -> list[Callable[[], object]]:
    """Every query the pages make about more than one pupil."""
    filter_sets = (
        PupilFilter(),
        PupilFilter(includes_leavers=True),
        PupilFilter(school_id=school_id, year_group="4"),
        PupilFilter(text="b", includes_leavers=True),
    )
    lists = [lambda filters=filters: queries.pupils(filters, Position(size=500), today=TODAY) for filters in filter_sets]
    return [
        *lists,
        lambda: queries.possible_duplicates(Position(size=500)),
        lambda: children.on_two_rolls(TODAY, Position(size=500)),
        lambda: children.possible_same_children(Position(size=500)),
        lambda: queries.roll(school_id, YEAR),
        lambda: queries.pupil_matches([child(n) for n in range(1, 80)], school_id),
    ]


@pytest.mark.parametrize("role", [Role.LA_OFFICER, Role.ATTENDANCE_LEAD])
def test_more_pupils_need_no_more_statements(world: World, role: Role) -> None:
    def statement_counts() -> list[int]:
        counts = []
        with unit_of_work(world.authority.scope(role)):
            for run_query in page_queries(world.authority.primary):
                with statements() as sent:
                    run_query()
                counts.append(len(sent))
        return counts

    def import_pupils(first: int, last: int) -> None:
        with unit_of_work(world.authority.scope()):
            pupils = [child(n) for n in range(first, last)]
            actions.import_pupil_list(world.authority.primary, pupils, academic_year=YEAR)
            actions.import_pupil_list(world.authority.secondary, pupils, academic_year=YEAR)
            actions.import_pupil_list(world.authority.primary, [child(n, upn=None) for n in range(first, last)], academic_year=YEAR)
            doubtful = [child(n, upn=None, row=n) for n in range(first + 100, last + 100)]
            actions.import_pupil_list(
                world.authority.primary, [child(n) for n in range(first + 100, last + 100)], academic_year=YEAR
            )
            actions.import_pupil_list(world.authority.secondary, doubtful, academic_year=YEAR)
            link_children(world.authority.secondary)

    import_pupils(1, 5)
    few = statement_counts()
    import_pupils(5, 60)
    assert statement_counts() == few


def test_a_home_shared_with_a_hidden_parent_is_hidden_too(world: World) -> None:
    shared, separate = "2 Safe Street", "9 Other Road"
    parents = (
        parent("Rowan", address=shared, postcode="ZZ3 3ZZ", do_not_disclose=True),
        parent("Sam", address="2, safe street", postcode=None),
        parent("Kit", address=None, postcode="zz33zz"),
        parent("Lee", address=separate, postcode="ZZ8 8ZZ"),
    )
    with unit_of_work(world.authority.scope()):
        actions.import_pupil_list(
            world.authority.primary, [child(1, address="1 Home", postcode="ZZ1 1ZZ", parents=parents)], academic_year=YEAR
        )
        (listed,) = queries.pupils(PupilFilter(), Position(), today=TODAY).items
        home, contacts = queries.contacts(listed.pupil)
        assert (home.is_hidden, home.address) == (True, None)
        assert [(contact.contact.name, contact.home.is_hidden, contact.home.address) for contact in contacts] == [
            ("Rowan", True, None),
            ("Sam", True, None),
            ("Kit", True, None),
            ("Lee", False, "9 Other Road, ZZ8 8ZZ"),
        ]


def test_every_home_is_shown_when_no_parent_is_hidden(world: World) -> None:
    with unit_of_work(world.authority.scope()):
        actions.import_pupil_list(world.authority.primary, [child(1, address="1 Home", parents=(parent(),))], academic_year=YEAR)
        (listed,) = queries.pupils(PupilFilter(), Position(), today=TODAY).items
        home, (contact,) = queries.contacts(listed.pupil)
    assert (home.address, contact.home.address) == ("1 Home", "1 Test Row, ZZ1 1ZZ")
