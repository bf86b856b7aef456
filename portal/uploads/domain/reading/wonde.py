"""JSON records in Wonde's format, where marks refer to pupils and codes by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.tabular.cells import clean
from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading.builder import ReadingBuilder
from portal.uploads.domain.reading.parsing import Dates, code_text, year_group
from portal.uploads.domain.reading.result import PupilKey, Reading
from portal.uploads.domain.reading.rows import upn_fault, upn_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from portal.tabular.limits import Limits

WONDE_HALVES = {"AM": 0, "MORNING": 0, "PM": 1, "AFTERNOON": 1}
NOT_OURS = (
    "This JSON is not one we can read. It needs “students”, “attendance” and “attendance-codes”. Export these, or send a CSV."
)
NO_PUPIL = "The mark is for a pupil who is not among the file's students. Export the students with the marks."
NO_CODE = "The mark's code is not among the file's attendance codes. Export the attendance codes with the marks."
NO_HALF = "The mark has no session we can read. It needs AM or PM."
NOT_A_RECORD = "The mark is not a record with fields. Export the marks again from your system."
AS_SENT = ("student_id", "date", "session", "attendance_code_id", "code", "comment")
MAX_MINUTES, MAX_COMMENT = 600, 1_000


def read_wonde(document: Any, limits: Limits) -> Reading:
    """Read the marks of "attendance", with pupils from "students" and codes from "attendance-codes".

    Rows are numbered by record, from 1. Lists may be in {"data": [...]} envelopes, and a mark may contain its student and code.

    Raises:
        FileRejected: when the document has another structure, or more records than a file may have rows.
    """
    content = _without_envelope(document)
    if not isinstance(content, dict) or "attendance" not in content:
        raise FileRejected("not-ours", NOT_OURS)
    records = _list(content, "attendance")
    if len(records) > limits.rows:
        message = f"The file has more than {limits.rows:,} marks. Send it in parts, such as a term at a time."
        raise FileRejected("rows", message)
    if not records:
        raise FileRejected("empty", "The file has no marks. Export it again with the dates chosen.")
    builder = ReadingBuilder("wonde")
    _Join(builder, content, records).add_marks()
    return builder.build()


def _without_envelope(document: Any) -> Any:
    """The content of an envelope, {"data": …} or {"Data": …}; anything else as it is."""
    for name in ("data", "Data"):
        if isinstance(document, dict) and isinstance(document.get(name), dict | list):
            return document[name]
    return document


def _list(content: Mapping[str, Any], *names: str) -> Sequence[Any]:
    """The first of these fields that is a list. A single object counts as a list of one."""
    for name in names:
        records = _without_envelope(content.get(name))
        if isinstance(records, list):
            return records
        if isinstance(records, dict):
            return [records]
    return []


def _text(value: Any) -> str:
    """A field as text. {"date": …} gives its date and zone, and anything but text and whole numbers is empty."""
    if isinstance(value, dict):
        value = " ".join(part for name in ("date", "timezone") if isinstance(part := value.get(name), str))
    return clean(value) if isinstance(value, str) else str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _field(record: Mapping[str, Any], *names: str) -> str:
    return next((text for name in names if (text := _text(record.get(name)))), "")


class _Join:
    """Joins marks with their pupils and codes."""

    def __init__(self, builder: ReadingBuilder, content: Mapping[str, Any], records: Sequence[Any]) -> None:
        self.builder, self.records = builder, records
        students = [student for student in _list(content, "students", "pupils") if isinstance(student, dict)]
        marks = [record for record in records if isinstance(record, dict)]
        nested = [student for mark in marks if isinstance(student := _without_envelope(mark.get("student")), dict)]
        self.births = Dates(_field(student, "date_of_birth", "dob") for student in (*students, *nested))
        self.days = Dates(_field(mark, "date") for mark in marks)
        self.students = {student_id: self._pupil_key(student) for student in students if (student_id := _field(student, "id"))}
        codes = [code for code in _list(content, "attendance-codes", "attendance_codes", "codes") if isinstance(code, dict)]
        self.codes = {_field(code, "id"): _field(code, "code") for code in codes}

    def add_marks(self) -> None:
        """Add each record as a mark, or as a problem that says why it is rejected."""
        for row, record in enumerate(self.records, start=1):
            if not isinstance(record, dict):
                self.builder.add_problem("not-a-record", NOT_A_RECORD, row=row)
                continue
            code, key = self._code(record), self._student(record)
            if code is not None and code_text(code) in {"", "-"}:
                self.builder.missing += 1
                continue
            fault = next(self._faults(record, code, key), None)
            if fault is None and key is not None and code is not None:
                self._add_mark(record, code, key, row)
            elif fault is not None:
                kind, message, column_name, value = fault
                raw = tuple(_field(record, name) for name in AS_SENT)
                self.builder.add_problem(kind, message, row=row, column_name=column_name, value=value[:40] or None, raw=raw)

    def _faults(self, record: Mapping[str, Any], code: str | None, key: PupilKey | None) -> Iterator[tuple[str, str, str, str]]:
        if key is None:
            yield "unknown-student", NO_PUPIL, "student_id", _field(record, "student_id", "student")
        elif fault := upn_fault(key):
            yield fault[0], fault[1], "upn", fault[2] or ""
        day = _field(record, "date")
        if self.days[day] is None:
            yield (*self.days.fault(day), "date", day)
        if _field(record, "session").upper() not in WONDE_HALVES:
            yield "no-session", NO_HALF, "session", _field(record, "session")
        if code is None:
            yield "unknown-code-id", NO_CODE, "attendance_code_id", _field(record, "attendance_code_id", "attendance_code")

    def _add_mark(self, record: Mapping[str, Any], code: str, key: PupilKey, row: int) -> None:
        on = self.days[_field(record, "date")]
        if on is None:
            return  # Never: _faults rejects these. It tells the type checker that there is a date.
        minutes = record.get("minutes_late")
        late = int(minutes) if isinstance(minutes, int | float) and 0 < minutes < MAX_MINUTES else None
        comment = _field(record, "comment")[:MAX_COMMENT] or None
        session = WONDE_HALVES[_field(record, "session").upper()]
        self.builder.add_mark(self.builder.pupil_index(key), on, session, code, row=row, minutes=late, comment=comment)

    def _student(self, record: Mapping[str, Any]) -> PupilKey | None:
        """The pupil of a mark: the student it contains, or the one whose id it gives."""
        nested = _without_envelope(record.get("student"))
        if isinstance(nested, dict):
            listed = self.students.get(_field(nested, "id"))
            return listed if listed is not None and not nested.get("upn") else self._pupil_key(nested)
        return self.students.get(_field(record, "student_id", "student"))

    def _code(self, record: Mapping[str, Any]) -> str | None:
        """The code of a mark; empty if the record has none, None if its code id is unknown."""
        nested = _without_envelope(record.get("attendance_code"))
        if isinstance(nested, dict):
            return _field(nested, "code")
        code_id = _field(record, "attendance_code_id", "attendance_code")
        if code_id in self.codes and code_id:
            return self.codes[code_id]
        code = _field(record, "code", "mark")
        return code if code or not code_id else None

    def _pupil_key(self, student: Mapping[str, Any]) -> PupilKey:
        birth = _field(student, "date_of_birth", "dob")
        return PupilKey(
            upn=upn_text(_field(student, "upn")) or None,
            surname=_field(student, "surname", "legal_surname") or None,
            forename=_field(student, "forename", "legal_forename") or None,
            date_of_birth=self.births[birth] if birth else None,
            year_group=year_group(_field(student, "year_group", "year", "national_curriculum_year")),
            registration_group=_field(student, "registration_group", "tutor_group") or None,
            local_id=_field(student, "id") or None,
            former_upn=upn_text(_field(student, "former_upn")) or None,
        )
