"""The people of the demonstration: one or more in every role, with addresses at domains that do not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.demonstration.plans import Person
from portal.permissions import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portal.demonstration.plans import School

#: People of the authority itself: role, name, job title.
OF_THE_AUTHORITY = (
    (Role.LA_ADMINISTRATOR, "Ngozi Ashdown", "Systems and Data Manager"),
    (Role.LA_MANAGER, "Helen Tregarth", "Head of Attendance and Inclusion"),
    (Role.LA_OFFICER, "Imran Qadir", "Attendance Officer, north"),
    (Role.LA_OFFICER, "Bronwen Lacey", "Attendance Officer, south"),
    (Role.LA_LEGAL, "Sunil Mehta-Rowe", "Education Solicitor"),
    (Role.AUDITOR, "Agnieszka Wolny", "Data Protection Officer"),
)
#: People of a school, for the first school of each phase: role, name, job title.
OF_A_SCHOOL = {
    "secondary": (
        (Role.HEADTEACHER, "Dorothea Vane", "Headteacher"),
        (Role.ATTENDANCE_LEAD, "Marcus Oyelowo-Finch", "Assistant Head, Attendance"),
        (Role.SCHOOL_ADMINISTRATOR, "Priti Dasgupta", "Business Manager"),
        (Role.SCHOOL_OFFICE, "Carol Nettleship", "Attendance Clerk"),
    ),
    "primary": (
        (Role.HEADTEACHER, "Tomasz Zawada", "Headteacher"),
        (Role.ATTENDANCE_LEAD, "Ffion Carrow", "Deputy Head"),
        (Role.SCHOOL_ADMINISTRATOR, "Jean Applegarth", "School Business Lead"),
        (Role.SCHOOL_OFFICE, "Sal Whitterick", "School Office"),
    ),
    "special": (
        (Role.HEADTEACHER, "Adaora Pell", "Headteacher"),
        (Role.ATTENDANCE_LEAD, "Róisín Tarbuck", "Family Liaison Lead"),
    ),
    "alternative": ((Role.ATTENDANCE_LEAD, "Kwabena Lisle", "Centre Manager"),),
}
AGENCY = "Lantern Family Support"
OPERATOR = Person("Robin Castellane", "robin.castellane@platform.example", Role.PLATFORM_OPERATOR, "Platform operator")
#: In the neighbouring authority the same jobs are done by others.
SURNAMES_NEXT_DOOR = ("Marchbank", "Eddowes", "Fairweather", "Threlkeld", "Obi-Grange", "Sandiford", "Pascoe", "Illingworth")


def people_of(authority: str, schools: Sequence[School]) -> tuple[Person, ...]:
    """Everyone who signs in for an authority: by role, LA first. The platform's operator is `OPERATOR`, once for all."""
    domain = authority.casefold().replace(" ", "-")
    found = [*_of_the_authority(domain), *_of_the_schools(domain, schools)]
    found += _of_trusts(domain, schools)
    found.append(Person("Yusuf Penhale", f"yusuf.penhale@lantern.{domain}.example", Role.PARTNER, "Family Worker", (), AGENCY))
    if authority == "Wrenfold":
        return tuple(found)
    return tuple(_next_door(person, place, domain) for place, person in enumerate(found))


def _of_the_authority(domain: str) -> Iterator[Person]:
    for role, name, title in OF_THE_AUTHORITY:
        yield Person(name, _email(name, f"{domain}.example"), role, title)


def _of_the_schools(domain: str, schools: Sequence[School]) -> Iterator[Person]:
    for phase, staff in OF_A_SCHOOL.items():
        here = next((school for school in schools if school.phase == phase), None)
        if here is not None:
            for role, name, title in staff:
                yield Person(name, _email(name, f"school{here.urn}.{domain}.example"), role, title, (here.urn,))


def _of_trusts(domain: str, schools: Sequence[School]) -> Iterator[Person]:
    held: dict[str, list[str]] = {}
    for school in schools:
        if school.trust:
            held.setdefault(school.trust, []).append(school.urn)
    largest = max(held, key=lambda trust: (len(held[trust]), trust), default=None)
    if largest is not None:
        name = "Beatrix Holloway-Nkemelu"
        yield Person(
            name, _email(name, f"trust.{domain}.example"), Role.TRUST_LEAD, "Director of Inclusion", tuple(held[largest]), None
        )


def _next_door(person: Person, place: int, domain: str) -> Person:
    name = f"{person.name.split()[0]} {SURNAMES_NEXT_DOOR[place % len(SURNAMES_NEXT_DOOR)]}"
    at = person.email.partition("@")[2]
    return Person(name, _email(name, at or domain), person.role, person.title, person.schools, person.agency)


def _email(name: str, domain: str) -> str:
    plain = name.casefold().replace("ó", "o").replace("í", "i").replace("'", "")
    return f"{'.'.join(plain.split())}@{domain}"
