"""One object of every kind in an authority, for tests of every route, role and tenant."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.accounts.models import Invitation, SignIn
from portal.capabilities import CAPABILITIES
from portal.db.work import sign_in_rights, tx, unit_of_work
from portal.platform import clock
from portal.platform.capability import load
from portal.pupils.domain.incoming import IncomingPupil, pupil_to_json
from portal.pupils.models import Contact, PossibleDuplicate, PossibleSameChild, Pupil, PupilContact, RollLine
from portal.schools.models import ClosedDays, Term
from portal.security.permissions import Role
from portal.uploads import actions as uploads
from portal.uploads.models import LocalCode
from tests.support.world import write_rows

if TYPE_CHECKING:
    from tests.support.world import AuthorityWorld

MONDAY = date(2026, 11, 2)
TESTS = Path(__file__).parents[1]


def upn(number: int) -> str:
    """A UPN with a valid check letter that no real pupil can have."""
    body = f"9999999{number // 1000 % 100:02d}{number % 1000:03d}"
    letters = "ABCDEFGHJKLMNPQRTUVWXYZ"
    return letters[sum(weight * int(digit) for weight, digit in enumerate(body, 2)) % 23] + body


def long_csv(
    pupils: int, days: int = 10, *, first: int = 0, code: str = "/", start: date = MONDAY, extra: tuple[str, ...] = ()
) -> bytes:
    """A long file with both sessions of `days` weekdays for `pupils` pupils.

    Mornings have `code`, and afternoons are present. `extra` rows come last.
    """
    rows = ["UPN,Surname,Forename,DOB,NCYear,Date,Session,Code"]
    weekdays = [day for offset in range(days * 2) if (day := start + timedelta(days=offset)).weekday() < 5][:days]
    for number in range(first, first + pupils):
        year_group = number % 6 + 1
        born = date(2021 - year_group, 3, 1 + number % 27)
        pupil = f"{upn(number)},Marsh{number},Robin,{born:%d/%m/%Y},{year_group}"
        rows += [
            f"{pupil},{day:%d/%m/%Y},{half}" + (f",{code}" if half == "AM" else ",\\") for day in weekdays for half in ("AM", "PM")
        ]
    return ("\n".join([*rows, *extra]) + "\n").encode()


def make_objects(authority: AuthorityWorld, *, school: UUID | None = None) -> dict[str, UUID]:
    """An object of each kind in a school of the authority, by the name routes give its id."""
    school = school or authority.primary
    with unit_of_work(authority.scope(Role.LA_MANAGER)):
        upload = uploads.import_file(
            school,
            kind="marks",
            file_name="register.csv",
            content=long_csv(3, extra=(f"{upn(1)},,,,,02/11/2026,AM,Z1",)),
            add_pupils=True,
        )
        pupil = tx().scalars(select(RollLine.pupil_id).where(RollLine.school_id == school)).first()
        if pupil is None:
            message = "The upload added no pupil."
            raise AssertionError(message)
        ids = {
            name: uuid4()
            for name in (
                *("contact_id", "question_id", "same_child_id", "mark_id", "term_id", "closed_id", "invitation_id", "sign_in_id"),
            )
        }
        write_rows(lambda: _rows(authority, school, pupil, ids))
        ids |= {"upload_id": upload, "pupil_id": pupil, "school_id": school}
        ids |= _capabilities_own_objects(ids)
    return {**ids, "membership_id": authority.people[Role.SCHOOL_OFFICE][1], "authority_id": authority.id}


def _capabilities_own_objects(ids: dict[str, UUID]) -> dict[str, UUID]:
    """The objects that a capability makes for itself in `tests/<name>/objects.py`, so that adding one edits no list here."""
    objects: dict[str, UUID] = {}
    for capability in CAPABILITIES:
        if (TESTS / capability.name / "objects.py").exists():
            objects |= load(f"tests.{capability.name}.objects.make_objects")(ids | objects)
    return objects


def _rows(authority: AuthorityWorld, school: UUID, pupil: UUID, ids: dict[str, UUID]) -> None:
    now = clock.now()
    contact = Contact(id=ids["contact_id"], school_id=school, name="Jo Marsh", phone="020 7946 0000", do_not_disclose=False)
    tx().add(contact)
    tx().flush()
    tx().add(PupilContact(id=uuid4(), school_id=school, pupil_id=pupil, contact_id=contact.id, priority=1))
    tx().add(LocalCode(id=ids["mark_id"], school_id=school, mark="7", letters="I"))
    tx().add(Term(id=ids["term_id"], school_id=school, name="Extra", first_day=date(2028, 1, 3), last_day=date(2028, 1, 4)))
    tx().add(ClosedDays(id=ids["closed_id"], school_id=school, name="INSET", first_day=date(2028, 1, 3), last_day=date(2028, 1, 3)))
    existing = tx().scalars(select(Pupil).where(Pupil.id == pupil)).one()
    incoming = IncomingPupil(surname=existing.surname, forename="Robyn", date_of_birth=existing.date_of_birth)
    tx().add(
        PossibleDuplicate(
            id=ids["question_id"],
            school_id=school,
            academic_year=2026,
            pupil_id=pupil,
            incoming=pupil_to_json(incoming),
            differing_fields="forename",
            asked_at=now,
            match_key=incoming.match_key,
        )
    )
    _same_child_question(authority, existing, ids["same_child_id"])
    tx().add(
        Invitation(
            id=ids["invitation_id"],
            authority_id=authority.id,
            email="new@example.org",
            name="New Person",
            role=Role.SCHOOL_OFFICE,
            school_ids=[school],
            token_hash=uuid4().hex,
            created_at=now,
            expires_at=now + timedelta(days=7),
        )
    )
    person = authority.people[Role.HEADTEACHER][0]
    with sign_in_rights():
        tx().add(SignIn(id=ids["sign_in_id"], token_hash=uuid4().hex, person_id=person, created_at=now, seen_at=now))


def _same_child_question(authority: AuthorityWorld, pupil: Pupil, question_id: UUID) -> None:
    """Another school's record that may be of the same child, and the question about the two."""
    similar = Pupil(
        id=uuid4(),
        school_id=authority.secondary if pupil.school_id == authority.primary else authority.primary,
        surname=pupil.surname,
        forename="Robyn",
        surname_folded=pupil.surname_folded,
        forename_folded="robyn",
        date_of_birth=pupil.date_of_birth,
        reference="00000000",
    )
    tx().add(similar)
    tx().flush()
    first, second = sorted((pupil, similar), key=lambda record: record.id)
    tx().add(
        PossibleSameChild(
            id=question_id,
            pupil_id=first.id,
            school_id=first.school_id,
            other_pupil_id=second.id,
            other_school_id=second.school_id,
            differing_fields="UPN, forename",
            asked_at=clock.now(),
        )
    )
