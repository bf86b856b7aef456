"""The other layouts schools send: weekly grid, matrix of dates, Common Transfer File, pupil list."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import xlsxwriter

from portal.demonstration.dirt import Fault, SentFile
from portal.demonstration.entries import HALVES, extract
from portal.rules.calendar import academic_year as year_of
from portal.rules.codes import BY_LETTERS, Category

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.demonstration.entries import Extract
    from portal.demonstration.plans import Line, Plan, Pupil

DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri")
FRIDAY_AFTERNOON = 9
#: A Common Transfer File has one character a session: the codes of two are cut short, as systems do.
SHORT = {"C1": "C", "C2": "C", "J1": "J", **{f"Y{number}": "Y" for number in range(1, 8)}}


def weekly_grid(plan: Plan, urn: str, academic_year: int, weeks: Sequence[int]) -> SentFile:
    """A row for each pupil and a column for each session of one week (the first named), as CSV with a byte-order mark.

    In one class the slants are the wrong way round, and one class's Friday afternoon is blank.
    """
    found = extract(plan, urn, academic_year, weeks[:1])
    monday = found.weeks[0]
    headers = ["UPN", "Name", "Reg Group", "Week commencing", *(f"{day}{half}" for day in DAY_NAMES for half in HALVES)]
    groups = list(dict.fromkeys(found.lines[row].registration_group for row in found.rows_on_roll()))
    rows, faults = [headers], []
    for row in found.rows_on_roll():
        pupil, group = found.pupils[row], found.lines[row].registration_group
        cells = list(found.letters[row][0])
        for place, letters in enumerate(cells):
            value = _misread(letters, place, swapped=group == groups[0], forgotten=group == groups[-1])
            if value != letters:
                kind = "missing" if value == "" else "wrong-slant"
                on, session = monday + timedelta(days=place // 2), HALVES[place % 2]
                faults.append(Fault(kind, len(rows) + 1, headers[4 + place], value, pupil.upn, on, session, letters))
                cells[place] = value
        rows.append([pupil.upn, f"{pupil.surname}, {pupil.forename}", group, f"{monday:%d/%m/%Y}", *cells])
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    marks = sum(bool(cell) for row in rows[1:] for cell in row[4:])
    return SentFile(f"week {monday:%Y-%m-%d}.csv", urn, "weekly-grid", text.getvalue().encode("utf-8-sig"), marks, tuple(faults))


def _misread(letters: str, place: int, *, swapped: bool, forgotten: bool) -> str:
    if forgotten and place == FRIDAY_AFTERNOON:
        return ""
    return {"/": "\\", "\\": "/"}.get(letters, letters) if swapped else letters


def date_matrix(plan: Plan, urn: str, academic_year: int, weeks: Sequence[int]) -> SentFile:
    """A spreadsheet with a sheet for each year group: dates merged over AM and PM in two header rows, under a title.

    One cell of the first pupil holds a mark that is no code. An empty sheet is left at the end.
    """
    found = extract(plan, urn, academic_year, weeks)
    columns = [(week, weekday, on) for week, weekday, on in found.days() if found.met(week, weekday)]
    content = io.BytesIO()
    faults: list[Fault] = []
    marks = 0
    with xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        # Without a fixed day the bytes would differ on every run.
        book.set_properties({"created": datetime.combine(plan.today, time())})
        for group in dict.fromkeys(line.year_group for line in found.lines):
            rows = [row for row in found.rows_on_roll() if found.lines[row].year_group == group]
            if rows:
                marks += _matrix_sheet(book, found, group, rows=rows, columns=columns, faults=faults)
        book.add_worksheet("Sheet3")
    name = f"{plan.school(urn).name} {found.weeks[0]:%d %b}.xlsx"
    return SentFile(name, urn, "date-matrix", content.getvalue(), marks, tuple(faults))


def _matrix_sheet(
    book: xlsxwriter.Workbook,
    found: Extract,
    group: str,
    *,
    rows: list[int],
    columns: list[tuple[int, int, date]],
    faults: list[Fault],
) -> int:
    sheet = book.add_worksheet(f"Year {group}")
    dated = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet.write_string(0, 0, f"Attendance, {found.plan.school(found.urn).name}")
    for place, header in enumerate(("UPN", "Surname", "Forename")):
        sheet.write_string(1, place, header)
    for place, (_, _, on) in enumerate(columns):
        sheet.merge_range(1, 3 + place * 2, 1, 4 + place * 2, "", dated)
        sheet.write_datetime(1, 3 + place * 2, datetime.combine(on, time()), dated)
        for half, session in enumerate(HALVES):
            sheet.write_string(2, 3 + place * 2 + half, session)
    marks = 0
    for number, row in enumerate(rows, start=3):
        pupil = found.pupils[row]
        for place, text in enumerate((pupil.upn, pupil.surname, pupil.forename)):
            sheet.write_string(number, place, text)
        for place, (week, weekday, on) in enumerate(columns):
            for half, session in enumerate(HALVES):
                letters = found.letters[row][week][weekday * 2 + half]
                if letters and not faults:
                    letter = _column(3 + place * 2 + half)
                    faults.append(Fault("unknown-code", number + 1, letter, "Q9", pupil.upn, on, session, letters))
                    letters = "Q9"
                sheet.write_string(number, 3 + place * 2 + half, letters)
                marks += bool(letters)
    return marks


def _column(place: int) -> str:
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def transfer_file(plan: Plan, urn: str, academic_year: int, weeks: Sequence[int]) -> SentFile:
    """A Common Transfer File: each pupil's marks as one string, two characters a calendar day, closed days as #."""
    found = extract(plan, urn, academic_year, weeks)
    root = ET.Element("CTfile")
    school = plan.school(urn)
    header = ET.SubElement(root, "Header")
    for name, text in (
        ("DocumentName", "Common Transfer File"), ("CTFversion", "25.0"), ("DateTime", f"{plan.today}T08:00:00"),
        ("DocumentQualifier", "full"), ("SupplierID", "EXAMPLE"),
    ):  # fmt: skip
        ET.SubElement(header, name).text = text
    _school(ET.SubElement(header, "SourceSchool"), school.laestab, school.name, academic_year)
    _school(ET.SubElement(header, "DestSchool"), "LLLLLLL", None, None)
    held = ET.SubElement(root, "CTFpupilData")
    marks = 0
    for row in found.rows_on_roll():
        marks += _transferred(ET.SubElement(held, "Pupil"), found, row)
    content = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return SentFile(f"{school.laestab}_CTF_LLLLLLL_001.xml", urn, "ctf", content, marks)


