"""Cases that can't be read get a plain sentence that says what to enter, never a traceback."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.rules.conformance import CHECKS, check, check_text
from tests.rules.casebook.case_shelves import FOLDER

if TYPE_CHECKING:
    from tests.rules.casebook.building import Json

WORKED: Json = json.loads((FOLDER / "worked_examples.json").read_text(encoding="utf-8"))
THRESHOLD, NOTICE, PAYMENT = WORKED["input"]["cases"]
AGE = {"id": "A", "check": "compulsory_school_age", "date_of_birth": "2014-03-10", "dates": ["2025-09-01"]}
LIMIT = {"id": "L", "check": "time_limit", "offence_dates": ["2025-09-01"], "information_laid_on": "2025-10-01"}


def answer(case: object) -> Json:
    results = check({"cases": [case]})["results"]
    assert isinstance(results, list)
    assert len(results) == 1
    result: Json = results[0]
    return result


@pytest.mark.parametrize("document", [None, [], "x", 3, {}, {"cases": None}, {"cases": {}}, {"case": []}])
def test_a_document_without_cases_is_rejected(document: object) -> None:
    assert check(document) == {"results": [], "error": "Enter a JSON object with a list called cases."}


@pytest.mark.parametrize("text", [b"", b"{", b"not json", b"\xff\xfe{}", b"[" * 100000, '{"cases": "\u00e9"'.encode("latin-1")])
def test_text_that_is_not_a_json_document_is_rejected(text: bytes) -> None:
    assert check_text(text) == {"results": [], "error": "Enter one JSON document in UTF-8."}


def test_text_is_utf_8_with_or_without_a_byte_order_mark() -> None:
    text = json.dumps({"cases": [{**AGE, "id": "Zoë"}]}, ensure_ascii=False)
    for encoding in ("utf-8", "utf-8-sig"):
        results = check_text(text.encode(encoding))["results"]
        assert isinstance(results, list)
        assert results[0]["id"] == "Zoë"
    assert check_text(json.dumps(WORKED["input"]).encode()) == WORKED["output"]


def test_an_empty_list_of_cases_has_no_results() -> None:
    assert check({"cases": []}) == {"results": []}


@pytest.mark.parametrize("case", [None, [], "x", 3])
def test_a_case_that_is_not_an_object_is_rejected(case: object) -> None:
    assert "error" in answer(case)


@pytest.mark.parametrize("name", [None, "x", "", 3, [], {}])
def test_an_unknown_check_is_rejected(name: object) -> None:
    result = answer({"id": "A", "check": name})
    assert result["id"] == "A"
    assert result["error"] == f"check: enter one of {', '.join(CHECKS)}."


def changed(case: Json, path: str, value: object) -> Json:
    """The case with one field changed. The value "-" removes the field."""
    copy = deepcopy(case)
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    container: Any = copy
    for step in parents:
        container = container[step]
    if value == "-":
        del container[last]
    else:
        container[last] = value
    return copy


BROKEN: tuple[tuple[Json, str, object, str], ...] = (
    (THRESHOLD, "pupil", "-", "pupil: enter this field; it is missing."),
    (THRESHOLD, "pupil", 3, "pupil: enter an object."),
    (THRESHOLD, "pupil.date_of_birth", "1 June", "pupil.date_of_birth: enter a date as YYYY-MM-DD."),
    (THRESHOLD, "pupil.date_of_birth", "2015-02-30", "pupil.date_of_birth: enter a date as YYYY-MM-DD."),
    (THRESHOLD, "pupil.date_of_birth", "20150601", "pupil.date_of_birth: enter a date as YYYY-MM-DD."),
    (THRESHOLD, "pupil.date_of_birth", "2015-W22-1", "pupil.date_of_birth: enter a date as YYYY-MM-DD."),
    (THRESHOLD, "pupil.date_of_birth", None, "pupil.date_of_birth: enter a date as YYYY-MM-DD."),
    (THRESHOLD, "schools", {}, "schools: enter a list."),
    (THRESHOLD, "schools.0", 1, "schools[0]: enter an object."),
    (THRESHOLD, "schools.0.school", 1, "schools[0].school: enter text."),
    (THRESHOLD, "schools.0.calendar", {}, "schools[0].calendar.terms: enter this field; it is missing."),
    (THRESHOLD, "schools.0.calendar.terms.0.last_day", "2024-01-01", "before it begins"),
    (THRESHOLD, "schools.0.attendance.2.session", "pm", "schools[0].attendance[2].session: enter AM or PM."),
    (THRESHOLD, "schools.0.attendance.2.session", [], "schools[0].attendance[2].session: enter AM or PM."),
    (THRESHOLD, "schools.0.attendance.2.code", "-", "schools[0].attendance[2].code: enter this field; it is missing."),
    (THRESHOLD, "already_dealt_with", "none", "already_dealt_with: enter a list."),
    (NOTICE, "parents", "Parent 1", "parents: enter a list."),
    (NOTICE, "parents.0", 1, "parents[0]: enter the parent as text."),
    (NOTICE, "previous_notices.0.status", "lost", "previous_notices[0].status: enter one of outstanding, paid, unpaid"),
    (NOTICE, "previous_notices.0.power", "s444", "previous_notices[0].power: enter one of s444A, s105."),
    (NOTICE, "proposed_issue_date", "soon", "proposed_issue_date: enter a date as YYYY-MM-DD."),
    (PAYMENT, "service.method", "email", "service.method: enter one of first_class_post, by_hand."),
    (PAYMENT, "service.posted_on", "-", "service.posted_on: enter this field; it is missing."),
    (PAYMENT, "notice", "third", "notice: enter one of first, second."),
    (PAYMENT, "payments", [{"paid_on": "2025-02-06", "amount": "80"}], "payments[0].amount: enter an amount in pounds"),
    (PAYMENT, "payments", [{"paid_on": "2025-02-06", "amount": True}], "payments[0].amount: enter an amount in pounds"),
    (AGE, "date_of_birth", "9999-01-01", "The dates can't be worked out"),
    (AGE, "dates", ["soon"], "dates[0]: enter a date as YYYY-MM-DD."),
    (LIMIT, "offence_dates", ["9999-12-31"], "The dates can't be worked out"),
    (LIMIT, "information_laid_on", 20251001, "information_laid_on: enter a date as YYYY-MM-DD."),
)


@pytest.mark.parametrize(("case", "path", "value", "error"), BROKEN)
def test_the_error_says_what_to_enter(case: Json, path: str, value: object, error: str) -> None:
    result = answer(changed(case, path, value))
    assert (result["id"], result["check"]) == (case["id"], case["check"])
    assert error in result["error"]


def test_two_codes_for_one_session_are_rejected() -> None:
    attendance = [*THRESHOLD["schools"][0]["attendance"], {"date": "2025-01-20", "session": "AM", "code": "I"}]
    result = answer(changed(THRESHOLD, "schools.0.attendance", attendance))
    assert "enter one code for a session; this one has two" in result["error"]


def test_the_other_cases_are_answered_when_one_cannot_be_read() -> None:
    results = check({"cases": [THRESHOLD, {"id": "B"}, PAYMENT]})["results"]
    assert isinstance(results, list)
    assert ["error" in result for result in results] == [False, True, False]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_extra_fields_are_ignored_and_empty_ones_may_be_null(number: int) -> None:
    case, expected = WORKED["input"]["cases"][number], WORKED["output"]["results"][number]
    extra = {**case, "note": "x", "service": {**case.get("service", {}), "x": 1}}
    assert answer(extra) == expected


def test_a_closure_with_a_null_session_closes_the_day() -> None:
    closed = [{"date": "2025-01-20", "session": None}]
    assert answer(changed(THRESHOLD, "schools.0.calendar.closed", closed))["best_count"] == 8


def test_amendments_and_dealt_with_may_be_left_out() -> None:
    case = changed(changed(THRESHOLD, "already_dealt_with", "-"), "schools.0.amendments", None)
    assert answer(case)["outcome"] == "met"


@pytest.mark.parametrize("identity", ["E1", "", 7, None])
def test_the_id_is_copied_unchanged(identity: object) -> None:
    assert answer({**AGE, "id": identity})["id"] == identity


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = sorted({path for _, path, _, _ in BROKEN})


@settings(max_examples=60)
@given(st.sampled_from([THRESHOLD, NOTICE, PAYMENT, AGE, LIMIT]), st.sampled_from(FIELDS), JSON)
def test_any_value_in_a_field_gets_an_answer(case: Json, path: str, value: object) -> None:
    # The path of another case's field may not exist in this one.
    try:
        changed_case = changed(case, path, value)
    except (KeyError, IndexError, TypeError):
        return
    result = answer(changed_case)
    assert result["check"] == case["check"]
    json.dumps(result)


@settings(max_examples=60)
@given(JSON)
def test_any_document_gets_results(document: object) -> None:
    assert "results" in check(document)
