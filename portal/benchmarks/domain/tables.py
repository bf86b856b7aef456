"""A published file as a table of text: unpacked within limits, its rows as wide as its header. Nothing is interpreted."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.platform import upload_limit
from portal.tabular.csv_rows import csv_rows
from portal.tabular.limits import Limits
from portal.tabular.rejection import FileRejected

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_PROBLEMS = 60
ADVICE = "Load one year, or one geographic level, at a time."

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Table:
    """The header and the rows below it, as stripped text. `numbers` are the rows' numbers in the file."""

    header: tuple[str, ...]
    rows: list[list[str]]
    numbers: list[int]


def limits() -> Limits:
    """The largest release that is read, packed or unpacked."""
    return Limits(rows=100_000, columns=250, area=7_000_000, advice=ADVICE)


def too_large() -> str:
    """The sentence for a file over the limit."""
    return f"The file is larger than {upload_limit.in_megabytes()} MB. {ADVICE}"


def unpack(content: bytes) -> bytes:
    """The file's bytes, unpacked if it is gzip.

    Raises:
        FileRejected: when the gzip is damaged. What is too large is cut off just over the limit, and rejected by the reader.
    """
    if not content.startswith(_GZIP):
        return content
    try:
        # At most one byte over the limit is unpacked: a small file can unpack to gigabytes.
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content, upload_limit.in_bytes() + 1)
    except zlib.error as error:
        raise FileRejected("damaged", "The file is damaged. Download it again.") from error


def read_table(content: bytes) -> Table:
    """Read a CSV file into stripped text cells, blank lines left out.

    Raises:
        FileRejected: for a file that is no CSV or over the limits, or a row with more or fewer cells than the header.
    """
    limit = limits()
    rows = csv_rows(content, limit)
    if len(rows) < 2:
        raise FileRejected("empty", "The file has no rows under its column names. Load the CSV data file of the release.")
    (_, header), *below = rows
    width = len(header)
    if len(rows) * width > limit.area:
        raise FileRejected("rows", f"The file has more than {limit.area:,} cells. {ADVICE}")
    return Table(
        tuple(cell.strip() for cell in header),
        [_fit_to_header(cells, width, number) for number, cells in below],
        [number for number, _ in below],
    )


def _fit_to_header(cells: Sequence[str], width: int, number: int) -> list[str]:
    row = [cell.strip() for cell in cells]
    while len(row) > width and not row[-1]:
        row.pop()
    if len(row) != width:
        message = f"The row has {len(row)} values and the header has {width}. Download the file again."
        raise FileRejected("ragged", message, number)
    return row
