"""Pupil lists in an upload: read rows as pupils, matched against those held, and told before anything changes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from portal import clock
from portal.pupils.incoming import IncomingParent, IncomingPupil, academic_year_of_list, has_right_check_letter
from portal.pupils.models import CHARACTERISTICS
from portal.pupils.queries import matching
from portal.rules.calendar import academic_year_name, register_year, week_of
from portal.uploads.checks import Checked, School
from portal.uploads.findings import Finding, read_findings, row_ranges

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from portal.uploads.reading import Person, Reading

ODD_UPN = "The UPN's check letter does not fit its digits. It was kept as sent: check it with the school's system."


def people_checked(school_id: UUID, reading: Reading, *, academic_year: int | None = None) -> tuple[Checked, dict[str, Any]]:
    """The pupils of a list, and how many would be added, changed or asked about. Changes nothing."""
    reading = _of_people(reading)
    people = [_incoming(person) for person in reading.people]
    year = academic_year or academic_year_of_list(people, clock.today())
    refused = sum(problem.count for problem in reading.problems)
    checked = Checked(
        rows_in=len(people) + refused,
        rows_refused=refused,
        findings=read_findings(reading),
        people=people,
    )
    checked.academic_year = year
    odd = [one.row for one in people if one.upn and not has_right_check_letter(one.upn)]
    if odd:
        checked.findings.append(Finding("odd-upn", False, None, None, row_ranges(np.array(odd)), None, ODD_UPN, len(odd)))
    kinds = Counter(str(match.kind) for match in matching(people, school_id))
    return checked, {"academic_year": academic_year_name(year), "pupils": dict(kinds), "missing": 0}


def _of_people(reading: Reading) -> Reading:
    """A Common Transfer File sent as a pupil list: its marks are left, and a pupil it cannot give us is one row refused."""
    if reading.layout != "ctf":
        return reading
    kept = (replace(one, count=1) for one in reading.problems if one.kind in {"no-name", "odd-upn"})
    return replace(reading, problems=tuple(kept))


def _incoming(person: Person) -> IncomingPupil:
    said = person.fields
    return IncomingPupil(
        surname=person.surname,
        forename=person.forename,
        date_of_birth=person.date_of_birth,
        upn=said.get("upn"),
        former_upn=said.get("former_upn"),
        middle_names=said.get("middle_names"),
        sex=said.get("sex"),
        year_group=said.get("year_group"),
        registration_group=said.get("registration_group"),
        enrolment_status=said.get("enrolment_status"),
        admission_date=said.get("admission_date"),
        leaving_date=said.get("leaving_date"),
        characteristics={kind: said[kind] for kind in CHARACTERISTICS if said.get(kind)},
        ethnicity=said.get("ethnicity"),
        eal=said.get("eal"),
        address=said.get("address"),
        postcode=said.get("postcode"),
        parents=tuple(IncomingParent(**parent) for parent in person.parents),
        row=person.row,
    )


def pupils_from_marks(reading: Reading, school: School) -> Mapping[int, Sequence[IncomingPupil]]:
    """Pupils a file of marks names who are on no line yet, by academic year: those with a UPN, a name and a date of birth."""
    years = sorted({register_year(week_of(day)) for day in reading.dates})
    found: dict[int, list[IncomingPupil]] = {}
    for year in years:
        roll = school.years[year].roll
        fresh = [
            IncomingPupil(
                surname=one.surname,
                forename=one.forename or "",
                date_of_birth=one.date_of_birth,
                upn=one.upn,
                former_upn=one.former_upn,
                year_group=one.year_group,
                registration_group=one.registration_group,
            )
            for one in reading.pupils
            if one.upn and one.upn not in roll.index_by_upn and one.surname and one.date_of_birth
        ]
        if fresh:
            found[year] = fresh
    return found
