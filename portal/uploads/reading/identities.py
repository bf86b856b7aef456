"""Identities: what the rows say of their pupils, made into one key for each pupil, or into the reason there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from portal.uploads.reading import values
from portal.uploads.reading.dates import DateReader
from portal.uploads.reading.gathering import PUPIL_FIELDS
from portal.uploads.reading.results import PupilKey
from portal.uploads.reading.texts import as_given, plain
from portal.uploads.reading.upn import normalised, shape_problem, upn_check

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_UPN, _BORN = PUPIL_FIELDS.index("upn"), PUPIL_FIELDS.index("date_of_birth")
NO_UPN = "This row has no UPN. Enter the pupil's UPN."
BAD_BIRTH = "Enter the date of birth as day, month and year, such as 15/01/2016."


@dataclass(slots=True)
class Identities:
    """Each distinct saying about a pupil → the place of its pupil, or below 0 and the reason (kind, meaning, value, sentence)."""

    place: NDArray[np.int32]
    pupils: dict[PupilKey, int] = field(default_factory=dict)
    reasons: dict[int, tuple[str, str, str, str]] = field(default_factory=dict)
    odd: dict[int, str] = field(default_factory=dict)
    ambiguous: bool = False


def identities(sayings: Iterable[tuple[str, ...]]) -> Identities:
    """Make keys of what rows say. A UPN of another shape, and a date of birth that cannot be read, refuse the row."""
    told = list(sayings)
    born = DateReader()
    born.see(saying[_BORN] for saying in told)
    found = Identities(np.full(len(told), -1, dtype=np.int32), ambiguous=born.ambiguous)
    for number, saying in enumerate(told):
        upn = normalised(saying[_UPN])
        wrong = shape_problem(upn) if upn else NO_UPN
        day = born.read(saying[_BORN])
        if wrong:
            found.reasons[number] = ("upn-shape" if upn else "no-upn", "upn", saying[_UPN], wrong)
        elif day.problem:
            found.reasons[number] = (day.kind or "unreadable-date", "date_of_birth", saying[_BORN], BAD_BIRTH)
        else:
            key = _key(saying, upn, born)
            found.place[number] = found.pupils.setdefault(key, len(found.pupils))
            check = upn_check(upn)
            if check != "ok":
                found.odd[number] = check
    return found


def _key(saying: tuple[str, ...], upn: str, born: DateReader) -> PupilKey:
    _, former, surname, forename, name, birth, year, group, school, local = saying
    split = values.split_name(as_given(name)) if name and not surname else None
    before = normalised(former)
    return PupilKey(
        upn=upn,
        former_upn=before if before and shape_problem(before) is None else None,
        surname=as_given(surname) or (split[0] if split else as_given(name) or None),
        forename=as_given(forename) or (split[1] if split else None),
        date_of_birth=born.read(birth).on,
        year_group=values.year_group(year),
        registration_group=as_given(group) or None,
        school_number=values.school_number(school),
        local_id=plain(local).removesuffix(".0") or None,
    )
