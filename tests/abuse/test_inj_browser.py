"""Injection into pages, INJ-02, 09, 12 and 13: canaries in every text there is, and every page of every role opened."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from portal.permissions import ANYONE_SIGNED_IN, OPEN, PERMISSIONS, Role
from portal.web.downloads import RISKY
from tests.abuse.planting import Planted, Planter
from tests.architecture.routes import LISTED
from tests.benchmarks.test_queries import HEADER
from tests.support.canaries import Canaries
from tests.support.chromium import visitor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import Browser

    from tests.support.chromium import Visitor
    from tests.support.running import RunningPortal

pytestmark = pytest.mark.browser

#: What answers with no page (files, parts of Dash, health), and what shows one only to who holds a link's secret.
NO_PAGES = re.compile(
    r"/dashboards/(_|assets|<path)|/static|\.csv|\.pdf|/refused-rows|/livez|/readyz|<token>|^/invitation$|^/reset/password$"
)
#: Between them these roles have every page. The others' pages are the same with parts left out: their source is looked at.
BROWSED = (
    Role.LA_ADMINISTRATOR,
    Role.SCHOOL_ADMINISTRATOR,
    Role.PARTNER,
    Role.AUDITOR,
    Role.PLATFORM_OPERATOR,
)
#: A release is its loader's authority's alone.
NOT_THEIRS = {Role.PLATFORM_OPERATOR: "/published-figures/"}


#: When a release was published, as its form asks.
PUBLISHED = {"published_on-day": "4", "published_on-month": "12", "published_on-year": "2025"}


@dataclass
class Walk:
    """What one role's pages made of the canaries, and of everything else a browser can complain of."""

    opened: int = 0
    wrong: dict[str, list[str]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    stored: dict[str, str] = field(default_factory=dict)


@dataclass
class Cage:
    """The canaries, and where they sit."""

    canaries: Canaries
    planted: Planted


@pytest.fixture(scope="module")
def cage(portal: RunningPortal, chromium: Browser) -> Cage:
    """Every canary planted, once for all."""
    canaries = Canaries()
    return Cage(canaries, Planter(portal, chromium, canaries).whole())


@pytest.fixture(scope="module")
def walks(portal: RunningPortal, chromium: Browser, cage: Cage) -> Mapping[Role, Walk]:
    """Every page of every role, opened."""
    return {role: _walk(portal.address, chromium, cage, role) for role in Role}


def _walk(address: str, chromium: Browser, cage: Cage, role: Role) -> Walk:
    walk = Walk()
    with visitor(chromium, address) as visiting:
        visiting.sign_in(cage.planted.members[role])
        for path in _addresses(cage.planted, role):
            walk.opened += 1
            found = _in_browser(visiting, cage, path) if role in BROWSED else _in_source(visiting, cage, path)
            if found:
                walk.wrong[path] = found
        walk.complaints, walk.elsewhere, walk.stored = list(visiting.complaints), visiting.elsewhere, visiting.stored()
        visiting.complaints.clear()
    return walk


def _in_browser(visiting: Visitor, cage: Cage, path: str) -> list[str]:
    visiting.go(path)
    if visiting.page.locator(".portal-chart").count():
        visiting.page.locator(".portal-chart svg.main-svg").first.wait_for()
    return cage.canaries.in_page(visiting.page) + ["Share chart"] * visiting.page.get_by_text("Share chart").count()


def _in_source(visiting: Visitor, cage: Cage, path: str) -> list[str]:
    answer = visiting.page.request.get(visiting.address + path)
    return cage.canaries.in_source(answer.text()) + [f"answered {answer.status}"] * (not answer.ok)


def _addresses(planted: Planted, role: Role) -> Iterator[str]:
    """The pages a role may open, about the objects that carry canaries. A new kind of object has to be planted first."""
    ids = {**{name: str(one) for name, one in planted.ids.items()}, "role": role.value}
    for line in LISTED.read_text(encoding="utf-8").splitlines()[1:]:
        path, methods, _endpoint, permission = line.split("  ")
        mine = permission == ANYONE_SIGNED_IN or role in PERMISSIONS.get(permission, ())
        anyones = permission == OPEN and role is BROWSED[0]
        if "GET" in methods and (mine or anyones) and not NO_PAGES.search(path):
            address = re.sub(r"<(?:uuid:)?(\w+)>", lambda found: ids[found[1]], path)
            if not address.startswith(f"{NOT_THEIRS.get(role)}{ids['release_id']}"):
                yield address
    if role in PERMISSIONS["uploads.view"]:
        yield from (f"/uploads/{one}" for one in planted.uploads)
    if role in PERMISSIONS["pupils.view"]:
        yield f"/pupils?school={ids['school_id']}&year-group=7"
    if role in PERMISSIONS["measures.view"]:
        yield f"/dashboards/schools/{ids['school_id']}"


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_inj_02_a_canary_is_text_on_every_page(walks: Mapping[Role, Walk], role: Role) -> None:
    assert walks[role].wrong == {}
    assert walks[role].opened > 3


def test_inj_02_every_canary_planted_was_seen_as_it_was_typed(cage: Cage, walks: Mapping[Role, Walk]) -> None:
    assert walks
    assert cage.planted.said == []
    assert cage.canaries.unseen() == {}


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_inj_09_no_page_does_what_its_policy_forbids(walks: Mapping[Role, Walk], role: Role) -> None:
    assert walks[role].complaints == []


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_inj_12_no_page_asks_anything_of_anybody_else(walks: Mapping[Role, Walk], role: Role) -> None:
    assert walks[role].elsewhere == []


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_inj_13_the_browser_keeps_nothing(walks: Mapping[Role, Walk], role: Role) -> None:
    assert walks[role].stored == {}


class Typist:
    """Types canaries and looks at the page that answers."""

    def __init__(self, visiting: Visitor, canaries: Canaries) -> None:
        """Nothing is wrong yet."""
        self.visiting, self.canaries = visiting, canaries
        self.wrong: list[str] = []

    def opens(self, path: str) -> None:
        """Open an address."""
        self.visiting.go(path)
        self._looks()

    def types(self, path: str, **values: str) -> None:
        """Fill the form that has these fields, and send it."""
        page = self.visiting.page
        self.visiting.go(path)
        form = page.locator("main form", has=page.locator(f"[name='{next(iter(values))}']"))
        for name, value in values.items():
            field = form.locator(f"[name='{name}']")
            if name == "file":
                field.set_input_files({"name": self.canaries.short(), "mimeType": "text/csv", "buffer": value.encode()})
            else:
                field.fill(value)
        form.locator("button[type=submit]").last.click()
        page.wait_for_load_state()
        self._looks()

    def _looks(self) -> None:
        self.wrong += [f"{self.visiting.page.url}: {one}" for one in self.canaries.in_page(self.visiting.page)]


def test_inj_02_what_is_typed_comes_back_as_text(portal: RunningPortal, chromium: Browser, cage: Cage) -> None:
    new, short, school = cage.canaries.new, cage.canaries.short, cage.planted.ids["school_id"]
    with visitor(chromium, portal.address) as visiting:
        typist = Typist(visiting, cage.canaries)
        typist.types("/sign-in", email=new(), password=new())
        typist.types("/reset", email=new())
        typist.opens(f"/sign-in?next={quote(new())}")
        typist.opens(f"/nowhere/{quote(new())}")
        visiting.go("/demonstration/mail")
        link = visiting.page.locator("main a[href*='/invitations/']").first
        typist.opens(link.inner_text().removeprefix(portal.address))
        typist.types("/invitation", name=new(), password="short")
        visiting.sign_in(cage.planted.members[Role.LA_MANAGER])
        of_school = f"/dashboards/schools/{school}/pupils?year-group="
        for path in ("/schools?phase=", "/pupils?year-group=", "/dashboards/?measure=", of_school):
            typist.opens(path + quote(new()))
        typist.types("/pupils", name=new())
        typist.types("/term-dates/import", file=f"type,name,first_day,last_day\n{short()},x,{short()},x\n")
        typist.types("/schools/import", file=f"urn,name,phase\n{short()},x,{short()}\n")
        figures = f"2025,Week 45,National,,Primary,10,100,{short()},9,0,{short()},1,0,0,10"
        typist.types("/published-figures/new", file=f"{HEADER}\n{figures}\n", name=new(), **PUBLISHED)
        visiting.complaints[:] = [one for one in visiting.complaints if not re.search(r"(answered|status of) 4\d\d", one)]
    assert typist.wrong == []


def test_inj_02_a_file_gives_canaries_back_as_text(portal: RunningPortal, chromium: Browser, cage: Cage) -> None:
    with visitor(chromium, portal.address) as visiting:
        visiting.sign_in(cage.planted.members[Role.SCHOOL_ADMINISTRATOR])
        answers = [visiting.page.request.get(f"{portal.address}/uploads/{one}/refused-rows") for one in cage.planted.uploads]
        texts = [answer.body().decode("utf-8-sig") for answer in answers if answer.ok]
    cells = [cell for text in texts for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert [cell for cell in cells if cell and cell.lstrip()[0] in RISKY] == []
    assert {mark for mark, text in cage.canaries.files.items() if not any(text in cell for cell in cells)} == set()
