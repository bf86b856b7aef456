"""The Common Transfer File: each pupil's register as a string of marks, and the pupil as a list would have them.

The shape is that of the Department for Education's Common Transfer File guide. A string holds two characters, morning and
afternoon, for every calendar day from its start date, weekends and holidays included; days the school was closed are `#`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from portal.rules.codes import BY_LETTERS, Category
from portal.uploads.reading.entries import Entries
from portal.uploads.reading.people import FLAGS, SEN
from portal.uploads.reading.rows import UPN_LENGTH, upn_text
from portal.uploads.reading.shapes import FileRefused, Person, PupilKey, Reading
from portal.uploads.reading.texts import a_date, clean, flag, year_group

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from portal.uploads.reading.shapes import Limits

CLOSED, NOTHING = "#", " -"
NEW_YEAR_MONTH, SATURDAY = 8, 5
LEA_DIGITS, ESTAB_DIGITS = 3, 4
ATTENDED = (Category.PRESENT, Category.APPROVED)
#: J alone may be the old J (approved activity) or short for J1 (authorised): its totals cannot be told from the string.
EITHER = "J"
#: Elements of a pupil that are about something else than the pupil now.
APART = frozenset(
    {"Contacts", "Attendance", "SchoolHistory", "StageAssessments", "SENhistory", "SENneeds", "FSMhistory", "Languages", "Address"}
)
_LINES = tuple(f"AddressLine{number}" for number in range(1, 6))
ADDRESS = ("SAON", "PAON", "Street", "Locality", "Town", "AdministrativeArea", "PostTown", "County", *_LINES)
NO_PUPILS = "The Common Transfer File has no pupils in it. Export it again with the pupils chosen."
ODD_UPN = "“{}” is not a UPN: it needs 13 characters. Check it with your system."
NO_UPN = "The pupil has no UPN. Add it, so that the marks go to the right pupil."
NO_START = "The marks have no start date we can read. Export the file again from your system."
ODD_LENGTH = "The marks are not two a day, so their days cannot be told. Export the file again from your system."
OUTSIDE_YEAR = "The marks run beyond 31 August, into another academic year. Export the file again from your system."
OTHER_YEAR = "The marks begin in another academic year than the one they are said to be of. Export the file again from your system."
DIFFERENT = "The totals in the file differ from its marks. The marks are kept: check the pupil's register if the totals are right."
NO_PERSON = "The pupil has no surname or date of birth. Add them before sending the file as a pupil list."
TOTALS = ("SessionsPossible", "SessionsAttended", "SessionsAuthorised", "SessionsUnauthorised")


def read_ctf(root: Any, limits: Limits) -> Reading:
    """Marks and people of a Common Transfer File; one without any marks is a pupil list. A row is a Pupil's place, from 1.

    Raises:
        FileRefused: when it has no pupils, or more than a file may have.
    """
    pupils = root.findall("CTFpupilData/Pupil")
    if not pupils:
        raise FileRefused("empty", NO_PUPILS)
    if len(pupils) > limits.rows:
        message = f"The file has more than {limits.rows:,} pupils. Send it in parts."
        raise FileRefused("rows", message)
    runs_of = [list(_runs(element)) for element in pupils]
    marked = any(runs_of)
    entries, people = Entries("ctf" if marked else "pupil-list"), []
    for row, (element, runs) in enumerate(zip(pupils, runs_of, strict=True), start=1):
        said = _said(element)
        upn = upn_text(said.get("UPN", ""))
        if runs or (upn and len(upn) != UPN_LENGTH):
            _marks(entries, said, upn, runs, row)
        if person := _person(element, said, upn, row):
            people.append(person)
        elif len(upn) in {0, UPN_LENGTH}:
            entries.problem("no-name", NO_PERSON, row=row, count=0 if marked else 1)
    return entries.reading(people=tuple(people), one_letter=True)


@dataclass(frozen=True, slots=True)
class _Run:
    """A string of marks and what its year says: the school, the year, the totals."""

    school_number: str | None
    year: str
    start: str
    marks: str
    totals: Mapping[str, int]
    first: bool

    @property
    def count(self) -> int:
        """Marks with something to say."""
        return sum(mark not in CLOSED + NOTHING for mark in self.marks)


def _leaves(element: Any) -> dict[str, str]:
    """An element's children that hold text, by name."""
    return {child.tag: clean(child.text) for child in element if child.text and not len(child)}


