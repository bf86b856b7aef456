"""Tests of the Common Transfer File: strings of marks, totals, and pupils as in a pupil list."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading.reader import read
from tests.uploads.reading.support import FILES, assert_all_marks_accounted, marks, problem_kinds, upn

if TYPE_CHECKING:
    from portal.uploads.domain.reading.result import Reading

CODES = "/\\LIMBKVPWCESTRGNOUDXQ"


def ctf(pupils: str) -> bytes:
    return f"<CTfile><Header/><CTFpupilData>{pupils}</CTFpupilData></CTfile>".encode()


def pupil(
    string: str, *, start: str = "2026-09-07", upn_text: str = upn(1), year: str = "", totals: str = "", school: str = ""
) -> str:
    return (
        f"<Pupil><UPN>{upn_text}</UPN><Surname>Example</Surname><Forename>Ann</Forename><DOB>2016-01-15</DOB><Attendance><YearData>"
        f"{year}{school}{totals}<AttendSessions><AttendanceStartDate>{start}</AttendanceStartDate>"
        f"<AttendanceMarks>{string}</AttendanceMarks></AttendSessions></YearData></Attendance></Pupil>"
    )


def read_string(string: str, **details: str) -> Reading:
    return read(ctf(pupil(string, **details)))


def test_the_sample_file_is_read_and_its_totals_agree() -> None:
    reading = read((FILES / "ctf_marks.xml").read_bytes())
    assert_all_marks_accounted(reading, 14)
    assert (reading.layout, reading.one_letter, reading.missing, problem_kinds(reading)) == ("ctf", True, 0, [])
    assert reading.pupils[0].school_number == "9999999"
    assert ("Y999999922001", date(2026, 9, 3), 0, "/") in marks(reading)
    assert ("Y999999922001", date(2026, 9, 7), 0, "L") in marks(reading)
    assert ("Y999999922001", date(2026, 9, 11), 1, "#") not in marks(reading)
    assert min(reading.dates) == date(2026, 9, 3)


def test_a_pupil_with_a_upn_of_ten_characters_is_rejected() -> None:
    reading = read((FILES / "ctf_short_upn.xml").read_bytes())
    assert (problem_kinds(reading), reading.people, reading.rows_in) == (["odd-upn"], (), 1)


def test_all_marks_of_a_pupil_with_a_wrong_upn_count_as_rejected() -> None:
    reading = read_string("/\\I-##", upn_text="A12345")
    assert_all_marks_accounted(reading, 3)
    assert reading.problems[0].value == "A12345"
    assert reading.rejected_rows[0, 1][-1] == "/\\I-##"


def test_blanks_and_dashes_are_missing_on_weekdays_and_ignored_at_weekends() -> None:
    reading = read_string("/-- /\\/\\/\\  --")
    assert_all_marks_accounted(reading, 7)
    assert reading.missing == 3


def test_a_string_of_odd_length_is_rejected() -> None:
    reading = read_string("/\\/")
    assert_all_marks_accounted(reading, 3)
    assert (problem_kinds(reading), reading.pupil.size) == (["odd-length"], 0)


@pytest.mark.parametrize(
    ("start", "length", "kind"),
    [("2027-07-31", 32, None), ("2027-07-31", 33, "outside-year"), ("2026-08-01", 396, None), ("2026-08-01", 397, "outside-year")],
)
def test_marks_must_be_within_1_august_to_31_august(start: str, length: int, kind: str | None) -> None:
    reading = read_string("/\\" * length, start=start)
    assert_all_marks_accounted(reading, 2 * length)
    assert problem_kinds(reading) == ([kind] if kind else [])


def test_closed_days_after_the_end_of_the_year_are_ignored() -> None:
    assert problem_kinds(read_string("/\\" + "#" * 900)) == []


def test_marks_outside_the_year_of_their_element_are_rejected() -> None:
    reading = read_string("/\\", year="<Year>2024</Year>")
    assert_all_marks_accounted(reading, 2)
    assert problem_kinds(reading) == ["other-year"]


def test_a_string_whose_start_date_cannot_be_read_is_rejected() -> None:
    reading = read_string("/\\", start="soon")
    assert_all_marks_accounted(reading, 2)
    assert problem_kinds(reading) == ["no-date"]


def test_totals_that_differ_from_the_marks_are_only_a_warning() -> None:
    reading = read_string("/\\II", totals="<SessionsPossible>4</SessionsPossible><SessionsAttended>4</SessionsAttended>")
    assert_all_marks_accounted(reading, 4)
    assert [(problem.kind, problem.value, problem.count) for problem in reading.problems] == [
        ("totals-differ", "SessionsAttended 4, marks 2", 0)
    ]


def test_the_code_j_may_count_as_attended_or_authorised() -> None:
    totals = "<SessionsAttended>{}</SessionsAttended><SessionsAuthorised>{}</SessionsAuthorised>"
    assert problem_kinds(read_string("/J", totals=totals.format(2, 0))) == []
    assert problem_kinds(read_string("/J", totals=totals.format(1, 1))) == []
    assert problem_kinds(read_string("/I", totals=totals.format(2, 0))) == ["totals-differ"]


def test_the_school_number_is_that_of_the_year_element() -> None:
    assert read_string("/\\").pupils[0].school_number is None
    assert read_string("/\\", school="<LEA>001</LEA><Estab>2345</Estab>").pupils[0].school_number == "0012345"
    assert read_string("/\\", school="<LEA>XXX</LEA><Estab>XXXX</Estab>").pupils[0].school_number is None


def test_all_years_and_schools_of_a_pupil_are_read() -> None:
    year = (
        "<YearData><LEA>999</LEA><Estab>{}</Estab><AttendSessions><AttendanceStartDate>{}</AttendanceStartDate>"
        "<AttendanceMarks>/\\</AttendanceMarks></AttendSessions></YearData>"
    )
    years = year.format("9998", "2025-09-08") + year.format("9999", "2026-09-07")
    reading = read(ctf(f"<Pupil><UPN>{upn(1)}</UPN><Attendance>{years}</Attendance></Pupil>"))
    assert_all_marks_accounted(reading, 4)
    assert {key.school_number for key in reading.pupils} == {"9999998", "9999999"}


def test_the_details_of_a_pupil_are_read() -> None:
    details = (
        f"<Pupil><UPN>{upn(2)}</UPN><Surname>Ó’Example</Surname><Forename>Bo</Forename><DOB>2015-02-03</DOB><Gender>M</Gender>"
        "<BasicDetails><NCyearActual>6</NCyearActual><EnrolStatus>M</EnrolStatus><SENprovision>E</SENprovision></BasicDetails>"
        f"<FormerUPN>{upn(3).lower()}</FormerUPN>"
        "<LookedAfter>true</LookedAfter>"
        "<Address><PAON>1</PAON><Street>Elm Row</Street><PostCode>ZZ9 9ZZ</PostCode></Address>"
        "<Contacts><Contact><Surname>Example</Surname><Forename>Di</Forename><Relationship>MOT</Relationship>"
        "<Responsibility>Y</Responsibility>"
        "<Phones><Phone><PhoneNo>07700 900000</PhoneNo></Phone></Phones></Contact></Contacts></Pupil>"
    )
    person = read(ctf(details)).people[0]
    assert (person.surname, person.date_of_birth, person.row) == ("Ó’Example", date(2015, 2, 3), 1)
    assert {name: person.fields[name] for name in ("sex", "year_group", "enrolment_status", "sen_provision", "looked_after")} == {
        "sex": "M",
        "year_group": "6",
        "enrolment_status": "M",
        "sen_provision": "E",
        "looked_after": "yes",
    }
    assert (person.fields["former_upn"], person.fields["address"], person.fields["postcode"]) == (upn(3), "1, Elm Row", "ZZ9 9ZZ")
    assert person.parents[0]["name"] == "Di Example"
    assert person.parents[0]["phone"] == "07700 900000"


def test_a_file_declared_as_utf_8_but_written_in_windows_1252_is_read() -> None:
    content = ctf(pupil("/\\").replace("Example", "Zoë")).decode().encode("cp1252")
    assert read(b'<?xml version="1.0" encoding="utf-8"?>' + content).pupils[0].surname == "Zoë"


def test_utf_16_and_a_namespace_are_read() -> None:
    text = ctf(pupil("/\\")).decode().replace("<CTfile>", '<CTfile xmlns="http://example.org/ctf">')
    assert_all_marks_accounted(read(f'<?xml version="1.0" encoding="UTF-16"?>{text}'.encode("utf-16")), 2)


def test_a_file_without_pupils_is_rejected() -> None:
    with pytest.raises(FileRejected, match="no pupils"):
        read(ctf(""))


@settings(max_examples=60)
@given(st.lists(st.text(alphabet=CODES + "#- ", min_size=2, max_size=2), min_size=1, max_size=60))
def test_any_string_is_read_as_written(days: list[str]) -> None:
    start = date(2026, 9, 1)
    written = "".join(days)
    reading = read_string(written, start=start.isoformat())
    expected = {
        (upn(1), start + timedelta(days=index // 2), index % 2, mark) for index, mark in enumerate(written) if mark not in "#- "
    }
    assert_all_marks_accounted(reading, len(expected))
    assert marks(reading) == expected


def test_a_file_with_pupils_and_no_marks_is_a_pupil_list() -> None:
    complete = f"<Pupil><UPN>{upn(1)}</UPN><Surname>Example</Surname><Forename>Ann</Forename><DOB>2016-01-15</DOB></Pupil>"
    reading = read(ctf(complete + f"<Pupil><UPN>{upn(2)}</UPN></Pupil><Pupil><UPN>A1</UPN><Surname>Example</Surname></Pupil>"))
    assert (reading.layout, [person.surname for person in reading.people]) == ("pupil-list", ["Example"])
    assert [(problem.kind, problem.row, problem.count) for problem in reading.problems] == [("no-name", 2, 1), ("odd-upn", 3, 1)]
    assert read_string("/\\").layout == "ctf"
