"""The page law: what every page of the portal holds to, as pure functions on the text of its HTML."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING

import html5lib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from xml.etree.ElementTree import Element

    Law = Callable[["Document"], Iterator[str]]

NOT_FILLED_IN = frozenset({"hidden", "submit", "button", "reset", "image"})
REFERENCES = ("aria-describedby", "aria-labelledby", "aria-controls", "for", "headers", "list")
#: Dash writes the addresses of its own scripts; the policy allows them as files of ours.
DASH_FILES = "/dashboards/_"
DATA_BLOCKS = frozenset({"application/json", "application/ld+json"})
ERROR = "Error: "


class Document:
    """A page read once: its tree, what the parser found wrong, and the policy it was served under."""

    def __init__(self, html: str, policy: str = "") -> None:
        """Parse the page; every tag is known by its local name."""
        parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
        self.html = html
        self.policy = policy
        self.root: Element = parser.parse(html)
        for one in self.root.iter():
            if isinstance(one.tag, str):
                one.tag = one.tag.rpartition("}")[2]
        self.faults = [f"line {line}: {code} {data or ''}".strip() for (line, _column), code, data in parser.errors]
        self.parents = {child: parent for parent in self.root.iter() for child in parent}
        self.ids = Counter(one.get("id", "") for one in self.all("*") if one.get("id") is not None)

    def all(self, *tags: str) -> list[Element]:
        """The elements with one of these names, in order; "*" is every one."""
        return [one for one in self.root.iter() if isinstance(one.tag, str) and ("*" in tags or one.tag in tags)]

    def with_class(self, name: str) -> list[Element]:
        """The elements with a class."""
        return [one for one in self.all("*") if name in one.get("class", "").split()]

    def above(self, one: Element) -> Iterator[Element]:
        """The elements around one, from the inside out."""
        while one in self.parents:
            one = self.parents[one]
            yield one

    def inside(self, one: Element, *tags: str) -> Element | None:
        """The nearest element of these names around one."""
        return next((found for found in self.above(one) if found.tag in tags), None)

    @property
    def failed(self) -> bool:
        """Does the page tell of a form that has to be put right?"""
        return bool(self.with_class("govuk-error-summary"))


def check_page(html: str, status: int, policy: str = "") -> list[str]:
    """Every breach of the page law, in words; an empty list for a page that holds to it.

    `policy` is the Content-Security-Policy the page came with, for pages whose inline scripts it allows by their hash.
    Redirects have no page to speak of.
    """
    if 300 <= status < 400:
        return []
    page = Document(html, policy)
    return [fault for law in LAWS for fault in law(page)]


def words(one: Element) -> str:
    """An element's text, white space folded."""
    return re.sub(r"\s+", " ", "".join(one.itertext())).strip()


def is_valid(page: Document) -> Iterator[str]:
    """The page is HTML as the standard writes it."""
    yield from (f"not valid HTML, {fault}" for fault in page.faults)
    if not page.html.lstrip().lower().startswith("<!doctype html>"):
        yield "no doctype"


def says_its_language(page: Document) -> Iterator[str]:
    """A screen reader has to know which voice to use."""
    if not page.root.get("lang"):
        yield "the html element has no lang"


def has_one_heading(page: Document) -> Iterator[str]:
    """One h1, words in it, and no level left out below it."""
    found = page.all("h1")
    if len(found) != 1:
        yield f"{len(found)} h1 elements"
    if any(not words(one) for one in page.all("h1", "h2", "h3", "h4", "h5", "h6")):
        yield "a heading without words"
    levels = [int(one.tag[1]) for one in page.all("h1", "h2", "h3", "h4", "h5", "h6") if page.inside(one, "main") is not None]
    at_h1 = levels.index(1) if 1 in levels else 0
    for above, below in zip(levels[at_h1:], levels[at_h1 + 1 :], strict=False):
        if below > above + 1:
            yield f"h{below} follows h{above}"


def title_begins_with_heading(page: Document) -> Iterator[str]:
    """The title is what a tab and a screen reader say first: the heading, after "Error: " when a form failed."""
    titles, headings = page.all("title"), page.all("h1")
    if len(titles) != 1:
        yield f"{len(titles)} titles"
        return
    wanted = (ERROR if page.failed else "") + (words(headings[0]) if headings else "")
    if not words(titles[0]).startswith(wanted):
        yield f"the title {words(titles[0])!r} does not begin with {wanted!r}"


