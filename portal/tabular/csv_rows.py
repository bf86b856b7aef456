"""Text as rows of cells: CSV, or the same with tabs, semicolons or bars. Quotation marks never swallow a row unnoticed."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from portal.tabular.decoding import decoded
from portal.tabular.file_guard import file_kind
from portal.tabular.limits import Limits
from portal.tabular.rejection import FileRejected
from portal.tabular.sheets import SheetRows, TableFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portal.tabular.sheets import Row

DELIMITERS = ",\t;|"
#: Lines that the delimiter is found by.
SAMPLE_LINES = 40
#: The fewest columns by which lines within a quoted cell are known to be rows: an address over two lines has fewer commas.
FEWEST_COLUMNS = 4
QUOTES = (
    "The row has a cell that is too long, or a quotation mark that is never closed or stands within a cell. Correct it and send the"
    " file again."
)
NOT_CSV = "This is not a CSV file. Save it as CSV and send that."


def csv_rows(content: bytes, limits: Limits | None = None) -> list[Row]:
    """The rows of a file that must be CSV, blank ones left out.

    Raises:
        FileRejected: when it is of another kind, exceeds the limits, or has a quotation mark that is never closed.
    """
    limits = limits or Limits()
    if file_kind(content, limits) != "text":
        raise FileRejected("not-csv", NOT_CSV)
    (sheet,) = read_csv(content, limits).sheets
    return [(number, cells) for number, cells in sheet.rows if any(cell.strip() for cell in cells)]


def records(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV of our own, by heading."""
    (_, headings), *rows = csv_rows(content)
    return [dict(zip(headings, cells, strict=True)) for _, cells in rows]


def read_csv(content: bytes, limits: Limits) -> TableFile:
    """Read text whose kind is known to be CSV, blank rows included.

    Raises:
        FileRejected: when it exceeds the limits, or has a quotation mark that is never closed.
    """
    text, encoding = decoded(content)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    _reject_long_lines(text, limits)
    # The limit is global to the process; it is only ever set here.
    csv.field_size_limit(limits.cell)
    rows = list(_numbered(text, limits))
    return TableFile((SheetRows("", rows),), encoding=encoding)


def delimiter_of(text: str) -> str:
    """The delimiter by which most of the first lines have equally many cells.

    Of two such delimiters it is the one with more cells. Signs within quotation marks are not counted, and neither are those of
    one busy line.
    """
    return max(DELIMITERS, key=lambda delimiter: (*_fit(text, delimiter), -DELIMITERS.index(delimiter)))


def _fit(text: str, delimiter: str) -> tuple[int, int]:
    """How many of the first lines are rows with the commonest number of cells, and that number."""
    lines_by_width: Counter[int] = Counter()
    line_number = 0
    # The rows before a wrong quotation mark are the sample: with the right delimiter the reader reports the row.
    with contextlib.suppress(FileRejected):
        for cells, start, end in split_rows(text, delimiter):
            row = text[start:end]
            lines = row.count("\n") or 1
            if len(cells) > 1 and not any(_is_split_within_marks(cell, row) for cell in cells):
                lines_by_width[len(cells)] += lines
            line_number += lines
            if line_number >= SAMPLE_LINES:
                break
    return max(((lines, width) for width, lines in lines_by_width.items()), default=(0, 0))


def _is_split_within_marks(cell: str, row: str) -> bool:
    """Whether a cell has quotation marks that are not its own.

    It was then split at a sign within a quoted cell, or beside one.
    """
    return '"' in cell and '"' + cell.replace('"', '""') + '"' not in row


def _numbered(text: str, limits: Limits) -> Iterator[Row]:
    for number, cells in enumerate(_cells(text, delimiter_of(text)), start=1):
        if number > limits.rows:
            raise FileRejected("rows", f"The file has more than {limits.rows:,} rows. {limits.advice}")
        if len(cells) > limits.columns:
            message = f"The row has more than {limits.columns:,} columns. Remove the empty columns and send the file again."
            raise FileRejected("columns", message, number)
        yield number, cells


