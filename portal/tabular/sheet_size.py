"""The size of a sheet, found from its raw XML before a reader allocates memory for it."""

from __future__ import annotations

import re

import numpy as np

#: A row or cell reference: the letters of the column (none for a row), then the number of the row.
_REFERENCE = re.compile(rb"\sr\s{0,9}=\s{0,9}[\"']([A-Za-z]{0,9})(\d{1,18})[\"']")
_SPACES = bytes.maketrans(b"\t\r\n", b"   ")
#: The longest reference read in arrays: three letters and seven digits, and some to spare.
LONGEST = 16
#: The bit that makes an ASCII letter lower case.
LOWER_CASE_BIT = ord("a") - ord("A")


def sheet_extent(block: bytes) -> tuple[int, int]:
    """The last column and last row in a block of XML, each from 1; 0 if none."""
    # UTF-16 is read as ASCII: references have no other characters.
    block = block.replace(b"\x00", b"").translate(_SPACES)
    if b" =" in block or b"= " in block or b"='" in block:
        return _extent_by_pattern(block)
    raw = np.frombuffer(block + b" " * (LONGEST + 3), dtype=np.uint8)
    position = (
        np.flatnonzero((raw[:-3] == ord(" ")) & (raw[1:-2] == ord("r")) & (raw[2:-1] == ord("=")) & (raw[3:] == ord('"'))) + 4
    )
    column, row = np.zeros(position.size, dtype=np.int64), np.zeros(position.size, dtype=np.int64)
    # Every reference at once, one character at a time: a regular expression is much slower on large sheets.
    for _ in range(LONGEST):
        character = raw[np.minimum(position, raw.size - 1)].astype(np.int64)
        digit = (character >= ord("0")) & (character <= ord("9"))
        letter = ((character | LOWER_CASE_BIT) >= ord("a")) & ((character | LOWER_CASE_BIT) <= ord("z"))
        row = np.where(digit, row * 10 + character - ord("0"), row)
        column = np.where(letter, column * 26 + (character & ~LOWER_CASE_BIT) - ord("A") + 1, column)
        position = position + (digit | letter)
    column = np.where((row > 0) & (raw[np.minimum(position, raw.size - 1)] == ord('"')), column, 0)
    return int(column.max(initial=0)), int(row.max(initial=0))


def _extent_by_pattern(block: bytes) -> tuple[int, int]:
    """The same, for XML with spaces or quotes that no spreadsheet program writes."""
    references = _REFERENCE.findall(block)
    letters = max({name.upper() for name, _ in references}, key=lambda name: (len(name), name), default=b"")
    column = sum((character - 64) * 26**power for power, character in enumerate(reversed(letters)))
    return column, max((int(number) for _, number in references), default=0)
