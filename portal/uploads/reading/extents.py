"""Extents: how far right and down the cells of a sheet stand, asked of its raw bytes before anyone makes room for them."""

from __future__ import annotations

import re

import numpy as np

#: Where a row or a cell stands: the letters of its column, empty for a row, and the number of its row.
_PLACE = re.compile(rb"\sr\s{0,9}=\s{0,9}[\"']([A-Za-z]{0,9})(\d{1,18})[\"']")
_SPACES = bytes.maketrans(b"\t\r\n", b"   ")
#: The longest place that is asked letter by letter: three letters and seven digits, and some to spare.
LONGEST = 16
SMALL = ord("a") - ord("A")


def furthest(block: bytes) -> tuple[int, int]:
    """The last column and the last row that the XML of a sheet speaks of, each from 1; 0 where it speaks of none."""
    block = block.replace(b"\x00", b"").translate(_SPACES)
    if b" =" in block or b"= " in block or b"='" in block:
        return _slowly(block)
    raw = np.frombuffer(block + b" " * (LONGEST + 3), dtype=np.uint8)
    at = np.flatnonzero((raw[:-3] == ord(" ")) & (raw[1:-2] == ord("r")) & (raw[2:-1] == ord("=")) & (raw[3:] == ord('"'))) + 4
    column, row = np.zeros(at.size, dtype=np.int64), np.zeros(at.size, dtype=np.int64)
    for _ in range(LONGEST):
        sign = raw[np.minimum(at, raw.size - 1)].astype(np.int64)
        digit = (sign >= ord("0")) & (sign <= ord("9"))
        letter = ((sign | SMALL) >= ord("a")) & ((sign | SMALL) <= ord("z"))
        row = np.where(digit, row * 10 + sign - ord("0"), row)
        column = np.where(letter, column * 26 + (sign & ~SMALL) - ord("A") + 1, column)
        at = at + (digit | letter)
    column = np.where((row > 0) & (raw[np.minimum(at, raw.size - 1)] == ord('"')), column, 0)
    return int(column.max(initial=0)), int(row.max(initial=0))


def _slowly(block: bytes) -> tuple[int, int]:
    """The same where the XML is laid out as no spreadsheet program lays it out."""
    found = _PLACE.findall(block)
    letters = max({name.upper() for name, _ in found}, key=lambda name: (len(name), name), default=b"")
    column = sum((sign - 64) * 26**place for place, sign in enumerate(reversed(letters)))
    return column, max((int(number) for _, number in found), default=0)
