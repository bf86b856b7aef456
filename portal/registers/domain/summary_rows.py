"""Counting of summaries: a school's weeks and its pupils' years, from a year register.

They are stored beside the pages, so that lists and overviews never open a page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from portal.db.bulk import binary_rows
from portal.registers.domain import vectorised
from portal.registers.domain.pages import CODE_BYTES, SESSIONS, count_by_line, masked, session_days, used_columns
from portal.registers.domain.year_register import days_within, meets_in, ordinals, school_age, week_indices
from portal.rules.calendar import DAYS_IN_A_WEEK
from portal.rules.codes import CODES_BY_BYTE, Category
from portal.rules.patterns import RECENT_WEEKS
from portal.rules.policy import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from portal.registers.domain.pages import Marks
    from portal.registers.domain.year_register import YearRegister
    from portal.rules.policy import Policy

HEADLINE, EVERYONE, YEAR_GROUP = "headline", "everyone", "year group"

WEEK_SUMMARY_COLUMNS = (
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

_CLASSES = (Category.PRESENT, Category.APPROVED, Category.AUTHORISED, Category.UNAUTHORISED)
_IN_CLASS = np.array(
    [[CODES_BY_BYTE[int(byte)].category == category for category in _CLASSES] for byte in CODE_BYTES], dtype=np.int64
)
_LATE = [int(np.flatnonzero(byte == CODE_BYTES)[0]) for byte in (vectorised.LATE_BEFORE, vectorised.LATE_AFTER)]


def week_summary_rows(register: YearRegister, weeks: Sequence[date]) -> Iterator[tuple[object, ...]]:
    """The summary rows of these weeks, in the order of `WEEK_SUMMARY_COLUMNS`.

    Each week has one row for headline pupils, one for everyone, and one for each year group.
    """
    names = [group or "" for group in register.roll.year_group]
    groups = sorted({*names, ""})
    group_index = {group: number for number, group in enumerate(groups)}
    group_of = np.array([group_index[name] for name in names], dtype=np.intp)
    positions = [register.weeks.index(week) for week in weeks]
    counted, headline = (
        marks.reshape(len(names), -1, SESSIONS)[:, positions] for marks in (register.counted, register.headline_marks)
    )
    group_codes, group_enrolled = _by_code(counted, group_of, len(groups)), _enrolments(counted, group_of, len(groups))
    headline_codes, headline_enrolled = _by_code(headline, group_of * 0, 1), _enrolments(headline, group_of * 0, 1)
    for number, week in enumerate(weeks):
        yield _row(register, week, HEADLINE, "", headline_enrolled[number, 0], headline_codes[number, 0])
        yield _row(register, week, EVERYONE, "", group_enrolled[number].sum(), group_codes[number].sum(axis=0))
        for group in groups[1:]:
            yield _row(
                register,
                week,
                YEAR_GROUP,
                group,
                group_enrolled[number, group_index[group]],
                group_codes[number, group_index[group]],
            )


def _by_code(marks: Marks, group_of: NDArray[np.intp], groups: int) -> NDArray[np.int64]:
    """Sessions by week, group of lines and code. `marks` is lines by weeks by sessions."""
    weeks = marks.shape[1]
    # One bincount for all: a mark's bucket is its week and group in the high bits, and its byte in the low eight.
    bucket = (np.arange(weeks) * groups + group_of[:, None]) << 8
    counts = np.bincount((marks + bucket[:, :, None]).ravel(), minlength=weeks * groups << 8)
    return counts.reshape(weeks, groups, 256)[:, :, CODE_BYTES]


def _enrolments(marks: Marks, group_of: NDArray[np.intp], groups: int) -> NDArray[np.int64]:
    """Lines with a possible session, by week and group."""
    classes = marks >> 5
    is_enrolled = ((classes >= int(Category.PRESENT)) & (classes <= int(Category.UNAUTHORISED))).any(axis=2)
    counts = np.zeros((groups, marks.shape[1]), dtype=np.int64)
    np.add.at(counts, group_of, is_enrolled)
    return counts.T


def _row(
    register: YearRegister, week: date, dimension: str, value: str, enrolments: np.int64, by_code: NDArray[np.int64]
) -> tuple[object, ...]:
    sums, late = (by_code @ _IN_CLASS).tolist(), by_code[_LATE].tolist()
    return (register.school_id, week, dimension, value, int(enrolments), sum(sums), *sums, *late, by_code.tolist())


PUPIL_SUMMARY_KEYS = ("school_id", "academic_year", "line")


def pupil_summary_rows(
    register: YearRegister, tail: Marks, tail_weeks: Sequence[date], policy: Policy
) -> tuple[tuple[str, ...], bytes]:
    """Every line's summary as the body of a binary COPY, with its columns.

    `tail` holds the last school weeks of the year before, on this year's lines: ten school weeks may span a summer.
    """
    values = pupil_year_counts(register, tail, tail_weeks, policy)
    lines = len(register.marks)
    columns: dict[str, NDArray[Any]] = {
        "school_id": np.full(lines, np.void(register.school_id.bytes)),
        "academic_year": np.full(lines, register.academic_year, dtype=np.int16),
        "line": np.arange(1, lines + 1, dtype=np.int16),
        "pupil_id": np.frombuffer(b"".join([pupil_id.bytes for pupil_id in register.roll.pupil_ids]), dtype="V16"),
        **{name: counts.astype(np.int16) for name, counts in values.items()},
    }
    return tuple(columns), binary_rows(columns)


def pupil_year_counts(
    register: YearRegister, tail: Marks, tail_weeks: Sequence[date], policy: Policy
) -> dict[str, NDArray[np.int64]]:
    """Each column of the pupil summaries as an array over lines: counts of sessions."""
    sums = vectorised.sums_by_line(register.counted)
    headline_possible, headline_absent = _headline(register, sums)
    used = used_columns(register.counted)
    recent, last_week = (
        vectorised.sums_by_line(register.counted[:, _newest_weeks(register, used, number)]) for number in (RECENT_WEEKS, 1)
    )
    missing = count_by_line(register.met & _reported(used) & register.on_roll & (register.counted == 0))
    periods = vectorised.absence_periods(register.counted)
    threshold = _threshold(register, tail, tail_weeks, policy)
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
        "absence_periods": periods.number,
        "longest_absence": periods.longest,
        "recent_possible": recent.possible,
        "recent_absent": recent.absent,
        "last_week_possible": last_week.possible,
        "last_week_absent": last_week.absent,
        "threshold_window": threshold.newest,
        "threshold_best": threshold.best,
        "headline_possible": headline_possible,
        "headline_absent": headline_absent,
    }


def _headline(register: YearRegister, sums: vectorised.Sums) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Possible and missed sessions that count in headline figures.

    All of a line's sessions count or none, except those of Year 11, which end with the first half of the summer term.
    """
    possible, absent = np.where(register.headline, sums.possible, 0), np.where(register.headline, sums.absent, 0)
    year_11, after_last_day = register.year_11_cut
    if year_11.size:
        sums_before = vectorised.sums_by_line(masked(register.counted[year_11], ~after_last_day))
        possible[year_11], absent[year_11] = sums_before.possible, sums_before.absent
    return possible, absent


