"""Totals a file reports: kept beside the registers to reconcile against, never turned into marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from portal import clock
from portal.loading import load
from portal.pupils.queries import roll
from portal.rules.calendar import academic_year
from portal.uploads.checks import Checked
from portal.uploads.findings import Finding, read_findings, row_ranges
from portal.uploads.queries import numbers_of
from portal.uploads.reasons import REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from portal.uploads.models import Upload
    from portal.uploads.reading import Reading

COUNTED = ("possible", "absent", "authorised", "unauthorised", "attended")
_COLUMNS = ("id", "upload_id", "school_id", "pupil_id", "span", *COUNTED)


def totals_checked(school_id: UUID, reading: Reading) -> Checked:
    """How many totals would be kept: a file of a whole authority has other schools' rows, which are refused."""
    others: dict[str, list[int]] = {}
    for told in _parted(school_id, reading)[1]:
        others.setdefault(str(told["school_number"]), []).append(int(told["row"]))
    unread = sum(problem.count for problem in reading.problems)
    lost = sum(map(len, others.values()))
    findings = read_findings(reading)
    for school, rows in others.items():
        sentence = REASONS["wrong-school"].format(value=school)
        findings.append(Finding("wrong-school", True, None, None, row_ranges(np.array(rows)), school, sentence, len(rows)))
    return Checked(rows_in=len(reading.totals) + unread, rows_refused=lost + unread, findings=findings)


def keep_totals(upload: Upload, reading: Reading) -> int:
    """Keep each of the school's pupils' reported totals; a pupil not on the roll keeps them without a name. Returns how many."""
    on_it = roll(upload.school_id, academic_year(clock.today()))
    rows = []
    for told in _parted(upload.school_id, reading)[0]:
        line = on_it.index_by_upn.get(str(told.get("upn") or ""))
        pupil = None if line is None else on_it.pupil_ids[line]
        rows.append(
            (uuid4(), upload.id, upload.school_id, pupil, str(told.get("span") or ""), *(told.get(name) for name in COUNTED))
        )
    if rows:
        load("reported_total", _COLUMNS, rows)
    return len(rows)


def _parted(school_id: UUID, reading: Reading) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """The totals of this school, or of none in particular; and those of others."""
    numbers = numbers_of(school_id)
    ours: list[Mapping[str, Any]] = []
    others: list[Mapping[str, Any]] = []
    for told in reading.totals:
        number = "".join(sign for sign in str(told.get("school_number") or "") if sign.isalnum())
        (others if number and number not in numbers else ours).append(told)
    return ours, others
