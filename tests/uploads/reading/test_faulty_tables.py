"""Tables that go wrong: busy comments, stray quotation marks, cover sheets, broken formulas and apostrophes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
import xlsxwriter

from portal.schools.domain.school_list import school_list
from portal.uploads.domain.reading.reader import read
from portal.uploads.domain.reading.result import Reading
from tests.abuse.test_uploads_workbooks import sheet_of
from tests.uploads.reading.support import MONDAY, assert_all_marks_accounted, marks, outcome, problem_kinds, upn, workbook

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADINGS = ["UPN", "Date", "Session", "Code"]
BODY = [HEADINGS, [upn(1), MONDAY, "AM", "/"], [upn(2), MONDAY, "PM", "I"]]
EXPECTED = {(upn(1), MONDAY, 0, "/"), (upn(2), MONDAY, 1, "I")}
COVER = [["Attendance export"], ["Produced by the office"], ["Applied filters: Year is 7"]]
LEGEND = [["Code", "Meaning"], ["/", "Present"], ["I", "Illness"]]
DETAILS = [["School", "Example School"], ["Produced", "08/09/2026"]]
PUPILS = [["UPN", "Surname", "Forename", "Date of birth"], [upn(1), "Example", "Ann", "01/12/2014"]]


# The delimiter


@pytest.mark.parametrize(
    "comment", ["cold, cough, sore throat, fever, back Thursday, or Friday", "a\tb\tc\td\te\tf", "a|b|c|d|e|f|g"]
)
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("titles", ["", "Example School, Year 7, all groups, by week, as sent, complete\n"])
def test_a_busy_comment_does_not_decide_the_delimiter(delimiter: str, comment: str, titles: str) -> None:
    rows = [[*HEADINGS, "Comment"], [upn(1), "2026-09-07", "AM", "/", f'"{comment}"'], [upn(2), "2026-09-07", "PM", "I", ""]]
    reading = read((titles + "".join(delimiter.join(row) + "\n" for row in rows)).encode())
    assert (marks(reading), reading.needs_mapping) == (EXPECTED, False)
    assert [note.comment for note in reading.notes] == [comment]


def test_a_busy_cell_without_quotation_marks_does_not_decide_the_delimiter() -> None:
    row = f"{upn(1)};2026-09-07;AM;/;bus, train, taxi, ferry, on foot, late\n"
    assert marks(read((";".join([*HEADINGS, "Comment"]) + "\n" + row).encode())) == {(upn(1), MONDAY, 0, "/")}


def test_a_long_name_does_not_decide_the_delimiter_of_a_list_of_schools() -> None:
    name = "St Mary, St Ann, St Jude, St Luke, St Mark, St Paul School"
    (school,) = school_list(f"URN;LAESTAB;Name;Phase;Age range\n190401;8994041;{name};primary;4-11\n".encode(), "899").schools
    assert (school.name, school.laestab, school.highest_age) == (name, "8994041", 11)


# Quotation marks


def rows_with_names(*rows: str) -> bytes:
    return "\n".join(["UPN,Name,Date,Session,Code", *rows, ""]).encode()


@pytest.mark.parametrize("name", ['"Ada "Addie" Example"', '"Ada "Addie" Example', 'Ada "Addie" Example', '"Addie" Example'])
def test_a_nickname_in_quotation_marks_swallows_no_row(name: str) -> None:
    following = [f'{upn(2)},"Ben "Bo" Example",2026-09-07,PM,I', f"{upn(3)},Cy,2026-09-07,AM,O"]
    reading = read(rows_with_names(f"{upn(1)},{name},2026-09-07,AM,/", *following))
    assert_all_marks_accounted(reading, 3)
    assert marks(reading) == EXPECTED | {(upn(3), MONDAY, 0, "O")}
    assert reading.row.tolist() == [2, 3, 4]


def test_the_whole_of_a_nickname_is_read() -> None:
    reading = read(
        rows_with_names(f'{upn(1)},"Example, Ada ""Addie""",2026-09-07,AM,/', f'{upn(2)},"Example, "Bo" Ben",2026-09-07,PM,I')
    )
    assert [pupil.forename for pupil in reading.pupils] == ['Ada "Addie"', '"Bo" Ben']


@pytest.mark.parametrize("between", [0, 1, 9])
def test_quotation_marks_around_several_rows_are_reported_with_their_row(between: int) -> None:
    rows_between = [f"{upn(number)},Cy,2026-09-08,AM,O" for number in range(3, 3 + between)]
    rows = [f'{upn(1)},"Ada,2026-09-07,AM,/', *rows_between, f'{upn(2)},Brook",2026-09-07,PM,I']
    result = outcome(rows_with_names(f"{upn(3)},Cy,2026-09-07,AM,O", *rows))
    assert not isinstance(result, Reading)
    assert result.message.startswith("Row 3")


