"""The register's codes: what each means, the class it counts in, and the dates it may be used.

The School Attendance (Pupil Registration) (England) Regulations 2024 (SI 2024/208), regulation 10, Tables 1 to 3, in
force since 19 August 2024; the statistical classes are those of "Working together to improve school attendance".
`Z` and `#` are guidance only and are never collected. Codes withdrawn on that day stay readable, because stored
registers are never rewritten.
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
    "CATEGORY_NAMES",
    "CODES",
    "CODES_BY_BYTE",
    "CODES_BY_SYMBOL",
    "CURRENT_CODES",
    "DAY_BEFORE_REGULATIONS",
    "NOT_MARKS",
    "REGULATIONS_START",
    "THRESHOLD_CODES",
    "Category",
    "Code",
    "CodeAnswer",
    "check_age",
    "code_for",
    "is_mark",
    "normalised",
]

#: The day the 2024 regulations (SI 2024/208), their codes and the national framework came into force.
REGULATIONS_START = date(2024, 8, 19)
DAY_BEFORE_REGULATIONS = REGULATIONS_START - timedelta(days=1)
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
    """One register code.

    `letters` is the code as it is written in a register, such as G, C1 or /. `byte` has its class in the top three
    bits and a number that is never reused in the low five. `first_day` and `last_day` bound its use (None: no bound).
    `possible`: the session counts in the denominator of a rate. `threshold`: it counts towards a penalty notice.
    `sickness`: it counts in the sickness return.
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


#: Whether a present mark is for the morning and for the afternoon. Every other code is for both.
_HALVES = {"/": (True, False), "\\": (False, True)}
_NEW_IN_2024 = frozenset({"C1", "C2", "J1", "K", "Q", "Y1", "Y2", "Y3", "Y4", "Y5", "Y6", "Y7"})
_LEGACY = frozenset({"H", "F", "J", "Y"})
_ADMINISTRATIVE = frozenset({"Z", "#"})


def _code(category: Category, row: Row) -> Code:
    symbol, number, meaning, source, note = row
    morning, afternoon = _HALVES.get(symbol, (True, True))
    return Code(
        letters=symbol,
        meaning=meaning,
        category=category,
        byte=category << 5 | number,
        morning=morning,
        afternoon=afternoon,
        first_day=REGULATIONS_START if symbol in _NEW_IN_2024 else None,
        last_day=DAY_BEFORE_REGULATIONS if symbol in _LEGACY else None,
        possible=category in POSSIBLE,
        threshold=category is Category.UNAUTHORISED,
        sickness=symbol == "I",
        administrative=symbol in _ADMINISTRATIVE,
        legacy=symbol in _LEGACY,
        source=source,
        note=note,
    )


#: Every code the portal can store: the 34 current ones, and H, F, J and Y from before 19 August 2024.
CODES: tuple[Code, ...] = tuple(_code(category, row) for category, rows in ROWS for row in rows)
CODES_BY_SYMBOL: Mapping[str, Code] = MappingProxyType({code.letters: code for code in CODES})
CODES_BY_BYTE: Mapping[int, Code] = MappingProxyType({code.byte: code for code in CODES})
CURRENT_CODES: tuple[Code, ...] = tuple(code for code in CODES if not code.legacy)
#: The codes that count towards a penalty notice: G, N, O and U.
THRESHOLD_CODES = frozenset(code.letters for code in CODES if code.threshold)
#: Bytes of cells that hold no mark: the empty one, and # and Z, which are never collected.
NOT_MARKS = frozenset({0, *(code.byte for code in CODES if code.administrative)})

#: Cells without a mark.
_MISSING = frozenset({"", "-"})
#: Withdrawn codes that are accepted after 2024 with a warning. F and Y are rejected.
_STILL_ACCEPTED = frozenset({"H"})
#: What a school enters now in place of a code that has ended.
REPLACED_BY: Mapping[str, str] = MappingProxyType({"F": "C or G", "H": "C or G", "J": "J1", "Y": "Q, or one of Y1 to Y7"})
_SHORT_FORMS: Mapping[str, str] = MappingProxyType({"C": "C, C1 or C2", "J": "J1", "Y": "one of Y1 to Y7"})


