"""Pupils in an upload: checks of a pupil list, and pupils named in a file of marks."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from portal.platform import clock
from portal.pupils.domain.incoming import IncomingParent, IncomingPupil, academic_year_of_list, has_right_check_letter
from portal.pupils.domain.matching import MatchKind
from portal.pupils.models import CHARACTERISTICS
from portal.pupils.queries import pupil_matches, roll
from portal.rules.calendar import academic_year_name, register_year, week_of
from portal.uploads.domain.findings import Finding, reading_findings, row_ranges
from portal.uploads.domain.kinds import CheckedPupils
from portal.uploads.domain.preview_lists import lists_of_pupils
from portal.uploads.domain.previews import PupilListPreview

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from portal.uploads.domain.checks import SchoolContext
    from portal.uploads.domain.preview_lists import PreviewLists
    from portal.uploads.domain.reading.result import Person, Reading

NO_FORENAME = "A new pupil needs a forename. Add it, or write the name as Surname, Forename."
WRONG_CHECK_LETTER = "The UPN's check letter does not fit its digits. It was kept as sent: check it with the school's system."


def check_pupil_list(
    school_id: UUID, reading: Reading, *, academic_year: int | None = None
) -> tuple[CheckedPupils, PupilListPreview, PreviewLists]:
    """Check a pupil list, and count pupils that are new, known or possible duplicates. Changes nothing."""
    reading = _only_people(reading)
    sent = [_incoming_pupil(person) for person in reading.people]
    year = academic_year or academic_year_of_list(sent, clock.today())
    findings = reading_findings(reading)
    rows = [pupil.row for pupil in sent if pupil.upn and not has_right_check_letter(pupil.upn)]
    if rows:
        findings.append(Finding("odd-upn", False, None, None, row_ranges(np.array(rows)), None, WRONG_CHECK_LETTER, len(rows)))
    matches = pupil_matches(sent, school_id)
    # A pupil the school has already keeps the forename on the portal.
    unnamed = {match.incoming.row for match in matches if match.kind is MatchKind.NEW and not match.incoming.forename}
    if unnamed:
        rows_text = row_ranges(np.array(sorted(unnamed)))
        findings.append(Finding("no-forename", True, None, None, rows_text, None, NO_FORENAME, len(unnamed)))
    rejected = sum(problem.count for problem in reading.problems)
    checked = CheckedPupils(
        rows_in=len(sent) + rejected,
        rows_rejected=rejected + len(unnamed),
        findings=findings,
        people=[pupil for pupil in sent if pupil.row not in unnamed],
        academic_year=year,
    )
    kept_matches = [match for match in matches if match.incoming.row not in unnamed]
    counts = Counter(match.kind for match in kept_matches)
    preview = PupilListPreview(academic_year=academic_year_name(year), matches=dict(counts))
    return checked, preview, lists_of_pupils(kept_matches, roll(school_id, year), clock.today())


def _only_people(reading: Reading) -> Reading:
    """The reading of a Common Transfer File sent as a pupil list, without problems of its marks.

    Each pupil who cannot be read counts as one rejected row, however many marks they have.
    """
    if reading.layout != "ctf":
        return reading
    problems = (
        replace(problem, count=0 if problem.kind == "unread-word" else 1)
        for problem in reading.problems
        if problem.kind in {"no-name", "odd-upn", "unread-word"}
    )
    return replace(reading, problems=tuple(problems))


def _incoming_pupil(person: Person) -> IncomingPupil:
    fields = person.fields
    return IncomingPupil(
        surname=person.surname,
        forename=person.forename,
        date_of_birth=person.date_of_birth,
        upn=fields.get("upn"),
        former_upn=fields.get("former_upn"),
        middle_names=fields.get("middle_names"),
        sex=fields.get("sex"),
        year_group=fields.get("year_group"),
        registration_group=fields.get("registration_group"),
        enrolment_status=fields.get("enrolment_status"),
        admission_date=fields.get("admission_date"),
        leaving_date=fields.get("leaving_date"),
        characteristics={kind: fields[kind] for kind in CHARACTERISTICS if fields.get(kind)},
        ethnicity=fields.get("ethnicity"),
        eal=fields.get("eal"),
        address=fields.get("address"),
        postcode=fields.get("postcode"),
        parents=tuple(IncomingParent(**parent) for parent in person.parents),
        row=person.row,
    )


def pupils_from_marks(reading: Reading, school: SchoolContext) -> Mapping[int, Sequence[IncomingPupil]]:
    """Pupils in a file of marks who are not on the roll yet, by academic year.

    Only pupils with a UPN, both names and a date of birth: others could not be matched later.
    """
    years = sorted({register_year(week_of(day)) for day in reading.dates})
    pupils_by_year: dict[int, list[IncomingPupil]] = {}
    for year in years:
        roll = school.years[year].roll
        new_pupils = [
            IncomingPupil(
                surname=key.surname,
                forename=key.forename,
                date_of_birth=key.date_of_birth,
                upn=key.upn,
                former_upn=key.former_upn,
                year_group=key.year_group,
                registration_group=key.registration_group,
            )
            for key in reading.pupils
            if key.upn and key.upn not in roll.index_by_upn and key.surname and key.forename and key.date_of_birth
        ]
        if new_pupils:
            pupils_by_year[year] = new_pupils
    return pupils_by_year
