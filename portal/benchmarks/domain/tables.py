"""Turns bytes into a table of text: unpacked within limits, decoded, split into cells. Nothing is interpreted."""

from __future__ import annotations

import csv
import io
import zlib
from dataclasses import dataclass

from portal.platform import upload_limit
from portal.platform.problems import Problem, ProblemsError

MAX_ROWS = 100_000
MAX_COLUMNS = 250
MAX_CELLS = 7_000_000
MOST_PROBLEMS = 60

_GZIP, _ZIP, _OLE = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Table:
    """The header and the rows below it, as stripped text. `numbers` are the rows' line numbers in the file."""

    header: tuple[str, ...]
    rows: list[list[str]]
    numbers: list[int]


def too_large() -> str:
    """The sentence for a file over the limit, packed or unpacked."""
    return f"The file is larger than {upload_limit.in_megabytes()} MB. Load one data file of a release at a time."


def unpack(content: bytes) -> bytes:
    """The file's bytes, unpacked if it is gzip.

    Raises:
        ProblemsError: when it is too large, empty, a zip or a workbook.
    """
    if content.startswith(_GZIP):
        try:
            # At most one byte over the limit is unpacked: a small file can unpack to gigabytes.
            unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
            content = unpacker.decompress(content, upload_limit.in_bytes() + 1)
        except zlib.error as error:
            raise _unreadable("The file is damaged. Download it again.") from error
    if len(content) > upload_limit.in_bytes():
        raise _unreadable(too_large())
    if content.startswith(_ZIP):
        raise _unreadable("The file is a zip or a workbook. Load the CSV data file that is inside it.")
    if content.startswith(_OLE):
        raise _unreadable("The file is a workbook. Load the CSV data file of the release.")
    if not content.strip():
        raise _unreadable("The file is empty. Load the CSV data file of the release.")
    return content


def decode(content: bytes) -> str:
    """The text: UTF-8 with or without its mark, UTF-16 with its mark, or Windows-1252.

    Raises:
        ProblemsError: when it is none of them.
    """
    codec = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(codec)
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise _unreadable("The file is not text. Load the CSV data file of the release.") from error


def read_table(content: bytes) -> Table:
    """Read a CSV file with any line ends into stripped text cells. Blank lines are skipped.

    Raises:
        ProblemsError: for a file over the limits, or a row with more or fewer cells than the header.
    """
    text = decode(unpack(content)).replace("\x00", "")
    reader = csv.reader(io.StringIO(text, newline=None), strict=True)
    rows: list[list[str]] = []
    numbers: list[int] = []
    header: list[str] = []
    try:
        for cells in reader:
            row = [cell.strip() for cell in cells]
            if not any(row):
                continue
            if not header:
                header = _check_header(row)
                continue
            rows.append(_fit_to_header(row, len(header), reader.line_num))
            numbers.append(reader.line_num)
            _check_limits(len(rows), len(header))
    except csv.Error as error:
        message = f"could not be read as CSV ({error}). Download the file again."
        raise ProblemsError([Problem(f"The row {message}", reader.line_num)]) from error
    if not rows:
        raise _unreadable("The file has no rows under its column names. Load the CSV data file of the release.")
    return Table(tuple(header), rows, numbers)


def _check_header(row: list[str]) -> list[str]:
    if len(row) > MAX_COLUMNS:
        raise _unreadable(f"The file has {len(row):,} columns. A release has at most {MAX_COLUMNS}.")
    return row


def _fit_to_header(row: list[str], width: int, number: int) -> list[str]:
    while len(row) > width and not row[-1]:
        row.pop()
    if len(row) != width:
        message = f"The row has {len(row)} values and the header has {width}. Download the file again."
        raise ProblemsError([Problem(message, number)])
    return row


def _check_limits(rows: int, columns: int) -> None:
    if rows > MAX_ROWS or rows * columns > MAX_CELLS:
        raise _unreadable(f"The file has more than {rows - 1:,} rows. Load one year, or one geographic level, at a time.")


def _unreadable(sentence: str) -> ProblemsError:
    return ProblemsError([Problem(sentence)])