def _cells(text: str, delimiter: str) -> Iterator[list[str]]:
    """The cells of each row."""
    if '"' in text:
        yield from (cells for cells, _, _ in split_rows(text, delimiter))
        return
    # Without quotation marks each line is a row, and the plain reader takes a third of the time.
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        yield from reader
    except csv.Error as error:
        raise FileRejected("quotes", QUOTES, reader.line_num) from error


def _reject_long_lines(text: str, limits: Limits) -> None:
    """Reject a file with a line longer than a table could have, before the CSV module builds it."""
    start = 0
    while len(text) - start > limits.line:
        end = text.rfind("\n", start, start + limits.line)
        if end < 0:
            row = text.count("\n", 0, start) + 1
            message = "The row is longer than a row of a table could be. Export the file again from your system."
            raise FileRejected("long-row", message, row)
        start = end + 1


def split_rows(text: str, delimiter: str) -> Iterator[tuple[list[str], int, int]]:
    """Split text into rows of cells, each with where it starts and ends in the text.

    Quotation marks that do not pair, such as a nickname's, are read as signs of the text if the line then has as many cells as
    the row before.

    Raises:
        FileRejected: at a row whose quotation marks cannot be read so, or enclose further rows.
    """
    lines = io.StringIO(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    start, number, width = 0, 0, 0
    while True:
        line_number, number = reader.line_num, number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # Lenient reading would join this row with those up to the next quotation mark, and nobody would be told.
            lines.seek(start)
            line, end, following = lines.readline(), lines.tell(), lines.readline()
            lines.seek(end)
            cells = _cells_of_faulty_line(line.rstrip("\n"), following, delimiter, width)
            if not cells:
                raise FileRejected("quotes", QUOTES, number) from error
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
        else:
            end = lines.tell()
            if reader.line_num - line_number > 1 and _encloses_rows(text[start:end], delimiter, cells):
                raise FileRejected("quotes", QUOTES, number)
        width = len(cells) or width
        yield cells, start, end
        start = end


def _cells_of_faulty_line(line: str, following: str, delimiter: str, width: int) -> list[str]:
    """The cells of a line whose quotation marks do not pair.

    Empty if the line cannot be told from the beginning of a cell of several lines.
    """
    cells = _split_line(line, delimiter)
    # The first row may be a title.
    if len(cells) != max(width, 1):
        # With no mark that closes the cell, every delimiter counts, unless the next line may be the rest of the cell.
        cells = line.split(delimiter)
        is_whole = not following.strip() or following.count(delimiter) >= width - 1
        if width < 2 or len(cells) != width or not is_whole:
            return []
    return cells if max(map(len, cells)) <= csv.field_size_limit() else []


def _split_line(line: str, delimiter: str) -> list[str]:
    """Split one line whose quoted cells may have single quotation marks within.

    Empty if a cell is never closed.
    """
    pattern, cells, start = _cell_pattern(delimiter), [], 0
    while match := pattern.match(line, start):
        quoted, plain = match["quoted"], match["plain"]
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        if not match["following"]:
            return cells
        start = match.end()
    return []


@cache
def _cell_pattern(delimiter: str) -> re.Pattern[str]:
    """A cell and the delimiter after it, empty at the end of the line.

    Only a quotation mark before a delimiter or the end of the line closes a cell; spaces may stand between. Quantifiers that
    could go back are possessive: a line of marks alone would otherwise take exponential time.
    """
    mark = re.escape(delimiter)
    after = rf" *+(?:{mark}|\Z)"
    return re.compile(rf'(?:"(?P<quoted>(?:[^"]|""|"(?!{after}))*+)" *+|(?!")(?P<plain>[^{mark}]*+))(?P<following>{mark}|\Z)')


def _encloses_rows(lines: str, delimiter: str, cells: Sequence[str]) -> bool:
    """Whether two stray quotation marks swallowed rows.

    One cell then has lines that would each be a row with as many cells.
    """
    enclosing = [cell for cell in cells if "\n" in cell]
    if len(cells) < FEWEST_COLUMNS or len(enclosing) > 1 or '"' in enclosing[0] or sum(delimiter in cell for cell in cells) > 1:
        return False
    return all(line.count(delimiter) == len(cells) - 1 for line in lines.rstrip("\n").split("\n"))
