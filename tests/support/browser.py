"""A browser for tests: Flask's client with the page law checked on every page it fetches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import lxml.html

from tests.support.page_law import check_page

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from lxml.html import HtmlElement
    from werkzeug.test import TestResponse

REDIRECTS = (301, 302, 303, 307, 308)


@dataclass
class Page:
    """One response as a person sees it."""

    path: str
    status: int
    html: str
    response: TestResponse

    @property
    def document(self) -> HtmlElement:
        """The parsed HTML."""
        return lxml.html.document_fromstring(self.html)

    @property
    def text(self) -> str:
        """The text of the page, with white space folded."""
        return re.sub(r"\s+", " ", self.document.text_content())

    @property
    def h1(self) -> str:
        """The page's heading."""
        return re.sub(r"\s+", " ", self.document.xpath("string(//h1)")).strip()

    def links(self) -> dict[str, str]:
        """The address of every link, by its words."""
        return {re.sub(r"\s+", " ", link.text_content()).strip(): link.get("href") for link in self.document.xpath("//a[@href]")}


class Browser:
    """Fetches pages and sends forms as a person does.

    It follows redirects, sends the CSRF token, and fails where a page breaks the page law.
    """

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.last: Page | None = None

    def get(self, path: str, *, status: int = 200) -> Page:
        """Fetch a page."""
        return self._follow(path, self.client.get(path), status)

    def post(self, path: str, values: dict[str, object] | None = None, *, status: int = 200, token_from: str | None = None) -> Page:
        """Send a form with the CSRF token of the last page, or of the page at `token_from`."""
        page = self.get(token_from) if token_from else self.last
        token = page.document.xpath("string(//input[@name='csrf_token']/@value)") if page else ""
        response = self.client.post(
            path,
            data={"csrf_token": token, **(values or {})},
            content_type="multipart/form-data",
            headers={"Origin": "http://localhost"},
        )
        return self._follow(path, response, status)

    def _follow(self, path: str, response: TestResponse, status: int) -> Page:
        redirects = 0
        while response.status_code in REDIRECTS and status not in REDIRECTS and redirects < 5:
            location = urlsplit(response.headers["Location"])
            path = location.path + (f"?{location.query}" if location.query else "")
            response, redirects = self.client.get(path), redirects + 1
        html = response.get_data(as_text=True) if response.mimetype == "text/html" else ""
        assert response.status_code == status, f"{path} answered {response.status_code}, not {status}: {html[-2000:]}"
        if html:
            faults = check_page(html, response.status_code, response.headers.get("Content-Security-Policy", ""))
            assert not faults, f"{path} breaks the page law: {faults}"
        self.last = Page(path, response.status_code, html, response)
        return self.last
