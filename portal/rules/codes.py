"""The register's codes: what each letter means, the class it counts in, and the dates it may be used.

The School Attendance (Pupil Registration) (England) Regulations 2024 (SI 2024/208), regulation 10, Tables 1 to 3, in
force since 19 August 2024; the statistical classes are those of "Working together to improve school attendance".
`Z` and `#` are guidance only and are never collected. Codes withdrawn on that day stay readable, because history is
kept as it was recorded.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from portal.rules.calendar import Half, Span, academic_year
from portal.rules.code_table import ROWS, Category, Row
from portal.rules.school_age import age_at_start, is_compulsory_school_age

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BY_BYTE",
    "BY_LETTERS",
    "CATEGORY_NAMES",
    "CODES",
    "CODES_OF_2024",
    "CURRENT",
    "DAY_BEFORE",
    "THRESHOLD_LETTERS",
    "Category",
    "Code",
    "CodeAnswer",
    "code_for",
    "folded",
    "for_pupil",
]

#: The day the 2024 regulations, their codes and the national framework came into force.
CODES_OF_2024 = date(2024, 8, 19)
DAY_BEFORE = CODES_OF_2024 - timedelta(days=1)
#: In these two academic years DfE also used X for pupils told not to attend because of COVID-19.
COVID_X = Span(date(2020, 9, 1), date(2022, 8, 31))
#: Ages at the start of the last two years of compulsory schooling (Years 10 and 11): the usual ages for code W.
WORK_EXPERIENCE_AGES = (14, 15)


CATEGORY_NAMES: Mapping[Category, str] = MappingProxyType(
    {
        Category.PRESENT: "Present",
        Category.APPROVED: "Approved educational activity",
        Category.AUTHORISED: "Authorised absence",
        Category.UNAUTHORISED: "Unauthorised absence",
        Category.NOT_POSSIBLE: "Not a possible session",
    }
)
POSSIBLE = frozenset({Category.PRESENT, Category.APPROVED, Category.AUTHORISED, Category.UNAUTHORISED})
ABSENT = frozenset({Category.AUTHORISED, Category.UNAUTHORISED})


@dataclass(frozen=True, slots=True)
class Code:
    """One register code. `byte` is its class in the top three bits and a number never reused in the low five.

    `first_day` and `last_day` are when it may be used (None: no such end). `possible`: the session counts in the
    denominator. `threshold`: it counts towards a penalty notice. `sickness`: it feeds the sickness return.
    """

    letters: str
    meaning: str
    category: Category
    byte: int
    morning: bool
    afternoon: bool
    first_day: date | None
    last_day: date | None
    possible: bool
    threshold: bool
    sickness: bool
    administrative: bool
    legacy: bool
    source: str
    note: str

    @property
    def attended(self) -> bool:
        """Whether the pupil counts as attending."""
        return self.category in {Category.PRESENT, Category.APPROVED}

    @property
    def absent(self) -> bool:
        """Whether the session counts as missed."""
        return self.category in ABSENT

    def may_be_used(self, on: date) -> bool:
        """Whether the code was, or is, in use on a day."""
        return (self.first_day is None or on >= self.first_day) and (self.last_day is None or on <= self.last_day)


_HALVES = {"/": (True, False), "\\": (False, True)}
_NEW_IN_2024 = frozenset({"C1", "C2", "J1", "K", "Q", "Y1", "Y2", "Y3", "Y4", "Y5", "Y6", "Y7"})
_LEGACY = frozenset({"H", "F", "J", "Y"})
_ADMINISTRATIVE = frozenset({"Z", "#"})


def _code(category: Category, row: Row) -> Code:
    letters, number, meaning, source, note = row
    morning, afternoon = _HALVES.get(letters, (True, True))
    return Code(
        letters=letters,
        meaning=meaning,
        category=category,
        byte=category << 5 | number,
        morning=morning,
        afternoon=afternoon,
        first_day=CODES_OF_2024 if letters in _NEW_IN_2024 else None,
        last_day=DAY_BEFORE if letters in _LEGACY else None,
        possible=category in POSSIBLE,
        threshold=category is Category.UNAUTHORISED,
        sickness=letters == "I",
        administrative=letters in _ADMINISTRATIVE,
        legacy=letters in _LEGACY,
        source=source,
        note=note,
    )


#: Every code the portal can hold: the 34 current ones, and H, F, J and Y from before 19 August 2024.
CODES: tuple[Code, ...] = tuple(_code(category, row) for category, rows in ROWS for row in rows)
BY_LETTERS: Mapping[str, Code] = MappingProxyType({code.letters: code for code in CODES})
BY_BYTE: Mapping[int, Code] = MappingProxyType({code.byte: code for code in CODES})
CURRENT: tuple[Code, ...] = tuple(code for code in CODES if not code.legacy)
#: The codes that count towards a penalty notice: G, N, O and U.
THRESHOLD_LETTERS = frozenset(code.letters for code in CODES if code.threshold)

_MISSING = frozenset({"", "-"})
_STILL_ACCEPTED = frozenset({"H", "J"})
_SHORT_FORMS: Mapping[str, str] = MappingProxyType({"C": "C, C1 or C2", "J": "J1", "Y": "one of Y1 to Y7"})


@dataclass(frozen=True, slots=True)
class CodeAnswer:
    """What the letters in a register cell stand for on a day.

    `code` is None when the mark is missing (blank or "-") or when `problem` says why it can't be taken. A `warning`
    goes with a code that is taken, and says what a person may want to check.
    """

    code: Code | None
    warning: str | None = None
    problem: str | None = None

    @property
    def missing(self) -> bool:
        """No mark was made: never to be read as present or absent."""
        return self.code is None and self.problem is None


def folded(text: str) -> str:
    """A cell's letters as the code list writes them: spaces trimmed, upper case, full-width forms made plain."""
    return unicodedata.normalize("NFKC", text).strip().upper()


