"""Reads the Common Transfer File: each pupil's details, and their register as a string of marks.

The format is that of the Department for Education's Common Transfer File guide. A string has two characters, morning and
afternoon, for every calendar day from its start date, weekends and holidays included; days the school was closed are `#`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from portal.pupils.domain.incoming import UPN_LENGTH
from portal.rules.calendar import SATURDAY
from portal.rules.codes import CODES_BY_SYMBOL, Category
from portal.tabular.cells import clean
from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading.builder import ReadingBuilder
from portal.uploads.domain.reading.parsing import parse_date, parse_yes_no, year_group
from portal.uploads.domain.reading.pupil_words import (
    parse_enrolment_status,
    parse_flag,
    parse_sen_provision,
    parse_sex,
    read_word,
)
from portal.uploads.domain.reading.result import Person, PupilKey, Reading
from portal.uploads.domain.reading.rows import upn_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from portal.tabular.limits import Limits

CLOSED, BLANK = "#", " -"
ATTENDED = (Category.PRESENT, Category.APPROVED)
#: J is the old J (approved activity) or short for J1 (authorised), so the string does not show which total it counts to.
AMBIGUOUS_CODE = "J"
#: Elements of a pupil that are not the pupil's current details.
OTHER_ELEMENTS = frozenset(
    {"Contacts", "Attendance", "SchoolHistory", "StageAssessments", "SENhistory", "SENneeds", "FSMhistory", "Languages", "Address"}
)
_LINES = tuple(f"AddressLine{number}" for number in range(1, 6))
ADDRESS = ("SAON", "PAON", "Street", "Locality", "Town", "AdministrativeArea", "PostTown", "County", *_LINES)
NO_PUPILS = "The Common Transfer File has no pupils in it. Export it again with the pupils chosen."
ODD_UPN = "“{}” is not a UPN: it needs 13 characters. Check it with your system."
NO_UPN = "The pupil has no UPN. Add it, so that the marks go to the right pupil."
NO_START = "The marks have no start date we can read. Export the file again from your system."
WRAPPED = "The marks are wrapped over lines that end with spaces, so their days cannot be told. Export the file again."
ODD_LENGTH = "The marks are not two a day, so their days cannot be told. Export the file again from your system."
OUTSIDE_YEAR = "The marks run beyond 31 August, into another academic year. Export the file again from your system."
OTHER_YEAR = "The marks begin in another academic year than the one they are said to be of. Export the file again from your system."
TOTALS_DIFFER = (
    "The totals in the file differ from its marks. The marks are kept: check the pupil's register if the totals are right."
)
NO_NAME_OR_BIRTH = "The pupil has no surname or date of birth. Add them before sending the file as a pupil list."
TOTALS = ("SessionsPossible", "SessionsAttended", "SessionsAuthorised", "SessionsUnauthorised")


def read_ctf(root: Any, limits: Limits) -> Reading:
    """Read the marks and pupils of a Common Transfer File. A file without marks is a pupil list.

    Rows are numbered by pupil, from 1.

    Raises:
        FileRejected: when it has no pupils, or more than the limit.
    """
    pupils = root.findall("CTFpupilData/Pupil")
    if not pupils:
        raise FileRejected("empty", NO_PUPILS)
    if len(pupils) > limits.rows:
        message = f"The file has more than {limits.rows:,} pupils. Send it in parts."
        raise FileRejected("rows", message)
    strings_by_pupil = [list(_mark_strings(element)) for element in pupils]
    has_marks = any(strings_by_pupil)
    builder, people = ReadingBuilder("ctf" if has_marks else "pupil-list"), []
    for row, (element, strings) in enumerate(zip(pupils, strings_by_pupil, strict=True), start=1):
        details = _details(element)
        upn = upn_text(details.get("UPN", ""))
        if strings or (upn and len(upn) != UPN_LENGTH):
            _add_strings(builder, details, upn, strings, row)
        if person := _person(builder, element, details, upn, row):
            people.append(person)
        elif len(upn) in {0, UPN_LENGTH}:
            # In a file of marks the missing name loses nothing, so it is only a warning.
            builder.add_problem("no-name", NO_NAME_OR_BIRTH, row=row, count=0 if has_marks else 1)
    return builder.build(people=tuple(people), one_letter=True)


@dataclass(frozen=True, slots=True)
class _MarkString:
    """A string of marks, with the school, year and totals of its YearData element.

    `is_first` is true for the first string of each YearData element.
    """

    school_number: str | None
    year: str
    start: str
    marks: str
    totals: Mapping[str, int]
    is_first: bool

    @property
    def count(self) -> int:
        """The number of marks, without closed days and blanks."""
        return sum(mark not in CLOSED + BLANK for mark in self.marks)


def _leaves(element: Any) -> dict[str, str]:
    """The texts of an element's children that contain only text, by name."""
    return {child.tag: clean(child.text) for child in element if child.text and not len(child)}


