"""What one cell says: a mark, two marks, minutes late beside a mark, or nothing. Codes stay as written; checks judge them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from portal.rules.codes import BY_LETTERS
from portal.uploads.reading.texts import plain

#: A blank cell and SIMS's "-" both mean that no mark was entered.
MISSING = frozenset({"", "-", "--"})
_LONGEST = 60
_MINUTES = re.compile(r"([A-Z/\\#][0-9]?) ?\( ?(\d{1,3}) ?(?:M|MIN|MINS|MINUTES)?\.? ?\)")
_BETWEEN = re.compile(r" *[ ,;|] *")
_SLANTS = frozenset("/\\")
_KNOWN = frozenset(BY_LETTERS) | {"-"}

TWO_CODES = "The cell holds two codes. Enter one code for each session."
ONE_OF_TWO = "The cell stands for a whole day. Enter both codes, morning first, such as /\\ or I/."
NOT_SPLIT = "The cell stands for a whole day, and its two codes cannot be told apart. Enter them with a space between, such as C1 /."


@dataclass(frozen=True, slots=True)
class CellRead:
    """A cell of a column that holds one session, or of one that holds a whole day. `problem` is a sentence.

    `parts` are code texts, one or two; a missing mark is "" or "-". `minutes` go with the first part.
    """

    parts: tuple[str, ...]
    minutes: int | None = None
    kind: str | None = None
    problem: str | None = None


def code_text(text: str) -> str:
    """A code as it is compared: trimmed, capitals, full-width forms made plain."""
    return plain(text[: _LONGEST * 2]).upper()[:_LONGEST]


def one_session(text: str) -> CellRead:
    """Read a cell that stands for one session."""
    code = code_text(text)
    if code in MISSING:
        return CellRead(("-" if code else "",))
    if code in BY_LETTERS:
        return CellRead((code,))
    late = _MINUTES.fullmatch(code)
    if late:
        return CellRead((late[1],), minutes=int(late[2]))
    if _is_two(code):
        return CellRead((code,), kind="two-codes", problem=TWO_CODES)
    return CellRead((code,))


def whole_day(text: str) -> CellRead:
    """Read a cell that stands for a whole day: two marks, or none. "#" closes both sessions."""
    code = code_text(text)
    if code in MISSING:
        return CellRead(("-", "-") if code else ("", ""))
    if code == "#":
        return CellRead(("#", "#"))
    parts = [part for part in _BETWEEN.split(code) if part]
    if len(parts) == 2:  # noqa: PLR2004  morning and afternoon
        first = one_session(parts[0])
        return CellRead((first.parts[0], one_session(parts[1]).parts[0]), minutes=first.minutes)
    ways = [(code[:cut], code[cut:]) for cut in range(1, len(code)) if code[:cut] in _KNOWN and code[cut:] in _KNOWN]
    if code in BY_LETTERS and not ways:
        return CellRead((code,), kind="one-code-for-a-day", problem=ONE_OF_TWO)
    if len(ways) == 1 and code not in BY_LETTERS:
        return CellRead(ways[0])
    return CellRead((code,), kind="codes-not-split", problem=NOT_SPLIT)


def _is_two(code: str) -> bool:
    """Two codes where one belongs? Only when certain: known codes with a gap between, or a slant beside another."""
    parts = _BETWEEN.split(code)
    if len(parts) == 2 and all(part in _KNOWN for part in parts):  # noqa: PLR2004  morning and afternoon
        return True
    cuts = range(1, len(code))
    return bool(_SLANTS & set(code)) and any(code[:cut] in _KNOWN and code[cut:] in _KNOWN for cut in cuts)


_NUMBER = re.compile(r"(\d{1,3})(?:\.0+)? ?(?:M|MIN|MINS|MINUTES)?\.?")
_CLOCK = re.compile(r"0?0:(\d{2})(?::00)?")


def minutes_of(text: str) -> int | None:
    """Minutes late as a whole number; None for a blank, a 0 and what is no number of minutes."""
    found = _NUMBER.fullmatch(plain(text[:_LONGEST]).upper()) or _CLOCK.fullmatch(plain(text[:_LONGEST]))
    return int(found[1]) or None if found else None
