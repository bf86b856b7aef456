"""Chromium for tests: one visitor per test, and everything its pages complain of.

Where there is no Chromium, the tests are skipped with a notice.
"""

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

from tests.support.running_portal import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

    from tests.support.running_portal import Member

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
#: Playwright's limit for one step, in milliseconds, long enough for a busy machine with two cores.
STEP_TIMEOUT = 60_000
#: Runs in every page before its own scripts: reports what the security policy blocks, and catches canaries that run.
REPORT_VIOLATIONS = """window.sang = [];
document.addEventListener("securitypolicyviolation", (violation) =>
    console.error("policy refused " + violation.blockedURI + " " + violation.violatedDirective));
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. Without it the test is skipped, or fails when PORTAL_REQUIRE_BROWSER is 1."""
    program = shutil.which("chromium")
    if program is None:
        if os.environ.get("PORTAL_REQUIRE_BROWSER") == "1":
            pytest.fail("PORTAL_REQUIRE_BROWSER is 1 and there is no chromium")
        pytest.skip(NOTICE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


class BrowserVisitor:
    """One person's browser, and what its pages complained of.

    `elsewhere` holds requests to other hosts, `seen` the names of the pages checked, `sources` their HTML.
    """

    def __init__(self, browser: Browser, address: str, *, script: bool = True) -> None:
        """Open an empty page."""
        self.address = address
        self.script = script
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.checked_pages: list[str] = []
        self.sources: dict[str, str] = {}
        self._context = browser.new_context(
            viewport={"width": WIDE, "height": HEIGHT}, java_script_enabled=script, accept_downloads=True
        )
        self._context.set_default_timeout(STEP_TIMEOUT)
        self._context.add_init_script(REPORT_VIOLATIONS)
        self.page: Page = self._context.new_page()
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"{self.page.url}: a dialog, {dialog.message}"))
        self.page.on("request", self._on_request)
        self.page.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _on_request(self, request: Request) -> None:
        if urlsplit(request.url).scheme not in {"data", "blob"} and not request.url.startswith(f"{self.address}/"):
            self.elsewhere.append(request.url)

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.url}: answered {response.status}")

    def go(self, path: str) -> None:
        """Open an address of the portal."""
        self.page.goto(self.address + path)

    def sign_in(self, member: Member) -> None:
        """Press this person's button on the demonstration's sign-in page."""
        self.go("/sign-in")
        button = self.page.locator(f"form:has(input[value='{member.membership_id}']) button")
        folded = self.page.locator("details", has=button)
        if folded.count() and not button.is_visible():
            folded.locator("summary").click()
        button.click()
        self.page.get_by_role("heading", level=1).wait_for()
        assert "/sign-in" not in self.page.url

    def press(self, name: str, role: str = "button") -> None:
        """Press a button, or follow a link, by its words."""
        self.page.get_by_role(role, name=re.compile(name)).first.click()  # type: ignore[arg-type]  # Playwright lists the roles as literals

    def look(self, name: str, *, narrow: bool = True) -> None:
        """Check the page with axe, that it fits 320 pixels, and that the browser stores nothing.

        With `narrow`, axe checks it at 320 pixels too. Screenshots go to the folder PORTAL_SHOTS.
        """
        self.checked_pages.append(name)
        self.sources[name] = self.page.content()
        assert self.violations() == [], self.page.url
        self._screenshot(name)
        if self.script:
            assert self.stored() == {}, self.page.url
            assert self.page.evaluate("window.sang") == [], self.page.url
        assert self.page.get_by_text("Share chart").count() == 0
        self.page.set_viewport_size({"width": NARROW, "height": HEIGHT})
        # A chart is redrawn a moment after its box has become narrow.
        wait_until(f"{self.page.url} fits {NARROW} pixels", self.fits, within=10)
        if narrow:
            assert self.violations() == [], self.page.url
            self._screenshot(f"{name}-narrow")
        self.page.set_viewport_size({"width": WIDE, "height": HEIGHT})

    def fits(self) -> bool:
        """Does the page fit the width of the window?"""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    def _screenshot(self, name: str) -> None:
        folder = os.environ.get("PORTAL_SHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    def violations(self) -> list[str]:
        """The violations axe finds, with its best-practice rules. Axe needs script: without it there are none."""
        if not self.script:
            return []
        reported = Axe().run(self.page).response["violations"]
        return [f"{violation['id']}: {node['html'][:160]}" for violation in reported for node in violation["nodes"]]

    def look_at_source(self, source: str) -> list[str]:
        """The violations axe finds in the source of a page seen without script.

        Axe cannot run without script, so the page is opened again in a browser with it, its own scripts removed.
        """
        without_scripts = re.sub(r"(?s)<script.*?</script>|</?noscript>", "", source)
        self.page.route("**/as-it-was", lambda route: route.fulfill(body=without_scripts, content_type="text/html; charset=utf-8"))
        self.go("/as-it-was")
        return self.violations()

    def stored(self) -> dict[str, str]:
        """Everything the browser stores for the portal besides cookies."""
        storage: dict[str, str] = self.page.evaluate(
            """async () => ({...localStorage, ...sessionStorage,
            ...Object.fromEntries((await indexedDB.databases()).map((database) => [database.name, "a database"]))})"""
        )
        return storage

    def leave(self) -> None:
        """Close the browser. No page may have complained, and no request may have gone to another host."""
        self._context.close()
        assert self.complaints == []
        assert self.elsewhere == []


@contextmanager
def visitor(browser: Browser, address: str, *, script: bool = True) -> Iterator[BrowserVisitor]:
    """A visitor whose pages are checked for complaints at the end."""
    person = BrowserVisitor(browser, address, script=script)
    yield person
    person.leave()
