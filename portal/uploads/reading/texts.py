"""Text as schools' systems write it: encodings, stray spaces, dates in every form but guessed ones, year groups and flags."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from portal.uploads.reading.shapes import FileRefused, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTHS = {name: number for number, name in enumerate(_MONTHS, start=1)}
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ][0-9:.]{0,20}Z?)?$")
_NAMED = re.compile(r"(?:([A-Za-z]{3,9}),? )?(\d{1,2})[ -]([A-Za-z]{3,9})[ -](\d{4}|\d{2})$")
_NAMED_FIRST = re.compile(r"(\d{4})-([A-Za-z]{3})-(\d{1,2})(?: [0-9:]{0,10})?$")
_PARTS = re.compile(r"(?:([A-Za-z]{3,9}),? )?(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?: 0{1,2}:00(?::00)?)?$")
_SERIAL = re.compile(r"(\d{5})(?:\.0+)?$")
FIRST_SERIAL, LAST_SERIAL = 29_221, 73_050
#: As long as a cell that is read in bulk may be, so that it is told the same either way.
LONGEST_TOLD = 64
LAST_MONTH, LAST_DAY = 12, 31
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAMAGED = "The file's text is damaged. Save it again as CSV UTF-8 and send it."
NOT_A_DATE = "“{}” is not a date we can read. Write it as 07/09/2026 or 2026-09-07."
MONTH_FIRST = "The dates look month first, such as 09/15/2026. Write them day first, or as 2026-09-15."
DAY_FIRST = "Dates were read as day/month: {} is {}. If that is wrong, put this file aside and write its dates as 2026-11-03."
OTHER_DAY = "“{}” is a {}. Put the day or the date right."
#: A surname may begin with an apostrophe of its own: ’t Hart, ’s Gravesande.
_OWN_APOSTROPHE = re.compile(r"'[a-z]{1,2}[ -]")
ZERO_WIDTH = {ord(sign): None for sign in "\u200b\u200c\u200d\u2060\ufeff"}


def decoded(content: bytes) -> tuple[str, str]:
    """The text of a file and its encoding: UTF-8, UTF-16 by its mark, otherwise Windows-1252.

    Raises:
        FileRefused: for bytes that are no text.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            text = content.decode("utf-16")
        except UnicodeDecodeError as error:
            raise FileRefused("encoding", DAMAGED) from error
        if "\0" in text:
            raise FileRefused("encoding", DAMAGED)
        return text, "utf-16"
    if b"\x00" in content[:4096]:
        raise FileRefused("not-text", "This is not a spreadsheet, a CTF or a text file. Save it as CSV or XLSX and send it.")
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace"), "cp1252"


def clean(text: str) -> str:
    """A cell without the spaces, zero-width signs and leading apostrophe that spreadsheets leave."""
    text = (text if text.isascii() else text.translate(ZERO_WIDTH).replace("\u00a0", " ")).strip()
    return text[1:].lstrip() if len(text) > 1 and text[0] == "'" and not _OWN_APOSTROPHE.match(text) else text


def short(text: str) -> str:
    """A text as a sentence repeats it: no cell, however long, fills a page."""
    return text if len(text) <= LONGEST_TOLD else f"{text[:LONGEST_TOLD]}…"


def code_text(text: str) -> str:
    """A code as the list writes it: full-width forms made plain, upper case."""
    return unicodedata.normalize("NFKC", clean(text)).strip().upper()


