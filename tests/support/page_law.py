"""The page law: the rules for the HTML of every page, as pure functions that yield faults."""

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
#: Dash writes the addresses of its own scripts, without a nonce. The policy allows them as the portal's own files.
DASH_FILES = "/dashboards/_"
DATA_BLOCKS = frozenset({"application/json", "application/ld+json"})
ERROR = "Error: "


class Document:
    """A parsed page: its tree, the parser's faults, and the policy it was served under."""

    def __init__(self, html: str, policy: str = "") -> None:
        """Parse the page, and strip the namespaces of SVG from its tags."""
        parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
        self.html = html
        self.policy = policy
        self.root: Element = parser.parse(html)
        for element in self.root.iter():
            if isinstance(element.tag, str):  # a comment's tag is a function
                element.tag = element.tag.rpartition("}")[2]
        self.faults = [f"line {line}: {code} {data or ''}".strip() for (line, _column), code, data in parser.errors]
        self.parents = {child: parent for parent in self.root.iter() for child in parent}
        self.ids = Counter(element.get("id", "") for element in self.all("*") if element.get("id") is not None)

    def all(self, *tags: str) -> list[Element]:
        """The elements with these tags, in document order. "*" means all."""
        return [element for element in self.root.iter() if isinstance(element.tag, str) and ("*" in tags or element.tag in tags)]

    def with_class(self, name: str) -> list[Element]:
        """The elements with this class."""
        return [element for element in self.all("*") if name in element.get("class", "").split()]

    def above(self, element: Element) -> Iterator[Element]:
        """The ancestors of an element, the nearest first."""
        while element in self.parents:
            element = self.parents[element]
            yield element

    def inside(self, element: Element, *tags: str) -> Element | None:
        """The nearest ancestor of an element with one of these tags."""
        return next((ancestor for ancestor in self.above(element) if ancestor.tag in tags), None)

    @property
    def failed(self) -> bool:
        """Does the page show a form with errors?"""
        return bool(self.with_class("govuk-error-summary"))


def check_page(html: str, status: int, policy: str = "") -> list[str]:
    """The faults of a page, in words. Empty for a page that keeps the page law.

    `policy` is the Content-Security-Policy the page came with, for pages whose inline scripts it allows by their hash.
    Redirects have no page, so they are not checked.
    """
    if 300 <= status < 400:
        return []
    page = Document(html, policy)
    return [fault for law in LAWS for fault in law(page)]


def words(element: Element) -> str:
    """The text of an element, with white space folded."""
    return re.sub(r"\s+", " ", "".join(element.itertext())).strip()


def is_valid(page: Document) -> Iterator[str]:
    """The page is valid HTML."""
    yield from (f"not valid HTML, {fault}" for fault in page.faults)
    if not page.html.lstrip().lower().startswith("<!doctype html>"):
        yield "no doctype"


def says_its_language(page: Document) -> Iterator[str]:
    """The page gives its language, which a screen reader needs to choose a voice."""
    if not page.root.get("lang"):
        yield "the html element has no lang"


def has_one_heading(page: Document) -> Iterator[str]:
    """The page has one h1, no empty heading, and no skipped level."""
    titles = page.all("h1")
    if len(titles) != 1:
        yield f"{len(titles)} h1 elements"
    if any(not words(element) for element in page.all("h1", "h2", "h3", "h4", "h5", "h6")):
        yield "a heading without words"
    levels = [
        int(element.tag[1]) for element in page.all("h1", "h2", "h3", "h4", "h5", "h6") if page.inside(element, "main") is not None
    ]
    at_h1 = levels.index(1) if 1 in levels else 0
    for above, below in zip(levels[at_h1:], levels[at_h1 + 1 :], strict=False):
        if below > above + 1:
            yield f"h{below} follows h{above}"


def title_begins_with_heading(page: Document) -> Iterator[str]:
    """The title begins with the heading, after "Error: " where a form has errors.

    Browser tabs and screen readers give the title first.
    """
    titles, headings = page.all("title"), page.all("h1")
    if len(titles) != 1:
        yield f"{len(titles)} titles"
        return
    beginning = (ERROR if page.failed else "") + (words(headings[0]) if headings else "")
    if not words(titles[0]).startswith(beginning):
        yield f"the title {words(titles[0])!r} does not begin with {beginning!r}"


