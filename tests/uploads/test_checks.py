"""Every refusal: its sentence, its row and column, and nothing dropped without a word."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy import select, update

from portal.db import tx
from portal.pupils.models import RollLine
from portal.registers.queries import current_pages
from portal.rules.codes import BY_LETTERS
from portal.uploads import actions, queries
from portal.uploads.findings import column_letters, row_ranges
from portal.uploads.reasons import REASONS
from tests.support.world import furnish
from tests.uploads.files import born, findings, found, present, row, rows, take, upn

if TYPE_CHECKING:
    from uuid import UUID

    from portal.uploads.models import Upload

MONDAY = date(2026, 11, 2)

#: A row that is refused, why, the value named, and a piece of what to do.
REFUSED = {
    "unknown code": (row(0, "02/11/2026", "AM", "Z1"), "unknown-code", "Z1", "Z1 is not an attendance code"),
    "a code of the past": (row(0, "02/11/2026", "AM", "Y"), "code-not-valid", "Y", "was not an attendance code on that date"),
    "X at school age": (row(0, "02/11/2026", "AM", "X"), "impossible-code", "X", "C2"),
    "a day to come": (row(0, "26/11/2026", "AM", "/"), "future-date", "26 November 2026", "is in the future"),
    "a Saturday": (row(0, "07/11/2026", "AM", "/"), "not-school-day", "7 November 2026", "not a day the school met"),
    "half term": (row(0, "28/10/2026", "AM", "/"), "not-school-day", "28 October 2026", "not a day the school met"),
    "nobody here": (row(55, "02/11/2026", "AM", "/"), "unknown-pupil", upn(55), "is not on the school's roll"),
    "another birthday": (row(0, "02/11/2026", "AM", "/", dob="01/01/2016"), "contradicts-roll", upn(0), "another date of birth"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_row_is_refused_with_its_place_and_what_to_do(school: UUID, case: str) -> None:
    line, kind, value, words = REFUSED[case]
    sent = take(school, row(1, "02/11/2026", "AM", "I"), line)
    one = findings(sent)[kind]
    assert (one.refused, one.rows, one.value, one.count) == (True, "3", value, 1)
    assert words in one.sentence
    assert one.column == "H"
    assert (sent.rows_in, sent.rows_stored, sent.rows_refused) == (2, 1, 1)
    assert words in (queries.refused_rows_of(sent.id) or b"").decode()


def test_a_file_of_which_every_row_is_refused_is_told_row_by_row(school: UUID) -> None:
    sent = take(school, "NOUPN,Ashdown,Bryn,01/03/2016,5,02/11/2026,AM,/", row(0, "31/31/2026", "AM", "/"))
    assert (sent.state, sent.rows_in, sent.rows_stored, sent.rows_refused) == ("applied", 2, 0, 2)
    assert {"odd-upn", "no-date"} <= set(findings(sent))


def test_a_closure_the_schools_dates_know_is_no_mark_and_no_refusal(school: UUID) -> None:
    """Systems fill holidays, weekends and days to come with #: on a day the school met it is a mark like any other."""
    agreed = [row(0, on, half, "#") for on in ("28/10/2026", "07/11/2026", "25/12/2026") for half in ("AM", "PM")]
    sent = take(school, *agreed, row(0, "02/11/2026", "AM", "#"), row(0, "27/11/2026", "AM", "#"))
    assert (sent.rows_in, sent.rows_stored, sent.rows_refused) == (2, 1, 1)
    assert set(findings(sent)) == {"future-date"}
    assert current_pages(school, [MONDAY])[MONDAY].marks[0, 0] == BY_LETTERS["#"].byte


def test_refusals_are_grouped_over_rows(school: UUID) -> None:
    lines = [
        *(row(one, "02/11/2026", "AM", "Z1") for one in range(3)),
        row(3, "02/11/2026", "AM", "/"),
        row(4, "02/11/2026", "AM", "Z1"),
    ]
    one = findings(take(school, *lines))["unknown-code"]
    assert (one.rows, one.count, one.column) == ("2 to 4 and 6", 4, "H")


def test_two_different_marks_for_one_session_refuse_both_and_the_same_twice_keeps_the_first(school: UUID) -> None:
    torn, twice = "03/11/2026", "04/11/2026"
    lines = [
        row(0, torn, "AM", "I"),
        row(0, torn, "AM", "M"),
        row(1, twice, "AM", "I"),
        row(1, twice, "AM", "I"),
        row(2, torn, "PM", "I"),
    ]
    sent = take(school, *lines)
    told = findings(sent)
    assert (told["contradiction"].rows, told["repeat"].rows) == ("2 to 3", "5")
    assert (sent.rows_in, sent.rows_stored, sent.rows_refused) == (5, 2, 3)
    page = current_pages(school, [MONDAY])[MONDAY].marks
    assert [int(page[0, 2]), int(page[1, 4])] == [BY_LETTERS["/"].byte, BY_LETTERS["I"].byte]


def test_a_contradiction_is_seen_however_the_file_names_the_pupil(school: UUID) -> None:
    other_name = row(0, "03/11/2026", "AM", "M").replace("Ashdown0", "Ashdown-Vale")
    sent = take(school, row(0, "03/11/2026", "AM", "I"), other_name)
    assert findings(sent)["contradiction"].count == 2
    assert sent.rows_stored == 0


def test_another_schools_number_in_the_file_refuses_its_rows(school: UUID) -> None:
    content = f"UPN,URN,Date,Session,Code\n{upn(0)},900002,02/11/2026,AM,I\n{upn(1)},900001,02/11/2026,AM,I\n"
    sent = take_text(school, content)
    one = findings(sent)["wrong-school"]
    assert (one.rows, one.value, sent.rows_stored) == ("2", "900002", 1)


