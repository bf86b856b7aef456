"""Checks the marks of a file, and turns them into register pages and findings.

A file may have a million marks. Every question is therefore answered once for each distinct pupil, date and code, in small lookup
tables, and the answers are applied to all marks with array operations.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from portal.registers.domain.pages import SESSIONS
from portal.rules.calendar import HALVES, SATURDAY, academic_year, register_year, week_of
from portal.rules.codes import CODES, CODES_BY_SYMBOL, COVID_X, code_for
from portal.rules.policy import WithdrawnHoliday
from portal.rules.school_age import compulsory_school_age
from portal.uploads.domain.findings import Finding, reading_findings, rejection_findings, row_ranges
from portal.uploads.domain.kinds import CheckedMarks
from portal.uploads.domain.rejection_reasons import NUMBER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from portal.pupils.domain.rolls import Roll
    from portal.registers.domain.pages import Marks
    from portal.rules.calendar import Calendar
    from portal.rules.policy import Policy
    from portal.uploads.domain.kinds import Note
    from portal.uploads.domain.reading.result import Reading

_X, _CLOSED, _NOT_ON_ROLL_YET = (CODES_BY_SYMBOL[letters].byte for letters in ("X", "#", "Z"))
#: Temporary value in the reason array: a # on a day the school was closed. It is neither stored nor rejected.
_CLOSURE = 255
#: The last day of a pupil who has not left, and the ordinal of NumPy's first day.
NO_END, EPOCH = np.iinfo(np.int64).max, date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class YearContext:
    """One academic year at the school: its roll and its calendar."""

    roll: Roll
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class SchoolContext:
    """What the checks need of the school and its authority, and today's date."""

    numbers: frozenset[str]
    today: date
    years: Mapping[int, YearContext]
    local_codes: Mapping[str, str]
    policy: Policy
    #: The first and the last day the school was open, where they are known.
    opened_on: date | None = None
    closed_on: date | None = None


def check_marks(reading: Reading, school: SchoolContext) -> CheckedMarks:
    """Check all marks of a file."""
    tables = _LookupTables(reading, school)
    pupil, day = reading.pupil.astype(np.intp), reading.day.astype(np.intp)
    slot = day * 2 + reading.session
    line, cell = tables.lines(pupil, day), tables.year_pupil_index(pupil, day)
    code_index = tables.first_code_index[slot] + reading.code
    byte = tables.byte.ravel()[code_index]
    reason = _first_reason(
        tables.pupil_reasons.ravel()[cell],
        tables.slot_reasons()[slot],
        tables.off_roll_reasons(cell, line, day),
        tables.code_reasons().ravel()[code_index],
    )
    reason[tables.closures(slot, code_index, reason)] = _CLOSURE
    _compare_with_roll(byte, reason)
    is_x = np.flatnonzero((byte == _X) & (reason == 0))
    reason[is_x[tables.is_of_school_age(pupil[is_x], day[is_x])]] = NUMBER["impossible-code"]
    pages, accepted = _pages(tables, line, slot, byte, reason)
    # Fewer marks on the pages than accepted: some are for the same pupil and session, and overwrote each other.
    if sum(int(np.count_nonzero(page)) for page in pages.values()) < accepted.size:
        _reject_repeats(reading, line, byte, reason)
        pages, accepted = _pages(tables, line, slot, byte, reason)
    closures = np.flatnonzero(reason == _CLOSURE)
    reason[closures] = 0
    rows_in = reading.rows_in - closures.size
    warnings = tables.warnings(reading, code_index, accepted)
    days = day[accepted]
    return CheckedMarks(
        rows_in=rows_in,
        rows_rejected=rows_in - accepted.size,
        findings=[*reading_findings(reading), *rejection_findings(reading, reason), *warnings],
        pages=pages,
        missing=reading.missing,
        reason=reason,
        years=school.years,
        first_day=reading.dates[int(days.min())] if days.size else None,
        last_day=reading.dates[int(days.max())] if days.size else None,
        notes=_notes(tables, reading, pages),
    )


