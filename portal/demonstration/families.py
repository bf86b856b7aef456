"""Families: who lives together, what they are called, where they live, and who their parents and carers are."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from portal.demonstration.plans import Parent, Tie
from portal.demonstration.sources import heritages, names, places
from portal.demonstration.streams import stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.demonstration.sources import Heritage
    from portal.demonstration.streams import Floats

#: How many families have one, two, three or four children at school, out of 100.
FAMILY_SIZES = (0.52, 0.33, 0.11, 0.04)
#: How often each thing is so, as a share of families, children or parents.
LONE_PARENT, LIVES_APART, FATHER, GRANDMOTHER = 0.18, 0.17, 0.88, 0.2
GIRLS, MIDDLE_NAME, OTHER_SURNAME, DOUBLE_BARRELLED, PARENT_OTHER_SURNAME = 0.489, 0.45, 0.06, 0.03, 0.15
#: Of every so many who could be twins, one is not: about three children in a hundred have a twin.
TWINS_OF = 3
#: Now and then a name longer than any column was made for.
LONGEST_EVERY, LONGEST = 900, ("Featherstonehaugh-Cholmondeley-Wigglesworth", "Wilhelmina-Alexandrina")
IN_A_FLAT, GIVES_MOBILE, GIVES_NUMBER, GIVES_EMAIL, DO_NOT_DISCLOSE = 0.12, 0.85, 0.97, 0.8, 0.006
MALE, FEMALE = "M", "F"
MIXED = (0.45, 1.4, 0.7, 2.1)
TITLES = {"M": "Mr", "F": "Ms"}
#: Telephone numbers Ofcom keeps for drama, and never gives out.
MOBILES = "07700 900{:03d}"
LANDLINES = ("01632 960{:03d}", "020 7946 0{:03d}", "0113 496 0{:03d}")
#: No postcode area begins with Q or X; no unit ends so.
POSTCODE = "QX{} {}{}{}"
UNIT = "ABDEFGHJLNPQRSTUWXYZ"


@dataclass(slots=True)
class Member:
    """A child in a family: name, date of birth, sex."""

    child: int
    born: date
    sex: str
    forename: str
    middle: str | None
    surname: str


@dataclass(slots=True)
class Family:
    """A household with its children and the parents and carers of each."""

    number: int
    cluster: int
    heritage: Heritage
    surname: tuple[str, str]
    address: str
    postcode: str
    members: list[Member] = field(default_factory=list)
    parents: list[Parent] = field(default_factory=list)
    ties: tuple[Tie, ...] = ()


@dataclass(frozen=True, slots=True)
class Settling:
    """What families are settled from, an entry a child: birth year group, home cluster, and (school, group) for twins."""

    first_year: int
    cohorts: Sequence[int]
    clusters: Sequence[int]
    desks: Sequence[tuple[int, int]]


def settle(seed: int, children: Settling) -> list[Family]:
    """Put every child in a family. Two of one year group are kept together only in one school: they are twins."""
    draw = stream(seed, "families")
    families: list[Family] = []
    parents = 0
    for group in _groups(draw, children):
        family = _family(draw, len(families), children.clusters[group[0]])
        family.members = _members(draw, family, group, children)
        _parents(draw, family, parents)
        parents += len(family.parents)
        families.append(family)
    return families


def _groups(draw: np.random.Generator, children: Settling) -> list[list[int]]:
    order = draw.permutation(len(children.cohorts))
    by_cluster: dict[int, list[int]] = {}
    for child in order:
        by_cluster.setdefault(children.clusters[child], []).append(int(child))
    groups: list[list[int]] = []
    for cluster in sorted(by_cluster):
        here, at = by_cluster[cluster], 0
        sizes = draw.choice(len(FAMILY_SIZES), size=len(here), p=FAMILY_SIZES) + 1
        for size in sizes:
            if at >= len(here):
                break
            groups += _split(here[at : at + size], children)
            at += int(size)
    return groups


def _split(group: list[int], children: Settling) -> list[list[int]]:
    """Keep a family whole, but send away a child of the same year group at another school: no one is in two at once."""
    kept: list[int] = []
    sent: list[list[int]] = []
    for child in group:
        same = [one for one in kept if children.cohorts[one] == children.cohorts[child]]
        twin = len(same) == 1 and children.desks[same[0]] == children.desks[child] and child % TWINS_OF != 0
        if same and not twin:
            sent.append([child])
        else:
            kept.append(child)
    return [kept, *sent]


def _family(draw: np.random.Generator, number: int, cluster: int) -> Family:
    lists = heritages()
    shares = _shares(cluster % len(MIXED))
    heritage = lists[int(np.searchsorted(shares, draw.random() * shares[-1]))]
    surnames = names()[heritage.names].surnames
    surname = surnames[int(draw.integers(len(surnames)))]
    if heritage.names == "british" and draw.random() < DOUBLE_BARRELLED:
        other = surnames[int(draw.integers(len(surnames)))]
        surname = (f"{surname[0]}-{other[0]}", f"{surname[1]}-{other[1]}") if "-" not in surname[0] + other[0] else surname
    if number % LONGEST_EVERY == LONGEST_EVERY // 2:
        surname = (LONGEST[0], LONGEST[0])
    address, postcode = _address(draw, cluster)
    return Family(number, cluster, heritage, surname, address, postcode)


@cache
def _shares(kind: int) -> Floats:
    """Backgrounds as they add up, in one of the kinds of neighbourhood (`MIXED`: times the usual share of other backgrounds)."""
    mixed = MIXED[kind]
    return np.cumsum([one.share * (1.0 if one.names == "british" else mixed) for one in heritages()])


def _address(draw: np.random.Generator, cluster: int) -> tuple[str, str]:
    words = places()
    street = words["streets"][int(draw.integers(len(words["streets"])))]
    kind = words["street_types"][int(draw.integers(len(words["street_types"])))]
    town = words["towns"][cluster % len(words["towns"])]
    house = int(draw.integers(1, 180))
    flat = f"Flat {int(draw.integers(1, 40))}, " if draw.random() < IN_A_FLAT else ""
    letters = [UNIT[int(one)] for one in draw.integers(len(UNIT), size=2)]
    postcode = POSTCODE.format(1 + cluster % 9, int(draw.integers(1, 10)), *letters)
    return f"{flat}{house} {street} {kind}, {town}", postcode


def _members(draw: np.random.Generator, family: Family, group: list[int], children: Settling) -> list[Member]:
    listed = names()[family.heritage.names]
    found: list[Member] = []
    born_by_cohort: dict[int, date] = {}
    taken: set[str] = set()
    for child in sorted(group, key=lambda one: -children.cohorts[one]):
        cohort = children.cohorts[child]
        sex = FEMALE if draw.random() < GIRLS else MALE
        born = born_by_cohort.get(cohort) or date(children.first_year - 5 - cohort, 9, 1) + timedelta(int(draw.integers(365)))
        born_by_cohort[cohort] = born
        pool = listed.girls if sex == FEMALE else listed.boys
        forename = pool[int(draw.integers(len(pool)))]
        if forename in taken:
            forename = pool[(pool.index(forename) + 1) % len(pool)]
        if sex == FEMALE and family.surname[0] == LONGEST[0] and not taken:
            forename = LONGEST[1]
        taken.add(forename)
        middle = pool[int(draw.integers(len(pool)))] if draw.random() < MIDDLE_NAME else None
        surname = family.surname[sex == FEMALE]
        if draw.random() < OTHER_SURNAME and cohort not in [children.cohorts[one.child] for one in found]:
            surname = listed.surnames[int(draw.integers(len(listed.surnames)))][sex == FEMALE]
        found.append(Member(child, born, sex, forename, middle if middle != forename else None, surname))
    for one in found:
        twins = [other for other in found if other.born == one.born]
        if len(twins) > 1:
            one.surname = family.surname[one.sex == FEMALE]
    return found


def _parents(draw: np.random.Generator, family: Family, first: int) -> None:
    chance = draw.random()
    mother = _parent(draw, family, first, "F", apart=False)
    family.parents = [mother]
    ties = [Tie(first, "Mother", parental_responsibility=True, priority=1)]
    if chance >= LONE_PARENT:
        apart = chance < LONE_PARENT + LIVES_APART
        family.parents.append(_parent(draw, family, first + 1, "M", apart=apart))
        relationship = "Father" if draw.random() < FATHER else "Step-father"
        ties.append(Tie(first + 1, relationship, parental_responsibility=relationship == "Father", priority=2))
    elif draw.random() < GRANDMOTHER:
        family.parents.append(_parent(draw, family, first + 1, "F", apart=True))
        ties.append(Tie(first + 1, "Grandmother", parental_responsibility=False, priority=2))
    family.ties = tuple(ties)


def _parent(draw: np.random.Generator, family: Family, number: int, sex: str, *, apart: bool) -> Parent:
    listed = names()[family.heritage.names]
    pool = listed.girls if sex == FEMALE else listed.boys
    forename = pool[int(draw.integers(len(pool)))]
    surname = family.surname[sex == FEMALE]
    if draw.random() < PARENT_OTHER_SURNAME:
        surname = listed.surnames[int(draw.integers(len(listed.surnames)))][sex == FEMALE]
    digits = int(draw.integers(1000))
    landline = LANDLINES[int(draw.integers(len(LANDLINES)))]
    phone = (MOBILES if draw.random() < GIVES_MOBILE else landline).format(digits)
    address, postcode = _address(draw, family.cluster) if apart else (family.address, family.postcode)
    return Parent(
        number=number,
        name=f"{TITLES[sex]} {forename} {surname}",
        phone=phone if draw.random() < GIVES_NUMBER else None,
        email=f"family{number}@post.example" if draw.random() < GIVES_EMAIL else None,
        address=address,
        postcode=postcode,
        do_not_disclose=bool(apart and draw.random() < DO_NOT_DISCLOSE / LIVES_APART),
    )
