"""The rejected rows as a CSV in the long layout, to be corrected and sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from portal.rules.calendar import academic_year, academic_year_name
from portal.uploads.domain.rejection_reasons import ABOUT_DAY, ABOUT_YEAR, SLUGS, sentence_of
from portal.web.downloads import Cell, as_csv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from numpy.typing import NDArray

    from portal.uploads.domain.reading.result import Reading

COLUMNS = ("UPN", "Surname", "Forename", "Date", "Session", "Code", "Row", "What to do", "As sent")


def rejected_rows_csv(reading: Reading, reason: NDArray[np.uint8] | None = None) -> bytes:
    """The rejected marks, one on a line, by the reason of each. Rows that could not be read are included as sent."""
    return as_csv(COLUMNS, _lines(reading, np.zeros(0, dtype=np.uint8) if reason is None else reason))


def _lines(reading: Reading, reason: NDArray[np.uint8]) -> Iterator[tuple[Cell, ...]]:
    for index in np.flatnonzero(reason).tolist():
        pupil, day = reading.pupils[reading.pupil[index]], reading.dates[reading.day[index]]
        code = reading.codes[reading.code[index]]
        slug = SLUGS[reason[index] - 1]
        what_to_do = sentence_of(slug, _value(slug, code, day, pupil.school_number))
        half = ("AM", "PM")[reading.session[index]]
        yield (pupil.upn, pupil.surname, pupil.forename, f"{day:%d/%m/%Y}", half, code, int(reading.row[index]), what_to_do, "")
    for problem in (problem for problem in reading.problems if problem.count):
        raw = reading.rejected_rows.get((problem.sheet, problem.row or 0), ())
        yield ("", "", "", "", "", problem.value or "", problem.row or 0, problem.sentence, " | ".join(str(cell) for cell in raw))


def _value(slug: str, code: str, day: date, school: str | None) -> str | None:
    if slug in ABOUT_DAY:
        return f"{day:%d/%m/%Y}"
    if slug in ABOUT_YEAR:
        return academic_year_name(academic_year(day))
    return school if slug == "wrong-school" else code
