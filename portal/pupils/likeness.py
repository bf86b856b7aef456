"""Is an incoming pupil one we hold? The same only on UPN, date of birth and surname together; anything short is asked."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from uuid import UUID

    from portal.pupils.incoming import IncomingPupil


class Kind(StrEnum):
    """What matching found for one incoming pupil."""

    HELD = "held"
    NEW = "new"
    QUESTION = "question"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Held:
    """As much of a held pupil as matching compares. `here`: has, or had, a roll line at the school that sent the list."""

    pupil_id: UUID
    upn: str | None
    former_upn: str | None
    surname_folded: str
    forename_folded: str
    date_of_birth: date
    here: bool


@dataclass(frozen=True, slots=True)
class Match:
    """One incoming pupil's answer, in the order of the list.

    HELD: the pupil with `pupil_id`; `moves_in` when they have not been at this school before. NEW: nobody like them.
    QUESTION: someone like them, differing in `differs_in`; `pupil_id` is whom to compare with, or None when it is an
    earlier row of the same list (`like`, its place). `across_schools`: that someone is another school's, so the authority
    decides and the school is shown nothing of them. REPEATED: a later row of the list (at `like`) is the same pupil.
    """

    incoming: IncomingPupil
    kind: Kind
    pupil_id: UUID | None = None
    differs_in: tuple[str, ...] = ()
    across_schools: bool = False
    moves_in: bool = False
    like: int | None = None


def matches(incoming: Sequence[IncomingPupil], held: Iterable[Held], decided: Mapping[str, tuple[UUID, bool]]) -> list[Match]:
    """Match a list with the held pupils who share a UPN, or a surname and date of birth, with someone in it.

    `decided` is what people have decided before: an incoming pupil's `likeness` to the pupil it turned out to be, and
    whether that pupil is at this school.
    """
    by_upn: defaultdict[str, list[Held]] = defaultdict(list)
    by_name: defaultdict[tuple[str, date], list[Held]] = defaultdict(list)
    for one in held:
        for upn in {one.upn, one.former_upn} - {None}:
            by_upn[str(upn)].append(one)
        by_name[(one.surname_folded, one.date_of_birth)].append(one)
    found = [_against_held(pupil, by_upn, by_name, decided) for pupil in incoming]
    return _against_each_other(found)


def _against_held(
    pupil: IncomingPupil,
    by_upn: Mapping[str, list[Held]],
    by_name: Mapping[tuple[str, date], list[Held]],
    decided: Mapping[str, tuple[UUID, bool]],
) -> Match:
    same_upn = {one.pupil_id: one for upn in pupil.upns for one in by_upn.get(upn, ())}
    same_name = by_name.get((pupil.surname_folded, pupil.date_of_birth), ())
    exact = [one for one in same_name if one.pupil_id in same_upn]
    if len(exact) > 1:
        exact = [one for one in exact if one.forename_folded == pupil.forename_folded] or exact
    if len(exact) == 1:
        return Match(pupil, Kind.HELD, exact[0].pupil_id, moves_in=not exact[0].here)
    if pupil.likeness in decided:
        pupil_id, here = decided[pupil.likeness]
        return Match(pupil, Kind.HELD, pupil_id, moves_in=not here)
    alike = [*same_upn.values(), *(one for one in same_name if one.pupil_id not in same_upn and _is_like(pupil, one))]
    if not alike:
        return Match(pupil, Kind.NEW)
    nearest = min(alike, key=lambda one: (len(differences(pupil, one)), not one.here))
    return Match(pupil, Kind.QUESTION, nearest.pupil_id, differences(pupil, nearest), not nearest.here)


def _is_like(pupil: IncomingPupil, one: Held) -> bool:
    """Same surname and date of birth: alike when the forename is the same too, or when one of them has no UPN.

    With another forename and two different UPNs they are twins, or strangers born on one day.
    """
    return one.forename_folded == pupil.forename_folded or not (one.upn and pupil.upn)


def differences(pupil: IncomingPupil, one: Held | IncomingPupil) -> tuple[str, ...]:
    """What an incoming pupil and another differ in, of the four things compared."""
    theirs = {one.upn, one.former_upn} - {None}
    pairs = (
        ("UPN", bool(pupil.upns & theirs) if pupil.upns and theirs else False),
        ("surname", pupil.surname_folded == one.surname_folded),
        ("forename", pupil.forename_folded == one.forename_folded),
        ("date of birth", pupil.date_of_birth == one.date_of_birth),
    )
    return tuple(name for name, same in pairs if not same)


def _against_each_other(found: list[Match]) -> list[Match]:
    """Settle rows of one list that speak of one pupil: the last row of the same child counts; what differs is asked."""
    by_pupil: dict[UUID, int] = {}
    by_upn: dict[str, int] = {}
    by_name: dict[tuple[str, str, date], int] = {}
    for place, match in enumerate(found):
        pupil = match.incoming
        name = (pupil.surname_folded, pupil.forename_folded, pupil.date_of_birth)
        if match.kind is Kind.HELD and match.pupil_id is not None:
            earlier = by_pupil.get(match.pupil_id)
        elif match.kind is Kind.NEW:
            earlier = next((by_upn[upn] for upn in pupil.upns if upn in by_upn), by_name.get(name))
        else:
            continue
        if earlier is not None:
            before = found[earlier].incoming
            if not _is_one_child(before, pupil):
                differs = differences(pupil, before)
                found[place] = Match(pupil, Kind.QUESTION, match.pupil_id, differs, like=earlier)
                continue
            found[earlier] = Match(before, Kind.REPEATED, like=place)
        if match.pupil_id is not None:
            by_pupil[match.pupil_id] = place
        else:
            by_name[name] = place
            by_upn.update(dict.fromkeys(pupil.upns, place))
    return found


def _is_one_child(before: IncomingPupil, after: IncomingPupil) -> bool:
    """Two rows are one child's when every one of the four things compared is the same, and without UPNs the class too."""
    differs = differences(after, before)
    if before.upns or after.upns:
        return not differs
    return differs == ("UPN",) and before.registration_group == after.registration_group
