"""Decide whether a pupil of a school's list is one the school already has.

They are the same only when UPN, date of birth and surname all agree. Any weaker likeness becomes a question for a
person. The same rules compare two schools' records (`same_child`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from uuid import UUID

    from portal.pupils.domain.incoming import IncomingPupil


class MatchKind(StrEnum):
    """The outcome of matching one incoming pupil."""

    EXISTING = "held"  # stored in previews of uploads, so the value stays as it is
    NEW = "new"
    QUESTION = "question"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class ExistingPupil:
    """The fields of an existing pupil that matching compares."""

    pupil_id: UUID
    upn: str | None
    former_upn: str | None
    surname_folded: str
    forename_folded: str
    date_of_birth: date

    @property
    def upns(self) -> frozenset[str]:
        """The UPN and the former UPN, where known."""
        return frozenset(upn for upn in (self.upn, self.former_upn) if upn)


@dataclass(frozen=True, slots=True)
class Match:
    """The outcome for one row of a list.

    EXISTING: the same child as `pupil_id`.
    NEW: no pupil of the school is like them.
    QUESTION: possibly the same child, differing in `differing_fields`. They are compared with `pupil_id`, or with the earlier row
    at index `other_row` of the same list.
    REPEATED: the later row at index `other_row` is the same child, and that row counts.
    """

    incoming: IncomingPupil
    kind: MatchKind
    pupil_id: UUID | None = None
    differing_fields: tuple[str, ...] = ()
    other_row: int | None = None


def find_matches(incoming: Sequence[IncomingPupil], existing: Iterable[ExistingPupil], decided: Mapping[str, UUID]) -> list[Match]:
    """Match the rows of a list with the school's pupils, then with each other.

    `existing` are those who share a UPN, or a surname and date of birth, with a row. `decided` holds people's earlier
    decisions: an incoming pupil's `match_key`, to the pupil they turned out to be.
    """
    by_upn: defaultdict[str, list[ExistingPupil]] = defaultdict(list)
    by_name: defaultdict[tuple[str, date], list[ExistingPupil]] = defaultdict(list)
    for candidate in existing:
        for upn in candidate.upns:
            by_upn[upn].append(candidate)
        by_name[(candidate.surname_folded, candidate.date_of_birth)].append(candidate)
    return _match_within_list([_match_existing(pupil, by_upn, by_name, decided) for pupil in incoming])


def _match_existing(
    pupil: IncomingPupil,
    by_upn: Mapping[str, list[ExistingPupil]],
    by_name: Mapping[tuple[str, date], list[ExistingPupil]],
    decided: Mapping[str, UUID],
) -> Match:
    same_upn = {candidate.pupil_id: candidate for upn in pupil.upns for candidate in by_upn.get(upn, ())}
    same_name = by_name.get((pupil.surname_folded, pupil.date_of_birth), ())
    exact = [candidate for candidate in same_name if candidate.pupil_id in same_upn]
    if len(exact) > 1:
        exact = [candidate for candidate in exact if candidate.forename_folded == pupil.forename_folded] or exact
    if len(exact) == 1:
        return Match(pupil, MatchKind.EXISTING, exact[0].pupil_id)
    if pupil.match_key in decided:
        return Match(pupil, MatchKind.EXISTING, decided[pupil.match_key])
    possible = [
        *same_upn.values(),
        *(candidate for candidate in same_name if candidate.pupil_id not in same_upn and is_possibly_same(pupil, candidate)),
    ]
    if not possible:
        return Match(pupil, MatchKind.NEW)
    nearest = min(possible, key=lambda candidate: len(differing_fields(pupil, candidate)))
    return Match(pupil, MatchKind.QUESTION, nearest.pupil_id, differing_fields(pupil, nearest))


def is_possibly_same(pupil: IncomingPupil | ExistingPupil, candidate: ExistingPupil) -> bool:
    """Could a pupil with the same surname and date of birth be the same child?

    Yes when the forename is the same, or when one of the two has no UPN. With another forename and two different UPNs they
    are twins, or unrelated children born on one day.
    """
    return candidate.forename_folded == pupil.forename_folded or not (candidate.upn and pupil.upn)


def differing_fields(pupil: IncomingPupil | ExistingPupil, candidate: ExistingPupil | IncomingPupil) -> tuple[str, ...]:
    """The names of those of the four compared fields in which two pupils differ."""
    pairs = (
        ("UPN", bool(pupil.upns & candidate.upns)),
        ("surname", pupil.surname_folded == candidate.surname_folded),
        ("forename", pupil.forename_folded == candidate.forename_folded),
        ("date of birth", pupil.date_of_birth == candidate.date_of_birth),
    )
    return tuple(name for name, is_same in pairs if not is_same)


def _match_within_list(matches: list[Match]) -> list[Match]:
    """Compare the rows of one list with each other.

    Of repeated rows of one child the last one counts. Rows that share an identity but differ become questions.
    """
    by_pupil: dict[UUID, int] = {}
    by_upn: dict[str, int] = {}
    by_name: dict[tuple[str, str, date], int] = {}
    for index, match in enumerate(matches):
        pupil = match.incoming
        name = (pupil.surname_folded, pupil.forename_folded, pupil.date_of_birth)
        if match.kind is MatchKind.EXISTING and match.pupil_id is not None:
            earlier_index = by_pupil.get(match.pupil_id)
        elif match.kind is MatchKind.NEW:
            earlier_index = next((by_upn[upn] for upn in pupil.upns if upn in by_upn), by_name.get(name))
        else:
            continue
        if earlier_index is not None:
            earlier = matches[earlier_index].incoming
            if not _is_one_child(earlier, pupil):
                differs = differing_fields(pupil, earlier)
                matches[index] = Match(pupil, MatchKind.QUESTION, match.pupil_id, differs, other_row=earlier_index)
                continue
            matches[earlier_index] = Match(earlier, MatchKind.REPEATED, other_row=index)
        if match.pupil_id is not None:
            by_pupil[match.pupil_id] = index
        else:
            by_name[name] = index
            by_upn.update(dict.fromkeys(pupil.upns, index))
    return matches


def _is_one_child(earlier: IncomingPupil, later: IncomingPupil) -> bool:
    """Are two rows the same child?

    All four compared fields must agree. Where neither row has a UPN, the registration group must agree as well.
    """
    differs = differing_fields(later, earlier)
    if earlier.upns or later.upns:
        return not differs
    return differs == ("UPN",) and earlier.registration_group == later.registration_group