def code_for(text: str, on: date, session: Half, *, one_letter: bool = False, dob: date | None = None) -> CodeAnswer:
    """What the letters mean for a session on a day: a code, perhaps with a warning; or a problem; or a missing mark.

    `one_letter` is for the mark strings of a Common Transfer File, where C, J and Y may be the short form of a code of
    two characters. With a date of birth the pupil's age is checked too (X, W).
    """
    letters = folded(text)
    if letters in _MISSING:
        return CodeAnswer(None)
    code = BY_LETTERS.get(letters)
    if code is None:
        return CodeAnswer(None, problem=f"“{letters}” is not an attendance code. Enter a code from the DfE list.")
    if letters in _HALVES:
        return _slanted(code, session)
    answer = _dated(code, on, one_letter=one_letter)
    if dob is None or answer.code is None:
        return answer
    return _both(answer, for_pupil(answer.code, on, dob))


def _slanted(code: Code, session: Half) -> CodeAnswer:
    right = BY_LETTERS["/" if session == "AM" else "\\"]
    if code is right:
        return CodeAnswer(code)
    half = "morning" if session == "AM" else "afternoon"
    warning = f"“{code.letters}” was used in the {half}. It is read as present: “{right.letters}”."
    return CodeAnswer(right, warning=warning)


def _dated(code: Code, on: date, *, one_letter: bool) -> CodeAnswer:
    letters = code.letters
    if one_letter and letters in _SHORT_FORMS and on >= CODES_OF_2024:
        stands_for = _SHORT_FORMS[letters]
        return CodeAnswer(code, warning=f"“{letters}” may be short for {stands_for}. Ask the school for the full code.")
    if code.may_be_used(on):
        return CodeAnswer(code)
    if letters in _STILL_ACCEPTED:
        counted = CATEGORY_NAMES[code.category].lower()
        return CodeAnswer(code, warning=f"“{letters}” ended on 18 August 2024. It is counted as {counted}.")
    if code.legacy:
        return CodeAnswer(None, problem=f"“{letters}” ended on 18 August 2024. Enter the code that replaced it.")
    return CodeAnswer(None, problem=f"“{letters}” began on 19 August 2024. Enter the code in use on that day.")


def for_pupil(code: Code, on: date, dob: date) -> CodeAnswer:
    """Whether a code fits a pupil's age on a day: X never does at compulsory school age, W seldom before Year 10."""
    if code.letters == "X" and is_compulsory_school_age(dob, on):
        if COVID_X.covers(on):
            return CodeAnswer(code, warning="In 2020/21 and 2021/22 X was also used because of COVID-19.")
        return CodeAnswer(
            None,
            problem="X can't be used for a pupil of compulsory school age. Use C2 for an agreed part-time timetable.",
        )
    if code.letters == "W" and age_at_start(dob, academic_year(on)) not in WORK_EXPERIENCE_AGES:
        return CodeAnswer(code, warning="W is for the last two years of compulsory schooling. Check the pupil's year.")
    return CodeAnswer(code)


def _both(first: CodeAnswer, second: CodeAnswer) -> CodeAnswer:
    if second.problem is not None:
        return second
    warnings = [warning for warning in (first.warning, second.warning) if warning is not None]
    return CodeAnswer(second.code, warning=" ".join(warnings) or None)
