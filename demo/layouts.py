"""The other layouts that schools send: weekly grid, matrix of dates, Common Transfer File, pupil list."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import xlsxwriter

from demo.extracts import extract
from demo.faulty_files import Fault, SentFile
from portal.rules.calendar import HALVES
from portal.rules.calendar import academic_year as year_of
from portal.rules.codes import CODES_BY_SYMBOL, Category

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.extracts import Extract
    from demo.plans import Line, Plan, Pupil

DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri")
FRIDAY_AFTERNOON = 9
#: A Common Transfer File has one character a session, so systems cut codes of two characters short.
SHORT_CODES = {"C1": "C", "C2": "C", "J1": "J", **{f"Y{number}": "Y" for number in range(1, 8)}}


def weekly_grid(plan: Plan, urn: str, academic_year: int, weeks: Sequence[int]) -> SentFile:
    """One week as CSV: a row for each pupil and a column for each session.

    The file begins with a byte-order mark. Only the first of `weeks` is used. In one class every slant is the wrong way
    round, and one class's Friday afternoon is blank.
    """
    source = extract(plan, urn, academic_year, weeks[:1])
    monday = source.weeks[0]
    headers = ["UPN", "Name", "Reg Group", "Week commencing", *(f"{day}{half}" for day in DAY_NAMES for half in HALVES)]
    groups = list(dict.fromkeys(source.lines[row].registration_group for row in source.rows_on_roll()))
    rows, faults = [headers], []
    for row in source.rows_on_roll():
        pupil, group = source.pupils[row], source.lines[row].registration_group
        cells = list(source.codes[row][0])
        for column, code in enumerate(cells):
            written = _misread(code, column, is_first_class=group == groups[0], is_last_class=group == groups[-1])
            if written != code:
                kind = "missing" if written == "" else "wrong-slant"
                on, session = monday + timedelta(days=column // 2), HALVES[column % 2]
                faults.append(Fault(kind, len(rows) + 1, headers[4 + column], written, pupil.upn, on, session, code))
                cells[column] = written
        rows.append([pupil.upn, f"{pupil.surname}, {pupil.forename}", group, f"{monday:%d/%m/%Y}", *cells])
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    marks = sum(bool(cell) for row in rows[1:] for cell in row[4:])
    return SentFile(f"week {monday:%Y-%m-%d}.csv", urn, "weekly-grid", text.getvalue().encode("utf-8-sig"), marks, tuple(faults))


def _misread(code: str, column: int, *, is_first_class: bool, is_last_class: bool) -> str:
    if is_last_class and column == FRIDAY_AFTERNOON:
        return ""
    return {"/": "\\", "\\": "/"}.get(code, code) if is_first_class else code


def date_matrix(plan: Plan, urn: str, academic_year: int, weeks: Sequence[int]) -> SentFile:
    """A spreadsheet with a sheet for each year group.

    Under a title come two header rows: dates merged over two columns, then AM and PM. One cell of the first pupil holds a
    mark that is no code. An empty sheet is left at the end.
    """
    source = extract(plan, urn, academic_year, weeks)
    columns = [(week, weekday, on) for week, weekday, on in source.days() if source.has_marks(week, weekday)]
    content = io.BytesIO()
    faults: list[Fault] = []
    marks = 0
    # A text such as "=1" must stay text: a formula would be empty when read back.
    with xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        # Without a fixed day the bytes would differ on every run.
        book.set_properties({"created": datetime.combine(plan.today, time())})
        for group in dict.fromkeys(line.year_group for line in source.lines):
            rows = [row for row in source.rows_on_roll() if source.lines[row].year_group == group]
            if rows:
                marks += _matrix_sheet(book, source, group, rows=rows, columns=columns, faults=faults)
        book.add_worksheet("Sheet3")
    name = f"{plan.school(urn).name} {source.weeks[0]:%d %b}.xlsx"
    return SentFile(name, urn, "date-matrix", content.getvalue(), marks, tuple(faults))


def _matrix_sheet(
    book: xlsxwriter.Workbook,
    source: Extract,
    group: str,
    *,
    rows: list[int],
    columns: list[tuple[int, int, date]],
    faults: list[Fault],
) -> int:
    sheet = book.add_worksheet(f"Year {group}")
    date_format = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet.write_string(0, 0, f"Attendance, {source.plan.school(source.urn).name}")
    for index, header in enumerate(("UPN", "Surname", "Forename")):
        sheet.write_string(1, index, header)
    for index, (_, _, on) in enumerate(columns):
        sheet.merge_range(1, 3 + index * 2, 1, 4 + index * 2, "", date_format)
        sheet.write_datetime(1, 3 + index * 2, datetime.combine(on, time()), date_format)
        for half, session in enumerate(HALVES):
            sheet.write_string(2, 3 + index * 2 + half, session)
    marks = 0
    for row_number, row in enumerate(rows, start=3):
        pupil = source.pupils[row]
        for index, text in enumerate((pupil.upn, pupil.surname, pupil.forename)):
            sheet.write_string(row_number, index, text)
        for index, (week, weekday, on) in enumerate(columns):
            for half, session in enumerate(HALVES):
                code = source.codes[row][week][weekday * 2 + half]
                if code and not faults:
                    column_letters = _column_letters(3 + index * 2 + half)
                    faults.append(Fault("unknown-code", row_number + 1, column_letters, "Q9", pupil.upn, on, session, code))
                    code = "Q9"
                sheet.write_string(row_number, 3 + index * 2 + half, code)
                marks += bool(code)
    return marks


def _column_letters(index: int) -> str:
    """The spreadsheet letters of a column, counted from 0."""
    letters = ""
    number = index + 1
    while number:
        number, remainder = divmod(number - 1, 26)
        letters = chr(65 + remainder) + letters
    return letters


def transfer_file(plan: Plan, urn: str, academic_year: int, weeks: Sequence[int]) -> SentFile:
    """A Common Transfer File: each pupil's marks as one string.

    A calendar day has two characters; closed days are #.
    """
    source = extract(plan, urn, academic_year, weeks)
    root = ET.Element("CTfile")
    school = plan.school(urn)
    header = ET.SubElement(root, "Header")
    for name, text in (
        ("DocumentName", "Common Transfer File"),
        ("CTFversion", "25.0"),
        ("DateTime", f"{plan.today}T08:00:00"),
        ("DocumentQualifier", "full"),
        ("SupplierID", "EXAMPLE"),
    ):
        ET.SubElement(header, name).text = text
    _add_school(ET.SubElement(header, "SourceSchool"), school.laestab, school.name, academic_year)
    _add_school(ET.SubElement(header, "DestSchool"), "LLLLLLL", None, None)
    pupils = ET.SubElement(root, "CTFpupilData")
    marks = 0
    for row in source.rows_on_roll():
        marks += _add_pupil(ET.SubElement(pupils, "Pupil"), source, row)
    content = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return SentFile(f"{school.laestab}_CTF_LLLLLLL_001.xml", urn, "ctf", content, marks)


def _add_school(element: ET.Element, laestab: str, name: str | None, year: int | None) -> None:
    ET.SubElement(element, "LEA").text = laestab[:3]
    ET.SubElement(element, "Estab").text = laestab[3:]
    if name is not None:
        ET.SubElement(element, "SchoolName").text = name
        ET.SubElement(element, "AcademicYear").text = str(year)


def _add_pupil(element: ET.Element, source: Extract, row: int) -> int:
    pupil = source.pupils[row]
    for element_name, text in (
        ("UPN", pupil.upn),
        ("Surname", pupil.surname),
        ("Forename", pupil.forename),
        ("DOB", pupil.date_of_birth.isoformat()),
        ("Sex", pupil.sex),
    ):
        ET.SubElement(element, element_name).text = text
    cells = [source.codes[row][week][weekday * 2 + half] for week, weekday, _ in source.days() for half in range(2)]
    counts = [0, 0, 0, 0, 0, 0]
    for code in cells:
        counts[int(CODES_BY_SYMBOL[code].category) if code else 0] += 1
    attended = counts[Category.PRESENT] + counts[Category.APPROVED]
    absent = (counts[Category.AUTHORISED], counts[Category.UNAUTHORISED])
    year = ET.SubElement(ET.SubElement(element, "Attendance"), "YearData")
    ET.SubElement(year, "Year").text = str(source.academic_year)
    _add_school(year, source.plan.school(source.urn).laestab, None, None)
    for element_name, count in (
        ("SessionsPossible", attended + sum(absent)),
        ("SessionsAuthorised", absent[0]),
        ("SessionsAttended", attended),
        ("SessionsUnauthorised", absent[1]),
    ):
        ET.SubElement(year, element_name).text = str(count)
    sessions = ET.SubElement(year, "AttendSessions")
    ET.SubElement(sessions, "AttendanceStartDate").text = source.weeks[0].isoformat()
    ET.SubElement(sessions, "AttendanceMarks").text = _mark_string(source, row)
    return sum(map(bool, cells))


def _mark_string(source: Extract, row: int) -> str:
    """The marks of every calendar day from the first Monday to the last Sunday.

    Weekends and holidays are filled with #.
    """
    length = (source.weeks[-1] - source.weeks[0]).days + 7
    days = ["##"] * length
    for week, weekday, on in source.days():
        if source.has_marks(week, weekday):
            codes = [source.codes[row][week][weekday * 2 + half] for half in range(2)]
            days[(on - source.weeks[0]).days] = "".join(SHORT_CODES.get(code, code) or "-" for code in codes)
    return "".join(days)


def pupil_list(plan: Plan, urn: str, academic_year: int) -> SentFile:
    """The school's pupil list as CSV in UTF-8.

    It holds everyone on the roll on the plan's day, with circumstances and the first parent or carer.
    """
    register = plan.registers[urn, academic_year]
    pupils = {pupil.number: pupil for pupil in plan.pupils}
    parents = {parent.number: parent for parent in plan.parents}
    text = io.StringIO()
    rows: list[Sequence[str]] = [LIST_HEADERS]
    for line in register.lines:
        pupil = pupils[line.pupil]
        parent = parents[pupil.contacts[0].parent]
        contact_cells = (
            parent.name,
            pupil.contacts[0].relationship,
            parent.phone or "",
            parent.email or "",
            "Y" if parent.do_not_disclose else "",
        )
        rows.append((*_list_row(pupil, line), *contact_cells))
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return SentFile(f"Pupils {urn} {year_of(plan.today)}.csv", urn, "pupil-list", text.getvalue().encode(), 0)


LIST_HEADERS = (
    "UPN",
    "Former UPN",
    "Surname",
    "Forename",
    "Middle names",
    "DOB",
    "Sex",
    "Year group",
    "Reg group",
    "Enrolment status",
    "Date of admission",
    "Date of leaving",
    "SEN provision",
    "SEN need",
    "FSM",
    "Looked after",
    "CIN",
    "CP plan",
    "Young carer",
    "EAL",
    "Ethnicity",
    "Address",
    "Postcode",
    "Parent name",
    "Relationship",
    "Phone",
    "Email",
    "Do not disclose",
)


def _list_row(pupil: Pupil, line: Line) -> tuple[str, ...]:
    circumstances = {
        characteristic.kind: characteristic.value for characteristic in pupil.characteristics if characteristic.last_day is None
    }
    return (
        pupil.upn,
        pupil.former_upn or "",
        pupil.surname,
        pupil.forename,
        pupil.middle_names or "",
        f"{pupil.date_of_birth:%d/%m/%Y}",
        pupil.sex,
        line.year_group,
        line.registration_group,
        line.enrolment_status,
        f"{line.on_roll_from:%d/%m/%Y}",
        f"{line.on_roll_until:%d/%m/%Y}" if line.on_roll_until else "",
        circumstances.get("sen_provision", "N"),
        circumstances.get("sen_need", ""),
        circumstances.get("fsm", "N"),
        circumstances.get("looked_after", "N"),
        circumstances.get("child_in_need", "N"),
        circumstances.get("child_protection_plan", "N"),
        circumstances.get("young_carer", "N"),
        "Y" if pupil.eal else "N",
        pupil.ethnicity,
        pupil.address,
        pupil.postcode,
    )
