"""The checks of marks: each reason for rejection, with its sentence, row and column."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy import select, update

from portal.db.work import tx
from portal.pupils.models import RollLine
from portal.registers.queries import current_pages
from portal.rules.codes import CODES_BY_SYMBOL
from portal.tabular.cells import column_letters
from portal.uploads import actions, queries
from portal.uploads.domain.findings import row_ranges
from portal.uploads.domain.rejection_reasons import REASONS, sentence_of
from tests.support.world import write_rows
from tests.uploads.files import date_of_birth, findings_by_kind, get_upload, import_rows, present, row, rows, upn

if TYPE_CHECKING:
    from uuid import UUID

    from portal.uploads.models import Upload

MONDAY = date(2026, 11, 2)

#: A rejected row, its reason, the value in the finding, and part of its sentence.
REJECTED = {
    "unknown code": (row(0, "02/11/2026", "AM", "Z1"), "unknown-code", "Z1", "Z1 is not an attendance code"),
    "a code of the past": (row(0, "02/11/2026", "AM", "Y"), "code-not-valid", "Y", "was not an attendance code on that date"),
    "X at school age": (row(0, "02/11/2026", "AM", "X"), "impossible-code", "X", "C2"),
    "a day to come": (row(0, "26/11/2026", "AM", "/"), "future-date", "26 November 2026", "is in the future"),
    "a Saturday": (row(0, "07/11/2026", "AM", "/"), "not-school-day", "7 November 2026", "The school was closed on"),
    "half term": (row(0, "28/10/2026", "AM", "/"), "not-school-day", "28 October 2026", "The school was closed on"),
    "nobody here": (row(55, "02/11/2026", "AM", "/"), "unknown-pupil", upn(55), "is not on the school's roll"),
    "another birthday": (row(0, "02/11/2026", "AM", "/", dob="01/01/2016"), "contradicts-roll", upn(0), "another date of birth"),
}


@pytest.mark.parametrize("case", REJECTED)
def test_a_row_is_rejected_with_its_row_column_and_what_to_do(school: UUID, case: str) -> None:
    line, kind, value, words = REJECTED[case]
    upload = import_rows(school, row(1, "02/11/2026", "AM", "I"), line)
    finding = findings_by_kind(upload)[kind]
    assert (finding.rejected, finding.rows, finding.value, finding.count) == (True, "3", value, 1)
    assert words in finding.sentence
    assert finding.column == "H"
    assert (upload.rows_in, upload.rows_stored, upload.rows_rejected) == (2, 1, 1)
    assert words in (queries.rejected_rows_of(upload.id) or b"").decode()


def test_a_file_whose_rows_are_all_rejected_is_applied_with_findings(school: UUID) -> None:
    upload = import_rows(school, "NOUPN,Ashdown,Bryn,01/03/2016,5,02/11/2026,AM,/", row(0, "31/31/2026", "AM", "/"))
    assert (upload.state, upload.rows_in, upload.rows_stored, upload.rows_rejected) == ("applied", 2, 0, 2)
    assert {"odd-upn", "no-date"} <= set(findings_by_kind(upload))


def test_a_closed_mark_on_a_closed_day_is_neither_stored_nor_rejected(school: UUID) -> None:
    """Systems fill closed days and future days with #. On a day the school met, # is an ordinary mark."""
    closures = [row(0, on, half, "#") for on in ("28/10/2026", "07/11/2026", "25/12/2026") for half in ("AM", "PM")]
    upload = import_rows(school, *closures, row(0, "02/11/2026", "AM", "#"), row(0, "27/11/2026", "AM", "#"))
    assert (upload.rows_in, upload.rows_stored, upload.rows_rejected) == (2, 1, 1)
    assert set(findings_by_kind(upload)) == {"future-date"}
    assert current_pages(school, [MONDAY])[MONDAY].marks[0, 0] == CODES_BY_SYMBOL["#"].byte


def test_rejections_are_grouped_over_rows(school: UUID) -> None:
    lines = [
        *(row(pupil, "02/11/2026", "AM", "Z1") for pupil in range(3)),
        row(3, "02/11/2026", "AM", "/"),
        row(4, "02/11/2026", "AM", "Z1"),
    ]
    finding = findings_by_kind(import_rows(school, *lines))["unknown-code"]
    assert (finding.rows, finding.count, finding.column) == ("2 to 4 and 6", 4, "H")


