"""Sends a file through a portal whose processes are killed, and compares the outcome.

The outcome must equal that of the same file imported without an interruption.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from portal.accounts.queries.principals import membership_scope
from portal.audit.queries import check_chain
from portal.db import connection as database
from portal.db.work import unit_of_work
from portal.platform import clock
from portal.rules.calendar import academic_year
from portal.uploads import actions
from tests.support.portal_parts import Answer, HttpVisitor, PortalProcesses
from tests.support.running_portal import MarksFile, all_present_file, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from tests.support.running_portal import Database, Member

#: Columns that differ between two imports of the same file: generated ids and times.
VARYING_COLUMNS = "'{id,upload_id,recorded_at,received_at,checked_at,applied_at,preview}'::text[]"
#: The queries for everything else an upload leaves in the database.
OUTCOME_QUERIES = tuple(
    f"SELECT to_jsonb(t) - {VARYING_COLUMNS} FROM {table} t {order}"  # noqa: S608  the names are written here
    for table, order in {
        "register_page": "ORDER BY school_id, week, version",
        "current_page": "ORDER BY school_id, week",
        "school_week_summary": "ORDER BY school_id, week, dimension, value",
        "pupil_year_summary": "ORDER BY school_id, academic_year, line",
        "roll_line": "ORDER BY school_id, academic_year, line",
        "upload": "WHERE state = 'applied' ORDER BY sha256, received_at",
        "finding": "JOIN upload u ON (u.authority_id, u.id) = (t.authority_id, t.upload_id) WHERE u.state = 'applied' "
        "ORDER BY u.sha256, u.received_at, t.number",
        "(SELECT event, count(*) FROM audit_event GROUP BY event)": "WHERE event IN ('upload.applied', 'register.written') "
        "ORDER BY event",
    }.items()
)
APPLIED = "SELECT count(*) FROM audit_event WHERE event = 'upload.applied' AND subject_id = %s"
_case_numbers = count()


class Job(NamedTuple):
    """A job in the outbox."""

    id: UUID
    attempts: int
    sent_at: datetime | None
    run_after: datetime
    done_at: datetime | None
    failed_at: datetime | None


@dataclass
class Case:
    """A file for a school, and the person who sends it."""

    parts: PortalProcesses
    member: Member
    monday: date
    sent: MarksFile
    add_pupils: str = "no"

    @cached_property
    def visitor(self) -> HttpVisitor:
        """The person, signed in."""
        return HttpVisitor(self.parts.address, self.member.membership_id)

    @property
    def school(self) -> str:
        """The school the file is for."""
        return str(self.member.schools[0])

    def send(self) -> str:
        """Send the file, and return the path of its page."""
        answer = self.posted()
        assert answer.status == 200, answer.text
        return answer.path

    def posted(self) -> Answer:
        """Send the file. Any answer is returned, errors too."""
        self.visitor.get("/uploads/new")
        return self.visitor.post(
            "/uploads/new", {"school": self.school, "kind": "marks", "add_pupils": self.add_pupils}, self.sent.content
        )

    def rehearsed(self) -> str:
        """Send the file, and wait until it has been checked."""
        path = self.send()
        self.reaches(path, "previewed")
        return path

    def send_and_request_apply(self) -> str:
        """Send the file, wait for its check, and request that it be applied."""
        path = self.rehearsed()
        assert self.visitor.post(f"{path}/apply", {}).status == 200
        return path

    def state(self, path: str) -> str:
        """The state of the upload."""
        return str(self.parts.database.value("SELECT state FROM upload WHERE id = %s", _id(path)))

    def reaches(self, path: str, state: str) -> None:
        """Wait until the upload has this state."""
        wait_until(f"the upload is {state}", lambda: self.state(path) == state, within=40)

    def job(self, path: str, kind: str = "uploads.apply") -> Job:
        """The upload's job of a kind."""
        query = f"SELECT {', '.join(Job._fields)} FROM outbox_job WHERE kind = %s AND ids->>'upload_id' = %s"  # noqa: S608  the field names are written above
        (row,) = self.parts.database.rows(query, kind, _id(path))
        return Job(*row)

    def ends_well(self, path: str, applied: int = 1) -> None:
        """The upload is applied once, and the database equals one where nothing interrupted the import.

        `applied` is the number of imports to make in the clean database.
        """
        self.reaches(path, "applied")
        assert self.parts.database.value(APPLIED, _id(path)) == 1
        assert "This file was applied" in self.visitor.get(path).text
        url = self.parts.app_url.rsplit("/", 1)[0]
        for _ in range(applied):
            in_process(f"{url}/clean", self.member, self._import_file)
        assert outcome(self.parts.database) == outcome(self.parts.clean)
        in_process(f"{url}/portal", self.member, _check_audit_chain)
        self.parts.last_test_passed = True

    def _import_file(self) -> None:
        actions.import_file(self.member.schools[0], kind="marks", file_name="marks.csv", content=self.sent.content)


def _id(path: str) -> str:
    return path.rsplit("/", 1)[1]


def outcome(database: Database) -> list[list[Any]]:
    """Everything uploads have left in a database, to compare with another."""
    return [database.rows(query) for query in OUTCOME_QUERIES]


def _check_audit_chain() -> None:
    assert check_chain().first_bad is None


def in_process(url: str, member: Member, work: Callable[[], object]) -> None:
    """Do `work` in the person's scope, in a process of its own, and check that it succeeds."""
    # `database.connect` replaces the engine of its process, and the tests need theirs.
    process = os.fork()
    if process == 0:
        code = 1
        try:
            database.connect(url)
            with unit_of_work(None):
                membership = membership_scope(member.membership_id)
            assert membership is not None
            with unit_of_work(membership[0]):
                work()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0


def case_of(parts: PortalProcesses, number: int = 0) -> Case:
    """A file with two weeks of last year, all present. No other case has the same weeks."""
    member = parts.database.member("school-administrator", number=number)
    year, first = academic_year(clock.today()) - 1, 2 * next(_case_numbers)
    weeks = "SELECT week FROM current_page WHERE school_id = %s AND week > %s ORDER BY week"
    monday, next_monday = (week for (week,) in parts.database.rows(weeks, member.schools[0], date(year, 9, 1))[first : first + 2])
    return Case(parts, member, monday, all_present_file(parts.database, member.schools[0], year, monday, next_monday))
