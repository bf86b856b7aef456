"""The sheets of a register: finds the heading row below any titles, and drops totals rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import TYPE_CHECKING

from portal.tabular.cells import clean, clean_value, folded
from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading.headings import ALSO_CELLS, SYNONYMS
from portal.uploads.domain.reading.parsing import DAY_NAMES, Dates, code_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from portal.tabular.sheets import SheetRows, TableFile

#: The rows searched for headings.
HEADING_SEARCH_ROWS = 30
HALF_NAMES = {"AM": "AM", "PM": "PM", "MORNING": "AM", "AFTERNOON": "PM"}
WEEKDAYS = frozenset(word for name in DAY_NAMES for word in (name.casefold(), name[:3].casefold()))
TOTALS = ("total", "totals", "grand total", "average", "overall")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of text. `rows` are those below the headings, each with its row number as shown in a spreadsheet.

    `without_value` has the row and column, both from 0, of each cell with an error or a formula that was never worked out.
    """

    name: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[int, Sequence[str]]]
    titles: tuple[str, ...] = ()
    heading_row: int = 1
    totals: int = 0
    without_value: Mapping[tuple[int, int], str] = field(default_factory=dict)
    is_below_another: bool = False


@dataclass(frozen=True, slots=True)
class Book:
    """A file's sheets, the names of hidden ones, and its encoding."""

    sheets: tuple[Sheet, ...]
    hidden: tuple[str, ...] = ()
    encoding: str | None = None


def book_of(file: TableFile) -> Book:
    """Find the headings of each sheet of a file.

    Raises:
        FileRejected: when the file has no rows.
    """
    return Book(tuple(table for sheet in file.sheets for table in _tables(sheet)), file.hidden, file.encoding)


def _tables(sheet: SheetRows) -> Iterator[Sheet]:
    """The tables of a sheet, one below the other. Each has its own titles, as where every week stands under its own date."""
    table = _table(sheet)
    rows, is_below_another = table.rows, False
    while (start := _next_table(table.headings, rows)) is not None:
        yield replace(table, rows=rows[:start], is_below_another=is_below_another)
        # The first row of the rest is a title or the headings again.
        table = _table(replace(sheet, rows=rows[start:]))
        rows, is_below_another = table.rows, True
    yield replace(table, rows=rows, is_below_another=is_below_another)


def _next_table(headings: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]]) -> int | None:
    """The index of the row at which another table begins: its titles, or the headings again."""
    names = [folded(heading) for heading in headings if heading]
    for index, (_, row) in enumerate(rows):
        first = folded(row[0]) if row else ""
        # Most rows differ from the headings in their first cell, so few are compared in full.
        if first in names and len(names) > 1 and [folded(cell) for cell in row if cell.strip()] == names:
            titles = takewhile(lambda row: sum(bool(cell.strip()) for cell in row[1]) == 1, reversed(rows[:index]))
            return index - sum(1 for _ in titles)
    return None


def _table(sheet: SheetRows) -> Sheet:
    """Find the heading row, and drop the titles above it and the totals below."""
    rows = sheet.rows
    if not any(any(cell.strip() for cell in row) for _, row in rows[:HEADING_SEARCH_ROWS]):
        raise FileRejected("empty", "The file has no rows. Send one with marks or pupils in it.")
    likeliest = max(range(min(HEADING_SEARCH_ROWS, len(rows))), key=lambda number: (_heading_score(rows[number][1]), -number))
    first, last, headings = _headings(rows, likeliest)
    titles = tuple(" ".join(cell.strip() for cell in row if cell.strip()) for _, row in rows[:first])
    body = [(number, row) for number, row in rows[last + 1 :] if any(cell.strip() for cell in row)]
    end = len(body)
    while end and _is_total(body[end - 1][1]):
        end -= 1
    titles = tuple(title for title in titles if title)
    totals = len(body) - end
    return Sheet(sheet.name, headings, body[:end], titles, rows[first][0], totals, sheet.without_value)


def _headings(rows: Sequence[tuple[int, Sequence[str]]], likeliest: int) -> tuple[int, int, tuple[str, ...]]:
    """The first and last heading row, and their headings. There are two rows if dates are above AM and PM."""
    for upper in (likeliest, likeliest - 1):
        if 0 <= upper < len(rows) - 1 and (combined := _combined_headings(rows[upper][1], rows[upper + 1][1])):
            return upper, upper + 1, combined
    return likeliest, likeliest, tuple(clean(cell) for cell in rows[likeliest][1])


def _combined_headings(upper: Sequence[str], lower: Sequence[str]) -> tuple[str, ...]:
    """Combine a row of dates or weekdays with a row of AM and PM.

    Dates may be merged cells. Returns nothing if the rows are not such a pair.
    """
    width = max(len(upper), len(lower))
    above = [clean(cell) for cell in upper] + [""] * (width - len(upper))
    below = [clean(cell) for cell in lower] + [""] * (width - len(lower))
    halves = [HALF_NAMES.get(code_text(cell), "") for cell in below]
    dates = Dates(above)
    is_days = [dates.looks_like_date(cell) or cell.casefold() in WEEKDAYS for cell in above]
    has_day_over_half = any(is_day and half for is_day, half in zip(is_days, halves, strict=True))
    if not has_day_over_half or sum(map(bool, halves)) < 2 or any(SYNONYMS.get(folded(cell)) == "date" for cell in below):
        return ()
    headings, day = [], ""
    for upper_cell, lower_cell, is_day, half in zip(above, below, is_days, halves, strict=True):
        # A merged date is only in the first of its cells: it holds until another heading.
        day = upper_cell if is_day else "" if upper_cell else day
        heading = lower_cell if not upper_cell or folded(lower_cell) in SYNONYMS else upper_cell
        headings.append(f"{day} {half}" if day and half else heading)
    return tuple(headings)


def _heading_score(row: Sequence[str]) -> int:
    """How likely a row is to be headings: it has cells that are known headings, or dates."""
    synonyms = sum((heading := folded(cell)) in SYNONYMS and heading not in ALSO_CELLS for cell in row if cell.strip())
    dates = _date_count(row)
    # One date may be a title's, and two may be a row's own: its date and a date of birth.
    return synonyms * 3 + (dates if synonyms or dates > 2 else 0)


def _date_count(row: Sequence[str]) -> int:
    """The number of cells that are dates, with or without AM or PM."""
    texts = [strip_half(cell)[0] for cell in row if cell.strip()]
    dates = Dates(texts)
    return sum(dates.looks_like_date(text) for text in texts)


def strip_half(text: str) -> tuple[str, int | None]:
    """Split a heading into date and half of the day.

    "07/09/2026 AM" gives the date and 0; without AM or PM the half is None.
    """
    heading = clean_value(text)
    upper = heading.upper()
    for half, session in (("AM", 0), ("PM", 1)):
        if upper.endswith(half):
            return heading[:-2].rstrip(" -_("), session
        if upper.endswith(f"({half})"):
            return heading[:-4].strip(), session
    return heading, None


def _is_total(row: Sequence[str]) -> bool:
    first = next((cell.strip().casefold() for cell in row if cell.strip()), "")
    return any(first == word or first.startswith((f"{word} ", f"{word}:")) for word in TOTALS)
