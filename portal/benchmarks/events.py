"""What benchmarks records in the audit: each event with its sentence and the facts it carries."""

from __future__ import annotations

from portal.audit.events import event

RELEASE_LOADED = event(
    "benchmarks.release_loaded",
    "Published figures were loaded",
    "series",
    "published_on",
    "sha256",
    "figures",
    "left_out",
)