def test_marks_are_not_lost_between_two_stray_quotation_marks() -> None:
    rows = [f"{upn(number)},Example,2026-09-07,AM,/" for number in range(1, 6)]
    rows[1] = rows[1].replace("Example", '"Example')
    rows[3] = rows[3].replace("Example", '"Exa"mple')
    reading = read(rows_with_names(*rows))
    assert_all_marks_accounted(reading, 5)
    assert {mark[0] for mark in marks(reading)} == {upn(number) for number in range(1, 6)}


def test_a_comment_of_several_lines_is_one_cell() -> None:
    rows = f'{upn(1)},2026-09-07,AM,/,"a cold, and\n""a cough""\nback, on Thursday"\n{upn(2)},2026-09-07,PM,I,\n'
    reading = read((",".join([*HEADINGS, "Comment"]) + "\n" + rows).encode())
    assert (marks(reading), reading.notes[0].comment) == (EXPECTED, 'a cold, and\n"a cough"\nback, on Thursday')


# Sheets


@pytest.mark.parametrize("cover", [COVER, LEGEND, DETAILS, PUPILS, [["Date", "Event"], ["07/09/2026", "INSET"]]])
@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("layout", ["long", "weekly", "matrix"])
def test_the_sheet_of_marks_is_read_wherever_it_is(layout: str, is_first: bool, cover: Sequence[Sequence[object]]) -> None:
    register: Sequence[Sequence[object]] = {
        "long": BODY,
        "weekly": [["UPN", "Week commencing", "MonAM", "MonPM"], [upn(1), MONDAY, "/", ""], [upn(2), MONDAY, "", "I"]],
        "matrix": [["UPN", "07/09/2026 AM", "07/09/2026 PM"], [upn(1), "/", ""], [upn(2), "", "I"]],
    }[layout]
    sheets = {"Cover": cover, "Data": register} if is_first else {"Data": register, "Cover": cover}
    reading = read(workbook(sheets))
    assert (marks(reading), reading.needs_mapping) == (EXPECTED, False)
    assert_all_marks_accounted(reading, 2)
    is_told = any(len(row) > 1 for row in cover[1:])
    assert [problem.sheet for problem in reading.problems if problem.kind == "unread-sheet"] == [int(not is_first)] * is_told


def test_sheets_of_two_layouts_are_both_read() -> None:
    matrix = [["UPN", "08/09/2026 AM"], [upn(1), "L"]]
    reading = read(workbook({"Monday": BODY, "Tuesday": matrix}))
    assert_all_marks_accounted(reading, 3)
    assert {mark[3] for mark in marks(reading)} == {"/", "I", "L"}
    assert "unread-sheet" not in problem_kinds(reading)


def test_a_mapping_is_asked_for_the_sheet_of_marks() -> None:
    unknown = [["Who", "When", "Bit", "What"], *BODY[1:]]
    reading = read(workbook({"Cover": [["Report", "Autumn"]], "Data": unknown}))
    assert (reading.needs_mapping, [column.header for column in reading.columns]) == (True, ["Who", "When", "Bit", "What"])


# Cells without a value


def cell(reference: str, body: str, kind: str = "") -> str:
    return f'<c r="{reference}"{f" t={kind!r}" if kind else ""}>{body}</c>'


def text_cell(reference: str, text: str) -> str:
    return cell(reference, f"<is><t>{text}</t></is>", "inlineStr")


def row(number: int, *cells: str) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


HEADING_ROW = row(1, *[text_cell(f"{letter}1", text) for letter, text in zip("ABCDE", [*HEADINGS, "Surname"], strict=True)])
IDENTITY = [text_cell("A2", upn(1)), text_cell("B2", "2026-09-07"), text_cell("C2", "AM")]
ERROR = "<f>VLOOKUP(1,Z1:Z2,1,0)</f><v>#N/A</v>"


@pytest.mark.parametrize(
    "mark",
    [
        cell("D2", ERROR, "e"),
        cell("D2", "<v>#REF!</v>", "e"),
        cell("D2", '<f>"O"</f>'),
        cell("D2", '<f>"O"</f><v></v>'),
        cell("D2", "<f>B2</f><v/>"),
        cell("D2", '<f t="shared" si="0"/>'),
        cell("D2", '<f>"O"</f>', "str"),
    ],
)
def test_a_mark_that_has_no_value_is_not_a_blank(mark: str) -> None:
    reading = read(sheet_of(HEADING_ROW + row(2, *IDENTITY, mark)))
    assert (reading.missing, reading.rows_in) == (0, 1)
    (code,) = reading.codes
    assert code[0] in "=#"


