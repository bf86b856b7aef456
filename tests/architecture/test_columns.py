"""Every column says whether it holds personal data, and every table that does is owned or about the people who sign in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, Date, MetaData, Table, Text

from migrations.tables import METADATA

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Columns whose name says that they are about a person, wherever they stand.
PERSONAL_BY_NAME = re.compile(
    r"^(?:surname|forename|middle_names|date_of_birth|email|phone|address|postcode|upn|former_upn|ethnicity|sex|relationship)(?:_folded)?$"
)
#: Shared tables may hold what belongs to the people who sign in, and nobody else.
SHARED_WITH_PEOPLE = {"invitation", "mail", "person", "sign_in"}


def unclassified(tables: Iterable[Table]) -> list[str]:
    """Columns that say nothing, or that say of what is plainly personal that it is not."""
    found = []
    for table in tables:
        for column in table.columns:
            said = column.info.get("personal")
            if said not in {True, False}:
                found.append(f"{table.name}.{column.name}: personal or not?")
            elif not said and PERSONAL_BY_NAME.match(column.name):
                found.append(f"{table.name}.{column.name}: is personal by its name")
    return found


def personal(tables: Iterable[Table]) -> set[str]:
    """Tables with a personal column."""
    return {table.name for table in tables if any(column.info.get("personal") for column in table.columns)}


def test_every_column_is_classified() -> None:
    assert unclassified(METADATA.sorted_tables) == []


def test_shared_tables_hold_nothing_of_pupils() -> None:
    shared = [table for table in METADATA.sorted_tables if "authority_id" not in table.primary_key.columns]
    assert personal(shared) == SHARED_WITH_PEOPLE


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (Column("colour", Text), "personal or not?"),
        (Column("colour", Text, info={"derived": True}), "personal or not?"),
        (Column("date_of_birth", Date, info={"personal": False}), "is personal by its name"),
        (Column("surname_folded", Text, info={"personal": False}), "is personal by its name"),
    ],
)
def test_a_column_that_says_nothing_is_found(column: Column[object], said: str) -> None:
    assert unclassified([Table("planted", MetaData(), column)]) == [f"planted.{column.name}: {said}"]