def has_landmarks(page: Document) -> Iterator[str]:
    """The page has a header, a main with a skip link, a footer, and navs with different labels."""
    for tag in ("header", "main", "footer"):
        if len([element for element in page.all(tag) if page.inside(element, "main", "article", "section") is None]) != 1:
            yield f"not one {tag} of the page"
    target = next((element.get("id") for element in page.all("main")), None)
    if not any("govuk-skip-link" in element.get("class", "") and element.get("href") == f"#{target}" for element in page.all("a")):
        yield "no skip link to the main part"
    labels = Counter(element.get("aria-label", "") for element in page.all("nav") if not element.get("aria-labelledby"))
    if labels[""]:
        yield "a nav without a label"
    yield from (f"{count} navs labelled {name!r}" for name, count in labels.items() if name and count > 1)


def ids_are_unique(page: Document) -> Iterator[str]:
    """Ids are unique, and every reference to an id leads to an element."""
    yield from (f"id {name!r} stands {count} times" for name, count in page.ids.items() if count > 1)
    yield from (f"id {name!r} is empty or holds a space" for name in page.ids if not name or re.search(r"\s", name))
    for element in page.all("*"):
        for attribute in REFERENCES:
            if element.tag == "output" or (attribute == "for" and element.tag != "label"):
                continue
            yield from (f"{attribute} leads to no {name!r}" for name in element.get(attribute, "").split() if name not in page.ids)


def inputs_are_labelled(page: Document) -> Iterator[str]:
    """Every field has a label, and every group of radios or checkboxes has a legend."""
    fields = [field for field in page.all("input", "select", "textarea") if field.get("type") not in NOT_FILLED_IN]
    labels = {field.get("for") for field in page.all("label") if words(field)}
    for field in fields:
        wrapping_label = page.inside(field, "label")
        has_label = field.get("aria-label") or field.get("aria-labelledby") or field.get("id") in labels
        if not has_label and (wrapping_label is None or not words(wrapping_label)):
            yield f"no label for {field.tag} {field.get('name')!r}"
        if not field.get("name"):
            yield f"a {field.tag} without a name"
    grouped = Counter(field.get("name") for field in fields if field.get("type") in {"radio", "checkbox"})
    for field in fields:
        if field.get("type") in {"radio", "checkbox"} and grouped[field.get("name")] > 1:
            fieldset = page.inside(field, "fieldset")
            if fieldset is None or not any(child.tag == "legend" and words(child) for child in fieldset):
                yield f"{field.get('type')} {field.get('name')!r} stands in no fieldset with a legend"


def errors_lead_to_fields(page: Document) -> Iterator[str]:
    """The error summary repeats each field's error, and its links lead to the fields."""
    fillable = {field.get("id") for field in page.all("input", "select", "textarea") if field.get("type") != "hidden"}
    summaries = page.with_class("govuk-error-summary")
    if len(summaries) > 1:
        yield "more than one error summary"
    links = [link for summary in summaries for link in summary.iter("a")]
    for link in links:
        if link.get("href", "").removeprefix("#") not in fillable:
            yield f"the error {words(link)!r} leads to no field"
    summary_errors = Counter(words(link) for link in links)
    field_errors = Counter(words(message).removeprefix(ERROR) for message in page.with_class("govuk-error-message"))
    if summaries or field_errors:
        yield from (f"the error {text!r} is not beside its field" for text in summary_errors - field_errors)
        yield from (f"the error {text!r} is not in the summary" for text in field_errors - summary_errors if text)
    if summaries and not any(list(summary.iter("li")) for summary in summaries):
        yield "an error summary that lists nothing"


def forms_are_guarded(page: Document) -> Iterator[str]:
    """Every POST form has a CSRF token, and no other form sends one in an address."""
    for form in page.all("form"):
        method = form.get("method", "get").lower()
        tokens = [field for field in form.iter("input") if field.get("name") == "csrf_token" and field.get("value")]
        if method == "post" and len(tokens) != 1:
            yield f"{len(tokens)} csrf tokens in the form to {form.get('action')!r}"
        if method != "post" and tokens:
            yield "a csrf token in a form that is sent as an address"
        if any(field.get("type") == "file" for field in form.iter("input")) and form.get("enctype") != "multipart/form-data":
            yield "a form with a file that does not send it"
    yield from ("a button without a type" for button in page.all("button") if not button.get("type"))


