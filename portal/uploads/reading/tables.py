"""Tables: a CSV or a workbook as sheets of text, its heading row found under any titles, its totals rows left off."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import python_calamine

from portal.uploads.reading.headings import ALSO_CELLS, SYNONYMS, folded
from portal.uploads.reading.shapes import FileRefused
from portal.uploads.reading.texts import DAY_NAMES, Dates, clean, code_text, decoded, typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portal.uploads.reading.shapes import Limits

#: How far down a heading row may stand.
TITLE_ROWS = 30
LONGEST_LINE = 1_000_000
DELIMITERS = ",\t;|"
HALF_NAMES = {"AM": "AM", "PM": "PM", "MORNING": "AM", "AFTERNOON": "PM"}
WEEKDAYS = frozenset(word for name in DAY_NAMES for word in (name.casefold(), name[:3].casefold()))
TOTALS = ("total", "totals", "grand total", "average", "overall")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its rows of text from the first one below the headings, with the number a person sees beside each."""

    name: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[int, Sequence[str]]]
    titles: tuple[str, ...] = ()
    heading_row: int = 1
    totals: int = 0


@dataclass(frozen=True, slots=True)
class Book:
    """A file's sheets, those hidden by name, and its encoding."""

    sheets: tuple[Sheet, ...]
    hidden: tuple[str, ...] = ()
    encoding: str | None = None


def csv_book(content: bytes, limits: Limits) -> Book:
    """A CSV, TSV or semicolon file.

    Raises:
        FileRefused: when it has no table, or is larger than a file may be.
    """
    text, encoding = decoded(content)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    _refuse_endless(text)
    rows = csv.reader(io.StringIO(text), delimiter=delimiter_of(text[:20_000]))
    csv.field_size_limit(limits.cell)
    numbered: list[tuple[int, list[str]]] = []
    try:
        numbered.extend(enumerate(_bounded(rows, limits), start=1))
    except csv.Error as error:
        fault = "has a cell that is too long or a quotation mark that is never closed"
        message = f"Row {len(numbered) + 1} {fault}. Mend it and send the file again."
        raise FileRefused("quotes", message) from error
    if numbered and numbered[-1][1] and "\n" in numbered[-1][1][-1] and not text.rstrip("\n").endswith('"'):
        message = f"Row {len(numbered)} has a quotation mark that is never closed. Mend it and send the file again."
        raise FileRefused("quotes", message)
    return Book((_sheet("", numbered),), encoding=encoding)


def _refuse_endless(text: str) -> None:
    """No line of a register is as long as this."""
    start = 0
    while len(text) - start > LONGEST_LINE:
        end = text.rfind("\n", start, start + LONGEST_LINE)
        if end < 0:
            row = text.count("\n", 0, start) + 1
            message = f"Row {row} is longer than a row of a register could be. Export the file again from your system."
            raise FileRefused("long-row", message)
        start = end + 1


def delimiter_of(text: str) -> str:
    """The sign that stands between cells: the one that occurs most in the first lines."""
    lines = [line for line in text.split("\n")[:TITLE_ROWS] if line.strip()]
    return max(DELIMITERS, key=lambda sign: (max((line.count(sign) for line in lines), default=0), -DELIMITERS.index(sign)))


def _bounded(rows: Iterable[list[str]], limits: Limits) -> Iterable[list[str]]:
    for number, row in enumerate(rows, start=1):
        if number > limits.rows:
            message = f"The file has more than {limits.rows:,} rows. Send it in parts."
            raise FileRefused("rows", message)
        if len(row) > limits.columns:
            message = f"Row {number} has more than {limits.columns:,} columns. Remove the empty columns and send the file again."
            raise FileRefused("columns", message)
        yield row


def xlsx_book(content: bytes, limits: Limits) -> Book:
    """A workbook's sheets with something in them; hidden ones are read and named.

    Raises:
        FileRefused: when it is damaged or too large.
    """
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        hidden = tuple(one.name for one in book.sheets_metadata if one.visible != python_calamine.SheetVisibleEnum.Visible)
        sheets = []
        for meta in book.sheets_metadata:
            if meta.typ != python_calamine.SheetTypeEnum.WorkSheet:
                continue
            found = book.get_sheet_by_name(meta.name)
            if found.total_height > limits.rows or found.total_width > limits.columns:
                message = f"Sheet {meta.name} is too large. Remove its empty rows and columns, or send it in parts."
                raise FileRefused("rows", message)
            # Its rows begin with the sheet's first, its columns with the first that is used.
            before = [""] * (found.start or (0, 0))[1]
            rows = [(number, before + [typed(cell) for cell in row]) for number, row in enumerate(found.iter_rows(), start=1)]
            _refuse_long(meta.name, rows, limits)
            if any(cell.strip() for _, cells in rows for cell in cells):
                sheets.append(_sheet(meta.name, rows))
    except (python_calamine.CalamineError, ValueError, KeyError) as error:
        raise FileRefused("damaged", "The workbook could not be opened. Save it again as XLSX or CSV and send it.") from error
    if not sheets:
        raise FileRefused("empty", "The workbook has no rows. Send one with marks or pupils in it.")
    return Book(tuple(sheets), hidden)


