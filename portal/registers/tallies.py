"""Tallies and standings: what is counted from a sheet and kept beside it, so that lists and overviews never open a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from portal.loading import binary_rows
from portal.registers import sweep
from portal.registers.pages import CODE_BYTES, SESSIONS, count_by_line, session_days
from portal.registers.sheets import met_in, school_age, week_places, within
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


def tally_rows(sheet: Sheet, weeks: Sequence[date]) -> Iterator[tuple[object, ...]]:
    """The tally rows of these weeks of a sheet, in the order of `TALLY_COLUMNS`: headline, everyone, and each year group."""
    groups = np.array([one or "" for one in sheet.roll.year_group], dtype=object)
    lines_of = [(group, np.flatnonzero(groups == group)) for group in sorted(set(groups.tolist()) - {""})]
    place_of = {week: place * SESSIONS for place, week in enumerate(sheet.weeks)}
    for week in weeks:
        columns = slice(place_of[week], place_of[week] + SESSIONS)
        marks = sheet.counted[:, columns]
        yield _row(sheet, week, HEADLINE, "", sheet.headline_marks[:, columns])
        yield _row(sheet, week, EVERYONE, "", marks)
        for group, lines in lines_of:
            yield _row(sheet, week, YEAR_GROUP, group, marks[lines])


def _row(sheet: Sheet, week: date, dimension: str, value: str, marks: Marks) -> tuple[object, ...]:
    by_code = np.bincount(marks.ravel(), minlength=256)[CODE_BYTES]
    by_class = np.bincount(_CLASS, weights=by_code, minlength=8).astype(int)
    classes = marks >> 5
    enrolments = int(((classes >= int(Category.PRESENT)) & (classes <= int(Category.UNAUTHORISED))).any(axis=1).sum())
    sums = [
        int(by_class[category]) for category in (Category.PRESENT, Category.APPROVED, Category.AUTHORISED, Category.UNAUTHORISED)
    ]
    late = [int(by_code[_LATE_BEFORE]), int(by_code[_LATE_AFTER])]
    return (sheet.school_id, week, dimension, value, enrolments, sum(sums), *sums, *late, by_code.astype(int).tolist())


STANDING_KEYS = ("school_id", "academic_year", "line")


def standing_rows(sheet: Sheet, tail: Marks, tail_weeks: Sequence[date]) -> tuple[tuple[str, ...], bytes]:
    """Every line's standing as the body of a binary COPY, with its columns.

    `tail` holds the last nine school weeks of the year before on this year's lines: ten school weeks may span a summer.
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
    sums = sweep.sums_by_line(sheet.counted)
    counted_possible, counted_absent = _headline(sheet, sums)
    used = np.logical_or.reduce(sheet.counted, axis=0)
    lately, last = (sweep.sums_by_line(sheet.counted[:, _newest_weeks(sheet, used, number)]) for number in (sweep.RECENT_WEEKS, 1))
    missing = count_by_line(sheet.met & _reported(used) & sheet.on_roll & (sheet.marks == 0))
    runs = sweep.spells(sheet.counted)
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
        "headline_possible": counted_possible,
        "headline_absent": counted_absent,
    }


def _headline(sheet: Sheet, sums: sweep.Sums) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Possible and missed sessions that count in headline figures: all of a line's or none, but for Year 11 in summer."""
    possible, absent = np.where(sheet.headline, sums.possible, 0), np.where(sheet.headline, sums.absent, 0)
    cut = np.flatnonzero(sheet.headline & ~sheet.headline_cells.all(axis=1))
    if cut.size:
        own = sweep.sums_by_line(sheet.headline_marks[cut])
        possible[cut], absent[cut] = own.possible, own.absent
    return possible, absent


def _newest_weeks(sheet: Sheet, used: NDArray[np.bool_], number: int) -> NDArray[np.bool_]:
    """Columns of so many school weeks, the last being the newest with a mark in it. A week without a page is one of them."""
    newest = int(sheet.week_numbers[used].max(initial=-1))
    return (sheet.week_numbers > newest - number) & (sheet.week_numbers >= 0) & (sheet.week_numbers <= newest)


def _reported(used: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Columns up to the newest session anyone has a mark for: later ones are not missing yet."""
    last = int(np.flatnonzero(used)[-1]) if used.any() else -1
    return np.arange(used.size) <= last


def _threshold(sheet: Sheet, tail: Marks, tail_weeks: Sequence[date]) -> sweep.Threshold:
    """The threshold over the tail and the year: on the calendar's own weeks, at compulsory school age, a pupil's lines together."""
    whole = np.concatenate([tail, sheet.counted], axis=1)
    for pupil in sheet.roll.on_roll_twice:
        mine = [line for line, one in enumerate(sheet.roll.pupil_ids) if one == pupil]
        whole[mine] = whole[mine].max(axis=0)
    tail_numbers = week_places(sheet.calendar, tail_weeks, met_in(sheet.calendar, tail_weeks))
    days = np.concatenate([session_days(tail_weeks), sheet.days])
    of_age = within(days, *school_age(sheet.roll.date_of_birth))
    return sweep.threshold(whole, np.concatenate([tail_numbers, sheet.week_numbers]), of_age)


def completeness(sheet: Sheet) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each week: marks expected up to the newest session reported, and how many of them are missing."""
    used = np.logical_or.reduce(sheet.counted, axis=0)
    due = sheet.on_roll & (sheet.met & _reported(used))[None, :]
    per_week = (len(sheet.marks), len(sheet.weeks), SESSIONS)
    expected = due.reshape(per_week).sum(axis=(0, 2))
    missing = (due & (sheet.marks == 0)).reshape(per_week).sum(axis=(0, 2))
    return expected, missing
