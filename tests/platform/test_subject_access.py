"""Subject access collects what is held about one person, and nothing of another school, authority or person."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from portal.audit.actions import record
from portal.audit.models import AuditEvent
from portal.capabilities import CAPABILITIES
from portal.db.work import tx, unit_of_work
from portal.platform import clock
from portal.platform.capability import Holding, Path, Subject
from portal.platform.refusals import NotFoundError
from portal.platform.subject_access import collect
from portal.pupils.events import DECIDED
from portal.pupils.models import Characteristic, Child, ChildLink, Contact, PupilContact, RollLine
from portal.registers.models import MarkNote
from portal.security.permissions import Role
from portal.uploads import actions as uploads
from portal.uploads.models import ReportedTotal
from tests.support import objects
from tests.support.world import write_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.platform.subject_access import SubjectData
    from portal.security.scope import Scope
    from tests.support.world import AuthorityWorld, World

HOLDINGS = [holding for capability in CAPABILITIES for holding in capability.holdings]
#: What only the whole authority may collect: links between schools, and what names no school.
OF_THE_AUTHORITY = {"audit_event", "read_log", "child_link", "possible_same_child"}


def of_pupils() -> set[str]:
    """The tables that a path or an extract leads to from a pupil's record."""
    return {holding.table for holding in HOLDINGS if any(path.subject is Subject.PUPIL for path in holding.paths)} | {"pupil"}


def rows_by_table(data: SubjectData) -> dict[str, list[Mapping[str, object]]]:
    """The collected rows of each table."""
    return {part.holding.table: list(part.rows) for part in data.parts}


class Planted:
    """A child with a record at two schools, each with a row in every table about a pupil."""

    def __init__(self, authority: AuthorityWorld) -> None:
        self.authority = authority
        self.records = {school: self._plant(school) for school in (authority.primary, authority.secondary)}
        with unit_of_work(authority.scope(Role.LA_MANAGER)):
            write_rows(self._link)

    def _plant(self, school: UUID) -> UUID:
        ids = objects.make_objects(self.authority, school=school)
        with unit_of_work(self.authority.scope(Role.LA_MANAGER)):
            write_rows(lambda: _more_rows(school, ids))
        return ids["pupil_id"]

    def _link(self) -> None:
        self.child_id = uuid4()
        tx().add(Child(id=self.child_id, created_at=clock.now()))
        tx().flush()
        for school, pupil in self.records.items():
            for link in tx().scalars(select(ChildLink).where(ChildLink.pupil_id == pupil, ChildLink.unlinked_at.is_(None))):
                link.unlinked_at = clock.now()
            tx().flush()
            tx().add(
                ChildLink(
                    id=uuid4(), child_id=self.child_id, pupil_id=pupil, school_id=school, linked_at=clock.now(), basis="decision"
                )
            )
            record(DECIDED, pupil, school=school, decision="same", compared_with=pupil, became=pupil)

    def collect(self, school: UUID, subject: Subject = Subject.PUPIL, subject_id: UUID | None = None) -> SubjectData:
        """Collect in a school's scope, by default the school's own record."""
        with unit_of_work(self.school_scope(school)):
            return collect(subject, subject_id or self.records[school])

    def school_scope(self, school: UUID) -> Scope:
        """The scope of a headteacher of this school."""
        return replace(self.authority.scope(Role.HEADTEACHER), schools=frozenset({school}))


def _more_rows(school: UUID, ids: dict[str, UUID]) -> None:
    pupil, now = ids["pupil_id"], clock.now()
    tx().add(Characteristic(id=uuid4(), school_id=school, pupil_id=pupil, kind="fsm", value="Y", recorded_at=now))
    tx().add(
        MarkNote(id=uuid4(), school_id=school, pupil_id=pupil, on=date(2026, 11, 2), session="AM", minutes_late=5, comment="Bus")
    )
    tx().add(ReportedTotal(id=uuid4(), upload_id=ids["upload_id"], school_id=school, pupil_id=pupil, span="2026", absent=3))


