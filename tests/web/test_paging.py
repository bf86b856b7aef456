"""Paging: the arguments a list accepts, and pages that start after a key."""

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

from portal.web.paging import ListRequest, decode_cursor, encode_cursor, list_request, paginate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

Rows = list[tuple[int, int]]
FILTERS: dict[str, Collection[str] | Callable[[str], object]] = {"year": {"7", "8"}, "from": int}


def requested(*pairs: tuple[str, str]) -> ListRequest:
    return replace(
        list_request(MultiDict(pairs), columns={"name": int, "rate": float}, default="-rate", filters=FILTERS, unique=int), size=3
    )


def query(rows: Rows, request: ListRequest) -> Rows:
    """The rows a query reads: those after the key, in the order of the request."""
    ordered = sorted(rows, reverse=request.reversed_order)
    if request.key is not None:
        key = request.key
        ordered = [row for row in ordered if (row < key if request.reversed_order else row > key)]
    return ordered[: request.fetch]


def test_without_arguments_the_default_order_applies() -> None:
    request = requested()
    assert (request.order.column, request.order.descending, request.filters, request.key) == ("rate", True, {}, None)


def test_filters_and_order_are_read() -> None:
    request = requested(("sort", "name"), ("year", "7"), ("from", "12"))
    assert (request.order.column, request.order.descending) == ("name", False)
    assert request.filters == {"year": "7", "from": "12"}
    assert requested(("year", "")).filters == {}


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
        [("after", encode_cursor((1, 1))), ("before", encode_cursor((1, 1)))],
        [("after", encode_cursor((1, "x")))],
        [("after", encode_cursor((1, 2**60)))],
        [("after", encode_cursor((float("nan"), 1)))],
        [("after", encode_cursor((float("inf"), 1)))],
        [("after", encode_cursor(([1], 1)))],
        [("after", "%%%")],
        [("after", "é")],
        [("after", "e30")],
        [("after", "W10")],
        [("after", "W1tdXQ")],
        [("after", "a" * 500)],
    ],
)
def test_any_other_argument_is_rejected(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(BadRequest):
        requested(*pairs)


@given(st.text(max_size=450))
def test_any_text_as_a_cursor_is_read_or_rejected(text: str) -> None:
    try:
        key = decode_cursor(text, str, str)
    except BadRequest:
        return
    assert len(key) == 2


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_postgresql_cannot_store_is_rejected(text: str) -> None:
    encoded = base64.urlsafe_b64encode(json.dumps([text, text]).encode()).decode()
    with pytest.raises(BadRequest):
        decode_cursor(encoded, str, str)


@given(
    st.one_of(st.none(), st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=80)),
    st.uuids(),
)
def test_a_key_comes_back_from_its_cursor(value: str | None, identifier: UUID) -> None:
    assert decode_cursor(encode_cursor((value, identifier)), str) == (value, identifier)


def test_days_and_rates_come_back_from_their_cursors() -> None:
    key = (date(2026, 9, 7), UUID(int=1))
    assert decode_cursor(encode_cursor(key), date.fromisoformat) == key
    assert decode_cursor(encode_cursor((0.935, UUID(int=1))), float) == (0.935, UUID(int=1))


def test_sorting_links_reverse_the_order_and_start_at_the_first_page() -> None:
    order = requested(("sort", "name")).order
    assert order.sorting("name") == {"sort": "-name", "after": None, "before": None}
    assert order.sorting("rate")["sort"] == "rate"
    assert [order.direction("name"), order.direction("rate")] == ["ascending", ""]
    assert requested().order.direction("rate") == "descending"
    with pytest.raises(KeyError):
        order.sorting("password")


@given(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 30)), max_size=20), st.sampled_from(["name", "-name"]))
def test_pages_hold_every_row_once_and_are_the_same_backwards(keys: set[tuple[int, int]], sort: str) -> None:
    rows = sorted(keys)
    request = requested(("sort", sort))
    pages = [request.page(query(rows, request), key=lambda row: row)]
    while pages[-1].next:
        request = requested(("sort", sort), ("after", pages[-1].next))
        pages.append(request.page(query(rows, request), key=lambda row: row))
    assert [row for page in pages for row in page.items] == (rows[::-1] if sort == "-name" else rows)
    assert pages[0].previous is None
    for earlier, later in pairwise(pages):
        assert later.previous is not None
        request = requested(("sort", sort), ("before", later.previous))
        assert list(request.page(query(rows, request), key=lambda row: row).items) == list(earlier.items)


@pytest.mark.parametrize(
    ("arguments", "items", "previous", "following"),
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
def test_a_complete_list_is_cut_into_pages(
    arguments: dict[str, str], items: str, previous: str | None, following: str | None
) -> None:
    page = paginate("abcdefg", arguments, str, size=3)
    assert ("".join(page.items), page.previous, page.next) == (items, previous, following)
