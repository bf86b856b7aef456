"""Unique Pupil Numbers: written one way, checked for shape and check letter, never guessed."""

from __future__ import annotations

import re

from portal.pupils.incoming import UPN_LENGTH, check_letter
from portal.uploads.reading.texts import plain

#: Letter, eleven digits, then a digit (permanent) or a letter (temporary). The check letter is a matter for `upn_check`.
_SHAPE = re.compile(r"[A-Z][0-9]{11}[0-9A-Z]", re.ASCII)


def normalised(text: str) -> str:
    """The UPN in capitals without spaces, marks of a spreadsheet and invisible signs. Nothing is added."""
    return plain(text).replace(" ", "").upper()


def shape_problem(upn: str) -> str | None:
    """Why a normalised text cannot be a UPN, as a sentence that says what to do; None when it can be one."""
    if _SHAPE.fullmatch(upn):
        return None
    if len(upn) != UPN_LENGTH:
        return f"This UPN has {len(upn)} characters. Enter the UPN with its 13 characters."
    return "A UPN is a letter, then 12 digits (or 11 digits and a letter). Check it with the school's system."


def upn_check(upn: str) -> str:
    """ "ok", or a sentence: warned, never refused, as many UPNs in use fail the check (UniquePupilNumber 2.0)."""
    text = normalised(upn)
    wrong = shape_problem(text)
    if wrong:
        return wrong
    letter = check_letter(text)
    if letter is None:
        return "The last character of a temporary UPN cannot be I, O or S. Check it with the school's system."
    if letter != text[0]:
        return f"The check letter of this UPN would be {letter}, not {text[0]}. Check it with the school's system."
    return "ok"
