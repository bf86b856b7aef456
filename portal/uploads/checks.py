"""Checks: every mark of a file asked every question, in arrays, and turned into pages or into a refusal that says where and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from portal.registers.pages import SESSIONS
from portal.rules.calendar import HALVES, register_year, week_of
from portal.rules.codes import BY_LETTERS, CODES, COVID_X, code_for
from portal.rules.school_age import compulsory_school_age

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portal.pupils.incoming import IncomingPupil
    from portal.pupils.rolls import Roll
    from portal.registers.pages import Marks
    from portal.rules.calendar import Calendar
    from portal.uploads.intake import Reading

#: Each reason a mark is refused, and the sentence that says what to do. Order is the order in which they are asked.
REASONS: dict[str, str] = {
    "wrong-school": "The row names school {value}. This upload is for another school: send it from the right school.",
    "unknown-pupil": "This pupil is not on the school's roll. Check the UPN, or send the pupil list first.",
    "contradicts-roll": "The UPN belongs to a pupil with another date of birth. Check the row against the pupil list.",
    "future-date": "{value} is in the future. Send marks for days that have happened.",
    "not-school-day": "{value} is not a day the school met. Check the date, or the school's term dates.",
    "not-on-roll": "The pupil was not on roll on {value}. Check the admission and leaving dates.",
    "unknown-code": "{value} is not an attendance code. Use a code from the list, or say which code it stands for.",
    "code-not-valid": "{value} was not an attendance code on that date. Use the code that applied then.",
    "impossible-code": "X is only for pupils who are not of compulsory school age. Use C2 for an agreed part-time timetable.",
    "contradiction": "The file gives two different marks for this pupil and session. Keep the right one.",
    "repeat": "The file gives this mark more than once. The first was kept.",
}
SLUGS = tuple(REASONS)
_NUMBER = {slug: place + 1 for place, slug in enumerate(SLUGS)}
_X = BY_LETTERS["X"].byte


@dataclass(frozen=True, slots=True)
class Year:
    """What the checks know of one academic year at the school: who was on which line, and when the school met."""

    roll: Roll
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class School:
    """What the checks know of the school: its numbers, today, and the marks it uses for statutory codes."""

    numbers: frozenset[str]
    today: date
    years: Mapping[int, Year]
    local_codes: Mapping[str, str]


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


@dataclass(slots=True)
class Checked:
    """A file's marks as pages to write, and what was refused. rows_in = rows_stored + rows_refused, always."""

    pages: dict[date, Marks] = field(default_factory=dict)
    rows_in: int = 0
    rows_refused: int = 0
    missing: int = 0
    findings: list[Finding] = field(default_factory=list)
    reason: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, dtype=np.uint8))
    first_day: date | None = None
    last_day: date | None = None
    people: Sequence[IncomingPupil] = ()
    academic_year: int = 0

    @property
    def rows_stored(self) -> int:
        """Marks that will be on a page."""
        return self.rows_in - self.rows_refused


def marks_checked(reading: Reading, school: School) -> Checked:
    """Ask every check of every mark. Costs grow with distinct pupils, dates and codes; marks are touched only in arrays."""
    tables = _Tables(reading, school)
    reason = np.zeros(reading.pupil.size, dtype=np.uint8)

    def refuse(slug: str, where: NDArray[np.bool_]) -> None:
        np.copyto(reason, _NUMBER[slug], where=where & (reason == 0))

    day, pupil = reading.day, reading.pupil
    year = tables.year_of_day[day]
    line = tables.line[year, pupil]
    refuse("wrong-school", tables.wrong_school[pupil])
    refuse("unknown-pupil", line < 0)
    refuse("contradicts-roll", tables.contradicts[pupil])
    refuse("future-date", tables.future[day])
    refuse("not-school-day", ~tables.met[day, reading.session])
    refuse("not-on-roll", (tables.from_day[year, pupil] > tables.ordinal[day]) | (tables.until_day[year, pupil] < tables.ordinal[day]))
    byte = tables.byte[tables.era[day], reading.session, reading.code]
    refuse("unknown-code", tables.unknown[reading.code])
    refuse("code-not-valid", byte == 0)
    is_x = np.flatnonzero((byte == _X) & (reason == 0))
    of_age = np.zeros(reason.size, dtype=bool)
    of_age[is_x] = tables.of_school_age(pupil[is_x], day[is_x])
    refuse("impossible-code", of_age)
    _refuse_repeats(reading, byte, reason)
    kept = reason == 0
    checked = Checked(rows_in=reading.rows_in, missing=reading.missing, reason=reason)
    checked.rows_refused = reading.rows_in - int(kept.sum())
    checked.pages = _pages(tables, year[kept], line[kept], day[kept], reading.session[kept], byte[kept])
    stored_days = day[kept]
    if stored_days.size:
        checked.first_day, checked.last_day = reading.dates[int(stored_days.min())], reading.dates[int(stored_days.max())]
    checked.findings = [*read_findings(reading), *_refused_findings(reading, reason), *tables.warnings(reading, kept)]
    return checked


