"""Writes the pages of `docs/` that are made from the code, whole or in part."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

START, END = "<!-- From here to the next comment: written by `{command}`. -->\n", "<!-- The end of what is written. -->\n"


def write_or_print(path: Path, text: str, arguments: list[str]) -> int:
    """Write a page with `--write`, or print it. Returns the exit status."""
    if "--write" in arguments:
        path.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


def with_part(page: str, command: str, part: str) -> str:
    """The page with the part between its two comments replaced.

    Raises:
        ValueError: when the page has not both comments, once each and in this order.
    """
    start = START.format(command=command)
    if page.count(start) != 1 or page.count(END) != 1 or page.index(start) > page.index(END):
        message = f"The page needs, once each: {start.strip()} and {END.strip()}"
        raise ValueError(message)
    before, after = page.split(start)
    return before + start + part + END + after.split(END)[1]


def table(headings: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown. A vertical bar in a cell is escaped, or it would begin a new cell."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