def has_landmarks(page: Document) -> Iterator[str]:
    """A header, one main to skip to, a footer; navigations and regions that can be told apart."""
    for tag in ("header", "main", "footer"):
        if len([one for one in page.all(tag) if page.inside(one, "main", "article", "section") is None]) != 1:
            yield f"not one {tag} of the page"
    target = next((one.get("id") for one in page.all("main")), None)
    if not any("govuk-skip-link" in one.get("class", "") and one.get("href") == f"#{target}" for one in page.all("a")):
        yield "no skip link to the main part"
    named = Counter(one.get("aria-label", "") for one in page.all("nav") if not one.get("aria-labelledby"))
    if named[""]:
        yield "a nav without a label"
    yield from (f"{count} navs labelled {name!r}" for name, count in named.items() if name and count > 1)


def ids_are_unique(page: Document) -> Iterator[str]:
    """An id names one element; whatever points to an id finds it."""
    yield from (f"id {name!r} stands {count} times" for name, count in page.ids.items() if count > 1)
    yield from (f"id {name!r} is empty or holds a space" for name in page.ids if not name or re.search(r"\s", name))
    for one in page.all("*"):
        for attribute in REFERENCES:
            if one.tag == "output" or (attribute == "for" and one.tag != "label"):
                continue
            yield from (f"{attribute} leads to no {name!r}" for name in one.get(attribute, "").split() if name not in page.ids)


def inputs_are_labelled(page: Document) -> Iterator[str]:
    """Each thing to fill in has its words, tied to it; groups have a legend."""
    fields = [one for one in page.all("input", "select", "textarea") if one.get("type") not in NOT_FILLED_IN]
    labels = {one.get("for") for one in page.all("label") if words(one)}
    for one in fields:
        wrapped = page.inside(one, "label")
        named = one.get("aria-label") or one.get("aria-labelledby") or one.get("id") in labels
        if not named and (wrapped is None or not words(wrapped)):
            yield f"no label for {one.tag} {one.get('name')!r}"
        if not one.get("name"):
            yield f"a {one.tag} without a name"
    grouped = Counter(one.get("name") for one in fields if one.get("type") in {"radio", "checkbox"})
    for one in fields:
        if one.get("type") in {"radio", "checkbox"} and grouped[one.get("name")] > 1:
            around = page.inside(one, "fieldset")
            if around is None or not any(child.tag == "legend" and words(child) for child in around):
                yield f"{one.get('type')} {one.get('name')!r} stands in no fieldset with a legend"


def errors_lead_to_fields(page: Document) -> Iterator[str]:
    """The summary says of each field what stands beside it, and its links go to what has to be filled in."""
    fillable = {one.get("id") for one in page.all("input", "select", "textarea") if one.get("type") != "hidden"}
    summaries = page.with_class("govuk-error-summary")
    if len(summaries) > 1:
        yield "more than one error summary"
    links = [link for one in summaries for link in one.iter("a")]
    for link in links:
        if link.get("href", "").removeprefix("#") not in fillable:
            yield f"the error {words(link)!r} leads to no field"
    said = Counter(words(link) for link in links)
    beside = Counter(words(one).removeprefix(ERROR) for one in page.with_class("govuk-error-message"))
    if summaries or beside:
        yield from (f"the error {text!r} is not beside its field" for text in said - beside)
        yield from (f"the error {text!r} is not in the summary" for text in beside - said if text)
    if summaries and not any(item for one in summaries for item in one.iter("li")):
        yield "an error summary that lists nothing"


def forms_are_guarded(page: Document) -> Iterator[str]:
    """Every form that changes something carries the token, none sends it in an address."""
    for one in page.all("form"):
        method = one.get("method", "get").lower()
        tokens = [field for field in one.iter("input") if field.get("name") == "csrf_token" and field.get("value")]
        if method == "post" and len(tokens) != 1:
            yield f"{len(tokens)} csrf tokens in the form to {one.get('action')!r}"
        if method != "post" and tokens:
            yield "a csrf token in a form that is sent as an address"
        if any(field.get("type") == "file" for field in one.iter("input")) and one.get("enctype") != "multipart/form-data":
            yield "a form with a file that does not send it"
    yield from ("a button without a type" for one in page.all("button") if not one.get("type"))


