"""Findings: what was found in a file, grouped over rows, each with sheet, column, rows, value and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from portal.rules.calendar import academic_year, academic_year_name
from portal.uploads.reasons import ABOUT_CODE, ABOUT_DAY, ABOUT_FILE, ABOUT_PUPIL, ABOUT_YEAR, NUMBER, REASONS, SLUGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from portal.uploads.reading import Problem, Reading


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found, grouped over rows: refused, or only worth knowing."""

    kind: str
    refused: bool
    sheet: str | None
    column: str | None
    rows: str
    value: str | None
    sentence: str
    count: int


def read_findings(reading: Reading) -> list[Finding]:
    """What reading itself found, grouped as the checks' are: refused where marks are lost with it, otherwise only told."""
    groups: dict[tuple[str, int, str | None, str, bool], list[Problem]] = {}
    for one in reading.problems:
        column = column_letters(one.column) if one.column > 0 else one.column_name
        groups.setdefault((one.kind, one.sheet, column, one.message, one.count > 0), []).append(one)
    return [
        Finding(
            kind, refused, _sheet_name(reading, sheet), column, row_ranges(np.array([one.row for one in ones])),
            ones[-1].value, message, sum(one.count for one in ones) or len(ones),
        )
        for (kind, sheet, column, message, refused), ones in groups.items()
    ]  # fmt: skip


def refused_findings(reading: Reading, reason: NDArray[np.uint8]) -> list[Finding]:
    """The refusals of the checks, one finding for each reason, column and value."""
    refused = np.flatnonzero(reason)
    if not refused.size:
        return []

    def is_about(slugs: Sequence[str]) -> NDArray[np.bool_]:
        return np.isin(reason, [NUMBER[slug] for slug in slugs])

    about = np.where(is_about(ABOUT_CODE), reading.code.astype(np.int64), 0)
    about = np.where(is_about(ABOUT_DAY), reading.day.astype(np.int64), about)
    about = np.where(is_about(ABOUT_PUPIL), reading.pupil.astype(np.int64), about)
    years = np.array([academic_year(on) for on in reading.dates], dtype=np.int64)
    about = np.where(is_about(ABOUT_YEAR), years[reading.day], about)
    column = np.where(is_about((*ABOUT_YEAR, *ABOUT_FILE)), 0, reading.column)
    parts_of_key = (reason, reading.sheet, column, about)
    numbers = [one[refused].astype(np.int64) for one in parts_of_key]
    sizes = [int(one.max()) + 1 for one in numbers]
    distinct, group = np.unique(np.ravel_multi_index(numbers, sizes), return_inverse=True)
    order = np.argsort(group, kind="stable")
    bounds = np.flatnonzero(np.diff(group[order])) + 1
    parts = np.split(refused[order], bounds)
    keys = np.stack(np.unravel_index(distinct, sizes), axis=1)
    return [_finding(reading, key, part) for key, part in zip(keys, parts, strict=True)]


def _finding(reading: Reading, key: NDArray[np.int64], part: NDArray[np.intp]) -> Finding:
    slug = SLUGS[int(key[0]) - 1]
    about = int(key[3])
    if slug in ABOUT_CODE:
        value: str | None = reading.codes[about]
    elif slug in ABOUT_YEAR:
        value = academic_year_name(about)
    elif slug in ABOUT_DAY:
        value = f"{reading.dates[about]:%-d %B %Y}"
    elif slug == "wrong-school":
        value = reading.pupils[about].school_number
    elif slug in ABOUT_PUPIL:
        value = reading.pupils[about].upn
    else:
        value = None
    column = column_letters(int(key[2])) if key[2] > 0 else None
    sentence = REASONS[slug].format(value=value)
    return Finding(
        slug, True, _sheet_name(reading, int(key[1])), column, row_ranges(reading.row[part]), value, sentence, int(part.size)
    )


def _sheet_name(reading: Reading, number: int) -> str | None:
    names: Sequence[str] = reading.sheets_read
    return names[number] if len(names) > 1 and 0 <= number < len(names) else None


def column_letters(number: int) -> str:
    """A column's letters as a spreadsheet shows them: 1 is A, 27 is AA."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def row_ranges(rows: NDArray[np.int64] | NDArray[np.int32], most: int = 12) -> str:
    """Row numbers in words: "12", "12 and 40 to 58", "1, 3, 5 and 200 more"."""
    distinct = np.unique(rows)
    starts = np.flatnonzero(np.concatenate(([True], np.diff(distinct) != 1)))
    ends = np.append(starts[1:], distinct.size) - 1
    parts = [
        f"{distinct[a]}" if a == b else f"{distinct[a]} to {distinct[b]}" for a, b in zip(starts[:most], ends[:most], strict=True)
    ]
    left = int(distinct.size - (ends[min(most, len(ends)) - 1] + 1)) if distinct.size else 0
    if left:
        return f"{', '.join(parts)} and {left} more"
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
