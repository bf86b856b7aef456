"""Plants canaries in every text the portal stores.

They go through the portal's own forms where there is one, and straight into the database where there is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from portal.platform import clock
from portal.rules.calendar import academic_year
from portal.rules.policy import DEFAULT_POLICY, TwoSchools
from portal.security.permissions import Role
from tests.benchmarks.test_queries import week_file
from tests.support.chromium import visitor
from tests.support.objects import upn
from tests.support.running_portal import wait_until
from tests.uploads.reading.support import workbook

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.canaries import Canaries
    from tests.support.chromium import BrowserVisitor
    from tests.support.running_portal import Member, RunningPortal

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
FormFields = dict[str, object]
#: The setting whose reason carries a canary.
SETTING = "two_schools"


@dataclass
class Planted:
    """The objects that carry canaries, and the people who read them.

    `ids` are by the name of the argument in routes. `problems` are canaries that a page took for markup while they
    were planted.
    """

    ids: dict[str, UUID]
    uploads: list[UUID]
    members: dict[Role, Member]
    problems: list[str] = field(default_factory=list)


class Planter:
    """Fills in the portal's forms with canaries, as a script would: first the page's token, then every field."""

    def __init__(self, portal: RunningPortal, browser: Browser, canaries: Canaries) -> None:
        """Choose the school that every school role belongs to."""
        self.portal, self.browser, self.canaries = portal, browser, canaries
        self.database = portal.database
        self.school: UUID = self.database.value(
            "SELECT s.id FROM school s WHERE (SELECT count(DISTINCT m.role) FROM membership m WHERE s.id = ANY(m.school_ids)) = 5 "
            "AND s.authority_id = (SELECT id FROM authority WHERE slug = 'wrenfold') LIMIT 1"
        )
        self.members = {role: self._member(role) for role in Role}
        self.problems: list[str] = []

    def _member(self, role: Role) -> Member:
        """A member with this role, and of the school if the role has schools."""
        count = self.database.value(
            "SELECT count(*) FROM membership m JOIN authority a ON a.id = m.authority_id WHERE m.role = %s "
            "AND (a.slug = 'wrenfold' OR m.role = 'platform-operator')",
            role,
        )
        members = [self.database.member(role, number=index) for index in range(count)]
        return next((member for member in members if self.school in member.schools), members[0])

    def send(self, visiting: BrowserVisitor, path: str, fields: FormFields, *, form: str = "") -> str:
        """Send a form with the token of its page, and return the address of the page that answers.

        Canaries that the answer takes for markup are added to `problems`. `form` is the page with the form, if it is
        not at the path itself.
        """
        request = visiting.page.request
        token = TOKEN.search(request.get(visiting.address + (form or path)).text())
        assert token is not None, path
        answer = request.post(
            visiting.address + path,
            multipart={"csrf_token": token[1], **fields},  # type: ignore[dict-item]  # text and files, as Playwright takes them
            headers={"Origin": visiting.address},
        )
        assert answer.status == 200, f"{path}: {answer.status}"
        source = answer.text()
        assert "govuk-error-summary" not in source, source
        self.problems += [f"{path}: {problem}" for problem in self.canaries.in_source(source)]
        return answer.url

    def plant_all(self) -> Planted:
        """Plant canaries in every text there is."""
        self._plant_people()
        self._plant_authority()
        self._plant_published_figures()
        uploads = self._plant_uploads()
        query = self.database.value
        pupil_id = query("SELECT id FROM pupil WHERE upn = %s", upn(900))
        ids = {
            "school_id": self.school,
            "authority_id": query("SELECT id FROM authority WHERE name LIKE '%%cry%%' AND slug = 'sang'"),
            "release_id": query("SELECT id FROM release WHERE name LIKE '%%cry%%'"),
            "membership_id": self.members[Role.SCHOOL_OFFICE].membership_id,
            "pupil_id": pupil_id,
            "contact_id": query("SELECT contact_id FROM pupil_contact WHERE pupil_id = %s LIMIT 1", pupil_id),
            "question_id": query("SELECT id FROM possible_duplicate WHERE incoming::text LIKE '%%cry%%'"),
            "same_child_id": self._plant_same_child(pupil_id),
            "upload_id": uploads[0],
        }
        return Planted(ids, uploads[1:], self.members, self.problems)

    def _plant_same_child(self, pupil_id: UUID) -> UUID:
        """Copy the record to another school, link the two, and ask about them all the same."""
        other_school = self.database.value(
            "SELECT s.id FROM school s JOIN pupil p ON p.authority_id = s.authority_id AND p.school_id <> s.id"
            " WHERE p.id = %s LIMIT 1",
            pupil_id,
        )
        copy_id, question_id = uuid4(), uuid4()
        # PostgreSQL fills the generated columns itself.
        written = "SELECT column_name FROM information_schema.columns WHERE table_name = 'pupil' AND is_generated = 'NEVER'"
        columns = ", ".join(name for (name,) in self.database.rows(written))
        self.database.change(
            f"INSERT INTO pupil ({columns}) SELECT {columns} FROM (SELECT (jsonb_populate_record(p, jsonb_build_object("  # noqa: S608  the names of our own columns
            "'id', %s::text, 'school_id', %s::text, 'upn', null))).* FROM pupil p WHERE p.id = %s) record",
            *(str(copy_id), str(other_school), pupil_id),
        )
        self.database.change(
            "INSERT INTO possible_same_child (authority_id, id, pupil_id, school_id, other_pupil_id, other_school_id,"
            " differing_fields, asked_at)"
            " SELECT p.authority_id, %s, p.id, p.school_id, o.id, o.school_id, 'UPN', now() FROM pupil p, pupil o"
            " WHERE p.id = least(%s, %s) AND o.id = greatest(%s, %s)",
            *(question_id, pupil_id, copy_id, pupil_id, copy_id),
        )
        child_id = uuid4()
        self.database.change(
            "INSERT INTO child (authority_id, id, created_at) SELECT authority_id, %s, now() FROM pupil WHERE id = %s",
            *(child_id, pupil_id),
        )
        self.database.change("UPDATE child_link SET unlinked_at = now() WHERE pupil_id = %s AND unlinked_at IS NULL", pupil_id)
        self.database.change(
            "INSERT INTO child_link (authority_id, id, child_id, pupil_id, school_id, linked_at, basis)"
            " SELECT authority_id, gen_random_uuid(), %s, id, school_id, now(), 'first' FROM pupil WHERE id IN (%s, %s)",
            *(child_id, pupil_id, copy_id),
        )
        return question_id

    def _plant_people(self) -> None:
        """Rename people, their titles and agencies, and the authority, in the database: no page changes these."""
        for role in Role:
            name, title = self.canaries.new(), self.canaries.new()
            self.database.change(
                "UPDATE person SET name = %s WHERE id = (SELECT person_id FROM membership WHERE id = %s)",
                name,
                self.members[role].membership_id,
            )
            self.database.change("UPDATE membership SET title = %s WHERE id = %s", title, self.members[role].membership_id)
        partner = self.members[Role.PARTNER].membership_id
        self.database.change("UPDATE membership SET agency = %s WHERE id = %s", self.canaries.new(), partner)
        self.database.change("UPDATE authority SET name = %s WHERE slug = 'wrenfold'", self.canaries.new())

    def _plant_authority(self) -> None:
        """Fill in the operator's and the administrator's forms: authority, school, term dates, invitation."""
        new = self.canaries.new
        with visitor(self.browser, self.portal.address) as visiting:
            visiting.sign_in(self.members[Role.PLATFORM_OPERATOR])
            self.send(visiting, "/authorities/new", {"name": new(""), "slug": "sang", "la_code": "987"})
        today = clock.today()
        days = {f"{end}_day-{part}": str(getattr(today, part)) for end in ("first", "last") for part in ("day", "month", "year")}
        with visitor(self.browser, self.portal.address) as visiting:
            visiting.sign_in(self.members[Role.LA_ADMINISTRATOR])
            urn, phase = self.database.rows("SELECT urn, phase FROM school WHERE id = %s", self.school)[0]
            self.send(
                visiting,
                f"/schools/{self.school}/edit",
                {"name": new(), "urn": urn, "phase": phase, "trust": new(), "laestab": "", "lowest_age": "11", "highest_age": "16"},
            )
            first_day = {name: value for name, value in days.items() if name.startswith("first_day")}
            value = next(answer.name for answer in TwoSchools if answer is not DEFAULT_POLICY.two_schools)
            self.send(visiting, f"/settings/{SETTING}/edit", {"value": value, "reason": new(), **first_day})
            self.send(visiting, "/term-dates/closed-days/new", {"name": new(""), **days, "session": "PM"})
            own = f"/schools/{self.school}/term-dates"
            self.send(visiting, f"{own}/closed-days/new", {"name": new(""), **days, "session": "PM"})
            later = {name: value.replace(str(today.year), "2031") for name, value in days.items()}
            self.send(visiting, f"{own}/terms/new", {"name": new(""), **later})
            self.send(
                visiting,
                "/people/new",
                {
                    "name": new(""),
                    "email": f"{self.canaries.short()}@sang.example",
                    "role": "school-office",
                    "school_ids": str(self.school),
                },
            )

    def _plant_published_figures(self) -> None:
        """Load a release of published figures whose name and file name are canaries."""
        with visitor(self.browser, self.portal.address) as visiting:
            visiting.sign_in(self.members[Role.LA_MANAGER])
            file = {"name": self.canaries.short(), "mimeType": "text/csv", "buffer": week_file(61)}
            day = {"published_on-day": "4", "published_on-month": "12", "published_on-year": "2025"}
            self.send(visiting, "/published-figures/new", {"file": file, "name": self.canaries.new(""), **day})

    def _plant_uploads(self) -> list[UUID]:
        """Upload a school's files: unknown columns, a pupil list, applied, reverted and waiting marks."""
        with visitor(self.browser, self.portal.address) as visiting:
            visiting.sign_in(self.members[Role.SCHOOL_ADMINISTRATOR])
            local_codes = f"/uploads/own-marks?school={self.school}"
            self.send(visiting, local_codes, {"mark": self.canaries.short(), "letters": "I"})
            unmapped = self._upload(visiting, "marks", self._unknown_columns(), "needs-mapping")
            pupil_list = self._upload(visiting, "pupils", self._pupil_list(), "previewed")
            self._apply(visiting, pupil_list)
            applied = self._upload(visiting, "marks", self._marks("I"), "previewed")
            self._apply(visiting, applied)
            reverted = self._upload(visiting, "marks", self._marks("O"), "previewed")
            self._apply(visiting, reverted)
            self.send(visiting, f"/uploads/{reverted}/undo", {"reason": self.canaries.new()})
            waiting = self._upload(visiting, "marks", self._marks("M"), "previewed")
        return [unmapped, pupil_list, applied, reverted, waiting]

    def _upload(self, visiting: BrowserVisitor, kind: str, content: bytes, state: str) -> UUID:
        file = {"name": self.canaries.short(), "mimeType": "text/csv", "buffer": content}
        self.send(visiting, "/uploads/new", {"school": str(self.school), "kind": kind, "add_pupils": "no", "file": file})
        upload_id: UUID = self.database.value("SELECT id FROM upload ORDER BY received_at DESC LIMIT 1")
        self._wait_for_state(upload_id, state)
        return upload_id

    def _wait_for_state(self, upload_id: UUID, state: str) -> None:
        def has_state() -> bool:
            current = self.database.value("SELECT state FROM upload WHERE id = %s", upload_id)
            assert current != "rejected", self.database.value("SELECT rejection FROM upload WHERE id = %s", upload_id)
            return bool(current == state)

        wait_until(f"the upload is {state}", has_state)

    def _apply(self, visiting: BrowserVisitor, upload_id: UUID) -> None:
        self.send(visiting, f"/uploads/{upload_id}/apply", {}, form=f"/uploads/{upload_id}")
        self._wait_for_state(upload_id, "applied")

    def _unknown_columns(self) -> bytes:
        new = self.canaries.new
        return workbook({"Marks": [["UPN", "Date", "Session", new()], [upn(900), self._day(), "AM", new()]]})

    def _pupil_list(self) -> bytes:
        """Three rows: a new pupil, a possible duplicate, and a row that is rejected.

        The possible duplicate has the UPN of a pupil on the roll and another name.
        """
        new = self.canaries.new

        def texts(count: int) -> list[str]:
            return [new() for _ in range(count)]

        headings = [
            "UPN", "Surname", "Forename", "Middle names", "Date of birth", "Year group", "Registration group", "Ethnicity",
            "SEN need", "Address", "Postcode", "Admission date",
            *(f"Parent {n} {part}" for n in (1, 2) for part in ("name", "relationship", "phone", "email", "address", "postcode")),
        ]  # fmt: skip
        birth_date, existing_upn = self.database.rows(
            "SELECT p.date_of_birth, p.upn FROM pupil p JOIN roll_line r ON r.pupil_id = p.id WHERE r.school_id = %s "
            "AND r.on_roll_until IS NULL AND p.upn IS NOT NULL ORDER BY r.academic_year DESC, r.line LIMIT 1",
            self.school,
        )[0]
        year = academic_year(clock.today())
        admitted_on, new_birth_date = date(year, 9, 1), date(year - 11, 3, 1)
        new_pupil = [upn(900), *texts(3), new_birth_date, "7", *texts(5), admitted_on, *texts(12)]
        possible_duplicate = [existing_upn, *texts(3), birth_date, None, new()]
        rejected = [self.canaries.short(), self.canaries.unshown(), None, None, birth_date]
        return workbook({"Pupils": [headings, new_pupil, possible_duplicate, rejected]})

    def _marks(self, code: str) -> bytes:
        """A workbook with one mark. With code I it also has a comment, rows that are rejected, and a hidden sheet."""
        new, short, day = self.canaries.new, self.canaries.short, self._day()
        headings = ["UPN", "Surname", "Date", "Session", "Code", "Comment"]
        mark: list[object] = [upn(900), None, day, "AM", code, new() if code == "I" else None]
        if code != "I":
            return workbook({"Marks": [headings, mark]})
        rows: list[list[object]] = [
            mark,
            [upn(900), None, day, "PM", short(), None],
            [upn(900), None, day, short(), "I", None],
            [short(), self.canaries.unshown(), day, "AM", "I", None],
            [upn(900), None, short(), "AM", "I", None],
        ]
        hidden = [[upn(901), self.canaries.unshown(), day, "AM", "I", None]]
        names = (short(), short())
        return workbook({names[0]: [headings, *rows], names[1]: [headings, *hidden]}, hidden=[names[1]])

    def _day(self) -> date:
        """A day the school was open: the Wednesday of its newest whole week."""
        newest: date = self.database.value("SELECT max(week) FROM register_page WHERE school_id = %s", self.school)
        return newest - timedelta(days=5)
