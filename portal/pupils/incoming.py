"""A pupil as a list has them, before anything is decided: names folded for comparing, UPNs checked, year groups counted."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import TYPE_CHECKING, Any

from portal.rules.calendar import academic_year

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Government Data Standards Catalogue, UniquePupilNumber 2.0: the check letters in order, I, O and S left out.
CHECK_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
UPN_LENGTH = 13
#: Letters that Unicode does not take apart, as they are commonly typed without their mark.
PLAIN_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "\u0131": "i", "ð": "d", "þ": "th"})
NURSERY = {"N1": -2, "N2": -1, "R": 0}
LAST_YEAR_GROUP = 14
#: Every year group of the school census (NCyearActual), youngest first; M is mixed, X not followed.
YEAR_GROUPS = ("E1", "E2", "N1", "N2", "R", *(str(number) for number in range(1, LAST_YEAR_GROUP + 1)), "M", "X")
#: A year group's age on the 31 August before its year: Reception (0) is 4, Year 1 is 5.
AGE_OF_RECEPTION = 4


@dataclass(frozen=True, slots=True)
class IncomingParent:
    """A parent or carer as a list has them."""

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
    """A pupil as a list has them. None and an empty text say nothing; they never erase what is held.

    `characteristics` maps a kind (`models.CHARACTERISTICS`) to its value; a "no" (N, no, none, false, 0) ends it.
    `row` is the row of the file, for what is said about it.
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
        """The UPN and the former UPN, those it has."""
        return frozenset(one for one in (self.upn, self.former_upn) if one)

    @property
    def surname_folded(self) -> str:
        """The surname as it is compared."""
        return folded(self.surname)

    @property
    def forename_folded(self) -> str:
        """The forename as it is compared."""
        return folded(self.forename)

    @property
    def likeness(self) -> str:
        """The UPN, names and date of birth as one text: what a person's decision about this pupil is remembered by."""
        return "|".join((self.upn or "", self.surname_folded, self.forename_folded, self.date_of_birth.isoformat()))


def folded(text: str) -> str:
    """A name as it is compared: compatibility forms, case, accents, marks, punctuation and zero-width signs taken away.

    Runs of spaces and hyphens become one space, so that Smith-Jones is Smith Jones, and O'Neil is ONeil.
    """
    kept = []
    for sign in unicodedata.normalize("NFKD", text).casefold().translate(PLAIN_LETTERS):
        kind = unicodedata.category(sign)
        if kind[0] in "LN":
            kept.append(sign)
        elif kind[0] == "Z" or kind in {"Pd", "Cc"}:
            kept.append(" ")
    return " ".join("".join(kept).split())


def check_letter(upn: str) -> str | None:
    """The check letter the other twelve characters of a UPN call for, or None where they are not a UPN's.

    The sum of position by digit (positions 2 to 13) over 23, its remainder a place in the letters; the final letter
    of a temporary UPN counts as its place. (UniquePupilNumber 2.0.)
    """
    body = upn[1:]
    if len(upn) != UPN_LENGTH or not body[:-1].isdecimal() or not body.isascii():
        return None
    values = [int(sign) for sign in body[:-1]]
    if body[-1].isdecimal():
        values.append(int(body[-1]))
    elif body[-1] in CHECK_LETTERS:
        values.append(CHECK_LETTERS.index(body[-1]))
    else:
        return None
    return CHECK_LETTERS[sum(place * value for place, value in enumerate(values, 2)) % len(CHECK_LETTERS)]


def has_right_check_letter(upn: str) -> bool:
    """Does the UPN have the shape and the check letter of one? Many that do not are in use: warn, never refuse."""
    return check_letter(upn) == upn[:1]


def year_number(year_group: str | None) -> int | None:
    """A year group as a number: R is 0, N2 is -1, Years 1 to 14 themselves; None for mixed, not followed and unknown."""
    if year_group is None:
        return None
    if year_group.isdecimal() and year_group.isascii():
        return int(year_group) if 1 <= int(year_group) <= LAST_YEAR_GROUP else None
    return NURSERY.get(year_group)


def year_group_of(number: int) -> str | None:
    """A year group from its number, R to 14; None outside."""
    if number == 0:
        return "R"
    return str(number) if 1 <= number <= LAST_YEAR_GROUP else None


def academic_year_of_list(incoming: Sequence[IncomingPupil], today: date) -> int:
    """The academic year a list's year groups speak of: the one most pupils' ages point to.

    A pupil in Year 7 is 11 on the 31 August before the year. The current year where fewer than half agree or none says.
    """
    votes: Counter[int] = Counter()
    for pupil in incoming:
        number = year_number(pupil.year_group)
        if number is not None:
            votes[academic_year(pupil.date_of_birth) + AGE_OF_RECEPTION + 1 + number] += 1
    if not votes:
        return academic_year(today)
    year, most = votes.most_common(1)[0]
    return year if most * 2 >= votes.total() else academic_year(today)


def as_kept(pupil: IncomingPupil) -> dict[str, Any]:
    """The pupil as plain JSON, for a question that waits to be decided."""
    kept = {each.name: getattr(pupil, each.name) for each in fields(pupil)}
    kept["characteristics"] = dict(pupil.characteristics)
    kept["parents"] = [asdict(one) for one in pupil.parents]
    for name in ("date_of_birth", "admission_date", "leaving_date"):
        kept[name] = kept[name].isoformat() if kept[name] else None
    return kept


def from_kept(kept: Mapping[str, Any]) -> IncomingPupil:
    """The pupil again, from what `as_kept` made."""
    values = dict(kept)
    for name in ("date_of_birth", "admission_date", "leaving_date"):
        values[name] = date.fromisoformat(values[name]) if values[name] else None
    values["parents"] = tuple(IncomingParent(**one) for one in values["parents"])
    return IncomingPupil(**values)
