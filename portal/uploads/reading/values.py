"""Values of a pupil's fields written one way: year groups, yes and no, sex, SEN provision, school numbers."""

from __future__ import annotations

import re

from portal.pupils.incoming import YEAR_GROUPS
from portal.uploads.reading.texts import plain

_YEAR = re.compile(r"(?:YEAR|YR|Y|NC ?YEAR|NCY)? *0?(\d{1,2})(?:\.0)?")
_LONGEST = 60
_YEAR_WORDS = {
    "RECEPTION": "R", "REC": "R", "YEAR R": "R", "YR": "R", "YEARR": "R", "FOUNDATION": "R", "F2": "R", "YR R": "R",
    "NURSERY 1": "N1", "NURSERY 2": "N2", "NURSERY1": "N1", "NURSERY2": "N2", "YEAR N1": "N1", "YEAR N2": "N2",
    "MIXED": "M", "NOT FOLLOWED": "X", "NOT APPLICABLE": "X",
}  # fmt: skip
_LAST_YEAR = 14
_YES = frozenset({"Y", "YES", "TRUE", "T", "1", "X", "✓", "✔"})
_NO = frozenset({"N", "NO", "FALSE", "F", "0", "NONE", "-"})
_SEX = {"F": "F", "FEMALE": "F", "GIRL": "F", "2": "F", "M": "M", "MALE": "M", "BOY": "M", "1": "M"}
_SEN = {
    "N": "N", "NONE": "N", "NO": "N", "NO SEN": "N", "NO SPECIAL EDUCATIONAL NEED": "N", "NO SPECIAL EDUCATIONAL NEEDS": "N", "0": "N", "FALSE": "N",
    "K": "K", "SEN SUPPORT": "K", "SUPPORT": "K", "SEN": "K", "A": "K", "P": "K",
    "E": "E", "EHCP": "E", "EHC": "E", "EHC PLAN": "E", "EDUCATION, HEALTH AND CARE PLAN": "E", "EDUCATION HEALTH AND CARE PLAN": "E", "S": "E",
}  # fmt: skip
_ENROLMENT = {"CURRENT": "C", "SINGLE": "C", "SINGLE REGISTRATION": "C", "MAIN": "M", "CURRENT MAIN": "M", "MAIN DUAL": "M", "SUBSIDIARY": "S", "GUEST": "G"}
_ENROLMENT |= {"FE COLLEGE": "F", "OTHER": "O", "OTHER PROVIDER": "O", "SUBSIDIARY DUAL": "S", "CURRENT SUBSIDIARY": "S", "ON ROLL": "C"}
_CARER = {"PARENT": "P", "IDENTIFIED BY PARENT": "P", "SCHOOL": "S", "IDENTIFIED BY SCHOOL": "S", "NOT DECLARED": "N", "NO": "N", "YES": "Y"}
_NUMBER = re.compile(r"\d{6,7}")
_DFE_NUMBER = re.compile(r"(\d{3})[ /\-]*(\d{4})")


def year_group(text: str) -> str | None:
    """A year group as the school census writes it (NCyearActual): "Year  7", "Y07" and "7" are "7", Reception is "R"."""
    said = " ".join(plain(text[:_LONGEST]).upper().split())
    if said in YEAR_GROUPS:
        return said
    if said in _YEAR_WORDS:
        return _YEAR_WORDS[said]
    found = _YEAR.fullmatch(said)
    number = int(found[1]) if found else -1
    if number == 0:
        return "R"
    return str(number) if 1 <= number <= _LAST_YEAR else None


def yes_or_no(text: str) -> bool | None:
    """True, False, or None where the text says neither."""
    said = plain(text[:_LONGEST]).upper()
    if said in _YES:
        return True
    return False if said in _NO else None


def sex(text: str) -> str | None:
    """F or M, None for anything else."""
    return _SEX.get(plain(text[:_LONGEST]).upper())


def sen_provision(text: str) -> str | None:
    """N, K or E; the older S (statement) is E, A and P are K."""
    return _SEN.get(plain(text[:_LONGEST]).upper())


def enrolment_status(text: str) -> str | None:
    """C, M, S, F, O or G."""
    said = plain(text[:_LONGEST]).upper()
    return said if said in {"C", "M", "S", "F", "O", "G"} else _ENROLMENT.get(said)


def young_carer(text: str) -> str | None:
    """P, S, N or, where only yes is said, Y."""
    said = plain(text[:_LONGEST]).upper()
    if said in {"P", "S", "N"}:
        return said
    answer = yes_or_no(said)
    return _CARER.get(said) or (None if answer is None else "NY"[answer])


def school_number(text: str) -> str | None:
    """A URN (6 digits) or a DfE number (7, with or without a slash); None for a name and for anything else."""
    said = plain(text[:_LONGEST]).removesuffix(".0")
    dfe = _DFE_NUMBER.fullmatch(said)
    if dfe:
        return dfe[1] + dfe[2]
    return said if _NUMBER.fullmatch(said) else None


def split_name(text: str) -> tuple[str, str] | None:
    """Surname and forename of "Surname, Forename"; None when there is no comma to tell them apart."""
    surname, comma, forename = text.partition(",")
    return (surname.strip(), forename.strip()) if comma and surname.strip() and forename.strip() else None
