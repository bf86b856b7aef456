"""The lifecycle of an upload: from received to applied or reverted, or cancelled, or rejected."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.platform.clock import LONDON
from portal.platform.lifecycle import Lifecycle, Owner, State, Step

if TYPE_CHECKING:
    from datetime import date, datetime
    from typing import Protocol

    class ReceivedUpload(Protocol):
        """What the dates need of an upload."""

        received_at: datetime


class UploadState(StrEnum):
    """Where an upload is in its life."""

    RECEIVED = "received"
    NEEDS_MAPPING = "needs-mapping"
    PREVIEWED = "previewed"
    APPLYING = "applying"
    APPLIED = "applied"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    REVERTED = "reverted"


class UploadStep(StrEnum):
    """What can be done with an upload."""

    PREVIEW = "preview"
    ASK_FOR_MAPPING = "ask for mapping"
    MAP = "map"
    REQUEST_APPLY = "request apply"
    APPLY = "apply"
    REJECT = "reject"
    CANCEL = "cancel"
    REVERT = "revert"


#: A school that sends a file each week has then decided on the last one before it sends the next.
DECIDE_WITHIN = timedelta(days=7)
AT_ONCE = "The portal does it as soon as a worker is free."
ONLY_MARKS_REVERTED = "This file was applied. Only a file of marks can be undone."


def _decision_day(upload: ReceivedUpload) -> date:
    return upload.received_at.astimezone(LONDON).date() + DECIDE_WITHIN


UPLOAD = Lifecycle(
    name="upload",
    initial=(UploadState.RECEIVED,),
    states=(
        State(
            UploadState.RECEIVED,
            "Being checked",
            "blue",
            owner=Owner.PORTAL,
            undated=AT_ONCE,
            refusal="This file is still being checked. Wait until the check has finished.",
        ),
        State(
            UploadState.NEEDS_MAPPING,
            "Match your columns",
            "yellow",
            owner=Owner.SCHOOL,
            next_date=_decision_day,
            why_due="Match the columns of the file, or cancel the upload",
            refusal="Match the file's columns first.",
        ),
        State(
            UploadState.PREVIEWED,
            "Ready to apply",
            "yellow",
            owner=Owner.SCHOOL,
            next_date=_decision_day,
            why_due="Apply the file, or cancel the upload",
            refusal="This file was checked already. Apply it, or cancel the upload.",
        ),
        State(
            UploadState.APPLYING,
            "Being applied",
            "blue",
            owner=Owner.PORTAL,
            undated=AT_ONCE,
            refusal="This file is being applied.",
        ),
        State(UploadState.APPLIED, "Applied", "green", final=True, refusal="This file was already applied."),
        State(UploadState.REJECTED, "Could not be read", "red", final=True, refusal="This file could not be read. Send another."),
        State(
            UploadState.CANCELLED,
            "Cancelled",
            final=True,
            refusal="This upload was cancelled. Send the file again to use it.",
        ),
        State(UploadState.REVERTED, "Undone", final=True, refusal="This upload was undone. Send the file again to use it."),
    ),
    steps=(
        # A file that is applied at once, from the command line, is read again too: so each of these may leave from both.
        Step(
            UploadStep.ASK_FOR_MAPPING,
            "Ask what the columns mean",
            (UploadState.RECEIVED, UploadState.APPLYING),
            UploadState.NEEDS_MAPPING,
        ),
        Step(UploadStep.REJECT, "Reject", (UploadState.RECEIVED, UploadState.APPLYING), UploadState.REJECTED),
        Step(UploadStep.PREVIEW, "Check and preview", (UploadState.RECEIVED,), UploadState.PREVIEWED),
        Step(
            UploadStep.REQUEST_APPLY,
            "Apply",
            (UploadState.PREVIEWED,),
            UploadState.APPLYING,
            permission="uploads.apply",
            endpoint="uploads.apply",
        ),
        Step(
            UploadStep.MAP,
            "Match your columns",
            (UploadState.NEEDS_MAPPING, UploadState.PREVIEWED),
            UploadState.RECEIVED,
            permission="uploads.send",
            endpoint="uploads.columns",
            opens_page=True,
            look="secondary",
        ),
        Step(UploadStep.APPLY, "Write its rows", (UploadState.RECEIVED, UploadState.APPLYING), UploadState.APPLIED),
        Step(
            UploadStep.CANCEL,
            "Cancel this upload",
            (UploadState.RECEIVED, UploadState.NEEDS_MAPPING, UploadState.PREVIEWED),
            UploadState.CANCELLED,
            permission="uploads.send",
            endpoint="uploads.withdraw",
            look="secondary",
        ),
        Step(
            UploadStep.REVERT,
            "Undo this upload",
            (UploadState.APPLIED,),
            UploadState.REVERTED,
            permission="uploads.undo",
            endpoint="uploads.undo",
            opens_page=True,
            look="warning",
        ),
    ),
)
