"""The published cases: the rules pass all of them, and every wrong engine is caught by the case named for it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from portal.rules.conformance import check
from tests.rules import wrong_dates, wrong_marks, wrong_notices, wrong_payments, wrong_windows
from tests.rules.casebook.shelves import FOLDER, SHELVES, written

if TYPE_CHECKING:
    from tests.rules.casebook.building import Json
    from tests.rules.reference import Engine

THRESHOLDS = {**wrong_windows.CAUGHT, **wrong_marks.CAUGHT}
CAUGHT = {**THRESHOLDS, **wrong_notices.CAUGHT, **wrong_payments.CAUGHT, **wrong_dates.CAUGHT}


@cache
def document(shelf: str) -> Json:
    loaded: Json = json.loads((FOLDER / f"{shelf}.json").read_text(encoding="utf-8"))
    return loaded


@cache
def published() -> dict[str, tuple[Json, Json]]:
    """Every published case by id, with its result."""
    found = {}
    for shelf in SHELVES:
        both = document(shelf)
        for case, result in zip(both["input"]["cases"], both["output"]["results"], strict=True):
            assert case["id"] == result["id"]
            found[case["id"]] = (case, result)
    return found


@pytest.mark.parametrize("shelf", SHELVES)
def test_the_rules_pass_every_published_case(shelf: str) -> None:
    both = document(shelf)
    answers = check(both["input"])["results"]
    assert isinstance(answers, list)
    differing = [
        (answer, expected) for answer, expected in zip(answers, both["output"]["results"], strict=True) if answer != expected
    ]
    assert not differing


@pytest.mark.parametrize("shelf", SHELVES)
def test_the_published_file_is_what_the_casebook_says(shelf: str) -> None:
    # Regenerating also holds the literal reading equal to every answer reasoned by hand.
    assert (FOLDER / f"{shelf}.json").read_text(encoding="utf-8") == written(SHELVES[shelf])


def test_there_are_no_other_files() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {*SHELVES, "worked_examples"}


def test_there_are_enough_cases_and_their_ids_are_their_own() -> None:
    ids = [case.asked["id"] for cases in SHELVES.values() for case in cases]
    thresholds = [case for case, _ in published().values() if case["check"] == "threshold"]
    assert len(ids) == len(set(ids)) == len(published())
    assert len(thresholds) >= 300
    assert len(published()) - len(thresholds) >= 120


def test_most_answers_were_reasoned_and_not_only_computed() -> None:
    without = [case.asked["id"] for cases in SHELVES.values() for case in cases if case.answer is None]
    assert all(name.startswith("X-mixed-") for name in without)


def test_the_worked_examples_of_the_contract() -> None:
    both = json.loads((Path(FOLDER) / "worked_examples.json").read_text(encoding="utf-8"))
    assert check(both["input"]) == both["output"]


@pytest.mark.parametrize("wrong", CAUGHT, ids=lambda wrong: wrong.__name__)
def test_each_wrong_engine_is_caught_by_its_named_case(wrong: type[Engine]) -> None:
    case, expected = published()[CAUGHT[wrong]]
    assert wrong().result(case) != expected


def test_there_are_enough_wrong_engines() -> None:
    assert len(THRESHOLDS) >= 40
    assert len(CAUGHT) >= 90
