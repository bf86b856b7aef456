"""Feeds: JSON in the shape of an MIS service (Wonde's names): attendance, students and codes joined in one document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from portal.uploads.reading.dates import DateReader
from portal.uploads.reading.limits import FileRefused
from portal.uploads.reading.mark_lists import MarkList
from portal.uploads.reading.marks import MISSING, minutes_of, one_session
from portal.uploads.reading.results import MarkNote, Problem, PupilKey, Reading
from portal.uploads.reading.synonyms import session_of
from portal.uploads.reading.tables import refuse_too_many
from portal.uploads.reading.texts import as_given, decoded
from portal.uploads.reading.upn import normalised, shape_problem
from portal.uploads.reading.values import school_number, year_group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.uploads.reading.limits import Limits

NOT_A_FEED = "The JSON holds no attendance records. Send one document with “students”, “attendance” and “attendance-codes”."
NO_STUDENT = "The record's student is not in the file. Send the students with the attendance records."
NO_CODE = "The record's code is not in the file. Send the attendance codes with the records."
_ENDS = {"date": "Enter the date as year-month-day.", "session": "Enter AM or PM for the session."}


def read_feed(content: bytes, limits: Limits) -> Reading:
    """Read a feed. `row` is the record's place among the attendance records.

    Raises:
        FileRefused: not JSON, too much of it, or no attendance in it.
    """
    text, encoding = decoded(content)
    document = _parsed(text, limits)
    records = _list(document, "attendance", "attendances", "session_attendance")
    if records is None:
        raise FileRefused("unknown", NOT_A_FEED)
    work = _Feed(document)
    for number, record in enumerate(records, 1):
        work.take(record if isinstance(record, dict) else {}, number, limits)
    return work.reading(encoding)


def _parsed(text: str, limits: Limits) -> Any:
    if sum(map(text.count, ",{[")) > limits.json_items:
        raise FileRefused("too-many-parts", "The file holds far more than a register should. Send one term at a time.")
    try:
        return json.loads(text)
    except RecursionError:
        raise FileRefused("too-deep", "The JSON is nested too deeply to be a feed of attendance. Export it again.") from None
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise FileRefused("malformed", f"The JSON is not well formed: look at line {line}. Export the file again.") from None


def _list(document: Any, *names: str) -> list[Any] | None:
    """The records under a name, with or without a "data" envelope."""
    if not isinstance(document, dict):
        return None
    inner = document.get("data")
    for holder in (document, inner if isinstance(inner, dict) else {}):
        for name in names:
            found = holder.get(name)
            found = found.get("data") if isinstance(found, dict) else found
            if isinstance(found, list):
                return found
    return None


def _text(record: Mapping[str, Any], *names: str) -> str:
    for name in names:
        found = record.get(name)
        if isinstance(found, dict):
            found = found.get("date") or found.get("data")
        if isinstance(found, str | int | float) and not isinstance(found, bool):
            return str(found)
    return ""


class _Feed:
    """A feed in hand: its students and codes by id, and the marks so far."""

    def __init__(self, document: Any) -> None:
        self.school = school_number(_text(document, "urn", "school_urn", "laestab"))
        students = [one for one in _list(document, "students") or [] if isinstance(one, dict)]
        codes = [one for one in _list(document, "attendance-codes", "attendance_codes") or [] if isinstance(one, dict)]
        self.students = {_text(one, "id", "student_id"): one for one in students}
        self.letters = {_text(one, "id"): _text(one, "code", "name") for one in codes}
        self.keys: dict[str, PupilKey] = {}
        self.dates = DateReader()
        self.marks = MarkList()
        self.rows: list[tuple[int, int, int, int, int]] = []
        self.gaps: list[tuple[int, int]] = []
        self.notes: list[tuple[int, int, int, int | None, str | None]] = []
        self.problems: list[Problem] = []
        self.raw: dict[tuple[int, int], tuple[str, ...]] = {}

    def take(self, record: Mapping[str, Any], number: int, limits: Limits) -> None:
        """Take one attendance record: an entry, a gap or a refusal."""
        raw = self._letters(record)
        if raw is not None and one_session(raw).parts[0] in MISSING:
            self._gap(record)
            return
        found = self._entry(record, raw, number)
        if isinstance(found, Problem):
            self.problems.append(found)
            self.raw[0, number] = tuple(str(value)[:200] for value in record.values())
            refuse_too_many(self.problems, limits)
            return
        self.rows.append(found)
        self._note(record, found, raw or "")

    def _letters(self, record: Mapping[str, Any]) -> str | None:
        """The code's letters: in the record itself, or by its code's id; None for a code the file does not hold."""
        inner = record.get("attendance_code")
        inner = inner.get("data", inner) if isinstance(inner, dict) else inner
        if isinstance(inner, dict):
            return _text(inner, "code", "name")
        by_id = _text(record, "attendance_code_id")
        if by_id:
            return self.letters.get(by_id)
        return _text(record, "attendance_code", "code", "mark")

    def _key(self, student: str) -> PupilKey | str:
        """The student's key, or why there is none."""
        if student not in self.students:
            return NO_STUDENT
        if student not in self.keys:
            one = self.students[student]
            upn = normalised(_text(one, "upn"))
            wrong = shape_problem(upn) if upn else "The student has no UPN. Enter it in the school's system."
            if wrong:
                return wrong
            self.keys[student] = PupilKey(
                upn,
                surname=as_given(_text(one, "legal_surname", "surname")) or None,
                forename=as_given(_text(one, "legal_forename", "forename")) or None,
                date_of_birth=self.dates.read(_text(one, "date_of_birth", "dob")).on,
                year_group=year_group(_text(one, "year", "year_group")),
                school_number=self.school,
                local_id=student,
            )
        return self.keys[student]

    def _entry(self, record: Mapping[str, Any], raw: str | None, number: int) -> tuple[int, int, int, int, int] | Problem:
        key = self._key(_text(record, "student_id", "student"))
        on, half = self.dates.read(_text(record, "date")), session_of(_text(record, "session"))
        if isinstance(key, str):
            return Problem("unknown-student", 0, number, 0, "student_id", _text(record, "student_id")[:60], key)
        if raw is None:
            return Problem("unknown-code-id", 0, number, 0, "attendance_code_id", _text(record, "attendance_code_id")[:60], NO_CODE)
        if on.on is None:
            return Problem(on.kind or "no-date", 0, number, 0, "date", _text(record, "date")[:60], on.problem or _ENDS["date"])
        if half is None:
            return Problem("unreadable-session", 0, number, 0, "session", _text(record, "session")[:60], _ENDS["session"])
        read = one_session(raw)
        if read.problem:
            return Problem(read.kind or "two-codes", 0, number, 0, "attendance_code_id", raw[:60], read.problem)
        return self.marks.place(key), on.on.toordinal(), half, self.marks.codes[read.parts[0]], number

    def _gap(self, record: Mapping[str, Any]) -> None:
        on, half = self.dates.read(_text(record, "date")).on, session_of(_text(record, "session"))
        if on is not None and half is not None:
            self.gaps.append((on.toordinal(), half))
        else:
            self.marks.missing += 1

    def _note(self, record: Mapping[str, Any], entry: tuple[int, int, int, int, int], raw: str) -> None:
        minutes = minutes_of(_text(record, "minutes_late")) or one_session(raw).minutes
        comment = as_given(_text(record, "comment"))[:2000] or None
        if minutes or comment:
            self.notes.append((entry[0], entry[1], entry[2], minutes, comment))

    def reading(self, encoding: str) -> Reading:
        """The reading these records make."""
        gaps = np.array(self.gaps, dtype=np.int64).reshape(-1, 2)
        self.marks.add_missing(gaps[:, 0], gaps[:, 1])
        table = np.array(self.rows, dtype=np.int64).reshape(-1, 5)
        self.marks.add_columns(table[:, 0], table[:, 1], table[:, 2], table[:, 3], table[:, 4])
        facts = self.marks.facts()
        place = {on.toordinal(): number for number, on in enumerate(facts["dates"])}
        notes = tuple(MarkNote(pupil, place[day], half, minutes, comment) for pupil, day, half, minutes, comment in self.notes)
        rows_in = len(self.rows) + len(self.problems)
        return Reading("wonde", encoding=encoding, problems=tuple(self.problems), refused_rows=self.raw, notes=notes, rows_in=rows_in, **facts)