def take_text(school: UUID, content: str) -> Upload:
    return found(actions.take(school, kind="marks", file_name="x.csv", content=content.encode()))


def test_a_pupil_who_has_left_takes_no_marks_after_their_last_day(school: UUID) -> None:
    line = tx().scalars(select(RollLine).where(RollLine.school_id == school, RollLine.line == 1)).one()
    furnish(lambda: tx().execute(update(RollLine).where(RollLine.id == line.id).values(on_roll_until=date(2026, 11, 4))))
    sent = take(school, row(0, "04/11/2026", "AM", "I"), row(0, "05/11/2026", "AM", "I"))
    one = findings(sent)["not-on-roll"]
    assert (one.rows, one.value, sent.rows_stored) == ("3", "5 November 2026", 1)


def test_a_pupil_who_left_and_came_back_takes_marks_on_the_line_of_that_day(school: UUID) -> None:
    line = tx().scalars(select(RollLine).where(RollLine.school_id == school, RollLine.line == 1)).one()
    second = RollLine(school_id=school, academic_year=2026, line=99, pupil_id=line.pupil_id, on_roll_from=date(2026, 11, 10))

    def come_back() -> None:
        tx().execute(update(RollLine).where(RollLine.id == line.id).values(on_roll_until=date(2026, 11, 4)))
        tx().execute(update(RollLine).where(RollLine.line == 6).values(line=7))
        second.line = 6
        tx().add(second)

    furnish(come_back)
    sent = take(school, row(0, "03/11/2026", "AM", "I"), row(0, "06/11/2026", "AM", "I"), row(0, "10/11/2026", "AM", "I"))
    assert findings(sent)["not-on-roll"].rows == "3"
    pages = current_pages(school, [MONDAY, date(2026, 11, 9)])
    assert int(pages[MONDAY].marks[0, 2]) == BY_LETTERS["I"].byte
    assert int(pages[date(2026, 11, 9)].marks[5, 2]) == BY_LETTERS["I"].byte


def test_a_slant_of_the_other_half_is_put_right_and_told(school: UUID) -> None:
    sent = take(school, row(0, "02/11/2026", "PM", "/"))
    one = findings(sent)["code-read-as"]
    assert (one.refused, one.rows, one.count) == (False, "2", 1)
    assert sent.rows_refused == 0
    assert int(current_pages(school, [MONDAY])[MONDAY].marks[0, 1]) == BY_LETTERS["\\"].byte


def test_the_refused_rows_can_be_mended_and_sent_again(school: UUID) -> None:
    sent = take(school, row(0, "02/11/2026", "AM", "Z1"))
    mended = (queries.refused_rows_of(sent.id) or b"").replace(b"Z1,", b"I,", 1)
    again = take_text(school, mended.decode("utf-8-sig"))
    assert (again.state, again.rows_stored, again.rows_refused) == ("applied", 1, 0)


def test_a_year_without_term_dates_is_one_finding_that_says_where_to_add_them(school: UUID) -> None:
    days = ", ".join(f"{day:02d}/11/2024" for day in (4, 5, 6, 7))
    headings, cells = days.replace(", ", ","), ",".join(["/\\"] * 4)
    content = f"UPN,{headings}\n{upn(0)},{cells}\n{upn(55)},{cells}\n".encode()
    sent = found(actions.take(school, kind="marks", file_name="x.csv", content=content))
    [one] = [one for one in queries.findings_of(sent.id) if one.refused]
    assert (one.kind, one.value, one.rows, one.column, one.count) == ("no-term-dates", "2024/25", "2 to 3", None, 16)
    assert "No term dates are held for 2024/25" in one.sentence
    assert "Open Schools, this school, then Term dates" in one.sentence
    assert (sent.rows_in, sent.rows_stored, sent.rows_refused) == (16, 0, 16)
    assert b"held for 2024/25" in (queries.refused_rows_of(sent.id) or b"")


def settled_by_nothing(*days: str) -> list[str]:
    """Rows whose births are plain, so that only these dates could be read either way round."""
    return [row(0, on, "AM", "I", dob=f"{born(0):%Y-%m-%d}") for on in days]


def test_a_person_is_told_how_dates_were_read_that_could_be_either_way_round(school: UUID) -> None:
    told = findings(take(school, *settled_by_nothing("2/11/2026", "3/11/2026")))
    assert list(told) == ["day-first"]
    assert not told["day-first"].refused
    assert "Dates were read as day/month: 3/11/2026 is 3 November 2026." in told["day-first"].sentence


def test_dates_that_fit_the_term_only_month_first_are_refused_together(school: UUID) -> None:
    sent = take(school, *settled_by_nothing("3/9/2026", "3/10/2026", "3/11/2026"))
    held = findings(sent)
    assert (held["not-school-day"].value, held["not-school-day"].count, held["either-way-round"].count) == ("3 October 2026", 1, 2)
    assert "Write the dates as" in held["either-way-round"].sentence
    assert (sent.rows_stored, sent.rows_refused) == (0, 3)
    settled = take(school, *settled_by_nothing("3/9/2026", "3/10/2026", "3/11/2026", "13/11/2026"))
    assert (settled.rows_stored, list(findings(settled))) == (3, ["not-school-day"])


def test_every_reason_is_a_sentence_that_says_what_to_do() -> None:
    for slug, sentence in REASONS.items():
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


def test_a_whole_file_of_one_fault_is_one_finding(school: UUID) -> None:
    sent = take(school, *rows(code=lambda one, on, half: present(one, on, half) if one < 3 else "Q1"))
    assert findings(sent)["unknown-code"].count == 60
    assert sent.rows_stored == 60
