"""Checks: every mark of a file asked every question, in arrays, and turned into pages or into a refusal that says where and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from portal.registers.pages import SESSIONS
from portal.rules.calendar import HALVES, SATURDAY, academic_year, academic_year_name, register_year, week_of
from portal.rules.codes import BY_LETTERS, CODES, COVID_X, code_for
from portal.rules.school_age import compulsory_school_age
from portal.uploads.reasons import ABOUT_CODE, ABOUT_DAY, ABOUT_FILE, ABOUT_PUPIL, ABOUT_YEAR, REASONS, SLUGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from portal.pupils.incoming import IncomingPupil
    from portal.pupils.rolls import Roll
    from portal.registers.pages import Marks
    from portal.rules.calendar import Calendar
    from portal.uploads.reading import Problem, Reading

_NUMBER = {slug: place + 1 for place, slug in enumerate(SLUGS)}
_X = BY_LETTERS["X"].byte
URN_DIGITS, MONTHS = 6, 12
EVER, EPOCH = np.iinfo(np.int64).max, date(1970, 1, 1).toordinal()


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


#: Minutes late or a comment with a mark that was kept: pupil, day, "AM" or "PM", minutes, comment.
Note = tuple[UUID, date, str, int | None, str | None]


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
    notes: list[Note] = field(default_factory=list)
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
    line = tables.placed(pupil, day)
    year = tables.year_of_day[day]
    refuse("wrong-school", tables.wrong_school[pupil])
    refuse("no-term-dates", tables.without_terms[day])
    refuse("unknown-pupil", line < 0)
    refuse("contradicts-roll", tables.contradicts[pupil])
    refuse("future-date", tables.future[day])
    refuse("not-school-day", ~tables.met[day, reading.session])
    refuse("either-way-round", np.full(day.shape, reading.ambiguous_dates and tables.suit_month_first()))
    refuse(
        "not-on-roll", (tables.from_day[year, line] > tables.ordinal[day]) | (tables.until_day[year, line] < tables.ordinal[day])
    )
    byte = tables.byte[tables.era[day], reading.session, reading.code]
    refuse("unknown-code", tables.unknown[reading.code])
    refuse("code-not-valid", byte == 0)
    is_x = np.flatnonzero((byte == _X) & (reason == 0))
    of_age = np.zeros(reason.size, dtype=bool)
    of_age[is_x] = tables.of_school_age(pupil[is_x], day[is_x])
    refuse("impossible-code", of_age)
    _refuse_repeats(reading, line, byte, reason)
    kept = reason == 0
    checked = Checked(rows_in=reading.rows_in, missing=reading.missing, reason=reason)
    checked.rows_refused = reading.rows_in - int(kept.sum())
    checked.pages = _pages(tables, line[kept], day[kept], reading.session[kept], byte[kept])
    checked.notes = _notes(tables, reading, checked.pages)
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
        calendars = [school.years[register_year(monday)].calendar for monday in self.mondays]
        days = zip(reading.dates, calendars, strict=True)
        self.met = np.array([[calendar.meets(on, half) for half in HALVES] for on, calendar in days], dtype=bool).reshape(-1, 2)
        held = {academic_year(on) for year in school.years.values() for on in year.calendar.school_days()}
        self.without_terms = np.array([academic_year(on) not in held for on in reading.dates], dtype=bool)
        self._place_pupils()
        self._read_codes()

    def suit_month_first(self) -> bool:
        """Read day first, does a day fall on a weekend or outside term, where read month first none does?"""
        calendar = next(iter(self.school.years.values())).calendar
        days = zip(self.reading.dates, self.mondays, self.met, strict=True)
        weeks = set(calendar.school_weeks())
        astray = any(not met.any() and (on.weekday() >= SATURDAY or monday not in weeks) for on, monday, met in days)
        turned = [on.replace(month=on.day, day=on.month) if on.day <= MONTHS else on for on in self.reading.dates]
        return astray and all(on <= self.school.today and calendar.is_school_day(on) for on in turned)

    def _place_pupils(self) -> None:
        pupils, school = self.reading.pupils, self.school
        rolls = [school.years[year].roll for year in self.years]
        most = max(len(roll) for roll in rolls) + 1
        self.line = np.full((len(self.years), len(pupils)), -1, dtype=np.int64)
        self.from_day = np.zeros((len(self.years), most), dtype=np.int64)
        self.until_day = np.full((len(self.years), most), EVER, dtype=np.int64)
        self.contradicts = np.zeros(len(pupils), dtype=bool)
        self.earlier: list[tuple[int, int, int]] = []
        for row, roll in enumerate(rolls):
            lines = np.array([roll.index_by_upn.get(one.upn or "", -1) for one in pupils], dtype=np.int64)
            self.line[row] = lines
            self.from_day[row, : len(roll)] = roll.on_from.astype(np.int64) + EPOCH
            left = np.flatnonzero(~np.isnat(roll.on_until))
            self.until_day[row, left] = roll.on_until[left].astype(np.int64) + EPOCH
            for number in np.flatnonzero(lines >= 0).tolist():
                born = pupils[number].date_of_birth
                self.contradicts[number] |= born is not None and np.datetime64(born) != roll.date_of_birth[lines[number]]
            for number in np.flatnonzero(np.isin(lines, _lines_of_returners(roll))).tolist():
                self.earlier += [(row, number, line) for line in roll.rows_by_upn[pupils[number].upn or ""][:-1]]
        numbers = school.numbers
        # A LAESTAB contradicts nothing at a school whose own nobody has told us: its URN of six digits is all we know.
        named = [one.school_number if one.school_number not in numbers else None for one in pupils]
        self.wrong_school = np.array([bool(one) and (len(numbers) > 1 or len(str(one)) == URN_DIGITS) for one in named], dtype=bool)

    def placed(self, pupil: NDArray[np.int32], day: NDArray[np.int32]) -> NDArray[np.int64]:
        """Each mark's line: the pupil's newest, or the earlier one of a pupil who left and came back; -1 for no pupil here."""
        line = self.line[self.year_of_day[day], pupil]
        for row, number, earlier in self.earlier:
            mine = np.flatnonzero(pupil == number)
            on = self.ordinal[day[mine]]
            then = (self.from_day[row, earlier] <= on) & (on <= self.until_day[row, earlier]) & (self.year_of_day[day[mine]] == row)
            line[mine[then]] = earlier
        return line

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
        kind = (self.era[reading.day] * len(HALVES) + reading.session) * len(reading.codes) + reading.code
        times = np.bincount(kind[kept], minlength=self.byte.size)
        for (era, half, number), sentence in self.warning.items():
            place = (era * len(HALVES) + half) * len(reading.codes) + number
            if times[place]:
                rows = row_ranges(reading.row[kept & (kind == place)])
                found[f"{number} {sentence}"] = Finding(
                    "code-read-as", False, None, None, rows, reading.codes[number], sentence, int(times[place])
                )
        return list(found.values())


def _lines_of_returners(roll: Roll) -> list[int]:
    """The newest line of each pupil who left and came back within the year."""
    return [roll.rows_by_pupil[pupil] for pupil in roll.on_roll_twice]


def _refuse_repeats(reading: Reading, line: NDArray[np.int64], byte: NDArray[np.uint8], reason: NDArray[np.uint8]) -> None:
    """Two marks for one pupil and session, however named: the same keeps the first, different ones refuse both."""
    open_ = reason == 0
    if not open_.any():
        return
    used = np.zeros(len(reading.dates), dtype=bool)
    used[reading.day[open_]] = True
    place = np.cumsum(used) - 1
    cells = (line * int(used.sum()) + place[reading.day]) * 2 + reading.session
    times = np.bincount(cells[open_])
    if times.max(initial=0) < 2:  # noqa: PLR2004  one mark a cell
        return
    cells = np.where(open_, cells, 0)
    several = np.flatnonzero(open_ & (times[cells] > 1))
    order = several[np.argsort(cells[several], kind="stable")]
    starts = np.concatenate(([True], np.diff(cells[order]) != 0))
    first = order[starts][np.cumsum(starts) - 1]
    differs = byte[order] != byte[first]
    torn = np.isin(cells[order], cells[order[differs]])
    reason[order[torn]] = _NUMBER["contradiction"]
    reason[order[~torn & ~starts]] = _NUMBER["repeat"]


def _pages(
    tables: _Tables, line: NDArray[np.int64], day: NDArray[np.int32], session: NDArray[np.uint8], byte: NDArray[np.uint8]
) -> dict[date, Marks]:
    """Scatter the marks that were kept over the weeks they belong to."""
    if not day.size:
        return {}
    weeks = sorted({tables.mondays[number] for number in np.unique(day).tolist()})
    place = {week: number for number, week in enumerate(weeks)}
    week_of_day = np.array([place.get(monday, -1) for monday in tables.mondays], dtype=np.intp)
    weekday = np.array([on.weekday() for on in tables.reading.dates], dtype=np.intp)
    whole = np.zeros((len(weeks), int(line.max()) + 1, SESSIONS), dtype=np.uint8)
    whole[week_of_day[day], line, weekday[day] * 2 + session] = byte
    return {week: whole[number] for number, week in enumerate(weeks)}


def _notes(tables: _Tables, reading: Reading, pages: Mapping[date, Marks]) -> list[Note]:
    """The notes of marks that were kept, on the pupils they are about."""
    found: list[Note] = []
    for note in reading.notes:
        on, monday = reading.dates[note.day], tables.mondays[note.day]
        line = int(tables.placed(np.array([note.pupil], dtype=np.int32), np.array([note.day], dtype=np.int32))[0])
        page = pages.get(monday)
        if page is not None and 0 <= line < len(page) and page[line, on.weekday() * 2 + note.session]:
            pupil_id = tables.school.years[register_year(monday)].roll.pupil_ids[line]
            found.append((pupil_id, on, HALVES[note.session], note.minutes_late, note.comment))
    return found


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


def _refused_findings(reading: Reading, reason: NDArray[np.uint8]) -> list[Finding]:
    """The refusals of the checks, one finding for each reason, column and value."""
    refused = np.flatnonzero(reason)
    if not refused.size:
        return []

    def is_about(slugs: Sequence[str]) -> NDArray[np.bool_]:
        return np.isin(reason, [_NUMBER[slug] for slug in slugs])

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
