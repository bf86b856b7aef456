"""Cells and headings as text: stray signs removed, folded to compare, cut to show."""

from __future__ import annotations

import re
from datetime import date, datetime, time

#: The longest cell the fast reader of registers takes, so that both readers show a text the same way.
MAX_SHOWN = 64
ZERO_WIDTH = {ord(sign): None for sign in "\u200b\u200c\u200d\u2060\ufeff"}
#: What follows the apostrophe that makes a spreadsheet take a cell as text. Before a letter it belongs to a name: ’t Hart, ’Ana.
_GUARDED = re.compile(r"'\s*(?:[^\sA-Za-z\u0080-\U0010ffff]|[\uff1d\uff0b\uff0d\uff20])")
_NOT_LETTER_OR_DIGIT = re.compile(r"[^a-z0-9]")


def clean(text: str) -> str:
    """A cell without surrounding spaces, zero-width characters and the apostrophe of a spreadsheet.

    An apostrophe before a letter stays, as a name may begin with one.
    """
    text = (text if text.isascii() else text.translate(ZERO_WIDTH).replace("\u00a0", " ")).strip()
    return text[1:].lstrip() if text.startswith("'") and _GUARDED.match(text) else text


def clean_value(text: str) -> str:
    """A cell that is no name, such as a code or date: cleaned, without any leading apostrophe."""
    text = clean(text)
    return text[1:].lstrip() if text.startswith("'") and len(text) > 1 else text


def shortened(text: str) -> str:
    """A text cut to the length shown in messages."""
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def folded(heading: str) -> str:
    """A heading in the form used for comparing: lower-case letters and digits only."""
    return _NOT_LETTER_OR_DIGIT.sub("", heading.casefold())


def cell_text(value: object) -> str:
    """A spreadsheet cell as text. A whole number has no decimal point, and a date only a time of its own."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value).replace("\0", "")  # PostgreSQL cannot store NUL in text.


def column_letters(number: int) -> str:
    """The letters of a column as a spreadsheet shows them: 1 is A, 27 is AA."""
    letters = ""
    while number > 0:
        number, letter = divmod(number - 1, 26)
        letters = chr(65 + letter) + letters
    return letters
