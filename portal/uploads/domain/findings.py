"""Findings in a file: rejections and warnings, grouped over rows, each with what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from portal.rules.calendar import academic_year, academic_year_name
from portal.rules.date_words import date_in_words
from portal.tabular.cells import column_letters
from portal.uploads.domain.rejection_reasons import (
    ABOUT_CODE,
    ABOUT_DAY,
    ABOUT_FILE,
    ABOUT_MARKS,
    ABOUT_PUPIL,
    ABOUT_YEAR,
    NUMBER,
    SLUGS,
    sentence_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from portal.uploads.domain.reading.result import Reading, ReadingProblem


@dataclass(frozen=True, slots=True)
class Finding:
    """A rejection or a warning, grouped over rows."""

    kind: str
    rejected: bool
    sheet: str | None
    column: str | None
    rows: str
    value: str | None
    sentence: str
    count: int


def reading_findings(reading: Reading) -> list[Finding]:
    """The problems met while reading, grouped. They are rejections if marks were lost, otherwise warnings."""
    groups: dict[tuple[str, int, str | None, str, bool], list[ReadingProblem]] = {}
    for problem in reading.problems:
        key = (problem.kind, problem.sheet, problem.column, problem.sentence, problem.count > 0)
        groups.setdefault(key, []).append(problem)
    findings = []
    for (kind, sheet, column, message, is_rejected), problems in groups.items():
        rows = row_ranges(np.array([problem.row or 0 for problem in problems]))
        count = sum(problem.count for problem in problems) or len(problems)
        sheet_name = _sheet_name(reading, sheet)
        findings.append(Finding(kind, is_rejected, sheet_name, column, rows, problems[-1].value, message, count))
    return findings


def rejection_findings(reading: Reading, reason: NDArray[np.uint8]) -> list[Finding]:
    """The marks rejected by the checks: one finding for each reason, sheet, column and value."""
    rejected = np.flatnonzero(reason)
    if not rejected.size:
        return []

    def is_about(slugs: Sequence[str]) -> NDArray[np.bool_]:
        return np.isin(reason, [NUMBER[slug] for slug in slugs])

    # What each mark's sentence names: the index of its code, date or pupil, or an academic year, depending on the reason.
    about = np.where(is_about(ABOUT_CODE), reading.code.astype(np.int64), 0)
    about = np.where(is_about((*ABOUT_DAY, *ABOUT_MARKS)), reading.day.astype(np.int64), about)
    about = np.where(is_about(ABOUT_PUPIL), reading.pupil.astype(np.int64), about)
    years = np.array([academic_year(on) for on in reading.dates], dtype=np.int64)
    about = np.where(is_about(ABOUT_YEAR), years[reading.day], about)
    column = np.where(is_about((*ABOUT_YEAR, *ABOUT_FILE, *ABOUT_MARKS)), 0, reading.column)
    # Combine the four parts of the key into one number, so that a whole file is grouped without a loop over its marks.
    key_parts = [part[rejected].astype(np.int64) for part in (reason, reading.sheet, column, about)]
    sizes = [int(part.max()) + 1 for part in key_parts]
    distinct, group = np.unique(np.ravel_multi_index(key_parts, sizes), return_inverse=True)
    order = np.argsort(group, kind="stable")
    bounds = np.flatnonzero(np.diff(group[order])) + 1
    marks_by_group = np.split(rejected[order], bounds)
    keys = np.stack(np.unravel_index(distinct, sizes), axis=1)
    return [_finding(reading, key, marks) for key, marks in zip(keys, marks_by_group, strict=True)]


def _finding(reading: Reading, key: NDArray[np.int64], marks: NDArray[np.intp]) -> Finding:
    slug = SLUGS[int(key[0]) - 1]
    about = int(key[3])
    if slug in ABOUT_CODE:
        value: str | None = reading.codes[about]
    elif slug in ABOUT_YEAR:
        value = academic_year_name(about)
    elif slug in ABOUT_DAY:
        value = date_in_words(reading.dates[about])
    elif slug in ABOUT_MARKS:
        codes = [reading.codes[code] for code in dict.fromkeys(reading.code[marks].tolist())]
        value = f"{date_in_words(reading.dates[about])}: {_several(codes)}"
    elif slug == "wrong-school":
        value = reading.pupils[about].school_number
    elif slug in ABOUT_PUPIL:
        value = reading.pupils[about].upn
    else:
        value = None
    columns = np.unique(reading.column[marks]).tolist() if slug in ABOUT_MARKS else [int(key[2])]
    column = _several([column_letters(number) for number in columns if number > 0]) or None
    sentence = sentence_of(slug, value)
    return Finding(
        slug, True, _sheet_name(reading, int(key[1])), column, row_ranges(reading.row[marks]), value, sentence, int(marks.size)
    )


def _several(words: Sequence[str], max_words: int = 5) -> str:
    """A few short words in a row: "C", "C and D", "C, D and 4 more"."""
    parts = [*words[:max_words], f"{len(words) - max_words} more"] if len(words) > max_words else list(words)
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def _sheet_name(reading: Reading, number: int) -> str | None:
    names: Sequence[str] = reading.sheets_read
    return names[number] if len(names) > 1 and 0 <= number < len(names) else None


def row_ranges(rows: NDArray[np.int64] | NDArray[np.int32], max_ranges: int = 12) -> str:
    """Row numbers in words: "12", "12 and 40 to 58", "1, 3, 5 and 200 more"."""
    distinct = np.unique(rows)
    starts = np.flatnonzero(np.concatenate(([True], np.diff(distinct) != 1)))
    ends = np.append(starts[1:], distinct.size) - 1
    ranges = [
        f"{distinct[start]}" if start == end else f"{distinct[start]} to {distinct[end]}"
        for start, end in zip(starts[:max_ranges], ends[:max_ranges], strict=True)
    ]
    remaining = int(distinct.size - (ends[min(max_ranges, len(ends)) - 1] + 1)) if distinct.size else 0
    if remaining:
        return f"{', '.join(ranges)} and {remaining} more"
    return f"{', '.join(ranges[:-1])} and {ranges[-1]}" if len(ranges) > 1 else "".join(ranges)