@pytest.mark.parametrize("mark", [cell("D2", "<f>A9</f><v></v>", "str"), cell("D2", ""), text_cell("D2", ""), ""])
def test_a_formula_whose_value_is_an_empty_text_is_a_blank(mark: str) -> None:
    reading = read(sheet_of(HEADING_ROW + row(2, *IDENTITY, mark) + row(3, text_cell("A3", upn(2)))))
    assert (reading.missing, reading.rows_in) == (2, 0)


def test_a_row_of_errors_alone_is_refused_and_counted() -> None:
    errors = [cell(f"{letter}3", ERROR, "e") for letter in "ABCD"]
    reading = read(sheet_of(HEADING_ROW + row(2, *IDENTITY, text_cell("D2", "/")) + row(3, *errors)))
    assert_all_marks_accounted(reading, 2)
    assert [(problem.kind, problem.row, problem.value, problem.count) for problem in reading.problems] == [
        ("odd-upn", 3, "#N/A", 1)
    ]


@pytest.mark.parametrize(("column", "kind"), [(0, "odd-upn"), (1, "no-date"), (2, "no-session")])
def test_an_error_in_place_of_the_pupil_day_or_session_refuses_the_mark(column: int, kind: str) -> None:
    cells = [*IDENTITY, text_cell("D2", "/")]
    cells[column] = cell(f"{'ABC'[column]}2", ERROR, "e")
    reading = read(sheet_of(HEADING_ROW + row(2, *cells)))
    assert (problem_kinds(reading), reading.rows_in, reading.missing) == ([kind], 1, 0)


def test_an_error_never_becomes_a_name() -> None:
    names = [text_cell("D2", "/"), cell("E2", "<f>PROPER(Z9)</f>")]
    reading = read(sheet_of(HEADING_ROW + row(2, *IDENTITY, *names)))
    assert (reading.pupils[0].surname, marks(reading)) == (None, {(upn(1), MONDAY, 0, "/")})
    assert [(problem.kind, problem.row, problem.column, problem.count) for problem in reading.problems] == [("no-value", 2, "E", 0)]


def test_formulas_of_a_spreadsheet_program_keep_their_values() -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        page = book.add_worksheet("Marks & more")
        page.write_row(0, 0, HEADINGS)
        page.write_row(1, 0, [upn(1), "2026-09-07", "AM"])
        page.write_formula(1, 3, '="/"', value="/")
        page.write_row(2, 0, [upn(2), "2026-09-07", "PM"])
        page.write_formula(2, 3, "=NA()", value="#N/A")
    reading = read(content.getvalue())
    assert (marks(reading), reading.missing) == ({(upn(1), MONDAY, 0, "/"), (upn(2), MONDAY, 1, "#N/A")}, 0)


# Apostrophes


@pytest.mark.parametrize("name", ["'Akau'ola", "'Ana", "'t Hart", "\u2018Ofa", "\u02bbIlaisaane", "'a", "'É"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_the_apostrophe_that_begins_a_name_stays(name: str, quote: str) -> None:
    text = f"UPN,Surname,Forename,Date of birth\n{upn(1)},{quote}{name}{quote},{name},'01/12/2014\n"
    (person,) = read(text.encode()).people
    assert (person.surname, person.forename) == (name, name)
    register = f"UPN,Surname,Date,Session,Code\n'{upn(1)},{quote}{name}{quote},'2026-09-07,'AM,'/\n"
    for content in (register, register.replace("Code\n", "Code,Comment\n").replace("'/\n", "'/,\n")):
        reading = read(content.encode())
        assert ([pupil.surname for pupil in reading.pupils], marks(reading)) == ([name], {(upn(1), MONDAY, 0, "/")})


@pytest.mark.parametrize("guarded", ["'=1", "'+44 20", "'-5", "'@x", "'/", "'\\", "' 07", "'12 High Street", "'\uff1d1"])
def test_the_apostrophe_of_a_spreadsheet_goes(guarded: str) -> None:
    people = read(f"UPN,Surname,Forename,Date of birth\n{upn(1)},{guarded},Ann,01/12/2014\n".encode()).people
    assert people[0].surname == guarded[1:].strip()
