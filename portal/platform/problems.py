"""The one shape of a problem in a file, for every table and list that is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.platform.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem in a file: the sentence that says what to do, and where it stands.

    `row` counts from 1 as a spreadsheet shows it, headings included; None is the whole file. `column` is its heading, or its
    letters. `value` is what stands there, None where nothing does.
    """

    sentence: str
    row: int | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        """The problem on one line: its place, its value and the sentence."""
        parts = (f"row {self.row}" if self.row else "", f"column {self.column}" if self.column else "")
        where = ", ".join(part for part in parts if part)
        sentence = self.sentence if self.value is None else f"“{self.value}” {self.sentence}"
        return f"{where[:1].upper()}{where[1:]}: {sentence}" if where else sentence


class ProblemsError(RefusedError):
    """A file was not taken, and nothing changed. `problems` say why, each with what to do."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Carry the problems; the first three are the sentence."""
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems[:3]), "file")
