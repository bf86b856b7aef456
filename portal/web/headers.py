"""The security headers of every response, and the nonce that allows the portal's own scripts."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from flask import g, request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Flask, Response

#: Browser features that no page of the portal uses.
DISABLED_FEATURES = (
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "hid",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
PERMISSIONS_POLICY = ", ".join(f"{feature}=()" for feature in DISABLED_FEATURES)
YEAR_IN_SECONDS = 31_536_000


def nonce() -> str:
    """The nonce of this response: the same for all its scripts, and new for every response."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(18)
    token: str = g.csp_nonce
    return token


def page_policy(token: str) -> str:
    """The content security policy of an ordinary page: own files and scripts with the nonce only."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{token}'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def dashboard_policy(token: str, hashes: Sequence[str]) -> str:
    """The content security policy of a page with charts.

    It also allows inline scripts with these hashes, styles with the nonce, and images from blobs.
    """
    scripts = " ".join(["'self'", f"'nonce-{token}'", *hashes])
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            f"style-src 'self' 'nonce-{token}'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def allow_charts(hashes: Sequence[str]) -> None:
    """Give this response the policy of a page with charts.

    `hashes` are those of the scripts Dash writes inline, each quoted as in the policy: "'sha256-…'".
    """
    g.chart_hashes = tuple(hashes)


def init_app(app: Flask) -> None:
    """Add the security headers to every response of `app`, error pages and static files included."""
    # Referrer-Policy is no-referrer, so Flask-WTF's check of the Referer would fail every form: the token alone decides.
    app.config["WTF_CSRF_SSL_STRICT"] = False
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    hashes = g.get("chart_hashes")
    policy = page_policy(nonce()) if hashes is None else dashboard_policy(nonce(), hashes)
    response.headers["Content-Security-Policy"] = policy
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    # Pages hold personal information: nothing may stay in a cache on a shared computer.
    if request.endpoint != "web.static":
        response.headers["Cache-Control"] = "no-store"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = f"max-age={YEAR_IN_SECONDS}; includeSubDomains"
    return response
