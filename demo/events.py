"""What demo records in the audit: each event with its sentence and the facts it carries."""

from __future__ import annotations

from portal.audit.events import event

MADE = event("demonstration.made", "A demonstration authority was made", "schools", "pupils")
AUTHORITY_WRITTEN = event("demonstration.founded", "A demonstration's schools and term dates were written", "schools")
PUPILS_WRITTEN = event("demonstration.enrolled", "A demonstration's pupils were written", "pupils")
