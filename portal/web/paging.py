"""Paging: one page of a list, which starts after a row and not after a count of rows.

So the hundredth page costs what the first does, and a bookmark still shows the same rows when others were added. An address
holds the id of a row and nothing else of it: a list is sorted by names, and addresses are logged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import literal, tuple_
from werkzeug.exceptions import BadRequest

from portal.db.work import tx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import InstrumentedAttribute

T = TypeVar("T")
U = TypeVar("U")

PAGE_SIZE = 50
#: Rows on a page of a list that is read completely, such as the few hundred schools of a county.
WHOLE_LIST_SIZE = 100
NO_SUCH_PAGE = "The address asks for a page that this list does not have."
PAGING_ARGUMENTS = frozenset({"sort", "after", "before"})


class WrongAddressError(BadRequest):
    """An address asks for what its page does not have. The 400 page shows the sentence."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page starts: after the row with this id, before it when `backwards`, or at the beginning."""

    row_id: object = None
    backwards: bool = False
    size: int = PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The rows of one page, and the ids that its neighbours end before and start after."""

    items: Sequence[T]
    previous: str | None = None
    next: str | None = None

    def of(self, items: Sequence[U]) -> Page[U]:
        """The same page with each row made into something else."""
        return Page(items, self.previous, self.next)


def position_in(arguments: Mapping[str, str], read_id: Callable[[str], object] = UUID, size: int = PAGE_SIZE) -> Position:
    """The position an address asks for.

    Raises:
        WrongAddressError: for an id that `read_id` cannot read, or for both directions at once.
    """
    after, before = arguments.get("after"), arguments.get("before")
    if after and before:
        raise WrongAddressError(NO_SUCH_PAGE)
    typed = after or before
    try:
        return Position(read_id(typed) if typed else None, bool(before), size)
    except ValueError as error:
        raise WrongAddressError(NO_SUCH_PAGE) from error


def select_page(
    query: Select[*tuple[Any, ...]], *order: InstrumentedAttribute[Any], position: Position, descending: bool = False
) -> Page[Any]:
    """One page of a query, sorted by the columns `order`, of which the last is the row's id.

    A row that is no longer in the list starts it at the beginning, so that an old bookmark still opens.
    """
    row_id = order[-1]
    start = None
    if position.row_id is not None:
        start = tx().execute(query.with_only_columns(*order).where(row_id == position.row_id)).first()
    if start is None:
        position = replace(position, row_id=None, backwards=False)
    is_reversed = descending != position.backwards
    if start is not None:
        key = tuple_(*(literal(value, column.type) for value, column in zip(start, order, strict=True)))
        query = query.where(tuple_(*order) < key if is_reversed else tuple_(*order) > key)
    ordering = [column.desc() if is_reversed else column.asc() for column in order]
    rows = list(tx().execute(query.add_columns(row_id.label("row_id")).order_by(*ordering).limit(position.size + 1)))
    has_more, rows = len(rows) > position.size, rows[: position.size]
    if position.backwards:
        rows.reverse()
    if not rows:
        return Page(())
    items = [row[0] if len(row) == 2 else tuple(row)[:-1] for row in rows]  # the last column is the id added here
    has_previous = has_more if position.backwards else start is not None
    has_next = position.backwards or has_more
    return Page(items, str(rows[0][-1]) if has_previous else None, str(rows[-1][-1]) if has_next else None)


def paginate(rows: Sequence[T], position: Position, of: Callable[[T], object]) -> Page[T]:
    """One page of a list that is complete and sorted already. `of` gives the id of a row."""
    indexes = {of(row): index for index, row in enumerate(rows)}
    start = indexes.get(position.row_id, -1) + 1
    if position.backwards:
        start = max(0, start - 1 - position.size)
    items = rows[start : start + position.size]
    if not items:
        return Page(())
    has_next = start + position.size < len(rows)
    return Page(items, str(of(items[0])) if start else None, str(of(items[-1])) if has_next else None)


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


def order_in(arguments: Mapping[str, str], columns: frozenset[str], default: str) -> Order:
    """The order an address asks for: a column, with "-" before it for high to low.

    Raises:
        WrongAddressError: for a column the list cannot be sorted by.
    """
    sort = arguments.get("sort") or default
    column = sort.removeprefix("-")
    if column not in columns:
        raise WrongAddressError("The address sorts by a column that this list does not have.")
    return Order(column, sort.startswith("-"), columns)
