"""Decide which records of two schools are about one child.

They are linked without a person only when UPN (current or former), surname and date of birth all agree, and neither school
has another record as like. Anything short of that is a question for the authority.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portal.pupils.domain.matching import differing_fields, is_possibly_same

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from uuid import UUID

    from portal.pupils.domain.matching import ExistingPupil


@dataclass(frozen=True, slots=True)
class SchoolRecord:
    """One school's record of a child, and the child it is linked to."""

    pupil: ExistingPupil
    school_id: UUID
    child_id: UUID

    @property
    def id(self) -> UUID:
        """The record's own id."""
        return self.pupil.pupil_id


@dataclass(frozen=True, slots=True)
class SameChildQuestion:
    """Two records that may be one child, for the authority to decide."""

    first: SchoolRecord
    second: SchoolRecord
    differing_fields: tuple[str, ...]


@dataclass(slots=True)
class Children:
    """Children while their records are linked: what each became, and at which schools it is.

    `since` says when each child was first known: of two, the older goes on. `pairs_apart` holds pairs of children whom a person
    decided to be different, `pairs_asked` those with a waiting question.
    """

    since: Mapping[UUID, datetime]
    schools: dict[UUID, frozenset[UUID]]
    pairs_apart: list[frozenset[UUID]] = field(default_factory=list)
    pairs_asked: list[frozenset[UUID]] = field(default_factory=list)
    became: dict[UUID, UUID] = field(default_factory=dict)

    def now(self, child_id: UUID) -> UUID:
        """The child that this one is part of now."""
        while child_id in self.became:
            child_id = self.became[child_id]
        return child_id

    def join(self, first: UUID, second: UUID) -> None:
        """Make one child of two. The older goes on."""
        older, younger = sorted((self.now(first), self.now(second)), key=lambda child_id: (self.since[child_id], child_id))
        if older != younger:
            self.became[younger] = older
            self.schools[older] = self.schools.get(older, frozenset()) | self.schools.get(younger, frozenset())

    def may_be_one(self, first: UUID, second: UUID) -> bool:
        """Are these two children, whom nobody has said to be two?

        A person of the authority says so by a decision, and a school by having a record of each.
        """
        first, second = self.now(first), self.now(second)
        has_both = self.schools.get(first, frozenset()) & self.schools.get(second, frozenset())
        return first != second and not has_both and not self._has_pair(self.pairs_apart, first, second)

    def are_asked_about(self, first: UUID, second: UUID) -> bool:
        """Does a question about these wait already?"""
        return self._has_pair(self.pairs_asked, first, second)

    def _has_pair(self, pairs: Iterable[frozenset[UUID]], first: UUID, second: UUID) -> bool:
        current = {self.now(first), self.now(second)}
        return any({self.now(child_id) for child_id in pair} == current for pair in pairs)


def link(pairs: Iterable[tuple[SchoolRecord, SchoolRecord]], children: Children) -> list[SameChildQuestion]:
    """Join the children of `pairs` that are surely one; returns the questions about the others.

    Each pair is a record of the school whose list was taken and another school's record that shares a UPN, or a surname and
    date of birth, with it.
    """
    alike = sorted(pairs, key=lambda pair: (len(differing_fields(pair[0].pupil, pair[1].pupil)), pair[0].id, pair[1].id))
    sure = _sure_pairs(alike)
    for first, second in alike:
        if (first.id, second.id) in sure and children.may_be_one(first.child_id, second.child_id):
            children.join(first.child_id, second.child_id)
    questions: list[SameChildQuestion] = []
    for first, second in alike:
        ids = first.child_id, second.child_id
        if children.may_be_one(*ids) and not children.are_asked_about(*ids) and _is_likely(first.pupil, second.pupil):
            questions.append(SameChildQuestion(first, second, differing_fields(first.pupil, second.pupil)))
            children.pairs_asked.append(frozenset(ids))
    return questions


def _sure_pairs(pairs: Iterable[tuple[SchoolRecord, SchoolRecord]]) -> set[tuple[UUID, UUID]]:
    """The pairs that agree in UPN, surname and date of birth, each alone in that at its school.

    Twins whom a school gave one UPN are told apart by forename; where that does not help, none of them is sure.
    """
    exact = [pair for pair in pairs if _is_exact(*(record.pupil for record in pair))]
    rivals: defaultdict[tuple[UUID, UUID], list[tuple[SchoolRecord, SchoolRecord]]] = defaultdict(list)
    for first, second in exact:
        rivals[first.id, second.school_id].append((first, second))
        rivals[second.id, first.school_id].append((first, second))
    certain = {key: only_pair for key, group in rivals.items() if (only_pair := _only_pair(group)) is not None}
    return {
        (first.id, second.id)
        for first, second in exact
        if certain.get((first.id, second.school_id)) == certain.get((second.id, first.school_id)) == (first.id, second.id)
    }


def _only_pair(group: list[tuple[SchoolRecord, SchoolRecord]]) -> tuple[UUID, UUID] | None:
    if len(group) > 1:
        group = [pair for pair in group if pair[0].pupil.forename_folded == pair[1].pupil.forename_folded]
    return (group[0][0].id, group[0][1].id) if len(group) == 1 else None


def _is_exact(first: ExistingPupil, second: ExistingPupil) -> bool:
    same_name = first.surname_folded == second.surname_folded and first.date_of_birth == second.date_of_birth
    return same_name and bool(first.upns & second.upns)


def _is_likely(first: ExistingPupil, second: ExistingPupil) -> bool:
    """Is a person to be asked? Twins, and unrelated children born on one day, are nobody's question."""
    return bool(first.upns & second.upns) or is_possibly_same(first, second)
