"""Static files: cached for a year by content, and free of what may not be served."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

import plotly.offline
import pytest

from portal.web.assets import FOLDER, static_url

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

NAMES = sorted(path.name for path in FOLDER.iterdir())
PAGE_SIZE_LIMIT = 150_000


@pytest.mark.parametrize("name", NAMES)
def test_an_address_with_the_digest_may_be_cached(gallery: Flask, client: FlaskClient, name: str) -> None:
    with gallery.test_request_context():
        address = static_url(name)
    response = client.get(address)
    assert response.data == (FOLDER / name).read_bytes()
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    again = client.get(address, headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("address", ["/static/portal.css", "/static/portal.css?v=0123456789abcdef"])
def test_an_address_without_the_digest_is_checked_each_time(client: FlaskClient, address: str) -> None:
    assert client.get(address).headers["Cache-Control"] == "public, no-cache"


def test_files_are_compressed_for_browsers_that_accept_it(client: FlaskClient) -> None:
    response = client.get("/static/portal.css", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(response.data) == (FOLDER / "portal.css").read_bytes()


@pytest.mark.parametrize("name", ["..%2fassets.py", "../routes.py", "nothing.css", "%2e%2e/pages.py", "."])
def test_nothing_else_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_a_template_cannot_link_to_nothing(gallery: Flask) -> None:
    with gallery.test_request_context(), pytest.raises(FileNotFoundError, match=r"gone\.css"):
        static_url("gone.css")


@pytest.mark.parametrize("name", [name for name in NAMES if name != "licences.txt"])
def test_neither_font_nor_crown_nor_map_nor_path_is_served(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert not re.search(r"gds transport|crown|@font-face|sourceMappingURL|node_modules|/(tmp|root|home)/", text, re.IGNORECASE)


def test_the_licences_of_third_parties_are_included() -> None:
    text = (FOLDER / "licences.txt").read_text(encoding="utf-8")
    assert "GOV.UK Frontend 6.3.0" in text
    assert "Plotly" in text
    assert text.count("Permission is hereby granted") == 2


def test_the_chart_script_has_the_version_plotly_needs() -> None:
    beginning = (FOLDER / "plotly-basic.min.js").read_text(encoding="utf-8")[:200]
    assert f"v{plotly.offline.get_plotlyjs_version()}" in beginning


def test_a_page_without_charts_is_small(client: FlaskClient) -> None:
    files = ["portal.css", "portal.js", "icon.svg"]
    sizes = [len(client.get(f"/static/{name}", headers={"Accept-Encoding": "gzip"}).data) for name in files]
    assert sum(sizes) + len(client.get("/help").data) < PAGE_SIZE_LIMIT
