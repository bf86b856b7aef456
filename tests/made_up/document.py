"""Reads `docs/add-a-capability.md` and does what it says in a copy of the portal."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, NamedTuple

from tests.architecture.sources import ROOT, relative_name, repository_files

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = ROOT / "docs" / "add-a-capability.md"
#: A fenced block that names the file it belongs to after its language.
BLOCK = re.compile(r"^```(?P<language>python|jinja|text|diff) (?P<path>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^```sh\n(?P<command>.*?)\n```$", re.MULTILINE | re.DOTALL)
HEAD = "migrations/HEAD"


class Block(NamedTuple):
    """A block of code of the document, and the file it is for."""

    language: str
    path: str
    text: str


def blocks() -> list[Block]:
    """The document's code, in its order."""
    return [Block(*match.groups()) for match in BLOCK.finditer(DOCUMENT.read_text(encoding="utf-8"))]


def commands() -> list[str]:
    """The commands the document says to run."""
    return [match["command"] for match in COMMAND.finditer(DOCUMENT.read_text(encoding="utf-8"))]


def copy_portal(folder: Path) -> None:
    """Copy every file of the repository."""
    for path in repository_files():
        target = folder / relative_name(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def write(folder: Path, block: Block) -> None:
    """Put a block where the document says: a new file, or new lines in one that is there."""
    target = folder / block.path
    if block.language == "diff":
        target.write_text(with_lines_added(target.read_text(encoding="utf-8"), block.text), encoding="utf-8")
        return
    if target.exists() and block.path != HEAD:
        raise FileExistsError(block.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    head = (folder / HEAD).read_text(encoding="utf-8").strip()
    target.write_text(block.text.replace('down_revision = "HEAD"', f'down_revision = "{head}"'), encoding="utf-8")


def with_lines_added(text: str, change: str) -> str:
    """Add each line marked `+` to a text, after the line that precedes it in the change.

    Raises:
        ValueError: when the line is not there, or more than once.
    """
    lines, before = text.splitlines(), ""
    for marked in change.splitlines():
        line = marked[1:]
        if marked.startswith("+"):
            if lines.count(before) != 1:
                raise ValueError(f"There is not one line {before!r}.")
            lines.insert(lines.index(before) + 1, line)
        before = line
    return "\n".join(lines) + "\n"
