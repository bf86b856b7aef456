"""What dashboards records in the audit: each event with its sentence and the facts it carries."""

from __future__ import annotations

from portal.audit.events import event

LISTED = event("pupils.listed", "A school's pupils and the sessions they missed were listed", "academic_year", "year_group")
