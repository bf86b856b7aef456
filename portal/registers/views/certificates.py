"""The certificate of attendance: one pupil's year at a school, as a grid and as facts.

It shows the register as it is, or as it was at the end of a past day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np

from portal.platform import clock
from portal.registers import queries
from portal.registers.domain.pages import CODE_BYTES, SESSIONS, unpacked
from portal.rules.absence_periods import AbsencePeriods, absence_periods
from portal.rules.calendar import HALVES, academic_year_name
from portal.rules.codes import CODES_BY_BYTE, Code
from portal.rules.marks import counts_of
from portal.rules.patterns import (
    AbsenceComparison,
    Lateness,
    Pattern,
    by_weekday_and_half,
    compare_with_school_average,
    lateness,
    recent_weeks,
)
from portal.rules.session_counts import SessionCounts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from portal.registers.domain.year_register import YearRegister
    from portal.rules.calendar import Session

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Cell:
    """One session of the grid: a code, or why there is none.

    `why` is "closed", "not on roll", "no mark yet" or "to come".
    """

    on: date
    half: str
    code: Code | None
    why: str | None


@dataclass(frozen=True, slots=True)
class GridRow:
    """One row of the grid: a weekday's mornings or afternoons across the weeks."""

    day: str
    half: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Amendment:
    """One change to one mark: old and new code, when, and by which upload and membership."""

    on: date
    half: str
    before: Code | None
    after: Code | None
    at: datetime
    upload_id: UUID | None
    membership_id: UUID | None
    reason: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """A pupil's year at one school: the grid, and number, length and frequency of absence."""

    school_id: UUID
    academic_year: int
    as_at: datetime | None
    weeks: tuple[date, ...]
    lines: tuple[GridRow, ...]
    counts: SessionCounts
    absence_periods: AbsencePeriods
    recent: SessionCounts | None
    recent_between: tuple[date, date] | None
    beside_school: AbsenceComparison
    pattern: Pattern
    lateness: Lateness
    between: tuple[date, date] | None

    @property
    def year_name(self) -> str:
        """The academic year: 2025/26."""
        return academic_year_name(self.academic_year)

    @property
    def unauthorised_codes(self) -> str:
        """The unauthorised sessions by code, as in "G 6, U 2; N 3 not yet explained"."""
        explained = ", ".join(f"{letters} {count}" for letters in ("G", "O", "U") if (count := self.counts.count(letters)))
        unexplained = self.counts.count("N")
        return "; ".join(part for part in (explained, f"N {unexplained} not yet explained" if unexplained else "") if part)


def certificate(school_id: UUID, pupil_id: UUID, academic_year: int, *, as_at: date | None = None) -> Certificate | None:
    """The pupil's certificate for a year at a school; None where they have no roll line.

    With `as_at`, the register as it was at the end of that day.
    """
    instant = _end_of(as_at) if as_at else None
    register = (
        queries.year_register_as_at(school_id, academic_year, instant)
        if instant
        else queries.year_register(school_id, academic_year)
    )
    pupil_lines = [line for line, line_pupil_id in enumerate(register.roll.pupil_ids) if line_pupil_id == pupil_id]
    if not pupil_lines:
        return None
    return _build_certificate(register, pupil_lines, instant)


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max, tzinfo=clock.LONDON)


def _build_certificate(register: YearRegister, pupil_lines: Sequence[int], instant: datetime | None) -> Certificate:
    pupil_marks = register.marks[pupil_lines].max(axis=0) if register.weeks else np.zeros(0, dtype=np.uint8)
    marks = _by_session(register, register.counted[pupil_lines].max(axis=0) if register.weeks else pupil_marks)
    between = (min(on for on, _ in marks), max(on for on, _ in marks)) if marks else None
    recent = recent_weeks(register.calendar, between[1]) if between else None
    counts = counts_of(marks, register.calendar, between) if between else SessionCounts(())
    return Certificate(
        school_id=register.school_id,
        academic_year=register.academic_year,
        as_at=instant,
        weeks=register.weeks,
        lines=_grid(register, pupil_lines, pupil_marks),
        counts=counts,
        absence_periods=absence_periods(marks, register.calendar, between),
        recent=counts_of(marks, register.calendar, recent) if recent else None,
        recent_between=(recent[0], min(recent[1], between[1])) if recent and between else None,
        beside_school=compare_with_school_average(counts, _school_counts(register, between)),
        pattern=by_weekday_and_half(marks, register.calendar, between),
        lateness=lateness(marks, register.calendar, between),
        between=between,
    )


