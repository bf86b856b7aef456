"""What registers records in the audit: each event with its sentence and the facts it carries."""

from __future__ import annotations

from portal.audit.events import event

WRITTEN = event("register.written", "Marks were written to the register", "upload_id", "weeks", "cells")
REVERTED = event("register.taken_back", "An upload's marks were undone", "upload_id", "weeks", "cells")
NOTED = event("register.noted", "Minutes late or comments were stored", "upload_id", "notes")
RECOUNTED = event("register.recounted", "Totals recalculated", "academic_year")
OPENED = event("register.opened", "A pupil's attendance record was read", "academic_year", "as_at", "form")
