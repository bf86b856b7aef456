"""Canaries in every place free text enters the portal: through its own pages where there is one, else as data at rest."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from portal import clock
from portal.permissions import Role
from portal.rules.calendar import academic_year
from tests.benchmarks.test_queries import week_file
from tests.support.chromium import visitor
from tests.support.objects import upn
from tests.support.running import until
from tests.uploads.reading.support import workbook

if TYPE_CHECKING:
    from uuid import UUID

    from playwright.sync_api import Browser

    from tests.support.canaries import Canaries
    from tests.support.chromium import Visitor
    from tests.support.running import Member, RunningPortal

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
Values = dict[str, object]


@dataclass
class Planted:
    """Where the canaries are: the objects that carry them, by the name routes give their ids, and who reads them."""

    ids: dict[str, UUID]
    uploads: list[UUID]
    members: dict[Role, Member]
    said: list[str] = field(default_factory=list)


class Planter:
    """Fills forms as a script would: a page's token, then everything the form takes."""

    def __init__(self, portal: RunningPortal, browser: Browser, canaries: Canaries) -> None:
        """Choose the school that every school role belongs to."""
        self.portal, self.browser, self.canaries = portal, browser, canaries
        self.database = portal.database
        self.school: UUID = self.database.one(
            "SELECT s.id FROM school s WHERE (SELECT count(DISTINCT m.role) FROM membership m WHERE s.id = ANY(m.school_ids)) = 5 "
            "AND s.authority_id = (SELECT id FROM authority WHERE slug = 'wrenfold') LIMIT 1"
        )
        self.members = {role: self._member(role) for role in Role}
        self.said: list[str] = []

    def _member(self, role: Role) -> Member:
        """Somebody of this role: of the school, where the role has one."""
        places = self.database.one(
            "SELECT count(*) FROM membership m JOIN authority a ON a.id = m.authority_id WHERE m.role = %s "
            "AND (a.slug = 'wrenfold' OR m.role = 'platform-operator')",
            role,
        )
        all_of_them = [self.database.member(role, place=place) for place in range(places)]
        return next((one for one in all_of_them if self.school in one.schools), all_of_them[0])

    def send(self, visiting: Visitor, path: str, values: Values, *, form: str = "") -> str:
        """Send a form with the token of its page; the page that answers must have taken the canaries for text."""
        asked = visiting.page.request
        token = TOKEN.search(asked.get(visiting.address + (form or path)).text())
        assert token is not None, path
        answer = asked.post(
            visiting.address + path,
            multipart={"csrf_token": token[1], **values},  # type: ignore[dict-item]  # text and files, as Playwright takes them
            headers={"Origin": visiting.address},
        )
        assert answer.status == 200, f"{path}: {answer.status}"
        source = answer.text()
        assert "govuk-error-summary" not in source, source
        self.said += [f"{path}: {one}" for one in self.canaries.in_source(source)]
        return answer.url

    def whole(self) -> Planted:
        """Plant everything there is a place for."""
        self._people()
        self._authority()
        self._published()
        uploads = self._uploads()
        one = self.database.one
        pupil = one("SELECT id FROM pupil WHERE upn = %s", upn(900))
        ids = {
            "school_id": self.school,
            "authority_id": one("SELECT id FROM authority WHERE name LIKE '%%cry%%' AND slug = 'sang'"),
            "release_id": one("SELECT id FROM release WHERE name LIKE '%%cry%%'"),
            "membership_id": self.members[Role.SCHOOL_OFFICE].membership_id,
            "pupil_id": pupil,
            "parent_id": one("SELECT parent_id FROM parenthood WHERE pupil_id = %s LIMIT 1", pupil),
            "question_id": one("SELECT id FROM match_question WHERE incoming::text LIKE '%%cry%%'"),
            "upload_id": uploads[0],
        }  # fmt: skip
        return Planted(ids, uploads[1:], self.members, self.said)

    def _people(self) -> None:
        """Names, titles and agencies of people, and the authority's own name: no page renames them, so at rest."""
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

    def _authority(self) -> None:
        """The operator's and the administrator's forms: authorities, schools, term dates, invitations."""
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

    def _published(self) -> None:
        """A release of published figures: its name, its file's name."""
        with visitor(self.browser, self.portal.address) as visiting:
            visiting.sign_in(self.members[Role.LA_MANAGER])
            file = {"name": self.canaries.short(), "mimeType": "text/csv", "buffer": week_file(61)}
            day = {"published_on-day": "4", "published_on-month": "12", "published_on-year": "2025"}
            self.send(visiting, "/published-figures/new", {"file": file, "name": self.canaries.new(""), **day})

    def _uploads(self) -> list[UUID]:
        """Files of a school: one whose columns nobody knows, a pupil list, marks, and marks taken back."""
        with visitor(self.browser, self.portal.address) as visiting:
            visiting.sign_in(self.members[Role.SCHOOL_ADMINISTRATOR])
            own = f"/uploads/own-marks?school={self.school}"
            self.send(visiting, own, {"mark": self.canaries.short(), "letters": "I"})
            unknown = self._upload(visiting, "marks", self._unknown_columns(), "needs-mapping")
            self._apply(visiting, pupils := self._upload(visiting, "pupils", self._pupil_list(), "rehearsed"))
            self._apply(visiting, applied := self._upload(visiting, "marks", self._marks("I"), "rehearsed"))
            self._apply(visiting, undone := self._upload(visiting, "marks", self._marks("O"), "rehearsed"))
            self.send(visiting, f"/uploads/{undone}/undo", {"reason": self.canaries.new()})
            waiting = self._upload(visiting, "marks", self._marks("M"), "rehearsed")
        return [unknown, pupils, applied, undone, waiting]

    def _upload(self, visiting: Visitor, kind: str, content: bytes, state: str) -> UUID:
        file = {"name": self.canaries.short(), "mimeType": "text/csv", "buffer": content}
        self.send(visiting, "/uploads/new", {"school": str(self.school), "kind": kind, "add_pupils": "no", "file": file})
        upload_id: UUID = self.database.one("SELECT id FROM upload ORDER BY received_at DESC LIMIT 1")
        self._becomes(upload_id, state)
        return upload_id

    def _becomes(self, upload_id: UUID, state: str) -> None:
        def there() -> bool:
            now = self.database.one("SELECT state FROM upload WHERE id = %s", upload_id)
            assert now != "refused", self.database.one("SELECT refusal FROM upload WHERE id = %s", upload_id)
            return bool(now == state)

        until(f"the upload is {state}", there)

    def _apply(self, visiting: Visitor, upload_id: UUID) -> None:
        self.send(visiting, f"/uploads/{upload_id}/apply", {}, form=f"/uploads/{upload_id}")
        self._becomes(upload_id, "applied")

    def _unknown_columns(self) -> bytes:
        new = self.canaries.new
        return workbook({"Marks": [["UPN", "Date", "Session", new()], [upn(900), self._day(), "AM", new()]]})

    def _pupil_list(self) -> bytes:
        """A new pupil, one whose UPN is another's, for a person to decide about, and one whose row is refused."""
        new = self.canaries.new

        def texts(count: int) -> list[str]:
            return [new() for _ in range(count)]

        headings = [
            "UPN", "Surname", "Forename", "Middle names", "Date of birth", "Year group", "Registration group", "Ethnicity",
            "SEN need", "Address", "Postcode", "Admission date",
            *(f"Parent {n} {part}" for n in (1, 2) for part in ("name", "relationship", "phone", "email", "address", "postcode")),
        ]  # fmt: skip
        birth, number = self.database.rows(
            "SELECT p.date_of_birth, p.upn FROM pupil p JOIN roll_line r ON r.pupil_id = p.id WHERE r.school_id = %s "
            "AND r.on_roll_until IS NULL AND p.upn IS NOT NULL ORDER BY r.academic_year DESC, r.line LIMIT 1",
            self.school,
        )[0]
        year = academic_year(clock.today())
        first, born = date(year, 9, 1), date(year - 11, 3, 1)
        added = [upn(900), *texts(3), born, "7", *texts(5), first, *texts(12)]
        alike = [number, *texts(3), birth, None, new()]
        bad = [self.canaries.short(), self.canaries.unshown(), None, None, birth]
        return workbook({"Pupils": [headings, added, alike, bad]})

    def _marks(self, code: str) -> bytes:
        """A mark; the first time one with a comment, rows nobody can take, and a second sheet, which is hidden."""
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
        """A day on which the school met: its newest whole week's Wednesday."""
        newest: date = self.database.one("SELECT max(week) FROM register_page WHERE school_id = %s", self.school)
        return newest - timedelta(days=5)
