"""The same child only on UPN, date of birth and surname together; anything short of that is asked, never guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.pupils.incoming import IncomingPupil, folded
from portal.pupils.likeness import Held, Kind, Match, matches
from tests.pupils.support import child, upn

ONE, TWO = UUID(int=1), UUID(int=2)
BASE = child(1, surname="Ashdown", forename="Amira", former_upn=None)


def held(pupil_id: UUID = ONE, *, here: bool = True, **said: Any) -> Held:
    """A held pupil, like `BASE` unless told."""
    pupil = replace(BASE, **said)
    return Held(pupil_id, pupil.upn, pupil.former_upn, folded(pupil.surname), folded(pupil.forename), pupil.date_of_birth, here)


def only(incoming: IncomingPupil, *known: Held) -> Match:
    """The answer for a list of one."""
    (found,) = matches([incoming], known, {})
    return found


def test_upn_birth_and_surname_join() -> None:
    found = only(replace(BASE, forename="Amy", surname="ASHDOWN"), held())
    assert (found.kind, found.pupil_id, found.moves_in) == (Kind.HELD, ONE, False)


def test_a_full_match_at_another_school_moves_in() -> None:
    assert only(BASE, held(here=False)).moves_in


@pytest.mark.parametrize(
    ("incoming", "known"),
    [
        ({"upn": upn(9), "former_upn": upn(1)}, {}),
        ({"upn": upn(1)}, {"upn": upn(9), "former_upn": upn(1)}),
        ({"upn": upn(8), "former_upn": upn(1)}, {"upn": upn(9), "former_upn": upn(1)}),
        ({"upn": None, "former_upn": upn(1)}, {}),
    ],
)
def test_a_former_upn_counts_either_way(incoming: dict[str, Any], known: dict[str, Any]) -> None:
    assert only(replace(BASE, **incoming), held(**known)).kind is Kind.HELD


@pytest.mark.parametrize(
    ("said", "differs"),
    [
        ({"date_of_birth": date(2018, 1, 1)}, ("date of birth",)),
        ({"surname": "Brackley"}, ("surname",)),
        ({"surname": "Brackley", "forename": "Bryn", "date_of_birth": date(2018, 1, 1)}, ("surname", "forename", "date of birth")),
        ({"upn": None}, ("UPN",)),
        ({"upn": upn(99)}, ("UPN",)),
        ({"upn": None, "forename": "Bryn"}, ("UPN", "forename")),
    ],
)
def test_anything_short_is_asked(said: dict[str, Any], differs: tuple[str, ...]) -> None:
    found = only(replace(BASE, **said), held())
    assert (found.kind, found.pupil_id, found.differs_in, found.across_schools) == (Kind.QUESTION, ONE, differs, False)


def test_a_question_about_another_school_s_pupil_is_marked() -> None:
    assert only(replace(BASE, upn=None), held(here=False)).across_schools


@pytest.mark.parametrize(
    "said",
    [
        {"upn": upn(99), "forename": "Bryn"},
        {"upn": upn(99), "date_of_birth": date(2018, 1, 1)},
        {"upn": None, "surname": "Brackley"},
    ],
)
def test_no_likeness_is_a_new_pupil(said: dict[str, Any]) -> None:
    """Twins with two UPNs and two forenames are two children."""
    assert only(replace(BASE, **said), held()).kind is Kind.NEW


def test_upl_19_twins_are_never_joined_by_name() -> None:
    twin = replace(BASE, forename="Bryn", upn=upn(2))
    found = matches([BASE, twin], [held(), held(TWO, forename="Bryn", upn=upn(2))], {})
    assert [(one.kind, one.pupil_id) for one in found] == [(Kind.HELD, ONE), (Kind.HELD, TWO)]
    fresh = matches([BASE, twin], [], {})
    assert [one.kind for one in fresh] == [Kind.NEW, Kind.NEW]


def test_twins_given_one_upn_are_asked_about() -> None:
    twin = replace(BASE, forename="Bryn")
    found = matches([BASE, twin], [held()], {})
    assert [(one.kind, one.differs_in) for one in found] == [(Kind.HELD, ()), (Kind.QUESTION, ("forename",))]
    fresh = matches([BASE, twin], [], {})
    assert [(one.kind, one.like) for one in fresh] == [(Kind.NEW, None), (Kind.QUESTION, 0)]


def test_two_held_pupils_with_one_upn_are_told_apart_by_forename_or_asked() -> None:
    known = (held(), held(TWO, forename="Bryn"))
    assert only(BASE, *known).pupil_id == ONE
    assert only(replace(BASE, forename="Carys"), *known).kind is Kind.QUESTION


def test_the_nearest_likeness_is_compared_and_our_own_school_first() -> None:
    near, far = held(TWO, upn=None, here=True), held(ONE, upn=None, here=False)
    assert only(replace(BASE, upn=None), far, near).pupil_id == TWO


def test_a_row_repeated_is_taken_once_the_last_time() -> None:
    later = replace(BASE, registration_group="5X", row=9)
    found = matches([BASE, later], [], {})
    assert [(one.kind, one.like) for one in found] == [(Kind.REPEATED, 1), (Kind.NEW, None)]
    known = matches([BASE, BASE, later], [held()], {})
    assert [one.kind for one in known] == [Kind.REPEATED, Kind.REPEATED, Kind.HELD]


def test_two_rows_of_one_name_with_two_upns_are_asked_about() -> None:
    found = matches([BASE, replace(BASE, upn=upn(50))], [], {})
    assert [one.kind for one in found] == [Kind.NEW, Kind.QUESTION]


def test_what_a_person_decided_is_not_asked_again() -> None:
    short = replace(BASE, upn=None)
    (found,) = matches([short], [held()], {short.likeness: (TWO, True)})
    assert (found.kind, found.pupil_id) == (Kind.HELD, TWO)


children = st.builds(
    replace,
    st.just(BASE),
    upn=st.sampled_from([None, upn(1), upn(2)]),
    former_upn=st.sampled_from([None, upn(1), upn(3)]),
    surname=st.sampled_from(["Ashdown", "Brackley"]),
    forename=st.sampled_from(["Amira", "Bryn"]),
    date_of_birth=st.sampled_from([date(2017, 9, 2), date(2018, 1, 1)]),
)


@given(st.lists(children, max_size=6), st.lists(children, max_size=5), st.booleans())
def test_nobody_is_ever_joined_on_less(incoming: list[IncomingPupil], known: list[IncomingPupil], here: bool) -> None:
    stored = [
        Held(UUID(int=n), one.upn, one.former_upn, one.surname_folded, one.forename_folded, one.date_of_birth, here)
        for n, one in enumerate(known, 1)
    ]
    by_id = {one.pupil_id: one for one in stored}
    found = matches(incoming, stored, {})
    assert [match.incoming for match in found] == incoming
    taken = [match.pupil_id for match in found if match.kind is Kind.HELD]
    assert len(taken) == len(set(taken))
    for match in found:
        if match.kind is Kind.HELD and match.pupil_id is not None:
            one = by_id[match.pupil_id]
            assert match.incoming.upns & {one.upn, one.former_upn}
            assert match.incoming.surname_folded == one.surname_folded
            assert match.incoming.date_of_birth == one.date_of_birth
        if match.kind is Kind.NEW:
            assert not any(match.incoming.upns & {one.upn, one.former_upn} for one in stored)
        if match.kind is Kind.QUESTION:
            assert (match.pupil_id is None) != (match.like is None) or match.like is not None