class Dates:
    """Reads all of a file's date texts together, since dd/mm or mm/dd is a fact of the file, never of one cell."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Read every distinct text once. Where one proves month first and none day first, none of that shape is read."""
        self.found: dict[str, date | None] = {}
        self.faults: dict[str, tuple[str, str]] = {}
        parted: dict[str, tuple[int, int]] = {}
        for text in set(texts):
            self.found[text] = self._read(text, parted)
        pairs = set(parted.values())
        day_first = any(second <= LAST_MONTH < first <= LAST_DAY for first, second in pairs)
        self.month_first = not day_first and any(first <= LAST_MONTH < second <= LAST_DAY for first, second in pairs)
        either = [text for text, (first, second) in parted.items() if first != second and self.found[text]]
        settled = any(max(pair) > LAST_MONTH for pair in pairs)
        #: The latest date as written, where none in the file settles whether the day or the month stands first; otherwise empty.
        self.ambiguous = "" if settled else max(either, key=lambda text: str(self.found[text]), default="")
        if self.month_first:
            self.found |= dict.fromkeys(parted)
            self.faults |= dict.fromkeys(parted, ("month-first", MONTH_FIRST))

    def told(self) -> tuple[Problem, ...]:
        """What a person is told of how the dates were read, where the file itself could not settle it."""
        if not self.ambiguous:
            return ()
        text, on = clean(self.ambiguous), self.found[self.ambiguous]
        return (Problem("day-first", 0, 0, 0, None, text, DAY_FIRST.format(text, f"{on:%-d %B %Y}"), count=0),)

    def _read(self, text: str, parted: dict[str, tuple[int, int]]) -> date | None:
        plain = clean(text)
        try:
            if match := _ISO.match(plain):
                return date(*(int(part) for part in match.groups()))
            if match := _PARTS.match(plain):
                day, month, year = (int(part) for part in match.groups()[1:])
                parted[text] = day, month
                on = self._on_its_weekday(text, match[1], date(_year(year), month, day))
                if on and match[1] and match[1][:3].title() == DAY_NAMES[on.weekday()][:3]:
                    del parted[text]  # Its weekday proves it.
                return on
            if match := _NAMED.match(plain):
                return self._on_its_weekday(text, match[1], date(_year(int(match[4])), MONTHS[match[3][:3].lower()], int(match[2])))
            if match := _NAMED_FIRST.match(plain):
                return date(int(match[1]), MONTHS[match[2].lower()], int(match[3]))
        except KeyError:
            return None
        except ValueError:
            self.faults[text] = "no-date", NOT_A_DATE.format(short(plain))
            return None
        match = _SERIAL.match(plain)
        if match and FIRST_SERIAL <= int(match[1]) <= LAST_SERIAL:
            return date(1899, 12, 30) + timedelta(days=int(match[1]))
        return None

    def _on_its_weekday(self, text: str, named: str | None, on: date) -> date | None:
        """The day, unless it stands beside the name of another day of the week."""
        real = DAY_NAMES[on.weekday()]
        if named and named[:3].title() != real[:3] and any(named[:3].title() == name[:3] for name in DAY_NAMES):
            self.faults[text] = "other-weekday", OTHER_DAY.format(clean(text), real)
            return None
        return on

    def __getitem__(self, text: str) -> date | None:
        """The day a text stands for, or None."""
        return self.found[text]

    def looks(self, text: str) -> bool:
        """Is it written as a date, even one that cannot be taken?"""
        return self.found[text] is not None or text in self.faults

    def fault(self, text: str) -> tuple[str, str]:
        """Why a text stands for no day: the kind of problem, and what to do."""
        return self.faults.get(text) or ("no-date", NOT_A_DATE.format(short(clean(text))))


def a_date(text: str) -> date | None:
    """One date on its own, dd/mm; None when it is none."""
    return Dates([text])[text] if text else None


def _year(year: int) -> int:
    return year if year > 99 else 2000 + year if year < 60 else 1900 + year  # noqa: PLR2004  two-digit years, births included


_YEAR_GROUP = re.compile(r"(?:year|yr|y|nc|ncy)?\s*0?(\d{1,2})$", re.IGNORECASE)


def year_group(text: str) -> str | None:
    """A year group as the code set has it: R, 1 to 14, N1, N2, M, X; None when it says none."""
    plain = clean(text).upper().replace("NATIONAL CURRICULUM ", "").replace("NC YEAR", "YEAR")
    if plain in {"R", "RECEPTION", "YR", "YEAR R", "FS2", "YEAR 0", "0"}:
        return "R"
    if plain in {"N1", "N2", "M", "X", "E1", "E2"}:
        return plain
    if plain in {"NURSERY", "FS1"}:
        return "N2"
    match = _YEAR_GROUP.match(plain)
    return str(int(match[1])) if match and 1 <= int(match[1]) <= 14 else None  # noqa: PLR2004  the last year group


def flag(text: str) -> bool | None:
    """Yes or no in the ways systems say it; None for neither."""
    plain = clean(text).casefold()
    if plain in {"y", "yes", "true", "1", "t", "x", "✓"}:
        return True
    return False if plain in {"n", "no", "false", "0", "f"} else None


def typed(value: object) -> str:
    """A spreadsheet's cell as text: whole numbers without a point, days as ISO dates."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    return str(value).replace("\0", "")
