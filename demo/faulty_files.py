"""Files as schools really send them, with faults at known places and an answer key."""

from __future__ import annotations

import csv
import io
import unicodedata
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from demo.extracts import extract
from demo.seeded_random import stream
from portal.pupils.domain.incoming import PLAIN_LETTERS
from portal.rules.calendar import HALVES
from portal.rules.school_age import is_compulsory_school_age

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np

    from demo.extracts import Extract
    from demo.plans import Plan, Pupil

#: Kinds of fault for which a mark must be rejected, and kinds that are read anyway.
REJECTED = (
    "unknown-code",
    "unknown-pupil",
    "future-date",
    "not-school-day",
    "not-on-roll",
    "impossible-code",
    "contradiction",
    "repeat",
    "code-not-valid",
)
READ_ANYWAY = ("wrong-slant", "untidy-code", "minutes-in-cell")
TITLE_ROWS = 3
HEADERS = ("UPN", "Surname", "Forename", "DOB", "Year", "Reg Group", "Date", "Session", "Mark", "Mins Late")
DATE, SESSION, MARK, MINUTES = 6, 7, 8, 9
FRIDAY = 4
LOCAL_CODES = {"+": "V", "7": "I"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in a file: its place, the value there and the truth.

    `row` counts from 1, as a spreadsheet does. `kind` is one of `REJECTED` (the mark must be rejected), `READ_ANYWAY` (stored,
    with a note), "own-mark" (rejected until the school maps its local code) or "missing" (no mark, and none may be made up).
    `truth` is what the mark should be.
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
    """A file that a school sends: its bytes, layout, number of marks and faults."""

    name: str
    urn: str
    layout: str
    content: bytes
    marks: int
    faults: tuple[Fault, ...] = ()

    @property
    def answer_key(self) -> dict[str, int]:
        """How many faults there are of each kind."""
        counts: dict[str, int] = {}
        for fault in self.faults:
            counts[fault.kind] = counts.get(fault.kind, 0) + 1
        return counts

    @property
    def rejected(self) -> int:
        """How many of its marks must be rejected. All others must be stored."""
        return sum(fault.kind in REJECTED or fault.kind == "own-mark" for fault in self.faults)


@dataclass(slots=True)
class _DraftFile:
    """The rows of a file while faults are added.

    `about` holds the pupil, day and session of each row; `faulty` the indexes of rows that have a fault or are copied.
    """

    rows: list[list[str]] = field(default_factory=list)
    about: list[tuple[Pupil, date, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    faulty: set[int] = field(default_factory=set)

    def add(self, row: list[str], pupil: Pupil, on: date, session: str) -> int:
        self.rows.append(row)
        self.about.append((pupil, on, session))
        return len(self.rows) - 1

    def add_fault(self, kind: str, index: int, column: int, truth: str) -> None:
        """Record a fault in a row. The row gets no other fault."""
        _, on, session = self.about[index]
        row = self.rows[index]
        number = index + TITLE_ROWS + 2
        self.faults.append(Fault(kind, number, HEADERS[column], row[column], row[0], on, session, truth))
        self.faulty.add(index)


def long_file(plan: Plan, urn: str, academic_year: int, weeks: Sequence[int], *, with_faults: bool = True) -> SentFile:
    """A row for each mark, as CSV in Windows-1252.

    Three title rows come first and a totals row last; dates are UK dates. With `with_faults`, every kind of fault is added in
    rows drawn from the plan's seed, and listed in the answer key.
    """
    source = extract(plan, urn, academic_year, weeks)
    draft = _without_faults(source)
    if with_faults:
        _add_faults(draft, source, stream(plan.seed, "dirt", int(urn), academic_year))
    school = plan.school(urn)
    titles = [[f"{school.name} - registration marks"], [f"DfE {school.laestab[:3]}/{school.laestab[3:]}"], []]
    total = [f"Total: {len(draft.rows)} rows"]
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([*titles, list(HEADERS), *draft.rows, total])
    marks = sum(bool(row[MARK].strip(" -")) for row in draft.rows)
    name = f"Marks {source.weeks[0]:%d.%m.%y} {urn}.csv"
    return SentFile(name, urn, "long", encode_windows(text.getvalue()), marks, tuple(draft.faults))


def encode_windows(text: str) -> bytes:
    """Text in Windows-1252. Letters it does not have lose their accents, as in older systems."""
    return text.translate(
        {ord(character): _without_accent(character) for character in set(text) if not _is_in_windows_1252(character)}
    ).encode("cp1252", errors="replace")


def _is_in_windows_1252(character: str) -> bool:
    try:
        character.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _without_accent(character: str) -> str:
    lower = character.lower().translate(PLAIN_LETTERS)
    base = unicodedata.normalize("NFKD", lower)[0]
    return base.upper() if character.isupper() else base


def _without_faults(source: Extract) -> _DraftFile:
    draft = _DraftFile()
    for row in source.rows_on_roll():
        line, pupil = source.lines[row], source.pupils[row]
        pupil_cells = [
            pupil.upn,
            pupil.surname,
            pupil.forename,
            f"{pupil.date_of_birth:%d/%m/%Y}",
            f"Year {line.year_group:>2}" if line.year_group != "R" else "Reception",
            line.registration_group,
        ]
        for week, weekday, on in source.days():
            for half, session in enumerate(HALVES):
                code = source.codes[row][week][weekday * 2 + half]
                if code:
                    minutes = str(3 + (row * 7 + weekday) % 25) if code == "L" else ""
                    draft.add([*pupil_cells, f"{on:%d/%m/%Y}", session, code, minutes], pupil, on, session)
    return draft


def _add_faults(draft: _DraftFile, source: Extract, rng: np.random.Generator) -> None:
    """Add each kind of fault a few times, never two in one row."""
    order = [int(index) for index in rng.permutation(len(draft.rows))]
    candidates = iter(order)
    _add_mark_faults(draft, candidates)
    _add_pupil_faults(draft, source, candidates)
    _add_day_faults(draft, source, candidates)
    _remove_marks(draft, source, candidates)
    _add_repeats(draft, candidates)


def _next_row(draft: _DraftFile, candidates: Iterator[int], is_wanted: Callable[[list[str]], bool] = lambda _row: True) -> int:
    """The next row without a fault that is wanted."""
    return next(index for index in candidates if index not in draft.faulty and is_wanted(draft.rows[index]))


def _replace_mark(draft: _DraftFile, index: int, kind: str, value: str, truth: str | None = None) -> None:
    """Replace a mark by a wrong value, and record the fault."""
    row = draft.rows[index]
    truth = row[MARK] if truth is None else truth
    row[MARK] = value
    draft.add_fault(kind, index, MARK, truth)


def _is_present(row: list[str]) -> bool:
    return row[MARK] in {"/", "\\"}


def _add_mark_faults(draft: _DraftFile, candidates: Iterator[int]) -> None:
    for value in ("Z1", "Q9", "?", "PRES"):
        _replace_mark(draft, _next_row(draft, candidates, _is_present), "unknown-code", value)
    for value, truth in LOCAL_CODES.items():
        for _ in range(2):
            _replace_mark(draft, _next_row(draft, candidates, _is_present), "own-mark", value, truth)
    for _ in range(6):
        index = _next_row(draft, candidates, _is_present)
        _replace_mark(draft, index, "wrong-slant", "\\" if draft.rows[index][MARK] == "/" else "/")
    _replace_mark(draft, _next_row(draft, candidates, _is_present), "code-not-valid", "H", "C")
    for _ in range(3):
        index = _next_row(draft, candidates, lambda row: row[MARK] in {"I", "O", "M", "G", "C"})
        _replace_mark(draft, index, "untidy-code", f" {draft.rows[index][MARK].lower()} ")
    late_index = next((index for index, row in enumerate(draft.rows) if row[MARK] == "L" and index not in draft.faulty), None)
    if late_index is not None:
        minutes, draft.rows[late_index][MINUTES] = draft.rows[late_index][MINUTES], ""
        _replace_mark(draft, late_index, "minutes-in-cell", f"L ({minutes})", "L")
    for _ in range(2):
        index = _next_row(draft, candidates, _is_present)
        while not is_compulsory_school_age(draft.about[index][0].date_of_birth, draft.about[index][1]):
            index = _next_row(draft, candidates, _is_present)
        _replace_mark(draft, index, "impossible-code", "X")


def _add_pupil_faults(draft: _DraftFile, source: Extract, candidates: Iterator[int]) -> None:
    """Add rows of a pupil who goes to another school."""
    numbers = {pupil.number for pupil in source.pupils}
    other_pupil = next(pupil for pupil in source.plan.pupils if pupil.number not in numbers)
    for _ in range(2):
        index = _next_row(draft, candidates)
        row, truth = draft.rows[index], draft.rows[index][MARK]
        row_copy = [other_pupil.upn, other_pupil.surname, other_pupil.forename, f"{other_pupil.date_of_birth:%d/%m/%Y}", *row[4:]]
        added_index = draft.add(row_copy, other_pupil, *draft.about[index][1:])
        draft.add_fault("unknown-pupil", added_index, 0, truth)
        draft.faulty.add(index)


def _add_day_faults(draft: _DraftFile, source: Extract, candidates: Iterator[int]) -> None:
    """Add rows for a future day, for a Saturday, and for a pupil who had left."""
    saturday = source.weeks[0] + timedelta(days=5)
    future = source.plan.today + timedelta(days=14 - source.plan.today.weekday())
    for kind, on in (("future-date", future), ("future-date", future), ("not-school-day", saturday)):
        index = _next_row(draft, candidates, _is_present)
        pupil, _, session = draft.about[index]
        row_copy = [*draft.rows[index][:DATE], f"{on:%d/%m/%Y}", *draft.rows[index][SESSION:]]
        draft.add_fault(kind, draft.add(row_copy, pupil, on, session), DATE, "")
        draft.faulty.add(index)
    for line, pupil in zip(source.lines, source.pupils, strict=True):
        if line.on_roll_until is not None and line.on_roll_until < source.weeks[0]:
            row = draft.rows[_next_row(draft, candidates, _is_present)]
            on, session = date(int(row[DATE][6:]), int(row[DATE][3:5]), int(row[DATE][:2])), row[SESSION]
            pupil_cells = [pupil.upn, pupil.surname, pupil.forename, f"{pupil.date_of_birth:%d/%m/%Y}"]
            draft.add_fault("not-on-roll", draft.add([*pupil_cells, *row[4:]], pupil, on, session), DATE, "")
            break


def _remove_marks(draft: _DraftFile, source: Extract, candidates: Iterator[int]) -> None:
    """Remove one class's Friday afternoon in the first week, and a few single marks."""
    group = source.lines[next(source.rows_on_roll())].registration_group
    for index, row in enumerate(draft.rows):
        _, on, session = draft.about[index]
        if row[5] == group and session == "PM" and on == source.weeks[0] + timedelta(days=FRIDAY) and index not in draft.faulty:
            _replace_mark(draft, index, "missing", "")
    for number in range(8):
        _replace_mark(draft, _next_row(draft, candidates), "missing", "-" if number % 2 else "")


def _add_repeats(draft: _DraftFile, candidates: Iterator[int]) -> None:
    """Repeat some marks, and contradict others: of two different marks for a session neither can be stored."""
    for _ in range(2):
        index = _next_row(draft, candidates)
        draft.faulty.add(index)
        draft.add_fault("repeat", draft.add(list(draft.rows[index]), *draft.about[index]), MARK, draft.rows[index][MARK])
    for _ in range(2):
        index = _next_row(draft, candidates, _is_present)
        truth = draft.rows[index][MARK]
        second_index = draft.add([*draft.rows[index][:MARK], "I", ""], *draft.about[index])
        draft.add_fault("contradiction", index, MARK, truth)
        draft.add_fault("contradiction", second_index, MARK, truth)
