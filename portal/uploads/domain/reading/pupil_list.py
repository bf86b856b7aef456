"""Pupil lists: one row for each pupil, with characteristics, parents and carers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.tabular.cells import clean
from portal.uploads.domain.reading.headings import MEANINGS
from portal.uploads.domain.reading.parsing import year_group
from portal.uploads.domain.reading.pupil_words import (
    Value,
    parse_answer,
    parse_enrolment_status,
    parse_flag,
    parse_sen_provision,
    parse_sex,
    parse_young_carer,
    read_word,
)
from portal.uploads.domain.reading.result import Person
from portal.uploads.domain.reading.rows import ODD_UPN, CellReader, is_upn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from portal.uploads.domain.reading.builder import ReadingBuilder
    from portal.uploads.domain.reading.parsing import Dates
    from portal.uploads.domain.reading.result import PupilKey
    from portal.uploads.domain.reading.tables import Sheet

FLAGS = ("fsm", "looked_after", "child_in_need", "child_protection_plan", "pregnant_or_parent")
DATES = ("admission_date", "leaving_date")
WORDS: Mapping[str, Callable[[str], object]] = {
    "sex": parse_sex,
    "enrolment_status": parse_enrolment_status,
    "sen_provision": parse_sen_provision,
    "young_carer": parse_young_carer,
    "eal": parse_answer,
}
TEXTS = ("middle_names", "ethnicity", "address", "postcode", "sen_need")
PARENT_PARTS = ("relationship", "phone", "email", "address", "postcode")
NO_NAME = "The row has no surname. Add it."
NO_BIRTH = "The row has no date of birth. Add it: pupils are told apart by it."


def read_people(
    builder: ReadingBuilder,
    sheet: Sheet,
    sheet_number: int,
    meanings: Sequence[str | None],
    dates: Dates,
    progress: Callable[[int], None],
) -> list[Person]:
    """Read each row as a pupil. Rows without a surname, date of birth or complete UPN are rejected."""
    cells = CellReader(sheet, meanings, dates)
    people: list[Person] = []
    for done, (row, values) in enumerate(sheet.rows):
        if done % 500 == 0:
            progress(done)
        key = cells.pupil_key(values)
        fault = _fault(key, cells.text(values, "date_of_birth"), dates)
        if fault:
            kind, message, meaning, value = fault
            name, column, raw = MEANINGS[meaning], cells.column_number(meaning), tuple(values)
            builder.add_problem(kind, message, sheet=sheet_number, row=row, column=column, column_name=name, value=value, raw=raw)
            continue
        if key.surname is None or key.date_of_birth is None:
            continue  # Never: _fault rejects these. It tells the type checker that neither is None.
        _warn_of_unread_dates(builder, cells, values, sheet_number, row)
        words = _WordReader(builder, cells, values, sheet_number, row)
        fields = words.fields() | {
            "upn": key.upn,
            "former_upn": key.former_upn,
            "year_group": words.word("year_group", year_group),
            "registration_group": key.registration_group,
        }
        parents = [parent for number in (1, 2, 3) if (parent := words.parent(number))]
        people.append(Person(key.surname, key.forename or "", key.date_of_birth, row, fields, tuple(parents)))
    return people


def _fault(key: PupilKey, birth: str, dates: Dates) -> tuple[str, str, str, str | None] | None:
    """Why a row is rejected: kind, what to do, meaning of the column, value; otherwise None."""
    if not key.surname:
        return "no-name", NO_NAME, "surname", None
    if not birth:
        return "no-birth", NO_BIRTH, "date_of_birth", None
    if key.date_of_birth is None:
        return (*dates.fault(birth), "date_of_birth", birth)
    if key.upn and not is_upn(key.upn):
        return "odd-upn", ODD_UPN.format(key.upn[:20]), "upn", key.upn[:20]
    return None


def _warn_of_unread_dates(builder: ReadingBuilder, cells: CellReader, values: Sequence[str], sheet: int, row: int) -> None:
    """Add a warning for each date that could not be read. The pupil is accepted without it."""
    for meaning in DATES:
        if (text := cells.text(values, meaning)) and cells.dates[text] is None:
            kind, message = cells.dates.fault(text)
            name, column = MEANINGS[meaning], cells.column_number(meaning)
            builder.add_problem(kind, message, sheet=sheet, row=row, column=column, column_name=name, value=text, count=0)


class _WordReader:
    """Reads the words of one row, with a warning for each that is not understood."""

    def __init__(self, builder: ReadingBuilder, cells: CellReader, values: Sequence[str], sheet: int, row: int) -> None:
        self.builder, self.cells, self.values, self.sheet, self.row = builder, cells, values, sheet, row

    def text(self, meaning: str) -> str:
        return self.cells.text(self.values, meaning)

    def word(self, meaning: str, parse: Callable[[str], Value | None]) -> Value | None:
        column = self.cells.column_number(meaning)
        return read_word(self.builder, parse, self.text(meaning), row=self.row, column=column, sheet=self.sheet)

    def fields(self) -> dict[str, Any]:
        """The pupil's own details. One that is blank or not understood is None."""
        fields: dict[str, Any] = {name: text for name in TEXTS if (text := self.text(name))}
        for name in DATES:
            text = self.text(name)
            fields[name] = self.cells.dates[text] if text else None
        fields |= {name: self.word(name, parse) for name, parse in WORDS.items()}
        fields |= {name: self.word(name, parse_flag) for name in FLAGS}
        return fields

    def parent(self, number: int) -> dict[str, Any] | None:
        """The parent or carer of this number; None where the row names none."""
        name = self.text(f"parent{number}_name")
        if not name:
            return None
        parent: dict[str, Any] = {part: clean(self.text(f"parent{number}_{part}")) or None for part in PARENT_PARTS}
        hidden = f"parent{number}_do_not_disclose"
        return parent | {
            "name": name,
            "parental_responsibility": self.word(f"parent{number}_parental_responsibility", parse_answer),
            # A word that is not understood hides the address: shown by mistake, it could lead somebody to a family.
            "do_not_disclose": self.word(hidden, parse_answer) is not False and bool(self.text(hidden)),
        }
