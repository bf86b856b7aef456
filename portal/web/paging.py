"""Paging: the order, filters and position a request asks for, checked against what the list allows.

Pages start after a key and not after a count of rows, so that the hundredth page costs the same as the first.
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
#: A row's position: the value of the sorted column (None sorts as the query says), then a unique value.
Key = tuple[Any, Any]

PAGE_SIZE = 50
#: Rows on a page of a list that is read completely, such as the few hundred schools of a county.
PART_SIZE = 100
LONGEST_CURSOR = 1_500
LONGEST_VALUE = 200
#: The limit of integers that JSON, JavaScript and floats all hold exactly.
LARGEST_NUMBER = 2**53
PAGING_ARGUMENTS = frozenset({"sort", "after", "before"})


@dataclass(frozen=True, slots=True)
class Order:
    """The column a list is sorted by, and the columns it can be sorted by."""

    column: str
    descending: bool
    columns: frozenset[str]

    def direction(self, column: str) -> str:
        """The `aria-sort` of a column, empty when the list is not sorted by it."""
        if column != self.column:
            return ""
        return "descending" if self.descending else "ascending"

    def sorting(self, column: str) -> dict[str, str | None]:
        """The arguments of the address that sorts by a column. Sorting by it again reverses the order.

        Raises:
            KeyError: for a column the list cannot be sorted by.
        """
        if column not in self.columns:
            raise KeyError(column)
        is_reversed = column == self.column and not self.descending
        return {"sort": f"-{column}" if is_reversed else column, "after": None, "before": None}


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The rows of one page, and the cursors of the previous and next page."""

    items: Sequence[T]
    previous: str | None
    next: str | None


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What a request asks of a list: order, filters and position.

    A query reads `fetch` rows after `key` (None: from the start), ordered by `order.column` and a unique column.
    With `backwards` it reads the rows before the key, nearest first, so its order is reversed: see `reversed_order`.
    """

    order: Order
    filters: Mapping[str, str] = field(default_factory=dict)
    key: Key | None = None
    backwards: bool = False
    size: int = PAGE_SIZE

    @property
    def fetch(self) -> int:
        """The number of rows to read: one more than the page shows, to know whether another page follows."""
        return self.size + 1

    @property
    def reversed_order(self) -> bool:
        """Does the query read from high to low?"""
        return self.order.descending != self.backwards

    def page(self, rows: Sequence[T], key: Callable[[T], Key]) -> Page[T]:
        """The page made from the rows read. `key` gives a row's position."""
        has_more = len(rows) > self.size
        items = list(rows[: self.size])
        # Rows before the key were read nearest first: show them in the list's order.
        if self.backwards:
            items.reverse()
        if not items:
            return Page((), None, None)
        has_previous = has_more if self.backwards else self.key is not None
        has_next = self.key is not None if self.backwards else has_more
        return Page(
            items, encode_cursor(key(items[0])) if has_previous else None, encode_cursor(key(items[-1])) if has_next else None
        )


def paginate(rows: Sequence[T], arguments: Mapping[str, str], of: Callable[[T], object], size: int = PART_SIZE) -> Page[T]:
    """A page of a list that is complete and sorted already. `of` gives the unique value of a row.

    A cursor that is not in the list starts at the beginning: a bookmarked row may be gone.
    """
    indexes = {str(of(row)): index for index, row in enumerate(rows)}
    after, before = indexes.get(arguments.get("after", ""), -1), indexes.get(arguments.get("before", ""))
    start = after + 1 if before is None else max(0, before - size)
    items = rows[start : start + size]
    if not items:
        return Page((), None, None)
    return Page(items, str(of(items[0])) if start else None, str(of(items[-1])) if start + size < len(rows) else None)


def list_request(
    arguments: MultiDict[str, str],
    *,
    columns: Mapping[str, Callable[[Any], object]],
    default: str,
    filters: Mapping[str, Collection[str] | Callable[[str], object]] | None = None,
    unique: Callable[[Any], object] = UUID,
) -> ListRequest:
    """Read the arguments of a request for a list.

    `default` is a column, with "-" before it for high to low. `columns` maps each sortable column to the function that
    makes its value from a cursor: `{"name": str, "rate": float, "day": date.fromisoformat}`. `unique` does the same for
    the unique value. `filters` maps each filter to its allowed values, or to a function that raises ValueError for the
    others. An empty filter is left out.

    Raises:
        BadRequest: for an argument, a column, a value or a cursor the list does not allow.
    """
    allowed = dict(filters or {})
    _check_names(arguments, allowed)
    order = _order(arguments.get("sort") or default, frozenset(columns))
    active_filters = {name: value for name in allowed if (value := _filter_value(arguments.get(name, ""), allowed[name]))}
    after, before = arguments.get("after"), arguments.get("before")
    if after and before:
        message = "a list is read forwards or backwards"
        raise BadRequest(message)
    position = after or before
    key = decode_cursor(position, columns[order.column], unique) if position else None
    return ListRequest(order, active_filters, key, bool(before))


def _check_names(arguments: MultiDict[str, str], filters: Mapping[str, object]) -> None:
    for name, values in arguments.lists():
        if name not in PAGING_ARGUMENTS and name not in filters:
            message = "an argument this list does not know"
            raise BadRequest(message)
        if len(values) > 1:
            message = "an argument given twice"
            raise BadRequest(message)


def _order(sort: str, columns: frozenset[str]) -> Order:
    column = sort.removeprefix("-")
    if column not in columns:
        message = "a column this list cannot be sorted by"
        raise BadRequest(message)
    return Order(column, sort.startswith("-"), columns)


def _filter_value(value: str, allowed: Collection[str] | Callable[[str], object]) -> str:
    """The value of a filter, checked against what the list allows.

    Raises:
        BadRequest: for any other value.
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


def encode_cursor(key: Key) -> str:
    """A row's position as text for an address.

    An address is logged and shared, so a key must hold ids and figures only: no name, UPN or date of birth.
    """
    text = json.dumps(key, separators=(",", ":"), ensure_ascii=False, default=str)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(text: str, column: Callable[[Any], object], unique: Callable[[Any], object] = UUID) -> Key:
    """The position a cursor stands for, its two values made by `column` and `unique`.

    Raises:
        BadRequest: for text that `cursor` could not have made.
    """
    message = "no place in this list"
    if len(text) > LONGEST_CURSOR:
        raise BadRequest(message)
    try:
        # Cursors travel without the padding that base64 needs.
        decoded = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        first, second = decoded
        key = (None if first is None else column(first), unique(second))
    except (binascii.Error, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise BadRequest(message) from error
    if not isinstance(decoded, list) or not all(_can_be_stored(value) for value in key):
        raise BadRequest(message)
    return key


def _can_be_stored(value: object) -> bool:
    """Does PostgreSQL accept this value? It takes no NUL, no lone surrogate, no huge number and no NaN."""
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, int | float):
        return -LARGEST_NUMBER <= value <= LARGEST_NUMBER
    return not isinstance(value, list | dict)
