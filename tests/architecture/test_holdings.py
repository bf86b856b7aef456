"""Every table about people says once what it holds and how long it is kept."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Column, Date, ForeignKey, MetaData, Table, Text, Uuid

from migrations.tables import METADATA
from portal.capabilities import CAPABILITIES
from portal.db.tables import Base
from portal.platform.capability import (
    Extract,
    Holding,
    KeptAsSet,
    KeptFor,
    KeptForGood,
    KeptWith,
    Path,
    Retention,
    Subject,
)
from portal.rules.retention import REGISTER_ENTRY_YEARS
from tests.architecture import declarations

HOLDINGS = [holding for capability in CAPABILITIES for holding in capability.holdings]
RETENTION = [row for capability in CAPABILITIES for row in capability.retention]
REGISTERS = ("register_page", "roll_line")


def planted_tables(*columns: Column[Any]) -> dict[str, Table]:
    """A pupil, and a planted table with these columns."""
    metadata = MetaData()
    pupil = Table("pupil", metadata, Column("id", Uuid, primary_key=True))
    planted = Table("planted", metadata, Column("id", Uuid, primary_key=True), *columns)
    return {"pupil": pupil, "planted": planted}


def planted_faults(column: Column[Any], holdings: list[Holding], retention: list[Retention]) -> list[str]:
    """The faults that begin with the planted table."""
    pupil = (Holding("pupil", "The record"), Retention("pupil", KeptForGood(), "A rule"))
    found_faults = declarations.faults(planted_tables(column), [pupil[0], *holdings], [pupil[1], *retention])
    return [fault for fault in found_faults if fault.startswith(("planted", "absent"))]


def test_every_table_about_people_is_declared_once() -> None:
    assert declarations.faults(METADATA.tables, HOLDINGS, RETENTION) == []


def test_a_capability_declares_its_own_tables_alone() -> None:
    owners = {mapper.class_.__tablename__: mapper.class_.__module__.rpartition(".")[0] for mapper in Base.registry.mappers}
    foreign = [
        (capability.name, row.table)
        for capability in CAPABILITIES
        for row in (*capability.holdings, *capability.retention)
        if owners[row.table] not in {f"portal.{capability.name}", "portal.jobs"}
    ]
    assert foreign == []


def test_registers_are_kept_for_six_years() -> None:
    periods = {row.table: row.period for row in RETENTION}
    assert {periods[name].years for name in REGISTERS if isinstance(periods[name], KeptFor)} == {REGISTER_ENTRY_YEARS}


def test_a_time_in_years_is_only_given_where_the_law_gives_it() -> None:
    assert {row.table for row in RETENTION if isinstance(row.period, KeptFor)} == set(REGISTERS)


_PUPIL_PATH = Path(Subject.PUPIL, "pupil_id")
_HELD = Holding("planted", "Planted", (_PUPIL_PATH,))
_KEPT = Retention("planted", KeptForGood(), "A rule")
_KEY = ("pupil_id", Uuid)


@pytest.mark.parametrize(
    ("column", "fault"),
    [
        (Column("pupil_id", Uuid), "planted: no holding is declared"),
        (Column("resolved_pupil_id", Uuid), "planted: no holding is declared"),
        (Column("of", Uuid, ForeignKey("pupil.id")), "planted: no holding is declared"),
        (Column("surname", Text, info={"personal": True}), "planted: no retention is declared"),
        (Column("contact_id", Uuid), "planted: no retention is declared"),
        (Column("child_id", Uuid), "planted: no holding is declared"),
        (Column("person_id", Uuid), "planted: no holding is declared"),
    ],
)
def test_a_table_that_nobody_declares_is_found(column: Column[Any], fault: str) -> None:
    assert fault in planted_faults(column, [], [])


def test_a_table_about_nobody_needs_no_declaration() -> None:
    assert planted_faults(Column("colour", Text), [], []) == []


@pytest.mark.parametrize(
    ("holdings", "fault"),
    [
        ([_HELD, _HELD], "planted: more than one holding is declared"),
        ([_HELD, Holding("absent", "Absent", (_PUPIL_PATH,))], "absent: there is no such table"),
        ([Holding("planted", "Planted", (Path(Subject.PUPIL, "id"),))], "planted: no path follows pupil_id"),
        ([Holding("planted", "Planted", (Path(Subject.CONTACT, "pupil_id"),))], "planted: no path follows pupil_id"),
        ([Holding("planted", "Planted", (_PUPIL_PATH, Path(Subject.PUPIL, "colour")))], "planted: has no column colour"),
        (
            [Holding("planted", "Planted", (_PUPIL_PATH, Path(Subject.PUPIL, "id", "pupil.colour")))],
            "planted: there is no pupil.colour to start from",
        ),
        (
            [Holding("planted", "Planted", (_PUPIL_PATH, Path(Subject.PUPIL, "id", "pupil.id", unless="ended")))],
            "planted: there is no pupil.ended to start from",
        ),
        (
            [Holding("planted", "Planted", (_PUPIL_PATH, Path(Subject.PUPIL, "id", "planted.id")))],
            "planted: its path from planted does not begin with the pupil",
        ),
        ([Holding("planted", "Planted", (_PUPIL_PATH,), withheld=("colour",))], "planted: has no column colour to withhold"),
    ],
)
def test_a_holding_that_does_not_hold_together_is_found(holdings: list[Holding], fault: str) -> None:
    assert fault in planted_faults(Column(*_KEY), holdings, [_KEPT])


def test_a_good_declaration_passes() -> None:
    assert planted_faults(Column(*_KEY), [_HELD], [_KEPT]) == []
    extracted = Holding("planted", "Planted", (Extract(Subject.PUPIL, "portal.registers.queries.marks_ever_recorded"),))
    assert planted_faults(Column(*_KEY), [extracted], [_KEPT]) == []


@pytest.mark.parametrize("name", ["token_hash", "totp_secret"])
def test_a_secret_that_would_leave_is_found(name: str) -> None:
    holding = Holding("planted", "Planted", (Path(Subject.PUPIL, "id"),))
    assert planted_faults(Column(name, Text), [holding], [_KEPT]) == [f"planted: {name} is not withheld"]


@pytest.mark.parametrize(
    ("retention", "fault"),
    [
        ([_KEPT, _KEPT], "planted: more than one retention is declared"),
        ([Retention("planted", KeptFor(6, since="left_on"), "A rule")], "planted: has no day left_on to count from"),
        ([Retention("planted", KeptAsSet("x", since="school.id"), "A rule")], "planted: has no key to school"),
        ([Retention("planted", KeptWith("planted"), "A rule")], "planted: is kept with planted, which says no time"),
        ([Retention("planted", KeptWith("school"), "A rule")], "planted: is kept with school, which says no time"),
        ([Retention("planted", KeptForGood(), "")], "planted: does not say by which rule it is kept"),
    ],
)
def test_a_retention_that_does_not_hold_together_is_found(retention: list[Retention], fault: str) -> None:
    assert fault in planted_faults(Column(*_KEY), [_HELD], retention)


def test_a_day_to_count_from_passes() -> None:
    column = Column("left_on", Date, info={"personal": True})
    retention = Retention("planted", KeptFor(6, since="left_on"), "A rule")
    assert planted_faults(column, [Holding("planted", "Planted", (Path(Subject.PUPIL, "id"),))], [retention]) == []


@pytest.mark.parametrize("arguments", [{}, {"paths": (_PUPIL_PATH,), "by_hand": "Because"}])
def test_a_holding_says_either_its_paths_or_why_it_has_none(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="planted: say by which paths"):
        Holding("planted", "Planted", **arguments)