def _by_session(register: YearRegister, pupil_marks: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> Mapping[Session, str]:
    days = register.days.astype(object)
    return {
        (days[column], HALVES[column % 2]): CODES_BY_BYTE[int(pupil_marks[column])].letters
        for column in np.flatnonzero(pupil_marks).tolist()
    }


def _school_counts(register: YearRegister, between: tuple[date, date] | None) -> SessionCounts:
    """The counts of all pupils over the same days: the sums behind the school's average."""
    if between is None:
        return SessionCounts(())
    counts = np.bincount(register.counted[:, register.columns(between)].ravel(), minlength=256)[CODE_BYTES]
    return SessionCounts.from_counts(dict(zip(CODE_BYTES.tolist(), counts.tolist(), strict=True)))


def _grid(
    register: YearRegister, pupil_lines: Sequence[int], pupil_marks: np.ndarray[tuple[int], np.dtype[np.uint8]]
) -> tuple[GridRow, ...]:
    """The grid, weeks across. Saturday and Sunday only where the school met or a mark was made."""
    on_roll, today = np.logical_or.reduce(register.on_roll[pupil_lines], axis=0), clock.today()
    rows: list[GridRow] = []
    for session in range(SESSIONS):
        columns = [week * SESSIONS + session for week in range(len(register.weeks))]
        if session // 2 >= 5 and not any(register.met[column] or pupil_marks[column] for column in columns):
            continue
        half = HALVES[session % 2]
        days = [register.weeks[number] + timedelta(days=session // 2) for number in range(len(columns))]
        cells = tuple(
            Cell(
                on,
                half,
                CODES_BY_BYTE.get(int(pupil_marks[column])),
                None
                if pupil_marks[column]
                else _why_empty(met=bool(register.met[column]), on_roll=bool(on_roll[column]), to_come=on > today),
            )
            for column, on in zip(columns, days, strict=True)
        )
        rows.append(GridRow(WEEKDAYS[session // 2], half, cells))
    return tuple(rows)


def _why_empty(*, met: bool, on_roll: bool, to_come: bool) -> str:
    if not met:
        return "closed"
    if not on_roll:
        return "not on roll"
    return "to come" if to_come else "no mark yet"


def amendments(school_id: UUID, pupil_id: UUID, academic_year: int) -> list[Amendment]:
    """Every change to this pupil's marks at a school in a year, newest first.

    The first writing of a mark is not a change.
    """
    roll = queries.roll_of(school_id, academic_year)
    pupil_lines = [line for line, line_pupil_id in enumerate(roll.pupil_ids) if line_pupil_id == pupil_id]
    changes: list[Amendment] = []
    last_marks: dict[date, np.ndarray[tuple[int], np.dtype[np.uint8]]] = {}
    for version in queries.versions(school_id, academic_year):
        marks = unpacked(version.marks)
        # A stored page ends with its last mark, so a line beyond it has none.
        stored_lines = [line for line in pupil_lines if line < len(marks)]
        after = marks[stored_lines].max(axis=0) if stored_lines else np.zeros(SESSIONS, dtype=np.uint8)
        earlier = last_marks.get(version.week)
        last_marks[version.week] = after
        if earlier is None:
            continue
        changes += [
            Amendment(
                on=version.week + timedelta(days=session // 2),
                half=HALVES[session % 2],
                before=CODES_BY_BYTE.get(int(earlier[session])),
                after=CODES_BY_BYTE.get(int(after[session])),
                at=version.recorded_at,
                upload_id=version.upload_id,
                membership_id=version.membership_id,
                reason=version.reason,
            )
            for session in np.flatnonzero((earlier != after) & (earlier != 0)).tolist()
        ]
    return sorted(changes, key=lambda change: (change.at, change.on), reverse=True)