@pytest.fixture
def planted(world: World) -> Planted:
    """The child of the authority under test. The neighbour has a look-alike."""
    Planted(world.neighbour)
    return Planted(world.authority)


def test_a_school_collects_a_row_of_every_table_about_its_pupil(planted: Planted) -> None:
    data = rows_by_table(planted.collect(planted.authority.primary))
    assert set(data) == of_pupils() - OF_THE_AUTHORITY


def test_the_authority_collects_the_links_and_the_reads_too(planted: Planted) -> None:
    with unit_of_work(planted.authority.scope(Role.LA_MANAGER)):
        data = rows_by_table(collect(Subject.PUPIL, planted.records[planted.authority.primary]))
    assert of_pupils() - {"read_log", "possible_same_child"} <= set(data)
    assert {row["event"] for row in data["audit_event"]} >= {"pupil_match.decided"}


def test_a_school_collects_no_row_of_the_other_school(planted: Planted) -> None:
    first, second = planted.records
    for school, other_school in ((first, second), (second, first)):
        data = rows_by_table(planted.collect(school))
        schools = {row["school_id"] for rows in data.values() for row in rows if "school_id" in row}
        assert schools == {school}
        assert str(other_school) not in str(data)
        assert str(planted.records[other_school]) not in str(data)


def test_a_school_is_not_shown_who_read_or_linked_the_record(planted: Planted) -> None:
    """The audit names no school: in a school's scope it would show another school's acts."""
    data = planted.collect(planted.authority.primary)
    assert OF_THE_AUTHORITY.isdisjoint(rows_by_table(data))
    with unit_of_work(planted.school_scope(planted.authority.primary)):
        assert tx().scalars(select(AuditEvent.event)).first(), "row security alone would have shown it"


@pytest.mark.parametrize("subject", [Subject.PUPIL, Subject.CHILD, Subject.CONTACT])
def test_another_schools_record_is_not_found(planted: Planted, subject: Subject) -> None:
    with unit_of_work(planted.authority.scope(Role.LA_MANAGER)):
        record_id = planted.records[planted.authority.secondary]
        contact = tx().scalars(select(PupilContact.contact_id).where(PupilContact.pupil_id == record_id)).one()
    subject_id = {Subject.PUPIL: record_id, Subject.CHILD: planted.child_id, Subject.CONTACT: contact}[subject]
    with pytest.raises(NotFoundError):
        planted.collect(planted.authority.primary, subject, subject_id)


@pytest.mark.parametrize("role", [Role.LA_MANAGER, Role.HEADTEACHER, Role.PARTNER])
def test_another_authoritys_record_is_not_found(world: World, planted: Planted, role: Role) -> None:
    with unit_of_work(world.neighbour.scope(role)), pytest.raises(NotFoundError):
        collect(Subject.PUPIL, planted.records[planted.authority.primary])


def test_a_partner_finds_no_record(planted: Planted) -> None:
    scope = planted.authority.scope(Role.PARTNER)
    for opened in (scope, replace(scope, agency=uuid4(), shares=frozenset({uuid4()}))):
        for record_id in planted.records.values():
            with unit_of_work(opened), pytest.raises(NotFoundError):
                collect(Subject.PUPIL, record_id)


@pytest.mark.parametrize(
    ("column", "source"),
    [("authority_id", "pupil.authority_id"), ("academic_year", "pupil_year_summary.academic_year")],
)
def test_a_path_that_is_declared_too_wide_stops_at_the_school(planted: Planted, column: str, source: str) -> None:
    school = planted.authority.primary
    wide = [
        Holding("pupil", "The record"),
        Holding("pupil_year_summary", "Counts", (Path(Subject.PUPIL, "pupil_id"),)),
        Holding("roll_line", "Lines", (Path(Subject.PUPIL, column, source),)),
    ]
    with unit_of_work(planted.school_scope(school)):
        data = rows_by_table(collect(Subject.PUPIL, planted.records[school], wide))
    assert {row["school_id"] for row in data["roll_line"]} == {school}
    with unit_of_work(planted.authority.scope(Role.LA_MANAGER)):
        data = rows_by_table(collect(Subject.PUPIL, planted.records[school], wide))
    assert {row["school_id"] for row in data["roll_line"]} == set(planted.records)


