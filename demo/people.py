"""The people of the demonstration: one or more in every role, with e-mail domains that do not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.plans import Person
from portal.security.permissions import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from demo.plans import School

#: People of the authority itself: role, name, job title.
AUTHORITY_PEOPLE = (
    (Role.LA_ADMINISTRATOR, "Ngozi Ashdown", "Systems and Data Manager"),
    (Role.LA_MANAGER, "Helen Tregarth", "Head of Attendance and Inclusion"),
    (Role.LA_OFFICER, "Imran Qadir", "Attendance Officer, north"),
    (Role.LA_OFFICER, "Bronwen Lacey", "Attendance Officer, south"),
    (Role.LA_LEGAL, "Sunil Mehta-Rowe", "Education Solicitor"),
    (Role.AUDITOR, "Agnieszka Wolny", "Data Protection Officer"),
)
#: People of the first school of each phase: role, name, job title.
SCHOOL_PEOPLE = {
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
#: Surnames of the people who have the same jobs in the neighbouring authority.
SURNAMES_NEXT_DOOR = ("Marchbank", "Eddowes", "Fairweather", "Threlkeld", "Obi-Grange", "Sandiford", "Pascoe", "Illingworth")


def people_of(authority: str, schools: Sequence[School]) -> tuple[Person, ...]:
    """Everyone who signs in for an authority: first its own people, then those of schools, trust and partner.

    The platform's operator is `OPERATOR`, one for all authorities.
    """
    domain = authority.casefold().replace(" ", "-")
    people = [*_authority_people(domain), *_school_people(domain, schools)]
    people += _trust_people(domain, schools)
    people.append(Person("Yusuf Penhale", f"yusuf.penhale@lantern.{domain}.example", Role.PARTNER, "Family Worker", (), AGENCY))
    if authority == "Wrenfold":
        return tuple(people)
    return tuple(_neighbour_person(person, index, domain) for index, person in enumerate(people))


def _authority_people(domain: str) -> Iterator[Person]:
    for role, name, title in AUTHORITY_PEOPLE:
        yield Person(name, _email(name, f"{domain}.example"), role, title)


def _school_people(domain: str, schools: Sequence[School]) -> Iterator[Person]:
    for phase, staff in SCHOOL_PEOPLE.items():
        school = next((school for school in schools if school.phase == phase), None)
        if school is not None:
            for role, name, title in staff:
                yield Person(name, _email(name, f"school{school.urn}.{domain}.example"), role, title, (school.urn,))


def _trust_people(domain: str, schools: Sequence[School]) -> Iterator[Person]:
    urns_by_trust: dict[str, list[str]] = {}
    for school in schools:
        if school.trust:
            urns_by_trust.setdefault(school.trust, []).append(school.urn)
    largest = max(urns_by_trust, key=lambda trust: (len(urns_by_trust[trust]), trust), default=None)
    if largest is not None:
        name = "Beatrix Holloway-Nkemelu"
        yield Person(
            name,
            _email(name, f"trust.{domain}.example"),
            Role.TRUST_LEAD,
            "Director of Inclusion",
            tuple(urns_by_trust[largest]),
            None,
        )


def _neighbour_person(person: Person, index: int, domain: str) -> Person:
    name = f"{person.name.split()[0]} {SURNAMES_NEXT_DOOR[index % len(SURNAMES_NEXT_DOOR)]}"
    email_domain = person.email.partition("@")[2]
    return Person(name, _email(name, email_domain or domain), person.role, person.title, person.schools, person.agency)


def _email(name: str, domain: str) -> str:
    plain = name.casefold().replace("ó", "o").replace("í", "i").replace("'", "")
    return f"{'.'.join(plain.split())}@{domain}"
