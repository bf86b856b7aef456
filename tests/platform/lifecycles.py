"""Every lifecycle, with what the tests need of each; and `docs/lifecycles.md`, written from them.

`python -m tests.platform.lifecycles --write` writes the page. A new lifecycle is one more line of CASES.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from portal.accounts.actions import invitations
from portal.accounts.domain.lifecycle import INVITATION, InvitationState, InvitationStep
from portal.accounts.models import Invitation
from portal.db.work import tx
from portal.platform import clock
from portal.platform.lifecycle import diagrams
from portal.security import scope
from portal.security.permissions import Role
from portal.uploads import actions as uploads
from portal.uploads.domain.lifecycle import UPLOAD, UploadState, UploadStep
from portal.uploads.models import Upload
from tests.support.world import NOW, write_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import StrEnum

    from portal.platform.lifecycle import Lifecycle
    from tests.support.world import World

PAGE = Path(__file__).parents[2] / "docs" / "lifecycles.md"


@dataclass(frozen=True)
class Case:
    """A lifecycle, its enums and table, and how a person's steps are taken.

    `make` stores a thing in a state. `actions` take each step that a person may take, given the thing's id. `asked_again`
    are the steps that do nothing, rather than refuse, in these states: a button pressed twice is no mistake.
    """

    lifecycle: Lifecycle
    states: type[StrEnum]
    steps: type[StrEnum]
    table: str
    sample: object
    make: Callable[[World, str], UUID]
    actions: Mapping[str, Callable[[UUID], object]]
    asked_again: frozenset[tuple[str, str]] = frozenset()

    def __str__(self) -> str:
        """The name of the lifecycle, for the names of tests."""
        return self.lifecycle.name


def _upload(world: World, state: str) -> UUID:
    """An upload in a state, with what the table demands of one."""
    upload_id, was_applied = uuid4(), state in {UploadState.APPLIED, UploadState.REVERTED}
    row = Upload(
        id=upload_id,
        school_id=world.authority.primary,
        kind="marks",
        state=state,
        file_name="week.csv",
        sha256=str(upload_id),
        size=1,
        received_at=clock.now(),
        applied_at=clock.now() if was_applied else None,
        reverted_at=clock.now() if state == UploadState.REVERTED else None,
    )
    write_rows(lambda: tx().add(row))
    return upload_id


def _invitation(_world: World, state: str) -> UUID:
    """An invitation in a state, with what the table demands of one."""
    invitation_id = uuid4()
    row = Invitation(
        id=invitation_id,
        authority_id=scope.current().authority_id,
        state=state,
        email="new@example.org",
        name="New Person",
        role=Role.LA_OFFICER,
        token_hash=invitation_id.hex,
        created_at=clock.now(),
        expires_at=clock.now() + invitations.INVITATION_LIFETIME,
        accepted_at=clock.now() if state == InvitationState.ACCEPTED else None,
        withdrawn_at=clock.now() if state == InvitationState.WITHDRAWN else None,
    )
    write_rows(lambda: tx().add(row))
    return invitation_id


CASES = (
    Case(
        UPLOAD,
        UploadState,
        UploadStep,
        "upload",
        SimpleNamespace(received_at=NOW),
        _upload,
        {
            UploadStep.MAP: lambda upload_id: uploads.set_column_mapping(upload_id, {}),
            UploadStep.REQUEST_APPLY: uploads.request_apply,
            UploadStep.CANCEL: uploads.cancel,
            UploadStep.REVERT: lambda upload_id: uploads.revert(upload_id, "Sent for the wrong school."),
        },
        frozenset({(UploadStep.REQUEST_APPLY, UploadState.APPLYING), (UploadStep.REQUEST_APPLY, UploadState.APPLIED)}),
    ),
    Case(
        INVITATION,
        InvitationState,
        InvitationStep,
        "invitation",
        SimpleNamespace(expires_at=NOW),
        _invitation,
        {InvitationStep.WITHDRAW: invitations.withdraw_invitation},
    ),
)


def page() -> str:
    """The page of all lifecycles."""
    return diagrams(case.lifecycle for case in CASES)


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())
