"""Injection attacks on pages, in a real browser (INJ-02, 09, 12 and 13).

Canaries are planted in every text the portal stores, and every page of every role is opened.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from portal.security.permissions import ANYONE_SIGNED_IN, OPEN, PERMISSIONS, Role, role_has
from portal.web.downloads import FORMULA_STARTS
from tests.abuse.planting import SETTING, Planted, Planter
from tests.architecture.routes import LISTED
from tests.benchmarks.test_queries import HEADER
from tests.support.canaries import Canaries
from tests.support.chromium import visitor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import Browser

    from tests.support.chromium import BrowserVisitor
    from tests.support.running_portal import RunningPortal

pytestmark = pytest.mark.browser

#: Addresses that answer with no page (files, parts of Dash, health), or only to the holder of a mailed link.
NO_PAGES = re.compile(
    r"/dashboards/(_|assets|<path)|/static|\.csv|\.pdf|/refused-rows|/livez|/readyz|/\.well-known/|<token>|^/invitation$|^/reset/password$"
)
#: Together these roles can open every page. The other roles' pages are the same with parts left out, so that checking
#: their source is enough.
BROWSED = (
    Role.LA_ADMINISTRATOR,
    Role.SCHOOL_ADMINISTRATOR,
    Role.PARTNER,
    Role.AUDITOR,
    Role.PLATFORM_OPERATOR,
)
#: Addresses of a release that the role may not open: the planted release belongs to one authority.
FOREIGN_RELEASES = {Role.PLATFORM_OPERATOR: "/published-figures/"}
#: A release's date of publication, as form fields.
PUBLISHED_ON = {"published_on-day": "4", "published_on-month": "12", "published_on-year": "2025"}


@dataclass
class Walk:
    """The outcome of opening all pages of a role.

    `problems` are canaries taken for markup, `elsewhere` requests to other sites, `stored` what the browser stored.
    """

    opened: int = 0
    problems: dict[str, list[str]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    stored: dict[str, str] = field(default_factory=dict)


@dataclass
class PlantedCanaries:
    """The canaries and the objects that carry them."""

    canaries: Canaries
    planted: Planted


@pytest.fixture(scope="module")
def planting(portal: RunningPortal, chromium: Browser) -> PlantedCanaries:
    """Every canary, planted once for the module."""
    canaries = Canaries()
    return PlantedCanaries(canaries, Planter(portal, chromium, canaries).plant_all())


@pytest.fixture(scope="module")
def walks(portal: RunningPortal, chromium: Browser, planting: PlantedCanaries) -> Mapping[Role, Walk]:
    """A walk through every page, for every role."""
    return {role: _walk(portal.address, chromium, planting, role) for role in Role}


def _walk(address: str, chromium: Browser, planting: PlantedCanaries, role: Role) -> Walk:
    walk = Walk()
    with visitor(chromium, address) as visiting:
        visiting.sign_in(planting.planted.members[role])
        for path in _addresses(planting.planted, role):
            walk.opened += 1
            problems = _in_browser(visiting, planting, path) if role in BROWSED else _in_source(visiting, planting, path)
            if problems:
                walk.problems[path] = problems
        walk.complaints, walk.elsewhere, walk.stored = list(visiting.complaints), visiting.elsewhere, visiting.stored()
        visiting.complaints.clear()
    return walk


def _in_browser(visiting: BrowserVisitor, planting: PlantedCanaries, path: str) -> list[str]:
    """The problems of a page that the browser has opened and drawn."""
    visiting.go(path)
    if visiting.page.locator(".portal-chart").count():
        visiting.page.locator(".portal-chart svg.main-svg").first.wait_for()
    return planting.canaries.in_page(visiting.page) + ["Share chart"] * visiting.page.get_by_text("Share chart").count()


def _in_source(visiting: BrowserVisitor, planting: PlantedCanaries, path: str) -> list[str]:
    """The problems of a page's source, without opening it in the browser."""
    answer = visiting.page.request.get(visiting.address + path)
    return planting.canaries.in_source(answer.text()) + [f"answered {answer.status}"] * (not answer.ok)


def _addresses(planted: Planted, role: Role) -> Iterator[str]:
    """The pages a role may open, about objects that carry canaries.

    A route with a new kind of id fails here until `Planter` plants an object of that kind.
    """
    ids = {**{name: str(object_id) for name, object_id in planted.ids.items()}, "role": role.value, "setting": SETTING}
    for line in LISTED.read_text(encoding="utf-8").splitlines()[1:]:
        path, methods, _endpoint, permission = line.split("  ")
        is_allowed = permission == ANYONE_SIGNED_IN or (permission in PERMISSIONS and role_has(role, permission))
        # Pages open to all are the same for every role: opening them once is enough.
        is_open = permission == OPEN and role is BROWSED[0]
        if "GET" in methods and (is_allowed or is_open) and not NO_PAGES.search(path):
            address = re.sub(r"<(?:uuid:)?(\w+)>", lambda argument: ids[argument[1]], path)
            if not address.startswith(f"{FOREIGN_RELEASES.get(role)}{ids['release_id']}"):
                yield address
    if role_has(role, "uploads.view"):
        yield from (f"/uploads/{upload_id}" for upload_id in planted.uploads)
    if role_has(role, "pupils.view"):
        yield f"/pupils?school={ids['school_id']}&year-group=7"
    if role_has(role, "measures.view"):
        yield f"/dashboards/schools/{ids['school_id']}"


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_a_stored_script_is_shown_as_text_on_every_page(walks: Mapping[Role, Walk], role: Role) -> None:
    """Attack INJ-02."""
    assert walks[role].problems == {}
    assert walks[role].opened > 3


