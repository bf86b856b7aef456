"""Chromium for tests: found or skipped with a notice, one visitor a test, and everything a page may complain of gathered."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from tests.support.running import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

    from tests.support.running import Member

NOTICE = "browser tests skipped: no chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE, NARROW, HEIGHT = 1280, 320, 900
#: Playwright's own limit for one step, in milliseconds: a busy machine with two cores.
STEP = 60_000
#: Told to every page before anything of its own runs: a refusal of the policy is said aloud, a canary that sings is heard.
LISTEN = """window.sang = [];
document.addEventListener("securitypolicyviolation", (one) =>
    console.error("policy refused " + one.blockedURI + " " + one.violatedDirective));
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. Where there is none the test is skipped, or fails when PORTAL_REQUIRE_BROWSER is 1."""
    found = shutil.which("chromium")
    if found is None:
        if os.environ.get("PORTAL_REQUIRE_BROWSER") == "1":
            pytest.fail("PORTAL_REQUIRE_BROWSER is 1 and there is no chromium")
        pytest.skip(NOTICE)
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


class Visitor:
    """One person's browser, and what its pages complained of."""

    def __init__(self, browser: Browser, address: str, *, script: bool = True) -> None:
        """Open an empty page."""
        self.address = address
        self.script = script
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.seen: list[str] = []
        self.sources: dict[str, str] = {}
        self._context = browser.new_context(
            viewport={"width": WIDE, "height": HEIGHT}, java_script_enabled=script, accept_downloads=True
        )
        self._context.set_default_timeout(STEP)
        self._context.add_init_script(LISTEN)
        self.page: Page = self._context.new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"{self.page.url}: a dialog, {dialog.message}"))
        self.page.on("request", self._asked)
        self.page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).scheme not in {"data", "blob"} and not request.url.startswith(f"{self.address}/"):
            self.elsewhere.append(request.url)

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.url}: answered {response.status}")

    def go(self, path: str) -> None:
        """Open an address of the portal."""
        self.page.goto(self.address + path)

    def sign_in(self, member: Member) -> None:
        """Press the one button of this person on the demonstration's page."""
        self.go("/sign-in")
        self.page.locator(f"form:has(input[value='{member.membership_id}']) button").click()
        self.page.get_by_role("heading", level=1).wait_for()
        assert "/sign-in" not in self.page.url

    def press(self, name: str, role: str = "button") -> None:
        """Press a button (or follow a link) by its words."""
        self.page.get_by_role(role, name=re.compile(name)).first.click()  # type: ignore[arg-type]  # two of the roles there are

    def look(self, name: str, *, narrow: bool = True) -> None:
        """Look the page over, wide and (`narrow`) with axe again at 320 pixels: nothing cut off, nothing stored.

        Leaves a picture where PORTAL_SHOTS says.
        """
        self.seen.append(name)
        self.sources[name] = self.page.content()
        assert self.violations() == [], self.page.url
        self._picture(name)
        if self.script:
            assert self.stored() == {}, self.page.url
            assert self.page.evaluate("window.sang") == [], self.page.url
        assert self.page.get_by_text("Share chart").count() == 0
        self.page.set_viewport_size({"width": NARROW, "height": HEIGHT})
        # A chart is drawn anew when its place has become narrow, a moment later.
        until(f"{self.page.url} fits {NARROW} pixels", self.fits, within=10)
        if narrow:
            assert self.violations() == [], self.page.url
            self._picture(f"{name}-narrow")
        self.page.set_viewport_size({"width": WIDE, "height": HEIGHT})

    def fits(self) -> bool:
        """Is nothing of the page beyond the edge of the window?"""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    def _picture(self, name: str) -> None:
        folder = os.environ.get("PORTAL_SHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    def violations(self) -> list[str]:
        """What axe finds, its best-practice rules included. Axe is a script: where there is none, nothing is asked."""
        if not self.script:
            return []
        found = Axe().run(self.page).response["violations"]
        return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]

    def look_at_source(self, source: str) -> list[str]:
        """What axe finds in a page as a browser without script had it: shown again where axe can run, its scripts left out."""
        bare = re.sub(r"(?s)<script.*?</script>|</?noscript>", "", source)
        self.page.route("**/as-it-was", lambda route: route.fulfill(body=bare, content_type="text/html; charset=utf-8"))
        self.go("/as-it-was")
        return self.violations()

    def stored(self) -> dict[str, str]:
        """Everything the browser keeps for the portal besides cookies."""
        kept: dict[str, str] = self.page.evaluate(
            """async () => ({...localStorage, ...sessionStorage,
            ...Object.fromEntries((await indexedDB.databases()).map((one) => [one.name, "a database"]))})"""
        )
        return kept

    def leave(self) -> None:
        """Close the browser; nothing may have complained, nothing may have been asked of anybody else."""
        self._context.close()
        assert self.complaints == []
        assert self.elsewhere == []


@contextmanager
def visitor(browser: Browser, address: str, *, script: bool = True) -> Iterator[Visitor]:
    """A visitor who leaves at the end, and says then what was wrong."""
    visiting = Visitor(browser, address, script=script)
    yield visiting
    visiting.leave()
