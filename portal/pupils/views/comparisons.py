"""Compare an existing record with an incoming one, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.pupils.domain.incoming import folded
from portal.rules.date_words import date_in_words

if TYPE_CHECKING:
    from datetime import date

    from portal.pupils.domain.incoming import IncomingPupil
    from portal.pupils.models import Pupil, RollLine
    from portal.pupils.views.children import RecordAtSchool


@dataclass(frozen=True, slots=True)
class ComparedField:
    """One field: the existing and the incoming value in words (None: blank), and whether they differ."""

    name: str
    existing: str | None
    incoming: str | None
    differs: bool


def comparison(existing: Pupil, line: tuple[RollLine, str] | None, pupil: IncomingPupil, sent_by: str) -> list[ComparedField]:
    """Compare an existing pupil with an incoming one from a school's list.

    `line` is the existing pupil's newest roll line with its school's name. Postcodes are compared and never shown: a
    home address is not needed to tell two children apart.
    """
    roll_line, school_name = line if line is not None else (None, None)
    return [
        _names("Surname", existing.surname, pupil.surname),
        _names("Forename", existing.forename, pupil.forename),
        _names("Middle names", existing.middle_names, pupil.middle_names),
        _days("Date of birth", existing.date_of_birth, pupil.date_of_birth),
        _words("UPN", existing.upn, pupil.upn),
        _words("Former UPN", existing.former_upn, pupil.former_upn),
        _words("Sex", existing.sex, pupil.sex),
        _words("Year group", roll_line.year_group if roll_line else None, pupil.year_group),
        _words("Registration group", roll_line.registration_group if roll_line else None, pupil.registration_group),
        _words("School", school_name, sent_by),
        _postcodes(existing.postcode, pupil.postcode),
    ]


def record_comparison(older: RecordAtSchool, newer: RecordAtSchool) -> list[ComparedField]:
    """Compare two schools' records of what may be one child. Postcodes are compared and never shown."""
    first, second = older.pupil, newer.pupil
    differs = first.date_of_birth != second.date_of_birth
    return [
        _names("Surname", first.surname, second.surname),
        _names("Forename", first.forename, second.forename),
        _names("Middle names", first.middle_names, second.middle_names),
        ComparedField("Date of birth", date_in_words(first.date_of_birth), date_in_words(second.date_of_birth), differs),
        _words("UPN", first.upn, second.upn),
        _words("Former UPN", first.former_upn, second.former_upn),
        _words("Sex", first.sex, second.sex),
        ComparedField("On roll", _span(older), _span(newer), differs=False),
        _postcodes(first.postcode, second.postcode),
    ]


def _span(record: RecordAtSchool) -> str | None:
    if record.since is None:
        return None
    return (
        f"{date_in_words(record.since)} to {date_in_words(record.until)}"
        if record.until
        else f"Since {date_in_words(record.since)}"
    )


def _words(name: str, existing: str | None, incoming: str | None) -> ComparedField:
    return ComparedField(name, existing or None, incoming or None, bool(existing and incoming and existing != incoming))


def _names(name: str, existing: str | None, incoming: str | None) -> ComparedField:
    return ComparedField(
        name, existing or None, incoming or None, bool(existing and incoming and folded(existing) != folded(incoming))
    )


def _days(name: str, existing: date, incoming: date) -> ComparedField:
    return ComparedField(name, date_in_words(existing), date_in_words(incoming), existing != incoming)


def _postcodes(existing: str | None, incoming: str | None) -> ComparedField:
    if not existing or not incoming:
        return ComparedField("Postcode", "Known" if existing else None, "Known" if incoming else None, differs=False)
    is_same = existing.replace(" ", "").casefold() == incoming.replace(" ", "").casefold()
    words = "The same on both" if is_same else "Not the same"
    return ComparedField("Postcode", words, words, not is_same)