@dataclass(frozen=True, slots=True)
class CodeAnswer:
    """What the text of a register cell means on a day.

    `code` is None when the mark is missing (blank or "-") or when `problem` says why it is rejected. A `warning` comes
    with a code that is accepted, and says what a person may want to check.
    """

    code: Code | None
    warning: str | None = None
    problem: str | None = None

    @property
    def missing(self) -> bool:
        """Whether no mark was made. A missing mark is never read as present or absent."""
        return self.code is None and self.problem is None


def is_mark(byte: int) -> bool:
    """Whether a cell's byte is a mark. An empty cell is none, nor is one with # or Z."""
    return byte not in NOT_MARKS


def normalised(text: str) -> str:
    """A cell's text as the code list writes it: no outer spaces, upper case, full-width forms made plain."""
    # NFKC turns no-break spaces into plain ones and full-width letters into ASCII.
    return unicodedata.normalize("NFKC", text).strip().upper()


def code_for(
    text: str, on: date, session: Half, *, one_letter: bool = False, refuse_h: bool = False, dob: date | None = None
) -> CodeAnswer:
    """Read a register cell: a code, perhaps with a warning, or a problem, or a missing mark.

    `one_letter` is for the mark strings of a Common Transfer File, where C, J and Y may be the short form of a code of
    two characters. `refuse_h` rejects H once it was withdrawn, where the authority wants that. With a date of birth the
    pupil's age is checked too (X, W).
    """
    symbol = normalised(text)
    if symbol in _MISSING:
        return CodeAnswer(None)
    code = CODES_BY_SYMBOL.get(symbol)
    if code is None:
        return CodeAnswer(None, problem=f"“{symbol}” is not an attendance code. Enter a code from the DfE list.")
    if symbol in _HALVES:
        return _present_for(session, code)
    if refuse_h and symbol == "H" and not code.may_be_used(on):
        return CodeAnswer(None, problem="“H” ended on 18 August 2024. Enter C for leave in exceptional circumstances, otherwise G.")
    answer = _check_date(code, on, one_letter=one_letter)
    if dob is None or answer.code is None:
        return answer
    return _combined(answer, check_age(answer.code, on, dob))


def _present_for(session: Half, code: Code) -> CodeAnswer:
    # The pupil was present whichever slash was used, so the wrong one is corrected with a warning, not rejected.
    right = CODES_BY_SYMBOL["/" if session == "AM" else "\\"]
    if code is right:
        return CodeAnswer(code)
    half = "morning" if session == "AM" else "afternoon"
    warning = f"“{code.letters}” was used in the {half}. It is read as present: “{right.letters}”."
    return CodeAnswer(right, warning=warning)


def _check_date(code: Code, on: date, *, one_letter: bool) -> CodeAnswer:
    symbol = code.letters
    # Before the dates of use, because J and Y ended in 2024 but as short forms may stand for codes still in use.
    if one_letter and symbol in _SHORT_FORMS and on >= REGULATIONS_START:
        stands_for = _SHORT_FORMS[symbol]
        return CodeAnswer(code, warning=f"“{symbol}” may be short for {stands_for}. Ask the school for the full code.")
    if code.may_be_used(on):
        return CodeAnswer(code)
    if symbol in _STILL_ACCEPTED:
        counted = CATEGORY_NAMES[code.category].lower()
        return CodeAnswer(code, warning=f"“{symbol}” ended on 18 August 2024. It is counted as {counted}.")
    if code.legacy:
        return CodeAnswer(None, problem=f"“{symbol}” ended on 18 August 2024. Enter {REPLACED_BY[symbol]}.")
    return CodeAnswer(None, problem=f"“{symbol}” began on 19 August 2024. Enter the code in use on that day.")


def check_age(code: Code, on: date, dob: date) -> CodeAnswer:
    """Check a code against a pupil's age on a day.

    X is never right at compulsory school age (SI 2024/208, regulation 10, Table 3), and W seldom before Year 10.
    """
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


def _combined(first: CodeAnswer, second: CodeAnswer) -> CodeAnswer:
    if second.problem is not None:
        return second
    warnings = [warning for warning in (first.warning, second.warning) if warning is not None]
    return CodeAnswer(second.code, warning=" ".join(warnings) or None)
