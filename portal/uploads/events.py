"""What uploads records in the audit: each event with its sentence and the facts it carries."""

from __future__ import annotations

from portal.audit.events import event

RECEIVED = event("upload.received", "A file was received", "school_id", "kind", "sha256", "size")
CHECKED = event("upload.checked", "A file was read and its changes previewed", "rows_in", "rows_refused")
REJECTED = event("upload.refused", "A file could not be read", "reason")
MAPPED = event("upload.mapped", "Someone matched the columns of a file", "columns")
APPLY_REQUESTED = event("upload.apply_asked", "Someone asked for a file to be applied")
APPLIED = event("upload.applied", "A file was applied", "rows_in", "rows_stored", "rows_refused")
CANCELLED = event("upload.withdrawn", "An upload was cancelled before it was applied")
LOCAL_CODE_SET = event("upload.own_mark", "A school matched a code of its own to a national code", "mark", "letters")
REVERTED = event("upload.undone", "An upload was undone", "weeks")
CHANGES_READ = event("upload.changes_read", "The pupils whom a file changes, or leaves out, were listed", "part")
