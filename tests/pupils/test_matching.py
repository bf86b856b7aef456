"""Two records are one child only when UPN, date of birth and surname agree.

Anything less becomes a question.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.pupils.domain.incoming import IncomingPupil, folded
from portal.pupils.domain.matching import ExistingPupil, Match, MatchKind, find_matches
from tests.pupils.support import child, upn

ONE, TWO = UUID(int=1), UUID(int=2)
BASE = child(1, surname="Ashdown", forename="Amira", former_upn=None)


def existing(pupil_id: UUID = ONE, **values: Any) -> ExistingPupil:
    """An existing pupil: `BASE`, with `values` in place of the usual ones."""
    pupil = replace(BASE, **values)
    return ExistingPupil(pupil_id, pupil.upn, pupil.former_upn, folded(pupil.surname), folded(pupil.forename), pupil.date_of_birth)


def match_of(incoming: IncomingPupil, *pupils: ExistingPupil) -> Match:
    """The match of a list of one pupil."""
    (match,) = find_matches([incoming], pupils, {})
    return match


def test_upn_date_of_birth_and_surname_make_a_match() -> None:
    match = match_of(replace(BASE, forename="Amy", surname="ASHDOWN"), existing())
    assert (match.kind, match.pupil_id) == (MatchKind.EXISTING, ONE)


@pytest.mark.parametrize(
    ("incoming", "stored"),
    [
        ({"upn": upn(9), "former_upn": upn(1)}, {}),
        ({"upn": upn(1)}, {"upn": upn(9), "former_upn": upn(1)}),
        ({"upn": upn(8), "former_upn": upn(1)}, {"upn": upn(9), "former_upn": upn(1)}),
        ({"upn": None, "former_upn": upn(1)}, {}),
    ],
)
def test_a_former_upn_counts_either_way(incoming: dict[str, Any], stored: dict[str, Any]) -> None:
    assert match_of(replace(BASE, **incoming), existing(**stored)).kind is MatchKind.EXISTING


@pytest.mark.parametrize(
    ("values", "differing"),
    [
        ({"date_of_birth": date(2018, 1, 1)}, ("date of birth",)),
        ({"surname": "Brackley"}, ("surname",)),
        ({"surname": "Brackley", "forename": "Bryn", "date_of_birth": date(2018, 1, 1)}, ("surname", "forename", "date of birth")),
        ({"upn": None}, ("UPN",)),
        ({"upn": upn(99)}, ("UPN",)),
        ({"upn": None, "forename": "Bryn"}, ("UPN", "forename")),
    ],
)
def test_a_weaker_match_is_a_question(values: dict[str, Any], differing: tuple[str, ...]) -> None:
    match = match_of(replace(BASE, **values), existing())
    assert (match.kind, match.pupil_id, match.differing_fields) == (MatchKind.QUESTION, ONE, differing)


@pytest.mark.parametrize(
    "values",
    [
        {"upn": upn(99), "forename": "Bryn"},
        {"upn": upn(99), "date_of_birth": date(2018, 1, 1)},
        {"upn": None, "surname": "Brackley"},
    ],
)
def test_a_pupil_like_no_other_is_new(values: dict[str, Any]) -> None:
    """Twins with two UPNs and two forenames are two children."""
    assert match_of(replace(BASE, **values), existing()).kind is MatchKind.NEW


def test_upl_19_twins_are_never_joined_by_name() -> None:
    twin = replace(BASE, forename="Bryn", upn=upn(2))
    matches = find_matches([BASE, twin], [existing(), existing(TWO, forename="Bryn", upn=upn(2))], {})
    assert [(match.kind, match.pupil_id) for match in matches] == [(MatchKind.EXISTING, ONE), (MatchKind.EXISTING, TWO)]
    all_new = find_matches([BASE, twin], [], {})
    assert [match.kind for match in all_new] == [MatchKind.NEW, MatchKind.NEW]


def test_twins_given_one_upn_are_asked_about() -> None:
    twin = replace(BASE, forename="Bryn")
    matches = find_matches([BASE, twin], [existing()], {})
    assert [(match.kind, match.differing_fields) for match in matches] == [
        (MatchKind.EXISTING, ()),
        (MatchKind.QUESTION, ("forename",)),
    ]
    all_new = find_matches([BASE, twin], [], {})
    assert [(match.kind, match.other_row) for match in all_new] == [(MatchKind.NEW, None), (MatchKind.QUESTION, 0)]


def test_two_pupils_with_one_upn_are_told_apart_by_forename() -> None:
    pupils = (existing(), existing(TWO, forename="Bryn"))
    assert match_of(BASE, *pupils).pupil_id == ONE
    assert match_of(replace(BASE, forename="Carys"), *pupils).kind is MatchKind.QUESTION


def test_of_repeated_rows_the_last_one_counts() -> None:
    later = replace(BASE, registration_group="5X", row=9)
    matches = find_matches([BASE, later], [], {})
    assert [(match.kind, match.other_row) for match in matches] == [(MatchKind.REPEATED, 1), (MatchKind.NEW, None)]
    repeated = find_matches([BASE, BASE, later], [existing()], {})
    assert [match.kind for match in repeated] == [MatchKind.REPEATED, MatchKind.REPEATED, MatchKind.EXISTING]


def test_two_rows_of_one_name_with_two_upns_are_asked_about() -> None:
    matches = find_matches([BASE, replace(BASE, upn=upn(50))], [], {})
    assert [match.kind for match in matches] == [MatchKind.NEW, MatchKind.QUESTION]


def test_what_a_person_decided_is_not_asked_again() -> None:
    short = replace(BASE, upn=None)
    (match,) = find_matches([short], [existing()], {short.match_key: TWO})
    assert (match.kind, match.pupil_id) == (MatchKind.EXISTING, TWO)


children = st.builds(
    replace,
    st.just(BASE),
    upn=st.sampled_from([None, upn(1), upn(2)]),
    former_upn=st.sampled_from([None, upn(1), upn(3)]),
    surname=st.sampled_from(["Ashdown", "Brackley"]),
    forename=st.sampled_from(["Amira", "Bryn"]),
    date_of_birth=st.sampled_from([date(2017, 9, 2), date(2018, 1, 1)]),
)


@given(st.lists(children, max_size=6), st.lists(children, max_size=5))
def test_no_pupil_is_ever_joined_on_weaker_evidence(incoming: list[IncomingPupil], stored: list[IncomingPupil]) -> None:
    candidates = [
        ExistingPupil(UUID(int=n), pupil.upn, pupil.former_upn, pupil.surname_folded, pupil.forename_folded, pupil.date_of_birth)
        for n, pupil in enumerate(stored, 1)
    ]
    by_id = {pupil.pupil_id: pupil for pupil in candidates}
    matches = find_matches(incoming, candidates, {})
    assert [match.incoming for match in matches] == incoming
    matched_ids = [match.pupil_id for match in matches if match.kind is MatchKind.EXISTING]
    assert len(matched_ids) == len(set(matched_ids))
    for match in matches:
        if match.kind is MatchKind.EXISTING and match.pupil_id is not None:
            pupil = by_id[match.pupil_id]
            assert match.incoming.upns & {pupil.upn, pupil.former_upn}
            assert match.incoming.surname_folded == pupil.surname_folded
            assert match.incoming.date_of_birth == pupil.date_of_birth
        if match.kind is MatchKind.NEW:
            assert not any(match.incoming.upns & {pupil.upn, pupil.former_upn} for pupil in candidates)
        if match.kind is MatchKind.QUESTION:
            assert (match.pupil_id is None) != (match.other_row is None) or match.other_row is not None
