"""Files as schools send them: a few schools' newest weeks, in several layouts, with and without faults."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from demo.faulty_files import SentFile, long_file
from demo.layouts import date_matrix, pupil_list, transfer_file, weekly_grid
from demo.marks import weeks_sent
from portal.db.work import unit_of_work
from portal.platform import clock
from portal.security.scope import Actor, Scope
from portal.uploads.actions import import_file, preview

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from uuid import UUID

    from demo.plans import Plan, School

    MakeFile = Callable[[Plan, str, int, Sequence[int]], SentFile]

#: What becomes of a file: applied, or checked and left waiting for someone to apply it.
APPLIED, WAITING = "applied", "waiting"
MARKS, PUPILS = "marks", "pupils"
FEWEST_WEEKS = 6
#: In a county only so many schools of a phase send files; the registers of the others are written directly.
MOST_SCHOOLS = 20
FRIDAY, OPENING_HOUR, CLOSING_HOUR, MINUTES_APART = 4, 8, 15, 4


@dataclass(frozen=True, slots=True)
class PlannedUpload:
    """A planned upload: when it comes, and whether it is applied or left waiting.

    `first_week`: the Monday from which the school's marks come by files only.
    """

    file: SentFile
    kind: str
    outcome: str
    first_week: date | None
    at: datetime

    @property
    def urn(self) -> str:
        """The URN of the school that sends it."""
        return self.file.urn


def planned_uploads(plan: Plan) -> list[PlannedUpload]:
    """The files a plan's schools send for their newest weeks, in order of time.

    Early in the year there are none: a file needs weeks to report.
    """
    year = plan.years[-1]
    uploads: list[PlannedUpload] = []
    for phase in dict.fromkeys(school.phase for school in plan.schools):
        schools = [
            school for school in plan.schools if school.phase == phase and weeks_sent(plan, school.urn, year) >= FEWEST_WEEKS
        ]
        for index, school in enumerate(schools[:MOST_SCHOOLS]):
            by_index = _FIRST_SCHOOLS.get(phase, ())
            make_file, outcome = (
                by_index[index] if index < len(by_index) else (_LATER_SCHOOLS[index % len(_LATER_SCHOOLS)], APPLIED)
            )
            uploads.append(_plan_upload(plan, school, len(uploads), make_file=make_file, outcome=outcome))
    primaries = [school for school in plan.schools if school.phase == "primary"]
    if uploads:
        morning = _morning(plan) + timedelta(minutes=30)
        uploads.append(PlannedUpload(pupil_list(plan, primaries[0].urn, year), PUPILS, APPLIED, None, morning))
        uploads.append(PlannedUpload(_unreadable(primaries[-1]), MARKS, WAITING, None, morning))
    return sorted(uploads, key=lambda upload: upload.at)


def _plan_upload(plan: Plan, school: School, number: int, *, make_file: MakeFile, outcome: str) -> PlannedUpload:
    register, weeks_sent_count = plan.registers[school.urn, plan.years[-1]], weeks_sent(plan, school.urn, plan.years[-1])
    weeks = [weeks_sent_count - 1] if make_file is weekly_grid else [weeks_sent_count - 2, weeks_sent_count - 1]
    friday = register.weeks[weeks_sent_count - 1] + timedelta(days=FRIDAY)
    closing = datetime(friday.year, friday.month, friday.day, CLOSING_HOUR, tzinfo=clock.LONDON)
    at = min(closing, _morning(plan)) + timedelta(minutes=MINUTES_APART * number)
    return PlannedUpload(make_file(plan, school.urn, plan.years[-1], weeks), MARKS, outcome, register.weeks[weeks[0]], at)


def _morning(plan: Plan) -> datetime:
    return datetime(plan.today.year, plan.today.month, plan.today.day, OPENING_HOUR, tzinfo=clock.LONDON) - timedelta(hours=16)


def _long_file_without_faults(plan: Plan, urn: str, year: int, weeks: Sequence[int]) -> SentFile:
    return long_file(plan, urn, year, weeks, with_faults=False)


#: The layouts of the first schools of each phase, and those the later schools send in turn.
_FIRST_SCHOOLS: Mapping[str, Sequence[tuple[MakeFile, str]]] = {
    "primary": ((long_file, APPLIED), (weekly_grid, APPLIED), (_long_file_without_faults, APPLIED), (long_file, WAITING)),
    "secondary": ((date_matrix, APPLIED), (_long_file_without_faults, APPLIED)),
    "special": ((transfer_file, APPLIED),),
}
_LATER_SCHOOLS: Sequence[MakeFile] = (_long_file_without_faults, weekly_grid, date_matrix)


def _unreadable(school: School) -> SentFile:
    """A file as it arrives when someone scans the paper register."""
    return SentFile("registers scanned.pdf", school.urn, "none", b"%PDF-1.4\n% a picture of a register, not a register\n", 0)


def upload_files(uploads: Sequence[PlannedUpload], authority_id: UUID, senders: Mapping[str, tuple[UUID, Actor]]) -> int:
    """Upload the files as people of their schools, each at its time. Returns how many.

    `senders` holds each school's id and who acts for it, by URN.
    """
    for upload in uploads:
        school_id, actor = senders[upload.urn]
        # A transaction for each upload: the scope is one school and one person, and the clock is the upload's own.
        with unit_of_work(Scope(authority_id, frozenset({school_id}), actor)), clock.frozen_at(min(upload.at, clock.now())):
            import_or_preview = import_file if upload.outcome == APPLIED else preview
            import_or_preview(school_id, kind=upload.kind, file_name=upload.file.name, content=upload.file.content)
    return len(uploads)
