"""Transfers: the Common Transfer File, its pupils and their strings of marks, two characters a calendar day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from portal.rules.codes import BY_LETTERS, Category
from portal.uploads.reading.census import text_of
from portal.uploads.reading.contacts import said_of
from portal.uploads.reading.dates import DateReader
from portal.uploads.reading.mark_lists import MarkList
from portal.uploads.reading.marks import code_text
from portal.uploads.reading.persons import PersonReader, RowRefusedError
from portal.uploads.reading.results import Person, Problem, PupilKey, Reading
from portal.uploads.reading.synonyms import MEANINGS
from portal.uploads.reading.upn import normalised, shape_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree
    from numpy.typing import NDArray

#: Closed days are filled with "#"; blanks and "-" are marks that were never entered.
_CLOSED, _NOT_ENTERED = "#", " -"
_AUGUST = 8
_FRIDAY = 4
_LONGEST = 2 * 366 + 62
#: In a marks string J is J1, a leave of absence, from the code list of August 2024 on.
_J_IS_ABSENCE = date(2024, 8, 19)
_COUNTED = {
    "SessionsAttended": (Category.PRESENT, Category.APPROVED),
    "SessionsAuthorised": (Category.AUTHORISED,),
    "SessionsUnauthorised": (Category.UNAUTHORISED,),
    "SessionsPossible": (Category.PRESENT, Category.APPROVED, Category.AUTHORISED, Category.UNAUTHORISED),
}
ODD_LENGTH = "The marks string has an odd number of characters. It needs two for each day: export the file again."
NO_START = "The marks string has no start date. Enter AttendanceStartDate as year-month-day."
OUTSIDE = "The marks string runs past the end of the academic year. Check its start date and its length."
RECOUNT = "The marks count to {found} for {name}, and the file says {said}. Check the export; the marks were taken as they stand."


def read_transfer(root: etree._Element, encoding: str, progress: Callable[[int], None] | None) -> Reading:
    """Read a Common Transfer File: a file with marks is "ctf", one with pupils only is a pupil list.

    `row` is the pupil's place in the file. Closed days are no entries. `one_letter` is set, as C, J and Y may be short.
    """
    work = _Transfer(root)
    for number, pupil in enumerate(root.iter("{*}Pupil"), 1):
        work.take(pupil, number)
        if progress is not None:
            progress(number)
    has_marks = work.has_marks
    problems = tuple(work.problems)
    entries = work.marks.facts()
    refused = sum(problem.entries for problem in problems)
    return Reading(
        "ctf" if has_marks else "pupil-list",
        encoding=encoding,
        people=tuple(work.people),
        problems=problems,
        warnings=(*work.warnings, *work.persons.warnings),
        refused_rows=work.raw,
        rows_in=(int(entries["pupil"].size) if has_marks else len(work.people)) + refused,
        one_letter=has_marks,
        **(entries if has_marks else {}),
    )


class _Transfer:
    """A file in hand: what has been taken of it so far."""

    def __init__(self, root: etree._Element) -> None:
        source = next(root.iter("{*}SourceSchool"), None)
        number = text_of(source, "LEA") + text_of(source, "Estab") if source is not None else ""
        self.school_number = number if number.isascii() and number.isdecimal() else None
        self.has_marks = any((one.text or "").strip() for one in root.iter("{*}AttendanceMarks"))
        self.marks = MarkList()
        self.persons = PersonReader()
        self.people: list[Person] = []
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.raw: dict[tuple[int, int], tuple[str, ...]] = {}

    def take(self, pupil: etree._Element, number: int) -> None:
        """Take one pupil: the person, then each year's marks."""
        said = said_of(pupil)
        years = list(pupil.iter("{*}YearData")) if self.has_marks else []
        strings = [text_of_raw(year, "AttendanceMarks") for year in years]
        try:
            self.people.append(self.persons.read(said, number))
        except RowRefusedError as refused:
            entries = sum(_says(marks) for marks in strings) if self.has_marks else 1
            # Marks need only a UPN; a pupil without a name or a date of birth still has them.
            if not self.has_marks or refused.meaning == "upn":
                self._refuse(refused.kind, number, refused.meaning, refused.value, refused.message, said, entries)
                return
        upn = normalised(said.get("upn", ""))
        if self.has_marks and (not upn or shape_problem(upn)):
            self._refuse("no-upn", number, "upn", None, "This pupil has no UPN. Enter the UPN.", said, sum(map(_says, strings)))
            return
        for year, marks in zip(years, strings, strict=True):
            if marks:
                self._take_year(year, marks, self._key(upn, said), number, said)

    def _refuse(  # noqa: PLR0913  a problem's parts
        self, kind: str, number: int, meaning: str | None, value: str | None, sentence: str, said: dict[str, str], entries: int
    ) -> None:
        name = MEANINGS.get(meaning or "", meaning)
        self.problems.append(Problem(kind, 0, number, 0, name, value[:60] if value else value, sentence, entries))
        self.raw[0, number] = tuple(said.values())

    def _key(self, upn: str, said: dict[str, str]) -> PupilKey:
        former = normalised(said.get("former_upn", ""))
        return PupilKey(
            upn=upn,
            former_upn=former if former and shape_problem(former) is None else None,
            surname=said.get("surname") or None,
            forename=said.get("forename") or None,
            date_of_birth=DateReader().read(said.get("date_of_birth", "")).on,
        )

    def _take_year(self, year: etree._Element, marks: str, key: PupilKey, number: int, said: dict[str, str]) -> None:
        start = DateReader().read(text_of(year, "AttendanceStartDate")).on
        trouble = None
        if len(marks) % 2:
            trouble = ("odd-length", ODD_LENGTH)
        elif start is None:
            trouble = ("no-start-date", NO_START)
        elif len(marks) > _LONGEST or start + timedelta(days=len(marks) // 2 - 1) > _year_end(start):
            trouble = ("outside-year", OUTSIDE)
        if trouble is not None or start is None:
            kind, sentence = trouble or ("no-start-date", NO_START)
            self._refuse(kind, number, "AttendanceMarks", marks, sentence, said, _says(marks))
            return
        lea, estab = text_of(year, "LEA"), text_of(year, "Estab")
        school = lea + estab if (lea + estab).isdecimal() else self.school_number
        self._add(marks, start, PupilKey(key.upn, key.former_upn, key.surname, key.forename, key.date_of_birth, school_number=school), number)
        self._recount(year, marks, start, number)

    def _add(self, marks: str, start: date, key: PupilKey, number: int) -> None:
        signs = np.frombuffer(marks.encode("utf-32-le"), dtype="<u4")
        distinct, back = np.unique(signs, return_inverse=True)
        texts = [code_text(chr(sign)) for sign in distinct]
        days = start.toordinal() + np.arange(signs.size, dtype=np.int64) // 2
        sessions = np.arange(signs.size, dtype=np.int64) % 2
        weekend = (days - 1) % 7 > _FRIDAY
        closed = _of(texts, back, _CLOSED)
        empty = _of(texts, back, "", "-")
        kept = ~closed & ~empty
        places = np.array([self.marks.codes[text] if text not in {"", "-", _CLOSED} else -1 for text in texts], dtype=np.int64)
        self.marks.add(self.marks.place(key), number, days[kept], sessions[kept], places[back][kept])
        gaps = empty & ~weekend
        self.marks.add_missing(days[gaps], sessions[gaps])

    def _recount(self, year: etree._Element, marks: str, start: date, number: int) -> None:
        """Compare the letters with the four totals the file gives; a difference is told, and the marks stand."""
        counted: dict[Category, int] = {}
        for place, sign in enumerate(marks):
            code = BY_LETTERS.get(code_text(sign))
            if code is not None and not code.administrative:
                late_j = code.letters == "J" and start + timedelta(days=place // 2) >= _J_IS_ABSENCE
                category = Category.AUTHORISED if late_j else code.category
                counted[category] = counted.get(category, 0) + 1
        for name, categories in _COUNTED.items():
            said = text_of(year, name)
            found = sum(counted.get(category, 0) for category in categories)
            if said.isascii() and said.isdecimal() and int(said[:6]) != found:
                sentence = RECOUNT.format(found=found, name=name, said=said[:6])
                self.warnings.append(Problem("totals-differ", 0, number, 0, name, said[:6], sentence, entries=0))


def _of(texts: list[str], back: NDArray[np.intp], *wanted: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.array([text in wanted for text in texts], dtype=bool)[back]
    return found


def _says(marks: str) -> int:
    """How many characters of a marks string say something of a session the school met."""
    return sum(sign not in _NOT_ENTERED and sign != _CLOSED and not sign.isspace() for sign in marks)


def text_of_raw(element: etree._Element, name: str) -> str:
    """The text of an element without line breaks around it; blanks inside a marks string are sessions, and stay."""
    found = next(element.iter(f"{{*}}{name}"), None)
    return (found.text or "").strip("\r\n\t") if found is not None else ""


def _year_end(start: date) -> date:
    return date(start.year + (start.month >= _AUGUST), 8, 31)

