"""Tests of what comes of files that are not marks: a Common Transfer File as a pupil list, and totals of a whole authority."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from portal.db import tx
from portal.permissions import Role
from portal.uploads import actions
from portal.uploads.models import ReportedTotal
from tests.uploads.files import findings, found, upn

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sqlalchemy.orm import Session

    from tests.support.world import World

PUPIL = "<Pupil><UPN>{}</UPN><Surname>Ashdown</Surname><Forename>Bryn</Forename><DOB>{}</DOB>{}</Pupil>"
MARKS = (
    "<Attendance><YearData><AttendSessions><AttendanceStartDate>2026-11-02</AttendanceStartDate>"
    "<AttendanceMarks>{}</AttendanceMarks></AttendSessions></YearData></Attendance>"
)


@pytest.fixture
def primary(world: World, as_role: Callable[..., Session]) -> UUID:
    as_role(Role.SCHOOL_OFFICE)
    return world.here.primary


def sent(school: UUID, kind: str, content: str) -> UUID:
    return actions.take(school, kind=kind, file_name="x", content=content.encode())


def test_a_transfer_file_sent_as_a_pupil_list_gives_its_pupils_and_no_marks(primary: UUID) -> None:
    marked = [PUPIL.format(upn(40), "2017-03-02", MARKS.format("/I")), PUPIL.format("A1", "2017-03-02", MARKS.format("////"))]
    upload = found(sent(primary, "pupils", f"<CTfile><CTFpupilData>{''.join(marked)}</CTFpupilData></CTfile>"))
    assert (upload.state, upload.kind, upload.rows_in, upload.rows_stored, upload.rows_refused) == ("applied", "pupils", 2, 1, 1)
    assert findings(upload)["odd-upn"].count == 1


def test_marks_sent_as_a_pupil_list_are_taken_for_marks(primary: UUID) -> None:
    upload = found(sent(primary, "pupils", f"UPN,Date,Session,Code\n{upn(41)},02/11/2026,AM,/\n"))
    assert (upload.kind, upload.rows_in, list(findings(upload))) == ("marks", 1, ["day-first", "unknown-pupil"])


def test_totals_of_other_schools_are_refused(primary: UUID) -> None:
    rows = "".join(f"{upn(number)},{urn},20,{number}\n" for number, urn in enumerate(("900001", "900002", "900002", "900001", "")))
    upload = found(sent(primary, "totals", f"UPN,Unique Reference Number,Possible Sessions,Absent Sessions\n{rows}"))
    assert (upload.kind, upload.rows_in, upload.rows_stored, upload.rows_refused) == ("totals", 5, 3, 2)
    one = findings(upload)["wrong-school"]
    assert (one.refused, one.rows, one.value, one.count) == (True, "3 to 4", "900002", 2)
    assert tx().scalar(select(func.count()).where(ReportedTotal.upload_id == upload.id)) == 3
