"""Tallies and standings: what is counted from a sheet and kept beside it, so that lists and overviews never open a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from portal.db import binary_rows
from portal.registers import sweep
from portal.registers.pages import CODE_BYTES, SESSIONS
from portal.rules.codes import BY_BYTE, Category

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from portal.registers.pages import Marks
    from portal.registers.sheets import Sheet

HEADLINE, EVERYONE, YEAR_GROUP = "headline", "everyone", "year group"

TALLY_COLUMNS = (
    "school_id",
    "week",
    "dimension",
    "value",
    "enrolments",
    "possible",
    "present",
    "approved",
    "authorised",
    "unauthorised",
    "late_before",
    "late_after",
    "by_code",
)

_CLASS = np.array([int(BY_BYTE[int(byte)].category) for byte in CODE_BYTES])
_LATE_BEFORE = int(np.flatnonzero(CODE_BYTES == sweep.LATE_BEFORE)[0])
_LATE_AFTER = int(np.flatnonzero(CODE_BYTES == sweep.LATE_AFTER)[0])


def week_tallies(sheet: Sheet, week: date) -> Iterator[tuple[object, ...]]:
    """The tally rows of one week, in the order of `TALLY_COLUMNS`. Cohorts without a pupil are left out."""
    place = sheet.weeks.index(week) * SESSIONS
    marks = sheet.marks[:, place : place + SESSIONS]
    counted = sheet.headline_cells[:, place : place + SESSIONS]
    yield _row(sheet, week, HEADLINE, "", np.where(counted, marks, 0))
    yield _row(sheet, week, EVERYONE, "", marks)
    groups = sheet.roll.year_group[: len(marks)]
    for group in sorted({one for one in groups if one}):
        chosen = np.array([one == group for one in groups], dtype=bool)
        yield _row(sheet, week, YEAR_GROUP, group, marks[chosen])


def _row(sheet: Sheet, week: date, dimension: str, value: str, marks: Marks) -> tuple[object, ...]:
    by_code = np.bincount(marks.ravel(), minlength=256)[CODE_BYTES]
    by_class = np.bincount(_CLASS, weights=by_code, minlength=8).astype(int)
    classes = marks >> 5
    enrolments = int(((classes >= int(Category.PRESENT)) & (classes <= int(Category.UNAUTHORISED))).any(axis=1).sum())
    sums = [int(by_class[category]) for category in (Category.PRESENT, Category.APPROVED, Category.AUTHORISED, Category.UNAUTHORISED)]
    late = [int(by_code[_LATE_BEFORE]), int(by_code[_LATE_AFTER])]
    return (sheet.school_id, week, dimension, value, enrolments, sum(sums), *sums, *late, by_code.astype(int).tolist())


STANDING_KEYS = ("school_id", "academic_year", "line")


def standing_rows(sheet: Sheet, tail: Marks, tail_weeks: Sequence[date]) -> tuple[tuple[str, ...], bytes]:
    """Every line's standing as the body of a binary COPY, with its columns.

    `tail` holds the last weeks of the year before on this year's lines, so that ten school weeks may span a summer.
    """
    values = standings(sheet, tail, tail_weeks)
    lines = len(sheet.marks)
    columns: dict[str, NDArray[Any]] = {
        "school_id": np.full(lines, np.void(sheet.school_id.bytes)),
        "academic_year": np.full(lines, sheet.academic_year, dtype=np.int16),
        "line": np.arange(1, lines + 1, dtype=np.int16),
        "pupil_id": np.array([np.void(one.bytes) for one in sheet.roll.pupil_ids], dtype="V16"),
        **{name: counts.astype(np.int16) for name, counts in values.items()},
    }
    return tuple(columns), binary_rows(columns)


def standings(sheet: Sheet, tail: Marks, tail_weeks: Sequence[date]) -> dict[str, NDArray[np.int64]]:
    """Each standing as an array over lines: counts of sessions in the academic year."""
    sums = sweep.sums_by_line(sheet.marks)
    counted = sweep.sums_by_line(np.where(sheet.headline_cells, sheet.marks, 0))
    used = sheet.met & sheet.marks.any(axis=0)
    recent = _newest_weeks(sheet, used, sweep.RECENT_WEEKS)
    lately, last = sweep.sums_by_line(sheet.marks[:, recent]), sweep.sums_by_line(sheet.marks[:, _newest_weeks(sheet, used, 1)])
    missing = (sheet.met & _reported(used) & sheet.on_roll & (sheet.marks == 0)).sum(axis=1)
    runs = sweep.spells(sheet.marks)
    ten = _threshold(sheet, tail, tail_weeks)
    return {
        "possible": sums.possible,
        "present": sums.present,
        "approved": sums.approved,
        "authorised": sums.authorised,
        "unauthorised": sums.unauthorised,
        "late_before": sums.late_before,
        "late_after": sums.late_after,
        "missing": missing,
        "unexplained": sums.unexplained,
        "spells": runs.number,
        "longest_spell": runs.longest,
        "recent_possible": lately.possible,
        "recent_absent": lately.absent,
        "last_week_possible": last.possible,
        "last_week_absent": last.absent,
        "threshold_window": ten.newest,
        "threshold_best": ten.best,
        "headline_possible": counted.possible,
        "headline_absent": counted.absent,
    }


def _newest_weeks(sheet: Sheet, used: NDArray[np.bool_], number: int) -> NDArray[np.bool_]:
    """Columns of the newest `number` school weeks with a mark in them."""
    weeks = used.reshape(-1, SESSIONS).any(axis=1)
    newest = np.flatnonzero(weeks)[-number:]
    return np.repeat(np.isin(np.arange(len(sheet.weeks)), newest), SESSIONS)


def _reported(used: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Columns up to the newest session anyone has a mark for: later ones are not missing yet."""
    last = int(np.flatnonzero(used)[-1]) if used.any() else -1
    return np.arange(used.size) <= last


def _threshold(sheet: Sheet, tail: Marks, tail_weeks: Sequence[date]) -> sweep.Threshold:
    whole = np.concatenate([tail, sheet.marks], axis=1)
    met = np.concatenate([tail.any(axis=0), sheet.met])
    weeks = met.reshape(-1, SESSIONS).any(axis=1)
    place = np.where(weeks, np.cumsum(weeks) - 1, -1)
    return sweep.threshold(whole, np.where(met, np.repeat(place, SESSIONS), -1))


def completeness(sheet: Sheet) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each week: marks expected up to the newest session reported, and how many of them are missing."""
    used = sheet.met & sheet.marks.any(axis=0)
    due = sheet.on_roll & (sheet.met & _reported(used))[None, :]
    per_week = (len(sheet.marks), len(sheet.weeks), SESSIONS)
    expected = due.reshape(per_week).sum(axis=(0, 2))
    missing = (due & (sheet.marks == 0)).reshape(per_week).sum(axis=(0, 2))
    return expected, missing
