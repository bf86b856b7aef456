"""Two records side by side: what is held beside what a list says, field by field, with the differences marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.pupils.incoming import folded

if TYPE_CHECKING:
    from datetime import date

    from portal.pupils.incoming import IncomingPupil
    from portal.pupils.models import Pupil, RollLine


@dataclass(frozen=True, slots=True)
class Compared:
    """One field: the held value and the incoming one in words (None: not said), and whether they differ."""

    name: str
    held: str | None
    incoming: str | None
    differs: bool


def comparison(held: Pupil, line: tuple[RollLine, str] | None, pupil: IncomingPupil, sent_by: str) -> list[Compared]:
    """Compare a held pupil, with their newest line and its school's name, and an incoming one a school sent.

    A postcode is compared and never shown: neither side's home is needed to tell two children apart.
    """
    place, school_name = line if line is not None else (None, None)
    return [
        _names("Surname", held.surname, pupil.surname),
        _names("Forename", held.forename, pupil.forename),
        _names("Middle names", held.middle_names, pupil.middle_names),
        Compared("Date of birth", _day(held.date_of_birth), _day(pupil.date_of_birth), held.date_of_birth != pupil.date_of_birth),
        _words("UPN", held.upn, pupil.upn),
        _words("Former UPN", held.former_upn, pupil.former_upn),
        _words("Sex", held.sex, pupil.sex),
        _words("Year group", place.year_group if place else None, pupil.year_group),
        _words("Registration group", place.registration_group if place else None, pupil.registration_group),
        _words("School", school_name, sent_by),
        _postcodes(held.postcode, pupil.postcode),
    ]


def _words(name: str, held: str | None, incoming: str | None) -> Compared:
    return Compared(name, held or None, incoming or None, bool(held and incoming and held != incoming))


def _names(name: str, held: str | None, incoming: str | None) -> Compared:
    return Compared(name, held or None, incoming or None, bool(held and incoming and folded(held) != folded(incoming)))


def _day(on: date) -> str:
    return f"{on.day} {on:%B %Y}"


def _postcodes(held: str | None, incoming: str | None) -> Compared:
    if not held or not incoming:
        return Compared("Postcode", "Known" if held else None, "Known" if incoming else None, differs=False)
    same = held.replace(" ", "").casefold() == incoming.replace(" ", "").casefold()
    words = "The same on both" if same else "Not the same"
    return Compared("Postcode", words, words, not same)
