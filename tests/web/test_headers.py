"""The security headers of every response, compared word for word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from portal.web import headers
from tests.web.component_gallery import make_app

if TYPE_CHECKING:
    from flask.testing import FlaskClient

OTHER_HEADERS = {"Content-Length", "Set-Cookie", "Vary"}
PAGE_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-N'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
CHART_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-N' 'sha256-x'; style-src 'self' 'nonce-N'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.mark.parametrize("path", ["/components", "/fail/404", "/fail/503", "/help", "/nowhere"])
def test_inj_09_every_page_has_exactly_these_headers(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    [nonce] = set(re.findall(r"'nonce-([^']+)'", response.headers["Content-Security-Policy"]))
    assert len(nonce) == 24
    security_headers = {name: value.replace(nonce, "N") for name, value in response.headers.items() if name not in OTHER_HEADERS}
    assert security_headers == {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": PAGE_POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": headers.PERMISSIONS_POLICY,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
    }


def test_the_nonce_is_on_the_scripts_and_new_for_every_response(client: FlaskClient) -> None:
    nonces = set()
    for _ in range(3):
        response = client.get("/help")
        [nonce] = set(re.findall(r'nonce="([^"]+)"', response.text))
        assert f"'nonce-{nonce}'" in response.headers["Content-Security-Policy"]
        nonces.add(nonce)
    assert len(nonces) == 3


def test_only_a_page_with_charts_gets_the_looser_policy() -> None:
    app = make_app()

    @app.get("/charts")
    def charts() -> str:
        headers.allow_charts(["'sha256-x'"])
        return headers.nonce()

    client = app.test_client()
    response = client.get("/charts")
    assert response.headers["Content-Security-Policy"].replace(response.text, "N") == CHART_POLICY
    assert "sha256" not in client.get("/help").headers["Content-Security-Policy"]
    assert "unsafe" not in CHART_POLICY


def test_browsers_are_told_to_keep_to_https_where_it_is_used(client: FlaskClient) -> None:
    secure = client.get("/help", base_url="https://portal.example")
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert "Strict-Transport-Security" not in client.get("/help").headers


def test_a_form_sent_over_https_needs_its_token_and_no_referrer(client: FlaskClient) -> None:
    page = client.get("/form", base_url="https://portal.example").text
    [token, *_] = re.findall(r'name="csrf_token" value="([^"]+)"', page)
    assert client.post("/form", base_url="https://portal.example", data={"csrf_token": token}).status_code == 422
    assert client.post("/form", base_url="https://portal.example", data={}).status_code == 400
