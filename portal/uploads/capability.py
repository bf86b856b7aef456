"""Uploads declare themselves: files from schools, from received to applied or reverted."""

from __future__ import annotations

from uuid import UUID

from portal.platform.capability import (
    NO_RULE,
    Capability,
    CommandGroup,
    Holding,
    Job,
    KeptAsSet,
    KeptWith,
    MainTask,
    NavigationItem,
    Path,
    Retention,
    Subject,
)
from portal.security.permissions import SCHOOL_STAFF, Permission, Role

_OVERSIGHT = frozenset({Role.LA_ADMINISTRATOR, Role.LA_MANAGER, Role.LA_OFFICER})
_SENDERS = _OVERSIGHT | frozenset({Role.SCHOOL_ADMINISTRATOR, Role.ATTENDANCE_LEAD, Role.SCHOOL_OFFICE})
_RECEIVED = MainTask("See which registers have been received", "uploads.board")
_BOARD_READERS = _OVERSIGHT | SCHOOL_STAFF | frozenset({Role.TRUST_LEAD})
_SEND = MainTask("Send a file", "uploads.new")

_IN_FILES = "A file names many pupils. What was taken from it stands under other headings; a person reads the rest."

UPLOADS = Capability(
    name="uploads",
    summary="Files from schools: read, checked, previewed, applied wholly or not at all, and reverted.",
    models="portal.uploads.models",
    blueprint="portal.uploads.routes.bp",
    events="portal.uploads.events",
    permissions=(
        Permission("uploads.view", "See files and what they changed", _OVERSIGHT | SCHOOL_STAFF),
        Permission("uploads.send", "Send files", _SENDERS),
        Permission("uploads.apply", "Apply and cancel files", _SENDERS),
        Permission(
            "uploads.undo",
            "Undo a file that was applied",
            frozenset({Role.LA_ADMINISTRATOR, Role.LA_MANAGER, Role.SCHOOL_ADMINISTRATOR, Role.ATTENDANCE_LEAD}),
        ),
        Permission(
            "uploads.board", "See which registers have been received", _OVERSIGHT | SCHOOL_STAFF | frozenset({Role.TRUST_LEAD})
        ),
    ),
    navigation=(
        NavigationItem(
            "Uploads",
            "uploads.index",
            ("uploads.view",),
            "Send registers and pupil lists, see what a file would change, apply it or undo it.",
            order=20,
        ),
        NavigationItem(
            "Registers received",
            "uploads.board",
            ("uploads.board",),
            "Which schools have sent their registers, up to which day, and which marks are missing.",
            order=30,
        ),
    ),
    main_tasks={
        Role.LA_ADMINISTRATOR: _RECEIVED,
        Role.LA_OFFICER: _RECEIVED,
        Role.SCHOOL_ADMINISTRATOR: _SEND,
        Role.SCHOOL_OFFICE: _SEND,
    },
    lifecycles=("portal.uploads.domain.lifecycle.UPLOAD",),
    jobs=(
        Job("uploads.check", "portal.uploads.actions.check", {"upload_id": UUID}),
        Job("uploads.apply", "portal.uploads.actions.apply", {"upload_id": UUID}),
    ),
    commands=(
        CommandGroup("pupils", "pupil lists", "portal.uploads.commands.pupils"),
        CommandGroup("marks", "attendance marks", "portal.uploads.commands.marks"),
    ),
    holdings=(
        Holding("upload", "Names of files, and what they would change", by_hand=_IN_FILES, also_about="The file's other pupils."),
        Holding("upload_content", "Files as they were sent", by_hand=_IN_FILES, also_about="The file's other pupils."),
        Holding("finding", "Problems in files", by_hand=_IN_FILES, also_about="The file's other pupils."),
        Holding("reported_total", "Totals in a census or weekly file", (Path(Subject.PUPIL, "pupil_id"),)),
    ),
    retention=(
        Retention("upload", KeptWith("register_page"), "It says where marks came from, and lets a file be undone."),
        Retention("upload_content", KeptAsSet("uploads.files", since="upload.received_at"), NO_RULE),
        Retention("finding", KeptWith("upload_content"), "It is of use only beside its file."),
        Retention("reported_total", KeptWith("upload"), "It is compared with the registers the upload belongs to."),
    ),
)
