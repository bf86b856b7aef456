"""What schools records in the audit: each event with its sentence and the facts it carries."""

from __future__ import annotations

from portal.audit.events import event

IMPORTED = event("schools.imported", "A list of schools was imported", "added", "changed", "unchanged", "elsewhere", "not_schools")
ADDED = event("school.added", "A school was added", "urn")
CHANGED = event("school.changed", "A school was changed", "fields")
DATES_IMPORTED = event("term_dates.imported", "Term dates were imported", "years", "terms", "closed", "removed")
TERM_ADDED = event("term.added", "A term was added", "school", "first_day", "last_day")
TERM_REMOVED = event("term.removed", "A term was removed", "school", "first_day", "last_day")
CLOSED_ADDED = event("closed_days.added", "Closed days were added", "school", "first_day", "last_day", "session")
CLOSED_REMOVED = event("closed_days.removed", "Closed days were removed", "school", "first_day", "last_day", "session")
