"""The published files: the cases in each and how they are written. Run as a program, it writes them all."""

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
CASES_BY_FILE: dict[str, tuple[Case, ...]] = {
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


def full_answer(case: Case) -> Json:
    """A case's whole answer by the reference engine.

    Raises AssertionError where it differs from the part reasoned by hand.
    """
    result = Engine().result(case.question)
    for name, value in (case.answer or {}).items():
        assert result[name] == value, (case.question["id"], name, result[name], value)
    return result


def published_case(case: Case) -> Json:
    """A case as published, with its title and reason, which the contract says are ignored."""
    return {**case.question, "title": case.title, "why": case.why}


def _lines(documents: list[Json]) -> str:
    return ",\n".join(json.dumps(document, ensure_ascii=False) for document in documents)


def file_text(cases: tuple[Case, ...]) -> str:
    """A file's text, with one case to a line, so that a diff shows the cases that changed."""
    questions, answers = _lines([published_case(case) for case in cases]), _lines([full_answer(case) for case in cases])
    return f'{{"input": {{"cases": [\n{questions}\n]}},\n"output": {{"results": [\n{answers}\n]}}}}\n'


if __name__ == "__main__":
    for name, cases in CASES_BY_FILE.items():
        (FOLDER / f"{name}.json").write_text(file_text(cases), encoding="utf-8")