def _details(pupil: Any) -> dict[str, str]:
    """The details of a pupil: texts directly in the element, and in groups such as BasicDetails."""
    grouped: dict[str, str] = {}
    for child in pupil:
        if child.tag not in OTHER_ELEMENTS and len(child):
            for grandchild in child:
                if grandchild.tag not in OTHER_ELEMENTS and grandchild.text and not len(grandchild):
                    grouped.setdefault(grandchild.tag, clean(grandchild.text))
    return grouped | _leaves(pupil)


def _joined_lines(marks: str) -> str:
    """Marks that are wrapped over lines, as one line. Unchanged where a line ends with spaces: those may be blank marks."""
    lines = marks.splitlines()
    return marks if any(line.endswith((" ", "\t")) for line in lines) else "".join(line.strip() for line in lines)


def _mark_strings(pupil: Any) -> Iterator[_MarkString]:
    """All strings of marks of a pupil, in all years and schools."""
    for year in pupil.iterfind("Attendance/YearData"):
        texts = _leaves(year)
        laestab = texts.get("LEA", "") + texts.get("Estab", "")
        # A number of six digits is more than a year's sessions, and Python refuses to parse one of thousands of digits.
        totals = {name: int(texts[name]) for name in TOTALS if texts.get(name, "").isdecimal() and len(texts[name]) < 6}
        for index, part in enumerate(year.findall("AttendSessions") or [year]):
            # A space is a blank mark, so only line ends and tabs are removed, unless line ends show that the XML was indented.
            marks = (part.findtext("AttendanceMarks") or "").strip("\r\n\t")
            marks = _joined_lines(marks.strip()) if "\n" in marks else marks
            if marks:
                start = clean(part.findtext("AttendanceStartDate") or "")
                school_number = laestab if laestab.isdecimal() and len(laestab) == 7 else None
                yield _MarkString(school_number, texts.get("Year", ""), start, marks, totals, index == 0)


def _add_strings(builder: ReadingBuilder, details: Mapping[str, str], upn: str, strings: Sequence[_MarkString], row: int) -> None:
    """Add all strings of one pupil, or problems that say why they are rejected."""
    if len(upn) != UPN_LENGTH:
        kind, message = ("odd-upn", ODD_UPN.format(upn[:20])) if upn else ("no-upn", NO_UPN)
        count = sum(string.count for string in strings) if builder.layout == "ctf" else 1
        value, raw = upn[:20] or None, _raw(details, strings)
        builder.add_problem(kind, message, row=row, column_name="UPN", value=value, count=count, raw=raw)
        return
    for string in strings:
        start = parse_date(string.start)
        if fault := _fault(string, start):
            kind, message, value = fault
            raw = _raw(details, [string])
            builder.add_problem(kind, message, row=row, column_name="AttendanceMarks", value=value, count=string.count, raw=raw)
        elif start is not None:
            pupil = builder.pupil_index(_pupil_key(details, upn, string.school_number))
            _add_marks(builder, pupil, start, string.marks, row)
    _check_totals(builder, strings, row)


def _raw(details: Mapping[str, str], strings: Sequence[_MarkString]) -> tuple[str, ...]:
    """The pupil as sent, for the list of rejected rows."""
    identity = tuple(details.get(name, "") for name in ("UPN", "Surname", "Forename", "DOB"))
    return (*identity, *(part for string in strings for part in (string.start, string.marks)))


