"""Subject access: everything about a person that the scope reaches, by what the capabilities declare to hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, ColumnElement, inspect, or_, select

from portal.db.tables import VISIBLE, Base, Owned
from portal.db.work import tx
from portal.platform.capability import Extract, Holding, Path, Subject, declared, load, load_module
from portal.platform.refusals import NotFoundError
from portal.security import scope
from portal.security.visibility import whole_authority

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import Table

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one table that are about the person, without the columns that never leave."""

    holding: Holding
    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class SubjectData:
    """What was collected, and the holdings a person still has to look through."""

    parts: tuple[Part, ...]
    by_hand: tuple[Holding, ...]


def models_by_table() -> Mapping[str, type[Base]]:
    """The model of each table. The capabilities' models are imported first: a worker has not loaded them all."""
    for capability in declared():
        if capability.models:
            load_module(capability.models)
    return {mapper.class_.__table__.name: mapper.class_ for mapper in Base.registry.mappers}


def collect(subject: Subject, subject_id: UUID, holdings: Iterable[Holding] | None = None) -> SubjectData:
    """Collect what is held about a person. Row security and the scope decide what is seen; nothing is widened.

    Raises:
        NotFoundError: when the person's own record is not within the scope.
        ValueError: for people who sign in. Their tables belong to no single authority, so that no scope guards them.
    """
    if holdings is None:
        holdings = [holding for capability in declared() for holding in capability.holdings]
    collection = _Collection(subject, subject_id, {holding.table: holding for holding in holdings})
    if not collection.rows(subject.value):
        raise NotFoundError
    parts, by_hand = [], []
    for holding in collection.holdings.values():
        if holding.by_hand or not collection.is_readable(holding.table):
            by_hand.append(holding)
        elif rows := collection.rows(holding.table):
            withheld = set(holding.withheld)
            disclosed = tuple({name: value for name, value in row.items() if name not in withheld} for row in rows)
            parts.append(Part(holding, disclosed))
    return SubjectData(tuple(parts), tuple(by_hand))


class _Collection:
    """One person's rows, each table read once, however many paths go through it."""

    def __init__(self, subject: Subject, subject_id: UUID, holdings: Mapping[str, Holding]) -> None:
        self.subject, self.subject_id, self.holdings = subject, subject_id, holdings
        self.models = models_by_table()
        self._rows: dict[str, list[Row]] = {}
        self._leading_to_records = {
            path.source.partition(".")[0]
            for path in holdings[Subject.PUPIL].paths
            if isinstance(path, Path) and path.subject is Subject.CHILD
        }
        if not self.is_readable(subject.value, whatever_the_scope=True):
            raise ValueError(f"{subject} is a table of every authority; what is held about its people is looked up by hand.")

    def is_readable(self, table: str, *, whatever_the_scope: bool = False) -> bool:
        """Does the scope guard this table's rows?

        Shared tables belong to every authority. And what the whole authority sees, such as the audit, names no school: in
        a school's scope it would show who read the record in another school.
        """
        model = self.models[table]
        if not issubclass(model, Owned):
            return False
        is_for_all = _table(model).info[VISIBLE] == whole_authority()
        return whatever_the_scope or not is_for_all or scope.current().schools is None

    def rows(self, table: str) -> list[Row]:
        """The person's rows of a table."""
        if table not in self._rows:
            self._rows[table] = self._read(table) if self.is_readable(table) else []
        return self._rows[table]

    def _read(self, table: str) -> list[Row]:
        model, holding = self.models[table], self.holdings[table]
        columns = _table(model).columns
        if table == self.subject.value:
            return _selected(model, [columns["id"] == self.subject_id])
        conditions: list[ColumnElement[bool]] = []
        extracted: list[Row] = []
        for path in holding.paths:
            if not self._applies(path, table):
                continue
            if isinstance(path, Extract):
                extracted += load(path.query)(self._values(f"{path.subject}.id"))
            elif values := self._values(path.source or f"{path.subject}.id", path.unless):
                conditions.append(columns[path.column].in_(values))
        return extracted + (_selected(model, conditions) if conditions else [])

    def _applies(self, path: Path | Extract, table: str) -> bool:
        """Is the path one of this person's? A pupil's paths serve their child, but for those that lead to the records."""
        if self.subject is Subject.CHILD and path.subject is Subject.PUPIL:
            return table not in self._leading_to_records
        return path.subject is self.subject

    def _values(self, source: str, unless: str = "") -> list[Any]:
        table, column = source.split(".")
        values = {row[column] for row in self.rows(table) if not (unless and row[unless] is not None)}
        return sorted(values - {None}, key=str)


def _table(model: type[Base]) -> Table:
    table: Table = inspect(model).local_table  # type: ignore[assignment]  # no model of ours is mapped to anything else
    return table


def _selected(model: type[Base], conditions: Sequence[ColumnElement[bool]]) -> list[Row]:
    """The rows that meet any condition, through the ORM: its hook names the authority and the schools too."""
    attributes = inspect(model).column_attrs
    objects = tx().scalars(select(model).where(or_(*conditions)).order_by(*_key(model))).all()
    return [{attribute.columns[0].name: getattr(row, attribute.key) for attribute in attributes} for row in objects]


def _key(model: type[Base]) -> list[Column[Any]]:
    return list(_table(model).primary_key.columns)
