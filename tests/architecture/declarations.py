"""Finds tables about people that no capability declares, and declarations that do not hold together."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from portal.platform.capability import Extract, KeptAsSet, KeptFor, KeptWith, Subject, load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Table

    from portal.platform.capability import Holding, Retention

#: Columns that never leave the portal, by their names.
SECRET = re.compile(r"(?:_hash|secret)$")
#: The audit's own proof: the hash of a row is no secret.
NO_SECRETS = {("audit_event", "hash")}


def keys(table: Table) -> Iterator[tuple[str, Subject]]:
    """The columns that name a person's own record, by a foreign key or by their name."""
    for column in table.columns:
        for subject in Subject:
            is_named = column.name == f"{subject}_id" or column.name.endswith(f"_{subject}_id")
            if is_named or any(key.target_fullname == f"{subject}.id" for key in column.foreign_keys):
                yield column.name, subject


def is_about_people(table: Table) -> bool:
    """Has the table a personal column, or a key to a person's own record?"""
    return any(column.info.get("personal") for column in table.columns) or any(keys(table)) or table.name in set(Subject)


def faults(tables: Mapping[str, Table], holdings: Sequence[Holding], retention: Sequence[Retention]) -> list[str]:
    """Every fault of the declarations, each a sentence that begins with the table."""
    return sorted(
        {
            *_not_once(tables, Counter(holding.table for holding in holdings), "holding"),
            *_not_once(tables, Counter(row.table for row in retention), "retention"),
            *(fault for holding in holdings if holding.table in tables for fault in _holding_faults(tables, holding, holdings)),
            *(fault for row in retention if row.table in tables for fault in _retention_faults(tables, row, retention)),
        }
    )


def _not_once(tables: Mapping[str, Table], declared: Counter[str], word: str) -> Iterator[str]:
    yield from (f"{name}: there is no such table" for name in declared if name not in tables)
    for table in tables.values():
        if is_about_people(table) and not declared[table.name]:
            yield f"{table.name}: no {word} is declared"
        if declared[table.name] > 1:
            yield f"{table.name}: more than one {word} is declared"


def _holding_faults(tables: Mapping[str, Table], holding: Holding, holdings: Sequence[Holding]) -> Iterator[str]:
    table = tables[holding.table]
    for column in (column.name for column in table.columns):
        if SECRET.search(column) and column not in holding.withheld and (table.name, column) not in NO_SECRETS:
            yield f"{table.name}: {column} is not withheld"
    yield from (f"{table.name}: has no column {column} to withhold" for column in holding.withheld if column not in table.columns)
    yield from _path_faults(tables, holding, holdings)
    if holding.by_hand:
        return
    followed = {(path.column, path.subject) for path in holding.paths if not isinstance(path, Extract) and not path.source}
    extracted = {path.subject for path in holding.paths if isinstance(path, Extract)}
    for column, subject in keys(table):
        if (column, subject) not in followed and subject not in extracted:
            yield f"{table.name}: no path follows {column}"


def _path_faults(tables: Mapping[str, Table], holding: Holding, holdings: Sequence[Holding]) -> Iterator[str]:
    for path in holding.paths:
        if isinstance(path, Extract):
            if not callable(load(path.query)):
                yield f"{holding.table}: {path.query} is no query"
            continue
        if path.column not in tables[holding.table].columns:
            yield f"{holding.table}: has no column {path.column}"
        source_table, _, source_column = (path.source or f"{path.subject}.id").partition(".")
        for column in filter(None, (source_column, path.unless)):
            if source_table not in tables or column not in tables[source_table].columns:
                yield f"{holding.table}: there is no {source_table}.{column} to start from"
        if not _begins(source_table, path.subject, holdings, frozenset({holding.table})):
            yield f"{holding.table}: its path from {source_table} does not begin with the {path.subject}"


def _begins(table: str, subject: Subject, holdings: Sequence[Holding], behind: frozenset[str]) -> bool:
    """Does each path to a table begin with the person's own record, without a circle?"""
    if table == subject.value:
        return True
    paths = [
        path
        for holding in holdings
        if holding.table == table
        for path in holding.paths
        if path.subject is subject and not isinstance(path, Extract)
    ]
    sources = {path.source.partition(".")[0] or subject.value for path in paths}
    return table not in behind and bool(sources) and all(_begins(name, subject, holdings, behind | {table}) for name in sources)


def _retention_faults(tables: Mapping[str, Table], row: Retention, retention: Sequence[Retention]) -> Iterator[str]:
    if isinstance(row.period, KeptFor | KeptAsSet):
        *named_table, column = row.period.since.split(".")
        targets = {key.column.table.name for key in tables[row.table].foreign_keys}
        if named_table and named_table[0] not in targets:
            yield f"{row.table}: has no key to {named_table[0]}"
        elif column not in tables[named_table[0] if named_table else row.table].columns:
            yield f"{row.table}: has no day {row.period.since} to count from"
    if not row.rule:
        yield f"{row.table}: does not say by which rule it is kept"
    periods = {declared.table: declared.period for declared in retention}
    followed, period = {row.table}, row.period
    while isinstance(period, KeptWith):
        if period.table in followed or period.table not in periods:
            yield f"{row.table}: is kept with {period.table}, which says no time"
            return
        followed.add(period.table)
        period = periods[period.table]
