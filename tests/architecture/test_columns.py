"""Every column says whether it holds personal data, and no shared table holds data of pupils."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, Date, MetaData, Table, Text

from migrations.tables import METADATA

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Names of columns that are personal in every table.
PERSONAL_BY_NAME = re.compile(
    r"^(?:surname|forename|middle_names|date_of_birth|email|phone|address|postcode|upn|former_upn|ethnicity|sex|relationship)(?:_folded)?$"
)
#: The shared tables with personal data, which is of the people who sign in and of nobody else.
SHARED_WITH_PEOPLE = {"invitation", "mail", "person", "sign_in"}


def unclassified(tables: Iterable[Table]) -> list[str]:
    """Columns that do not say whether they are personal, or that deny it in spite of their name."""
    faults = []
    for table in tables:
        for column in table.columns:
            is_personal = column.info.get("personal")
            if is_personal not in {True, False}:
                faults.append(f"{table.name}.{column.name}: personal or not?")
            elif not is_personal and PERSONAL_BY_NAME.match(column.name):
                faults.append(f"{table.name}.{column.name}: is personal by its name")
    return faults


def tables_with_personal_columns(tables: Iterable[Table]) -> set[str]:
    """Tables with a personal column."""
    return {table.name for table in tables if any(column.info.get("personal") for column in table.columns)}


def test_every_column_is_classified() -> None:
    assert unclassified(METADATA.sorted_tables) == []


def test_shared_tables_hold_nothing_of_pupils() -> None:
    shared = [table for table in METADATA.sorted_tables if "authority_id" not in table.primary_key.columns]
    assert tables_with_personal_columns(shared) == SHARED_WITH_PEOPLE


@pytest.mark.parametrize(
    ("column", "fault"),
    [
        (Column("colour", Text), "personal or not?"),
        (Column("colour", Text, info={"derived": True}), "personal or not?"),
        (Column("date_of_birth", Date, info={"personal": False}), "is personal by its name"),
        (Column("surname_folded", Text, info={"personal": False}), "is personal by its name"),
    ],
)
def test_an_unclassified_column_is_found(column: Column[object], fault: str) -> None:
    assert unclassified([Table("planted", MetaData(), column)]) == [f"planted.{column.name}: {fault}"]