def _newest_weeks(register: YearRegister, used: NDArray[np.bool_], number: int) -> slice:
    """The columns of the newest `number` school weeks, up to the last week with a mark.

    School weeks without a page are counted.
    """
    newest = int(register.week_numbers[used].max(initial=-1))
    columns = np.flatnonzero(
        (register.week_numbers > newest - number) & (register.week_numbers >= 0) & (register.week_numbers <= newest)
    )
    return slice(int(columns[0]), int(columns[-1]) + 1) if columns.size else slice(0)


def _reported(used: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Columns up to the newest session with any mark: later sessions are not missing yet."""
    last = int(np.flatnonzero(used)[-1]) if used.any() else -1
    return np.arange(used.size) <= last


def _threshold(register: YearRegister, tail: Marks, tail_weeks: Sequence[date], policy: Policy) -> vectorised.Threshold:
    """Sessions towards the penalty notice threshold, over the tail of last year and all of this year.

    Only sessions at compulsory school age count. Weeks are the calendar's, and a pupil with two lines is counted once.
    """
    marks = np.concatenate([tail, register.counted], axis=1) if tail.size or register.roll.on_roll_twice else register.counted
    for pupil in register.roll.on_roll_twice:
        lines = [line for line, pupil_id in enumerate(register.roll.pupil_ids) if pupil_id == pupil]
        marks[lines] = marks[lines].max(axis=0)
    days = np.concatenate([session_days(tail_weeks), register.days])
    met = np.concatenate([meets_in(register.calendar, tail_weeks), register.met])
    numbers = week_indices(register.calendar, days, met, starts_on=policy.week_starts_on)
    is_of_age = days_within(days, *school_age(register.roll.date_of_birth, last_friday_inside=policy.last_friday_inside))
    # Ordinal 1 (1 January of year 1) was a Monday.
    day_in_week = (ordinals(days) - 1 - policy.week_starts_on) % DAYS_IN_A_WEEK if policy.window is Window.TO_THE_DAY else None
    return vectorised.threshold(marks, numbers, is_of_age, day_in_week)


def completeness(register: YearRegister) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each week: marks expected up to the newest session reported, and how many are missing."""
    used = used_columns(register.counted)
    is_due = register.on_roll & (register.met & _reported(used))[None, :]
    expected, missing = (
        np.add.reduce(cells.view(np.uint8), axis=0, dtype=np.int64).reshape(-1, SESSIONS).sum(axis=1)
        for cells in (is_due, is_due & (register.counted == 0))
    )
    return expected, missing
