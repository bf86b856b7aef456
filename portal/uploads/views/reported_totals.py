"""Totals that a file reports. They are stored to compare with the registers, never turned into marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from portal.db.bulk import insert_many
from portal.platform import clock
from portal.pupils.queries import roll
from portal.rules.calendar import academic_year
from portal.uploads.domain.findings import Finding, reading_findings, row_ranges
from portal.uploads.domain.kinds import CheckedTotals
from portal.uploads.domain.previews import TotalsPreview
from portal.uploads.domain.rejection_reasons import sentence_of
from portal.uploads.queries import numbers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from portal.uploads.domain.reading.result import Reading
    from portal.uploads.models import Upload

COUNTED = ("possible", "absent", "authorised", "unauthorised", "attended")
_COLUMNS = ("id", "upload_id", "school_id", "pupil_id", "span", *COUNTED)


def check_totals(school_id: UUID, reading: Reading) -> tuple[CheckedTotals, TotalsPreview]:
    """Sort out the totals that would be stored. Rows of other schools, in an authority's file, are rejected."""
    rows_by_school: dict[str, list[int]] = {}
    own_totals, totals_of_others = _split_by_school(school_id, reading)
    for total in totals_of_others:
        rows_by_school.setdefault(str(total["school_number"]), []).append(int(total["row"]))
    unread = sum(problem.count for problem in reading.problems)
    other_schools = sum(map(len, rows_by_school.values()))
    findings = reading_findings(reading)
    for school, rows in rows_by_school.items():
        sentence = sentence_of("wrong-school", school)
        findings.append(Finding("wrong-school", True, None, None, row_ranges(np.array(rows)), school, sentence, len(rows)))
    checked = CheckedTotals(
        rows_in=len(reading.totals) + unread, rows_rejected=other_schools + unread, findings=findings, totals=own_totals
    )
    return checked, TotalsPreview(checked.rows_stored)


def store_totals(upload: Upload, totals: Sequence[Mapping[str, Any]]) -> None:
    """Store the totals of the school's pupils. Those of a pupil who is not on the roll are stored without the pupil."""
    current_roll = roll(upload.school_id, academic_year(clock.today()))
    rows = []
    for total in totals:
        line = current_roll.index_by_upn.get(str(total.get("upn") or ""))
        pupil_id = None if line is None else current_roll.pupil_ids[line]
        counts = (total.get(name) for name in COUNTED)
        rows.append((uuid4(), upload.id, upload.school_id, pupil_id, str(total.get("span") or ""), *counts))
    if rows:
        insert_many("reported_total", _COLUMNS, rows)


def _split_by_school(school_id: UUID, reading: Reading) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """The totals of this school (or that name no school), and those of other schools."""
    numbers = numbers_of(school_id)
    this_school: list[Mapping[str, Any]] = []
    other_schools: list[Mapping[str, Any]] = []
    for total in reading.totals:
        number = "".join(character for character in str(total.get("school_number") or "") if character.isalnum())
        (other_schools if number and number not in numbers else this_school).append(total)
    return this_school, other_schools
