"""Reading lists of schools: GIAS extracts, simpler files, and what to put right."""

from __future__ import annotations

import pytest

from portal.schools.domain.days import day
from portal.schools.domain.school_list import school_list

GIAS = (
    "URN,LA (code),EstablishmentNumber,EstablishmentName,PhaseOfEducation (name),TypeOfEstablishment (name),"
    "StatutoryLowAge,StatutoryHighAge,Trusts (name),OpenDate,CloseDate,EstablishmentStatus (name)\r\n"
)


def gias(*rows: str) -> bytes:
    """A GIAS extract, in GIAS's own encoding."""
    return (GIAS + "\r\n".join(rows) + "\r\n").encode("cp1252")


def test_gias_rows_become_schools() -> None:
    listed = school_list(gias("900001,001,2001,St Wren’s Primary,Primary,Community school,4,11,,01-09-1975,,Open"), "001")
    (school,) = listed.schools
    assert listed.problems == ()
    assert (school.urn, school.laestab, school.name, school.phase) == ("900001", "0012001", "St Wren’s Primary", "primary")
    assert (school.lowest_age, school.highest_age, school.trust, school.closed_on) == (4, 11, None, None)
    assert school.opened_on is not None
    assert school.opened_on.isoformat() == "1975-09-01"


@pytest.mark.parametrize(
    ("phase", "kind", "ages", "expected"),
    [
        ("Primary", "Community school", "5,11", "primary"),
        ("Middle deemed primary", "Academy converter", "8,12", "primary"),
        ("Middle deemed secondary", "Academy converter", "9,13", "secondary"),
        ("Secondary", "Free schools", "11,18", "secondary"),
        ("16 plus", "Free schools 16 to 19", "16,19", "secondary"),
        ("All-through", "Academy sponsor led", "3,18", "all-through"),
        ("Nursery", "Local authority nursery school", "2,5", "nursery"),
        ("Not applicable", "Community special school", "4,19", "special"),
        ("Not applicable", "Academy special converter", "4,19", "special"),
        ("Not applicable", "Pupil referral unit", "5,16", "alternative"),
        ("Not applicable", "Free schools alternative provision", "11,16", "alternative"),
        ("Not applicable", "Other independent school", "3,18", "all-through"),
        ("Not applicable", "Other independent school", "11,18", "secondary"),
        ("Not applicable", "Other independent school", "3,11", "primary"),
    ],
)
def test_the_phase_is_decided_by_type_then_phase_then_ages(phase: str, kind: str, ages: str, expected: str) -> None:
    listed = school_list(gias(f"900001,001,2001,A,{phase},{kind},{ages},,,,Open"), "001")
    assert [school.phase for school in listed.schools] == [expected]


def test_headings_match_in_any_case_and_punctuation() -> None:
    content = (
        b"\xef\xbb\xbfSchools of the area\n\nurn;LA-ESTAB;name;PHASE;age_range;Trust;Open?\n"
        b"900001;001/2001;Brook;primary;5-11;Oak;yes\n"
    )
    (school,) = school_list(content, "001").schools
    assert (school.laestab, school.lowest_age, school.highest_age, school.trust, school.closed) == ("0012001", 5, 11, "Oak", False)


def test_carriage_returns_end_lines() -> None:
    assert len(school_list(b"URN,Name,Phase\r900001,A,primary\r900002,B,special\r", "001").schools) == 2


def test_rows_of_other_authorities_are_counted_and_left_out() -> None:
    listed = school_list(gias("900001,001,2001,A,Primary,x,,,,,,Open", "900002,002,2001,B,Primary,x,,,,,,Open"), "001")
    assert ([school.urn for school in listed.schools], listed.elsewhere, listed.rows) == (["900001"], 1, 2)


def test_a_list_of_only_another_authority_is_a_problem() -> None:
    (problem,) = school_list(gias("900002,002,2001,B,Primary,x,,,,,,Open"), "001").problems
    assert "LA 001" in problem.sentence


def test_every_problem_names_its_row_column_and_value() -> None:
    content = (
        b"URN,Name,Phase,Age range,LAESTAB,Open date,Close date\n12,,prim,11-5,77,32/01/2020,\n"
        b"900001,A,primary,,,2/1/2020,1/1/2020\n900001,A,primary,,,,\n"
    )
    problems = [(problem.row, problem.column, problem.value) for problem in school_list(content, "001").problems]
    assert problems == [
        (2, "URN", "12"),
        (2, "Name", None),
        (2, "Age range", "11-5"),
        (2, "Phase", "prim"),
        (2, "Open date", "32/01/2020"),
        (2, "LAESTAB", "77"),
        (3, "Close date", "1/1/2020"),
    ]


def test_a_repeated_urn_is_a_problem() -> None:
    (problem,) = school_list(b"URN,Name,Phase\n900001,A,primary\n900001,A,primary\n", "001").problems
    assert problem.row == 3


@pytest.mark.parametrize("content", [b"", b"nothing here", b"URN\n900001\n", b'URN,Name\n"900001,A\x00', b"\xff\xfe\x00\xd8"])
def test_a_file_that_is_no_list_gives_a_problem(content: bytes) -> None:
    listed = school_list(content, "001")
    assert listed.schools == ()
    assert listed.problems


@pytest.mark.parametrize("text", ["2025-09-01", "01/09/2025", "01-09-2025", "1/9/2025", "2025-09-01T00:00:00", "01.09.2025"])
def test_a_day_is_read_day_first(text: str) -> None:
    assert day(text).isoformat() == "2025-09-01"


@pytest.mark.parametrize("text", ["", "9/31/2025", "2025-13-01", "soon", "01/09/0025"])
def test_text_that_is_no_day_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="day"):
        day(text)
