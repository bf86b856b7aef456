"""Checks: every mark of a file asked every question, in arrays, and turned into pages or into a refusal that says where and why."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from portal.registers.pages import SESSIONS
from portal.rules.calendar import HALVES, SATURDAY, academic_year, register_year, week_of
from portal.rules.codes import BY_LETTERS, CODES, COVID_X, code_for
from portal.rules.school_age import compulsory_school_age
from portal.uploads.findings import Finding, read_findings, refused_findings, row_ranges
from portal.uploads.reasons import NUMBER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from portal.pupils.incoming import IncomingPupil
    from portal.pupils.rolls import Roll
    from portal.registers.pages import Marks
    from portal.rules.calendar import Calendar
    from portal.uploads.reading import Reading

_X, _CLOSED = (BY_LETTERS[letters].byte for letters in ("X", "#"))
#: Stands among the reasons, while they are asked, for a mark that is none: the school was closed, and the file says so.
_AGREED = 255
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
    years: Mapping[int, Year] = field(default_factory=dict)

    @property
    def rows_stored(self) -> int:
        """Marks that will be on a page."""
        return self.rows_in - self.rows_refused


def marks_checked(reading: Reading, school: School) -> Checked:
    """Ask every check of every mark. Costs grow with distinct pupils, dates and codes; marks are touched only in arrays."""
    tables = _Tables(reading, school)
    pupil, day = reading.pupil.astype(np.intp), reading.day.astype(np.intp)
    slot = day * 2 + reading.session
    line, place = tables.placed(pupil, day), tables.place_of(pupil, day)
    kind = tables.kind_of_slot[slot] + reading.code
    byte = tables.byte.ravel()[kind]
    reason = _first_asked(
        tables.refused_pupils.ravel()[place],
        tables.refused_slots()[slot],
        tables.off_roll(place, line, day),
        tables.refused_codes().ravel()[kind],
    )
    reason[tables.closures(slot, kind, reason)] = _AGREED
    is_x = np.flatnonzero((byte == _X) & (reason == 0))
    reason[is_x[tables.of_school_age(pupil[is_x], day[is_x])]] = NUMBER["impossible-code"]
    pages, kept = _pages(tables, line, slot, byte, reason)
    if sum(int(np.count_nonzero(page)) for page in pages.values()) < kept.size:
        _refuse_repeats(reading, line, byte, reason)
        pages, kept = _pages(tables, line, slot, byte, reason)
    agreed = np.flatnonzero(reason == _AGREED)
    reason[agreed] = 0
    checked = Checked(pages=pages, missing=reading.missing, reason=reason, years=school.years)
    checked.rows_in = reading.rows_in - agreed.size
    checked.rows_refused = checked.rows_in - kept.size
    checked.notes = _notes(tables, reading, pages)
    if kept.size:
        stored = day[kept]
        checked.first_day, checked.last_day = reading.dates[int(stored.min())], reading.dates[int(stored.max())]
    checked.findings = [*read_findings(reading), *refused_findings(reading, reason), *tables.warnings(reading, kind, kept)]
    return checked


def _first_asked(*reasons: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """For each mark, of several reasons the one that is asked first (the lowest number); 0 where there is none."""
    one = np.uint8(1)
    return functools.reduce(np.minimum, [reason - one for reason in reasons]) + one


class _Tables:
    """Answers for each distinct pupil, day and code, looked up by the arrays."""

    def __init__(self, reading: Reading, school: School) -> None:
        years = sorted({register_year(week_of(day)) for day in reading.dates}) or sorted(school.years)
        self.years = years
        self.reading, self.school = reading, school
        self.mondays = [week_of(day) for day in reading.dates]
        place = {year: number for number, year in enumerate(years)}
        self.year_of_day = np.array([place[register_year(monday)] for monday in self.mondays], dtype=np.intp)
        self.ordinal = np.array([day.toordinal() for day in reading.dates], dtype=np.int64)
        calendars = [school.years[register_year(monday)].calendar for monday in self.mondays]
        days = zip(reading.dates, calendars, strict=True)
        self.met = np.array([[calendar.meets(on, half) for half in HALVES] for on, calendar in days], dtype=bool).reshape(-1, 2)
        self._place_pupils()
        self._read_codes()

    def refused_slots(self) -> NDArray[np.uint8]:
        """For each day's morning and afternoon, why no mark of it is taken; 0 where it may be."""
        school, dates = self.school, self.reading.dates
        held = {academic_year(on) for year in school.years.values() for on in year.calendar.school_days()}
        without_terms = np.array([academic_year(on) not in held for on in dates], dtype=bool)
        future = np.array([on > school.today for on in dates], dtype=bool)
        either_way = self.reading.ambiguous_dates and self.suit_month_first()
        return _first_asked(
            _numbered("no-term-dates", (without_terms & ~future).repeat(2)),
            _numbered("future-date", future.repeat(2)),
            _numbered("not-school-day", ~self.met.ravel()),
            _numbered("either-way-round", np.full(2 * len(dates), either_way)),
        )

    def closures(self, slot: NDArray[np.intp], kind: NDArray[np.intp], reason: NDArray[np.uint8]) -> NDArray[np.intp]:
        """Places of # where the school did not meet: the file and the school's dates agree, and there is no mark to take."""
        if _CLOSED not in self.byte:
            return np.zeros(0, dtype=np.intp)
        of_day = (reason == NUMBER["not-school-day"]) | (reason == NUMBER["future-date"])
        return np.flatnonzero((self.byte.ravel()[kind] == _CLOSED) & ~self.met.ravel()[slot] & of_day)

    def refused_codes(self) -> NDArray[np.uint8]:
        """For each era, half of the day and code, why it is not taken; 0 where it is."""
        unknown = np.broadcast_to(self.unknown, self.byte.shape)
        return _first_asked(_numbered("unknown-code", unknown), _numbered("code-not-valid", self.byte == 0))

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
        contradicts = np.zeros(len(pupils), dtype=bool)
        self.earlier: list[tuple[int, int, int]] = []
        for row, roll in enumerate(rolls):
            lines = np.array([roll.index_by_upn.get(one.upn or "", -1) for one in pupils], dtype=np.int64)
            self.line[row] = lines
            self.from_day[row, : len(roll)] = roll.on_from.astype(np.int64) + EPOCH
            left = np.flatnonzero(~np.isnat(roll.on_until))
            self.until_day[row, left] = roll.on_until[left].astype(np.int64) + EPOCH
            said = np.array([one.date_of_birth for one in pupils], dtype="datetime64[D]")
            contradicts |= (lines >= 0) & ~np.isnat(said) & (said != roll.date_of_birth[lines] if len(roll) else False)
            for number in np.flatnonzero(np.isin(lines, _lines_of_returners(roll))).tolist():
                self.earlier += [(row, number, line) for line in roll.rows_by_upn[pupils[number].upn or ""][:-1]]
        numbers = school.numbers
        # A LAESTAB contradicts nothing at a school whose own nobody has told us: its URN of six digits is all we know.
        named = [one.school_number if one.school_number not in numbers else None for one in pupils]
        wrong_school = np.array([bool(one) and (len(numbers) > 1 or len(str(one)) == URN_DIGITS) for one in named], dtype=bool)
        #: For each year and pupil, why no mark of theirs is taken; 0 where it may be.
        self.refused_pupils = _first_asked(
            _numbered("wrong-school", np.broadcast_to(wrong_school, self.line.shape)),
            _numbered("unknown-pupil", self.line < 0),
            _numbered("contradicts-roll", np.broadcast_to(contradicts, self.line.shape)),
        )

    def place_of(self, pupil: NDArray[np.intp], day: NDArray[np.intp]) -> NDArray[np.intp]:
        """Each mark's place in the tables of years by pupils."""
        return pupil if len(self.years) == 1 else self.year_of_day[day] * len(self.reading.pupils) + pupil

    def placed(self, pupil: NDArray[np.intp], day: NDArray[np.intp]) -> NDArray[np.int64]:
        """Each mark's line: the pupil's newest, or the earlier one of a pupil who left and came back; -1 for no pupil here."""
        line = self.line.ravel()[self.place_of(pupil, day)]
        for row, number, earlier in self.earlier:
            mine = np.flatnonzero(pupil == number)
            on = self.ordinal[day[mine]]
            then = (self.from_day[row, earlier] <= on) & (on <= self.until_day[row, earlier]) & (self.year_of_day[day[mine]] == row)
            line[mine[then]] = earlier
        return line

    def off_roll(self, place: NDArray[np.intp], line: NDArray[np.int64], day: NDArray[np.intp]) -> NDArray[np.uint8]:
        """The reason of marks on a day the pupil was not on roll: only pupils who came or went within the file's days are asked."""
        rows = np.arange(len(self.years))[:, None]
        came_or_went = (self.from_day[rows, self.line] > self.ordinal.min(initial=EVER)) | (
            self.until_day[rows, self.line] < self.ordinal.max(initial=0)
        )
        for row, number, _ in self.earlier:
            came_or_went[row, number] = True
        some = np.flatnonzero(came_or_went.ravel()[place])
        year, on = self.year_of_day[day[some]], self.ordinal[day[some]]
        reason = np.zeros(line.size, dtype=np.uint8)
        reason[some] = _numbered("not-on-roll", (self.from_day[year, line[some]] > on) | (self.until_day[year, line[some]] < on))
        return reason

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
        self.kind_of_slot = (self.era.repeat(2) * 2 + np.tile([0, 1], self.era.size)) * len(texts)

    def of_school_age(self, pupil: NDArray[np.intp], day: NDArray[np.intp]) -> NDArray[np.bool_]:
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

    def warnings(self, reading: Reading, kinds: NDArray[np.intp], kept: NDArray[np.intp]) -> list[Finding]:
        """What is worth knowing of marks that were kept: a slant put right, an old code, a pupil's odd UPN."""
        found: dict[str, Finding] = {}
        times = np.bincount(kinds if kept.size == kinds.size else kinds[kept], minlength=self.byte.size)
        for (era, half, number), sentence in self.warning.items():
            place = (era * len(HALVES) + half) * len(reading.codes) + number
            if times[place]:
                rows = row_ranges(reading.row[kept[kinds[kept] == place]])
                found[f"{number} {sentence}"] = Finding(
                    "code-read-as", False, None, None, rows, reading.codes[number], sentence, int(times[place])
                )
        return list(found.values())


