"""Pupil lists: a row a pupil, with the characteristics and the parents and carers beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.uploads.reading.headings import MEANINGS
from portal.uploads.reading.rows import ODD_UPN, UPN_LENGTH, Cells
from portal.uploads.reading.shapes import Person
from portal.uploads.reading.texts import clean, flag

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portal.uploads.reading.entries import Entries
    from portal.uploads.reading.shapes import PupilKey
    from portal.uploads.reading.tables import Sheet
    from portal.uploads.reading.texts import Dates

FLAGS = ("fsm", "looked_after", "child_in_need", "child_protection_plan", "pregnant_or_parent")
DAYS = ("admission_date", "leaving_date")
WORDS = ("middle_names", "ethnicity", "address", "postcode", "sen_need")
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
    entries: Entries, sheet: Sheet, number: int, meanings: Sequence[str | None], dates: Dates, progress: Callable[[int], None]
) -> list[Person]:
    """Every row as a person; rows without a surname, a date of birth or a whole UPN are refused."""
    cells = Cells(sheet, meanings, dates)
    found: list[Person] = []
    for done, (row, values) in enumerate(sheet.rows):
        if done % 500 == 0:
            progress(done)
        key = cells.key(values)
        fault = _fault(key, cells.text(values, "date_of_birth"), dates)
        if fault:
            kind, message, meaning, value = fault
            name, column = MEANINGS[meaning], cells.column(meaning)
            entries.problem(kind, message, sheet=number, row=row, column=column, column_name=name, value=value, raw=tuple(values))
            continue
        if key.surname is None or key.date_of_birth is None:
            continue
        _say_unread(entries, cells, values, number, row)
        fields = _fields(cells, values)
        fields |= {
            "upn": key.upn,
            "former_upn": key.former_upn,
            "year_group": key.year_group,
            "registration_group": key.registration_group,
        }
        parents = [parent for place in (1, 2, 3) if (parent := _parent(cells, values, place))]
        found.append(Person(key.surname, key.forename or "", key.date_of_birth, row, fields, tuple(parents)))
    return found


def _fault(key: PupilKey, born: str, dates: Dates) -> tuple[str, str, str, str | None] | None:
    """Why a row cannot be a pupil: kind, what to do, the meaning of the column, the value."""
    if not key.surname:
        return "no-name", NO_NAME, "surname", None
    if not born:
        return "no-birth", NO_BIRTH, "date_of_birth", None
    if key.date_of_birth is None:
        return (*dates.fault(born), "date_of_birth", born)
    if key.upn and len(key.upn) != UPN_LENGTH:
        return "odd-upn", ODD_UPN.format(key.upn[:20]), "upn", key.upn[:20]
    return None


def _say_unread(entries: Entries, cells: Cells, values: Sequence[str], sheet: int, row: int) -> None:
    """Dates of a pupil who is kept that could not be read: told, and left out."""
    for meaning in DAYS:
        if (text := cells.text(values, meaning)) and cells.dates[text] is None:
            kind, message = cells.dates.fault(text)
            name, column = MEANINGS[meaning], cells.column(meaning)
            entries.problem(kind, message, sheet=sheet, row=row, column=column, column_name=name, value=text, count=0)


def _fields(cells: Cells, values: Sequence[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {name: text for name in WORDS if (text := cells.text(values, name))}
    sex = cells.text(values, "sex").upper()[:1]
    fields["sex"] = sex if sex in {"F", "M"} else None
    status = cells.text(values, "enrolment_status").upper()
    fields["enrolment_status"] = status[:1] if status[:1] in {"C", "M", "S", "F", "O"} else None
    for name in DAYS:
        text = cells.text(values, name)
        fields[name] = cells.dates[text] if text else None
    sen = cells.text(values, "sen_provision").upper()
    if sen:
        fields["sen_provision"] = SEN.get(sen)
    for name in FLAGS:
        if (said := flag(cells.text(values, name))) is not None:
            fields[name] = "yes" if said else "no"
    carer = cells.text(values, "young_carer").upper()
    if carer:
        fields["young_carer"] = {"P": "yes", "S": "yes"}.get(carer[:1], "yes" if flag(carer) else "no")
    fields["eal"] = flag(cells.text(values, "eal"))
    return fields


def _parent(cells: Cells, values: Sequence[str], place: int) -> dict[str, Any] | None:
    name = cells.text(values, f"parent{place}_name")
    if not name:
        return None
    parent: dict[str, Any] = {part: clean(cells.text(values, f"parent{place}_{part}")) or None for part in PARENT_PARTS}
    parent["name"] = name
    parent["parental_responsibility"] = flag(cells.text(values, f"parent{place}_parental_responsibility"))
    parent["do_not_disclose"] = bool(flag(cells.text(values, f"parent{place}_do_not_disclose")))
    return parent