def test_every_planted_canary_was_seen_as_it_was_typed(planting: PlantedCanaries, walks: Mapping[Role, Walk]) -> None:
    """Attack INJ-02."""
    assert walks
    assert planting.planted.problems == []
    assert planting.canaries.unseen() == {}


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_no_page_does_what_its_content_security_policy_forbids(walks: Mapping[Role, Walk], role: Role) -> None:
    """Attack INJ-09."""
    assert walks[role].complaints == []


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_no_page_sends_a_request_to_another_site(walks: Mapping[Role, Walk], role: Role) -> None:
    """Attack INJ-12."""
    assert walks[role].elsewhere == []


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_the_browser_stores_nothing(walks: Mapping[Role, Walk], role: Role) -> None:
    """Attack INJ-13."""
    assert walks[role].stored == {}


class Typist:
    """Types canaries into forms and addresses, and collects the problems of the pages that answer."""

    def __init__(self, visiting: BrowserVisitor, canaries: Canaries) -> None:
        """Start without problems."""
        self.visiting, self.canaries = visiting, canaries
        self.problems: list[str] = []

    def open(self, path: str) -> None:
        """Open an address and check the page."""
        self.visiting.go(path)
        self._check_page()

    def send_form(self, path: str, **fields: str) -> None:
        """Fill in the form that has these fields, send it and check the page."""
        page = self.visiting.page
        self.visiting.go(path)
        form = page.locator("main form", has=page.locator(f"[name='{next(iter(fields))}']"))
        for name, text in fields.items():
            box = form.locator(f"[name='{name}']")
            if name == "file":
                box.set_input_files({"name": self.canaries.short(), "mimeType": "text/csv", "buffer": text.encode()})
            else:
                box.fill(text)
        form.locator("button[type=submit]").last.click()
        page.wait_for_load_state()
        self._check_page()

    def _check_page(self) -> None:
        page = self.visiting.page
        self.problems += [f"{page.url}: {problem}" for problem in self.canaries.in_page(page)]


def test_a_script_typed_into_a_form_comes_back_as_text(portal: RunningPortal, chromium: Browser, planting: PlantedCanaries) -> None:
    """Attack INJ-02."""
    new, short, school = planting.canaries.new, planting.canaries.short, planting.planted.ids["school_id"]
    with visitor(chromium, portal.address) as visiting:
        typist = Typist(visiting, planting.canaries)
        typist.send_form("/sign-in", email=new(), password=new())
        typist.send_form("/reset", email=new())
        typist.open(f"/sign-in?next={quote(new())}")
        typist.open(f"/nowhere/{quote(new())}")
        visiting.go("/demonstration/mail")
        link = visiting.page.locator("main a[href*='/invitations/']").first
        typist.open(link.inner_text().removeprefix(portal.address))
        typist.send_form("/invitation", name=new(), password="short")
        visiting.sign_in(planting.planted.members[Role.LA_MANAGER])
        of_school = f"/dashboards/schools/{school}/pupils?year-group="
        for path in ("/schools?phase=", "/pupils?year-group=", "/dashboards/?measure=", of_school):
            typist.open(path + quote(new()))
        # A search drops marks of writing direction, so this canary begins with none.
        typist.send_form("/pupils", name=new("=1+"))
        typist.send_form("/term-dates/import", file=f"type,name,first_day,last_day\n{short()},x,{short()},x\n")
        typist.send_form("/schools/import", file=f"urn,name,phase\n{short()},x,{short()}\n")
        figures = f"2025,Week 45,National,,Primary,10,100,{short()},9,0,{short()},1,0,0,10"
        typist.send_form("/published-figures/new", file=f"{HEADER}\n{figures}\n", name=new(), **PUBLISHED_ON)
        # Wrong input is answered with 4xx, which the browser reports in its console: that is expected here.
        visiting.complaints[:] = [
            complaint for complaint in visiting.complaints if not re.search(r"(answered|status of) 4\d\d", complaint)
        ]
    assert typist.problems == []


def test_a_script_in_a_file_comes_back_as_text_among_the_rejected_rows(
    portal: RunningPortal, chromium: Browser, planting: PlantedCanaries
) -> None:
    """Attack INJ-02."""
    with visitor(chromium, portal.address) as visiting:
        visiting.sign_in(planting.planted.members[Role.SCHOOL_ADMINISTRATOR])
        addresses = [f"{portal.address}/uploads/{upload_id}/refused-rows" for upload_id in planting.planted.uploads]
        answers = [visiting.page.request.get(address) for address in addresses]
        texts = [answer.body().decode("utf-8-sig") for answer in answers if answer.ok]
    cells = [cell for text in texts for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert [cell for cell in cells if cell and cell.lstrip()[0] in FORMULA_STARTS] == []
    assert {mark for mark, text in planting.canaries.files.items() if not any(text in cell for cell in cells)} == set()