def _lines_of_returners(roll: Roll) -> list[int]:
    """The newest line of each pupil who left and came back within the year."""
    return [roll.rows_by_pupil[pupil] for pupil in roll.on_roll_twice]


def _numbered(slug: str, where: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A reason's number where it holds, 0 elsewhere."""
    return where.astype(np.uint8) * np.uint8(NUMBER[slug])


def _refuse_repeats(reading: Reading, line: NDArray[np.int64], byte: NDArray[np.uint8], reason: NDArray[np.uint8]) -> None:
    """Two marks for one pupil and session, however named: the same keeps the first, different ones refuse both."""
    open_ = reason == 0
    used = np.zeros(len(reading.dates), dtype=bool)
    used[reading.day[open_]] = True
    place = np.cumsum(used) - 1
    cells = (line * int(used.sum()) + place[reading.day]) * 2 + reading.session
    times = np.bincount(cells[open_])
    cells = np.where(open_, cells, 0)
    several = np.flatnonzero(open_ & (times[cells] > 1))
    order = several[np.argsort(cells[several], kind="stable")]
    starts = np.concatenate(([True], np.diff(cells[order]) != 0))
    first = order[starts][np.cumsum(starts) - 1]
    differs = byte[order] != byte[first]
    torn = np.isin(cells[order], cells[order[differs]])
    reason[order[torn]] = NUMBER["contradiction"]
    reason[order[~torn & ~starts]] = NUMBER["repeat"]


def _pages(
    tables: _Tables, line: NDArray[np.int64], slot: NDArray[np.intp], byte: NDArray[np.uint8], reason: NDArray[np.uint8]
) -> tuple[dict[date, Marks], NDArray[np.intp]]:
    """Scatter the marks that are taken over the weeks they belong to; which marks they are."""
    kept = np.flatnonzero(reason == 0)
    if not kept.size:
        return {}, kept
    if kept.size < line.size:
        line, slot, byte = line[kept], slot[kept], byte[kept]
    dates = tables.reading.dates
    used = np.flatnonzero(np.bincount(slot, minlength=2 * len(dates)).reshape(-1, 2).any(axis=1))
    weeks = sorted({tables.mondays[number] for number in used.tolist()})
    place, lines = {week: number for number, week in enumerate(weeks)}, int(line.max()) + 1
    first = [place.get(monday, 0) * lines * SESSIONS + on.weekday() * 2 for on, monday in zip(dates, tables.mondays, strict=True)]
    cell = np.array([(one, one + 1) for one in first], dtype=np.intp).ravel()
    whole = np.zeros(len(weeks) * lines * SESSIONS, dtype=np.uint8)
    whole[cell[slot] + line * SESSIONS] = byte
    return dict(zip(weeks, whole.reshape(len(weeks), lines, SESSIONS), strict=True)), kept


def _notes(tables: _Tables, reading: Reading, pages: Mapping[date, Marks]) -> list[Note]:
    """The notes of marks that were kept, on the pupils they are about."""
    found: list[Note] = []
    for note in reading.notes:
        on, monday = reading.dates[note.day], tables.mondays[note.day]
        line = int(tables.placed(np.array([note.pupil], dtype=np.intp), np.array([note.day], dtype=np.intp))[0])
        page = pages.get(monday)
        if page is not None and 0 <= line < len(page) and page[line, on.weekday() * 2 + note.session]:
            pupil_id = tables.school.years[register_year(monday)].roll.pupil_ids[line]
            found.append((pupil_id, on, HALVES[note.session], note.minutes_late, note.comment))
    return found