class _Tables:
    """Answers for each distinct pupil, day and code, looked up by the arrays."""

    def __init__(self, reading: Reading, school: School) -> None:
        years = sorted({register_year(week_of(day)) for day in reading.dates}) or [0]
        self.years = years
        self.reading, self.school = reading, school
        self.mondays = [week_of(day) for day in reading.dates]
        place = {year: number for number, year in enumerate(years)}
        self.year_of_day = np.array([place[register_year(monday)] for monday in self.mondays], dtype=np.intp)
        self.ordinal = np.array([day.toordinal() for day in reading.dates], dtype=np.int64)
        self.future = np.array([day > school.today for day in reading.dates], dtype=bool)
        self.met = np.array(
            [[school.years[years[self.year_of_day[n]]].calendar.meets(day, half) for half in HALVES] for n, day in enumerate(reading.dates)],
            dtype=bool,
        ).reshape(-1, 2)
        self._place_pupils()
        self._read_codes()

    def _place_pupils(self) -> None:
        pupils, school = self.reading.pupils, self.school
        size = (len(self.years), len(pupils))
        self.line = np.full(size, -1, dtype=np.int64)
        self.from_day = np.zeros(size, dtype=np.int64)
        self.until_day = np.full(size, np.iinfo(np.int64).max, dtype=np.int64)
        self.contradicts = np.zeros(len(pupils), dtype=bool)
        for row, year in enumerate(self.years):
            roll = school.years[year].roll
            lines = np.array([roll.index_by_upn.get(one.upn or "", -1) for one in pupils], dtype=np.int64)
            self.line[row] = lines
            if not len(roll.pupil_ids):
                continue
            known = lines >= 0
            epoch = date(1970, 1, 1).toordinal()
            self.from_day[row, known] = roll.on_from[lines[known]].astype(np.int64) + epoch
            until = roll.on_until[lines[known]]
            self.until_day[row, known] = np.where(np.isnat(until), np.iinfo(np.int64).max, until.astype(np.int64) + epoch)
            for number in np.flatnonzero(known):
                born = pupils[number].date_of_birth
                self.contradicts[number] |= born is not None and np.datetime64(born) != roll.date_of_birth[lines[number]]
        numbers = school.numbers
        self.wrong_school = np.array([bool(one.school_number) and one.school_number not in numbers for one in pupils], dtype=bool)

    def _read_codes(self) -> None:
        starts = {code.first_day for code in CODES if code.first_day}
        starts |= {code.last_day + timedelta(days=1) for code in CODES if code.last_day}
        changes = sorted(starts)
        self.era = np.searchsorted(np.array([day.toordinal() for day in changes], dtype=np.int64), self.ordinal, side="right")
        texts = self.reading.codes
        self.byte = np.zeros((len(changes) + 1, 2, len(texts)), dtype=np.uint8)
        self.warning: dict[tuple[int, int, int], str] = {}
        self.unknown = np.zeros(len(texts), dtype=bool)
        for era in sorted(set(self.era.tolist())):
            on = changes[era - 1] if era else changes[0] - timedelta(days=1)
            for number, raw in enumerate(texts):
                text = self.school.local_codes.get(raw, raw)
                for half, session in enumerate(HALVES):
                    read = code_for(text, on, session, one_letter=self.reading.one_letter)
                    if read.code is not None:
                        self.byte[era, half, number] = read.code.byte
                    if read.warning:
                        self.warning[era, half, number] = read.warning
                self.unknown[number] = text not in BY_LETTERS

    def of_school_age(self, pupil: NDArray[np.int32], day: NDArray[np.int32]) -> NDArray[np.bool_]:
        """For these few marks: was the pupil of compulsory school age that day?"""
        spans = {}
        answers = np.zeros(pupil.size, dtype=bool)
        for number, (one, on) in enumerate(zip(pupil.tolist(), day.tolist(), strict=True)):
            if one not in spans:
                spans[one] = self._span(one)
            span = spans[one]
            covid = COVID_X.covers(self.reading.dates[on])
            answers[number] = span is not None and not covid and span[0] <= self.ordinal[on] <= span[1]
        return answers

    def _span(self, pupil: int) -> tuple[int, int] | None:
        for row, year in enumerate(self.years):
            line = int(self.line[row, pupil])
            if line >= 0:
                born = self.school.years[year].roll.date_of_birth[line].astype(object)
                age = compulsory_school_age(born)
                return age.first_day.toordinal(), age.last_day.toordinal()
        return None

    def warnings(self, reading: Reading, kept: NDArray[np.bool_]) -> list[Finding]:
        """What is worth knowing of marks that were kept: a slant put right, an old code, a pupil's odd UPN."""
        found: dict[str, Finding] = {}
        for (era, half, number), sentence in self.warning.items():
            where = kept & (reading.code == number) & (reading.session == half) & (self.era[reading.day] == era)
            count = int(where.sum())
            if count:
                rows = row_ranges(reading.row[where])
                found[f"{number} {sentence}"] = Finding("code-read-as", False, None, None, rows, reading.codes[number], sentence, count)
        return list(found.values())


