"""What settings records in the audit: each event with its sentence and the facts it carries."""

from __future__ import annotations

from portal.audit.events import event

#: The reason is typed text, so it stands in the table and not here.
CHANGED = event("setting.changed", "A setting of the authority was changed", "setting", "value", "first_day")
