"""The published cases: the rules pass them all, and each wrong engine fails the case named for it."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import pytest

from portal.rules.conformance import check
from tests.rules import mutant_dates, mutant_marks, mutant_notices, mutant_payments, mutant_windows
from tests.rules.casebook.case_shelves import CASES_BY_FILE, FOLDER, file_text

if TYPE_CHECKING:
    from tests.rules.casebook.building import Json
    from tests.rules.reference import Engine

THRESHOLDS = {**mutant_windows.CAUGHT, **mutant_marks.CAUGHT}
CAUGHT = {**THRESHOLDS, **mutant_notices.CAUGHT, **mutant_payments.CAUGHT, **mutant_dates.CAUGHT}


@cache
def document(file: str) -> Json:
    loaded: Json = json.loads((FOLDER / f"{file}.json").read_text(encoding="utf-8"))
    return loaded


@cache
def published() -> dict[str, tuple[Json, Json]]:
    """Every published case by id, with its result."""
    cases = {}
    for file in CASES_BY_FILE:
        published_file = document(file)
        for case, result in zip(published_file["input"]["cases"], published_file["output"]["results"], strict=True):
            assert case["id"] == result["id"]
            cases[case["id"]] = (case, result)
    return cases


@pytest.mark.parametrize("file", CASES_BY_FILE)
def test_the_rules_pass_every_published_case(file: str) -> None:
    published_file = document(file)
    answers = check(published_file["input"])["results"]
    assert isinstance(answers, list)
    expected_answers = published_file["output"]["results"]
    differing = [(answer, expected) for answer, expected in zip(answers, expected_answers, strict=True) if answer != expected]
    assert not differing


@pytest.mark.parametrize("file", CASES_BY_FILE)
def test_the_published_file_matches_the_casebook(file: str) -> None:
    # Writing the text again also compares the reference engine with every answer reasoned by hand.
    assert (FOLDER / f"{file}.json").read_text(encoding="utf-8") == file_text(CASES_BY_FILE[file])


def test_there_are_no_other_files() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {*CASES_BY_FILE, "worked_examples"}


def test_there_are_enough_cases_and_their_ids_are_unique() -> None:
    ids = [case.question["id"] for cases in CASES_BY_FILE.values() for case in cases]
    thresholds = [case for case, _ in published().values() if case["check"] == "threshold"]
    assert len(ids) == len(set(ids)) == len(published())
    assert len(thresholds) >= 300
    assert len(published()) - len(thresholds) >= 120


def test_only_mixed_cases_have_no_answer_reasoned_by_hand() -> None:
    computed_only = [case.question["id"] for cases in CASES_BY_FILE.values() for case in cases if case.answer is None]
    assert all(name.startswith("X-mixed-") for name in computed_only)


def test_the_worked_examples_of_the_contract_pass() -> None:
    examples = document("worked_examples")
    assert check(examples["input"]) == examples["output"]


@pytest.mark.parametrize("wrong_engine", CAUGHT, ids=lambda wrong_engine: wrong_engine.__name__)
def test_each_wrong_engine_fails_its_named_case(wrong_engine: type[Engine]) -> None:
    case, expected = published()[CAUGHT[wrong_engine]]
    assert wrong_engine().result(case) != expected


def test_there_are_enough_wrong_engines() -> None:
    assert len(THRESHOLDS) >= 40
    assert len(CAUGHT) >= 90