def _compare_with_roll(byte: NDArray[np.uint8], reason: NDArray[np.uint8]) -> None:
    """Set the reason of each mark that says its pupil is not on roll yet.

    Where the roll says so too, the mark is neither stored nor counted, like one of a closed day.
    """
    is_not_on_roll_yet = byte == _NOT_ON_ROLL_YET
    reason[is_not_on_roll_yet & (reason == NUMBER["not-on-roll"])] = _CLOSURE
    reason[is_not_on_roll_yet & (reason == 0)] = NUMBER["on-roll"]


def _first_reason(*reasons: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """For each mark, the first of several reasons (the lowest number); 0 if there is none."""
    # In unsigned bytes 0 - 1 is 255, so "no reason" loses against any reason, and becomes 0 again at the end.
    step = np.uint8(1)
    return functools.reduce(np.minimum, [reason - step for reason in reasons]) + step


class _LookupTables:
    """Lookup tables of the answers for each distinct pupil, date and code.

    A slot is a half of a date (date index * 2 + session). An era is a period in which the same codes are in force.
    """

    def __init__(self, reading: Reading, school: SchoolContext) -> None:
        years = sorted({register_year(week_of(day)) for day in reading.dates}) or sorted(school.years)
        self.years = years
        self.reading, self.school = reading, school
        self.mondays = [week_of(day) for day in reading.dates]
        index_of_year = {year: index for index, year in enumerate(years)}
        self.year_of_day = np.array([index_of_year[register_year(monday)] for monday in self.mondays], dtype=np.intp)
        self.ordinal = np.array([day.toordinal() for day in reading.dates], dtype=np.int64)
        calendars = [school.years[register_year(monday)].calendar for monday in self.mondays]
        days = zip(reading.dates, calendars, strict=True)
        self.met = np.array([[calendar.meets(on, half) for half in HALVES] for on, calendar in days], dtype=bool).reshape(-1, 2)
        self._find_pupils()
        self._read_codes()

    def slot_reasons(self) -> NDArray[np.uint8]:
        """For each slot, why its marks are rejected; 0 if they are not."""
        school, dates = self.school, self.reading.dates
        years_with_terms = {academic_year(on) for year in school.years.values() for on in year.calendar.school_days()}
        has_no_terms = np.array([academic_year(on) not in years_with_terms for on in dates], dtype=bool)
        is_future = np.array([on > school.today for on in dates], dtype=bool)
        is_open = np.array([(school.opened_on or on) <= on <= (school.closed_on or on) for on in dates], dtype=bool)
        is_month_first = self.reading.ambiguous_dates and self.is_likely_month_first()
        return _first_reason(
            _numbered("no-term-dates", (has_no_terms & ~is_future).repeat(2)),
            _numbered("future-date", is_future.repeat(2)),
            _numbered("not-school-day", ~self.met.ravel()),
            _numbered("school-not-open", (~is_open).repeat(2)),
            _numbered("either-way-round", np.full(2 * len(dates), is_month_first)),
        )

    def closures(self, slot: NDArray[np.intp], code_index: NDArray[np.intp], reason: NDArray[np.uint8]) -> NDArray[np.intp]:
        """Indexes of # marks on days the school was closed. Systems fill holidays and days to come with them."""
        if _CLOSED not in self.byte:
            return np.zeros(0, dtype=np.intp)
        is_rejected_for_day = (reason == NUMBER["not-school-day"]) | (reason == NUMBER["future-date"])
        return np.flatnonzero((self.byte.ravel()[code_index] == _CLOSED) & ~self.met.ravel()[slot] & is_rejected_for_day)

    def code_reasons(self) -> NDArray[np.uint8]:
        """For each era, session and code, why it is rejected; 0 if it is not."""
        unknown = np.broadcast_to(self.unknown, self.byte.shape)
        return _first_reason(_numbered("unknown-code", unknown), _numbered("code-not-valid", self.byte == 0))

    def is_likely_month_first(self) -> bool:
        """Whether some date is outside term if read day first, and none is if read month first."""
        calendar = next(iter(self.school.years.values())).calendar
        days = zip(self.reading.dates, self.mondays, self.met, strict=True)
        weeks = set(calendar.school_weeks())
        has_stray_day = any(not met.any() and (on.weekday() >= SATURDAY or monday not in weeks) for on, monday, met in days)
        swapped = [on.replace(month=on.day, day=on.month) if on.day <= 12 else on for on in self.reading.dates]
        return has_stray_day and all(on <= self.school.today and calendar.is_school_day(on) for on in swapped)

    def _find_pupils(self) -> None:
        """Find each pupil on the rolls: their line, their dates, and why their marks are rejected."""
        pupils, school = self.reading.pupils, self.school
        rolls = [school.years[year].roll for year in self.years]
        # One line more than the longest roll has: line -1 (not on the roll) reads it, and finds no dates of leaving.
        width = max(len(roll) for roll in rolls) + 1
        self.line = np.full((len(self.years), len(pupils)), -1, dtype=np.int64)
        self.from_day = np.zeros((len(self.years), width), dtype=np.int64)
        self.until_day = np.full((len(self.years), width), NO_END, dtype=np.int64)
        contradicts = np.zeros(len(pupils), dtype=bool)
        #: Earlier lines of pupils who left and came back: index of the year, index of the pupil, line.
        self.earlier_lines: list[tuple[int, int, int]] = []
        births = np.array([pupil.date_of_birth for pupil in pupils], dtype="datetime64[D]")
        for year, roll in enumerate(rolls):
            lines = np.array([roll.index_by_upn.get(pupil.upn or "", -1) for pupil in pupils], dtype=np.int64)
            self.line[year] = lines
            self.from_day[year, : len(roll)] = roll.on_from.astype(np.int64) + EPOCH
            left = np.flatnonzero(~np.isnat(roll.on_until))
            self.until_day[year, left] = roll.on_until[left].astype(np.int64) + EPOCH
            contradicts |= (lines >= 0) & ~np.isnat(births) & (births != roll.date_of_birth[lines] if len(roll) else False)
            for pupil in np.flatnonzero(np.isin(lines, _lines_of_returners(roll))).tolist():
                self.earlier_lines += [(year, pupil, line) for line in roll.rows_by_upn[pupils[pupil].upn or ""][:-1]]
        #: For each year and pupil, why their marks are rejected; 0 if they are not.
        self.pupil_reasons = _first_reason(
            _numbered("wrong-school", np.broadcast_to(self._names_other_school(), self.line.shape)),
            _numbered("unknown-pupil", self.line < 0),
            _numbered("contradicts-roll", np.broadcast_to(contradicts, self.line.shape)),
        )

    def _names_other_school(self) -> NDArray[np.bool_]:
        """For each pupil, whether the file says they are at another school."""
        numbers = self.school.numbers
        other_numbers = [pupil.school_number if pupil.school_number not in numbers else None for pupil in self.reading.pupils]
        # Of a school without a LAESTAB only the URN is known, which has six digits: another kind of number contradicts nothing.
        return np.array([bool(number) and (len(numbers) > 1 or len(str(number)) == 6) for number in other_numbers], dtype=bool)

    def year_pupil_index(self, pupil: NDArray[np.intp], day: NDArray[np.intp]) -> NDArray[np.intp]:
        """For each mark, the index into a flattened table of years by pupils."""
        return pupil if len(self.years) == 1 else self.year_of_day[day] * len(self.reading.pupils) + pupil

    def lines(self, pupil: NDArray[np.intp], day: NDArray[np.intp]) -> NDArray[np.int64]:
        """For each mark, the pupil's line on the roll that day, or -1 if there is none.

        It is the newest line, except for days within an earlier one of a pupil who left and came back.
        """
        line = self.line.ravel()[self.year_pupil_index(pupil, day)]
        for year, returner, earlier in self.earlier_lines:
            marks = np.flatnonzero(pupil == returner)
            on = self.ordinal[day[marks]]
            is_earlier = (self.from_day[year, earlier] <= on) & (on <= self.until_day[year, earlier])
            line[marks[is_earlier & (self.year_of_day[day[marks]] == year)]] = earlier
        return line

    def off_roll_reasons(self, cell: NDArray[np.intp], line: NDArray[np.int64], day: NDArray[np.intp]) -> NDArray[np.uint8]:
        """For each mark, the reason if the pupil was not on roll that day; otherwise 0.

        Only marks of pupils who joined or left within the dates of the file are checked: they are few.
        """
        years = np.arange(len(self.years))[:, None]
        joined = self.from_day[years, self.line] > self.ordinal.min(initial=NO_END)
        left = self.until_day[years, self.line] < self.ordinal.max(initial=0)
        joined_or_left = joined | left
        for year, returner, _ in self.earlier_lines:
            joined_or_left[year, returner] = True
        marks = np.flatnonzero(joined_or_left.ravel()[cell])
        of_year, on = self.year_of_day[day[marks]], self.ordinal[day[marks]]
        is_off_roll = (self.from_day[of_year, line[marks]] > on) | (self.until_day[of_year, line[marks]] < on)
        reason = np.zeros(line.size, dtype=np.uint8)
        reason[marks] = _numbered("not-on-roll", is_off_roll)
        return reason

    def _read_codes(self) -> None:
        """Read each distinct code in each era and session: its byte (0 if invalid) and any warning."""
        starts = {code.first_day for code in CODES if code.first_day}
        starts |= {code.last_day + timedelta(days=1) for code in CODES if code.last_day}
        changes = sorted(starts)
        self.era = np.searchsorted(np.array([day.toordinal() for day in changes], dtype=np.int64), self.ordinal, side="right")
        texts, refuse_h = self.reading.codes, self.school.policy.withdrawn_holiday is WithdrawnHoliday.REFUSE
        self.byte = np.zeros((len(changes) + 1, 2, len(texts)), dtype=np.uint8)
        self.warning: dict[tuple[int, int, int], str] = {}
        self.unknown = np.zeros(len(texts), dtype=bool)
        for era in sorted(set(self.era.tolist())):
            on = changes[era - 1] if era else changes[0] - timedelta(days=1)
            for index, raw in enumerate(texts):
                text = self.school.local_codes.get(raw, raw)
                for half, session in enumerate(HALVES):
                    read = code_for(text, on, session, one_letter=self.reading.one_letter, refuse_h=refuse_h)
                    if read.code is not None:
                        self.byte[era, half, index] = read.code.byte
                    if read.warning:
                        self.warning[era, half, index] = read.warning
                self.unknown[index] = text not in CODES_BY_SYMBOL
        #: For each slot, where its codes start in the flattened table of eras, sessions and codes.
        self.first_code_index = (self.era.repeat(2) * 2 + np.tile([0, 1], self.era.size)) * len(texts)

    def is_of_school_age(self, pupil: NDArray[np.intp], day: NDArray[np.intp]) -> NDArray[np.bool_]:
        """For each of these marks, whether the pupil was of compulsory school age that day.

        False on days when X was also the code for absence because of COVID-19.
        """
        spans = {}
        answers = np.zeros(pupil.size, dtype=bool)
        # A loop is fast enough, as only marks of X are asked.
        for index, (pupil_index, day_index) in enumerate(zip(pupil.tolist(), day.tolist(), strict=True)):
            if pupil_index not in spans:
                spans[pupil_index] = self._school_age(pupil_index)
            span = spans[pupil_index]
            is_covid = COVID_X.covers(self.reading.dates[day_index])
            answers[index] = span is not None and not is_covid and span[0] <= self.ordinal[day_index] <= span[1]
        return answers

    def _school_age(self, pupil: int) -> tuple[int, int] | None:
        """The ordinals of a pupil's first and last day of compulsory school age; None if not found."""
        for index, year in enumerate(self.years):
            line = int(self.line[index, pupil])
            if line >= 0:
                birth = self.school.years[year].roll.date_of_birth[line].astype(object)
                age = compulsory_school_age(birth, last_friday_inside=self.school.policy.last_friday_inside)
                return age.first_day.toordinal(), age.last_day.toordinal()
        return None

    def warnings(self, reading: Reading, code_index: NDArray[np.intp], accepted: NDArray[np.intp]) -> list[Finding]:
        """Warnings about the codes of accepted marks, such as a corrected slant or an old code."""
        findings: dict[str, Finding] = {}
        accepted_codes = code_index if accepted.size == code_index.size else code_index[accepted]
        times = np.bincount(accepted_codes, minlength=self.byte.size)
        for (era, half, code), sentence in self.warning.items():
            flat_index = (era * len(HALVES) + half) * len(reading.codes) + code
            if times[flat_index]:
                rows = row_ranges(reading.row[accepted[accepted_codes == flat_index]])
                findings[f"{code} {sentence}"] = Finding(
                    "code-read-as", False, None, None, rows, reading.codes[code], sentence, int(times[flat_index])
                )
        return list(findings.values())


def _lines_of_returners(roll: Roll) -> list[int]:
    """The newest line of each pupil who left and came back within the year."""
    return [roll.rows_by_pupil[pupil] for pupil in roll.on_roll_twice]


def _numbered(slug: str, where: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The number of a reason where it applies, and 0 elsewhere."""
    return where.astype(np.uint8) * np.uint8(NUMBER[slug])


def _reject_repeats(reading: Reading, line: NDArray[np.int64], byte: NDArray[np.uint8], reason: NDArray[np.uint8]) -> None:
    """Reject repeated marks for one pupil and session: all if they differ, otherwise all but the first.

    Marks are compared by line of the roll, so a pupil named in two ways counts as one.
    """
    is_accepted = reason == 0
    # Number only the dates in use, so that the array of counts stays small.
    is_used = np.zeros(len(reading.dates), dtype=bool)
    is_used[reading.day[is_accepted]] = True
    used_index = np.cumsum(is_used) - 1
    cells = (line * int(is_used.sum()) + used_index[reading.day]) * 2 + reading.session
    times = np.bincount(cells[is_accepted])
    # Rejected marks may have no line, and so a cell outside the counts.
    cells = np.where(is_accepted, cells, 0)
    repeated = np.flatnonzero(is_accepted & (times[cells] > 1))
    order = repeated[np.argsort(cells[repeated], kind="stable")]
    is_first = np.concatenate(([True], np.diff(cells[order]) != 0))
    first = order[is_first][np.cumsum(is_first) - 1]
    is_different = byte[order] != byte[first]
    contradicts = np.isin(cells[order], cells[order[is_different]])
    reason[order[contradicts]] = NUMBER["contradiction"]
    reason[order[~contradicts & ~is_first]] = NUMBER["repeat"]


def _pages(
    tables: _LookupTables, line: NDArray[np.int64], slot: NDArray[np.intp], byte: NDArray[np.uint8], reason: NDArray[np.uint8]
) -> tuple[dict[date, Marks], NDArray[np.intp]]:
    """The page of each week with the accepted marks, and the indexes of these marks."""
    accepted = np.flatnonzero(reason == 0)
    if not accepted.size:
        return {}, accepted
    if accepted.size < line.size:
        line, slot, byte = line[accepted], slot[accepted], byte[accepted]
    dates = tables.reading.dates
    used_days = np.flatnonzero(np.bincount(slot, minlength=2 * len(dates)).reshape(-1, 2).any(axis=1))
    weeks = sorted({tables.mondays[day] for day in used_days.tolist()})
    index_of_week, lines = {week: index for index, week in enumerate(weeks)}, int(line.max()) + 1
    # All pages are one array, week after week and line after line, so that one assignment writes all marks. Days without marks get
    # a cell too, which no mark uses.
    mornings = [
        index_of_week.get(monday, 0) * lines * SESSIONS + on.weekday() * 2 for on, monday in zip(dates, tables.mondays, strict=True)
    ]
    cell_of_slot = np.array([(morning, morning + 1) for morning in mornings], dtype=np.intp).ravel()
    pages = np.zeros(len(weeks) * lines * SESSIONS, dtype=np.uint8)
    pages[cell_of_slot[slot] + line * SESSIONS] = byte
    return dict(zip(weeks, pages.reshape(len(weeks), lines, SESSIONS), strict=True)), accepted


def _notes(tables: _LookupTables, reading: Reading, pages: Mapping[date, Marks]) -> list[Note]:
    """The notes of accepted marks."""
    notes: list[Note] = []
    for note in reading.notes:
        on, monday = reading.dates[note.day], tables.mondays[note.day]
        line = int(tables.lines(np.array([note.pupil], dtype=np.intp), np.array([note.day], dtype=np.intp))[0])
        page = pages.get(monday)
        if page is not None and 0 <= line < len(page) and page[line, on.weekday() * 2 + note.session]:
            pupil_id = tables.school.years[register_year(monday)].roll.pupil_ids[line]
            notes.append((pupil_id, on, HALVES[note.session], note.minutes_late, note.comment))
    return notes
