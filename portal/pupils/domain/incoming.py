"""A pupil from a list, before matching: folded names, checked UPNs, numbered year groups."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import TYPE_CHECKING, Any

from stdnum.gb.upn import calc_check_digit

from portal.rules.calendar import academic_year

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UPN_LENGTH = 13
#: Government Data Standards Catalogue, UniquePupilNumber 2.0: what follows the check letter. A temporary UPN ends with a
#: letter, which is never I, O or S.
UPN_BODY = re.compile(r"[0-9]{11}[0-9A-HJ-NP-RT-Z]")
#: Letters that Unicode does not take apart, with the plain spelling people type instead.
PLAIN_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "\u0131": "i", "ð": "d", "þ": "th"})
NURSERY = {"N1": -2, "N2": -1, "R": 0}
LAST_YEAR_GROUP = 14
#: Every year group of the school census (NCyearActual), youngest first; M is mixed, X not followed.
YEAR_GROUPS = ("E1", "E2", "N1", "N2", "R", *(str(number) for number in range(1, LAST_YEAR_GROUP + 1)), "M", "X")
#: A year group's age on the 31 August before its year: Reception (0) is 4, Year 1 is 5.
AGE_OF_RECEPTION = 4


@dataclass(frozen=True, slots=True)
class IncomingParent:
    """A parent or carer from a list."""

    name: str
    relationship: str | None = None
    parental_responsibility: bool | None = None
    phone: str | None = None
    email: str | None = None
    address: str | None = None
    postcode: str | None = None
    do_not_disclose: bool = False


@dataclass(frozen=True, slots=True)
class IncomingPupil:
    """A pupil from a list. None and empty text mean "not given", and never erase an existing value.

    `characteristics` maps a kind (`models.CHARACTERISTICS`) to its value; a "no" (N, no, none, false, 0) ends it.
    `row` is the row of the file, for notices about it.
    """

    surname: str
    forename: str
    date_of_birth: date
    upn: str | None = None
    former_upn: str | None = None
    middle_names: str | None = None
    sex: str | None = None
    year_group: str | None = None
    registration_group: str | None = None
    enrolment_status: str | None = None
    admission_date: date | None = None
    leaving_date: date | None = None
    characteristics: Mapping[str, str] = field(default_factory=dict)
    ethnicity: str | None = None
    eal: bool | None = None
    address: str | None = None
    postcode: str | None = None
    parents: tuple[IncomingParent, ...] = ()
    row: int = 0

    @property
    def upns(self) -> frozenset[str]:
        """The UPN and the former UPN, where given."""
        return frozenset(upn for upn in (self.upn, self.former_upn) if upn)

    @property
    def surname_folded(self) -> str:
        """The surname in the form used for comparing."""
        return folded(self.surname)

    @property
    def forename_folded(self) -> str:
        """The forename in the form used for comparing."""
        return folded(self.forename)

    @property
    def match_key(self) -> str:
        """The key under which a person's decision about this pupil is remembered."""
        return "|".join((self.upn or "", self.surname_folded, self.forename_folded, self.date_of_birth.isoformat()))


def folded(text: str) -> str:
    """A name in the form used for comparing.

    Case, accents, marks, punctuation and zero-width characters are removed, and compatibility forms made plain. Runs of
    spaces and hyphens become one space: Smith-Jones is Smith Jones, and O'Neil is ONeil.
    """
    characters = []
    for character in unicodedata.normalize("NFKD", text).casefold().translate(PLAIN_LETTERS):
        category = unicodedata.category(character)
        if category[0] in "LN":
            characters.append(character)
        elif category[0] == "Z" or category in {"Pd", "Cc"}:
            characters.append(" ")
    return " ".join("".join(characters).split())


def check_letter(upn: str) -> str | None:
    """The check letter a UPN's other twelve characters require, or None where it is not a UPN.

    Of the library only the arithmetic is used: its `validate` refuses the UPNs of authorities it does not list.
    """
    if len(upn) != UPN_LENGTH or UPN_BODY.fullmatch(upn[1:]) is None:
        return None
    return calc_check_digit(upn)


def has_right_check_letter(upn: str) -> bool:
    """Has the UPN the right shape and check letter? Many UPNs in use do not: warn, never reject."""
    return check_letter(upn) == upn[:1]


def year_number(year_group: str | None) -> int | None:
    """A year group as a number: N2 is -1, R is 0, Years 1 to 14 their own.

    None for mixed, not followed and unknown.
    """
    if year_group is None:
        return None
    if year_group.isdecimal() and year_group.isascii():
        return int(year_group) if 1 <= int(year_group) <= LAST_YEAR_GROUP else None
    return NURSERY.get(year_group)


def year_group_of(number: int) -> str | None:
    """The year group of a number, R to 14; None outside that range."""
    if number == 0:
        return "R"
    return str(number) if 1 <= number <= LAST_YEAR_GROUP else None


def academic_year_of_list(incoming: Sequence[IncomingPupil], today: date) -> int:
    """The academic year of a list: the one that most pupils' ages and year groups fit.

    A pupil in Year 7 is 11 on the 31 August before the year. The current year where fewer than half agree, or no pupil
    has a numbered year group.
    """
    votes: Counter[int] = Counter()
    for pupil in incoming:
        number = year_number(pupil.year_group)
        if number is not None:
            votes[academic_year(pupil.date_of_birth) + AGE_OF_RECEPTION + 1 + number] += 1
    if not votes:
        return academic_year(today)
    year, count = votes.most_common(1)[0]
    return year if count * 2 >= votes.total() else academic_year(today)


def pupil_to_json(pupil: IncomingPupil) -> dict[str, Any]:
    """The pupil as plain JSON, stored with a possible duplicate until it is decided."""
    stored = {column.name: getattr(pupil, column.name) for column in fields(pupil)}
    stored["characteristics"] = dict(pupil.characteristics)
    stored["parents"] = [asdict(parent) for parent in pupil.parents]
    for name in ("date_of_birth", "admission_date", "leaving_date"):
        stored[name] = stored[name].isoformat() if stored[name] else None
    return stored


def pupil_from_json(stored: Mapping[str, Any]) -> IncomingPupil:
    """Build the pupil again from the JSON of `as_kept`."""
    values = dict(stored)
    for name in ("date_of_birth", "admission_date", "leaving_date"):
        values[name] = date.fromisoformat(values[name]) if values[name] else None
    values["parents"] = tuple(IncomingParent(**parent) for parent in values["parents"])
    return IncomingPupil(**values)
