"""Tests of reported totals: census XML and CSV, and the DfE's weekly file."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading.reader import read
from tests.uploads.reading.support import FILES, assert_all_marks_accounted, problem_kinds, upn

if TYPE_CHECKING:
    from portal.uploads.domain.reading.result import Reading

COUNTED = ("possible", "absent", "authorised", "unauthorised", "attended")


def counts(reading: Reading, index: int = 0) -> tuple[int | None, ...]:
    return tuple(reading.totals[index][name] for name in COUNTED)


def test_the_sample_census_is_read() -> None:
    reading = read((FILES / "census_three_pupils.xml").read_bytes())
    assert_all_marks_accounted(reading, 0)
    assert (reading.layout, problem_kinds(reading)) == ("census-xml", [])
    assert counts(reading, 0) == (96, 7, 7, 0, 89)
    assert counts(reading, 1) == (109, 0, 0, 0, 109)
    assert counts(reading, 2) == (89, 60, 60, 0, 29)
    assert reading.totals[2]["reasons"] == {"S": 60, "X": 30}
    assert (reading.totals[2]["upn"], reading.totals[2]["date_of_birth"]) == (None, date(2012, 2, 18))


def census(block: str, header: str = "") -> bytes:
    identifiers = f"<PupilIdentifiers><UPN>{upn(1)}</UPN><Surname>Example</Surname></PupilIdentifiers>"
    pupil = f"<PupilOnRoll>{identifiers}<Attendance>{block}</Attendance></PupilOnRoll>"
    return f"<Message>{header}<Pupils>{pupil}</Pupils></Message>".encode()


def detail(reason: str, sessions: str) -> str:
    return (
        f"<SessionDetail><AttendanceReason>{reason}</AttendanceReason><AbsenceSessions>{sessions}</AbsenceSessions></SessionDetail>"
    )


@pytest.mark.parametrize(
    ("term", "year", "span"),
    [("AUT", "2026", "summer 2025/26"), ("SPR", "2027", "autumn 2026/27"), ("SUM", "2027", "spring 2026/27")],
)
def test_a_census_collects_the_term_before_it(term: str, year: str, span: str) -> None:
    header = (
        f"<Header><CollectionDetails><Collection><Term>{term}</Term><Year>{year}</Year></Collection></CollectionDetails></Header>"
    )
    reading = read(census("<TermlyAttendance><SessionsPossible>10</SessionsPossible></TermlyAttendance>", header))
    assert (reading.totals[0]["span"], reading.totals[0]["upn"]) == (span, upn(1))


def test_sums_by_reason_override_totals() -> None:
    block = (
        "<TermlyAttendance><SessionsPossible>100</SessionsPossible><SessionsAuthorised>1</SessionsAuthorised><SessionDetails>"
        + detail("I", "6")
        + detail("G", "4")
        + detail("", "2")
        + "</SessionDetails></TermlyAttendance>"
    )
    assert counts(read(census(block))) == (100, 12, 6, 4, 88)


def test_a_number_that_cannot_be_read_is_a_problem() -> None:
    reading = read(census("<TermlyAttendance><SessionsPossible>c</SessionsPossible></TermlyAttendance>"))
    assert_all_marks_accounted(reading, 1)
    assert (problem_kinds(reading), reading.totals) == (["not-a-number"], ())


def test_more_absence_than_possible_sessions_is_only_a_warning() -> None:
    block = f"<TermlyAttendance><SessionsPossible>5</SessionsPossible>{detail('I', '9')}</TermlyAttendance>"
    reading = read(census(block))
    assert_all_marks_accounted(reading, 0)
    assert (problem_kinds(reading), counts(reading)) == (["more-than-possible"], (5, 9, 9, 0, 0))


def test_xml_of_another_kind_is_rejected() -> None:
    with pytest.raises(FileRejected, match="neither a Common Transfer File nor a school census"):
        read(b"<SessionAttendances/>")


def test_a_census_table_of_pupils_has_two_spans() -> None:
    rows = (
        "NativeId,upn,surname,forename,dob,termlysessionspossible,termlysessionsauthorised,termlysessionsunauthorised,"
        "summerhalfterm2sessionspossible,summerhalfterm2sessionsauthorised,summerhalfterm2sessionsunauthorised\n"
        f"999X,{upn(1)},Example,Ann,2012-Feb-18 00:00:00,100,7,3,60,0,\n"
        f"999Y,{upn(2)},Example,Bo,2012-Feb-18 00:00:00,x,7,3,,,\n"
    )
    reading = read(b"\xef\xbb\xbf" + rows.encode())
    assert_all_marks_accounted(reading, 1)
    assert reading.layout == "census-csv"
    assert [total["span"] for total in reading.totals] == ["termly", "second half of summer"]
    assert (counts(reading, 0), counts(reading, 1)) == ((100, 10, 7, 3, 90), (60, 0, 0, None, 60))
    assert reading.totals[0]["date_of_birth"] == date(2012, 2, 18)
    assert (reading.problems[0].row, problem_kinds(reading)) == (3, ["not-a-number"])


def test_a_census_table_by_reason_is_summed_for_each_pupil() -> None:
    rows = (
        "pupilonrolltableid,upn,sessions,attendancereason\n"
        f"1,{upn(1)},6,I\n1,{upn(1)},4,O\n2,{upn(2)},30,X\n1,{upn(1)},1,\n2,{upn(2)},low,I\n"
    )
    reading = read(rows.encode())
    assert_all_marks_accounted(reading, 1)
    assert counts(reading, 0) == (None, 11, 6, 4, None)
    assert counts(reading, 1) == (None, 0, 0, 0, None)


def test_the_dfes_weekly_file_has_totals_only() -> None:
    rows = (
        "academic_term,UPN,DOB,unique_reference_number,pupil_surname,pupil_forename,possible_sessions,absent_sessions,present_sessions,"
        "approved_educational_activity_sessions,authorised_absent_sessions,unauthorised_absent_sessions\n"
        f"Autumn 2026,{upn(1)},2012-02-18,999999,Example,Ann,100,10,88,2,7,3\n"
        f"Autumn 2026,A1,2012-02-18,999999,Example,Bo,100,10,88,2,7,3\n"
        f"Autumn 2026,{upn(3)},2012-02-18,999999,Example,Cy,100,z,88,2,7,3\n"
    )
    reading = read(rows.encode())
    assert_all_marks_accounted(reading, 2)
    assert (reading.layout, reading.pupil.size, problem_kinds(reading)) == ("dfe-weekly", 0, ["odd-upn", "not-a-number"])
    assert counts(reading) == (100, 10, 7, 3, 90)
    assert (reading.totals[0]["span"], reading.totals[0]["school_number"], reading.totals[0]["surname"]) == (
        "Autumn 2026",
        "999999",
        "Example",
    )
