"""Marks in an upload: checks of a file of marks, and what applying it would change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portal.registers.domain.pages import merged
from portal.registers.domain.year_register import with_weeks
from portal.registers.queries import current_pages, year_register
from portal.rules.calendar import register_year
from portal.uploads import queries
from portal.uploads.domain.checks import check_marks
from portal.uploads.domain.preview import completed_weeks, marks_preview
from portal.uploads.domain.preview_lists import lists_of_marks
from portal.uploads.domain.previews import EarlierUpload

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from portal.registers.domain.pages import Page
    from portal.uploads.domain.checks import SchoolContext
    from portal.uploads.domain.kinds import CheckedMarks
    from portal.uploads.domain.preview_lists import PreviewLists
    from portal.uploads.domain.previews import MarksPreview
    from portal.uploads.domain.reading.result import Reading
    from portal.uploads.models import Upload


def check_file_of_marks(upload: Upload, reading: Reading, school: SchoolContext) -> tuple[CheckedMarks, MarksPreview, PreviewLists]:
    """Check a file of marks: what it would change, and which weeks it would complete."""
    checked = check_marks(reading, school)
    current = current_pages(upload.school_id, sorted(checked.pages))
    stored = {week: page.marks for week, page in current.items()}
    earlier = queries.same_bytes_before(upload)
    preview = replace(
        marks_preview(checked, stored),
        complete_weeks=tuple(_complete_weeks(upload, checked, school, current)),
        title_rows_skipped=reading.title_rows_skipped,
        totals_rows_skipped=reading.totals_rows_skipped,
        hidden_sheets=reading.hidden_sheets,
        same_as=EarlierUpload(earlier.id, earlier.received_at) if earlier else None,
    )
    return checked, preview, lists_of_marks(reading, checked, stored)


def _complete_weeks(upload: Upload, checked: CheckedMarks, school: SchoolContext, current: Mapping[date, Page]) -> list[date]:
    """The weeks that have gaps now, and would have every expected mark."""
    complete: list[date] = []
    for academic_year in sorted({register_year(week) for week in checked.pages}):
        after = {
            week: merged(current[week].marks if week in current else marks[:0], marks)
            for week, marks in checked.pages.items()
            if register_year(week) == academic_year
        }
        year = school.years[academic_year]
        before = year_register(upload.school_id, academic_year, preloaded=(year.roll, year.calendar))
        complete += completed_weeks(before, with_weeks(before, after))
    return complete