def _refuse_repeats(reading: Reading, byte: NDArray[np.uint8], reason: NDArray[np.uint8]) -> None:
    """Two marks for one pupil and session: the same twice keeps the first, different ones refuse both."""
    cells = (reading.pupil.astype(np.int64) * len(reading.dates) + reading.day) * 2 + reading.session
    open_ = reason == 0
    if not open_.any():
        return
    times = np.bincount(cells[open_])
    if times.max(initial=0) < 2:
        return
    several = np.flatnonzero(open_ & (times[np.minimum(cells, times.size - 1)] > 1))
    order = several[np.argsort(cells[several], kind="stable")]
    starts = np.concatenate(([True], np.diff(cells[order]) != 0))
    first = order[starts][np.cumsum(starts) - 1]
    differs = byte[order] != byte[first]
    torn = np.isin(cells[order], cells[order[differs]])
    reason[order[torn]] = _NUMBER["contradiction"]
    reason[order[~torn & ~starts]] = _NUMBER["repeat"]


def _pages(
    tables: _Tables,
    year: NDArray[np.intp],
    line: NDArray[np.int64],
    day: NDArray[np.int32],
    session: NDArray[np.uint8],
    byte: NDArray[np.uint8],
) -> dict[date, Marks]:
    """Scatter the marks that were kept over the weeks they belong to."""
    weeks = sorted(set(tables.mondays))
    if not day.size:
        return {}
    place = {week: number for number, week in enumerate(weeks)}
    week_of_day = np.array([place[monday] for monday in tables.mondays], dtype=np.intp)
    weekday = np.array([on.weekday() for on in tables.reading.dates], dtype=np.intp)
    lines = int(line.max()) + 1
    whole = np.zeros((len(weeks), lines, SESSIONS), dtype=np.uint8)
    whole[week_of_day[day], line, weekday[day] * 2 + session] = byte
    used = whole.any(axis=(1, 2))
    return {week: whole[number] for number, week in enumerate(weeks) if used[number]}


def read_findings(reading: Reading) -> list[Finding]:
    """The problems reading itself found, grouped as the checks' are."""
    groups: dict[tuple[str, int, str, str], list[int]] = {}
    for problem in reading.problems:
        key = (problem.kind, problem.sheet, problem.column_name or "", problem.message)
        groups.setdefault(key, []).append(problem.row)
    values = {(one.kind, one.sheet, one.column_name or "", one.message): one.value for one in reading.problems}
    return [
        Finding(key[0], True, _sheet_name(reading, key[1]), key[2] or None, row_ranges(np.array(rows)), values[key], key[3], len(rows))
        for key, rows in groups.items()
    ]


def _refused_findings(reading: Reading, reason: NDArray[np.uint8]) -> list[Finding]:
    """The refusals of the checks, one finding for each reason, column and value."""
    refused = np.flatnonzero(reason)
    if not refused.size:
        return []
    about = np.where(np.isin(reason, [_NUMBER[slug] for slug in _ABOUT_CODE]), reading.code.astype(np.int64), 0)
    about = np.where(np.isin(reason, [_NUMBER[slug] for slug in _ABOUT_DAY]), reading.day.astype(np.int64), about)
    about = np.where(np.isin(reason, [_NUMBER[slug] for slug in _ABOUT_PUPIL]), reading.pupil.astype(np.int64), about)
    key = np.stack([reason[refused].astype(np.int64), reading.sheet[refused].astype(np.int64), reading.column[refused].astype(np.int64), about[refused]])
    distinct, group = np.unique(key, axis=1, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    bounds = np.flatnonzero(np.diff(group.ravel()[order])) + 1
    parts = np.split(refused[order], bounds)
    return [_finding(reading, distinct[:, number], part) for number, part in enumerate(parts)]


_ABOUT_CODE = ("unknown-code", "code-not-valid", "impossible-code")
_ABOUT_DAY = ("future-date", "not-school-day", "not-on-roll")
_ABOUT_PUPIL = ("unknown-pupil", "contradicts-roll", "wrong-school")


def _finding(reading: Reading, key: NDArray[np.int64], part: NDArray[np.intp]) -> Finding:
    slug = SLUGS[int(key[0]) - 1]
    about = int(key[3])
    if slug in _ABOUT_CODE:
        value: str | None = reading.codes[about]
    elif slug in _ABOUT_DAY:
        value = f"{reading.dates[about]:%-d %B %Y}"
    elif slug == "wrong-school":
        value = reading.pupils[about].school_number
    elif slug in _ABOUT_PUPIL:
        value = reading.pupils[about].upn
    else:
        value = None
    column = column_letters(int(key[2])) if key[2] > 0 else None
    sentence = REASONS[slug].format(value=value)
    return Finding(slug, True, _sheet_name(reading, int(key[1])), column, row_ranges(reading.row[part]), value, sentence, int(part.size))


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