def test_a_child_is_collected_from_every_record_that_is_linked_today(planted: Planted) -> None:
    with unit_of_work(planted.authority.scope(Role.LA_MANAGER)):
        data = rows_by_table(collect(Subject.CHILD, planted.child_id))
        assert {row["id"] for row in data["pupil"]} == set(planted.records.values())
        assert {row["pupil_id"] for row in data["roll_line"]} == set(planted.records.values())
        write_rows(lambda: _unlink(planted.records[planted.authority.secondary]))
        data = rows_by_table(collect(Subject.CHILD, planted.child_id))
    assert {row["id"] for row in data["pupil"]} == {planted.records[planted.authority.primary]}
    assert {row["school_id"] for row in data["register_page"]} == {planted.authority.primary}


def _unlink(pupil: UUID) -> None:
    for link in tx().scalars(select(ChildLink).where(ChildLink.pupil_id == pupil, ChildLink.unlinked_at.is_(None))):
        link.unlinked_at = clock.now()


def test_a_parent_is_collected_without_the_childrens_records(planted: Planted) -> None:
    school = planted.authority.primary
    with unit_of_work(planted.school_scope(school)):
        contact = tx().scalars(select(Contact.id)).one()
        data = rows_by_table(collect(Subject.CONTACT, contact))
    assert set(data) == {"contact", "pupil_contact"}


def test_marks_are_the_pupils_own_line_in_every_version(planted: Planted) -> None:
    """Of three pupils the second is corrected, so that no two lines and versions are alike."""
    school = planted.authority.primary
    with unit_of_work(planted.authority.scope(Role.LA_MANAGER)):
        correction = objects.long_csv(1, days=5, first=1, code="I")
        uploads.import_file(school, kind="marks", file_name="correction.csv", content=correction)
    with unit_of_work(planted.school_scope(school)):
        pupils = tx().scalars(select(RollLine.pupil_id).where(RollLine.school_id == school).order_by(RollLine.line)).all()
        pages = [rows_by_table(collect(Subject.PUPIL, pupil))["register_page"] for pupil in pupils]
    first_week = [[(row["version"], row["marks"]) for row in rows if row["week"] == objects.MONDAY] for rows in pages]
    present, ill = ["/", "\\"] * 5 + [""] * 4, ["I", "\\"] * 5 + [""] * 4
    assert first_week == [[(1, present), (2, line)] for line in (present, ill, present)]
    assert all(set(row) == {"school_id", "week", "version", "recorded_at", "reason", "marks"} for rows in pages for row in rows)


def test_files_are_left_to_a_person(planted: Planted) -> None:
    data = planted.collect(planted.authority.primary)
    assert {holding.table for holding in data.by_hand} >= {"upload", "upload_content", "finding", "audit_event"}


def test_secrets_never_leave(planted: Planted) -> None:
    withheld = [replace(holding, withheld=("surname",)) if holding.table == "pupil" else holding for holding in HOLDINGS]
    with unit_of_work(planted.school_scope(planted.authority.primary)):
        data = rows_by_table(collect(Subject.PUPIL, planted.records[planted.authority.primary], withheld))
    assert "surname" not in data["pupil"][0]
    assert "forename" in data["pupil"][0]


def test_people_who_sign_in_are_not_collected_in_a_scope(planted: Planted) -> None:
    person, _ = planted.authority.people[Role.HEADTEACHER]
    with unit_of_work(planted.authority.scope(Role.LA_MANAGER)), pytest.raises(ValueError, match="every authority"):
        collect(Subject.PERSON, person)
