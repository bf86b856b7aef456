"""The one policy: the role first, then the permission's conditions on the record, then the field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from portal import capabilities
from portal.security.permissions import PERMISSIONS, Permission, Role, can, guard_of, register, role_has
from portal.security.scope import Actor

if TYPE_CHECKING:
    from collections.abc import Iterator

OFFICER = Actor(None, None, Role.LA_OFFICER)
OFFICE = Actor(None, None, Role.SCHOOL_OFFICE)


@dataclass(frozen=True)
class Note:
    """A record that one role wrote."""

    written_by: str


def _is_not_the_author(actor: object, note: Note) -> bool:
    return getattr(actor, "role", None) != note.written_by


@pytest.fixture
def approve() -> Iterator[None]:
    """Two planted permissions: one with a condition, and one that guards a field."""
    planted = (
        Permission("notes.approve", "Approve a note", frozenset({Role.LA_OFFICER, Role.SCHOOL_OFFICE}), (_is_not_the_author,)),
        Permission("notes.view_address", "See an address", frozenset({Role.SCHOOL_OFFICE}), fields=("planted_address",)),
    )
    register(planted)
    yield
    for permission in planted:
        del PERMISSIONS[permission.name]


@pytest.mark.usefixtures("approve")
def test_a_role_without_the_permission_may_not() -> None:
    assert not can(Actor(None, None, Role.AUDITOR), "notes.approve")


@pytest.mark.usefixtures("approve")
def test_a_condition_is_asked_of_the_record() -> None:
    assert can(OFFICER, "notes.approve")
    assert can(OFFICER, "notes.approve", Note(Role.SCHOOL_OFFICE))
    assert not can(OFFICER, "notes.approve", Note(Role.LA_OFFICER))


@pytest.mark.usefixtures("approve")
def test_a_guarded_field_needs_its_own_permission_too() -> None:
    assert not can(OFFICER, "notes.approve", field="planted_address")
    assert can(OFFICE, "notes.approve", field="planted_address")
    assert can(OFFICER, "notes.approve", field="surname"), "a field nobody guards needs no more than the page does"


@pytest.mark.usefixtures("approve")
def test_a_guarded_field_does_not_open_a_record_the_condition_closes() -> None:
    assert not can(OFFICE, "notes.approve", Note(Role.SCHOOL_OFFICE), "planted_address")


def test_an_unknown_permission_is_an_error() -> None:
    with pytest.raises(KeyError):
        can(OFFICER, "notes.shred")


@pytest.mark.usefixtures("approve")
@pytest.mark.parametrize(
    ("permission", "message"),
    [
        (Permission("notes.approve", "Again", frozenset()), "declared twice"),
        (Permission("notes.other", "Same field", frozenset(), fields=("planted_address",)), "Two permissions guard"),
    ],
)
def test_a_second_declaration_stops_the_start(permission: Permission, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        register([permission])
    assert "notes.other" not in PERMISSIONS


def test_every_permission_comes_from_a_capability() -> None:
    declared = {permission.name for capability in capabilities.CAPABILITIES for permission in capability.permissions}
    assert set(PERMISSIONS) == declared


def test_a_home_address_is_not_for_every_role_that_finds_pupils() -> None:
    guard = guard_of("address")
    assert guard is not None
    assert guard.name == "pupils.view_contacts"
    assert role_has(Role.LA_ADMINISTRATOR, "pupils.view")
    assert not can(Actor(None, None, Role.LA_ADMINISTRATOR), "pupils.view", field="address")
