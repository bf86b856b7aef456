"""Records from a school system's interface, in Wonde's shape: marks that name their pupil and their code by number, joined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.uploads.reading.entries import Entries
from portal.uploads.reading.rows import fault_in, upn_text
from portal.uploads.reading.shapes import FileRefused, PupilKey, Reading
from portal.uploads.reading.texts import Dates, clean, code_text, year_group

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from portal.uploads.reading.shapes import Limits

HALVES = {"AM": 0, "MORNING": 0, "PM": 1, "AFTERNOON": 1}
NOT_OURS = (
    "This JSON is not one we can read. It needs “students”, “attendance” and “attendance-codes”. Export these, or send a CSV."
)
NO_PUPIL = "The mark is for a pupil who is not among the file's students. Export the students with the marks."
NO_CODE = "The mark's code is not among the file's attendance codes. Export the attendance codes with the marks."
NOT_A_DATE = "“{}” is not a date we can read. Write it as 2026-09-07."
NO_HALF = "The mark has no session we can read. It needs AM or PM."
NOT_A_RECORD = "The mark is not a record with fields. Export the marks again from your system."
AS_SENT = ("student_id", "date", "session", "attendance_code_id", "code", "comment")
MOST_MINUTES, LONGEST_COMMENT = 600, 1_000


def read_wonde(document: Any, limits: Limits) -> Reading:
    """Marks of "attendance", their pupils from "students" and their codes from "attendance-codes". A row is a record, from 1.

    Lists may stand in {"data": [...]} envelopes, and a mark may hold its student and code whole.

    Raises:
        FileRefused: when the document has another shape, or more records than a file may have rows.
    """
    whole = _opened(document)
    if not isinstance(whole, dict) or "attendance" not in whole:
        raise FileRefused("not-ours", NOT_OURS)
    records = _list(whole, "attendance")
    if len(records) > limits.rows:
        message = f"The file has more than {limits.rows:,} marks. Send it in parts, such as a term at a time."
        raise FileRefused("rows", message)
    if not records:
        raise FileRefused("empty", "The file has no marks. Export it again with the dates chosen.")
    entries = Entries("wonde")
    _Join(entries, whole, records).marks()
    return entries.reading()


def _opened(document: Any) -> Any:
    """What is in an envelope: {"data": …} or {"Data": …}, once."""
    for name in ("data", "Data"):
        if isinstance(document, dict) and isinstance(document.get(name), dict | list):
            return document[name]
    return document


def _list(whole: Mapping[str, Any], *names: str) -> Sequence[Any]:
    for name in names:
        found = _opened(whole.get(name))
        if isinstance(found, list):
            return found
        if isinstance(found, dict):
            return [found]
    return []


def _text(value: Any) -> str:
    """A field as text: {"date": …} is its date, numbers are their digits, anything else is nothing."""
    if isinstance(value, dict):
        value = value.get("date")
    return clean(value) if isinstance(value, str) else str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _field(record: Mapping[str, Any], *names: str) -> str:
    return next((text for name in names if (text := _text(record.get(name)))), "")


class _Join:
    """Puts the three lists together."""

    def __init__(self, entries: Entries, whole: Mapping[str, Any], records: Sequence[Any]) -> None:
        self.entries, self.records = entries, records
        students = [one for one in _list(whole, "students", "pupils") if isinstance(one, dict)]
        whole_records = [record for record in records if isinstance(record, dict)]
        nested = [found for record in whole_records if isinstance(found := _opened(record.get("student")), dict)]
        self.births = Dates(_field(one, "date_of_birth", "dob") for one in (*students, *nested))
        self.days = Dates(_field(record, "date") for record in whole_records)
        self.students = {number: self._key(one) for one in students if (number := _field(one, "id"))}
        codes = [one for one in _list(whole, "attendance-codes", "attendance_codes", "codes") if isinstance(one, dict)]
        self.codes = {_field(one, "id"): _field(one, "code") for one in codes}

    def marks(self) -> None:
        """Every record as a mark, or as a problem that says why not."""
        for row, record in enumerate(self.records, start=1):
            if not isinstance(record, dict):
                self.entries.problem("not-a-record", NOT_A_RECORD, row=row)
                continue
            code, key = self._code(record), self._student(record)
            if code is not None and code_text(code) in {"", "-"}:
                self.entries.missing += 1
                continue
            fault = next(self._faults(record, code, key), None)
            if fault is None and key is not None and code is not None:
                self._take(record, code, key, row)
            elif fault is not None:
                kind, message, column_name, value = fault
                raw = tuple(_field(record, name) for name in AS_SENT)
                self.entries.problem(kind, message, row=row, column_name=column_name, value=value[:40] or None, raw=raw)

    def _faults(self, record: Mapping[str, Any], code: str | None, key: PupilKey | None) -> Iterator[tuple[str, str, str, str]]:
        if key is None:
            yield "unknown-student", NO_PUPIL, "student_id", _field(record, "student_id", "student")
        elif fault := fault_in(key):
            yield fault[0], fault[1], "upn", fault[2] or ""
        day = _field(record, "date")
        if self.days[day] is None:
            yield "no-date", NOT_A_DATE.format(day[:20]), "date", day
        if _field(record, "session").upper() not in HALVES:
            yield "no-session", NO_HALF, "session", _field(record, "session")
        if code is None:
            yield "unknown-code-id", NO_CODE, "attendance_code_id", _field(record, "attendance_code_id", "attendance_code")

    def _take(self, record: Mapping[str, Any], code: str, key: PupilKey, row: int) -> None:
        on = self.days[_field(record, "date")]
        if on is None:
            return
        minutes = record.get("minutes_late")
        late = int(minutes) if isinstance(minutes, int | float) and 0 < minutes < MOST_MINUTES else None
        comment = _field(record, "comment")[:LONGEST_COMMENT] or None
        session = HALVES[_field(record, "session").upper()]
        self.entries.mark(self.entries.pupil(key), on, session, code, row=row, minutes=late, comment=comment)

    def _student(self, record: Mapping[str, Any]) -> PupilKey | None:
        """The pupil a mark is for: the student it holds, or the one whose number it gives."""
        nested = _opened(record.get("student"))
        if isinstance(nested, dict):
            known = self.students.get(_field(nested, "id"))
            return known if known is not None and not nested.get("upn") else self._key(nested)
        return self.students.get(_field(record, "student_id", "student"))

    def _code(self, record: Mapping[str, Any]) -> str | None:
        """The letters of a mark's code; empty where the record has none, None where its number is not known."""
        nested = _opened(record.get("attendance_code"))
        if isinstance(nested, dict):
            return _field(nested, "code")
        number = _field(record, "attendance_code_id", "attendance_code")
        if number in self.codes and number:
            return self.codes[number]
        written = _field(record, "code", "mark")
        return written if written or not number else None

    def _key(self, one: Mapping[str, Any]) -> PupilKey:
        born = _field(one, "date_of_birth", "dob")
        return PupilKey(
            upn=upn_text(_field(one, "upn")) or None,
            surname=_field(one, "surname", "legal_surname") or None,
            forename=_field(one, "forename", "legal_forename") or None,
            date_of_birth=self.births[born] if born else None,
            year_group=year_group(_field(one, "year_group", "year", "national_curriculum_year")),
            registration_group=_field(one, "registration_group", "tutor_group") or None,
            local_id=_field(one, "id") or None,
            former_upn=upn_text(_field(one, "former_upn")) or None,
        )
