"""The web layer in a real browser: axe, narrow screens, forced colours, keyboard and security policy."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import render_template
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from tests.web.component_gallery import make_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATHS = ["/components", "/form", "/", "/help", "/help/codes", "/help/school-office", "/accessibility", "/fail/404"]
NARROW, WIDE = 320, 1280
WORK_TEMPLATE = """{% extends "layout.html" %}{% block h1 %}Work{% endblock %}{% block content %}
{% if state == "done" %}<p>Everything was read</p>{% else %}{{ c.progress("work", state, "/work", 1, 3, every=0.1) }}
{% endif %}{% endblock %}"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed, so nothing was tried in a browser"),
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The small portal, served on a free port."""
    server = make_server("127.0.0.1", 0, make_app(), threaded=True)
    server_thread = threading.Thread(target=server.serve_forever)
    server_thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server_thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A fresh page whose complaints fail the test."""
    context = chromium.new_context(viewport={"width": WIDE, "height": 900})
    new_page = context.new_page()
    complaints: list[str] = []
    new_page.on("console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None)
    new_page.on("pageerror", lambda error: complaints.append(str(error)))
    yield new_page
    context.close()
    # A form with errors and the 404 page answer 4xx on purpose, which the console reports.
    assert [complaint for complaint in complaints if "status of 4" not in complaint] == []


def violations(page: Page) -> list[str]:
    reported = Axe().run(page).response["violations"]
    return [f"{violation['id']}: {node['html'][:120]}" for violation in reported for node in violation["nodes"]]


@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing_and_nothing_is_cut_off(page: Page, address: str, path: str) -> None:
    page.goto(address + path)
    assert violations(page) == []
    page.set_viewport_size({"width": NARROW, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW
    assert violations(page) == []


def test_a_failed_form_moves_to_the_summary_and_its_links_to_the_fields(page: Page, address: str) -> None:
    page.goto(f"{address}/form")
    page.get_by_role("button", name="Send file").click()
    assert page.title().startswith("Error: ")
    assert "govuk-error-summary" in page.evaluate("document.activeElement.className")
    assert violations(page) == []
    for link in page.locator(".govuk-error-summary a").all():
        link.click()
        field_id = str(link.get_attribute("href")).removeprefix("#")
        # The script puts a button before the file input, and the button takes the focus.
        assert field_id in {page.evaluate("document.activeElement.id"), "file"}


def test_everything_can_be_reached_with_the_tab_key(page: Page, address: str) -> None:
    page.goto(f"{address}/components")
    focusable = "a[href], button, input:not([type=hidden]), select, textarea, summary"
    visible = f"[...document.querySelectorAll('{focusable}')].filter((element) => element.checkVisibility())"
    count = page.evaluate(f"{visible}.length")
    reached = set()
    for _ in range(count + 10):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(f"{visible}.indexOf(document.activeElement)"))
    assert reached >= set(range(count))
    page.goto(f"{address}/components")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main-content"


def test_buttons_and_links_are_large_enough_to_press(page: Page, address: str) -> None:
    for path in PATHS:
        page.goto(address + path)
        small = page.evaluate(
            """[...document.querySelectorAll("button, summary, .portal-press, .portal-sort, .portal-table a")]
            .filter((element) => element.checkVisibility())
            .map((element) => [element.textContent.trim(), element.getBoundingClientRect()])
            .filter(([, box]) => box.width < 24 || box.height < 24).map(([text]) => text)"""
        )
        assert small == [], path


def test_forced_colours_keep_the_classes_of_marks_apart(page: Page, address: str) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(f"{address}/components")
    outline = "getComputedStyle(document.querySelector('.portal-register .portal-mark--{}')).outlineStyle"
    assert [page.evaluate(outline.format(category)) for category in ("1", "3", "4")] == ["none", "dashed", "double"]


def test_on_paper_there_is_no_navigation_and_no_address(page: Page, address: str) -> None:
    page.goto(f"{address}/components")
    page.emulate_media(media="print")
    for selector in (".portal-header", ".portal-navigation", ".portal-footer", ".govuk-pagination", ".portal-actions"):
        assert not page.locator(selector).first.is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.portal-table a'), '::after').content") in {'""', "none"}


def test_progress_follows_the_work_and_stops_when_it_is_done(chromium: Browser) -> None:
    states = ["Reading rows: 1 of 3", "Reading rows: 2 of 3", "done"]
    app = make_app({"work.html": WORK_TEMPLATE})
    served: list[str] = []

    @app.get("/work")
    def work() -> str:
        served.append(states[min(len(served), 2)])
        return render_template("work.html", state=served[-1])

    server = make_server("127.0.0.1", 0, app, threaded=True)
    server_thread = threading.Thread(target=server.serve_forever)
    server_thread.start()
    page = chromium.new_page()
    page.goto(f"http://127.0.0.1:{server.server_port}/work")
    page.get_by_text("Everything was read").wait_for(timeout=5_000)
    count = len(served)
    page.wait_for_timeout(500)
    assert len(served) == count
    page.close()
    server.shutdown()
    server_thread.join()
    server.server_close()


def test_a_person_is_warned_before_the_sign_in_ends_and_can_stay(page: Page, address: str) -> None:
    page.clock.install()
    page.goto(f"{address}/form")
    page.get_by_label("Full name").fill("Kept as typed")
    page.clock.run_for(28 * 60_000)
    warning = page.get_by_role("dialog")
    assert warning.is_visible()
    page.get_by_role("button", name="Stay signed in").click()
    warning.wait_for(state="hidden")
    page.clock.run_for(27 * 60_000)
    assert not warning.is_visible()
    page.clock.run_for(4 * 60_000)
    assert "You have been signed out" in warning.inner_text()
    assert page.get_by_label("Full name").input_value() == "Kept as typed"
