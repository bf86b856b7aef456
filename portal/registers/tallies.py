"""Tallies and standings: what is counted from a sheet and kept beside it, so that lists and overviews never open a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from portal.loading import binary_rows
from portal.registers import sweep
from portal.registers.pages import CODE_BYTES, SESSIONS, count_by_line, only, session_days, used_columns
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

_CLASSES = (Category.PRESENT, Category.APPROVED, Category.AUTHORISED, Category.UNAUTHORISED)
_IN_CLASS = np.array([[BY_BYTE[int(byte)].category == one for one in _CLASSES] for byte in CODE_BYTES], dtype=np.int64)
_LATE = [int(np.flatnonzero(byte == CODE_BYTES)[0]) for byte in (sweep.LATE_BEFORE, sweep.LATE_AFTER)]


def tally_rows(sheet: Sheet, weeks: Sequence[date]) -> Iterator[tuple[object, ...]]:
    """The tally rows of these weeks of a sheet, in the order of `TALLY_COLUMNS`: headline, everyone, and each year group."""
    names = [one or "" for one in sheet.roll.year_group]
    groups = sorted({*names, ""})
    place = {group: number for number, group in enumerate(groups)}
    group_of = np.array([place[one] for one in names], dtype=np.intp)
    places = [sheet.weeks.index(week) for week in weeks]
    counted, headline = (marks.reshape(len(names), -1, SESSIONS)[:, places] for marks in (sheet.counted, sheet.headline_marks))
    by_group, enrolled = _by_code(counted, group_of, len(groups)), _enrolments(counted, group_of, len(groups))
    of_headline, enrolled_headline = _by_code(headline, group_of * 0, 1), _enrolments(headline, group_of * 0, 1)
    for number, week in enumerate(weeks):
        yield _row(sheet, week, HEADLINE, "", enrolled_headline[number, 0], of_headline[number, 0])
        yield _row(sheet, week, EVERYONE, "", enrolled[number].sum(), by_group[number].sum(axis=0))
        for group in groups[1:]:
            yield _row(sheet, week, YEAR_GROUP, group, enrolled[number, place[group]], by_group[number, place[group]])


def _by_code(marks: Marks, group_of: NDArray[np.intp], groups: int) -> NDArray[np.int64]:
    """Sessions by week, group of lines and code. `marks` is lines by weeks by sessions."""
    weeks = marks.shape[1]
    cell = (np.arange(weeks) * groups + group_of[:, None]) << 8
    counts = np.bincount((marks + cell[:, :, None]).ravel(), minlength=weeks * groups << 8)
    return counts.reshape(weeks, groups, 256)[:, :, CODE_BYTES]


def _enrolments(marks: Marks, group_of: NDArray[np.intp], groups: int) -> NDArray[np.int64]:
    """Lines with a possible session, by week and group."""
    classes = marks >> 5
    present = ((classes >= int(Category.PRESENT)) & (classes <= int(Category.UNAUTHORISED))).any(axis=2)
    found = np.zeros((groups, marks.shape[1]), dtype=np.int64)
    np.add.at(found, group_of, present)
    return found.T


def _row(
    sheet: Sheet, week: date, dimension: str, value: str, enrolments: np.int64, by_code: NDArray[np.int64]
) -> tuple[object, ...]:
    sums, late = (by_code @ _IN_CLASS).tolist(), by_code[_LATE].tolist()
    return (sheet.school_id, week, dimension, value, int(enrolments), sum(sums), *sums, *late, by_code.tolist())


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
        "pupil_id": np.frombuffer(b"".join([one.bytes for one in sheet.roll.pupil_ids]), dtype="V16"),
        **{name: counts.astype(np.int16) for name, counts in values.items()},
    }
    return tuple(columns), binary_rows(columns)


def standings(sheet: Sheet, tail: Marks, tail_weeks: Sequence[date]) -> dict[str, NDArray[np.int64]]:
    """Each standing as an array over lines: counts of sessions in the academic year."""
    sums = sweep.sums_by_line(sheet.counted)
    counted_possible, counted_absent = _headline(sheet, sums)
    used = used_columns(sheet.counted)
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
    cut, after = sheet.cut
    if cut.size:
        own = sweep.sums_by_line(only(sheet.counted[cut], ~after))
        possible[cut], absent[cut] = own.possible, own.absent
    return possible, absent


def _newest_weeks(sheet: Sheet, used: NDArray[np.bool_], number: int) -> slice:
    """Columns of so many school weeks, the last being the newest with a mark in it. A week without a page is one of them."""
    newest = int(sheet.week_numbers[used].max(initial=-1))
    among = np.flatnonzero((sheet.week_numbers > newest - number) & (sheet.week_numbers >= 0) & (sheet.week_numbers <= newest))
    return slice(int(among[0]), int(among[-1]) + 1) if among.size else slice(0)


def _reported(used: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Columns up to the newest session anyone has a mark for: later ones are not missing yet."""
    last = int(np.flatnonzero(used)[-1]) if used.any() else -1
    return np.arange(used.size) <= last


def _threshold(sheet: Sheet, tail: Marks, tail_weeks: Sequence[date]) -> sweep.Threshold:
    """The threshold over the tail and the year: on the calendar's own weeks, at compulsory school age, a pupil's lines together."""
    whole = np.concatenate([tail, sheet.counted], axis=1) if tail.size or sheet.roll.on_roll_twice else sheet.counted
    for pupil in sheet.roll.on_roll_twice:
        mine = [line for line, one in enumerate(sheet.roll.pupil_ids) if one == pupil]
        whole[mine] = whole[mine].max(axis=0)
    tail_numbers = week_places(sheet.calendar, tail_weeks, met_in(sheet.calendar, tail_weeks))
    days = np.concatenate([session_days(tail_weeks), sheet.days])
    of_age = within(days, *school_age(sheet.roll.date_of_birth))
    return sweep.threshold(whole, np.concatenate([tail_numbers, sheet.week_numbers]), of_age)


def completeness(sheet: Sheet) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each week: marks expected up to the newest session reported, and how many of them are missing."""
    used = used_columns(sheet.counted)
    due = sheet.on_roll & (sheet.met & _reported(used))[None, :]
    expected, missing = (
        np.add.reduce(cells.view(np.uint8), axis=0, dtype=np.int64).reshape(-1, SESSIONS).sum(axis=1)
        for cells in (due, due & (sheet.marks == 0))
    )
    return expected, missing
