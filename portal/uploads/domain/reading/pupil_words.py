"""Words in the columns of a pupil list, each as the code it stands for. A word that stands for none is said, not dropped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from portal.tabular.cells import clean_value, shortened
from portal.uploads.domain.reading.parsing import parse_yes_no

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.uploads.domain.reading.builder import ReadingBuilder

Value = TypeVar("Value")

UNREAD_WORD = "“{}” was not understood, and was left out. Use the words or codes of the school census."
#: A code before or after its words: "K - SEN support", "EHC plan (E)".
_CODE_FIRST = re.compile(r"([A-Z]{1,3})\s*[-:(]")
_CODE_LAST = re.compile(r"\(([A-Z]{1,3})\)$")
_BRACKETS = re.compile(r"\([^)]*\)")

SEXES = {"F": "F", "FEMALE": "F", "GIRL": "F", "M": "M", "MALE": "M", "BOY": "M"}
SEN_PROVISIONS = {
    "N": "N",
    "K": "K",
    "E": "E",
    "S": "E",
    "A": "K",
    "P": "K",
    "NONE": "N",
    "NO SEN": "N",
    "NO SPECIAL EDUCATIONAL NEED": "N",
    "SEN SUPPORT": "K",
    "EHCP": "E",
    "EHC PLAN": "E",
    "EDUCATION, HEALTH AND CARE PLAN": "E",
}
ENROLMENT_STATUSES = {
    "C": "C",
    "M": "M",
    "S": "S",
    "F": "F",
    "O": "O",
    "CURRENT": "C",
    "SINGLE": "C",
    "SINGLE REGISTRATION": "C",
    "CURRENT SINGLE REGISTRATION": "C",
    "MAIN": "M",
    "CURRENT MAIN": "M",
    "DUAL REGISTRATION - MAIN": "M",
    "MAIN DUAL REGISTRATION": "M",
    "DUAL MAIN": "M",
    "SUBSIDIARY": "S",
    "CURRENT SUBSIDIARY": "S",
    "DUAL REGISTRATION - SUBSIDIARY": "S",
    "SUBSIDIARY DUAL REGISTRATION": "S",
    "DUAL SUBSIDIARY": "S",
    "FE COLLEGE": "F",
    "FURTHER EDUCATION COLLEGE": "F",
    "OTHER PROVIDER": "O",
}
#: The census says whether a parent (P) or the school (S) identified a young carer.
YOUNG_CARERS = {"P": "yes", "PARENT": "yes", "S": "yes", "SCHOOL": "yes"}


def parse_sex(text: str) -> str | None:
    """F or M, or None."""
    return _code(text, SEXES)


def parse_sen_provision(text: str) -> str | None:
    """N, K or E, or None."""
    return _code(text, SEN_PROVISIONS)


def parse_enrolment_status(text: str) -> str | None:
    """C, M, S, F or O, or None. A guest has none of them: another school registers the pupil."""
    return _code(text, ENROLMENT_STATUSES)


def parse_flag(text: str) -> str | None:
    """The words "yes" or "no", as characteristics have them; or None."""
    answer = parse_yes_no(_leading_word(text))
    return None if answer is None else "yes" if answer else "no"


def parse_young_carer(text: str) -> str | None:
    """Yes or no, or who identified a young carer; None for anything else."""
    return _code(text, YOUNG_CARERS) or parse_flag(text)


def parse_answer(text: str) -> bool | None:
    """Yes or no, with anything after a dash or in brackets left out; or None."""
    flag = parse_flag(text)
    return None if flag is None else flag == "yes"


def _leading_word(text: str) -> str:
    return re.split(r"\s*[-–(,:]", clean_value(text), maxsplit=1)[0]


def _code(text: str, codes: dict[str, str]) -> str | None:
    """The code of a text.

    That of its whole words, of those outside brackets, or a code that stands before or after them.
    """
    words = " ".join(clean_value(text).upper().replace("–", "-").split())
    outside = " ".join(_BRACKETS.sub(" ", words).split())
    matches = (_CODE_FIRST.match(words), _CODE_LAST.search(words))
    candidates = [words, *(match[1] for match in matches if match), outside]
    return next((codes[candidate] for candidate in candidates if candidate in codes), None)


def read_word(
    builder: ReadingBuilder, parse: Callable[[str], Value | None], text: str, *, row: int, column: str | int, sheet: int = 0
) -> Value | None:
    """What a word of a row stands for, with a warning if it stands for nothing known."""
    value = parse(text) if text else None
    if text and value is None:
        number, name = (column, None) if isinstance(column, int) else (0, column)
        sentence = UNREAD_WORD.format(shortened(clean_value(text)))
        builder.add_problem("unread-word", sentence, sheet=sheet, row=row, column=number, column_name=name, value=text, count=0)
    return value
