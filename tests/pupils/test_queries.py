"""Reading pupils costs the same for few and for many, and a home that must stay hidden never leaves the query."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from portal.db import unit_of_work
from portal.permissions import Role
from portal.pupils import actions, queries
from portal.pupils.queries import Sought
from tests.pupils.support import YEAR, child, parent, statements

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from tests.support.world import World

TODAY = date(2026, 11, 25)


def everything(school_id: UUID) -> list[Callable[[], object]]:
    """Every question the pages ask about more than one pupil."""
    sought = (Sought(), Sought(everyone=True), Sought(school_id=school_id, year_group="4"), Sought(name="b", everyone=True))
    lists = [lambda one=one: queries.pupils(one, key=None, backwards=False, fetch=500, today=TODAY) for one in sought]
    return [
        *lists,
        queries.waiting_matches,
        lambda: queries.on_two_rolls(TODAY),
        lambda: queries.roll(school_id, YEAR),
        lambda: queries.matching([child(n) for n in range(1, 80)], school_id),
    ]


@pytest.mark.parametrize("role", [Role.LA_OFFICER, Role.ATTENDANCE_LEAD])
def test_more_pupils_cost_no_more_statements(world: World, role: Role) -> None:
    def cost() -> list[int]:
        counts = []
        with unit_of_work(world.here.scope(role)):
            for ask in everything(world.here.primary):
                with statements() as sent:
                    ask()
                counts.append(len(sent))
        return counts

    def take(first: int, last: int) -> None:
        with unit_of_work(world.here.scope()):
            people = [child(n) for n in range(first, last)]
            actions.take_list(world.here.primary, people, academic_year=YEAR)
            actions.take_list(world.here.secondary, people, academic_year=YEAR)
            actions.take_list(world.here.primary, [child(n, upn=None) for n in range(first, last)], academic_year=YEAR)

    take(1, 5)
    few = cost()
    take(5, 60)
    assert cost() == few


def test_a_home_shared_with_whoever_must_not_be_found_is_hidden_too(world: World) -> None:
    together, apart = "2 Safe Street", "9 Other Road"
    parents = (
        parent("Rowan", address=together, postcode="ZZ3 3ZZ", do_not_disclose=True),
        parent("Sam", address="2, safe street", postcode=None),
        parent("Kit", address=None, postcode="zz33zz"),
        parent("Lee", address=apart, postcode="ZZ8 8ZZ"),
    )
    with unit_of_work(world.here.scope()):
        actions.take_list(world.here.primary, [child(1, address="1 Home", postcode="ZZ1 1ZZ", parents=parents)], academic_year=YEAR)
        (listed,) = queries.pupils(Sought(), key=None, backwards=False, fetch=5, today=TODAY)
        home, contacts = queries.contacts(listed.pupil)
        assert (home.is_hidden, home.address) == (True, None)
        assert [(one.parent.name, one.home.is_hidden, one.home.address) for one in contacts] == [
            ("Rowan", True, None),
            ("Sam", True, None),
            ("Kit", True, None),
            ("Lee", False, "9 Other Road, ZZ8 8ZZ"),
        ]


def test_without_anyone_to_protect_every_home_is_shown(world: World) -> None:
    with unit_of_work(world.here.scope()):
        actions.take_list(world.here.primary, [child(1, address="1 Home", parents=(parent(),))], academic_year=YEAR)
        (listed,) = queries.pupils(Sought(), key=None, backwards=False, fetch=5, today=TODAY)
        home, (contact,) = queries.contacts(listed.pupil)
    assert (home.address, contact.home.address) == ("1 Home", "1 Test Row, ZZ1 1ZZ")
