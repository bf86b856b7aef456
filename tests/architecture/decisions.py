"""The index of the decisions. Write it with `python -m tests.architecture.decisions --write`."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.architecture.sources import ROOT
from tests.architecture.written_pages import table, write_or_print

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FOLDER = ROOT / "docs" / "decisions"
PAGE = FOLDER / "README.md"
TEMPLATE = "0000-template.md"
INTRODUCTION = """\
# Decisions

Made from the pages of this folder by `python -m tests.architecture.decisions --write`; do not edit by hand.

What cannot be seen from the code and would be asked again has a page here, made from the [template](0000-template.md). A decision
is never rewritten: a newer one replaces or amends it, and the older one says so in its status. Only names that have changed since
are put right in an older page.

"""
TITLE = re.compile(r"# (?P<number>[0-9]{4})\. (?P<title>\S.*)")
#: A page's status: what holds today, then whatever else it has to say. `amended` is in force but for what the named pages change.
STATUS = re.compile(r"Status: (?P<status>proposed|accepted|withdrawn|replaced by [0-9]{4}|amended by [0-9]{4}(?:, [0-9]{4})*)\b")
NUMBER = re.compile(r"[0-9]{4}")


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision as the index shows it."""

    file_name: str
    number: str
    title: str
    status: str

    @property
    def later(self) -> list[str]:
        """The numbers of the decisions that replace or amend this one."""
        return NUMBER.findall(self.status)


def pages(folder: Path = FOLDER) -> list[Path]:
    """The pages of decisions, without template and index."""
    return sorted(path for path in folder.glob("*.md") if path.name not in {TEMPLATE, PAGE.name})


def decision(file_name: str, text: str) -> Decision:
    """Read a decision's title and status.

    Raises:
        ValueError: when the page has no title with its number, or no status on the first line after it.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    title = TITLE.fullmatch(lines[0]) if lines else None
    if title is None or not file_name.startswith(f"{title['number']}-"):
        message = f"{file_name}: begin with “# {file_name[:4]}. ” and what is decided."
        raise ValueError(message)
    status = STATUS.match(lines[1]) if len(lines) > 1 else None
    if status is None:
        message = f"{file_name}: say “Status: …” below the title, in one of the ways of {TEMPLATE}."
        raise ValueError(message)
    return Decision(file_name, title["number"], title["title"], status["status"])


def index(decisions: Iterable[Decision]) -> str:
    """The text of docs/decisions/README.md.

    Raises:
        ValueError: when two pages have one number.
    """
    by_number: dict[str, Decision] = {}
    for row in decisions:
        if first := by_number.get(row.number):
            message = f"{first.file_name} and {row.file_name} have one number."
            raise ValueError(message)
        by_number[row.number] = row
    rows = [
        [number, f"[{row.title}]({row.file_name})", NUMBER.sub(lambda match: _link(match[0], by_number), row.status)]
        for number, row in sorted(by_number.items())
    ]
    return INTRODUCTION + table(["Number", "Decision", "Status"], rows)


def _link(number: str, decisions: dict[str, Decision]) -> str:
    return f"[{number}]({decisions[number].file_name})" if number in decisions else number


def page() -> str:
    """The index of the pages as they are now."""
    return index(decision(path.name, path.read_text(encoding="utf-8")) for path in pages())


if __name__ == "__main__":
    sys.exit(write_or_print(PAGE, page(), sys.argv[1:]))