def scripts_are_nonced(page: Document) -> Iterator[str]:
    """Every script and style has a nonce or an allowed hash, and nothing runs from an attribute."""
    for element in page.all("script"):
        source = element.get("src", "")
        if element.get("type") in DATA_BLOCKS or element.get("nonce") or source.startswith(DASH_FILES):
            continue
        digest = base64.b64encode(hashlib.sha256((element.text or "").encode()).digest()).decode()
        if source or f"'sha256-{digest}'" not in page.policy:
            yield f"a script without a nonce: {source or (element.text or '').strip()[:60]!r}"
    for element in page.all("*"):
        yield from (f"{name} on a {element.tag}" for name in element.attrib if str(name).startswith("on"))
        if "style" in element.attrib:
            yield f"a style attribute on a {element.tag}"
        for name in ("href", "src", "action", "formaction"):
            if element.get(name, "").strip().lower().startswith(("javascript:", "data:text", "vbscript:")):
                yield f"a {name} that runs: {element.get(name)!r}"
    yield from ("a style element without a nonce" for element in page.all("style") if not element.get("nonce"))


def nothing_comes_from_elsewhere(page: Document) -> Iterator[str]:
    """No file comes from another host, and no link opens a window that could control this page."""
    for element in page.all("script", "img", "link", "iframe", "source", "video", "audio", "object", "embed", "form"):
        for name in ("src", "href", "action", "data", "srcset"):
            if re.match(r"\s*(https?:)?//", element.get(name, "")):
                yield f"{element.tag} from elsewhere: {element.get(name)!r}"
    yield from ("a link that opens a window" for element in page.all("a", "form") if element.get("target"))


def tables_are_readable(page: Document) -> Iterator[str]:
    """Every table has a caption, and every heading a scope."""
    for table in page.all("table"):
        captions = [words(child) for child in table if child.tag == "caption"]
        if not captions or not captions[0]:
            yield "a table without a caption"
        yield from (f"a heading without scope: {words(head)!r}" for head in table.iter("th") if not head.get("scope"))
        if not any(True for _ in table.iter("th")):
            yield f"a table without headings: {captions}"


def links_say_where(page: Document) -> Iterator[str]:
    """Links and buttons have words, links lead somewhere, and images have alternative text."""
    for element in page.all("a", "button"):
        if not (words(element) or element.get("aria-label")):
            yield f"a {element.tag} without words"
    for element in page.all("a"):
        href = element.get("href")
        if href is None or href in {"", "#"}:
            yield f"a link to nowhere: {words(element)!r}"
        elif href.startswith("#") and href[1:] not in page.ids:
            yield f"a link to no part of this page: {href!r}"
    yield from ("an img without alt" for element in page.all("img") if "alt" not in element.attrib)
    yield from ("an svg that is neither named nor hidden" for element in page.all("svg") if not _is_described(page, element))


def targets_can_be_pressed(page: Document) -> Iterator[str]:
    """Links, buttons and fields are real ones, not nested, and in tab order.

    An element with the role of a button lacks its keyboard behaviour.
    """
    interactive = ("a", "button", "input", "select", "textarea", "summary")
    for element in page.all(*interactive):
        outer = page.inside(element, "a", "button", "summary")
        if outer is not None:
            yield f"a {element.tag} inside a {outer.tag}"
    for element in page.all("*"):
        if element.get("role") in {"button", "link", "checkbox"} and element.tag not in interactive:
            yield f"a {element.tag} that plays a {element.get('role')}"
        if int(element.get("tabindex") or 0) > 0:
            yield f"a tabindex that changes the order on a {element.tag}"
    if not any(
        element.get("name") == "viewport" and "maximum-scale" not in element.get("content", "") for element in page.all("meta")
    ):
        yield "no viewport that can be enlarged"


def _is_described(page: Document, element: Element) -> bool:
    """Does a screen reader get a name for this element, or is it hidden from it?"""
    hidden = element.get("aria-hidden") == "true" or any(ancestor.get("aria-hidden") == "true" for ancestor in page.above(element))
    return hidden or bool(element.get("aria-label") or element.get("aria-labelledby"))


def policy_is_strict(page: Document) -> Iterator[str]:
    """The content security policy has no general exception."""
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
