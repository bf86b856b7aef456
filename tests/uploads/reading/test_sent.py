"""Tests of importing pupil lists and reported totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from portal.db.work import tx
from portal.security.permissions import Role
from portal.uploads import actions
from portal.uploads.models import ReportedTotal
from tests.uploads.files import findings_by_kind, get_upload, upn

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sqlalchemy.orm import Session

    from portal.uploads.models import Upload
    from tests.support.world import World

PUPIL = "<Pupil><UPN>{}</UPN><Surname>Ashdown</Surname><Forename>Bryn</Forename><DOB>{}</DOB>{}</Pupil>"
MARKS = (
    "<Attendance><YearData><AttendSessions><AttendanceStartDate>2026-11-02</AttendanceStartDate>"
    "<AttendanceMarks>{}</AttendanceMarks></AttendSessions></YearData></Attendance>"
)


@pytest.fixture
def primary(world: World, as_role: Callable[..., Session]) -> UUID:
    as_role(Role.SCHOOL_OFFICE)
    return world.authority.primary


def import_text(school: UUID, kind: str, content: str) -> Upload:
    return get_upload(actions.import_file(school, kind=kind, file_name="x", content=content.encode()))


def test_a_transfer_file_sent_as_a_pupil_list_imports_pupils_and_no_marks(primary: UUID) -> None:
    pupils = [PUPIL.format(upn(40), "2017-03-02", MARKS.format("/I")), PUPIL.format("A1", "2017-03-02", MARKS.format("////"))]
    upload = import_text(primary, "pupils", f"<CTfile><CTFpupilData>{''.join(pupils)}</CTFpupilData></CTfile>")
    assert (upload.state, upload.kind, upload.rows_in, upload.rows_stored, upload.rows_rejected) == ("applied", "pupils", 2, 1, 1)
    assert findings_by_kind(upload)["odd-upn"].count == 1


def test_marks_sent_as_a_pupil_list_are_imported_as_marks(primary: UUID) -> None:
    upload = import_text(primary, "pupils", f"UPN,Date,Session,Code\n{upn(41)},02/11/2026,AM,/\n")
    assert (upload.kind, upload.rows_in, list(findings_by_kind(upload))) == ("marks", 1, ["day-first", "unknown-pupil"])


def test_totals_of_other_schools_are_rejected(primary: UUID) -> None:
    rows = "".join(f"{upn(number)},{urn},20,{number}\n" for number, urn in enumerate(("900001", "900002", "900002", "900001", "")))
    upload = import_text(primary, "totals", f"UPN,Unique Reference Number,Possible Sessions,Absent Sessions\n{rows}")
    assert (upload.kind, upload.rows_in, upload.rows_stored, upload.rows_rejected) == ("totals", 5, 3, 2)
    finding = findings_by_kind(upload)["wrong-school"]
    assert (finding.rejected, finding.rows, finding.value, finding.count) == (True, "3 to 4", "900002", 2)
    assert tx().scalar(select(func.count()).where(ReportedTotal.upload_id == upload.id)) == 3