def scripts_are_nonced(page: Document) -> Iterator[str]:
    """Nothing runs that the policy would have to make an exception for."""
    for one in page.all("script"):
        source = one.get("src", "")
        if one.get("type") in DATA_BLOCKS or one.get("nonce") or source.startswith(DASH_FILES):
            continue
        digest = base64.b64encode(hashlib.sha256((one.text or "").encode()).digest()).decode()
        if source or f"'sha256-{digest}'" not in page.policy:
            yield f"a script without a nonce: {source or (one.text or '').strip()[:60]!r}"
    for one in page.all("*"):
        yield from (f"{name} on a {one.tag}" for name in one.attrib if str(name).startswith("on"))
        if "style" in one.attrib:
            yield f"a style attribute on a {one.tag}"
        for name in ("href", "src", "action", "formaction"):
            if one.get(name, "").strip().lower().startswith(("javascript:", "data:text", "vbscript:")):
                yield f"a {name} that runs: {one.get(name)!r}"
    yield from ("a style element without a nonce" for one in page.all("style") if not one.get("nonce"))


def nothing_comes_from_elsewhere(page: Document) -> Iterator[str]:
    """No file is fetched from another host, and no page is opened that can reach back."""
    for one in page.all("script", "img", "link", "iframe", "source", "video", "audio", "object", "embed", "form"):
        for name in ("src", "href", "action", "data", "srcset"):
            if re.match(r"\s*(https?:)?//", one.get(name, "")):
                yield f"{one.tag} from elsewhere: {one.get(name)!r}"
    yield from ("a link that opens a window" for one in page.all("a", "form") if one.get("target"))


def tables_are_readable(page: Document) -> Iterator[str]:
    """A table says what it shows, and each of its headings what it heads."""
    for one in page.all("table"):
        captions = [words(child) for child in one if child.tag == "caption"]
        if not captions or not captions[0]:
            yield "a table without a caption"
        yield from (f"a heading without scope: {words(head)!r}" for head in one.iter("th") if not head.get("scope"))
        if not any(True for _ in one.iter("th")):
            yield f"a table without headings: {captions}"


def links_say_where(page: Document) -> Iterator[str]:
    """Links and buttons have words; links go somewhere, pictures are told."""
    for one in page.all("a", "button"):
        if not (words(one) or one.get("aria-label")):
            yield f"a {one.tag} without words"
    for one in page.all("a"):
        href = one.get("href")
        if href is None or href in {"", "#"}:
            yield f"a link to nowhere: {words(one)!r}"
        elif href.startswith("#") and href[1:] not in page.ids:
            yield f"a link to no part of this page: {href!r}"
    yield from ("an img without alt" for one in page.all("img") if "alt" not in one.attrib)
    yield from ("an svg that is neither named nor hidden" for one in page.all("svg") if not _is_told(page, one))


def targets_can_be_pressed(page: Document) -> Iterator[str]:
    """What is pressed is a link, a button or a field, alone: not an element dressed as one, nor one inside another."""
    pressed = ("a", "button", "input", "select", "textarea", "summary")
    for one in page.all(*pressed):
        around = page.inside(one, "a", "button", "summary")
        if around is not None:
            yield f"a {one.tag} inside a {around.tag}"
    for one in page.all("*"):
        if one.get("role") in {"button", "link", "checkbox"} and one.tag not in pressed:
            yield f"a {one.tag} that plays a {one.get('role')}"
        if int(one.get("tabindex") or 0) > 0:
            yield f"a tabindex that changes the order on a {one.tag}"
    if not any(one.get("name") == "viewport" and "maximum-scale" not in one.get("content", "") for one in page.all("meta")):
        yield "no viewport that can be enlarged"


def _is_told(page: Document, one: Element) -> bool:
    hidden = one.get("aria-hidden") == "true" or any(outer.get("aria-hidden") == "true" for outer in page.above(one))
    return hidden or bool(one.get("aria-label") or one.get("aria-labelledby"))


def policy_is_strict(page: Document) -> Iterator[str]:
    """The policy the page came with makes no general exception."""
    yield from (f"the policy allows {name}" for name in ("unsafe-inline", "unsafe-eval") if name in page.policy)


LAWS: tuple[Law, ...] = (
    is_valid,
    says_its_language,
    has_one_heading,
    title_begins_with_heading,
    has_landmarks,
    ids_are_unique,
    inputs_are_labelled,
    errors_lead_to_fields,
    forms_are_guarded,
    scripts_are_nonced,
    nothing_comes_from_elsewhere,
    tables_are_readable,
    links_say_where,
    targets_can_be_pressed,
    policy_is_strict,
)