def test_different_marks_for_one_session_are_rejected_and_of_equal_ones_the_first_is_stored(school: UUID) -> None:
    contradicted, repeated = "03/11/2026", "04/11/2026"
    lines = [
        row(0, contradicted, "AM", "I"),
        row(0, contradicted, "AM", "M"),
        row(1, repeated, "AM", "I"),
        row(1, repeated, "AM", "I"),
        row(2, contradicted, "PM", "I"),
    ]
    upload = import_rows(school, *lines)
    by_kind = findings_by_kind(upload)
    assert (by_kind["contradiction"].rows, by_kind["repeat"].rows) == ("2 to 3", "5")
    assert (upload.rows_in, upload.rows_stored, upload.rows_rejected) == (5, 2, 3)
    page = current_pages(school, [MONDAY])[MONDAY].marks
    assert [int(page[0, 2]), int(page[1, 4])] == [CODES_BY_SYMBOL["/"].byte, CODES_BY_SYMBOL["I"].byte]


@pytest.mark.parametrize(
    ("content", "column", "value"),
    [
        ("UPN,Date,Session,Code\n{upn},03/11/2026,AM,I\n{upn},03/11/2026,AM,M\n", "D", "3 November 2026: I and M"),
        ("UPN,Code,Date,Session\n{upn},N,03/11/2026,PM\n{upn},O,03/11/2026,PM\n", "B", "3 November 2026: N and O"),
        ("UPN,03/11/2026 AM,03/11/2026 AM\n{upn},I,M\n", "B and C", "3 November 2026: I and M"),
    ],
)
def test_a_contradiction_names_both_marks_and_where_they_are(school: UUID, content: str, column: str, value: str) -> None:
    finding = findings_by_kind(import_text(school, content.format(upn=upn(0))))["contradiction"]
    assert (finding.column, finding.value, finding.count) == (column, value, 2)


def test_a_contradiction_is_found_when_the_file_names_the_pupil_in_two_ways(school: UUID) -> None:
    other_name = row(0, "03/11/2026", "AM", "M").replace("Ashdown0", "Ashdown-Vale")
    upload = import_rows(school, row(0, "03/11/2026", "AM", "I"), other_name)
    assert findings_by_kind(upload)["contradiction"].count == 2
    assert upload.rows_stored == 0


def test_rows_with_the_number_of_another_school_are_rejected(school: UUID) -> None:
    content = f"UPN,URN,Date,Session,Code\n{upn(0)},900002,02/11/2026,AM,I\n{upn(1)},900001,02/11/2026,AM,I\n"
    upload = import_text(school, content)
    finding = findings_by_kind(upload)["wrong-school"]
    assert (finding.rows, finding.value, upload.rows_stored) == ("2", "900002", 1)


def import_text(school: UUID, content: str) -> Upload:
    return get_upload(actions.import_file(school, kind="marks", file_name="x.csv", content=content.encode()))


def test_marks_after_a_pupils_last_day_are_rejected(school: UUID) -> None:
    line = tx().scalars(select(RollLine).where(RollLine.school_id == school, RollLine.line == 1)).one()
    write_rows(lambda: tx().execute(update(RollLine).where(RollLine.id == line.id).values(on_roll_until=date(2026, 11, 4))))
    upload = import_rows(school, row(0, "04/11/2026", "AM", "I"), row(0, "05/11/2026", "AM", "I"))
    finding = findings_by_kind(upload)["not-on-roll"]
    assert (finding.rows, finding.value, upload.rows_stored) == ("3", "5 November 2026", 1)


def test_marks_of_a_pupil_who_left_and_came_back_are_stored_on_the_line_of_that_day(school: UUID) -> None:
    line = tx().scalars(select(RollLine).where(RollLine.school_id == school, RollLine.line == 1)).one()
    second = RollLine(school_id=school, academic_year=2026, line=99, pupil_id=line.pupil_id, on_roll_from=date(2026, 11, 10))

    def return_to_school() -> None:
        tx().execute(update(RollLine).where(RollLine.id == line.id).values(on_roll_until=date(2026, 11, 4)))
        tx().execute(update(RollLine).where(RollLine.line == 6).values(line=7))
        second.line = 6
        tx().add(second)

    write_rows(return_to_school)
    upload = import_rows(school, row(0, "03/11/2026", "AM", "I"), row(0, "06/11/2026", "AM", "I"), row(0, "10/11/2026", "AM", "I"))
    assert findings_by_kind(upload)["not-on-roll"].rows == "3"
    pages = current_pages(school, [MONDAY, date(2026, 11, 9)])
    assert int(pages[MONDAY].marks[0, 2]) == CODES_BY_SYMBOL["I"].byte
    assert int(pages[date(2026, 11, 9)].marks[5, 2]) == CODES_BY_SYMBOL["I"].byte


