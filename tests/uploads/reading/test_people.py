"""Tests of pupil lists: characteristics, parents and carers, and rejected rows."""

from __future__ import annotations

from datetime import date

from portal.uploads.domain.reading.reader import read
from tests.uploads.reading.support import assert_all_marks_accounted, problem_kinds, upn, workbook

HEADINGS = (
    "UPN,Surname,Forename,DOB,Gender,Year,Reg,EnrolStatus,Admission date,SEN,FSM,CLA,CIN,CP,Young carer,EAL,Parent 1 name,"
    "Parent 1 relationship,Parent 1 phone,Parent 1 PR,Parent 1 do not disclose,Postcode"
)
ROW = f"{upn(1)},Ó Example,Ann,15/01/2016,Female,Year  6,6A,C,01/09/2020,K,Y,No,,1,P,Y,Di Example,Mother,07700 900000,Y,N,ZZ9 9ZZ"
EXPECTED_FIELDS = {
    "upn": upn(1),
    "sex": "F",
    "year_group": "6",
    "registration_group": "6A",
    "enrolment_status": "C",
    "admission_date": date(2020, 9, 1),
    "sen_provision": "K",
    "fsm": "yes",
    "looked_after": "no",
    "child_in_need": None,
    "child_protection_plan": "yes",
    "young_carer": "yes",
    "eal": True,
}


def test_a_complete_pupil_list_is_read() -> None:
    reading = read(f"{HEADINGS}\n{ROW}\n".encode())
    assert_all_marks_accounted(reading, 0)
    (person,) = reading.people
    assert (reading.layout, person.surname, person.forename) == ("pupil-list", "Ó Example", "Ann")
    assert (person.date_of_birth, person.row) == (date(2016, 1, 15), 2)
    assert {name: person.fields.get(name) for name in EXPECTED_FIELDS} == EXPECTED_FIELDS
    (parent,) = person.parents
    assert (parent["name"], parent["phone"]) == ("Di Example", "07700 900000")
    assert (parent["parental_responsibility"], parent["do_not_disclose"]) == (True, False)


def test_rows_that_are_not_a_pupil_are_rejected_one_by_one() -> None:
    rows = (
        f"UPN,Surname,Forename,DOB\n{upn(1)},,Ann,2016-01-15\n{upn(2)},Example,Bo,\n{upn(3)},Example,Cy,soon\n"
        "A1,Example,Di,2016-01-15\n,Example,Ed,2016-01-15\n"
    )
    reading = read(rows.encode())
    assert problem_kinds(reading) == ["no-name", "no-birth", "no-date", "odd-upn"]
    assert_all_marks_accounted(reading, 4)
    assert [(person.forename, person.fields["upn"], person.row) for person in reading.people] == [("Ed", None, 6)]


def test_a_workbook_of_full_names_and_dates_is_read() -> None:
    rows = [
        ["Name", "Date of birth", "Year group"],
        ["Example, Ann Di", date(2016, 1, 15), 6],
        ["Example, Bo", date(2021, 8, 31), "Reception"],
    ]
    people = read(workbook({"Pupils": rows})).people
    assert [(person.surname, person.forename, person.fields["year_group"]) for person in people] == [
        ("Example", "Ann Di", "6"),
        ("Example", "Bo", "R"),
    ]
    assert people[1].date_of_birth == date(2021, 8, 31)
