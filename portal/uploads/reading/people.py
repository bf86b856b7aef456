"""Pupil lists: a row a pupil, with the characteristics and the parents and carers beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.uploads.reading.grid import NOT_A_DATE
from portal.uploads.reading.rows import UPN_LENGTH, Cells
from portal.uploads.reading.shapes import Person
from portal.uploads.reading.texts import Dates, clean, flag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from portal.uploads.reading.entries import Entries
    from portal.uploads.reading.tables import Sheet

FLAGS = ("fsm", "looked_after", "child_in_need", "child_protection_plan", "pregnant_or_parent")
WORDS = ("middle_names", "ethnicity", "address", "postcode", "sen_need")
SEN = {"N": "N", "K": "K", "E": "E", "S": "E", "A": "K", "P": "K", "NONE": "N", "NO SEN": "N", "SEN SUPPORT": "K", "EHCP": "E", "EHC PLAN": "E", "EDUCATION, HEALTH AND CARE PLAN": "E"}
PARENT_PARTS = ("relationship", "phone", "email", "address", "postcode")
NO_NAME = "The row has no surname. Add it."
NO_BIRTH = "The row has no date of birth. Add it: pupils are told apart by it."


def read_people(entries: Entries, sheet: Sheet, number: int, meanings: Sequence[str | None], progress: Callable[[int], None]) -> list[Person]:
    """Every row as a person; rows without a surname, a date of birth or a whole UPN are refused."""
    cells = Cells(sheet, meanings)
    dates = {meaning: Dates(cells.texts(meaning)) for meaning in ("date_of_birth", "admission_date", "leaving_date")}
    found: list[Person] = []
    for done, (row, values) in enumerate(sheet.rows):
        if done % 500 == 0:
            progress(done)
        key = cells.key(values)
        said = cells.text(values, "date_of_birth")
        fault = _fault(key.surname, said, key.date_of_birth is None, key.upn)
        if fault:
            kind, message, column_name, value = fault
            entries.problem(kind, message, sheet=number, row=row, column_name=column_name, value=value, raw=tuple(values))
            continue
        if key.surname is None or key.date_of_birth is None:
            continue
        fields = _fields(cells, values, dates)
        fields |= {"upn": key.upn, "former_upn": key.former_upn, "year_group": key.year_group, "registration_group": key.registration_group}
        parents = [parent for place in (1, 2, 3) if (parent := _parent(cells, values, place))]
        found.append(Person(key.surname, key.forename or "", key.date_of_birth, row, fields, tuple(parents)))
    return found


def _fault(surname: str | None, said: str, unread: bool, upn: str | None) -> tuple[str, str, str, str | None] | None:  # noqa: FBT001  one fact of the row
    if not surname:
        return "no-name", NO_NAME, "Surname", None
    if not said:
        return "no-birth", NO_BIRTH, "Date of birth", None
    if unread:
        return "no-date", NOT_A_DATE.format(said), "Date of birth", said
    if upn and len(upn) != UPN_LENGTH:
        return "odd-upn", f"“{upn[:20]}” is not a UPN: it needs 13 characters. Check it with your system.", "UPN", upn[:20]
    return None


def _fields(cells: Cells, values: Sequence[str], dates: Mapping[str, Dates]) -> dict[str, Any]:
    fields: dict[str, Any] = {name: text for name in WORDS if (text := cells.text(values, name))}
    sex = cells.text(values, "sex").upper()[:1]
    fields["sex"] = sex if sex in {"F", "M"} else None
    status = cells.text(values, "enrolment_status").upper()
    fields["enrolment_status"] = status[:1] if status[:1] in {"C", "M", "S", "F", "O"} else None
    for name in ("admission_date", "leaving_date"):
        text = cells.text(values, name)
        fields[name] = dates[name][text] if text else None
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
