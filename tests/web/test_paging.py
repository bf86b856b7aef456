"""Paging: a page starts after a row, holds each row once, and the address holds ids alone."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from werkzeug.exceptions import BadRequest

from portal.db.work import tx, unit_of_work
from portal.schools.models import School
from portal.web.paging import Page, Position, WrongAddressError, order_in, paginate, position_in, select_page
from tests.support.world import write_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.world import World

COLUMNS = frozenset({"name", "rate"})
ID = UUID(int=7)


def test_an_address_without_a_position_starts_at_the_beginning() -> None:
    assert position_in({}) == Position()
    assert position_in({"after": ""}) == Position()


def test_a_position_is_read_in_both_directions() -> None:
    assert position_in({"after": str(ID)}) == Position(ID)
    assert position_in({"before": "7"}, int, size=3) == Position(7, backwards=True, size=3)


@pytest.mark.parametrize(
    "arguments",
    [{"after": "x"}, {"after": "7"}, {"before": "'"}, {"after": "a" * 500}, {"after": "\0"}, {"after": str(ID), "before": str(ID)}],
)
def test_a_wrong_position_is_a_400_with_a_sentence(arguments: dict[str, str]) -> None:
    with pytest.raises(BadRequest) as error:
        position_in(arguments)
    assert error.value.description == "The address asks for a page that this list does not have."


def test_the_order_of_an_address_is_checked() -> None:
    assert order_in({}, COLUMNS, "-rate").descending
    assert order_in({"sort": "name"}, COLUMNS, "-rate").column == "name"
    for sort in ("password", "--rate", "rate; drop table"):
        with pytest.raises(WrongAddressError):
            order_in({"sort": sort}, COLUMNS, "name")


def test_sorting_links_reverse_the_order_and_start_at_the_first_page() -> None:
    order = order_in({"sort": "name"}, COLUMNS, "-rate")
    assert order.sorting("name") == {"sort": "-name", "after": None, "before": None}
    assert order.sorting("rate")["sort"] == "rate"
    assert [order.direction("name"), order.direction("rate")] == ["ascending", ""]
    assert order_in({}, COLUMNS, "-rate").direction("rate") == "descending"
    with pytest.raises(KeyError):
        order.sorting("password")


@pytest.fixture
def many_schools(world: World) -> Iterator[None]:
    """Eleven schools, some of one name, in the scope of their authority, and the neighbour's two."""
    with unit_of_work(world.authority.scope()):
        names = ("Alder", "Alder", "Alder", "Beech", "Beech", "Cedar", "Elm", "Elm", "Fir")
        rows = [School(id=uuid4(), urn=f"91{n:04d}", name=name, phase="primary") for n, name in enumerate(names)]
        write_rows(lambda: tx().add_all(rows))
        yield


def _page(position: Position, *, descending: bool) -> Page[School]:
    return select_page(select(School), School.name, School.id, position=position, descending=descending)


@pytest.mark.usefixtures("many_schools")
@pytest.mark.parametrize("descending", [False, True])
def test_pages_hold_every_row_once_and_are_the_same_backwards(descending: bool) -> None:
    rows = sorted(tx().scalars(select(School)), key=lambda school: (school.name, school.id), reverse=descending)
    pages = [_page(Position(size=3), descending=descending)]
    while (following := pages[-1].next) is not None:
        pages.append(_page(Position(UUID(following), size=3), descending=descending))
    assert [len(page.items) for page in pages] == [3, 3, 3, 2]
    assert [school.urn for page in pages for school in page.items] == [school.urn for school in rows]
    assert pages[0].previous is None
    for earlier, later in itertools.pairwise(pages):
        assert later.previous is not None
        back = _page(Position(UUID(later.previous), backwards=True, size=3), descending=descending)
        assert (back.items, back.previous, back.next) == (earlier.items, earlier.previous, earlier.next)


@pytest.mark.usefixtures("many_schools")
def test_a_row_that_is_gone_or_another_authoritys_starts_the_list(world: World) -> None:
    first = _page(Position(size=3), descending=False)
    for gone in (uuid4(), world.neighbour.primary):
        for backwards in (False, True):
            assert _page(Position(gone, backwards=backwards, size=3), descending=False) == first


@pytest.mark.usefixtures("many_schools")
def test_a_query_of_several_columns_gives_rows_of_them() -> None:
    page = select_page(select(School, School.name), School.name, School.id, position=Position(size=1))
    [(school, name)] = page.items
    assert school.name == name == "Alder"


@pytest.mark.parametrize(
    ("position", "items", "previous", "following"),
    [
        (Position(size=3), "abc", None, "c"),
        (Position("c", size=3), "def", "d", "f"),
        (Position("f", size=3), "g", "g", None),
        (Position("d", backwards=True, size=3), "abc", None, "c"),
        (Position("g", backwards=True, size=3), "def", "d", "f"),
        (Position("b", backwards=True, size=3), "abc", None, "c"),
        (Position("g", size=3), "", None, None),
        (Position("gone", size=3), "abc", None, "c"),
        (Position("gone", backwards=True, size=3), "abc", None, "c"),
    ],
)
def test_a_complete_list_is_cut_into_pages(position: Position, items: str, previous: str | None, following: str | None) -> None:
    page = paginate("abcdefg", position, str)
    assert ("".join(page.items), page.previous, page.next) == (items, previous, following)
