"""Totals a file reports: kept beside the registers to reconcile against, never turned into marks."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from portal import clock
from portal.db import load
from portal.pupils.queries import roll
from portal.rules.calendar import academic_year

if TYPE_CHECKING:
    from portal.uploads.models import Upload
    from portal.uploads.reading import Reading

COUNTED = ("possible", "absent", "authorised", "unauthorised", "attended")
_COLUMNS = ("id", "upload_id", "school_id", "pupil_id", "span", *COUNTED)


def keep_totals(upload: Upload, reading: Reading) -> int:
    """Keep each pupil's reported totals; a pupil not on the roll keeps the totals without a name. Returns how many."""
    on_it = roll(upload.school_id, academic_year(clock.today()))
    rows = []
    for told in reading.totals:
        line = on_it.index_by_upn.get(str(told.get("upn") or ""))
        pupil = None if line is None else on_it.pupil_ids[line]
        rows.append(
            (uuid4(), upload.id, upload.school_id, pupil, str(told.get("span") or ""), *(told.get(name) for name in COUNTED))
        )
    if rows:
        load("reported_total", _COLUMNS, rows)
    return len(rows)
