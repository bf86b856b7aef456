"""Families: who lives together, their names and addresses, and their parents and carers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from demo.plans import Contact, Parent
from demo.seeded_random import stream
from demo.sources import heritages, names, word_lists

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.seeded_random import Floats
    from demo.sources import Heritage

#: How many families have one, two, three or four children at school, out of 100.
FAMILY_SIZES = (0.52, 0.33, 0.11, 0.04)
#: Shares of families, children or parents for whom each of these is true.
LONE_PARENT, LIVES_APART, FATHER, GRANDMOTHER = 0.18, 0.17, 0.88, 0.2
GIRLS, MIDDLE_NAME, OTHER_SURNAME, DOUBLE_BARRELLED, PARENT_OTHER_SURNAME = 0.489, 0.45, 0.06, 0.03, 0.15
#: One in this many possible pairs of twins is not made one: about three children in a hundred have a twin.
TWINS_OF = 3
#: One family in this many has a surname longer than usual columns hold.
LONGEST_EVERY, LONGEST = 900, ("Featherstonehaugh-Cholmondeley-Wigglesworth", "Wilhelmina-Alexandrina")
IN_A_FLAT, GIVES_MOBILE, GIVES_NUMBER, GIVES_EMAIL, DO_NOT_DISCLOSE = 0.12, 0.85, 0.97, 0.8, 0.006
MALE, FEMALE = "M", "F"
MIXED = (0.45, 1.4, 0.7, 2.1)
TITLES = {"M": "Mr", "F": "Ms"}
#: Telephone numbers Ofcom reserves for drama, and never gives out.
MOBILES = "07700 900{:03d}"
LANDLINES = ("01632 960{:03d}", "020 7946 0{:03d}", "0113 496 0{:03d}")
#: No real postcode area begins with Q or X, and no real unit has these letters.
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
    """A household: its children, and their parents and carers."""

    number: int
    cluster: int
    heritage: Heritage
    surname: tuple[str, str]
    address: str
    postcode: str
    members: list[Member] = field(default_factory=list)
    parents: list[Parent] = field(default_factory=list)
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True)
class Children:
    """What is known of the children before they have families, one element per child.

    `cohorts`: the year group in the first year. `clusters`: the home cluster. `first_classes`: the school and year group
    where the child is first enrolled, which tells who may be twins.
    """

    first_year: int
    cohorts: Sequence[int]
    clusters: Sequence[int]
    first_classes: Sequence[tuple[int, int]]


def make_families(seed: int, children: Children) -> list[Family]:
    """Put every child in a family.

    Two siblings of one year group are twins, so they must be at one school.
    """
    rng = stream(seed, "families")
    families: list[Family] = []
    parents = 0
    for group in _sibling_groups(rng, children):
        family = _family(rng, len(families), children.clusters[group[0]])
        family.members = _members(rng, family, group, children)
        _parents(rng, family, parents)
        parents += len(family.parents)
        families.append(family)
    return families


def _sibling_groups(rng: np.random.Generator, children: Children) -> list[list[int]]:
    # Shuffled, because children are numbered by school and class: in order, every family would be full of twins.
    order = rng.permutation(len(children.cohorts))
    by_cluster: dict[int, list[int]] = {}
    for child in order:
        by_cluster.setdefault(children.clusters[child], []).append(int(child))
    groups: list[list[int]] = []
    for cluster in sorted(by_cluster):
        unplaced, start = by_cluster[cluster], 0
        sizes = rng.choice(len(FAMILY_SIZES), size=len(unplaced), p=FAMILY_SIZES) + 1
        for size in sizes:
            if start >= len(unplaced):
                break
            groups += _split_siblings(unplaced[start : start + size], children)
            start += int(size)
    return groups


def _split_siblings(group: list[int], children: Children) -> list[list[int]]:
    """Keep a family together, but separate a child whose year group a sibling at another school has.

    Such a pair would be twins at two schools.
    """
    together: list[int] = []
    separated: list[list[int]] = []
    for child in group:
        same_year = [sibling for sibling in together if children.cohorts[sibling] == children.cohorts[child]]
        is_twin = (
            len(same_year) == 1 and children.first_classes[same_year[0]] == children.first_classes[child] and child % TWINS_OF != 0
        )
        if same_year and not is_twin:
            separated.append([child])
        else:
            together.append(child)
    return [together, *separated]


def _family(rng: np.random.Generator, number: int, cluster: int) -> Family:
    backgrounds = heritages()
    shares = _shares(cluster % len(MIXED))
    heritage = backgrounds[int(np.searchsorted(shares, rng.random() * shares[-1]))]
    surnames = names()[heritage.names].surnames
    surname = surnames[int(rng.integers(len(surnames)))]
    if heritage.names == "british" and rng.random() < DOUBLE_BARRELLED:
        second = surnames[int(rng.integers(len(surnames)))]
        surname = (f"{surname[0]}-{second[0]}", f"{surname[1]}-{second[1]}") if "-" not in surname[0] + second[0] else surname
    if number % LONGEST_EVERY == LONGEST_EVERY // 2:
        surname = (LONGEST[0], LONGEST[0])
    address, postcode = _make_address(rng, cluster)
    return Family(number, cluster, heritage, surname, address, postcode)


@cache
def _shares(neighbourhood: int) -> Floats:
    """Cumulative shares of the family backgrounds in one kind of neighbourhood.

    `MIXED` says how many times the usual share other backgrounds have there.
    """
    multiplier = MIXED[neighbourhood]
    return np.cumsum([heritage.share * (1.0 if heritage.names == "british" else multiplier) for heritage in heritages()])


def _make_address(rng: np.random.Generator, cluster: int) -> tuple[str, str]:
    words = word_lists()
    street = words["streets"][int(rng.integers(len(words["streets"])))]
    street_type = words["street_types"][int(rng.integers(len(words["street_types"])))]
    town = words["towns"][cluster % len(words["towns"])]
    house = int(rng.integers(1, 180))
    flat = f"Flat {int(rng.integers(1, 40))}, " if rng.random() < IN_A_FLAT else ""
    letters = [UNIT[int(index)] for index in rng.integers(len(UNIT), size=2)]
    postcode = POSTCODE.format(1 + cluster % 9, int(rng.integers(1, 10)), *letters)
    return f"{flat}{house} {street} {street_type}, {town}", postcode


def _members(rng: np.random.Generator, family: Family, group: list[int], children: Children) -> list[Member]:
    name_list = names()[family.heritage.names]
    members: list[Member] = []
    born_by_cohort: dict[int, date] = {}
    used_forenames: set[str] = set()
    for child in sorted(group, key=lambda number: -children.cohorts[number]):
        cohort = children.cohorts[child]
        sex = FEMALE if rng.random() < GIRLS else MALE
        date_of_birth = born_by_cohort.get(cohort) or date(children.first_year - 5 - cohort, 9, 1) + timedelta(
            int(rng.integers(365))
        )
        born_by_cohort[cohort] = date_of_birth
        given_names = name_list.girls if sex == FEMALE else name_list.boys
        forename = given_names[int(rng.integers(len(given_names)))]
        if forename in used_forenames:
            forename = given_names[(given_names.index(forename) + 1) % len(given_names)]
        if sex == FEMALE and family.surname[0] == LONGEST[0] and not used_forenames:
            forename = LONGEST[1]
        used_forenames.add(forename)
        middle = given_names[int(rng.integers(len(given_names)))] if rng.random() < MIDDLE_NAME else None
        surname = family.surname[sex == FEMALE]
        if rng.random() < OTHER_SURNAME and cohort not in [children.cohorts[member.child] for member in members]:
            surname = name_list.surnames[int(rng.integers(len(name_list.surnames)))][sex == FEMALE]
        members.append(Member(child, date_of_birth, sex, forename, middle if middle != forename else None, surname))
    for member in members:
        twins = [sibling for sibling in members if sibling.born == member.born]
        if len(twins) > 1:
            member.surname = family.surname[member.sex == FEMALE]
    return members


def _parents(rng: np.random.Generator, family: Family, first: int) -> None:
    chance = rng.random()
    mother = _parent(rng, family, first, "F", lives_apart=False)
    family.parents = [mother]
    contacts = [Contact(first, "Mother", parental_responsibility=True, priority=1)]
    if chance >= LONE_PARENT:
        lives_apart = chance < LONE_PARENT + LIVES_APART
        family.parents.append(_parent(rng, family, first + 1, "M", lives_apart=lives_apart))
        relationship = "Father" if rng.random() < FATHER else "Step-father"
        contacts.append(Contact(first + 1, relationship, parental_responsibility=relationship == "Father", priority=2))
    elif rng.random() < GRANDMOTHER:
        family.parents.append(_parent(rng, family, first + 1, "F", lives_apart=True))
        contacts.append(Contact(first + 1, "Grandmother", parental_responsibility=False, priority=2))
    family.contacts = tuple(contacts)


def _parent(rng: np.random.Generator, family: Family, number: int, sex: str, *, lives_apart: bool) -> Parent:
    name_list = names()[family.heritage.names]
    given_names = name_list.girls if sex == FEMALE else name_list.boys
    forename = given_names[int(rng.integers(len(given_names)))]
    surname = family.surname[sex == FEMALE]
    if rng.random() < PARENT_OTHER_SURNAME:
        surname = name_list.surnames[int(rng.integers(len(name_list.surnames)))][sex == FEMALE]
    last_digits = int(rng.integers(1000))
    landline = LANDLINES[int(rng.integers(len(LANDLINES)))]
    phone = (MOBILES if rng.random() < GIVES_MOBILE else landline).format(last_digits)
    address, postcode = _make_address(rng, family.cluster) if lives_apart else (family.address, family.postcode)
    return Parent(
        number=number,
        name=f"{TITLES[sex]} {forename} {surname}",
        phone=phone if rng.random() < GIVES_NUMBER else None,
        email=f"family{number}@post.example" if rng.random() < GIVES_EMAIL else None,
        address=address,
        postcode=postcode,
        do_not_disclose=bool(lives_apart and rng.random() < DO_NOT_DISCLOSE / LIVES_APART),
    )
