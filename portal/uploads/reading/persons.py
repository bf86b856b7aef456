"""Persons: what a list says of one pupil, each field written one way, or the reason the row is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.uploads.reading import values
from portal.uploads.reading.dates import DateReader
from portal.uploads.reading.results import Person, Problem
from portal.uploads.reading.synonyms import MEANINGS, PARENTS
from portal.uploads.reading.texts import as_given, plain
from portal.uploads.reading.upn import normalised, shape_problem, upn_check

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DATES = ("date_of_birth", "admission_date", "leaving_date")
_TEXTS = ("middle_names", "preferred_surname", "preferred_forename", "registration_group", "ethnicity", "sen_need", "local_id")
_FLAGS = ("fsm", "looked_after", "child_in_need", "child_protection_plan", "pregnant_or_parent")
_READERS: dict[str, Callable[[str], str | None]] = {
    "sex": values.sex,
    "year_group": values.year_group,
    "enrolment_status": values.enrolment_status,
    "sen_provision": values.sen_provision,
    "young_carer": values.young_carer,
    "school_number": values.school_number,
}
_SOCIAL_CARE = {"CIN": "child_in_need", "CPP": "child_protection_plan", "CP": "child_protection_plan", "CLA": "looked_after"}
_ADDRESS = ("address", "address_line_2", "address_line_3", "address_line_4")
_PARENT_FLAGS = ("parental_responsibility", "do_not_disclose")

NO_NAME = "Enter the pupil's surname and forename."
NAME_WHOLE = "Enter the name as “Surname, Forename”, or in two columns."
NO_BIRTH = "Enter the date of birth as day, month and year, such as 15/01/2016."


class RowRefusedError(ValueError):
    """The row cannot be a pupil. Carries the slug, the meaning of the column it is about, its value and the sentence."""

    def __init__(self, kind: str, meaning: str, value: str | None, message: str) -> None:
        super().__init__(kind)
        self.kind, self.meaning, self.value, self.message = kind, meaning, value, message


class PersonReader:
    """Reads pupils of one list. Show it every date first (`see`), as one may prove that all have the day first."""

    def __init__(self) -> None:
        self.dates = {meaning: DateReader() for meaning in DATES}
        self.warnings: list[Problem] = []

    def see(self, said: Mapping[str, str]) -> None:
        """Learn from one row's dates."""
        for meaning in DATES:
            if said.get(meaning):
                self.dates[meaning].see([said[meaning]])

    def read(self, said: Mapping[str, str], row: int, sheet: int = 0) -> Person:
        """The pupil of a row.

        Raises:
            RowRefusedError: no name, no date of birth, or a UPN of another shape.
        """
        surname, forename = _names(said)
        upn = normalised(said.get("upn", ""))
        wrong = shape_problem(upn) if upn else None
        if wrong:
            raise RowRefusedError("upn-shape", "upn", said.get("upn"), wrong)
        born = self.dates["date_of_birth"].read(said.get("date_of_birth", ""))
        if born.on is None:
            kind = born.kind or "no-date-of-birth"
            raise RowRefusedError(kind, "date_of_birth", said.get("date_of_birth"), NO_BIRTH)
        fields = self._fields(said, row, sheet)
        if upn:
            fields["upn"] = upn
            self._warn_if(upn_check(upn), "odd-upn", "upn", upn, row, sheet)
        return Person(surname, forename, born.on, fields, _parents(said), row, sheet)

    def _warn_if(self, sentence: str, kind: str, meaning: str, value: str, row: int, sheet: int) -> None:  # noqa: PLR0913  a problem's parts
        if sentence != "ok":
            self.warnings.append(Problem(kind, sheet, row, 0, MEANINGS[meaning], value[:60], sentence, entries=0))

    def _fields(self, said: Mapping[str, str], row: int, sheet: int) -> dict[str, Any]:
        fields: dict[str, Any] = {meaning: as_given(said[meaning]) for meaning in _TEXTS if said.get(meaning, "").strip()}
        for meaning, reader in _READERS.items():
            self._set(fields, meaning, reader, said, row, sheet)
        for meaning in _FLAGS:
            self._set(fields, meaning, _flag, said, row, sheet)
        eal = values.yes_or_no(said.get("eal", ""))
        if eal is not None:
            fields["eal"] = eal
        for meaning in DATES[1:]:
            found = self.dates[meaning].read(said.get(meaning, ""))
            if found.on is not None:
                fields[meaning] = found.on
            elif found.problem:
                self._warn_if(f"{MEANINGS[meaning]} was left out. {found.problem}", found.kind or "", meaning, said[meaning], row, sheet)
        former = normalised(said.get("former_upn", ""))
        if former and shape_problem(former) is None:
            fields["former_upn"] = former
        care = _SOCIAL_CARE.get(plain(said.get("social_care", "")).upper())
        if care:
            fields[care] = "Y"
        address = ", ".join(as_given(said[line]) for line in _ADDRESS if said.get(line, "").strip())
        if address:
            fields["address"] = address
        if said.get("postcode", "").strip():
            fields["postcode"] = plain(said["postcode"]).upper()
        return fields

    def _set(  # noqa: PLR0913  a field's parts
        self, fields: dict[str, Any], meaning: str, reader: Callable[[str], str | None], said: Mapping[str, str], row: int, sheet: int
    ) -> None:
        text = said.get(meaning, "")
        if not text.strip():
            return
        value = reader(text)
        if value is not None:
            fields[meaning] = value
        elif meaning != "school_number":
            sentence = f"{MEANINGS[meaning]} was left out, as “{text[:30]}” is none of the values it can have."
            self._warn_if(sentence, "unknown-value", meaning, text, row, sheet)


def _flag(text: str) -> str | None:
    answer = values.yes_or_no(text)
    return None if answer is None else "NY"[answer]


def _names(said: Mapping[str, str]) -> tuple[str, str]:
    surname, forename = as_given(said.get("surname", "")), as_given(said.get("forename", ""))
    whole = as_given(said.get("name", ""))
    if surname and forename:
        return surname, forename
    if whole:
        split = values.split_name(whole)
        if split is None:
            raise RowRefusedError("name-not-split", "name", whole, NAME_WHOLE)
        return split
    raise RowRefusedError("no-name", "surname", surname or forename or None, NO_NAME)


def _parents(said: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
    """Parents and carers with a name, in the shape a pupil's record takes them."""
    found = []
    for number in PARENTS:
        part = {
            name: as_given(said[key])
            for name in ("name", "surname", "forename", "relationship", "phone", "email", "address", "postcode", *_PARENT_FLAGS)
            if said.get(key := f"parent{number}_{name}", "").strip()
        }
        parts = [part.pop("forename", ""), part.pop("surname", "")]
        name = part.get("name") or " ".join(one for one in parts if one)
        if name:
            kept: dict[str, Any] = {**part, "name": name}
            for flag in _PARENT_FLAGS:
                answer = values.yes_or_no(part.get(flag, ""))
                kept.pop(flag, None)
                if answer is not None:
                    kept[flag] = answer
            found.append(kept)
    return tuple(found)