def _said(pupil: Any) -> dict[str, str]:
    """What is said of the pupil: its own leaves and those of its groups (BasicDetails and the like)."""
    found: dict[str, str] = {}
    for child in pupil:
        if child.tag not in APART and len(child):
            for grandchild in child:
                if grandchild.tag not in APART and grandchild.text and not len(grandchild):
                    found.setdefault(grandchild.tag, clean(grandchild.text))
    return found | _leaves(pupil)


def _runs(pupil: Any) -> Iterator[_Run]:
    """Every string of marks of every year and school."""
    for year in pupil.iterfind("Attendance/YearData"):
        said = _leaves(year)
        number = said.get("LEA", "") + said.get("Estab", "")
        told = {name: int(said[name]) for name in TOTALS if said.get(name, "").isdecimal() and len(said[name]) < 6}  # noqa: PLR2004  no year has so many
        for place, part in enumerate(year.findall("AttendSessions") or [year]):
            marks = (part.findtext("AttendanceMarks") or "").strip("\r\n\t")
            marks = marks.strip() if "\n" in marks else marks
            if marks:
                start = clean(part.findtext("AttendanceStartDate") or "")
                school = number if number.isdecimal() and len(number) == LEA_DIGITS + ESTAB_DIGITS else None
                yield _Run(school, said.get("Year", ""), start, marks, told, place == 0)


def _marks(entries: Entries, said: Mapping[str, str], upn: str, runs: Sequence[_Run], row: int) -> None:
    """All strings of one pupil, or why none can be taken."""
    if len(upn) != UPN_LENGTH:
        kind, message = ("odd-upn", ODD_UPN.format(upn[:20])) if upn else ("no-upn", NO_UPN)
        count = sum(run.count for run in runs) if entries.layout == "ctf" else 1
        entries.problem(kind, message, row=row, column_name="UPN", value=upn[:20] or None, count=count, raw=_raw(said, runs))
        return
    for run in runs:
        start = a_date(run.start)
        if fault := _fault(run, start):
            kind, message, value = fault
            raw = _raw(said, [run])
            entries.problem(kind, message, row=row, column_name="AttendanceMarks", value=value, count=run.count, raw=raw)
        elif start is not None:
            pupil = entries.pupil(_key(said, upn, run.school_number))
            _string(entries, pupil, start, run.marks, row)
    _recounted(entries, runs, row)


def _raw(said: Mapping[str, str], runs: Sequence[_Run]) -> tuple[str, ...]:
    """The pupil as sent, for the list of refused rows."""
    about = tuple(said.get(name, "") for name in ("UPN", "Surname", "Forename", "DOB"))
    return (*about, *(part for run in runs for part in (run.start, run.marks)))


