"""The published files: which cases stand in which, and how each is written. Run as a program, it writes them all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.rules.casebook import (
    ages_and_limits,
    notices,
    payments,
    threshold_ages,
    threshold_guidance,
    threshold_marks,
    threshold_mixed,
    threshold_schools,
    threshold_windows,
)
from tests.rules.reference import Engine

if TYPE_CHECKING:
    from tests.rules.casebook.building import Case, Json

FOLDER = Path(__file__).parent.parent / "conformance"
SHELVES: dict[str, tuple[Case, ...]] = {
    "threshold_guidance": threshold_guidance.CASES,
    "threshold_windows": threshold_windows.CASES,
    "threshold_marks": threshold_marks.CASES,
    "threshold_ages": threshold_ages.CASES,
    "threshold_schools": threshold_schools.CASES,
    "threshold_mixed": threshold_mixed.CASES,
    "notices": notices.CASES,
    "payments": payments.CASES,
    "ages_and_limits": ages_and_limits.CASES,
}


def answered(case: Case) -> Json:
    """A case's whole answer by the literal reading. Raises AssertionError where it differs from the reasoned part."""
    result = Engine().result(case.asked)
    for name, value in (case.answer or {}).items():
        assert result[name] == value, (case.asked["id"], name, result[name], value)
    return result


def told(case: Case) -> Json:
    """A case as published: with its title and reason, which the contract says are ignored."""
    return {**case.asked, "title": case.title, "why": case.why}


def _lines(items: list[Json]) -> str:
    return ",\n".join(json.dumps(item, ensure_ascii=False) for item in items)


def written(cases: tuple[Case, ...]) -> str:
    """A file's text: one case to a line, so that a change to one shows as one."""
    asked, answers = _lines([told(case) for case in cases]), _lines([answered(case) for case in cases])
    return f'{{"input": {{"cases": [\n{asked}\n]}},\n"output": {{"results": [\n{answers}\n]}}}}\n'


if __name__ == "__main__":
    for name, cases in SHELVES.items():
        (FOLDER / f"{name}.json").write_text(written(cases), encoding="utf-8")