def test_a_slant_of_the_other_half_is_corrected_with_a_warning(school: UUID) -> None:
    upload = import_rows(school, row(0, "02/11/2026", "PM", "/"))
    warning = findings_by_kind(upload)["code-read-as"]
    assert (warning.rejected, warning.rows, warning.count) == (False, "2", 1)
    assert upload.rows_rejected == 0
    assert int(current_pages(school, [MONDAY])[MONDAY].marks[0, 1]) == CODES_BY_SYMBOL["\\"].byte


def test_the_rejected_rows_can_be_corrected_and_sent_again(school: UUID) -> None:
    upload = import_rows(school, row(0, "02/11/2026", "AM", "Z1"))
    corrected = (queries.rejected_rows_of(upload.id) or b"").replace(b'"Z1"', b'"I"', 1)
    again = import_text(school, corrected.decode("utf-8-sig"))
    assert (again.state, again.rows_stored, again.rows_rejected) == ("applied", 1, 0)


def test_a_year_without_term_dates_is_one_finding_that_says_where_to_add_them(school: UUID) -> None:
    days = ", ".join(f"{day:02d}/11/2024" for day in (4, 5, 6, 7))
    headings, cells = days.replace(", ", ","), ",".join(["/\\"] * 4)
    content = f"UPN,{headings}\n{upn(0)},{cells}\n{upn(55)},{cells}\n".encode()
    upload = get_upload(actions.import_file(school, kind="marks", file_name="x.csv", content=content))
    [finding] = [finding for finding in queries.findings_of(upload.id) if finding.rejected]
    assert (finding.kind, finding.value, finding.rows, finding.column, finding.count) == (
        "no-term-dates",
        "2024/25",
        "2 to 3",
        None,
        16,
    )
    assert "There are no term dates for 2024/25" in finding.sentence
    assert "Open Schools, this school, then Term dates" in finding.sentence
    assert (upload.rows_in, upload.rows_stored, upload.rows_rejected) == (16, 0, 16)
    assert b"term dates for 2024/25" in (queries.rejected_rows_of(upload.id) or b"")


def ambiguous_rows(*days: str) -> list[str]:
    """Rows with ISO dates of birth, so that only these dates may prove day first or month first."""
    return [row(0, on, "AM", "I", dob=f"{date_of_birth(0):%Y-%m-%d}") for on in days]


def test_ambiguous_dates_have_a_warning_of_how_they_were_read(school: UUID) -> None:
    by_kind = findings_by_kind(import_rows(school, *ambiguous_rows("2/11/2026", "3/11/2026")))
    assert list(by_kind) == ["day-first"]
    assert not by_kind["day-first"].rejected
    assert "Dates were read as day/month: 3/11/2026 is 3 November 2026." in by_kind["day-first"].sentence


def test_ambiguous_dates_within_term_only_if_month_first_are_rejected(school: UUID) -> None:
    upload = import_rows(school, *ambiguous_rows("3/9/2026", "3/10/2026", "3/11/2026"))
    by_kind = findings_by_kind(upload)
    assert (by_kind["not-school-day"].value, by_kind["not-school-day"].count, by_kind["either-way-round"].count) == (
        "3 October 2026",
        1,
        2,
    )
    assert "Write the dates as" in by_kind["either-way-round"].sentence
    assert (upload.rows_stored, upload.rows_rejected) == (0, 3)
    proven = import_rows(school, *ambiguous_rows("3/9/2026", "3/10/2026", "3/11/2026", "13/11/2026"))
    assert (proven.rows_stored, list(findings_by_kind(proven))) == (3, ["not-school-day"])


def test_every_reason_is_a_sentence_that_says_what_to_do() -> None:
    for slug in REASONS:
        sentence = sentence_of(slug, "H")
        assert sentence.endswith("."), slug
        assert ". " in sentence or ": " in sentence, slug
        assert "invalid" not in sentence.casefold(), slug


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([12], "12"),
        ([12, 40, 41, 58], "12, 40 to 41 and 58"),
        ([3, 3, 4], "3 to 4"),
        (list(range(1, 60, 2)), "1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23 and 18 more"),
    ],
)
def test_rows_are_named_in_words(numbers: list[int], words: str) -> None:
    assert row_ranges(np.array(numbers)) == words


def test_columns_are_named_as_a_spreadsheet_names_them() -> None:
    assert [column_letters(number) for number in (1, 26, 27, 52, 703)] == ["A", "Z", "AA", "AZ", "AAA"]


def test_one_fault_in_many_rows_is_one_finding(school: UUID) -> None:
    upload = import_rows(school, *rows(code=lambda pupil, on, half: present(pupil, on, half) if pupil < 3 else "Q1"))
    assert findings_by_kind(upload)["unknown-code"].count == 60
    assert upload.rows_stored == 60
