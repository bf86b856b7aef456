"""Canaries: texts that run, sing or vanish where a page takes them for more than text, and what a page made of them."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playwright.sync_api import Page

#: How a canary may begin: as a formula, a link that runs, the other way round, a link in Markdown, a command, a template.
BEGINNINGS = ("", "=1+", "javascript:sang.push(0)//", "\u202e", "[x](javascript:sang.push(0))", "@", "#import ", "$")
TAIL = "\"'></title><img src=x onerror=sang.push(0)><script>sang.push(0)</script>{{7*7}}%s{0}"
MARK = re.compile(r"cry\d{3}", re.IGNORECASE)
#: A canary as it must never stand in the source of a page.
MARKUP = re.compile(r"<cry\d|<img src=x|<script>sang|(?:href|src|action)=[\"']?\s*javascript:", re.IGNORECASE)
LOOK = """() => {
    const all = [...document.querySelectorAll("*")];
    const runs = (one) => one.localName.startsWith("cry") || one.hasAttribute("onerror") ||
        (one.localName === "script" && one.textContent.startsWith("sang")) ||
        ["href", "src", "action"].some((name) => /^\\s*javascript:/i.test(one.getAttribute(name) ?? ""));
    return {
        sang: window.sang,
        live: all.filter(runs).map((one) => one.outerHTML),
        shown: [document.title, document.body.textContent],
        written: all.flatMap((one) => [...one.attributes].filter((each) => each.name !== "href").map((each) => each.value)),
    };
}"""


class Canaries:
    """Every canary planted in a test, each with a mark of its own, and those that were seen as they were typed."""

    def __init__(self) -> None:
        """None yet."""
        self.planted: dict[str, str] = {}
        self.files: dict[str, str] = {}
        self.seen: set[str] = set()

    def new(self, begins: str | None = None) -> str:
        """A canary of at most 120 characters. They take turns to begin in each way, unless it is said how."""
        mark = f"cry{len(self.planted):03d}"
        begins = BEGINNINGS[len(self.planted) % len(BEGINNINGS)] if begins is None else begins
        self.planted[mark] = f"{begins}{mark}{TAIL}"
        return self.planted[mark]

    def unshown(self) -> str:
        """A canary that only a downloaded file gives back; it begins as a formula."""
        text = self.new("=1+")
        mark, _ = list(self.planted.items())[-1]
        self.files[mark] = text
        return text

    def short(self) -> str:
        """A canary of eight characters: an element nobody knows."""
        mark = f"cry{len(self.planted):03d}"
        self.planted[mark] = f"<{mark}>"
        return self.planted[mark]

    def unseen(self) -> dict[str, str]:
        """The canaries that no page has shown and some page should."""
        return {mark: text for mark, text in self.planted.items() if mark not in self.seen and mark not in self.files}

    def in_page(self, page: Page) -> list[str]:
        """What is wrong with the canaries of a page in the browser; nothing when each is text, and whole."""
        found = page.evaluate(LOOK)
        wrong = [f"it sang: {found['sang']}"] if found["sang"] else []
        wrong += [f"it is alive: {one}" for one in found["live"]]
        return wrong + self._cut([*found["shown"], *found["written"]])

    def in_source(self, source: str) -> list[str]:
        """What is wrong with the canaries in a page's source."""
        text = html.unescape(re.sub(r'href="[^"]*"', "", source))
        return [f"markup: {one}" for one in MARKUP.findall(source)] + self._cut([text])

    def _cut(self, texts: Iterable[str]) -> list[str]:
        """Canaries that are not as they were typed. White space and capitals are nobody's loss."""
        wrong = []
        for text in {" ".join(one.split()).casefold() for one in texts if MARK.search(one)}:
            for mark in set(MARK.findall(text)):
                whole = " ".join(self.planted[mark].split()).casefold()
                if text.count(mark) != text.count(whole):
                    place = text.find(mark)
                    wrong.append(f"{mark} is not as typed: {text[max(place - 20, 0) : place + len(whole) + 20]}")
                self.seen.add(mark)
        return wrong
