"""Tests of JSON records in Wonde's format."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading.reader import read
from tests.uploads.reading.support import assert_all_marks_accounted, marks, problem_kinds, upn

if TYPE_CHECKING:
    from portal.uploads.domain.reading.result import Reading

STUDENTS = [
    {"id": "A1", "upn": upn(1), "surname": "Example", "forename": "Ann", "date_of_birth": {"date": "2016-01-15 00:00:00.000000"}},
    {"id": 7, "upn": upn(2).lower(), "surname": "Example", "forename": "Bo", "date_of_birth": "2015-02-03"},
]
CODES = [{"id": "C9", "code": "I"}, {"id": 4, "code": "L"}, {"id": 5, "code": "-"}]


def wonde(*attendance: Any, **lists: Any) -> Reading:
    document = {"students": STUDENTS, "attendance": list(attendance), "attendance-codes": CODES, **lists}
    return read(json.dumps(document).encode())


def test_marks_are_joined_with_pupil_and_code() -> None:
    reading = wonde(
        {"student_id": "A1", "date": "2026-09-07", "session": "AM", "attendance_code_id": "C9", "comment": " rang in "},
        {
            "student_id": 7,
            "date": {"date": "2026-09-07 00:00:00.000000"},
            "session": "pm",
            "attendance_code_id": 4,
            "minutes_late": 12,
        },
    )
    assert_all_marks_accounted(reading, 2)
    assert marks(reading) == {(upn(1), date(2026, 9, 7), 0, "I"), (upn(2), date(2026, 9, 7), 1, "L")}
    assert [(note.minutes_late, note.comment) for note in reading.notes] == [(None, "rang in"), (12, None)]
    assert reading.pupils[0].date_of_birth == date(2016, 1, 15)
    assert reading.row.tolist() == [1, 2]


def test_nested_students_codes_and_envelopes_are_read() -> None:
    student = {"data": {"id": "Z", "upn": upn(9), "surname": "Example"}}
    record = {"student": student, "date": "2026-09-07", "session": "AM", "attendance_code": {"data": {"id": 1, "code": "B"}}}
    reading = read(json.dumps({"data": {"attendance": {"data": [record]}}}).encode())
    assert marks(reading) == {(upn(9), date(2026, 9, 7), 0, "B")}


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"student_id": "nobody"}, "unknown-student"),
        ({"student_id": None}, "unknown-student"),
        ({"attendance_code_id": "nothing"}, "unknown-code-id"),
        ({"date": "the 7th"}, "no-date"),
        ({"session": "P3"}, "no-session"),
    ],
)
def test_a_mark_that_cannot_be_joined_is_rejected_and_counted(fields: dict[str, Any], kind: str) -> None:
    record = {"student_id": "A1", "date": "2026-09-07", "session": "AM", "attendance_code_id": "C9"}
    reading = wonde(record, record | fields)
    assert_all_marks_accounted(reading, 2)
    assert (problem_kinds(reading), reading.problems[0].row) == ([kind], 2)


def test_a_record_without_a_mark_is_missing_and_text_instead_of_a_record_is_rejected() -> None:
    record = {"student_id": "A1", "date": "2026-09-07", "session": "AM"}
    reading = wonde(record, record | {"attendance_code_id": 5}, "not a record")
    assert_all_marks_accounted(reading, 1)
    assert (reading.missing, problem_kinds(reading)) == (2, ["not-a-record"])


def test_marks_of_a_student_without_a_upn_are_rejected() -> None:
    record = {"student_id": "A1", "date": "2026-09-07", "session": "AM", "code": "/"}
    reading = wonde(record, students=[{"id": "A1", "surname": "Example"}])
    assert_all_marks_accounted(reading, 1)
    assert problem_kinds(reading) == ["no-upn"]


@pytest.mark.parametrize("content", [b"{}", b'[{"a": 1}]', b'{"attendance": []}', b'{"attendance": null}', b'{"data": []}'])
def test_json_of_another_structure_is_rejected(content: bytes) -> None:
    with pytest.raises(FileRejected):
        read(content)