def _fault(run: _Run, start: date | None) -> tuple[str, str, str | None] | None:
    """Why the days of a string cannot be told, or are not of one academic year (1 August to 31 August)."""
    if start is None:
        return "no-date", NO_START, run.start[:20] or None
    if len(run.marks) % 2:
        return "odd-length", ODD_LENGTH, str(len(run.marks))
    year = start.year if start.month >= NEW_YEAR_MONTH else start.year - 1
    filled = len(run.marks.rstrip(CLOSED + NOTHING))
    last = start + timedelta(days=max(0, (filled - 1) // 2))
    if last > date(year + 1, 8, 31):
        return "outside-year", OUTSIDE_YEAR, last.isoformat()
    if run.year.isdecimal() and int(run.year) not in {year, year + 1}:
        return "other-year", OTHER_YEAR, run.year[:20]
    return None


def _key(said: Mapping[str, str], upn: str, school_number: str | None) -> PupilKey:
    return PupilKey(
        upn=upn,
        surname=said.get("Surname") or None,
        forename=said.get("Forename") or None,
        date_of_birth=a_date(said.get("DOB", "")),
        year_group=year_group(said.get("NCyearActual", "")),
        school_number=school_number,
        former_upn=upn_text(said.get("FormerUPN", "")) or None,
    )


def _string(entries: Entries, pupil: int, start: date, marks: str, row: int) -> None:
    """A string's marks, two a day. Closed days say nothing; nor does an empty place at a weekend."""
    for place, mark in enumerate(marks):
        if mark == CLOSED:
            continue
        on = start + timedelta(days=place // 2)
        if mark in NOTHING and on.weekday() >= SATURDAY:
            continue
        entries.mark(pupil, on, place % 2, mark, row=row)


def _recounted(entries: Entries, runs: Sequence[_Run], row: int) -> None:
    """Count each year's marks again and say where its totals differ. Nothing is refused for it."""
    told: Mapping[str, int] = {}
    counts: Counter[str] = Counter()
    for number, run in enumerate(runs):
        if run.first:
            told, counts = run.totals, Counter()
        counts.update(run.marks.upper())
        ends = number + 1 == len(runs) or runs[number + 1].first
        if ends and told and (value := _difference(told, counts)):
            entries.problem("totals-differ", DIFFERENT, row=row, column_name="Attendance", value=value, count=0)


def _difference(told: Mapping[str, int], counts: Mapping[str, int]) -> str | None:
    """Where totals and marks differ, as "SessionsPossible 14, marks 12"; None where they agree or a mark is not known."""
    classes: Counter[Category] = Counter()
    for mark, times in counts.items():
        if mark in CLOSED + NOTHING:
            continue
        if mark not in BY_LETTERS:
            return None
        classes[BY_LETTERS[mark].category] += times
    attended = sum(classes[one] for one in ATTENDED)
    authorised, unauthorised = classes[Category.AUTHORISED], classes[Category.UNAUTHORISED]
    real = dict(zip(TOTALS, (attended + authorised + unauthorised, attended, authorised, unauthorised), strict=True))
    slack = {"SessionsAttended": counts.get(EITHER, 0), "SessionsAuthorised": counts.get(EITHER, 0)}
    differing = [f"{name} {told[name]}, marks {real[name]}" for name in told if abs(told[name] - real[name]) > slack.get(name, 0)]
    return "; ".join(differing) or None


def _person(pupil: Any, said: Mapping[str, str], upn: str, row: int) -> Person | None:
    """The pupil as a list has them; None without a surname, a date of birth or with a UPN that is none."""
    born = a_date(said.get("DOB", ""))
    if not said.get("Surname") or born is None or len(upn) not in {0, UPN_LENGTH}:
        return None
    sex = (said.get("Sex") or said.get("Gender") or "").upper()[:1]
    status = (said.get("EnrolStatus") or "").upper()[:1]
    fields: dict[str, Any] = {
        "upn": upn or None,
        "former_upn": upn_text(said.get("FormerUPN", "")) or None,
        "middle_names": said.get("MiddleNames") or None,
        "sex": sex if sex in {"F", "M"} else None,
        "year_group": year_group(said.get("NCyearActual", "")),
        "registration_group": said.get("RegGroup") or said.get("RegistrationGroup") or None,
        "enrolment_status": status if status in {"C", "M", "S", "F", "O"} else None,
        "admission_date": a_date(said.get("EntryDate") or said.get("AdmissionDate") or ""),
        "leaving_date": a_date(said.get("LeavingDate") or ""),
        "ethnicity": said.get("Ethnicity") or None,
    }
    fields |= _characteristics(pupil, said) | _address(pupil)
    return Person(said["Surname"], said.get("Forename", ""), born, row, fields, tuple(_contacts(pupil)))


def _characteristics(pupil: Any, said: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    sen = (said.get("SENprovision") or said.get("SENstatus") or "").upper()
    if sen in SEN:
        found["sen_provision"] = SEN[sen]
    need = pupil.findtext("SENneeds/SENneed/SENtype")
    if need:
        found["sen_need"] = clean(need)
    told = {
        "fsm": said.get("FSM") or said.get("FSMeligible") or "",
        "looked_after": said.get("LookedAfter") or said.get("InCare") or "",
    }
    for name in FLAGS:
        answer = flag(told.get(name, ""))
        if answer is not None:
            found[name] = "yes" if answer else "no"
    return found


def _address(element: Any) -> dict[str, str | None]:
    """An address in one line, and its postcode; parts of a sub-group (BS7666Address, AddressLines) count."""
    address = element.find("Address")
    if address is None:
        address = element.find("BasicDetails/Address")
    if address is None:
        return {}
    parts = {child.tag: clean(child.text) for child in address.iter() if child.text}
    line = ", ".join(parts[name] for name in ADDRESS if parts.get(name))
    return {"address": line or None, "postcode": parts.get("PostCode") or parts.get("Postcode") or None}


def _contacts(pupil: Any) -> Iterator[dict[str, Any]]:
    """Parents, carers and others the school may call."""
    for contact in pupil.iterfind("Contacts/Contact"):
        said = _leaves(contact)
        name = " ".join(said[part] for part in ("Title", "Forename", "Surname") if said.get(part))
        phone = contact.findtext(".//PhoneNo") or contact.findtext(".//TelephoneNumber") or ""
        if said.get("Surname"):
            yield {
                "name": name,
                "relationship": said.get("Relationship") or None,
                "parental_responsibility": flag(said.get("Responsibility", "")),
                "phone": said.get("Phone") or clean(phone) or None,
                "email": said.get("Email") or None,
            } | _address(contact)