def _fault(string: _MarkString, start: date | None) -> tuple[str, str, str | None] | None:
    """Why a string is rejected: its dates are unknown, or not within one academic year (to 31 August)."""
    if start is None:
        return "no-date", NO_START, string.start[:20] or None
    if "\n" in string.marks:
        return "wrapped-marks", WRAPPED, None
    if len(string.marks) % 2:
        return "odd-length", ODD_LENGTH, str(len(string.marks))
    # August belongs to both years: a string may start on 1 August and run to 31 August of the next year.
    year = start.year if start.month >= 8 else start.year - 1
    # Closed days and blanks at the end have no marks to reject, so they may run beyond the year.
    filled = len(string.marks.rstrip(CLOSED + BLANK))
    last = start + timedelta(days=max(0, (filled - 1) // 2))
    if last > date(year + 1, 8, 31):
        return "outside-year", OUTSIDE_YEAR, last.isoformat()
    if string.year.isdecimal() and int(string.year) not in {year, year + 1}:
        return "other-year", OTHER_YEAR, string.year[:20]
    return None


def _pupil_key(details: Mapping[str, str], upn: str, school_number: str | None) -> PupilKey:
    return PupilKey(
        upn=upn,
        surname=details.get("Surname") or None,
        forename=details.get("Forename") or None,
        date_of_birth=parse_date(details.get("DOB", "")),
        year_group=year_group(details.get("NCyearActual", "")),
        school_number=school_number,
        former_upn=upn_text(details.get("FormerUPN", "")) or None,
    )


def _add_marks(builder: ReadingBuilder, pupil: int, start: date, marks: str, row: int) -> None:
    """Add the marks of a string, two a day, without closed days and blanks at weekends."""
    for index, mark in enumerate(marks):
        if mark == CLOSED:
            continue
        on = start + timedelta(days=index // 2)
        if mark in BLANK and on.weekday() >= SATURDAY:
            continue
        builder.add_mark(pupil, on, index % 2, mark, row=row)


def _check_totals(builder: ReadingBuilder, strings: Sequence[_MarkString], row: int) -> None:
    """Add a warning for each year whose totals differ from its marks. Rejects nothing."""
    totals: Mapping[str, int] = {}
    counts: Counter[str] = Counter()
    for index, string in enumerate(strings):
        if string.is_first:
            totals, counts = string.totals, Counter()
        counts.update(string.marks.upper())
        is_last = index + 1 == len(strings) or strings[index + 1].is_first
        if is_last and totals and (value := _difference(totals, counts)):
            builder.add_problem("totals-differ", TOTALS_DIFFER, row=row, column_name="Attendance", value=value, count=0)


def _difference(totals: Mapping[str, int], counts: Mapping[str, int]) -> str | None:
    """How totals and marks differ; None if they agree or a code is unknown.

    For example "SessionsPossible 14, marks 12".
    """
    by_category: Counter[Category] = Counter()
    for mark, times in counts.items():
        if mark in CLOSED + BLANK:
            continue
        if mark not in CODES_BY_SYMBOL:
            return None
        by_category[CODES_BY_SYMBOL[mark].category] += times
    attended = sum(by_category[category] for category in ATTENDED)
    authorised, unauthorised = by_category[Category.AUTHORISED], by_category[Category.UNAUTHORISED]
    counted = dict(zip(TOTALS, (attended + authorised + unauthorised, attended, authorised, unauthorised), strict=True))
    ambiguous = counts.get(AMBIGUOUS_CODE, 0)
    tolerance = {"SessionsAttended": ambiguous, "SessionsAuthorised": ambiguous}
    differing = [name for name in totals if abs(totals[name] - counted[name]) > tolerance.get(name, 0)]
    return "; ".join(f"{name} {totals[name]}, marks {counted[name]}" for name in differing) or None


def _person(builder: ReadingBuilder, pupil: Any, details: Mapping[str, str], upn: str, row: int) -> Person | None:
    """The pupil as in a pupil list; None if surname, date of birth or UPN cannot be used."""
    birth = parse_date(details.get("DOB", ""))
    if not details.get("Surname") or birth is None or len(upn) not in {0, UPN_LENGTH}:
        return None

    def word(parse: Callable[[str], object], *tags: str) -> object:
        tag = next((tag for tag in tags if details.get(tag)), tags[0])
        return read_word(builder, parse, details.get(tag, ""), row=row, column=tag)

    fields: dict[str, Any] = {
        "upn": upn or None,
        "former_upn": upn_text(details.get("FormerUPN", "")) or None,
        "middle_names": details.get("MiddleNames") or None,
        "sex": word(parse_sex, "Sex", "Gender"),
        "year_group": word(year_group, "NCyearActual"),
        "registration_group": details.get("RegGroup") or details.get("RegistrationGroup") or None,
        "enrolment_status": word(parse_enrolment_status, "EnrolStatus"),
        "admission_date": parse_date(details.get("EntryDate") or details.get("AdmissionDate") or ""),
        "leaving_date": parse_date(details.get("LeavingDate") or ""),
        "ethnicity": details.get("Ethnicity") or None,
        "sen_provision": word(parse_sen_provision, "SENprovision", "SENstatus"),
        "sen_need": clean(pupil.findtext("SENneeds/SENneed/SENtype") or "") or None,
        "fsm": word(parse_flag, "FSM", "FSMeligible"),
        "looked_after": word(parse_flag, "LookedAfter", "InCare"),
    }
    fields |= _address(pupil)
    return Person(details["Surname"], details.get("Forename", ""), birth, row, fields, tuple(_contacts(pupil)))


def _address(element: Any) -> dict[str, str | None]:
    """An address in one line and its postcode, including parts within BS7666Address or AddressLines."""
    address = element.find("Address")
    if address is None:
        address = element.find("BasicDetails/Address")
    if address is None:
        return {}
    parts = {child.tag: clean(child.text) for child in address.iter() if child.text}
    line = ", ".join(parts[name] for name in ADDRESS if parts.get(name))
    return {"address": line or None, "postcode": parts.get("PostCode") or parts.get("Postcode") or None}


def _contacts(pupil: Any) -> Iterator[dict[str, Any]]:
    """The pupil's parents, carers and other contacts."""
    for contact in pupil.iterfind("Contacts/Contact"):
        texts = _leaves(contact)
        name = " ".join(texts[part] for part in ("Title", "Forename", "Surname") if texts.get(part))
        phone = contact.findtext(".//PhoneNo") or contact.findtext(".//TelephoneNumber") or ""
        if texts.get("Surname"):
            yield {
                "name": name,
                "relationship": texts.get("Relationship") or None,
                "parental_responsibility": parse_yes_no(texts.get("Responsibility", "")),
                "phone": texts.get("Phone") or clean(phone) or None,
                "email": texts.get("Email") or None,
            } | _address(contact)