def _school(element: ET.Element, laestab: str, name: str | None, year: int | None) -> None:
    ET.SubElement(element, "LEA").text = laestab[:3]
    ET.SubElement(element, "Estab").text = laestab[3:]
    if name is not None:
        ET.SubElement(element, "SchoolName").text = name
        ET.SubElement(element, "AcademicYear").text = str(year)


def _transferred(element: ET.Element, found: Extract, row: int) -> int:
    pupil = found.pupils[row]
    for name, text in (
        ("UPN", pupil.upn), ("Surname", pupil.surname), ("Forename", pupil.forename),
        ("DOB", pupil.date_of_birth.isoformat()), ("Sex", pupil.sex),
    ):  # fmt: skip
        ET.SubElement(element, name).text = text
    cells = [found.letters[row][week][weekday * 2 + half] for week, weekday, _ in found.days() for half in range(2)]
    counts = [0, 0, 0, 0, 0, 0]
    for letters in cells:
        counts[int(BY_LETTERS[letters].category) if letters else 0] += 1
    attended = counts[Category.PRESENT] + counts[Category.APPROVED]
    absent = (counts[Category.AUTHORISED], counts[Category.UNAUTHORISED])
    year = ET.SubElement(ET.SubElement(element, "Attendance"), "YearData")
    ET.SubElement(year, "Year").text = str(found.academic_year)
    _school(year, found.plan.school(found.urn).laestab, None, None)
    for name, count in (
        ("SessionsPossible", attended + sum(absent)), ("SessionsAuthorised", absent[0]), ("SessionsAttended", attended),
        ("SessionsUnauthorised", absent[1]),
    ):  # fmt: skip
        ET.SubElement(year, name).text = str(count)
    sessions = ET.SubElement(year, "AttendSessions")
    ET.SubElement(sessions, "AttendanceStartDate").text = found.weeks[0].isoformat()
    ET.SubElement(sessions, "AttendanceMarks").text = _string(found, row)
    return sum(map(bool, cells))


def _string(found: Extract, row: int) -> str:
    """The marks of every calendar day from the first Monday to the last Sunday, weekends and holidays filled with #."""
    length = (found.weeks[-1] - found.weeks[0]).days + 7
    days = ["##"] * length
    for week, weekday, on in found.days():
        if found.met(week, weekday):
            pair = [found.letters[row][week][weekday * 2 + half] for half in range(2)]
            days[(on - found.weeks[0]).days] = "".join(SHORT.get(one, one) or "-" for one in pair)
    return "".join(days)


def pupil_list(plan: Plan, urn: str, academic_year: int) -> SentFile:
    """The school's pupil list as CSV in UTF-8: everyone on its roll on the plan's day, with circumstances and parents."""
    register = plan.registers[urn, academic_year]
    pupils = {pupil.number: pupil for pupil in plan.pupils}
    parents = {parent.number: parent for parent in plan.parents}
    text = io.StringIO()
    rows: list[Sequence[str]] = [LIST_HEADERS]
    for line in register.lines:
        pupil = pupils[line.pupil]
        first = parents[pupil.ties[0].parent]
        contact = (
            first.name,
            pupil.ties[0].relationship,
            first.phone or "",
            first.email or "",
            "Y" if first.do_not_disclose else "",
        )
        rows.append((*_listed(pupil, line), *contact))
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return SentFile(f"Pupils {urn} {year_of(plan.today)}.csv", urn, "pupil-list", text.getvalue().encode(), 0)


LIST_HEADERS = (
    "UPN", "Former UPN", "Surname", "Forename", "Middle names", "DOB", "Sex", "Year group", "Reg group", "Enrolment status",
    "Date of admission", "Date of leaving", "SEN provision", "SEN need", "FSM", "Looked after", "CIN", "CP plan",
    "Young carer", "EAL", "Ethnicity", "Address", "Postcode", "Parent name", "Relationship", "Phone", "Email",
    "Do not disclose",
)  # fmt: skip


def _listed(pupil: Pupil, line: Line) -> tuple[str, ...]:
    traits = {one.kind: one.value for one in pupil.characteristics if one.last_day is None}
    return (
        pupil.upn, pupil.former_upn or "", pupil.surname, pupil.forename, pupil.middle_names or "",
        f"{pupil.date_of_birth:%d/%m/%Y}", pupil.sex, line.year_group, line.registration_group, line.enrolment_status,
        f"{line.on_roll_from:%d/%m/%Y}", f"{line.on_roll_until:%d/%m/%Y}" if line.on_roll_until else "",
        traits.get("sen_provision", "N"), traits.get("sen_need", ""), traits.get("fsm", "N"), traits.get("looked_after", "N"),
        traits.get("child_in_need", "N"), traits.get("child_protection_plan", "N"), traits.get("young_carer", "N"),
        "Y" if pupil.eal else "N", pupil.ethnicity, pupil.address, pupil.postcode,
    )  # fmt: skip
