"""The page of permissions is up to date, and says all that a permission declares."""

from __future__ import annotations

from typing import Any

from portal.platform.capability import Capability
from portal.security.permissions import HasRole, Permission, Role
from tests.architecture import permissions


def is_named_officer(actor: HasRole, record: Any) -> bool:
    """The officer who is named on the case."""
    return bool(actor.role == record)


PLANTED = Capability(
    name="planted",
    summary="A made-up capability.",
    permissions=(
        Permission(
            "planted.view", "See | what is planted", frozenset({Role.AUDITOR}), when=(is_named_officer,), fields=("planted_on",)
        ),
    ),
)


def test_the_page_of_permissions_is_the_reviewed_one() -> None:
    reviewed = permissions.PAGE.read_text(encoding="utf-8")
    assert permissions.page().splitlines() == reviewed.splitlines(), (
        "python -m tests.architecture.permissions --write, and review what changed"
    )


def test_a_permission_is_shown_with_its_words_roles_conditions_and_fields() -> None:
    row = next(line for line in permissions.page([PLANTED]).splitlines() if line.startswith("| `planted.view` | See"))
    assert row == (
        "| `planted.view` | See \\| what is planted | Auditor or data protection officer"
        " | The officer who is named on the case (`is_named_officer`) | `planted_on` |"
    )


def test_a_role_that_gains_a_permission_changes_the_page() -> None:
    permission = PLANTED.permissions[0]
    wider = Permission(permission.name, permission.words, permission.roles | {Role.PARTNER})
    assert permissions.page([Capability("planted", "A made-up capability.", permissions=(wider,))]) != permissions.page([PLANTED])
