"""Paging: what a list's address may say, and pages cut at a key."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from portal.web.paging import Listing, cursor, key_of, listing, part

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

Rows = list[tuple[int, int]]
FILTERS: dict[str, Collection[str] | Callable[[str], object]] = {"year": {"7", "8"}, "from": int}


def asked(*pairs: tuple[str, str]) -> Listing:
    return replace(
        listing(MultiDict(pairs), columns={"name": int, "rate": float}, default="-rate", filters=FILTERS, unique=int), size=3
    )


def read(rows: Rows, wanted: Listing) -> Rows:
    """What a query reads: rows past the key, in the order asked for."""
    ordered = sorted(rows, reverse=wanted.reversed_order)
    if wanted.key is not None:
        key = wanted.key
        ordered = [row for row in ordered if (row < key if wanted.reversed_order else row > key)]
    return ordered[: wanted.fetch]


def test_without_arguments_the_default_order_holds() -> None:
    found = asked()
    assert (found.order.column, found.order.descending, found.filters, found.key) == ("rate", True, {}, None)


def test_filters_and_order_are_read() -> None:
    found = asked(("sort", "name"), ("year", "7"), ("from", "12"))
    assert (found.order.column, found.order.descending) == ("name", False)
    assert found.filters == {"year": "7", "from": "12"}
    assert asked(("year", "")).filters == {}


@pytest.mark.parametrize(
    "pairs",
    [
        [("sort", "password")],
        [("sort", "--rate")],
        [("sort", "rate; drop table")],
        [("year", "9")],
        [("from", "x")],
        [("from", "1" * 300)],
        [("from", "\0")],
        [("unknown", "1")],
        [("year", "7"), ("year", "8")],
        [("after", cursor((1, 1))), ("before", cursor((1, 1)))],
        [("after", cursor((1, "x")))],
        [("after", cursor((1, 2**60)))],
        [("after", cursor((float("nan"), 1)))],
        [("after", cursor((float("inf"), 1)))],
        [("after", cursor(([1], 1)))],
        [("after", "%%%")],
        [("after", "é")],
        [("after", "e30")],
        [("after", "W10")],
        [("after", "W1tdXQ")],
        [("after", "a" * 500)],
    ],
)
def test_anything_else_is_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(BadRequest):
        asked(*pairs)


@given(st.text(max_size=450))
def test_no_cursor_does_more_than_be_refused(text: str) -> None:
    try:
        found = key_of(text, str, str)
    except BadRequest:
        return
    assert len(found) == 2


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_a_database_does_not_take_is_refused(text: str) -> None:
    made = base64.urlsafe_b64encode(json.dumps([text, text]).encode()).decode()
    with pytest.raises(BadRequest):
        key_of(made, str, str)


@given(
    st.one_of(st.none(), st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=80)),
    st.uuids(),
)
def test_a_key_comes_back_from_its_cursor(value: str | None, identifier: UUID) -> None:
    assert key_of(cursor((value, identifier)), str) == (value, identifier)


def test_days_and_figures_come_back_as_they_were() -> None:
    key = (date(2026, 9, 7), UUID(int=1))
    assert key_of(cursor(key), date.fromisoformat) == key
    assert key_of(cursor((0.935, UUID(int=1))), float) == (0.935, UUID(int=1))


def test_sorting_links_turn_the_order_round_and_start_again() -> None:
    order = asked(("sort", "name")).order
    assert order.sorting("name") == {"sort": "-name", "after": None, "before": None}
    assert order.sorting("rate")["sort"] == "rate"
    assert [order.direction("name"), order.direction("rate")] == ["ascending", ""]
    assert asked().order.direction("rate") == "descending"
    with pytest.raises(KeyError):
        order.sorting("password")


@given(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 30)), max_size=20), st.sampled_from(["name", "-name"]))
def test_pages_forwards_hold_every_row_once_and_backwards_the_same_pages(found: set[tuple[int, int]], sort: str) -> None:
    rows = sorted(found)
    wanted = asked(("sort", sort))
    pages = [wanted.page(read(rows, wanted), key=lambda row: row)]
    while pages[-1].next:
        wanted = asked(("sort", sort), ("after", pages[-1].next))
        pages.append(wanted.page(read(rows, wanted), key=lambda row: row))
    assert [row for page in pages for row in page.items] == (rows[::-1] if sort == "-name" else rows)
    assert pages[0].previous is None
    for earlier, later in pairwise(pages):
        assert later.previous is not None
        wanted = asked(("sort", sort), ("before", later.previous))
        assert list(wanted.page(read(rows, wanted), key=lambda row: row).items) == list(earlier.items)


@pytest.mark.parametrize(
    ("asked", "shown", "previous", "following"),
    [
        ({}, "abc", None, "c"),
        ({"after": "c"}, "def", "d", "f"),
        ({"after": "f"}, "g", "g", None),
        ({"before": "d"}, "abc", None, "c"),
        ({"before": "g"}, "def", "d", "f"),
        ({"before": "b"}, "abc", None, "c"),
        ({"after": "g"}, "", None, None),
        ({"after": "gone"}, "abc", None, "c"),
    ],
)
def test_a_list_read_whole_is_cut_into_pages(
    asked: dict[str, str], shown: str, previous: str | None, following: str | None
) -> None:
    page = part("abcdefg", asked, str, size=3)
    assert ("".join(page.items), page.previous, page.next) == (shown, previous, following)