def _refuse_long(name: str, rows: Sequence[tuple[int, Sequence[str]]], limits: Limits) -> None:
    """No spreadsheet program writes a cell as long as this."""
    for number, cells in rows:
        if max(map(len, cells), default=0) > limits.cell:
            message = f"Row {number} of sheet {name} has a cell that is too long. Mend it and send the file again."
            raise FileRefused("long-cell", message)


def _sheet(name: str, rows: Sequence[tuple[int, Sequence[str]]]) -> Sheet:
    """Find the heading row, and leave titles above and totals below it out."""
    if not any(any(cell.strip() for cell in row) for _, row in rows[:TITLE_ROWS]):
        raise FileRefused("empty", "The file has no rows. Send one with marks or pupils in it.")
    place = max(range(min(TITLE_ROWS, len(rows))), key=lambda number: (_heading_score(rows[number][1]), -number))
    first, last, headings = _headings(rows, place)
    titles = tuple(" ".join(cell.strip() for cell in row if cell.strip()) for _, row in rows[:first])
    body = [(number, row) for number, row in rows[last + 1 :] if any(cell.strip() for cell in row)]
    kept = len(body)
    while kept and _is_total(body[kept - 1][1]):
        kept -= 1
    found = Sheet(name, headings, body[:kept], tuple(one for one in titles if one), rows[first][0])
    return replace(found, totals=len(body) - kept)


def _headings(rows: Sequence[tuple[int, Sequence[str]]], place: int) -> tuple[int, int, tuple[str, ...]]:
    """The first and last heading row around the likeliest one, and their headings: two rows where days stand over halves."""
    for upper in (place, place - 1):
        if 0 <= upper < len(rows) - 1 and (both := _of_two_rows(rows[upper][1], rows[upper + 1][1])):
            return upper, upper + 1, both
    return place, place, tuple(clean(cell) for cell in rows[place][1])


def _of_two_rows(upper: Sequence[str], lower: Sequence[str]) -> tuple[str, ...]:
    """Days (dates or weekdays, merged or not) over AM and PM as one row of headings; nothing where the rows are something else."""
    width = max(len(upper), len(lower))
    above = [clean(cell) for cell in upper] + [""] * (width - len(upper))
    below = [clean(cell) for cell in lower] + [""] * (width - len(lower))
    halves = [HALF_NAMES.get(code_text(cell), "") for cell in below]
    dates = Dates(above)
    days = [dates.looks(cell) or cell.casefold() in WEEKDAYS for cell in above]
    over = any(day and half for day, half in zip(days, halves, strict=True))
    if not over or sum(map(bool, halves)) < 2 or any(SYNONYMS.get(folded(cell)) == "date" for cell in below):  # noqa: PLR2004  AM and PM
        return ()
    found, on = [], ""
    for cell, under, day, half in zip(above, below, days, halves, strict=True):
        on = cell if day else "" if cell else on
        named = under if not cell or folded(under) in SYNONYMS else cell
        found.append(f"{on} {half}" if on and half else named)
    return tuple(found)


def _heading_score(row: Sequence[str]) -> int:
    """How much a row looks like headings: cells whose name is known, or a day."""
    known = sum((plain := folded(cell)) in SYNONYMS and plain not in ALSO_CELLS for cell in row if cell.strip())
    dated = _dated(row)
    return known * 3 + (dated if known or dated > 2 else 0)  # noqa: PLR2004  a lone date is a title; two are a row's own


def _dated(row: Sequence[str]) -> int:
    """Cells that are a day, perhaps with AM or PM."""
    texts = [strip_half(cell)[0] for cell in row if cell.strip()]
    dates = Dates(texts)
    return sum(dates.looks(text) for text in texts)


def strip_half(text: str) -> tuple[str, int | None]:
    """A heading's day and its half: "07/09/2026 AM" is the day and 0; without a half, None."""
    plain = clean(text)
    upper = plain.upper()
    for half, session in (("AM", 0), ("PM", 1)):
        if upper.endswith(half):
            return plain[:-2].rstrip(" -_("), session
        if upper.endswith(f"({half})"):
            return plain[:-4].strip(), session
    return plain, None


def _is_total(row: Sequence[str]) -> bool:
    first = next((cell.strip().casefold() for cell in row if cell.strip()), "")
    return any(first == word or first.startswith((f"{word} ", f"{word}:")) for word in TOTALS)
