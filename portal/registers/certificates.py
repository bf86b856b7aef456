"""The certificate of attendance: one pupil's year at a school, as a grid and as facts, as it stands or as it once stood."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np

from portal import clock
from portal.registers import queries
from portal.registers.pages import CODE_BYTES, SESSIONS, unpacked
from portal.rules.calendar import HALVES, academic_year_name
from portal.rules.codes import BY_BYTE, Code
from portal.rules.marks import tally_of
from portal.rules.patterns import Change, Lateness, Pattern, beside_school_average, by_weekday_and_half, lateness, recent_weeks
from portal.rules.spells import Spells, spells
from portal.rules.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from portal.registers.sheets import Sheet
    from portal.rules.calendar import Session

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Cell:
    """One session of the grid: a code, or why there is none ("closed", "not on roll", "no mark yet", "to come")."""

    on: date
    half: str
    code: Code | None
    why: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the grid: a weekday's mornings or afternoons across the weeks."""

    day: str
    half: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Amended:
    """One change to one mark: what it was, what it became, when, through which upload and by whose membership."""

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
    """A pupil's year at one school: the grid, and number, length and frequency of absence beside the percentage."""

    school_id: UUID
    academic_year: int
    as_at: datetime | None
    weeks: tuple[date, ...]
    lines: tuple[Line, ...]
    tally: Tally
    spells: Spells
    recent: Tally | None
    recent_between: tuple[date, date] | None
    beside_school: Change
    pattern: Pattern
    lateness: Lateness
    between: tuple[date, date] | None

    @property
    def year_name(self) -> str:
        """2025/26."""
        return academic_year_name(self.academic_year)


def certificate(school_id: UUID, pupil_id: UUID, academic_year: int, *, as_at: date | None = None) -> Certificate | None:
    """The pupil's certificate for a year at a school, as it stands or as it stood at the end of a day; None without a line."""
    instant = _end_of(as_at) if as_at else None
    sheet = queries.sheet_as_it_stood(school_id, academic_year, instant) if instant else queries.sheet(school_id, academic_year)
    mine = [line for line, one in enumerate(sheet.roll.pupil_ids) if one == pupil_id]
    if not mine:
        return None
    return _made(sheet, mine, instant)


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max, tzinfo=clock.LONDON)


def _made(sheet: Sheet, mine: Sequence[int], instant: datetime | None) -> Certificate:
    row = sheet.marks[mine].max(axis=0) if sheet.weeks else np.zeros(0, dtype=np.uint8)
    marks = _by_session(sheet, row)
    between = (min(on for on, _ in marks), max(on for on, _ in marks)) if marks else None
    recent = recent_weeks(sheet.calendar, between[1]) if between else None
    tally = tally_of(marks, sheet.calendar, between) if between else Tally(())
    return Certificate(
        school_id=sheet.school_id,
        academic_year=sheet.academic_year,
        as_at=instant,
        weeks=sheet.weeks,
        lines=_lines(sheet, mine, row),
        tally=tally,
        spells=spells(marks, sheet.calendar, between),
        recent=tally_of(marks, sheet.calendar, recent) if recent else None,
        recent_between=(recent[0], min(recent[1], between[1])) if recent and between else None,
        beside_school=beside_school_average(tally, _school_tally(sheet, between)),
        pattern=by_weekday_and_half(marks, sheet.calendar, between),
        lateness=lateness(marks, sheet.calendar, between),
        between=between,
    )


def _by_session(sheet: Sheet, row: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> Mapping[Session, str]:
    days = sheet.days.astype(object)
    return {(days[place], HALVES[place % 2]): BY_BYTE[int(row[place])].letters for place in np.flatnonzero(row).tolist()}


def _school_tally(sheet: Sheet, between: tuple[date, date] | None) -> Tally:
    """Every pupil's marks over the same days: the school's own average is made of these sums."""
    if between is None:
        return Tally(())
    counts = np.bincount(sheet.counted[:, sheet.columns(between)].ravel(), minlength=256)[CODE_BYTES]
    return Tally.from_counts(dict(zip(CODE_BYTES.tolist(), counts.tolist(), strict=True)))


def _lines(sheet: Sheet, mine: Sequence[int], row: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> tuple[Line, ...]:
    """The grid, weeks across; Saturday and Sunday only where the school met or a mark was made."""
    on_roll, today = np.logical_or.reduce(sheet.on_roll[mine], axis=0), clock.today()
    grid: list[Line] = []
    for offset in range(SESSIONS):
        places = [week * SESSIONS + offset for week in range(len(sheet.weeks))]
        if offset // 2 >= 5 and not any(sheet.met[place] or row[place] for place in places):  # noqa: PLR2004  five weekdays
            continue
        half = HALVES[offset % 2]
        days = [sheet.weeks[number] + timedelta(days=offset // 2) for number in range(len(places))]
        cells = tuple(
            Cell(
                on,
                half,
                BY_BYTE.get(int(row[place])),
                _why(int(row[place]), bool(sheet.met[place]), bool(on_roll[place]), on > today),
            )
            for place, on in zip(places, days, strict=True)
        )
        grid.append(Line(WEEKDAYS[offset // 2], half, cells))
    return tuple(grid)


def _why(byte: int, met: bool, on_roll: bool, to_come: bool) -> str | None:  # noqa: FBT001  four facts of one cell
    if byte:
        return None
    if not met:
        return "closed"
    if not on_roll:
        return "not on roll"
    return "to come" if to_come else "no mark yet"


def amendments(school_id: UUID, pupil_id: UUID, academic_year: int) -> list[Amended]:
    """Every change ever made to this pupil's marks at a school in a year, newest first: the first writing of a mark is not one."""
    on_it = queries.roll_of(school_id, academic_year)
    mine = [line for line, one in enumerate(on_it.pupil_ids) if one == pupil_id]
    found: list[Amended] = []
    before: dict[date, np.ndarray[tuple[int], np.dtype[np.uint8]]] = {}
    for version in queries.versions(school_id, academic_year):
        marks = unpacked(version.marks)
        held = [line for line in mine if line < len(marks)]
        row = marks[held].max(axis=0) if held else np.zeros(SESSIONS, dtype=np.uint8)
        was = before.get(version.week)
        before[version.week] = row
        if was is None:
            continue
        found += [
            Amended(
                on=version.week + timedelta(days=place // 2),
                half=HALVES[place % 2],
                before=BY_BYTE.get(int(was[place])),
                after=BY_BYTE.get(int(row[place])),
                at=version.recorded_at,
                upload_id=version.upload_id,
                membership_id=version.membership_id,
                reason=version.reason,
            )
            for place in np.flatnonzero((was != row) & (was != 0)).tolist()
        ]
    return sorted(found, key=lambda one: (one.at, one.on), reverse=True)
