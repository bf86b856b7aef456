"""Canaries: texts that show when a page treats them as more than text.

As markup, script or a template they would run, or disappear from the page.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playwright.sync_api import Page

#: Beginnings of a canary: formula, script link, right-to-left mark, Markdown link, mention, typesetting command, template.
BEGINNINGS = ("", "=1+", "javascript:sang.push(0)//", "\u202e", "[x](javascript:sang.push(0))", "@", "#import ", "$")
TAIL = "\"'></title><img src=x onerror=sang.push(0)><script>sang.push(0)</script>{{7*7}}%s{0}"
MARK = re.compile(r"cry\d{3}", re.IGNORECASE)
#: A canary as unescaped markup in the source of a page.
MARKUP = re.compile(r"<cry\d|<img src=x|<script>sang|(?:href|src|action)=[\"']?\s*javascript:", re.IGNORECASE)
FIND_CANARIES = """() => {
    const all = [...document.querySelectorAll("*")];
    const runs = (element) => element.localName.startsWith("cry") || element.hasAttribute("onerror") ||
        (element.localName === "script" && element.textContent.startsWith("sang")) ||
        ["href", "src", "action"].some((name) => /^\\s*javascript:/i.test(element.getAttribute(name) ?? ""));
    return {
        sang: window.sang,
        live: all.filter(runs).map((element) => element.outerHTML),
        texts: [document.title, document.body.textContent],
        attributes: all.flatMap((element) =>
            [...element.attributes].filter(({ name }) => name !== "href").map(({ value }) => value)),
    };
}"""


class Canaries:
    """The canaries planted in a test, by their mark, and those that a page has shown unchanged.

    `files` are the canaries that only a downloaded file shows.
    """

    def __init__(self) -> None:
        """Start without canaries."""
        self.planted: dict[str, str] = {}
        self.files: dict[str, str] = {}
        self.seen_on_pages: set[str] = set()

    def new(self, begins: str | None = None) -> str:
        """A new canary of at most 120 characters.

        Canaries use the beginnings in turn, unless `begins` gives one.
        """
        mark = f"cry{len(self.planted):03d}"
        begins = BEGINNINGS[len(self.planted) % len(BEGINNINGS)] if begins is None else begins
        self.planted[mark] = f"{begins}{mark}{TAIL}"
        return self.planted[mark]

    def unshown(self) -> str:
        """A new canary, begun as a formula, that only a downloaded file shows."""
        text = self.new("=1+")
        mark, _ = list(self.planted.items())[-1]
        self.files[mark] = text
        return text

    def short(self) -> str:
        """A new canary of eight characters: an unknown element."""
        mark = f"cry{len(self.planted):03d}"
        self.planted[mark] = f"<{mark}>"
        return self.planted[mark]

    def unseen(self) -> dict[str, str]:
        """The canaries that a page should have shown and none has."""
        return {mark: text for mark, text in self.planted.items() if mark not in self.seen_on_pages and mark not in self.files}

    def in_page(self, page: Page) -> list[str]:
        """The faults of the canaries on a page in the browser. Empty when each is plain, complete text."""
        report = page.evaluate(FIND_CANARIES)
        faults = [f"it sang: {report['sang']}"] if report["sang"] else []
        faults += [f"it is alive: {element}" for element in report["live"]]
        return faults + self._altered([*report["texts"], *report["attributes"]])

    def in_source(self, source: str) -> list[str]:
        """The faults of the canaries in a page's source."""
        # Addresses hold canaries percent-encoded, which is no fault.
        text = html.unescape(re.sub(r'href="[^"]*"', "", source))
        return [f"markup: {markup}" for markup in MARKUP.findall(source)] + self._altered([text])

    def _altered(self, texts: Iterable[str]) -> list[str]:
        """The canaries that are not as typed. Differences in white space and capitals are allowed."""
        faults = []
        for text in {" ".join(raw.split()).casefold() for raw in texts if MARK.search(raw)}:
            for mark in set(MARK.findall(text)):
                expected = " ".join(self.planted[mark].split()).casefold()
                if text.count(mark) != text.count(expected):
                    index = text.find(mark)
                    faults.append(f"{mark} is not as typed: {text[max(index - 20, 0) : index + len(expected) + 20]}")
                self.seen_on_pages.add(mark)
        return faults
