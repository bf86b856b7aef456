"""Pupil lists: one row for each pupil, with characteristics, parents and carers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.tabular.cells import clean
from portal.uploads.domain.reading.headings import MEANINGS
from portal.uploads.domain.reading.parsing import parse_yes_no
from portal.uploads.domain.reading.result import Person
from portal.uploads.domain.reading.rows import ODD_UPN, CellReader, is_upn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portal.uploads.domain.reading.builder import ReadingBuilder
    from portal.uploads.domain.reading.parsing import Dates
    from portal.uploads.domain.reading.result import PupilKey
    from portal.uploads.domain.reading.tables import Sheet

FLAGS = ("fsm", "looked_after", "child_in_need", "child_protection_plan", "pregnant_or_parent")
DATES = ("admission_date", "leaving_date")
TEXTS = ("middle_names", "ethnicity", "address", "postcode", "sen_need")
SEN = {
    "N": "N",
    "K": "K",
    "E": "E",
    "S": "E",
    "A": "K",
    "P": "K",
    "NONE": "N",
    "NO SEN": "N",
    "SEN SUPPORT": "K",
    "EHCP": "E",
    "EHC PLAN": "E",
    "EDUCATION, HEALTH AND CARE PLAN": "E",
}
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
        fields = _fields(cells, values)
        fields |= {
            "upn": key.upn,
            "former_upn": key.former_upn,
            "year_group": key.year_group,
            "registration_group": key.registration_group,
        }
        parents = [parent for number in (1, 2, 3) if (parent := _parent(cells, values, number))]
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


def _fields(cells: CellReader, values: Sequence[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {name: text for name in TEXTS if (text := cells.text(values, name))}
    sex = cells.text(values, "sex").upper()[:1]
    fields["sex"] = sex if sex in {"F", "M"} else None
    status = cells.text(values, "enrolment_status").upper()
    fields["enrolment_status"] = status[:1] if status[:1] in {"C", "M", "S", "F", "O"} else None
    for name in DATES:
        text = cells.text(values, name)
        fields[name] = cells.dates[text] if text else None
    sen = cells.text(values, "sen_provision").upper()
    if sen:
        fields["sen_provision"] = SEN.get(sen)
    for name in FLAGS:
        if (answer := parse_yes_no(cells.text(values, name))) is not None:
            fields[name] = "yes" if answer else "no"
    carer = cells.text(values, "young_carer").upper()
    if carer:
        # The census says whether the parent (P) or the school (S) identified a young carer.
        fields["young_carer"] = {"P": "yes", "S": "yes"}.get(carer[:1], "yes" if parse_yes_no(carer) else "no")
    fields["eal"] = parse_yes_no(cells.text(values, "eal"))
    return fields


def _parent(cells: CellReader, values: Sequence[str], number: int) -> dict[str, Any] | None:
    name = cells.text(values, f"parent{number}_name")
    if not name:
        return None
    parent: dict[str, Any] = {part: clean(cells.text(values, f"parent{number}_{part}")) or None for part in PARENT_PARTS}
    parent["name"] = name
    parent["parental_responsibility"] = parse_yes_no(cells.text(values, f"parent{number}_parental_responsibility"))
    parent["do_not_disclose"] = bool(parse_yes_no(cells.text(values, f"parent{number}_do_not_disclose")))
    return parent
