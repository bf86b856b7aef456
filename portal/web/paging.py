"""Lists too long for one page: the order, filters and place a request asks for, checked against what the page allows.

Pages are cut at a key and not counted off, so that the hundredth costs what the first does.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from werkzeug.exceptions import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from werkzeug.datastructures import MultiDict

T = TypeVar("T")
#: A row's place: the sorted column's value (None sorts as the query says), then what no two rows share.
Key = tuple[Any, Any]

PAGE_SIZE = 50
#: Rows on a page of a list that is read whole: a county has a few hundred schools.
PART_SIZE = 100
LONGEST_CURSOR = 1_500
LONGEST_VALUE = 200
LARGEST = 2**53
PAGING = frozenset({"sort", "after", "before"})


@dataclass(frozen=True, slots=True)
class Order:
    """By which column a list is sorted, and which columns it can be sorted by."""

    column: str
    descending: bool
    columns: frozenset[str]

    def direction(self, column: str) -> str:
        """How a column is sorted now, as `aria-sort` says it; empty when the list is not sorted by it."""
        if column != self.column:
            return ""
        return "descending" if self.descending else "ascending"

    def sorting(self, column: str) -> dict[str, str | None]:
        """The arguments of the address that sorts by a column; pressed again it turns the order round.

        Raises:
            KeyError: for a column the list cannot be sorted by.
        """
        if column not in self.columns:
            raise KeyError(column)
        turned = column == self.column and not self.descending
        return {"sort": f"-{column}" if turned else column, "after": None, "before": None}


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The rows of one page, and the cursors of the pages before and after it (None: there is none)."""

    items: Sequence[T]
    previous: str | None
    next: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a request asks of a list.

    A query takes `fetch` rows past `key` (None: from the start) in the order of `order.column` and a unique column;
    `backwards` asks for the rows before the key, so the query turns the order round: `reversed_order`.
    """

    order: Order
    filters: Mapping[str, str] = field(default_factory=dict)
    key: Key | None = None
    backwards: bool = False
    size: int = PAGE_SIZE

    @property
    def fetch(self) -> int:
        """How many rows to read: one more than are shown, to know whether there is a next page."""
        return self.size + 1

    @property
    def reversed_order(self) -> bool:
        """Does the query read from high to low?"""
        return self.order.descending != self.backwards

    def page(self, rows: Sequence[T], key: Callable[[T], Key]) -> Page[T]:
        """The page made of the rows read; `key` gives a row's place: the sorted column's value, then the unique one."""
        more = len(rows) > self.size
        items = list(rows[: self.size])
        if self.backwards:
            items.reverse()
        if not items:
            return Page((), None, None)
        before = more if self.backwards else self.key is not None
        after = self.key is not None if self.backwards else more
        return Page(items, cursor(key(items[0])) if before else None, cursor(key(items[-1])) if after else None)


def part(rows: Sequence[T], arguments: Mapping[str, str], of: Callable[[T], object], size: int = PART_SIZE) -> Page[T]:
    """A page of a list that is whole and in order already, cut at what no two rows share; from the start at a place unknown."""
    places = {str(of(row)): place for place, row in enumerate(rows)}
    after, before = places.get(arguments.get("after", ""), -1), places.get(arguments.get("before", ""))
    start = after + 1 if before is None else max(0, before - size)
    items = rows[start : start + size]
    if not items:
        return Page((), None, None)
    return Page(items, str(of(items[0])) if start else None, str(of(items[-1])) if start + size < len(rows) else None)


def listing(
    arguments: MultiDict[str, str],
    *,
    columns: Mapping[str, Callable[[Any], object]],
    default: str,
    filters: Mapping[str, Collection[str] | Callable[[str], object]] | None = None,
    unique: Callable[[Any], object] = UUID,
) -> Listing:
    """Read a request's arguments; `default` may begin with "-" for high to low; an empty filter is none.

    `columns` gives what makes a value of each column from a cursor: `{"name": str, "rate": float, "day":
    date.fromisoformat}`; `unique` does so for what no two rows share. A filter allows a few values, or whatever its
    function takes without a ValueError.

    Raises:
        BadRequest: for an argument, a column, a value or a cursor the list does not allow.
    """
    allowed = dict(filters or {})
    _refuse_strangers(arguments, allowed)
    order = _order(arguments.get("sort") or default, frozenset(columns))
    chosen = {name: value for name in allowed if (value := _chosen(arguments.get(name, ""), allowed[name]))}
    after, before = arguments.get("after"), arguments.get("before")
    if after and before:
        message = "a list is read forwards or backwards"
        raise BadRequest(message)
    place = after or before
    key = key_of(place, columns[order.column], unique) if place else None
    return Listing(order, chosen, key, bool(before))


def _refuse_strangers(arguments: MultiDict[str, str], filters: Mapping[str, object]) -> None:
    for name, values in arguments.lists():
        if name not in PAGING and name not in filters:
            message = "an argument this list does not know"
            raise BadRequest(message)
        if len(values) > 1:
            message = "an argument given twice"
            raise BadRequest(message)


def _order(asked: str, columns: frozenset[str]) -> Order:
    column = asked.removeprefix("-")
    if column not in columns:
        message = "a column this list cannot be sorted by"
        raise BadRequest(message)
    return Order(column, asked.startswith("-"), columns)


def _chosen(value: str, allowed: Collection[str] | Callable[[str], object]) -> str:
    """The value of a filter, if it is one the list allows.

    Raises:
        BadRequest: when it is not.
    """
    message = "a value this filter does not know"
    if not value:
        return ""
    if len(value) > LONGEST_VALUE or "\0" in value:
        raise BadRequest(message)
    if callable(allowed):
        try:
            allowed(value)
        except ValueError as error:
            raise BadRequest(message) from error
    elif value not in allowed:
        raise BadRequest(message)
    return value


def cursor(key: Key) -> str:
    """A row's place as it stands in an address. Keep names, numbers and birthdays out of it: use ids and figures."""
    text = json.dumps(key, separators=(",", ":"), ensure_ascii=False, default=str)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def key_of(text: str, column: Callable[[Any], object], unique: Callable[[Any], object] = UUID) -> Key:
    """The place a cursor stands for, its two values made by `column` and `unique`.

    Raises:
        BadRequest: for text that is no cursor of ours.
    """
    message = "no place in this list"
    if len(text) > LONGEST_CURSOR:
        raise BadRequest(message)
    try:
        found = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        first, second = found
        made = (None if first is None else column(first), unique(second))
    except (binascii.Error, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise BadRequest(message) from error
    if not isinstance(found, list) or not all(_can_be_stored(value) for value in made):
        raise BadRequest(message)
    return made


def _can_be_stored(value: object) -> bool:
    """Would PostgreSQL take this as a value? No NUL, no lone surrogate, no number beyond its integers, no NaN."""
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, int | float):
        return -LARGEST <= value <= LARGEST
    return not isinstance(value, list | dict)
