"""Files as schools really send them, in several layouts, with mistakes at known places and the key to every one."""

from __future__ import annotations

import csv
import io
import unicodedata
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from portal.demonstration.entries import HALVES, extract
from portal.demonstration.streams import stream
from portal.pupils.incoming import PLAIN_LETTERS
from portal.rules.school_age import is_compulsory_school_age

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np

    from portal.demonstration.entries import Extract
    from portal.demonstration.plans import Plan, Pupil

#: What goes wrong, whether the mark must then be refused, and how it shows.
REFUSED = (
    "unknown-code", "unknown-pupil", "future-date", "not-school-day", "not-on-roll", "impossible-code", "contradiction",
    "repeat",
)  # fmt: skip
READ_ANYWAY = ("wrong-slant", "old-code", "untidy-code", "minutes-in-cell")
TITLE_ROWS = 3
HEADERS = ("UPN", "Surname", "Forename", "DOB", "Year", "Reg Group", "Date", "Session", "Mark", "Mins Late")
DATE, SESSION, MARK, MINUTES = 6, 7, 8, 9
FRIDAY = 4
OWN_MARKS = {"+": "V", "7": "I"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a file: where it stands (row from 1, as a spreadsheet counts), what stands there, and the truth.

    `kind` is one of `REFUSED` (the mark must be refused), `READ_ANYWAY` (kept, with a word), "own-mark" (refused until the
    school says what it stands for) or "missing" (no mark: nothing may be made of it). `truth` is what the mark should be.
    """

    kind: str
    row: int
    column: str
    value: str
    upn: str
    on: date
    session: str
    truth: str


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file a school sends: its bytes, the layout, how many marks it holds, and everything wrong with it."""

    name: str
    urn: str
    layout: str
    content: bytes
    marks: int
    faults: tuple[Fault, ...] = ()

    @property
    def answer_key(self) -> dict[str, int]:
        """How many faults there are of each kind."""
        found: dict[str, int] = {}
        for fault in self.faults:
            found[fault.kind] = found.get(fault.kind, 0) + 1
        return found

    @property
    def refused(self) -> int:
        """How many of its marks must be refused; the others must all be kept."""
        return sum(fault.kind in REFUSED or fault.kind == "own-mark" for fault in self.faults)


@dataclass(slots=True)
class _Sheet:
    """Rows being spoiled: `rows` as written, `about` the pupil, day and session of each."""

    rows: list[list[str]] = field(default_factory=list)
    about: list[tuple[Pupil, date, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    spoiled: set[int] = field(default_factory=set)

    def add(self, row: list[str], pupil: Pupil, on: date, session: str) -> int:
        self.rows.append(row)
        self.about.append((pupil, on, session))
        return len(self.rows) - 1

    def fault(self, kind: str, place: int, column: int, truth: str) -> None:
        """Note a fault at a place and leave that place alone from now on."""
        _, on, session = self.about[place]
        row = self.rows[place]
        number = place + TITLE_ROWS + 2
        self.faults.append(Fault(kind, number, HEADERS[column], row[column], row[0], on, session, truth))
        self.spoiled.add(place)


def long_file(plan: Plan, urn: str, academic_year: int, weeks: Sequence[int], *, spoil: bool = True) -> SentFile:
    """A row for each mark, as CSV in Windows-1252 with three title rows, UK dates and a totals row at the bottom.

    With `spoil`, every kind of fault is put in at places drawn from the plan's seed; the key tells all of them.
    """
    found = extract(plan, urn, academic_year, weeks)
    sheet = _clean(found)
    if spoil:
        _spoil(sheet, found, stream(plan.seed, "dirt", int(urn), academic_year))
    school = plan.school(urn)
    titles = [[f"{school.name} - registration marks"], [f"DfE {school.laestab[:3]}/{school.laestab[3:]}"], []]
    total = [f"Total: {len(sheet.rows)} rows"]
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([*titles, list(HEADERS), *sheet.rows, total])
    marks = sum(bool(row[MARK].strip(" -")) for row in sheet.rows)
    name = f"Marks {found.weeks[0]:%d.%m.%y} {urn}.csv"
    return SentFile(name, urn, "long", in_windows(text.getvalue()), marks, tuple(sheet.faults))


def in_windows(text: str) -> bytes:
    """Text in Windows-1252, letters it does not have written without their marks, as older systems do."""
    return text.translate({ord(sign): _plain(sign) for sign in set(text) if not _is_in_windows(sign)}).encode(
        "cp1252", errors="replace"
    )


def _is_in_windows(sign: str) -> bool:
    try:
        sign.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _plain(sign: str) -> str:
    lower = sign.lower().translate(PLAIN_LETTERS)
    base = unicodedata.normalize("NFKD", lower)[0]
    return base.upper() if sign.isupper() else base


def _clean(found: Extract) -> _Sheet:
    sheet = _Sheet()
    for row in found.rows_on_roll():
        line, pupil = found.lines[row], found.pupils[row]
        who = [
            pupil.upn, pupil.surname, pupil.forename, f"{pupil.date_of_birth:%d/%m/%Y}",
            f"Year {line.year_group:>2}" if line.year_group != "R" else "Reception", line.registration_group,
        ]  # fmt: skip
        for week, weekday, on in found.days():
            for half, session in enumerate(HALVES):
                letters = found.letters[row][week][weekday * 2 + half]
                if letters:
                    minutes = str(3 + (row * 7 + weekday) % 25) if letters == "L" else ""
                    sheet.add([*who, f"{on:%d/%m/%Y}", session, letters, minutes], pupil, on, session)
    return sheet


def _spoil(sheet: _Sheet, found: Extract, draw: np.random.Generator) -> None:
    """Put in each kind of fault a few times, never two in one row."""
    order = [int(place) for place in draw.permutation(len(sheet.rows))]
    take = iter(order)
    _spoil_marks(sheet, take)
    _spoil_pupils(sheet, found, take)
    _spoil_days(sheet, found, take)
    _forget(sheet, found, take)
    _repeat(sheet, take)


def _next(sheet: _Sheet, take: Iterator[int], wanted: Callable[[list[str]], bool] = lambda _row: True) -> int:
    """The next row nobody has spoiled that is as wanted."""
    return next(place for place in take if place not in sheet.spoiled and wanted(sheet.rows[place]))


def _put(sheet: _Sheet, place: int, kind: str, value: str, truth: str | None = None) -> None:
    """Write a value over a mark and note it."""
    row = sheet.rows[place]
    truth = row[MARK] if truth is None else truth
    row[MARK] = value
    sheet.fault(kind, place, MARK, truth)


def _is_present(row: list[str]) -> bool:
    return row[MARK] in {"/", "\\"}


def _spoil_marks(sheet: _Sheet, take: Iterator[int]) -> None:
    for value in ("Z1", "Q9", "?", "PRES"):
        _put(sheet, _next(sheet, take, _is_present), "unknown-code", value)
    for value, truth in OWN_MARKS.items():
        for _ in range(2):
            _put(sheet, _next(sheet, take, _is_present), "own-mark", value, truth)
    for _ in range(6):
        place = _next(sheet, take, _is_present)
        _put(sheet, place, "wrong-slant", "\\" if sheet.rows[place][MARK] == "/" else "/")
    _put(sheet, _next(sheet, take, _is_present), "old-code", "H", "C")
    for _ in range(3):
        place = _next(sheet, take, lambda row: row[MARK] in {"I", "O", "M", "G", "C"})
        _put(sheet, place, "untidy-code", f" {sheet.rows[place][MARK].lower()} ")
    late = next((n for n, row in enumerate(sheet.rows) if row[MARK] == "L" and n not in sheet.spoiled), None)
    if late is not None:
        minutes, sheet.rows[late][MINUTES] = sheet.rows[late][MINUTES], ""
        _put(sheet, late, "minutes-in-cell", f"L ({minutes})", "L")
    for _ in range(2):
        place = _next(sheet, take, _is_present)
        while not is_compulsory_school_age(sheet.about[place][0].date_of_birth, sheet.about[place][1]):
            place = _next(sheet, take, _is_present)
        _put(sheet, place, "impossible-code", "X")


def _spoil_pupils(sheet: _Sheet, found: Extract, take: Iterator[int]) -> None:
    """Rows of a pupil who goes to another school."""
    here = {pupil.number for pupil in found.pupils}
    stranger = next(pupil for pupil in found.plan.pupils if pupil.number not in here)
    for _ in range(2):
        place = _next(sheet, take)
        row, truth = sheet.rows[place], sheet.rows[place][MARK]
        copy = [stranger.upn, stranger.surname, stranger.forename, f"{stranger.date_of_birth:%d/%m/%Y}", *row[4:]]
        added = sheet.add(copy, stranger, *sheet.about[place][1:])
        sheet.fault("unknown-pupil", added, 0, truth)
        sheet.spoiled.add(place)


def _spoil_days(sheet: _Sheet, found: Extract, take: Iterator[int]) -> None:
    """Rows for a day still to come, for a Saturday, and for a pupil who had left."""
    saturday = found.weeks[0] + timedelta(days=5)
    ahead = found.plan.today + timedelta(days=14 - found.plan.today.weekday())
    for kind, on in (("future-date", ahead), ("future-date", ahead), ("not-school-day", saturday)):
        place = _next(sheet, take, _is_present)
        pupil, _, session = sheet.about[place]
        copy = [*sheet.rows[place][:DATE], f"{on:%d/%m/%Y}", *sheet.rows[place][SESSION:]]
        sheet.fault(kind, sheet.add(copy, pupil, on, session), DATE, "")
        sheet.spoiled.add(place)
    for line, pupil in zip(found.lines, found.pupils, strict=True):
        if line.on_roll_until is not None and line.on_roll_until < found.weeks[0]:
            row = sheet.rows[_next(sheet, take, _is_present)]
            on, session = date(int(row[DATE][6:]), int(row[DATE][3:5]), int(row[DATE][:2])), row[SESSION]
            who = [pupil.upn, pupil.surname, pupil.forename, f"{pupil.date_of_birth:%d/%m/%Y}"]
            sheet.fault("not-on-roll", sheet.add([*who, *row[4:]], pupil, on, session), DATE, "")
            break


def _forget(sheet: _Sheet, found: Extract, take: Iterator[int]) -> None:
    """Marks left out: a whole class's last Friday afternoon, and a few single ones, blank or as a dash."""
    group = found.lines[next(found.rows_on_roll())].registration_group
    for place, row in enumerate(sheet.rows):
        _, on, session = sheet.about[place]
        if row[5] == group and session == "PM" and on == found.weeks[0] + timedelta(days=FRIDAY) and place not in sheet.spoiled:
            _put(sheet, place, "missing", "")
    for number in range(8):
        _put(sheet, _next(sheet, take), "missing", "-" if number % 2 else "")


def _repeat(sheet: _Sheet, take: Iterator[int]) -> None:
    """A mark given twice, and a session given two different marks: then neither can be kept."""
    for _ in range(2):
        place = _next(sheet, take)
        sheet.spoiled.add(place)
        sheet.fault("repeat", sheet.add(list(sheet.rows[place]), *sheet.about[place]), MARK, sheet.rows[place][MARK])
    for _ in range(2):
        place = _next(sheet, take, _is_present)
        truth = sheet.rows[place][MARK]
        copy = sheet.add([*sheet.rows[place][:MARK], "I", ""], *sheet.about[place])
        sheet.fault("contradiction", place, MARK, truth)
        sheet.fault("contradiction", copy, MARK, truth)
